"""The lowered network: a kernel for every layer, a memory plan, and the text of its sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from approx_plugin.kernels.cost import LayerCost
from approx_plugin.model.graph import Graph
from approx_plugin.model.operator import Operator

Sources = Mapping[str, str]
"""Path below `Middlewares/Approx/` -> text. Nothing is written to disk before all of it exists."""


@dataclass(frozen=True, eq=False)
class Emission:
    """What a schedule makes of one layer.

    sources:     path -> text of the layer's files ("Src/approx_layer_03.s").
    definitions: C text that goes into the network file (constants and the static function of a CMSIS-NN call).
    prototypes:  C declarations that the network file needs.
    call:        C expression of type int32_t, 0 for success, over `input`, `input_2`, `output` (int8_t pointers) and
                 `scratch` (8-byte aligned pointer to `scratch_bytes` bytes).
    cmsis_nn:    functions of CMSIS-NN that are called.
    context_size: C expression for the scratch that the linked library asks for, "" for none.
    """

    sources: Sources
    definitions: str
    prototypes: str
    call: str
    scratch_bytes: int
    cmsis_nn: tuple[str, ...] = ()
    context_size: str = ""


@dataclass(frozen=True, eq=False)
class LoweredLayer:
    """An operator with the kernel that computes it. kernel: the schedule's name, as in reports."""

    operator: Operator
    kernel: str
    emission: Emission
    cost: LayerCost


@dataclass(frozen=True)
class Buffer:
    """A piece of the arena. offset, size: bytes; first, last: the layers between which it must keep its content."""

    name: str
    offset: int
    size: int
    first: int
    last: int


@dataclass(frozen=True)
class MemoryPlan:
    """One arena, buffers shared by lifetime. activations: tensor index -> buffer; scratch: layer index -> buffer."""

    size: int
    activations: Mapping[int, Buffer]
    scratch: Mapping[int, Buffer]


@dataclass(frozen=True, eq=False)
class Program:
    """Everything about the generated network but the project around it.

    graph:  the (possibly approximated) network that was lowered.
    layers: one for every operator, aliases included.
    sources: all generated text, network file and header included.
    """

    graph: Graph
    layers: tuple[LoweredLayer, ...]
    memory: MemoryPlan
    sources: Sources

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one inference that the code really does: products of weight 0 may not be in it."""
        return sum(layer.cost.macs for layer in self.layers)

    @property
    def cmsis_nn_functions(self) -> tuple[str, ...]:
        """The functions of CMSIS-NN that the program calls, sorted."""
        return tuple(sorted({f for layer in self.layers for f in layer.emission.cmsis_nn}))
