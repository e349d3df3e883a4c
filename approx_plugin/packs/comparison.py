"""A board of ours against what a pack says about its part."""

from __future__ import annotations

from collections.abc import Iterator

from approx_plugin.boards.board import Board
from approx_plugin.boards.memory import Memory
from approx_plugin.packs.device import Device
from approx_plugin.packs.generic import board_of


def differences(board: Board, device: Device) -> Iterator[str]:
    """In what board.yaml and the pack differ, one sentence each.

    A board may leave out memories, and run slower than its part can. Raises BoardError as `board_of`.
    """
    other = board_of(device)
    for what, ours, theirs in (
        ("the core", board.core, other.core),
        ("the FPU", board.fpu or "none", other.fpu or "none"),
        ("the DSP extension", board.dsp, other.dsp),
        ("the device macro", board.define, other.define),
        ("flash begins at", f"{board.flash.origin:#x}", f"{other.flash.origin:#x}"),
        ("bytes of flash", board.flash.length, other.flash.length),
    ):
        if ours != theirs:
            yield f"{what}: {ours} in board.yaml, {theirs} in the pack"
    if device.clock_hz and board.clock_hz > device.clock_hz:
        yield f"the clock: {board.clock_hz:,} Hz in board.yaml, at most {device.clock_hz:,} Hz in the pack"
    for memory in board.memories[1:]:
        beyond = _beyond(memory, other.memories)
        if beyond:
            yield f"memory {memory.name}: the pack does not name the addresses of {beyond:,} of {memory.length:,} bytes"


def _beyond(memory: Memory, others: tuple[Memory, ...]) -> int:
    """Bytes of a memory that lie in none of others, which do not overlap."""
    end = memory.origin + memory.length
    common = (min(end, one.origin + one.length) - max(memory.origin, one.origin) for one in others)
    return memory.length - sum(count for count in common if count > 0)
