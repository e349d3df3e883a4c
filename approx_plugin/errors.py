"""What a user can do wrong, and how the tool says it: what, where, why, what to do.

Every mistake that a user can make is an `ApproxError`. The command line prints it without a traceback and exits with
status 2. Anything else that escapes is a defect of the tool.

    ApproxError
      SpecError         approx.yaml, or a file that it names, does not say what it has to say
      ModelError        the .tflite cannot be read or uses what is not supported
      DataError         a data set does not fit the model or the other sets
      BoardError        a board is unknown, or its description is wrong
      CapacityError     the network does not fit the board's memory
      ProjectError      the output tree cannot be written, or holds somebody else's files
      ToolError         a program that is needed (compiler, emulator) is missing or failed
      VerificationError the firmware's answers differ from the integer reference
      ErrorGroup        several of the above at once: all mistakes of one input are reported together
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

Result = TypeVar("Result")


@dataclass(frozen=True)
class Location:
    """A place in a file. `line` and `column` count from 1; 0 stands for "the file as a whole"."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        """`file`, `file:line` or `file:line:column`."""
        parts = [self.file]
        if self.line:
            parts.append(str(self.line))
            if self.column:
                parts.append(str(self.column))
        return ":".join(parts)


class ApproxError(Exception):
    """A mistake that the user can mend.

    what:  one sentence that names the mistake, with the offending value in it.
    where: the place, if there is one.
    why:   one sentence on why it is a mistake, where that is not plain from `what`.
    hint:  what to do, as an imperative or a "Did you mean ...?".
    """

    def __init__(self, what: str, *, where: Location | Path | str | None = None, why: str = "", hint: str = "") -> None:
        """See the class."""
        if where is not None and not isinstance(where, Location):
            where = Location(str(where))
        self.what, self.where, self.why, self.hint = what, where, why, hint
        super().__init__(what)

    def __str__(self) -> str:
        """`where: error: what` on one line, then `why` and `hint` indented below it.

        What a file holds may be quoted in it, and is made visible: no control sequence reaches the terminal.
        """
        head = f"{self.where}: error: {self.what}" if self.where else f"error: {self.what}"
        lines = [head]
        if self.why:
            lines.append(f"    why: {self.why}")
        if self.hint:
            lines.append(f"    do:  {self.hint}")
        return visible("\n".join(lines))


class SpecError(ApproxError):
    """approx.yaml, or a file that it names, does not say what it has to say."""


class ModelError(ApproxError):
    """The .tflite cannot be read or uses what is not supported."""


class DataError(ApproxError):
    """A data set does not fit the model or the other sets."""


class BoardError(ApproxError):
    """A board is unknown, or its description is wrong."""


class CapacityError(ApproxError):
    """The network does not fit the board's memory."""


class ProjectError(ApproxError):
    """The output tree cannot be written, or holds somebody else's files."""


class ToolError(ApproxError):
    """A program that is needed is missing or failed."""


class VerificationError(ApproxError):
    """The firmware's answers differ from the integer reference."""


class ErrorGroup(ApproxError):  # noqa: N818 (it is a group, not an error)
    """All mistakes of one input at once, in the order in which they stand in it."""

    def __init__(self, errors: Sequence[ApproxError]) -> None:
        """`errors` is not empty."""
        self.errors = tuple(errors)
        super().__init__(f"{len(self.errors)} errors")

    def __str__(self) -> str:
        """The single messages, then their count."""
        return "\n".join([*(str(e) for e in self.errors), f"{len(self.errors)} errors."])


def visible(text: str) -> str:
    """The text with escapes in the place of what a terminal does not show, or obeys; line feeds and tabs stay."""
    if text.isascii() and text.replace("\n", "").replace("\t", "").isprintable():
        return text
    return "".join(map(_visible, text))


def _visible(character: str) -> str:
    if character.isprintable() or character in "\n\t\u00a0\u202f":
        return character
    return character.encode("unicode_escape").decode("ascii")


def raise_all(errors: Iterable[ApproxError]) -> None:
    """Raise nothing for no error, the error itself for one, an `ErrorGroup` for several."""
    found = tuple(errors)
    if len(found) == 1:
        raise found[0]
    if found:
        raise ErrorGroup(found)


def attempt(errors: list[ApproxError], step: Callable[[], Result]) -> Result | None:
    """What the step returns; its mistakes are put into `errors`, so that others can be looked for."""
    try:
        return step()
    except ErrorGroup as group:
        errors += group.errors
    except ApproxError as error:
        errors.append(error)
    return None
