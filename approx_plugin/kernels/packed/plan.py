"""One way to compute a layer: in which memory its table is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from approx_plugin.cores.core import load_core
from approx_plugin.kernels.machine.routine import Routine
from approx_plugin.kernels.needs import FLASH, RAM, Bytes
from approx_plugin.kernels.overlap import Overlap, in_stripes
from approx_plugin.kernels.packed.code import MOST_PAIRS, Code
from approx_plugin.kernels.packed.groups import Groups
from approx_plugin.kernels.rolled.pairs import Numbers
from approx_plugin.kernels.rolled.plan import RolledPlan
from approx_plugin.kernels.rolled.stream import Stream
from approx_plugin.kernels.rolled.table import Table
from approx_plugin.model.operator import Operator
from approx_plugin.operators.fully_connected import FullyConnected


@dataclass(frozen=True, eq=False)
class PackedPlan(RolledPlan):
    """core: gcc's name; table_in: a kind of memory."""

    kernel: ClassVar[str] = "packed"

    dense: FullyConnected
    numbers: Numbers
    core: str
    table_in: str

    @property
    def operators(self) -> tuple[Operator, ...]:
        """The layer."""
        return (self.dense,)

    @property
    def variant(self) -> str:
        """Where the table is."""
        return f"table in {self.table_in}"

    @property
    def macs(self) -> int:
        """All of them."""
        return self.dense.macs

    @property
    def groups(self) -> Groups:
        """Outputs that are computed together."""
        outputs, inputs = self.dense.weights.shape
        return Groups(int(outputs), int(inputs), MOST_PAIRS)

    def _code(self, symbol: str) -> Code:
        return Code(self.groups, self.numbers, self.dense.rows, load_core(self.core), f"{symbol}_table")

    def routines(self, symbol: str) -> Sequence[Routine]:
        """One."""
        return (self._code(symbol).routine(f"{symbol}_packed"),)

    @cached_property
    def _words(self) -> int:
        return len(self.groups.stream(self.numbers))

    def tables(self, symbol: str) -> Sequence[Table]:
        """One."""
        made = self.numbers.requantisation
        more = ", signs" if made.signs is not None else ""
        more += ", exponents" if made.exponent is None else ""
        legend = [
            f"For each group of {self.groups.step} outputs: for every two inputs a word of 256 * A + B in both halves "
            f"for each pair of outputs A and B; then biases, multipliers, addends{more} of each pair.",
        ]
        return (Table(f"{symbol}_table", self.groups.stream(self.numbers), legend, self.table_in),)

    @property
    def streams(self) -> Sequence[Stream]:
        """The table for every row, the widened inputs for every group."""
        rows, groups = self.dense.rows, self.groups
        return [
            Stream(self.table_in, 4.0 * self._words, rows),
            Stream(RAM, float(self.dense.inputs[0].elements)),
            Stream(RAM, float(4 * groups.words), float(rows * len(groups.starts)), written=True),
        ]

    @property
    def scratch(self) -> Bytes:
        """The widened inputs."""
        return {RAM: self._code("step").scratch}

    @property
    def overlaps(self) -> tuple[Overlap | None, ...]:
        """Behind the rows that have been widened."""
        rows, (outputs, inputs) = self.dense.rows, self.dense.weights.shape
        written, needed = [(r + 1) * int(outputs) for r in range(rows)], [r * int(inputs) for r in range(rows)]
        return (in_stripes(written, needed, self.dense.inputs[0].elements),)

    def legend(self) -> Sequence[str]:
        """What it computes and how to read it."""
        outputs, inputs = self.dense.weights.shape
        rows = f", {self.dense.rows} rows" if self.dense.rows > 1 else ""
        return [
            f"{self.dense.label}: fully connected, {inputs} inputs to {outputs} outputs{rows}.",
            "",
            "Inputs are widened to pairs of halfwords once. SMLAD with a word of the table adds to 256 A + B, SXTB16 "
            "leaves B alone, so that the difference of both sums is 256 A. r0-r3 hold the first kind of sums, r4-r7 "
            "the second, r8 and r9 inputs, r10 and r11 weights; r12 reads inputs, lr the table.",
            f"Sums come out {self.numbers.scale} times as large as the layer's; SMMLA and SSAT requantise them.",
            "",
        ]


MEMORIES = (FLASH, RAM)
"""Of the table."""
