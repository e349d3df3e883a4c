"""C text of the CMSIS-NN calls: structures by designated initialisers, and the constants beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Union

import numpy as np

from approx_plugin.kernels.cmsis_nn.call import Constant
from approx_plugin.model.quantization import Multiplier

Field = Union[int, str]


def fields(**values: Field) -> str:
    """`{.a = 1, .b = {.c = 2}}`: an initialiser, in the order of the arguments."""
    return "{" + ", ".join(f".{name} = {value}" for name, value in values.items()) + "}"


def dims(shape: Sequence[int]) -> str:
    """The initialiser of a cmsis_nn_dims from (n, h, w, c)."""
    return fields(**dict(zip("nhwc", shape)))


def tile(pair: tuple[int, int]) -> str:
    """The initialiser of a cmsis_nn_tile from (vertical, horizontal)."""
    return fields(w=pair[1], h=pair[0])


def limits(low: int, high: int) -> str:
    """The initialiser of a cmsis_nn_activation."""
    return fields(min=low, max=high)


def address(type_name: str, initialiser: str) -> str:
    """The address of a compound literal, for use inside an expression."""
    return f"&({type_name}){initialiser}"


def declare(type_name: str, name: str, initialiser: str) -> str:
    """A constant local variable."""
    return f"const {type_name} {name} = {initialiser};"


def body(declarations: Sequence[str], call: str) -> str:
    """The body of a CmsisCall.

    declarations: plain C, braces are doubled here. call: C without braces but those of `{constant}` names.
    """
    return "\n".join([*(text.replace("{", "{{").replace("}", "}}") for text in declarations), call])


def requantisation(multipliers: Sequence[Multiplier]) -> tuple[Constant, Constant]:
    """The constants `multipliers` and `shifts`, int32, one entry a multiplier."""
    return (
        Constant("multipliers", np.array([m.mantissa for m in multipliers], dtype=np.int32)),
        Constant("shifts", np.array([m.shift for m in multipliers], dtype=np.int32)),
    )
