"""A template: copy this file to `operators/<kind>.py`, then change what the comments name.

It is NEG, -x, which TensorFlow Lite does not have for int8: nobody registers this file, a test keeps it working.
"""

# ruff: noqa: N999  (The name says that it is no module of the package.)

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from approx_plugin.model.node import Node, UnsupportedError
from approx_plugin.model.operator import Operator
from approx_plugin.model.quantization import Multiplier
from approx_plugin.model.tensor import Int8Array
from approx_plugin.operators import reading
from approx_plugin.operators.fixed_point import requantize


# Short ways: an operator that only moves elements derives from `selection.Selection` and says which element goes where;
# one that treats every element by itself from `table.Table`; one with two operands from `binary.Binary`. All of these
# have kernels already. Everything else looks like this.
@dataclass(frozen=True, eq=False)
class Negate(Operator):
    """What it computes, in a sentence, and its fields.

    multiplier: input scale / output scale.
    """

    # TensorFlow Lite's name of the operator, as the schema has it.
    kind: ClassVar[str] = "NEG"

    # All that decides what it computes, and nothing else: arrays, numbers, tuples of frozen values.
    multiplier: Multiplier

    @classmethod
    def read(cls, node: Node, index: int, name: str) -> Negate:
        """See `Operator.read`. Say here where the formulas of the parameters are from."""
        # `reading` checks what most operators need and raises UnsupportedError with a reason and a remedy.
        source, result = reading.activation(node), reading.output(node)
        reading.same_shape(result, source.shape)
        # What this operator cannot do it has to refuse: nothing may be computed that is only nearly right.
        if node.options:
            raise UnsupportedError("it has options", reading.REEXPORT_HINT)
        return cls(
            index=index,
            name=name,
            label=result.name,
            inputs=(source,),
            output=result,
            multiplier=reading.checked_multiplier(source.scale / result.scale),
        )

    # `macs` and `parameter_bytes` where there are any, `is_alias` if the output is the input's bytes.

    def compute(self, inputs: Sequence[Int8Array]) -> Int8Array:
        """See `Operator.compute`. The definition, bit for bit: kernels are compared with it."""
        # Arrays are [count, ...]; `Tensor.own_shape` is the shape to which the file's axes refer.
        above = inputs[0].astype(np.int64) - self.inputs[0].zero_point
        values = requantize(-above, (self.multiplier,)) + self.output.zero_point
        return np.clip(values, -128, 127).astype(np.int8)


# Then: a row in `operators/registry.py`, a kernel (`kernels/portable/registry.py` says how), a case in
# tests/support/operator_cases.py, and `python -m approx_plugin.kernels.listing` for the documentation.
