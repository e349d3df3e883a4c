"""QUANTIZE and DEQUANTIZE at the borders: taken off, because that work is the caller's."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from approx_plugin.model.node import Node
from approx_plugin.model.tensor import Tensor


@dataclass(frozen=True, eq=False)
class Borders:
    """The nodes that are left, and the tensors between which they lie. float_...: as in Graph."""

    nodes: tuple[Node, ...]
    input: int
    output: int
    float_input: bool
    float_output: bool


def take_off(nodes: Sequence[Node], source: int, result: int) -> Borders:
    """Without a conversion of the input `source` to int8 in front and one of int8 to the output `result` behind.

    A conversion is real numbers <-> int8, or uint8 <-> int8 with the same scale (a shift by 128). One that does
    anything else, or whose input is used elsewhere as well, stays and is reported as unsupported.
    """
    kept = list(nodes)
    float_input = float_output = False
    readers = [node for node in kept if any(tensor is not None and tensor.index == source for tensor in node.inputs)]
    if len(readers) == 1 and _converts(readers[0], "QUANTIZE", outwards=False):
        (front,) = readers
        kept.remove(front)
        source = front.outputs[0].index
        float_input = _type_in(front) == "float32"
    writers = [node for node in kept if any(tensor.index == result for tensor in node.outputs)]
    if len(writers) == 1 and _reads_activation(writers[0]):
        (back,) = writers
        if _converts(back, "DEQUANTIZE", outwards=True) or _converts(back, "QUANTIZE", outwards=True):
            assert back.inputs[0] is not None
            kept.remove(back)
            result = back.inputs[0].index
            float_output = back.outputs[0].dtype == "float32"
    return Borders(tuple(kept), source, result, float_input, float_output)


def _reads_activation(node: Node) -> bool:
    return len(node.inputs) == 1 and node.inputs[0] is not None and node.inputs[0].data is None


def _type_in(node: Node) -> str:
    tensor = node.inputs[0]
    return "" if tensor is None else tensor.dtype


def _converts(node: Node, builtin: str, *, outwards: bool) -> bool:
    """Whether `node` is such a conversion, from int8 outwards or to int8 inwards."""
    if node.builtin != builtin or not _reads_activation(node) or len(node.outputs) != 1:
        return False
    assert node.inputs[0] is not None
    inner, outer = (node.inputs[0], node.outputs[0]) if outwards else (node.outputs[0], node.inputs[0])
    if inner.dtype != "int8" or inner.shape != outer.shape:
        return False
    return outer.dtype == "float32" or (outer.dtype == "uint8" and _shifted_by_128(outer, inner))


def _shifted_by_128(unsigned: Tensor, signed: Tensor) -> bool:
    one, other = unsigned.quantization, signed.quantization
    return (
        one is not None
        and other is not None
        and len(one.scale) == len(other.scale) == 1
        and math.isclose(one.scale[0], other.scale[0], rel_tol=1e-6)
        and one.zero_point[0] - 128 == other.zero_point[0]
    )
