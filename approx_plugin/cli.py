"""The command line: `approx <verb> --spec approx.yaml`, the same verbs as `scons approx=1 <verb>`.

Without the console command, as in a checkout: `python -m approx_plugin <verb>`.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import signal
import sys
import textwrap
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from approx_plugin import __version__
from approx_plugin.errors import ApproxError, ProjectError
from approx_plugin.request import Request

if TYPE_CHECKING:
    from approx_plugin.terminal import Terminal

MISTAKE = 2
"""Exit status for what the user can mend."""

INTERRUPTED = 130
"""Exit status behind Ctrl-C, as shells have it."""

HELP = {
    "generate": "make the project, unless it is up to date (the default)",
    "run": "run the project's test vectors in QEMU and show its console",
    "verify": "run verify.images inputs in QEMU; every layer must equal the integer reference",
    "report": "print the report",
    "size": "print flash and RAM by section and source",
    "prove": "prove layer by layer, from the machine code, that every input gives what the integer reference gives",
    "check": "check the STM32CubeIDE files and build Debug and Release from them alone",
    "cubeide": "import and build in an installed STM32CubeIDE, without its window",
    "bench": "simulate CMSIS-NN, our exact kernels and the approximated ones side by side on virtual boards",
    "measure": "compare a real board's console with the virtual board, layer by layer, and keep it for validation",
    "selftest": "make a project of microbenchmarks for the board, whose console measure takes, too",
    "inspect": "say what is in a .tflite, what of it is supported, and which boards hold it; --init writes approx.yaml",
    "explore": "search, show the front as it grows, and leave front.json with a design for every point of it",
    "explain": "say which kernels were considered for a layer (its name or index), their prices, and why one was taken",
    "program": "put the built program on the board, with whichever tool is installed; --probe chooses one",
    "compiledb": "write compile_commands.json into the project, for clangd and other tools",
    "init": "write a first approx.yaml for a .tflite: what inspect --init does",
    "doctor": "say what is installed, what is missing, what it is for, and how to get it",
    "status": "say what of the network is in your own project (project.into)",
    "remove": "take the network out of your own project, which is then as it was before",
    "packs": "fetch ARM::CMSIS-NN and the pack of the board's part, and write packs.lock",
    "clean": "remove generated files that nobody edited",
}
"""Verb -> what it does. The functions are in `verbs`, which is imported only when one is called: help is quick."""


EXIT_CODES = """\
exit status: 0 done; 1 the reader of a pipe has gone; 2 something that you can
mend, said on standard error; 130 interrupted by Ctrl-C (128 and the number of
any other signal)."""

WITHOUT_SPEC = frozenset({"init", "doctor"})
"""Verbs that need no approx.yaml."""


def parser() -> argparse.ArgumentParser:
    """The arguments."""
    made = argparse.ArgumentParser(
        prog=_name(sys.argv[0]),
        description="Turns approx.yaml and an int8 .tflite into an STM32CubeIDE project with\n"
        "unpacked, pruned kernels.",
        epilog="\n".join([*verb_lines(HELP), "", EXIT_CODES]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("verb", nargs="?", default="generate", choices=tuple(HELP), metavar="verb", help="see below")
    made.add_argument(
        "subject", nargs="?", help="for inspect and init: a .tflite (default: the spec's); for explain: a layer"
    )
    made.add_argument("--init", action="store_true", help="for inspect: write an approx.yaml to begin with")
    made.add_argument("--spec", type=Path, default=Path("approx.yaml"), help="the approx.yaml (default: %(default)s)")
    made.add_argument("--board", help="a board in the place of the spec's")
    made.add_argument(
        "--boards", type=_names, default=(), help="boards for the bench: a,b,c or 'all' (default: the board)"
    )
    made.add_argument("--into", type=Path, help="a project of your own that the network moves into as well")
    made.add_argument("--console", type=Path, help="for measure: a recorded console, or - for standard input")
    made.add_argument("--port", help="for measure: a serial port in place of a file, e.g. /dev/ttyACM0")
    made.add_argument("--note", default="", help="for measure: kept with the figures (board revision, date)")
    made.add_argument("--dry-run", action="store_true", help="show what would be changed in that project")
    made.add_argument("--out", type=Path, help="an output directory in the place of the spec's")
    made.add_argument("--cmsis-nn", type=Path, help="directory of a CMSIS-NN (default: $CMSIS_NN_PATH, then the spec)")
    made.add_argument("--point", type=number, help="a point of the front that `explore` has left, instead of a search")
    made.add_argument("--force", action="store_true", help="replace generated files that were edited")
    made.add_argument("--workers", type=positive, help="processes for the search and the compiler")
    made.add_argument("--probe", help="for program: cube, openocd, stlink or pyocd (default: the first that is there)")
    made.add_argument("--quiet", action="store_true", help="results, warnings and mistakes only")
    made.add_argument("--json", action="store_true", help="the result as JSON on standard output; all else goes beside")
    made.add_argument("--version", action="version", version=f"approx-plugin {__version__}")
    return made


def verb_lines(verbs: Iterable[str]) -> list[str]:
    """What some verbs do, a line or more for each, within 80 columns."""
    return [
        line
        for verb in verbs
        for line in textwrap.wrap(HELP[verb], 78, initial_indent=f"  {verb:<9} ", subsequent_indent=" " * 12)
    ]


def _name(program: str) -> str:
    """How the command was called: `approx`, if that is what was typed."""
    return "approx" if Path(program).stem == "approx" else "python -m approx_plugin"


def positive(text: str) -> int:
    """A number of processes, for argparse."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"a whole number above 0, not '{text}'")
    return int(text)


def number(text: str) -> int:
    """Of a point, for argparse."""
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"a whole number, not '{text}'")
    return int(text)


def _names(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (name.strip() for name in text.split(","))))


def request_of(arguments: argparse.Namespace) -> Request:
    """The request, with CMSIS_NN_PATH of the environment where the command line names no CMSIS-NN."""
    from_environment = os.environ.get("CMSIS_NN_PATH", "")
    cmsis_nn = arguments.cmsis_nn or (Path(from_environment) if from_environment else None)
    return Request(
        spec=arguments.spec,
        board=arguments.board,
        out=arguments.out,
        into=arguments.into.absolute() if arguments.into else None,
        dry=arguments.dry_run,
        cmsis_nn=cmsis_nn.absolute() if cmsis_nn else None,
        force=arguments.force,
        workers=arguments.workers,
        boards=arguments.boards,
        point=arguments.point,
        layer=arguments.subject if arguments.verb == "explain" else None,
        probe=arguments.probe,
        console=arguments.console,
        port=arguments.port,
        note=arguments.note,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; returns the exit status: 0, 2 for a user's mistake, 130 if interrupted."""
    made = parser()
    parsed = made.parse_args(arguments)
    takes = {"inspect", "init", *(() if parsed.init else ("explain",))}
    if parsed.verb not in takes and (parsed.subject or parsed.init):
        made.error(f"a model, a layer and --init are for inspect, init and explain, not for {parsed.verb}")
    if parsed.verb == "explain" and not parsed.subject:
        made.error("explain needs a layer: its name or index, as in the report")
    return guarded(lambda: _run(parsed))


def _run(parsed: argparse.Namespace) -> int:
    # Late: numpy and the rest take longer to load than help takes to print.
    from approx_plugin.terminal import Manner, Terminal

    with Terminal(sys.stderr, Manner(parsed.quiet, parsed.json)) as terminal:
        if parsed.verb == "doctor":
            return _doctor(terminal)
        if parsed.verb == "init" or (parsed.verb == "inspect" and (parsed.subject or parsed.init)):
            _inspect(parsed, terminal)
            return 0
        from approx_plugin.project.lock import alone
        from approx_plugin.session import Session
        from approx_plugin.verbs import VERBS

        session = Session.of(request_of(parsed), terminal.say, terminal, terminal.show)
        with alone(session.directory, lambda: terminal.say(f"waiting for another run on {session.directory}")):
            VERBS[parsed.verb](session)
    return 0


def _doctor(terminal: Terminal) -> int:
    from approx_plugin import doctor

    found = doctor.findings()
    terminal.show(doctor.text(found), doctor.document(found))
    return 0 if doctor.is_well(found) else MISTAKE


def _inspect(parsed: argparse.Namespace, terminal: Terminal) -> None:
    from approx_plugin.inspection.command import inspect

    writes = parsed.init or parsed.verb == "init"
    if parsed.subject is None:
        raise ProjectError(
            f"{'init' if parsed.verb == 'init' else '--init'} needs a model", hint="approx init model.tflite"
        )
    lines: list[str] = []
    inspect(
        Path(parsed.subject),
        lines.append if parsed.json else terminal.result,
        parsed.spec if writes else None,
        parsed.force,
    )
    if parsed.json:
        terminal.show("", {"lines": lines})


class TerminatedError(KeyboardInterrupt):
    """Somebody wants us to end, by SIGTERM or by closing the terminal: all is left as after Ctrl-C."""

    def __init__(self, number: int) -> None:
        """`number` of the signal."""
        super().__init__(f"ended by {signal.Signals(number).name}")
        self.number = number


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Raise TerminatedError for the signals that would end the process at once, unless they are handled already."""
    names = ("SIGTERM", "SIGHUP") if threading.current_thread() is threading.main_thread() else ()
    numbers = [number for name in names for number in [getattr(signal, name, None)] if number is not None]
    taken = [number for number in numbers if signal.getsignal(number) is signal.SIG_DFL]

    def end(number: int, frame: object) -> None:
        raise TerminatedError(number)

    for number in taken:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)


def guarded(command: Callable[[], int]) -> int:
    """A command's exit status; 2 for a user's mistake, which is said without a traceback.

    If it was interrupted, 128 and the signal's number, as shells have it: 130 after Ctrl-C.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # file names may hold what the terminal cannot show
    try:
        with _ended_by_signals():
            return command()
    except ApproxError as error:
        _complain(error)
        return MISTAKE
    except BrokenPipeError:
        # The reader of a pipe has seen enough; leave nothing for the interpreter to flush into it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        hint = "free disk space, or mend the permissions, and run again"
        _complain(ProjectError(error.strerror or str(error), where=error.filename, hint=hint))
        return MISTAKE
    except KeyboardInterrupt as interrupt:
        print(str(interrupt) or "interrupted", file=sys.stderr)
        cause = interrupt.__cause__ or interrupt
        return 128 + cause.number if isinstance(cause, TerminatedError) else INTERRUPTED


def _complain(error: ApproxError) -> None:
    from approx_plugin.terminal import print_error

    print_error(str(error), sys.stderr)
