"""Programs that are started, and that have ended before we do."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from approx_plugin.errors import ToolError

GRACE = 2.0
"""Seconds that a program has to end by itself (a compiler removes its temporary files) before it is killed."""

KILL = getattr(signal, "SIGKILL", signal.SIGTERM)


@dataclass(frozen=True)
class Outcome:
    """What a program said. `output` is standard output with standard error in it, in the order of writing; standard
    error alone where the other one went to a file.
    """

    status: int
    output: str


class Processes:
    """Programs that run at the same time, started by several threads, and can be ended together by another one."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        """None runs yet. environment: of all of them; None: this process's."""
        self._environment = environment
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopped = False

    @contextlib.contextmanager
    def _started(self, command: Sequence[str], **options: object) -> Iterator[subprocess.Popen[bytes]]:
        """A program in a process group of its own; neither it nor what it has started is left behind."""
        with self._lock:
            if self._stopped:
                raise ToolError(f"{command[0]} is not started any more")
            try:
                # A group of its own: an interrupt from the terminal reaches us alone, and we reach all of the group.
                process = subprocess.Popen(  # type: ignore[call-overload]
                    list(command), start_new_session=True, env=self._environment, **options
                )
            except OSError as error:
                raise ToolError(f"{command[0]} cannot be started", why=str(error)) from error
            self._running.add(process)
        try:
            yield process
        except BaseException:
            _end([process])
            raise
        finally:
            with self._lock:
                self._running.discard(process)
            for pipe in (process.stdout, process.stderr):
                if pipe:
                    pipe.close()

    def run(
        self,
        command: Sequence[str],
        cwd: Path | None = None,
        timeout: float | None = None,
        printed: Path | None = None,
    ) -> Outcome:
        """See the function `run`."""
        with contextlib.ExitStack() as files:
            out = files.enter_context(printed.open("wb")) if printed else subprocess.PIPE
            err = subprocess.PIPE if printed else subprocess.STDOUT
            with self._started(command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=out, stderr=err) as process:
                written, complaints = process.communicate(timeout=timeout)
        return Outcome(process.returncode, (complaints if printed else written).decode(errors="replace"))

    def stop(self) -> None:
        """End all that run, and start no more."""
        with self._lock:
            self._stopped = True
            running = list(self._running)
        _end(running)


def run(
    command: Sequence[str], cwd: Path | None = None, timeout: float | None = None, printed: Path | None = None
) -> Outcome:
    """Run a command without a shell and without input. printed: the file that takes its standard output.

    However this ends, by a timeout or an interrupt too, the program has ended then, with all that it has started.

    Raises ToolError if the program cannot be started, and subprocess.TimeoutExpired, whose `output` holds what was
    written until then.
    """
    return Processes().run(command, cwd, timeout, printed)


def _end(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """Ask programs and their children to end, and kill what has not; returns when nothing of them is left."""
    alive = [process for process in processes if process.poll() is None]
    for process in alive:
        _signal(process, signal.SIGTERM)
    end = time.monotonic() + GRACE
    for process in alive:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, end - time.monotonic()))
    for process in alive:
        while _signal(process, KILL) and time.monotonic() < end + GRACE:
            time.sleep(0.01)
        process.wait()


def _signal(process: subprocess.Popen[bytes], number: int) -> bool:
    """Send a signal to a program's whole group; False where nobody is left in it."""
    if not hasattr(os, "killpg"):  # Windows
        process.kill()
        return False
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True
