"""The verbs that need a board on the desk: monitor and measure, and what they share with program."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from approx_plugin.bench import output as bench_output
from approx_plugin.build.console import parse_console
from approx_plugin.build.flashing import program
from approx_plugin.build.images import FOLDER
from approx_plugin.build.serial_port import find_port, read_run
from approx_plugin.errors import BoardError, VerificationError
from approx_plugin.monitoring import document, measured, text
from approx_plugin.session import Session, generate_project, require


def flash(session: Session) -> str:
    """Put the project's program on the board; returns the command that has done it."""
    files, stem = session.directory / FOLDER, session.spec.project.name
    if not all((files / f"{stem}{end}").is_file() for end in (".elf", ".hex")):
        generate_project(session)
    return program(files, stem, session.board, session.request.probe)


def monitor(session: Session) -> None:
    """Read what the board prints, and compare its cycles with the simulated ones."""
    session.up_to_date()
    _conclude(session, _heard(session, lambda: session.say("reset the board now")))


def measure(session: Session) -> None:
    """Put the program on the board, read what it prints, and compare its cycles with the simulated ones."""
    require("measure", session)
    session.up_to_date()
    _conclude(session, _heard(session, lambda: session.say(f"programmed ({flash(session)})")))


def _heard(session: Session, begin: Callable[[], None]) -> str:
    """What the board prints. begin: done once somebody listens, so that no line is lost."""
    console = session.board.console
    if console is None:
        raise BoardError(f"{session.board.name} has no console", hint="choose a board that exists")
    port = find_port(session.request.port)
    session.say(f"{port}: {console.baud} baud")
    ready, given_up = threading.Event(), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        heard = pool.submit(read_run, port, console.baud, session.say, ready=ready, given_up=given_up)
        try:
            while not ready.wait(0.05) and not heard.done():
                pass
            if not heard.done():
                begin()
            return heard.result()
        except BaseException:
            given_up.set()
            raise


def _conclude(session: Session, console: str) -> None:
    """Say and store what a board has measured. Raises VerificationError where its answers are wrong."""
    bench = bench_output.folder(session.directory) / "bench.json"
    found = measured(parse_console(console), bench if bench.is_file() else None, session.board.id)
    record = {"board": session.board.id, "project": session.spec.project.name, **document(found)}
    file = session.directory.with_name(f"{session.directory.name}_measured.json")
    file.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    session.show(text(found), record)
    session.say(f"{file}: written")
    if found.passed != found.vectors or not found.vectors:
        raise VerificationError(
            f"{found.machine or 'the board'} is right for {found.passed} of {found.vectors} vectors",
            where=file,
            hint="is it this project's firmware? `measure` programs it first",
        )
