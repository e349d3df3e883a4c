# ruff: noqa: N999 - in capitals, so that nobody takes it for one of the kernels
"""A kernel to copy: MAX_POOL_2D as a plain loop in C. Correct and slow; the registry does not know it.

To make a kernel of it:

1. Copy this file to `kernels/<name>.py`, or to `kernels/<name>/` with a file for the plan and one for the kernel.
2. Say what the kernel is made for (`suits`), where it has to give up (`refusal`), and the ways to compute it that are
   worth comparing (`plans`).
3. Say of a plan what it needs, what it does, and what its code is (`needs`, `work`, `emit`).
4. Add the kernel to `kernels/registry.py`.
5. `python -m approx_plugin.laboratory --kernel <name>` gives it drawn and extreme layers on the virtual board of each
   core: every output byte, memory around the buffers, registers, cycles.
6. `python -m approx_plugin.calibration` fits the coefficients of its `Work.kind` for every board. An operator of a kind
   that no kernel computed before needs drawers, in `laboratory/layers.py` and `laboratory/extremes.py`; in
   `laboratory/runtime_layers.py` if its coefficients are assumed.

Nothing else has to change: choice, memory plan, generated project, checks and reports take plans.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from approx_plugin.kernels.costs.counting import Memories, Work
from approx_plugin.kernels.emission import Emission
from approx_plugin.kernels.kernel import Kernel, Plan
from approx_plugin.kernels.layout import NHWC
from approx_plugin.kernels.needs import Needs
from approx_plugin.kernels.platform import Platform
from approx_plugin.model.operator import Operator
from approx_plugin.operators.max_pool2d import MaxPool2D

FUNCTION = """\
static void {symbol}_loop(const int8_t *input, int8_t *output)
{{
    for (int32_t y = 0; y < {out_height}; y++) {{
        for (int32_t x = 0; x < {out_width}; x++) {{
            for (int32_t channel = 0; channel < {channels}; channel++) {{
                int32_t best = {low};
                for (int32_t i = 0; i < {kernel_height}; i++) {{
                    for (int32_t j = 0; j < {kernel_width}; j++) {{
                        const int32_t row = y * {stride_down} + i - {pad_top};
                        const int32_t column = x * {stride_across} + j - {pad_left};
                        if (row >= 0 && row < {height} && column >= 0 && column < {width}) {{
                            const int32_t value = input[(row * {width} + column) * {channels} + channel];
                            best = value > best ? value : best;
                        }}
                    }}
                }}
                *output++ = (int8_t)(best < {high} ? best : {high});
            }}
        }}
    }}
}}
"""
"""Every symbol begins with the step's name, so that two steps never meet, and sizes are counted to the right one."""

CODE_BYTES = 160
"""Of the loop, about: what gcc makes of it for a Cortex-M."""


@dataclass(frozen=True, eq=False)
class LoopPlan(Plan):
    """One way to compute one operator. Whatever decides the code is a field, or follows from one: same plan, same
    text. Two plans for the same operator differ in `variant`; this kernel has one.
    """

    kernel: ClassVar[str] = "template"

    pool: MaxPool2D

    @property
    def operators(self) -> tuple[Operator, ...]:
        """A run of several operators would stand here in their order."""
        return (self.pool,)

    @property
    def needs(self) -> Needs:
        """Bytes of code and tables, of scratch by memory (`scratch={RAM: 1000}`), and the layouts of inputs and output.

        `Needs(inputs=..., output=...)` may name another layout than NHWC, if another kernel reads or writes it.
        """
        return Needs(code=CODE_BYTES, inputs=(NHWC,), output=NHWC)

    @property
    def macs(self) -> int:
        """Multiply-accumulates that the code does: none."""
        return 0

    def work(self, memories: Memories) -> Sequence[Work]:
        """Counts of what takes time. The coefficients, cycles for each, are fitted; a count may depend on caches, see
        `costs.counting`.
        """
        _, height, width, channels = self.pool.output.shape
        outputs = height * width * channels
        taps = outputs * self.pool.kernel[0] * self.pool.kernel[1]
        return (Work("template", {"calls": 1.0, "outputs": float(outputs), "taps": float(taps)}),)

    def emit(self, symbol: str) -> Emission:
        """`call` is what the step's function does; `definitions` go into the network's file before it.

        Assembly and longer C are files of their own: `sources={f"Src/{symbol}.s": text}`, with `prototypes`.
        """
        pool = self.pool
        _, height, width, channels = pool.inputs[0].shape
        text = FUNCTION.format(
            symbol=symbol,
            height=height,
            width=width,
            channels=channels,
            out_height=pool.output.shape[1],
            out_width=pool.output.shape[2],
            kernel_height=pool.kernel[0],
            kernel_width=pool.kernel[1],
            stride_down=pool.stride[0],
            stride_across=pool.stride[1],
            pad_top=pool.padding.top,
            pad_left=pool.padding.left,
            low=pool.activation_min,
            high=pool.activation_max,
        )
        return Emission(call=f"{symbol}_loop(input, output)", can_fail=False, sources={}, definitions=text)


class Loop(Kernel):
    """The kernel: which operators it takes, and its plans for them. It holds no state.

    `longest = 2` would let it see two consecutive operators, as well as one; `skips = True` says that its plans leave
    out products whose weight is 0, and that they have a `grouping`.
    """

    name: ClassVar[str] = LoopPlan.kernel

    def suits(self, operators: Sequence[Operator]) -> bool:
        """What the kernel is made for. What it can not do with such operators is for `refusal` to say."""
        return len(operators) == 1 and isinstance(operators[0], MaxPool2D)

    def refusal(self, operators: Sequence[Operator], platform: Platform) -> str | None:
        """A reason, for reports: "cortex-m0 has no SMLAD", "sums that could leave int32". This loop takes anything."""
        return None

    def plans(self, operators: Sequence[Operator], platform: Platform) -> Sequence[Plan]:
        """The best guess first: whoever takes one without comparing takes that."""
        (pool,) = operators
        assert isinstance(pool, MaxPool2D)
        return (LoopPlan(pool),)
