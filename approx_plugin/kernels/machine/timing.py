"""When instructions issue on a core whose memories never let it wait.

The rules are those of the virtual board for the same tables (virtual_board/native/pipeline.c says what a core does and
why), without its memory system: text, size and cycles of a kernel come from the same instructions. What is not known
before a kernel runs is assumed: addresses as `addresses.Tracker` says, conditional instructions are executed, and a
division takes as long as it can.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from approx_plugin.cores.core import FOLLOWS, CoreTiming
from approx_plugin.kernels.machine.addresses import Tracker
from approx_plugin.kernels.machine.instruction import Instruction
from approx_plugin.kernels.machine.registers import FLAGS, Register
from approx_plugin.kernels.machine.timed import Tail, Timed, Wait, timed

LONG_AGO = -1000

BLOCK_BITS = 29
"""Code and SRAM, the architecture's regions of 512 Mbytes, are reached through different bus ports."""

OTHER = FOLLOWS.index("other")
NO_TAIL: Tail = (0,) * len(FOLLOWS)


class Place(NamedTuple):
    """Where an instruction stands and where execution went on after it, in bytes; None: at the next one."""

    address: int = 0
    following: int | None = None


HERE = Place()


class Pipeline:
    """The scoreboard of one run: `pipeline` of virtual_board/native/pipeline.h.

    end: the first cycle that the last instruction leaves free.
    """

    def __init__(self, core: CoreTiming) -> None:
        """A core that has done nothing yet."""
        self.core = core
        self.end = 0
        self._numbers = core.numbers
        self._ready: dict[int, int] = {}
        self._loaded: set[int] = set()
        self._redirect: int | None = None
        self._tail, self._tail_block = NO_TAIL, 0
        self._slot: Timed | None = None
        self._slot_sets_flags, self._slot_parity = False, -1
        self._flags_set = LONG_AGO
        self._predictions: dict[int, int] = {}
        self._targets: dict[int, int] = {}

    def _needed(self, waits: Iterable[Wait]) -> int:
        """The first cycle at which everything that is waited for is there."""
        needed, ready, loaded = 0, self._ready, self._loaded
        for register, stage, from_load in waits:
            at = ready.get(register, 0) - stage
            if from_load and register in loaded:
                at += from_load
            needed = max(needed, at)
        return needed

    def _may_pair(self, what: Timed, access: int) -> bool:
        slot, numbers = self._slot, self._numbers
        if slot is None or self._redirect is not None or what.unit not in slot.units:
            return False
        if numbers["pair_narrow"] and not (slot.size == 2 and what.size == 2):
            return False
        return not (
            numbers["pair_banks"]
            and self._slot_parity >= 0
            and what.loads
            and self._parity(access) == self._slot_parity
        )

    @staticmethod
    def _parity(access: int) -> int:
        return access >> 2 & 1

    def issue(self, what: Timed, access: int = 0, place: Place = HERE, skipped: bool = False) -> tuple[int, bool]:
        """The cycle in which an instruction would issue now, and whether that is the one of the instruction before it.

        access: the address that it loads from or stores to. skipped: its condition failed in an IT block.
        """
        needed = 0 if skipped else self._needed(what.waits)
        if needed <= self.end - 1 and not skipped and self._may_pair(what, access):
            return self.end - 1, True
        follow = OTHER if skipped else what.follow
        moves = what.loads or what.stores
        if (
            self._numbers["one_block"]
            and moves
            and self._tail is not NO_TAIL
            and access >> BLOCK_BITS != self._tail_block
        ):
            follow = OTHER
        free = self.end + self._tail[follow]
        if self._redirect is not None:
            free = max(free, self._redirect)
            if what.size == 4 and place.address & 2:
                free += self._numbers["wide_target"]
        return max(free, needed), False

    def step(
        self, what: Timed, access: int = 0, place: Place = HERE, *, skipped: bool = False, in_it: bool = False
    ) -> None:
        """Issue an instruction; the arguments are those of `issue`. in_it: it stands in an IT block."""
        at, paired = self.issue(what, access, place, skipped)
        paired_with_flags = paired and self._slot_sets_flags and what.reads_flags
        self._redirect = None
        cycles = 1 if skipped else what.cycles
        if what.access_size and not skipped:
            cycles += self._unaligned(what, access)
        end = at + cycles
        # Narrow instructions set no flags inside an IT block.
        sets_flags = what.sets_flags and not skipped and not (in_it and what.size == 2)
        if not skipped:
            result = end - 1 + what.result
            if what.early_result and self._needed(what.early) <= at:
                result = end - 1 + what.early_result
            self._set_ready(what.results, result, what.loads)
            if sets_flags:
                self._set_ready((FLAGS.number,), result, what.loads)
                self._flags_set = at
            self._set_ready(what.bases, at + what.base_result, False)
        if what.tail is not None and not skipped:
            self._tail = what.tail
        elif not paired:
            self._tail = NO_TAIL
        if what.access_size:
            self._tail_block = access >> BLOCK_BITS
        self._slot = None if paired or skipped else what
        self._slot_sets_flags = sets_flags
        self._slot_parity = self._parity(access) if what.loads and not skipped else -1
        self.end = max(self.end, end)
        if what.branches and not skipped:
            self._follow(what, place, at, paired_with_flags, in_it)

    def _unaligned(self, what: Timed, access: int) -> int:
        if access & what.access_size - 1 == 0:
            return 0
        # A word at an odd address takes two further transfers, everything else one.
        transfers = 2 if what.access_size == 4 and access & 1 else 1
        return self._numbers["unaligned_store" if what.stores else "unaligned_load"] * transfers

    def _set_ready(self, registers: Iterable[int], at: int, loaded: bool) -> None:
        for register in registers:
            self._ready[register] = at
            if loaded:
                self._loaded.add(register)
            else:
                self._loaded.discard(register)

    def _follow(self, what: Timed, place: Place, issue: int, paired_with_flags: bool, in_it: bool) -> None:
        """What a branch loses."""
        numbers = self._numbers
        taken = place.following is not None
        lost = numbers["taken"] if taken else 0
        if taken and paired_with_flags:
            lost += numbers["taken_same_cycle"]
        if numbers["predictor"] and self._mispredicted(what, place, in_it):
            early = issue - self._flags_set >= numbers["early_flags"]
            lost = numbers["mispredicted_early" if early else "mispredicted"]
        if taken or lost:
            self._redirect = self.end + self._tail[OTHER] + lost
            self._slot = None

    def _mispredicted(self, what: Timed, place: Place, in_it: bool) -> bool:
        """Conditional branches: two-bit counters that start at "backward taken"; indirect ones: the last target."""
        address, following = place
        if what.indirect:
            wrong = following is not None and self._targets.get(address) != following
            if following is not None:
                self._targets[address] = following
            return wrong
        if not (what.conditional or in_it):
            return False
        taken = following is not None
        # 1 to 4: strongly not taken to strongly taken.
        state = self._predictions.get(address, 3 if following is not None and following <= address else 2)
        self._predictions[address] = min(state + 1, 4) if taken else max(state - 1, 1)
        return (state >= 3) != taken


def cycles(block: Sequence[Instruction], core: CoreTiming, values: Mapping[Register, int] | None = None) -> int:
    """Cycles of a straight line from the first issue to the end of the last instruction, no branch in it taken.

    values: what registers hold on entry, for its addresses.
    """
    pipeline, tracker = Pipeline(core), Tracker(values)
    for instruction in block:
        pipeline.step(timed(instruction, core), tracker.step(instruction), in_it=bool(instruction.condition))
    return pipeline.end


TURNS = 8
"""What alternates with the turns of a loop (banks, alignment) does so every 2, 4 or 8 of them."""


def turn_cycles(block: Sequence[Instruction], core: CoreTiming, values: Mapping[Register, int] | None = None) -> float:
    """Cycles of a turn of a loop that goes on and on: `block` ends with the branch back to its start.

    The loop is taken to start at a multiple of 4.
    """
    pipeline, tracker = Pipeline(core), Tracker(values)
    ends = []
    for turn in range(2 * TURNS):
        address = 0
        for number, instruction in enumerate(block):
            following = 0 if number == len(block) - 1 else None
            place = Place(address, following)
            pipeline.step(timed(instruction, core), tracker.step(instruction), place, in_it=bool(instruction.condition))
            address += instruction.size
        if turn in (TURNS - 1, 2 * TURNS - 1):
            ends.append(pipeline.end)
    return (ends[1] - ends[0]) / TURNS
