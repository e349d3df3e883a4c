"""The board that a part alone makes: what the pack says of it, what its family adds, and what reports have to say.

Nobody knows what is soldered around the part. So its console is the trace port of the core (SWO), and the clock is the
application's: Drivers/BSP/board.c has functions that a program replaces.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from approx_plugin.boards.board import Board, Console, ReadyFlag
from approx_plugin.boards.interrupts import load_interrupts, tables
from approx_plugin.boards.memory import Memory
from approx_plugin.documents.wording import enumeration
from approx_plugin.errors import BoardError, Location
from approx_plugin.packs.device import FLASH, RAM, Device, Region
from approx_plugin.packs.families import Core, Family, cores, family_of
from approx_plugin.resources import resource_root

ITM = 0xE0000000
"""Instrumentation trace macrocell (Armv7-M and Armv8-M Mainline): port 0; TER at 0xE00, TCR at 0xE80."""

CYCLE_COUNTER = 0xE0001004
SMALL_CORES = ("cortex-m0", "cortex-m0plus")
"""Armv6-M: neither ITM nor cycle counter."""


def board_of(device: Device, where: Location | None = None, names: tuple[str | None, ...] = ()) -> Board:
    """The board of a part. where: the place that names it; names: of its interrupts, where the pack says them.

    Raises BoardError for a core that the tool does not know.
    """
    core = cores().get(device.core)
    if core is None:
        raise BoardError(
            f"{device.name} has the core {device.core}, for which there are no kernels",
            where=where,
            why=f"{device.pack} says so; the cores that the tool knows are {enumeration(tuple(cores()), 'and')}",
            hint="choose a part with one of these cores",
        )
    family = family_of(device.name)
    if family is not None and family.core != core.cpu:
        family = None
    memories = tuple(_memories(device, core, family))
    _check(device, memories, where)
    small = core.cpu in SMALL_CORES
    return Board(
        id=device.name.lower(),
        name=device.name,
        mcu=device.name,
        series=device.name[:7].upper(),
        define=device.define or f"{device.name[:9].upper()}xx",
        core=core.cpu,
        fpu=_fpu(device, core),
        float_abi="hard" if _fpu(device, core) else "soft",
        dsp=core.dsp if device.dsp is None else device.dsp,
        clock_hz=_clock(device, family),
        memories=memories,
        emulator=core.emulator,
        folder=resource_root() / "board" / "device",
        console=None if small else Console("ITM, port 0", "SWO", 0, ITM),
        cycle_counter=None if small else CYCLE_COUNTER,
        ready_flags=() if small else READY,
        interrupts=names or _interrupts(device, core, family),
        timing=family.timing(memories) if family else None,
        generic=True,
        reset_hz=family.reset_hz if family else 0,
        costs_from=family.costs if family else core.costs,
        notes=tuple(_notes(device, core, family)),
    )


READY = (
    ReadyFlag(ITM, 1, 1, "ITM_STIM0: FIFOREADY"),
    ReadyFlag(ITM + 0xE00, 1, 1, "ITM_TER: port 0 is enabled (by the debugger)"),
    ReadyFlag(ITM + 0xE80, 1, 1, "ITM_TCR: ITMENA (by the debugger)"),
)


def _check(device: Device, memories: Sequence[Memory], where: Location | None) -> None:
    """Raise BoardError for a part whose memories a program cannot be put into."""
    for kind, what in (("flash", "flash"), ("ram", "RAM")):
        if all(memory.kind != kind for memory in memories):
            raise BoardError(
                f"{device.pack} names no {what} of {device.name} that a program can use",
                where=where,
                hint="describe the board in a board.yaml (board/README.md)",
            )


def _fpu(device: Device, core: Core) -> str:
    """gcc's -mfpu; "" for none. What a pack says is held against what there is of this core."""
    if not device.fpu:
        return ""
    return core.fpus.get(device.fpu) or core.fpus.get("single", "")


def _clock(device: Device, family: Family | None) -> int:
    """Hz: the pack's, else the family's; a part of which nobody says it is shown with 1 MHz."""
    return device.clock_hz or (family.clock_hz if family else 1_000_000)


def _memories(device: Device, core: Core, family: Family | None) -> Iterator[Memory]:
    """The memories: the first flash holds the program, the first RAM the data. Neighbours of a kind are one."""
    ignored = family.ignored if family else ()
    regions = [region for region in device.regions if region.name not in ignored]
    flash = _joined([region for region in regions if region.kind == FLASH])
    own = [region for region in regions if region.kind == RAM and core.cpu == "cortex-m7" and "DTCM" in region.name]
    ram = _joined([region for region in regions if region.kind == RAM and region not in own])
    names: set[str] = set()
    program = max(flash, key=lambda one: (one.startup, one.length, -one.origin), default=None)
    # Code regions (below 0x20000000) are no place for data by choice: on most parts no DMA reaches them.
    data = max(ram, key=lambda one: (one.origin >= 0x2000_0000, one.length, -one.origin), default=None)
    taken: list[Memory] = []
    ordered = [
        *(("FLASH", "flash", one) for one in (program,) if one),
        *(("RAM", "ram", one) for one in (data,) if one),
        *((one.name, "dtcm", one) for one in own[:1]),
        *((one.name, one.kind, one) for one in (*flash, *ram, *own[1:]) if one not in (program, data)),
    ]
    for name, kind, one in ordered:
        if any(one.origin < other.origin + other.length and other.origin < one.end for other in taken):
            continue  # a second name of addresses that are known
        memory = Memory(_region_name(name, names), kind, one.origin, one.length)
        names.add(memory.name)
        taken.append(memory)
        yield memory


def _joined(regions: Sequence[Region]) -> list[Region]:
    """Regions of one kind by address, with those that lie side by side made one."""
    found: list[Region] = []
    for region in sorted(regions, key=lambda one: (one.origin, -one.length)):
        last = found[-1] if found else None
        if last and region.origin <= last.end:
            length = max(last.end, region.end) - last.origin
            found[-1] = Region(last.name, last.kind, last.origin, length, last.startup or region.startup)
        else:
            found.append(region)
    return found


def _region_name(name: str, taken: set[str]) -> str:
    """A name for the linker script: capital letters, digits and _, once."""
    clean = re.sub(r"[^A-Z0-9_]", "_", name.upper()).strip("_") or "MEMORY"
    clean = clean if clean[0].isalpha() else f"M_{clean}"
    return next(one for one in (clean, *(f"{clean}_{number}" for number in range(2, 99))) if one not in taken)


def _interrupts(device: Device, core: Core, family: Family | None) -> tuple[str | None, ...]:
    """Our own table of the part, where there is one; else a name for every position."""
    table = device.define.lower()
    if table in tables():
        return load_interrupts(table)
    return tuple(f"IRQ{position}" for position in range(family.interrupts if family else core.interrupts))


def _notes(device: Device, core: Core, family: Family | None) -> Iterator[str]:
    """What a report has to say about figures for this part."""
    yield f"{device.name} is not a board of this tool: core, FPU and memories are those of {device.pack}."
    if device.others:
        yield f"Of its cores {', '.join((device.processor, *device.others))} the first is used."
    if family is None:
        yield "Its family is not known: there are no wait states, so the virtual board cannot count its cycles."
    else:
        yield (
            f"NOT VALIDATED: wait states and caches are the family's defaults (board/families/{family.name}.yaml, "
            f"at {family.clock_hz / 1e6:g} MHz), from manuals and assumptions, compared with no measurement."
        )
    if not (core.dsp if device.dsp is None else device.dsp):
        yield f"A {device.core} has no DSP extension: kernels are in C or of CMSIS-NN, none in assembly."
    costs = family.costs if family else core.costs
    yield (
        f"Cycles are estimated with the costs of {costs.upper()}, "
        "the nearest calibrated board of the same core; nothing was fitted to this part."
        if costs
        else f"No board with a {device.core} is calibrated: cycles are estimated with those of another core, "
        "which rank kernels and are no forecast."
    )
    yield (
        "The generated board.c leaves the part on its reset clock; device_start() of the application sets up clock, "
        "flash and caches (Drivers/BSP/board.c)."
    )
