"""Functions of one linear form: what requantisation makes of a sum.

A function is a tree of operations of the core over one leaf, the form's 32-bit register, and constants. Trees are
compared by `key`, which leaves out which form it is: all outputs of a channel have the same one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Union

import numpy as np
import numpy.typing as npt

from approx_plugin.proof.linear import Linear

Argument = Union["Expression", int]

LEAF = "x"

Int64s = npt.NDArray[np.int64]

INT32_MIN, INT32_MAX = -(1 << 31), (1 << 31) - 1


class Unordered(Exception):  # noqa: N818 (a finding)
    """A function is not known to rise with the sum, or leaves int32. str(): which operation."""


class Expression:
    """An operation on arguments: expressions, or signed numbers. form: the leaf that it is a function of. Immutable."""

    __slots__ = ("arguments", "form", "key", "operation")

    def __init__(self, operation: str, arguments: tuple[Argument, ...], form: Linear) -> None:
        """See the class."""
        self.operation = operation
        self.arguments = arguments
        self.form = form
        self.key: tuple[object, ...] = (
            operation,
            *(a.key if isinstance(a, Expression) else a for a in arguments),
        )


def leaf(form: Linear) -> Expression:
    """The form's register itself."""
    return Expression(LEAF, (), form)


def evaluate(key: object, values: Int64s) -> Int64s:
    """The function with this key at values of the leaf, int64 [n] within int32.

    Raises Unordered where an operation leaves int32.
    """
    if isinstance(key, int):
        return np.full_like(values, key)
    assert isinstance(key, tuple)
    operation, *arguments = key
    if operation == LEAF:
        return values
    found = OPERATIONS[operation](*(evaluate(argument, values) for argument in arguments))
    if found.min() < INT32_MIN or found.max() > INT32_MAX:
        raise Unordered(f"{operation} leaves 32 bits")
    return found


def _ssat(values: Int64s, bits: Int64s) -> Int64s:
    limit = np.int64(1) << (bits - 1)
    return np.clip(values, -limit, limit - 1)


def _usat(values: Int64s, bits: Int64s) -> Int64s:
    return np.clip(values, 0, (np.int64(1) << bits) - 1)


OPERATIONS: Mapping[str, Callable[..., Int64s]] = MappingProxyType(
    {
        "add": lambda a, b: a + b,
        "sub": lambda a, b: a - b,
        "and": lambda a, b: a & b,
        "asr": lambda a, amount: a >> amount,
        "smmla": lambda a, b, c: ((a * b) >> 32) + c,
        "smmlar": lambda a, b, c: ((a * b + (1 << 31)) >> 32) + c,
        "ssat": _ssat,
        "usat": _usat,
        "max": np.maximum,
        "min": np.minimum,
    }
)


def rises(key: object) -> None:
    """Show that a function does not fall while the leaf rises on one side of 0. Raises Unordered if that is not clear.

    On one side of 0 the sign of the leaf, `asr 31`, is a constant.
    """
    if not _constant(key) and not _rising(key):
        raise Unordered(f"{key} need not rise with the sum")


def _constant(key: object) -> bool:
    if isinstance(key, int):
        return True
    assert isinstance(key, tuple)
    operation, *arguments = key
    if operation == LEAF:
        return False
    if operation == "asr" and arguments[0] == (LEAF,) and arguments[1] == 31:
        return True
    return all(map(_constant, arguments))


def _rising(key: object) -> bool:
    if _constant(key):
        return True
    assert isinstance(key, tuple)
    operation, *arguments = key
    if operation == LEAF:
        return True
    if operation in ("add", "max", "min"):
        return all(map(_rising, arguments))
    if operation == "sub":
        return _rising(arguments[0]) and _constant(arguments[1])
    if operation in ("smmla", "smmlar"):
        value, factor, added = arguments
        return _rising(value) and isinstance(factor, int) and factor >= 0 and _rising(added)
    if operation in ("asr", "ssat", "usat"):
        return _rising(arguments[0]) and isinstance(arguments[1], int)
    return False
