"""A call into CMSIS-NN, and who makes it for which operator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from approx_plugin.kernels.costs.counting import Memories, Work


@dataclass(frozen=True, eq=False)
class Constant:
    """A constant array of a generated source file: `static const <ctype> <name>[] = {...};`.

    name: a C identifier, unique within the layer (the emitter puts the layer's prefix before it).
    data: int8 or int32 values, any shape, written in C order.
    """

    name: str
    data: npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class CmsisCall:
    """The CMSIS-NN call that computes an operator (API of CMSIS-NN v7).

    functions: the library functions that `body` and `context_size` name (roots of the set of sources to compile). An
               empty tuple: our own runtime computes the operator, and `body` has no `context`.
    constants: weights, bias, multipliers, shifts. `body` names one as `{name}` does in `str.format`.
    body:      C statements for the inside of `static int32_t layer(const int8_t *input, const int8_t *input_2,
               int8_t *output, const cmsis_nn_context *context)`; it ends in a `return` of the library's status
               (0 is success). `input_2` is there for operators with two activations. Braces of C are doubled: the
               emitter runs `body.format_map(names)` once, with the full C names of the constants. It also marks
               `input_2` and `context` as used.
    context_bytes: size of the scratch buffer that the call needs on cores with the DSP extension and without MVE.
    context_size:  C expression for the size that the linked library asks for, "0" where it asks for none; its braces
               are not doubled. The verification build compares it with what was planned.
    """

    functions: tuple[str, ...]
    constants: tuple[Constant, ...]
    body: str
    context_bytes: int = 0
    context_size: str = "0"


@dataclass(frozen=True)
class Service:
    """How the library serves one kind of operator.

    kind: TFLite's name of it. call: the operator -> its call; work: the operator and what stands between the core and
    its memories -> what the call does, for the cost model.
    """

    kind: str
    call: Callable[[Any], CmsisCall]
    work: Callable[[Any, Memories], Work]
