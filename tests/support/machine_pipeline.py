"""The virtual board's pipeline itself, step by step, on an ideal core."""

from __future__ import annotations

import ctypes
import dataclasses

from approx_plugin.cores.core import CoreTiming
from approx_plugin.cores.kinds import KINDS
from approx_plugin.virtual_board import layout
from approx_plugin.virtual_board.native_core import native as native_core
from approx_plugin.virtual_board.operation import Operation, decode

ROOM = 4096
"""Bytes for `pipeline` of native/pipeline.h, which is a tenth of that."""


class Step(ctypes.Structure):
    """`step` of native/pipeline.h."""

    _fields_ = (
        ("op", ctypes.POINTER(layout.Operation)),
        ("address", ctypes.c_uint32),
        ("next", ctypes.c_uint32),
        ("skipped", ctypes.c_int32),
        ("in_it", ctypes.c_int32),
        ("divide_bits", ctypes.c_int32),
        ("access_address", ctypes.c_uint32),
        ("prediction", ctypes.POINTER(ctypes.c_uint8)),
        ("target", ctypes.POINTER(ctypes.c_uint32)),
    )


class NativePipeline:
    """`pipeline_step` of native/pipeline.c without memory."""

    def __init__(self, library: ctypes.CDLL, core: CoreTiming) -> None:
        self._state = ctypes.create_string_buffer(ROOM)
        self._library, self._core = library, native_core(core)
        library.pipeline_init.argtypes = [ctypes.c_void_p, ctypes.POINTER(layout.CoreTiming), ctypes.c_void_p]
        library.pipeline_step.argtypes = [ctypes.c_void_p, ctypes.POINTER(Step), ctypes.c_int]
        library.pipeline_cycles.argtypes, library.pipeline_cycles.restype = [ctypes.c_void_p], ctypes.c_int64
        library.pipeline_init(self._state, ctypes.byref(self._core), None)
        self._predictions: dict[int, ctypes.c_uint8] = {}
        self._targets: dict[int, ctypes.c_uint32] = {}

    def step(self, code: bytes, address: int, following: int, access: int, skipped: bool, in_it: bool) -> int:
        """Issue the instruction `code`; the first cycle that it leaves free."""
        prediction = self._predictions.setdefault(address, ctypes.c_uint8(0))
        target = self._targets.setdefault(address, ctypes.c_uint32(0xFFFFFFFF))
        operation = native_operation(decode(code))
        longest = 64
        step = Step(
            ctypes.pointer(operation), address, following, skipped, in_it, longest, access,
            ctypes.pointer(prediction), ctypes.pointer(target),
        )  # fmt: skip
        self._library.pipeline_step(self._state, ctypes.byref(step), 1)
        return int(self._library.pipeline_cycles(self._state))


def native_operation(operation: Operation) -> layout.Operation:
    """A decoded operation as the C struct."""
    made = layout.Operation()
    for field in dataclasses.fields(Operation):
        value = getattr(operation, field.name)
        setattr(made, field.name, KINDS.index(value) if field.name == "kind" else value)
    return made
