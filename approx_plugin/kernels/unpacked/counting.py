"""What the unpacked code of a layer consists of, counted without writing it.

Products, constants and requantisation are counted from the weights, exactly. Loads need the window's allocation: it is
made once for the kernel with every slot kept (`full_body`, remembered, for a search asks for one shape over and over);
where slots are missing, the loads are scaled by the words that any pixel of the block still needs.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from approx_plugin.kernels.costs.counting import Memories, Work, missed_bytes, swept_again
from approx_plugin.kernels.unpacked.assembly import WINDOW, Body, Group, Phase, group_code
from approx_plugin.kernels.unpacked.blocks import SHAPES, Block
from approx_plugin.kernels.unpacked.geometry import BYTES, Geometry, Slots, slots
from approx_plugin.kernels.unpacked.kept import Floats, Kept
from approx_plugin.kernels.unpacked.order import best_order
from approx_plugin.kernels.unpacked.phases import PHASE_BYTES, sums_bytes
from approx_plugin.kernels.unpacked.requantise import ChannelConstants
from approx_plugin.kernels.unpacked.thumb import Code
from approx_plugin.kernels.unpacked.window import Use, allocate

LOOP_INSTRUCTIONS = 13
"""Of the end of a loop's turn, on its usual way."""

ENTRY_BYTES, BLOCK_BYTES = 14, 4
"""Code outside of the inner loop: entry and exit; the start of the loop over a row's blocks."""

LOOP_BYTES, BETWEEN_BYTES = 34, 14
"""The end of the inner loop; what stores the sums of a phase and loads them in the next one."""

ZERO_BYTES = 8
"""Code bytes of a channel's bias (a high register), mantissa and rounding constant if they are zero."""


PIXELS = tuple(sorted({shape.pixels for shape in SHAPES}))
"""Of all blocks. How well a word's constant and its products issue together depends on how many products there are."""


@dataclass
class Tally(Code):
    """Code that is only counted.

    instructions: all but loads; loads: of words; runs: loads that follow none; odd: loads whose address is no multiple
    of 4 if the block's first operand is at one.
    """

    instructions: int = 0
    loads: int = 0
    runs: int = 0
    odd: int = 0
    _loaded: bool = field(default=False)

    def emit(self, text: str, size: int, cycles: int = 1) -> None:
        """See `Code.emit`."""
        self.size += size
        self.instructions += 1
        self._loaded = False

    def load(self, register: int, base: int, offset: int) -> None:
        """See `Code.load`."""
        super().load(register, base, offset)
        self.loads += 1
        self.runs += not self._loaded
        self._loaded = True


@dataclass(frozen=True, eq=False)
class FullBody:
    """The loads of one block when every slot is kept.

    order: of the slots. words: int64 [slots, pixels]: which word each product reads, numbered from 0.
    loads, runs, odd: as in `Tally`; moves: instructions that move the base; bytes: code of loads and moves.
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
    tally = count_loads_of(allocate(order, all_slots.offset.tolist(), pixels, block.window))
    addresses = all_slots.offset[:, None] + np.array(pixels, np.int64)
    distinct, words = np.unique(addresses, return_inverse=True)
    return FullBody(
        order=tuple(order),
        words=words.reshape(addresses.shape),
        distinct=len(distinct),
        loads=tally.loads,
        runs=tally.runs,
        odd=_unaligned(layout, block, tally),
        moves=tally.instructions,
        bytes=tally.size,
    )


def count_loads_of(uses: list[Use]) -> Tally:
    """The loads, and the instructions that move the base, of slots in their order."""
    tally = Tally()
    body = Body(tally)
    for use in uses:
        if use.loads:
            body.reach([word * BYTES for _, word in use.loads])
            for register, word in use.loads:
                body.load(WINDOW + register, word * BYTES)
                tally.odd += word % 2
        # The products stand between the loads of two slots.
        tally._loaded = False
    return tally


def _unaligned(layout: Geometry, block: Block, tally: Tally) -> float:
    """Unaligned loads of an average block: where blocks are an odd distance apart, every other one is shifted."""
    steps = (block.width * layout.stride[1] * layout.channel_pitch, block.height * layout.stride[0] * layout.row_pitch)
    return tally.odd if all(step % 2 == 0 for step in steps) else tally.loads / 2


@dataclass(frozen=True, eq=False)
class Counts:
    """One pass of every channel group, all phases together: float64 [groups].

    products: SMLAD and its kin; weights: words of one or two of them; constants: instructions that make these words;
    loads, runs, odd, moves: see `FullBody`; rest: instructions for bias, requantisation, stores and loops.
    bytes: of the functions; outside: bytes of each that are not in its inner loop.
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
    rest = keeps.bias.instructions + keeps.scale + keeps.output * block.pixels + dead * (block.pixels - 1.0)
    frame, outside = _frame(layout, block, block.channels)
    frames = np.full(size, float(frame))
    frames[-1] = _frame(layout, block, block.channels - padding)[0]
    inner = layout.out_width > block.width
    sums = (phases - 1) * block.pixels * block.channels
    size_of_constants = grouped(keeps.constant_bytes) + grouped(keeps.bias.bytes + keeps.scale_bytes - ZERO_BYTES)
    between = (phases - 1) * (outside + BETWEEN_BYTES + LOOP_BYTES * inner)
    return Counts(
        products=products,
        weights=full + half,
        constants=grouped(keeps.constants),
        loads=loads,
        runs=np.minimum(body.runs / max(len(keeps.used[0]), 1) * uses, loads),
        odd=body.odd * share,
        moves=body.moves * share,
        rest=grouped(rest) + 1 + phases * LOOP_INSTRUCTIONS * inner + 5 * (phases - 1),
        bytes=frames
        + 4 * products
        + size_of_constants
        + grouped(keeps.output_bytes * block.pixels)
        + body.bytes * share
        + between,
        outside=float(outside),
        phases=phases,
        sums=sums,
    )


def phases_of(full: Floats, half: Floats, uses: npt.NDArray[np.int64], block: Block) -> int:
    """As `phases.count_phases`, from the slots of every group: with two weights, with one, and of any channel."""
    size = full * (8 + 4 * block.pixels) + half * (4 + 4 * block.pixels) + 6 * uses
    return max(1, -(-int(size.max(initial=0)) // PHASE_BYTES))


@functools.lru_cache(maxsize=4096)
def _frame(layout: Geometry, block: Block, channels: int) -> tuple[int, int]:
    """Code bytes of a group's function without products: all of it, and what lies outside of the inner loop.

    Its constants are all zero, no output is shifted or limited, and no channel's bias is spread over its pixels.
    """
    zero = np.zeros(channels, np.int64)
    constants = ChannelConstants(np.zeros((channels, 0), np.int64), zero, zero, zero, zero, -128, 127)
    none = np.zeros((channels, 0), np.int64)
    group = Group(tuple(range(channels)), none, none)
    empty = np.zeros(0, np.int64)
    slots_of_none = Slots(empty, empty, empty)

    def size(shape: Geometry) -> int:
        return group_code("frame", shape, slots_of_none, Phase(()), block, group, constants).size

    whole = size(layout)
    # Without a second row of blocks there is no loop over them.
    row_loop = whole - size(replace(layout, out_height=block.height))
    spread = 2 * (block.pixels - 1) * channels
    return whole - spread, ENTRY_BYTES + row_loop + BLOCK_BYTES * (layout.out_width > block.width)


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
    missed += turns * missed_bytes(memories.code, phase + counts.outside - ENTRY_BYTES, passes) * counts.phases
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
