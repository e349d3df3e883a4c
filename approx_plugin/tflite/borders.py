"""QUANTIZE and DEQUANTIZE at the borders: taken off, because that work is the caller's."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from approx_plugin.model.node import Node
from approx_plugin.model.tensor import Tensor


@dataclass(frozen=True, eq=False)
class Borders:
    """The nodes that are left, and the tensors between which they lie, in the file's order. float_...: as in Graph.

    tensors: by index, those that are others than in the file.
    """

    nodes: tuple[Node, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    float_input: bool
    float_output: bool
    tensors: Mapping[int, Tensor]


def take_off(nodes: Sequence[Node], incoming: Sequence[Tensor], outgoing: Sequence[Tensor]) -> Borders:
    """Without conversions of inputs to int8 in front and of int8 to outputs behind.

    A conversion is real numbers, or int16, <-> int8, or uint8 <-> int8 with the same scale (a shift by 128). Between
    uint8 and another int8 scale the shift is taken off, and the rest stays as a conversion from int8 to int8. One that
    does anything else, or whose input is used elsewhere as well, stays and is reported as unsupported.
    """
    kept = list(nodes)
    tensors: dict[int, Tensor] = {}
    outer = {tensor.index for tensor in outgoing}
    inputs = [_front(kept, tensor, tensors) if tensor.index not in outer else tensor.index for tensor in incoming]
    outputs = [_back(kept, tensor, tensors) for tensor in outgoing]
    return Borders(
        tuple(kept),
        tuple(inputs),
        tuple(outputs),
        any(t.dtype == "float32" and t.index != index for t, index in zip(incoming, inputs)),
        any(t.dtype == "float32" and t.index != index for t, index in zip(outgoing, outputs)),
        tensors,
    )


def _front(kept: list[Node], incoming: Tensor, tensors: dict[int, Tensor]) -> int:
    """The int8 tensor of an input; its conversion leaves `kept`, and what changes goes into `tensors`."""
    source = incoming.index
    readers = [node for node in kept if any(tensor is not None and tensor.index == source for tensor in node.inputs)]
    if len(readers) != 1:
        return source
    (front,) = readers
    if _converts(front, "QUANTIZE", outwards=False):
        kept.remove(front)
        return front.outputs[0].index
    if _rescales(front, incoming):
        tensors[source] = _signed(incoming)
        kept[kept.index(front)] = replace(front, inputs=(tensors[source],))
    return source


def _back(kept: list[Node], outgoing: Tensor, tensors: dict[int, Tensor]) -> int:
    """The int8 tensor of an output, likewise."""
    result = outgoing.index
    if any(tensor is not None and tensor.index == result for node in kept for tensor in node.inputs):
        return result
    writers = [node for node in kept if any(tensor.index == result for tensor in node.outputs)]
    if len(writers) != 1 or not _reads_activation(writers[0]):
        return result
    (back,) = writers
    if _converts(back, "DEQUANTIZE", outwards=True) or _converts(back, "QUANTIZE", outwards=True):
        assert back.inputs[0] is not None
        kept.remove(back)
        return back.inputs[0].index
    if _rescales(back, outgoing):
        tensors[result] = _signed(outgoing)
        kept[kept.index(back)] = replace(back, outputs=(tensors[result],))
    return result


def _rescales(node: Node, border: Tensor) -> bool:
    """Whether `node` converts between the uint8 tensor at the border and int8 of another scale."""
    inner = node.outputs[0] if node.inputs[0] is border else node.inputs[0]
    per_tensor = border.quantization is not None and len(border.quantization.scale) == 1
    return node.builtin == "QUANTIZE" and border.dtype == "uint8" and per_tensor and _is_int8(inner)


def _is_int8(tensor: Tensor | None) -> bool:
    return tensor is not None and tensor.dtype == "int8"


def _signed(tensor: Tensor) -> Tensor:
    """A uint8 tensor whose elements are 128 less."""
    assert tensor.quantization is not None
    zero_point = tensor.quantization.zero_point[0] - 128
    return replace(tensor, dtype="int8", quantization=replace(tensor.quantization, zero_point=(zero_point,)))


def _reads_activation(node: Node) -> bool:
    return len(node.inputs) == 1 and node.inputs[0] is not None and node.inputs[0].data is None


def _converts(node: Node, builtin: str, *, outwards: bool) -> bool:
    """Whether `node` is such a conversion, from int8 outwards or to int8 inwards."""
    if node.builtin != builtin or not _reads_activation(node) or len(node.outputs) != 1:
        return False
    assert node.inputs[0] is not None
    inner, outer = (node.inputs[0], node.outputs[0]) if outwards else (node.outputs[0], node.inputs[0])
    if inner.dtype != "int8" or inner.shape != outer.shape:
        return False
    return outer.dtype in ("float32", "int16") or (outer.dtype == "uint8" and _shifted_by_128(outer, inner))


def _shifted_by_128(unsigned: Tensor, signed: Tensor) -> bool:
    one, other = unsigned.quantization, signed.quantization
    return (
        one is not None
        and other is not None
        and len(one.scale) == len(other.scale) == 1
        and math.isclose(one.scale[0], other.scale[0], rel_tol=1e-6)
        and one.zero_point[0] - 128 == other.zero_point[0]
    )
