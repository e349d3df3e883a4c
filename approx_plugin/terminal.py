"""What a person sees while the tool works."""

from __future__ import annotations

from types import TracebackType
from typing import TextIO

from approx_plugin.exploration.front import Point

STEPS = 10
"""Lines that a search prints where the output is no terminal."""


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
