"""SPACE_TO_BATCH_ND, a convolution, BATCH_TO_SPACE_ND: how converters write a dilated convolution; it is one again.

A block of b x b batches holds the pixels that lie b apart, so the convolution of each is one part of the convolution
with dilation b. In between there may be views, as Conv1D has them: [b, t, c] as [b, 1, t, c] and back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from approx_plugin.model.node import Node, UnsupportedError
from approx_plugin.model.tensor import Int32Array, Tensor
from approx_plugin.operators import reading
from approx_plugin.operators.geometry import SAME, VALID

_CONVOLUTIONS = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D"})
_VIEWS = frozenset({"RESHAPE", "EXPAND_DIMS", "SQUEEZE"})

Pair = tuple[int, int]


def with_dilations(nodes: Sequence[Node], kept: Iterable[int]) -> list[Node]:
    """The nodes with such runs as one convolution. kept: tensors that somebody else needs: outputs and states."""
    rewriter = _Rewriter(nodes, frozenset(kept))
    for node in nodes:
        if node.builtin == "SPACE_TO_BATCH_ND":
            rewriter.rewrite(node)
    return rewriter.result()


@dataclass(frozen=True, eq=False)
class _Found:
    """The run's nodes, its ends and its convolution."""

    nodes: Sequence[Node]
    apart: Node
    convolution: Node
    together: Node


class _Rewriter:
    def __init__(self, nodes: Sequence[Node], kept: frozenset[int]) -> None:
        self._nodes, self._kept = list(nodes), kept
        inputs = [tensor for node in nodes for tensor in node.inputs if tensor is not None]
        self._uses = Counter(tensor.index for tensor in inputs)
        named = [*inputs, *(tensor for node in nodes for tensor in node.outputs)]
        self._free = 1 + max((tensor.index for tensor in named), default=0)
        self._instead: dict[int, list[Node]] = {}
        self._gone: set[int] = set()

    def result(self) -> list[Node]:
        """All nodes, in order."""
        left: list[Node] = []
        for place, node in enumerate(self._nodes):
            left += self._instead.get(place, [] if place in self._gone else [node])
        return left

    def rewrite(self, start: Node) -> None:
        """Put one convolution into the place of a run, if there is one that begins here."""
        found = self._run(start)
        made = None if found is None else self._made(found)
        if found is not None and made is not None:
            places = [self._nodes.index(node) for node in found.nodes]
            self._gone.update(places)
            self._instead[places[-1]] = made

    def _run(self, start: Node) -> _Found | None:
        nodes, convolution = [start], None
        while True:
            (result,) = nodes[-1].outputs if len(nodes[-1].outputs) == 1 else (None,)
            if result is None or self._uses[result.index] != 1 or result.index in self._kept:
                return None
            reader = next(n for n in self._nodes if any(t is not None and t.index == result.index for t in n.inputs))
            first = reader.inputs[0]
            if first is None or first.index != result.index:
                return None
            nodes.append(reader)
            if reader.builtin in _CONVOLUTIONS and convolution is None:
                convolution = reader
            elif reader.builtin == "BATCH_TO_SPACE_ND" and convolution is not None:
                return _Found(nodes, start, convolution, reader)
            elif reader.builtin not in _VIEWS:
                return None

    def _made(self, found: _Found) -> list[Node] | None:
        """The nodes of the convolution with dilation; None where that is not what the run is."""
        try:
            return self._folded(found)
        except (UnsupportedError, ValueError, IndexError):
            return None  # Every operator of the run says for itself what is wrong.

    def _folded(self, found: _Found) -> list[Node] | None:
        source, result, convolution = found.apart.inputs[0], found.together.outputs[0], found.convolution
        weights, inner = convolution.inputs[1], convolution.inputs[0]
        if source is None or weights is None or inner is None or not _is_plain(convolution):
            return None
        blocks = reading.integers(found.apart, 1)
        pads, crops = _pairs(found.apart), _pairs(found.together)
        if blocks != reading.integers(found.together, 1) or source.own_shape[0] != 1:
            return None
        shape, axes = source.own_shape, _axes(source, inner, blocks)
        if axes is None:
            return None
        extents, around, dilation = [shape[1 + i] for i in range(len(blocks))], [(0, 0), (0, 0)], [1, 1]
        full = [1, 1]
        for axis, extent, block, (front, rear), (top, bottom) in zip(axes, extents, blocks, pads, crops):
            around[axis], dilation[axis], full[axis] = (front - top, rear - bottom), block, extent
        if min(min(pair) for pair in around) < 0:
            return None
        kernel = weights.shape[1:3]
        before = self._view(source, (1, *full, shape[-1]), found.apart)
        scheme = _scheme(around, kernel, dilation)
        padding: list[Node] = []
        if scheme is None:
            scheme, padded = VALID, tuple(extent + sum(pair) for extent, pair in zip(full, around))
            amounts = self._tensor("", (4, 2), source, np.array([(0, 0), *around, (0, 0)], dtype=np.int32))
            target = self._tensor(f"{source.name}, padded", (1, *padded, shape[-1]), source)
            padding = [replace(found.apart, builtin="PAD", inputs=(_out(before, source), amounts), outputs=(target,))]
        given = _out([*before, *padding], source)
        reach = [(taps - 1) * apart for taps, apart in zip(kernel, dilation)]
        size = [extent + sum(pair) - less for extent, pair, less in zip(full, around, reach)]
        channels = convolution.outputs[0].shape[-1]
        options = {
            **convolution.options,
            "Padding": scheme,
            "DilationHFactor": dilation[0],
            "DilationWFactor": dilation[1],
        }
        wide = (1, *size, channels)
        after: list[Node] = []
        target = result
        if result.own_shape != wide:
            target = self._tensor(f"{result.name}, in two dimensions", wide, result)
            after = [replace(found.together, builtin="RESHAPE", inputs=(target,), outputs=(result,), options={})]
        inputs = (given, *convolution.inputs[1:])
        return [*before, *padding, replace(convolution, inputs=inputs, outputs=(target,), options=options), *after]

    def _view(self, source: Tensor, shape: tuple[int, ...], like: Node) -> list[Node]:
        if source.own_shape == shape:
            return []
        target = self._tensor(f"{source.name}, in two dimensions", shape, source)
        return [replace(like, builtin="RESHAPE", inputs=(source,), outputs=(target,), options={})]

    def _tensor(self, name: str, shape: tuple[int, ...], like: Tensor, data: Int32Array | None = None) -> Tensor:
        self._free += 1
        if data is not None:
            return Tensor(self._free, name, shape, "int32", None, data)
        return Tensor(self._free, name, shape, like.dtype, like.quantization)


def _out(nodes: Sequence[Node], source: Tensor) -> Tensor:
    return nodes[-1].outputs[0] if nodes else source


def _is_plain(node: Node) -> bool:
    """Without stride, dilation and padding of its own."""
    ones = ("StrideH", "StrideW", "DilationHFactor", "DilationWFactor")
    return all(node.options.get(name, 1) == 1 for name in ones) and node.options.get("Padding") == VALID


def _pairs(node: Node) -> list[Pair]:
    numbers = reading.integers(node, 2)
    return [(first, second) for first, second in zip(numbers[::2], numbers[1::2])]


def _axes(source: Tensor, inner: Tensor, blocks: Sequence[int]) -> tuple[int, ...] | None:
    """Which of a convolution's two axes the blocks belong to; inner: what goes into it, with the blocks as a batch."""
    if len(source.own_shape) == 4 and len(blocks) == 2:
        return (0, 1)
    if len(source.own_shape) == 3 and len(blocks) == 1 and len(inner.own_shape) == 4:
        return (1,) if inner.own_shape[1] == 1 else (0,) if inner.own_shape[2] == 1 else None
    return None


def _scheme(around: Sequence[Pair], kernel: Sequence[int], dilation: Sequence[int]) -> int | None:
    """The padding scheme that has these amounts; None if none has."""
    if not any(sum(pair) for pair in around):
        return VALID
    reach = [(taps - 1) * apart for taps, apart in zip(kernel, dilation)]
    return SAME if list(around) == [(total // 2, total - total // 2) for total in reach] else None
