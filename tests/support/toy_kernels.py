"""Kernels that are made from kernels/TEMPLATE.py: right ones with scratch, fusion and layouts, and wrong ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from fake_kernels import PLANES

from approx_plugin.kernels.costs.counting import Memories, Work
from approx_plugin.kernels.emission import Emission
from approx_plugin.kernels.kernel import Kernel, Plan
from approx_plugin.kernels.layout import NHWC
from approx_plugin.kernels.needs import DTCM, RAM, Bytes, Needs
from approx_plugin.kernels.platform import Platform
from approx_plugin.kernels.TEMPLATE import Loop, LoopPlan
from approx_plugin.model.operator import Operator
from approx_plugin.operators.max_pool2d import MaxPool2D
from approx_plugin.operators.pad import Pad


@dataclass(frozen=True)
class Fault:
    """What is planted. before, after: C statements around the loop, over input, output, scratch; {inputs}, {outputs}
    are the numbers of elements. assembly: what stands between the loop and the return. asks: bytes of scratch for
    which the library is made to ask.
    """

    name: str
    before: str = ""
    after: str = ""
    assembly: str = ""
    asks: int = 0
    can_fail: bool = False
    scratch: int = 0


@dataclass(frozen=True, eq=False)
class FaultyPlan(LoopPlan):
    """The template's loop with something wrong."""

    fault: Fault = field(default_factory=lambda: Fault("nothing"))

    @property
    def variant(self) -> str:
        return self.fault.name

    @property
    def needs(self) -> Needs:
        return Needs(code=300, scratch={RAM: self.fault.scratch} if self.fault.scratch else {})

    def emit(self, symbol: str) -> Emission:
        fault, loop = self.fault, super().emit(symbol)
        definitions = loop.definitions.replace("static void", "void", 1)
        counts = {"inputs": self.pool.inputs[0].elements, "outputs": self.pool.output.elements}
        definitions += f"""
void {symbol}_body(const int8_t *input, int8_t *output, int8_t *scratch)
{{
    (void)scratch;
    {fault.before.format(**counts)}
    {symbol}_loop(input, output);
    {fault.after.format(**counts)}
}}
"""
        # In assembly, so that no compiler saves what is spoilt.
        text = f"""\
	.syntax unified
	.fpu fpv4-sp-d16
	.thumb
	.global {symbol}_outer
	.type {symbol}_outer, %function
	.thumb_func
{symbol}_outer:
	push {{r3, lr}}
	bl {symbol}_body
	pop {{r3, lr}}
	{fault.assembly}
	bx lr
"""
        scratch = "scratch" if fault.scratch else "NULL"
        call = f"{symbol}_outer(input, output, {scratch})"
        prototypes = "".join(
            f"{kind} {symbol}_{name}(const int8_t *input, int8_t *output{', int8_t *scratch' * more});\n"
            for kind, name, more in (
                ("void", "loop", False),
                ("void", "body", True),
                ("int32_t" if fault.can_fail else "void", "outer", True),
            )
        )
        asked = str(fault.asks) if fault.asks else ""
        sources = {f"Src/{symbol}.s": text}
        return Emission(call, fault.can_fail, sources, definitions, prototypes, context_size=asked)


class Faulty(Loop):
    """The template's kernel with a fault."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault

    def plans(self, operators: Sequence[Operator], platform: Platform) -> Sequence[Plan]:
        (pool,) = operators
        assert isinstance(pool, MaxPool2D)
        return (FaultyPlan(pool, self.fault),)


@dataclass(frozen=True, eq=False)
class PaddedPlan(Plan):
    """PAD and MAX_POOL_2D in one step: the padded map lies in scratch. memory: where that is."""

    kernel: ClassVar[str] = "padded pool"

    pad: Pad
    loop: LoopPlan
    memory: str

    @property
    def operators(self) -> tuple[Operator, ...]:
        return (self.pad, self.loop.pool)

    @property
    def variant(self) -> str:
        return self.memory

    @property
    def needs(self) -> Needs:
        scratch: Bytes = {self.memory: self.pad.output.elements}
        return Needs(code=400, scratch=scratch)

    @property
    def macs(self) -> int:
        return 0

    def work(self, memories: Memories) -> Sequence[Work]:
        return self.loop.work(memories)

    def emit(self, symbol: str) -> Emission:
        _, height, width, channels = self.pad.inputs[0].shape
        _, _, out_width, _ = self.pad.output.shape
        start = (self.pad.padding.top * out_width + self.pad.padding.left) * channels
        text = f"""
static void {symbol}_padded(const int8_t *input, int8_t *output, int8_t *map)
{{
    memset(map, {self.pad.output.zero_point}, {self.pad.output.elements}u);
    for (uint32_t row = 0; row < {height}u; row++) {{
        memcpy(map + {start} + row * {out_width * channels}u, input + row * {width * channels}u, {width * channels}u);
    }}
    {symbol}_loop(map, output);
}}
"""
        place = "scratch" if self.memory == RAM else "scratch_dtcm"
        definitions = self.loop.emit(symbol).definitions + text
        return Emission(f"{symbol}_padded(input, output, {place})", False, {}, definitions)


class Padded(Kernel):
    """Two operators at once."""

    name: ClassVar[str] = PaddedPlan.kernel
    longest: ClassVar[int] = 2

    def suits(self, operators: Sequence[Operator]) -> bool:
        return [type(operator) for operator in operators] == [Pad, MaxPool2D]

    def plans(self, operators: Sequence[Operator], platform: Platform) -> Sequence[Plan]:
        pad, pool = operators
        assert isinstance(pad, Pad) and isinstance(pool, MaxPool2D)
        return [PaddedPlan(pad, LoopPlan(pool), memory) for memory in (RAM, DTCM)]


@dataclass(frozen=True, eq=False)
class PlanesPlan(LoopPlan):
    """A pool that leaves int16 planes."""

    kernel: ClassVar[str] = "planes"

    @property
    def needs(self) -> Needs:
        scratch: Bytes = {RAM: self.pool.output.elements}
        return Needs(code=400, scratch=scratch, output=PLANES)

    def emit(self, symbol: str) -> Emission:
        _, height, width, channels = self.pool.output.shape
        text = f"""
static void {symbol}_planes(const int8_t *input, int8_t *output, int8_t *map)
{{
    int16_t *plane = (int16_t *)(void *)output;
    {symbol}_loop(input, map);
    for (uint32_t channel = 0; channel < {channels}u; channel++) {{
        for (uint32_t pixel = 0; pixel < {height * width}u; pixel++) {{
            *plane++ = map[pixel * {channels}u + channel];
        }}
    }}
}}
"""
        return Emission(f"{symbol}_planes(input, output, scratch)", False, {}, super().emit(symbol).definitions + text)


@dataclass(frozen=True, eq=False)
class FromPlanesPlan(PlanesPlan):
    """A pool that reads int16 planes and leaves NHWC."""

    kernel: ClassVar[str] = "from planes"

    @property
    def needs(self) -> Needs:
        scratch: Bytes = {RAM: self.pool.inputs[0].elements}
        return Needs(code=400, scratch=scratch, inputs=(PLANES,), output=NHWC)

    def emit(self, symbol: str) -> Emission:
        _, height, width, channels = self.pool.inputs[0].shape
        text = f"""
static void {symbol}_gathered(const int8_t *input, int8_t *output, int8_t *map)
{{
    const int16_t *plane = (const int16_t *)(const void *)input;
    for (uint32_t channel = 0; channel < {channels}u; channel++) {{
        for (uint32_t pixel = 0; pixel < {height * width}u; pixel++) {{
            map[pixel * {channels}u + channel] = (int8_t)*plane++;
        }}
    }}
    {symbol}_loop(map, output);
}}
"""
        definitions = LoopPlan(self.pool).emit(symbol).definitions + text
        return Emission(f"{symbol}_gathered(input, output, scratch)", False, {}, definitions)


class Planes(Loop):
    """Reads or writes planes."""

    name: ClassVar[str] = PlanesPlan.kernel

    def __init__(self, plan: type[PlanesPlan]) -> None:
        self.plan = plan

    def plans(self, operators: Sequence[Operator], platform: Platform) -> Sequence[Plan]:
        (pool,) = operators
        assert isinstance(pool, MaxPool2D)
        return (self.plan(pool),)
