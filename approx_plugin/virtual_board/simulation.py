"""Runs a firmware on a virtual board: `simulate`."""

from __future__ import annotations

import ctypes
import importlib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from approx_plugin.boards.board import Board
from approx_plugin.boards.memory import Memory
from approx_plugin.errors import ToolError
from approx_plugin.virtual_board import layout
from approx_plugin.virtual_board.firmware import Firmware, check_fit, load_firmware
from approx_plugin.virtual_board.hardware import Registers
from approx_plugin.virtual_board.library import load
from approx_plugin.virtual_board.native_core import native
from approx_plugin.virtual_board.results import FunctionCost, FunctionProfile, Simulation, cost_of
from approx_plugin.virtual_board.spy import Spy, Visits
from approx_plugin.virtual_board.timing import Timing, load_timing

if TYPE_CHECKING:
    from approx_plugin.virtual_board.machine import Machine

LIMIT = 20_000_000_000
"""Instructions after which a run ends by itself: minutes of the fastest board."""

CPUID_ADDRESS = 0xE000ED00
CPUID = {"cortex-m4": 0x410FC241, "cortex-m33": 0x410FD214, "cortex-m7": 0x411FC272}
"""SCB_CPUID by core (Arm's Cortex-M4 r0p1, Cortex-M33 r0p4, Cortex-M7 r1p2)."""


def simulate(
    elf: Path,
    board: Board,
    timing: Timing | None = None,
    *,
    layers: Sequence[str] = (),
    until: str = "board_exit",
    limit: int = LIMIT,
    memories: Sequence[Memory] | None = None,
    spies: Mapping[str, Spy] = MappingProxyType({}),
) -> Simulation:
    """Run `elf` from its reset handler to its end and count cycles. Deterministic: same ELF, same figures.

    timing:   the board's own (`load_timing`) if None.
    layers:   functions whose calls are counted, everything included that they call.
    until:    reaching this function ends the run; so do a branch to itself, semihosting's exit, and `limit`
              instructions. A firmware without such a function is no mistake.
    memories: where the program lies; the first holds the vector table. The board's if None. The ELF that is built for
              QEMU runs with that machine's memories: same outputs, same instruction count.
    spies:    function -> who is told about its calls. They change no figure.

    Raises ToolError if the ELF is none, a C compiler or a Python package is missing, or the firmware fails;
    CapacityError if it does not fit; BoardError if the board has no timing.
    """
    machine_class = _machine_class()
    timing = load_timing(board) if timing is None else timing
    memories = board.memories if memories is None else memories
    firmware = load_firmware(elf)
    check_fit(firmware, memories)
    watched = [_function(firmware, name) for name in layers]
    stack, entry = _vectors(firmware, memories)
    library = load()
    trace = library.trace_new()
    if not trace:
        raise MemoryError
    try:
        registers = Registers(board, lambda: int(library.trace_now(trace)))
        registers.write(CPUID_ADDRESS, 4, CPUID.get(board.core, 0))
        machine = machine_class(board.core, memories, registers, trace)
        trace.contents.limit = limit
        trace.contents.core = native(timing.core)
        timing.fill(library, trace.contents.mem)
        _start(library, trace, memories, watched, firmware.functions.get(until))
        spied = {_function(firmware, name): spy for name, spy in spies.items()}
        visits = Visits(library, trace, spied, {address: index + 1 for index, address in enumerate(watched)})
        ended = machine.run(library, firmware, stack, entry, visits)
        status = machine.argument() if ended == "symbol" else machine.semihosting.exit_status
        return _result(board, timing, firmware, trace.contents, layers, registers, ended, status, stack)
    finally:
        library.trace_free(trace)


def _machine_class() -> type[Machine]:
    """`Machine`, whose module needs packages that the rest of the tool does without."""
    try:
        module = importlib.import_module("approx_plugin.virtual_board.machine")
    except ImportError as error:
        raise ToolError(
            f"the virtual board needs the Python package '{error.name}'",
            why=str(error),
            hint="pip install 'approx-plugin[virtual-board]'",
        ) from error
    found: type[Machine] = module.Machine
    return found


def _function(firmware: Firmware, name: str) -> int:
    if name not in firmware.functions:
        raise ToolError(f"the firmware has no function '{name}'", where=firmware.path, hint="was it inlined?")
    return firmware.functions[name]


def _vectors(firmware: Firmware, memories: Sequence[Memory]) -> tuple[int, int]:
    """Initial stack pointer and reset handler."""
    table = memories[0].origin
    stack, entry = firmware.word(table), firmware.word(table + 4)
    if stack is None or entry is None or not entry & 1:
        raise ToolError(
            "the firmware has no vector table where the core looks for it",
            where=firmware.path,
            why=f"at 0x{table:08x} ({memories[0].name}) there is no initial stack pointer and reset handler",
        )
    return stack, entry & ~1


def _start(library: Any, trace: Any, memories: Sequence[Memory], watched: Sequence[int], end: int | None) -> None:
    count = len(memories)
    origins = (ctypes.c_uint32 * count)(*(memory.origin for memory in memories))
    lengths = (ctypes.c_uint32 * count)(*(memory.length for memory in memories))
    if library.trace_start(trace, origins, lengths, count, len(watched)):
        raise ToolError(f"the virtual board cannot hold {count} memories", why=f"at most {layout.WINDOWS}")
    for index, address in enumerate(watched):
        library.trace_mark(trace, address, index + 1)
    if end is not None:
        library.trace_mark(trace, end, -1)


def _result(
    board: Board,
    timing: Timing,
    firmware: Firmware,
    trace: Any,
    layers: Sequence[str],
    registers: Registers,
    ended: str,
    status: int | None,
    stack: int,
) -> Simulation:
    costs = tuple(
        FunctionCost(name, trace.watches[index].calls, cost_of(trace.watches[index].sum))
        for index, name in enumerate(layers)
    )
    return Simulation(
        board.id,
        board.core,
        board.clock_hz,
        registers.console.decode("utf-8", "replace").replace("\r\n", "\n"),
        ended,
        status,
        cost_of(trace.total),
        costs,
        _profile(firmware, trace),
        max(0, stack - trace.lowest_stack),
    )


def _profile(firmware: Firmware, trace: Any) -> tuple[FunctionProfile, ...]:
    """Instructions and cycles by function, from the counters of the halfwords that were executed."""
    instructions: Counter[str] = Counter()
    cycles: Counter[str] = Counter()
    for window in trace.windows[: trace.window_count]:
        first, last = window.origin, window.origin + window.length
        for index, (start, name) in enumerate(zip(firmware.starts, firmware.names)):
            if not first <= start < last:
                continue
            following = firmware.starts[index + 1 : index + 2]
            end = min(following[0] if following else last, last)
            size = ctypes.sizeof(layout.Slot)
            base = ctypes.addressof(window.slots.contents) + (start - first) // 2 * size
            counts, spent = layout.sums(base, (end - start) // 2)
            instructions[name] += counts
            cycles[name] += spent
    found = [FunctionProfile(name, instructions[name], cycles[name]) for name in instructions if instructions[name]]
    return tuple(sorted(found, key=lambda f: (-f.cycles, f.name)))
