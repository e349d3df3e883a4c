"""The C structs of native/*.h as ctypes sees them, and the prototypes of the functions."""

from __future__ import annotations

import ctypes
from ctypes import (
    CFUNCTYPE,
    POINTER,
    Structure,
    c_int,
    c_int32,
    c_int64,
    c_uint8,
    c_uint16,
    c_uint32,
    c_uint64,
    c_void_p,
    sizeof,
)
from typing import Any, ClassVar

import numpy as np

from approx_plugin.errors import ToolError

REGIONS, CACHES, KINDS, UNITS, FOLLOWS, STALLS, WINDOWS = 16, 4, 32, 16, 5, 5, 16
NO_CACHE = -1

Fields = list[tuple[str, Any]]
"""What `_fields_` of a ctypes structure holds."""


class Cache(Structure):
    """`cache` of memory.h."""

    _fields_: ClassVar[Fields] = [
        *((name, c_uint32) for name in ("bytes", "line_bytes", "ways", "sets", "line_shift")),
        ("tags", POINTER(c_uint32)),
        ("hits", c_uint64),
        ("misses", c_uint64),
    ]


class Region(Structure):
    """`region` of memory.h."""

    _fields_: ClassVar[Fields] = [
        ("origin", c_uint32),
        ("length", c_uint32),
        ("wait_states", c_int32),
        ("read_bytes", c_uint32),
        ("prefetch", c_uint32),
        ("beat_cycles", c_int32),
        ("beat_bytes", c_uint32),
        ("fetch_cache", c_int32),
        ("data_cache", c_int32),
        ("branch_wait", c_int32),
        ("port", c_int32),
    ]


class Memory(Structure):
    """`memory` of memory.h."""

    _fields_: ClassVar[Fields] = [
        ("regions", Region * REGIONS),
        ("region_count", c_int32),
        ("caches", Cache * CACHES),
        ("cache_count", c_int32),
        ("ahead", c_int32),
        ("line", c_uint32),
        ("line_valid", c_uint32),
        ("line_first", c_uint32),
        ("line_whole", c_uint32),
        ("line_ready", c_int64),
        ("line_region", c_int32),
        ("fill_line", c_uint32),
        ("fill_first", c_uint32),
        ("fill_ready", c_int64),
        ("busy_until", c_int64),
        ("prefetch_line", c_uint32),
        ("prefetch_valid", c_uint32),
        ("prefetch_ready", c_int64),
        ("data_line", c_uint32),
        ("data_line_valid", c_uint32),
        ("fetch_misses", c_uint64),
        ("data_misses", c_uint64),
    ]


class KindTiming(Structure):
    """`kind_timing` of pipeline.h."""

    _fields_: ClassVar[Fields] = [
        ("cycles", c_int32),
        ("words_per_cycle", c_int32),
        ("tail", c_int32 * FOLLOWS),
        *((name, c_int32) for name in ("source", "early", "accumulate", "address", "data")),
        *((name, c_int32) for name in ("result", "early_result", "base_result", "from_load", "unit", "follow")),
    ]


class CoreTiming(Structure):
    """`core_timing` of pipeline.h."""

    _fields_: ClassVar[Fields] = [
        ("kinds", KindTiming * KINDS),
        ("pair", c_uint32 * UNITS),
        *((name, c_int32) for name in ("pair_narrow", "one_block", "pair_banks", "taken", "taken_same_cycle")),
        ("wide_target", c_int32),
        *((name, c_int32) for name in ("predictor", "mispredicted", "mispredicted_early", "early_flags")),
        *((name, c_int32) for name in ("unaligned_load", "unaligned_store")),
        *((name, c_int32) for name in ("divide_minimum", "divide_maximum", "divide_bits")),
    ]


class Operation(Structure):
    """`operation` of pipeline.h."""

    _fields_: ClassVar[Fields] = [
        *((name, c_uint64) for name in ("source", "early", "accumulate", "address", "data", "result", "base")),
        ("flags", c_uint32),
        ("displacement", c_int32),
        *((name, c_uint8) for name in ("kind", "size", "transfers", "dividend", "divisor")),
        *((name, c_uint8) for name in ("base_register", "index_register", "index_shift")),
        *((name, c_uint8) for name in ("access_size", "access_count")),
        ("reserved", c_uint8 * 6),
    ]


class Slot(Structure):
    """`slot` of trace.h."""

    _fields_: ClassVar[Fields] = [
        ("op", POINTER(Operation)),
        ("count", c_uint64),
        ("cycles", c_uint64),
        ("target", c_uint32),
        ("watch", c_int32),
        ("displacement", c_int32),
        ("prediction", c_uint8),
        ("reserved", c_uint8 * 3),
    ]


class Window(Structure):
    """`window` of trace.h."""

    _fields_: ClassVar[Fields] = [("origin", c_uint32), ("length", c_uint32), ("slots", POINTER(Slot))]


class Counters(Structure):
    """`counters` of trace.h."""

    _fields_: ClassVar[Fields] = [
        *((name, c_uint64) for name in ("instructions", "fetch_misses", "data_misses")),
        ("cycles", c_int64),
        ("ideal_cycles", c_int64),
        ("stalls", c_uint64 * STALLS),
        ("ideal_stalls", c_uint64 * STALLS),
    ]


class Watched(Structure):
    """`watched` of trace.h."""

    _fields_: ClassVar[Fields] = [("calls", c_uint64), ("sum", Counters)]


DECODER = CFUNCTYPE(c_int32, POINTER(c_uint8), c_uint32, POINTER(Operation))
"""`trace_decoder` of trace.h."""


class Trace(Structure):
    """`trace` of trace.h up to its private state."""

    _fields_: ClassVar[Fields] = [
        ("register_read", c_void_p),
        ("memory_read", c_void_p),
        ("stop", c_void_p),
        ("decoder", DECODER),
        ("register_r", c_int32 * 16),
        ("limit", c_uint64),
        ("core", CoreTiming),
        ("mem", Memory),
        ("windows", Window * WINDOWS),
        ("window_count", c_int32),
        ("watches", POINTER(Watched)),
        ("total", Counters),
        ("end", c_int32),
        ("end_address", c_uint32),
        ("lowest_stack", c_uint32),
    ]


PROTOTYPES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "cache_init": (c_int, (POINTER(Cache), c_uint32, c_uint32, c_uint32)),
    "cache_free": (None, (POINTER(Cache),)),
    "cache_touch": (c_int, (POINTER(Cache), c_uint32)),
    "cache_insert": (None, (POINTER(Cache), c_uint32)),
    "memory_fetch": (c_int64, (POINTER(Memory), c_uint32, c_uint32, c_int64, c_int)),
    "memory_access": (c_int64, (POINTER(Memory), c_uint32, c_int64, c_int)),
    "memory_region": (c_int32, (POINTER(Memory), c_uint32)),
    "trace_new": (POINTER(Trace), ()),
    "trace_start": (c_int, (POINTER(Trace), POINTER(c_uint32), POINTER(c_uint32), c_int32, c_int32)),
    "trace_free": (None, (POINTER(Trace),)),
    "trace_mark": (c_int, (POINTER(Trace), c_uint32, c_int32)),
    "trace_finish": (None, (POINTER(Trace),)),
    "trace_now": (c_int64, (POINTER(Trace),)),
    "trace_pattern": (c_uint32, (c_uint16, c_uint16, c_uint32)),
    "trace_layout": (None, (POINTER(c_uint64),)),
}


_SLOT = np.dtype(
    {
        "names": ["count", "cycles"],
        "formats": ["<u8", "<u8"],
        "offsets": [Slot.count.offset, Slot.cycles.offset],
        "itemsize": sizeof(Slot),
    }
)


def sums(address: int, slots: int) -> tuple[int, int]:
    """Sums of `count` and `cycles` over `slots` slots that start at `address`."""
    content = memoryview((c_uint8 * (slots * sizeof(Slot))).from_address(address))
    view = np.frombuffer(content, dtype=_SLOT)
    return int(view["count"].sum()), int(view["cycles"].sum())


def declare(library: ctypes.CDLL) -> ctypes.CDLL:
    """Set every prototype, and check that both sides see the same structs. AttributeError: not this library."""
    for name, (result, arguments) in PROTOTYPES.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, list(arguments)
    theirs = (c_uint64 * 6)()
    library.trace_layout(theirs)
    ours = [sizeof(kind) for kind in (Operation, CoreTiming, Memory, Slot, Watched)]
    ours.append((Trace.lowest_stack.offset + 4 + 7) & ~7)
    if list(theirs) != ours:
        raise ToolError(
            "the host's C compiler lays out structs in a way that Python does not expect",
            why=f"sizes {list(theirs)} against {ours}",
            hint="set CC to a compiler for the machine that Python runs on",
        )
    return library
