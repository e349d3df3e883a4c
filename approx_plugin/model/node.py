"""One operator of the file as the reader hands it to `operators/`: decoded, but not interpreted yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from approx_plugin.model.tensor import Tensor


@dataclass(frozen=True, eq=False)
class Node:
    """An operator as it stands in the file.

    index:   its place in the execution order of the file.
    builtin: TFLite's name, e.g. "CONV_2D".
    inputs:  the tensors that go in, None where an optional one is missing.
    outputs: the tensors that come out.
    options: the builtin options by TFLite's names, e.g. {"StrideH": 1, "Padding": 0}; empty if it has none.
    """

    index: int
    builtin: str
    inputs: tuple[Tensor | None, ...]
    outputs: tuple[Tensor, ...]
    options: Mapping[str, int | float | bool]


class UnsupportedError(Exception):
    """This operator, or this form of it, is not supported. The reader collects these into one message.

    reason: why, e.g. "dilation 2x2". hint: what the user can do.
    """

    def __init__(self, reason: str, hint: str) -> None:
        """See the class."""
        super().__init__(reason)
        self.reason, self.hint = reason, hint


class ShapeError(UnsupportedError):
    """The output has another shape than follows from the inputs and options: `shape`, as the file would have it.

    Where the file leaves the shape open, its static one is a placeholder, and the reader takes this one.
    """

    def __init__(self, found: tuple[int, ...], shape: tuple[int, ...], hint: str) -> None:
        """found: the output's shape in the file."""
        super().__init__(f"its output has shape {list(found)}, but its inputs and options give {list(shape)}", hint)
        self.shape = shape
