"""Looks at every call of a step, from outside of the firmware: arguments, memory and registers before and after it.

The idea is that of dav1d's checkasm: junk in everything that a function may not count on, and a look at everything that
it may not touch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from approx_plugin.kernels.layout import NHWC
from approx_plugin.kernels.needs import DTCM, RAM
from approx_plugin.kernels.program import Step
from approx_plugin.kernels.run import Run, inputs_of
from approx_plugin.model.tensor import Int8Array
from approx_plugin.virtual_board.spy import Core, Spy

Random = np.random.Generator

SAVED = (*(f"r{n}" for n in range(4, 12)), *(f"s{n}" for n in range(16, 32)))
"""Registers that a function leaves as they are, beside sp: Procedure Call Standard for the Arm Architecture."""

BELOW_STACK = 256
"""Bytes under the stack pointer that get junk: a function's variables begin as anything."""


@dataclass(frozen=True)
class Arguments:
    """Addresses, as a step's function gets them; None for scratch that it does not want."""

    inputs: tuple[int, ...]
    output: int
    scratch: int | None
    beside: int | None


def arguments(core: Core, step: Step) -> Arguments:
    """Of the call that is about to begin: four in registers, further ones on the stack."""
    count = len(inputs_of(step.operators))
    wanted = [kind for kind in (RAM, DTCM) if step.cost.scratch.get(kind, 0)]
    total = count + 1 + len(wanted)
    values = [core.register(f"r{n}") for n in range(min(total, 4))]
    if total > 4:
        rest = core.load(core.register("sp"), 4 * (total - 4))
        values += [int(value) for value in np.frombuffer(rest, "<u4")]
    scratch = dict(zip(wanted, values[count + 1 :]))
    return Arguments(tuple(values[:count]), values[count], scratch.get(RAM), scratch.get(DTCM))


def expected(run: Run, inputs: Sequence[Int8Array]) -> Int8Array:
    """What the integer reference makes of inputs, in the order of `inputs_of`, without the batch."""
    made: dict[int, Int8Array] = {}
    waiting = iter(inputs)
    result: Int8Array = np.zeros(0, np.int8)
    for operator in run:
        values = [made[t.index] if t.index in made else next(waiting)[None] for t in operator.inputs]
        result = operator.compute(values)
        made[operator.output.index] = result
    single: Int8Array = result[0]
    return single


def first_difference(one: bytes, other: bytes) -> int | None:
    """The first index at which two equally long pieces differ."""
    if one == other:
        return None
    different = np.frombuffer(one, np.uint8) != np.frombuffer(other, np.uint8)
    return int(np.argmax(different))


def wrong_output(found: bytes, wanted: bytes) -> str | None:
    """What is wrong with a step's result."""
    index = first_difference(found, wanted)
    if index is None:
        return None
    count = int((np.frombuffer(found, np.uint8) != np.frombuffer(wanted, np.uint8)).sum())
    values = tuple(int(np.frombuffer(part, np.int8)[index]) for part in (found, wanted))
    return f"output[{index}] is {values[0]}, not {values[1]} ({count} of {len(wanted)} bytes differ)"


class Examiner(Spy, ABC):
    """Collects what is wrong with the calls of one step. tell: gets one sentence for each thing."""

    def __init__(self, step: Step, tell: Callable[[str], None]) -> None:
        """A step of the firmware that will run."""
        self.step, self.tell = step, tell
        self.calls, self.running = 0, False
        self._wanted = b""
        self._given = Arguments((), 0, None, None)

    def enter(self, core: Core) -> None:
        """See `Spy.enter`."""
        self._given = arguments(core, self.step)
        values = self.inputs(core, self._given)
        output = self.step.plan.needs.output
        self._wanted = output.arrange(expected(self.step.operators, values))
        self.running = True
        self.prepare(core, self._given, values, self._wanted)

    def leave(self, core: Core) -> None:
        """See `Spy.leave`."""
        found = core.load(self._given.output, len(self._wanted))
        told = [*self.inspect(core, self._given), wrong_output(found, self._wanted)]
        for what in told:
            if what:
                self.tell(what)
        self.calls, self.running = self.calls + 1, False

    @abstractmethod
    def inputs(self, core: Core, given: Arguments) -> list[Int8Array]:
        """The values that go into the call that is about to begin."""

    def prepare(self, core: Core, given: Arguments, values: Sequence[Int8Array], wanted: bytes) -> None:
        """Before the call. wanted: the right output."""

    def inspect(self, core: Core, given: Arguments) -> list[str]:
        """After the call: what is wrong beside the output."""
        return []


class Comparison(Examiner):
    """Takes the inputs as the firmware has written them and changes nothing: simulated cycles stay as they are."""

    def inputs(self, core: Core, given: Arguments) -> list[Int8Array]:
        """See `Examiner.inputs`. Bytes of another layout than NHWC are replaced: not every byte need be a value."""
        found = []
        step = self.step
        for address, tensor, layout in zip(given.inputs, inputs_of(step.operators), step.plan.needs.inputs):
            shape = tensor.shape[1:]
            if layout == NHWC:
                values = np.frombuffer(core.load(address, tensor.elements), np.int8).reshape(shape)
            else:
                random = np.random.default_rng(tensor.elements)
                values = random.integers(-128, 128, shape).astype(np.int8)
                core.store(address, layout.arrange(values))
            found.append(values)
        return found


PATTERNS = ("random", "all -128", "all 127", "-128 and 127 by turns")
"""What goes in, call after call."""


def pattern(name: str, random: Random, shape: tuple[int, ...]) -> Int8Array:
    """int8 values by one of PATTERNS."""
    if name == "random":
        return random.integers(-128, 128, shape).astype(np.int8)
    if name == "-128 and 127 by turns":
        turns: Int8Array = np.where(np.arange(int(np.prod(shape))) % 2 == 0, -128, 127).astype(np.int8).reshape(shape)
        return turns
    return np.full(shape, int(name.rpartition(" ")[2]), np.int8)


class Trial(Examiner):
    """Writes inputs of its own, spreads junk and looks at everything that may not change.

    Between the buffers and around them there must be `margin` bytes that belong to nobody.
    """

    def __init__(self, step: Step, tell: Callable[[str], None], random: Random, margin: int) -> None:
        """random: where junk and random inputs come from."""
        super().__init__(step, lambda what: tell(f"{what}; input: {PATTERNS[self.calls % len(PATTERNS)]}"))
        self._random, self._margin = random, margin
        self._kept: list[tuple[str, int, bytes]] = []
        self._registers: dict[str, tuple[int, int]] = {}
        self._stack = 0

    def inputs(self, core: Core, given: Arguments) -> list[Int8Array]:
        """See `Examiner.inputs`. A second input of a pattern is the first one's turned round."""
        name = PATTERNS[self.calls % len(PATTERNS)]
        found = [pattern(name, self._random, tensor.shape[1:]) for tensor in inputs_of(self.step.operators)]
        return [values if number % 2 == 0 else ~values for number, values in enumerate(found)]

    def prepare(self, core: Core, given: Arguments, values: Sequence[Int8Array], wanted: bytes) -> None:
        """See `Examiner.prepare`."""
        step, self._kept = self.step, []
        spoilt = bytes(255 - byte for byte in wanted)
        alone = True
        for number, (address, layout, content) in enumerate(zip(given.inputs, step.plan.needs.inputs, values), 1):
            name, data = f"input {number}", layout.arrange(content)
            if address < given.output + len(wanted) and given.output < address + len(data):
                alone = False
                first, end = min(address, given.output), max(address + len(data), given.output + len(wanted))
                self._place(core, f"{name} and the output", first, self._junk(end - first), keep=False)
                core.store(given.output, spoilt)
                core.store(address, data)
            else:
                self._place(core, name, address, data, keep=True)
        if alone:
            # No byte is right before it has been written.
            self._place(core, "the output", given.output, spoilt, keep=False)
        for scratch, kind in ((given.scratch, RAM), (given.beside, DTCM)):
            if scratch is not None:
                junk = self._junk(step.cost.scratch[kind])
                self._place(core, f"the scratch in {kind.upper()}", scratch, junk, keep=False)
        self._stack = core.register("sp")
        core.store(self._stack - BELOW_STACK, self._junk(BELOW_STACK))
        self._registers = {name: (core.register(name), self._word()) for name in SAVED}
        for name, (_, junk_word) in self._registers.items():
            core.set_register(name, junk_word)

    def _place(self, core: Core, name: str, address: int, content: bytes, *, keep: bool) -> None:
        """A buffer between two margins. keep: whether it has to be the same after the call."""
        margin, end = self._margin, address + len(content)
        parts = [(f"the {margin} bytes before {name}", address - margin, self._junk(margin))]
        parts.append((f"the {margin} bytes after {name}", end, self._junk(margin)))
        if keep:
            parts.append((name, address, content))
        else:
            core.store(address, content)
        for _, where, bytes_ in parts:
            core.store(where, bytes_)
        self._kept += parts

    def inspect(self, core: Core, given: Arguments) -> list[str]:
        """See `Examiner.inspect`. The registers of the caller get their values back, spoilt or not."""
        told = []
        status = core.register("r0")
        if self.step.emission.can_fail and status:
            told.append(f"its status is {status - (1 << 32) if status >> 31 else status}, not 0")
            core.set_register("r0", 0)
        for name, (before, junk) in self._registers.items():
            after = core.register(name)
            if after != junk:
                told.append(f"{name} is not what it was: 0x{after:08x}, not 0x{junk:08x}")
            core.set_register(name, before)
        stack = core.register("sp")
        if stack != self._stack:
            told.append(f"sp is not what it was: 0x{stack:08x}, not 0x{self._stack:08x}")
            core.set_register("sp", self._stack)
        for name, address, content in self._kept:
            changed = first_difference(core.load(address, len(content)), content)
            if changed is not None:
                told.append(f"{name} changed, first at index {changed}")
        return told

    def _junk(self, size: int) -> bytes:
        return self._random.bytes(size)

    def _word(self) -> int:
        return int(self._random.integers(1 << 32))
