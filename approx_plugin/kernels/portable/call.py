"""A call into our own runtime, and who makes it for which operator."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from approx_plugin.kernels.c_lines import array
from approx_plugin.kernels.costs.counting import Memories, Work
from approx_plugin.kernels.portable.assumed import ASSUMED
from approx_plugin.model.quantization import Multiplier

_C_TYPES = {"int8": "int8_t", "int16": "int16_t", "int32": "int32_t"}


@dataclass(frozen=True, eq=False)
class RuntimeCall:
    """The call that computes an operator.

    statements:  C, over `input`, `input_2`, ... and `output` as in `Emission.call`, and the names in `definitions`.
    definitions: C constants; their names begin with the step's symbol.
    table_bytes: what the constants take in flash.
    """

    statements: Sequence[str]
    definitions: Sequence[str] = ()
    table_bytes: int = 0


@dataclass(frozen=True)
class Service:
    """How the runtime serves operators of a class and those derived from it.

    operator: the class, abstract or not. call: operator and the step's C name -> its call. work: operator and what
    stands between the core and its memories -> what the call does, for the cost model.
    """

    operator: Any
    call: Callable[[Any, str], RuntimeCall]
    work: Callable[[Any, Memories], Work]


def constant(name: str, values: Any) -> str:
    """A constant array as C text: int8, int16 or int32 of any shape, written in C order."""
    flat = np.asarray(values).reshape(-1)
    texts = [str(v) if v > -(2**31) else "(-2147483647 - 1)" for v in flat.astype(np.int64).tolist()]
    return f"static const {_C_TYPES[flat.dtype.name]} {name}[{len(texts)}] = {{\n{array(texts)}\n}};\n"


def structure(kind: str, name: str, **members: str | int) -> str:
    """A constant structure as C text, by designated initialisers."""
    inside = "".join(f"    .{member} = {value},\n" for member, value in members.items())
    return f"static const {kind} {name} = {{\n{inside}}};\n"


def factor(multiplier: Multiplier) -> str:
    """The initialiser of an approx_factor."""
    return f"{{{multiplier.mantissa}, {multiplier.shift}}}"


def numbers(values: Sequence[int]) -> str:
    """The initialiser of an array of numbers inside of a structure."""
    return "{" + ", ".join(map(str, values)) + "}"


def counted(kind: str, counts: Mapping[str, float]) -> Work:
    """The work, with the coefficients that are assumed for it."""
    return Work(kind, {name: float(count) for name, count in counts.items()}, ASSUMED[kind])
