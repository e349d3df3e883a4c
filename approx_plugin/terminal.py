"""What a person sees while the tool works."""

from __future__ import annotations

import json
import os
import shutil
import sys
from dataclasses import dataclass
from types import TracebackType
from typing import Any, TextIO

from approx_plugin.exploration.front import Point
from approx_plugin.folding import folded

WARNING = "warning: "
"""How a note begins that nobody should miss."""

STEPS = 10
"""Lines that a search prints where the output is no terminal."""


@dataclass(frozen=True)
class Manner:
    """quiet: nothing but results, warnings and mistakes. json: results are JSON, and alone on standard output."""

    quiet: bool = False
    json: bool = False


class ProgressLine:
    """One line that is written over on a terminal; a few plain lines elsewhere. Also an `exploration` Progress."""

    def __init__(self, stream: TextIO) -> None:
        """Progress goes to `stream`, results to standard output."""
        self._stream = stream
        self._terminal = stream.isatty()
        self._open = False
        self._told = -1

    def __enter__(self) -> ProgressLine:
        """Nothing happens yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the terminal on a line of its own."""
        self._close()

    def __call__(self, done: int, total: int, best: Point | None) -> None:
        """See `exploration.measurement.Progress`."""
        found = f", best so far {best.accuracy:.2f} % at {best.macs_kept:,} MACs" if best else ""
        text = f"search: {done} of {total} designs measured{found}"
        if self._terminal:
            self._stream.write(f"\r\x1b[K{text}")
            self._stream.flush()
            self._open = True
        elif done * STEPS // max(total, 1) != self._told:
            self._told = done * STEPS // max(total, 1)
            print(text, file=self._stream, flush=True)

    def say(self, line: str) -> None:
        """A line for standard output."""
        self._close()
        print(line, flush=True)

    def _close(self) -> None:
        if self._open:
            self._stream.write("\n")
            self._stream.flush()
            self._open = False


class Terminal(ProgressLine):
    """Where a verb's notes and results go."""

    def __init__(self, stream: TextIO, manner: Manner) -> None:
        """Progress and, with JSON, notes go to `stream`."""
        super().__init__(stream)
        self._manner = manner
        # Where a program reads, lines stay whole.
        self._columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0

    def __enter__(self) -> Terminal:
        """Nothing happens yet."""
        return self

    def __call__(self, done: int, total: int, best: Point | None) -> None:
        """Progress of a search."""
        if not self._manner.quiet:
            super().__call__(done, total, best)

    def say(self, line: str) -> None:
        """A note on what is being done; warnings are never left out."""
        warns = line.startswith(WARNING)
        if self._manner.quiet and not warns:
            return
        self._close()
        print(line, file=self._stream if self._manner.json or self._manner.quiet else None, flush=True)

    def result(self, line: str) -> None:
        """A line of what was asked for."""
        self._close()
        print(folded(line, self._columns) if self._columns else line, flush=True)

    def show(self, text: str, document: Any) -> None:
        """What was asked for, in words or as plain values."""
        if self._manner.json:
            self._close()
            print(json.dumps(document, indent=2, ensure_ascii=False), flush=True)
        else:
            self.result(text)


def print_error(text: str, stream: TextIO) -> None:
    """A mistake; in colours where the terminal has them and rich is installed."""
    console = _console(stream)
    if console is None:
        print(text, file=stream)
        return
    from rich.text import Text

    shown = Text(text)
    shown.highlight_regex(r"(?m)^(?:\S.*: )?error:", "bold red")
    shown.highlight_regex(r"(?m)^    (?:why|do): ", "bold cyan")
    console.print(shown, soft_wrap=True)


def _console(stream: TextIO) -> Any:
    """rich's console for a terminal; None for what is none, and where rich is not installed."""
    if not stream.isatty() or os.environ.get("NO_COLOR"):
        return None
    try:
        from rich.console import Console
    except ModuleNotFoundError:
        return None
    return Console(file=stream)
