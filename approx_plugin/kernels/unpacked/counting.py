"""What the unpacked code of a layer consists of, counted without writing it.

Products, constants and requantisation are counted from the weights, exactly. Loads need the window's allocation: it is
made once for the kernel with every slot kept (`full_body`, remembered, for a search asks for one shape over and over);
where slots are missing, the loads are scaled by the words that any pixel of the block still needs.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from approx_plugin.kernels.costs.counting import Memories, Work, missed_bytes, swept_again
from approx_plugin.kernels.machine import text as written
from approx_plugin.kernels.machine.instruction import Instruction
from approx_plugin.kernels.machine.text import size_of
from approx_plugin.kernels.unpacked import assembly
from approx_plugin.kernels.unpacked.assembly import Group, LoopStep, Phase, Walk, group_code
from approx_plugin.kernels.unpacked.blocks import SHAPES, Block
from approx_plugin.kernels.unpacked.geometry import Geometry, Slots, slots
from approx_plugin.kernels.unpacked.kept import Floats, Kept, zero_constants
from approx_plugin.kernels.unpacked.order import best_order
from approx_plugin.kernels.unpacked.phases import PHASE_BYTES, PRODUCT_BYTES, slot_bytes, sums_bytes
from approx_plugin.kernels.unpacked.requantise import ChannelConstants
from approx_plugin.kernels.unpacked.window import Use, allocate

PIXELS = tuple(sorted({shape.pixels for shape in SHAPES}))
"""Of all blocks. How well a word's constant and its products issue together depends on how many products there are."""

TURN, LAST_TURN = LoopStep(-1000, 500), LoopStep(-2000, 300)
"""Ways of a loop's turns (bytes) whose code stands for that of all loops: each of them a single instruction."""


@dataclass(frozen=True)
class Loads:
    """The loads of a block, as code.

    moves: instructions that move the base; words: loads; runs: loads that follow none; odd: loads whose address is no
    multiple of 4 if the block's first operand is at one; bytes: of all of it.
    """

    moves: int
    words: int
    runs: int
    odd: int
    bytes: int


@dataclass(frozen=True, eq=False)
class FullBody:
    """The loads of one block when every slot is kept.

    order: of the slots. words: int64 [slots, pixels]: which word each product reads, numbered from 0.
    loads, runs, odd: as in `Loads`; moves: instructions that move the base; bytes: code of loads and moves.
    """

    order: tuple[int, ...]
    words: npt.NDArray[np.int64]
    distinct: int
    loads: int
    runs: int
    odd: float
    moves: int
    bytes: int


@functools.lru_cache(maxsize=4096)
def full_body(layout: Geometry, block: Block) -> FullBody:
    """The best order of the slots, and its loads. Pure, and remembered: it is the slow part of a plan."""
    all_slots = slots(layout)
    order, _ = best_order(layout, all_slots, block)
    pixels = block.pixel_offsets(layout)
    found = count_loads_of(allocate(order, all_slots.offset.tolist(), pixels, block.window))
    addresses = all_slots.offset[:, None] + np.array(pixels, np.int64)
    distinct, words = np.unique(addresses, return_inverse=True)
    return FullBody(
        order=tuple(order),
        words=words.reshape(addresses.shape),
        distinct=len(distinct),
        loads=found.words,
        runs=found.runs,
        odd=_unaligned(layout, block, found),
        moves=found.moves,
        bytes=found.bytes,
    )


def count_loads_of(uses: Iterable[Use]) -> Loads:
    """The loads, and the instructions that move the base, of slots in their order."""
    walk = Walk()
    moves = words = runs = odd = size = 0
    for use in uses:
        # The products stand between the loads of two slots.
        loading = False
        for one in walk.loads(use):
            size += one.size
            loads = one.access is not None
            words, moves, runs = words + loads, moves + (not loads), runs + (loads and not loading)
            loading = loads
        odd += sum(word % 2 for _, word in use.loads)
    return Loads(moves, words, runs, odd, size)


def _unaligned(layout: Geometry, block: Block, found: Loads) -> float:
    """Unaligned loads of an average block: where blocks are an odd distance apart, every other one is shifted."""
    steps = (block.width * layout.stride[1] * layout.channel_pitch, block.height * layout.stride[0] * layout.row_pitch)
    return found.odd if all(step % 2 == 0 for step in steps) else found.words / 2


@dataclass(frozen=True, eq=False)
class Counts:
    """One pass of every channel group, all phases together: float64 [groups].

    products: SMLAD and its kin; weights: words of one or two of them; constants: instructions that make these words;
    loads, runs, odd, moves: see `FullBody`; rest: instructions for bias, requantisation, stores and loops.
    bytes: of the functions; outside: bytes of each that are not in its inner loop; entry: those executed once a call.
    phases: how many functions a group has; sums: accumulators that go through memory between two of them.
    """

    products: Floats
    weights: Floats
    constants: Floats
    loads: Floats
    runs: Floats
    odd: Floats
    moves: Floats
    rest: Floats
    bytes: Floats
    outside: float
    entry: float
    phases: int
    sums: int

    @property
    def instructions(self) -> Floats:
        """All of them."""
        return self.products + self.constants + self.loads + self.moves + self.rest


def count(layout: Geometry, block: Block, keeps: Kept) -> Counts:
    """Count the code of a layer for one block."""
    body = full_body(layout, block)
    channels = len(keeps.used)
    size = -(-channels // block.channels)
    padding = size * block.channels - channels

    def grouped(values: npt.NDArray[np.float64]) -> Floats:
        summed: Floats = np.pad(values, (0, padding)).reshape(size, block.channels).sum(axis=1)
        return summed

    slots_used = np.pad(keeps.used, ((0, padding), (0, 0))).reshape(size, block.channels, -1).any(axis=1)
    words = np.zeros((size, body.distinct), bool)
    for pixel in range(block.pixels):
        words[:, body.words[:, pixel]] |= slots_used
    share = words.sum(axis=1) / max(body.distinct, 1)
    uses = slots_used.sum(axis=1)
    # What is loaded a second time, for want of registers, becomes rare where slots are missing.
    again = (body.loads - body.distinct) * (uses / max(body.words.shape[0], 1)) ** 1.5
    loads = body.distinct * share + again
    share = loads / max(body.loads, 1)
    full, half = grouped(keeps.full), grouped(keeps.half)
    products = (full + half) * block.pixels
    phases = phases_of(full, half, uses, block)
    dead = ~keeps.used.any(axis=1)
    around = _surroundings(layout, block, block.channels)
    rest = keeps.bias.instructions + keeps.scale + keeps.output * block.pixels + dead * float(around.spread)
    frames = np.full(size, float(around.bytes))
    frames[-1] = _surroundings(layout, block, block.channels - padding).bytes
    sums = (phases - 1) * block.pixels * block.channels
    size_of_constants = grouped(keeps.constant_bytes) + grouped(keeps.bias.bytes + keeps.scale_bytes - zero_constants())
    between = (phases - 1) * (around.outside + around.handing_bytes + around.turn_bytes)
    return Counts(
        products=products,
        weights=full + half,
        constants=grouped(keeps.constants),
        loads=loads,
        runs=np.minimum(body.runs / max(len(keeps.used[0]), 1) * uses, loads),
        odd=body.odd * share,
        moves=body.moves * share,
        rest=grouped(rest) + around.pointer + phases * around.turn + around.handing * (phases - 1),
        bytes=frames
        + PRODUCT_BYTES * products
        + size_of_constants
        + grouped(keeps.output_bytes * block.pixels)
        + body.bytes * share
        + between,
        outside=float(around.outside),
        entry=float(around.entry),
        phases=phases,
        sums=sums,
    )


def phases_of(full: Floats, half: Floats, uses: npt.NDArray[np.int64], block: Block) -> int:
    """As `phases.count_phases`, from the slots of every group: with two weights, with one, and of any channel."""
    return max(1, -(-int(slot_bytes(full, half, uses, block).max(initial=0)) // PHASE_BYTES))


@dataclass(frozen=True)
class Surroundings:
    """What a group's function is made of besides its products, taken from code that is emitted without any.

    bytes: of the function if its constants are zero, and no output is shifted or limited; outside: of what is not in
    the inner loop; entry: of those that are executed once. Instructions of a pass: pointer: to the output; spread: a
    channel's bias to all of its pixels; turn, turn_bytes: the end of the inner loop, 0 without one; handing,
    handing_bytes: sums that go from one phase to the next.
    """

    bytes: int
    outside: int
    entry: int
    pointer: int
    spread: int
    turn: int
    turn_bytes: int
    handing: int
    handing_bytes: int


@functools.lru_cache(maxsize=4096)
def _surroundings(layout: Geometry, block: Block, channels: int) -> Surroundings:
    """For a group of so many channels."""
    zero = np.zeros(channels, np.int64)
    constants = ChannelConstants(np.zeros((channels, 0), np.int64), zero, zero, zero, zero, -128, 127)
    none = np.zeros((channels, 0), np.int64)
    group = Group(tuple(range(channels)), none, none)
    empty = np.zeros(0, np.int64)
    slots_of_none = Slots(empty, empty, empty)

    def size(layout: Geometry) -> int:
        return group_code("f", layout, slots_of_none, Phase(()), block, group, constants).size

    whole = size(layout)
    # Without a second row of blocks there is no loop over them.
    row_loop = whole - size(replace(layout, out_height=block.height))
    entry = size_of(assembly.enter(several_phases=False)) + size_of(assembly.leave())
    columns = -(-layout.out_width // block.width)
    opening = assembly.open_loop("f", assembly.COLUMNS_SLOT, columns)
    turn = written.layout(assembly.close_loop("f", assembly.COLUMNS_SLOT, TURN, LAST_TURN)) if columns > 1 else ()
    handing = [*assembly.store_sums(block, block.channels), *assembly.load_sums(block, block.channels, advance=False)]
    spread = assembly.spread_bias(block, 0)
    return Surroundings(
        bytes=whole - channels * size_of(spread),
        outside=entry + row_loop + size_of(opening),
        entry=entry,
        pointer=len(assembly.output_pointer()),
        spread=len(spread),
        turn=sum(isinstance(item, Instruction) for item in turn),
        turn_bytes=size_of(turn),
        handing=len(handing),
        handing_bytes=size_of(handing),
    )


def _widening(layout: Geometry) -> dict[str, float]:
    """What `approx_widen_s8` does: runs of neighbouring elements, four at a time, and elements that are filled."""
    inside_rows = min(layout.rows, layout.input_height + layout.pad_top) - min(layout.pad_top, layout.rows)
    first = min(layout.pad_left, layout.columns)
    columns = min(layout.input_width + layout.pad_left, layout.columns) - first
    packed = layout.channel_pitch == layout.channels
    runs, length = (inside_rows, columns * layout.channels) if packed else (inside_rows * columns, layout.channels)
    return {
        "widen_rows": float(layout.rows),
        "widen_runs": float(runs),
        "widen_quads": float(runs * (length // 4)),
        "widen_rests": float(runs * (length % 4)),
        "widen_fills": float(layout.rows * layout.row_pitch - runs * length),
    }


def _ram(layout: Geometry, block: Block, phases: int, passes: int, memories: Memories) -> tuple[float, float]:
    """Bytes of the widened copy that did not stay in the cache, and those that wait for another line of the same pass.

    Every function reads the copy from one end to the other while the outputs are written between. Before that the input
    is read while the copy is written.
    """
    cache = memories.activations
    if cache is None:
        return 0.0, 0.0
    # Rows between two strides are not read.
    read = layout.scratch_bytes * min(1.0, layout.kernel[0] / layout.stride[0])
    others = layout.out_pixel(layout.out_height, 0) + sums_bytes(layout, block, phases)
    ram = swept_again(cache, read + others, passes / block.passes(layout)) * read / (read + others)
    queued = max(0.0, ram - passes * cache.line_bytes)
    source = layout.input_height * layout.input_width * layout.channels
    total = source + layout.scratch_bytes
    return ram + swept_again(cache, total, 1.0) * source / total, queued


def work(layout: Geometry, block: Block, counts: Counts, memories: Memories) -> Work:
    """The counts of a whole layer: passes of which the code is still in the instruction cache, and the others."""
    passes = block.passes(layout)
    # A phase runs over all blocks before the next one begins.
    # The code outside of the inner loop runs once a row, and may take the place of the rest.
    phase = counts.bytes / counts.phases - counts.outside
    turns = 1.0 / -(-layout.out_width // block.width)
    line = memories.code.line_bytes if memories.code else 1
    missed = (1.0 - turns) * missed_bytes(memories.code, phase, passes) * counts.phases
    missed += turns * missed_bytes(memories.code, phase + counts.outside - counts.entry, passes) * counts.phases
    cold = np.minimum(missed / (np.ceil(phase / line) * line * passes * counts.phases), 1.0)
    hot = passes * (1.0 - cold)
    groups = len(counts.bytes)
    sums = counts.sums * passes * groups
    ram, queued = _ram(layout, block, counts.phases, passes * groups * counts.phases, memories)
    return Work(
        "unpacked",
        {
            "call": 1.0,
            "functions": float(groups * counts.phases),
            "rows": float(groups * counts.phases * -(-layout.out_height // block.height)),
            **_widening(layout),
            "odd_loads": float(counts.odd.sum() * passes),
            **{
                f"weights_{pixels}": float(counts.weights @ hot) if pixels == block.pixels else 0.0 for pixels in PIXELS
            },
            "second_constants": float((counts.constants - counts.weights) @ hot),
            "loads": float(counts.loads @ hot),
            "load_runs": float(counts.runs @ hot),
            "rest": float((counts.rest + counts.moves) @ hot),
            "blocks": float(hot.sum() * counts.phases),
            "sums": float(sums),
            "missed_bytes": float(missed.sum()),
            "missed_instructions": float(counts.instructions @ (passes * cold)),
            "missed_loads": float(counts.loads @ (passes * cold)),
            "missed_load_runs": float(counts.runs @ (passes * cold)),
            "ram_bytes": ram,
            "ram_queued": queued,
        },
    )
