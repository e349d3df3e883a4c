"""What a plain (unquoted) scalar means: as in YAML 1.2, and an error where readers disagree.

- `yes`, `on` and `12:30` are text, `1e3` is 1000.0;
- `010` (8 for some readers, 10 for others), `.inf` and `.nan` are errors that say what to write.

No pattern here can match a text in two ways: the time that one takes grows with the text's length and no faster.
"""

from __future__ import annotations

import math
import re

MAX_DIGITS = 25
"""Longer integers have no meaning here, and Python refuses to convert very long ones."""

NULL = frozenset({"", "~", "null", "Null", "NULL"})
BOOLEAN = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
LEADING_ZERO = re.compile(r"([-+]?)(0[0-9]+)")
BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")


class ScalarError(Exception):
    """A plain scalar that nobody reads the same way: what is wrong, why, and what to do."""

    def __init__(self, what: str, why: str, hint: str) -> None:
        """See the class."""
        super().__init__(what)
        self.what, self.why, self.hint = what, why, hint


def plain_value(text: str) -> str | int | float | bool | None:
    """What an unquoted scalar means. Raises ScalarError."""
    if text in NULL:
        return None
    if text in BOOLEAN:
        return BOOLEAN[text]
    if NOT_FINITE.fullmatch(text):
        raise ScalarError(f"'{text}' is no finite number", "", "write a number, or quotes around it if it is text")
    zeros = LEADING_ZERO.fullmatch(text)
    if zeros:
        decimal = zeros.group(1) + (zeros.group(2).lstrip("0") or "0")
        raise ScalarError(
            f"'{_short(text)}' starts with 0",
            "some YAML readers take that for an octal number, others for a decimal one",
            f"write {_short(decimal)}, or quotes around it if it is text",
        )
    if INTEGER.fullmatch(text) or BASED.fullmatch(text):
        if len(text) > MAX_DIGITS:
            raise ScalarError(f"'{_short(text)}' has more than {MAX_DIGITS} digits", "", "write a smaller number")
        return int(text, 0)
    if FLOAT.fullmatch(text):
        number = float(text)
        if not math.isfinite(number):
            raise ScalarError(f"'{text[:MAX_DIGITS]}' is too large for a number", "", "write a smaller number")
        return number
    return text


def _short(text: str) -> str:
    """The beginning of a long number."""
    return text if len(text) <= MAX_DIGITS else f"{text[:MAX_DIGITS]}..."
