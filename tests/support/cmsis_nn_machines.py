"""CMSIS-NN functions called from Python: as a shared library of the host, or as Arm code in an instruction simulator.

Arguments are written once and work on both: an int, a numpy array (passed by address), None (a null pointer), or a
`Struct` of these (passed by address, laid out as the machine's C compiler does). All integers of the API are 32 bits.
"""

from __future__ import annotations

import ctypes
import io
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, Union

import numpy as np
import numpy.typing as npt
from elf import symbols

from approx_plugin.errors import Location
from approx_plugin.library.provider import CmsisNn, resolve

FUNCTIONS = (
    "arm_avgpool_s8",
    "arm_avgpool_s8_get_buffer_size",
    "arm_convolve_wrapper_s8",
    "arm_convolve_wrapper_s8_get_buffer_size",
    "arm_depthwise_conv_wrapper_s8",
    "arm_depthwise_conv_wrapper_s8_get_buffer_size",
    "arm_elementwise_add_s8",
    "arm_fully_connected_per_channel_s8",
    "arm_fully_connected_s8",
    "arm_fully_connected_s8_get_buffer_size",
    "arm_fully_connected_wrapper_s8",
    "arm_max_pool_s8",
    "arm_pad_s8",
    "arm_softmax_s8",
)

Array = npt.NDArray[Any]
GUARD = 16
UNTOUCHED = 0x5A


class Struct:
    """A C structure: ints, nested structures' fields in line, and pointers (arrays or None)."""

    def __init__(self, *fields: int | np.integer[Any] | Array | None) -> None:
        self.fields = tuple(int(f) if isinstance(f, np.integer) else f for f in fields)


class Output:
    """An int8 array to be written by a function, between guards that it must leave alone."""

    def __init__(self, count: int) -> None:
        self.whole = np.full(count + 2 * GUARD, UNTOUCHED, np.int8)
        self.values = self.whole[GUARD : GUARD + count]

    def assert_guards_untouched(self) -> None:
        outside = np.concatenate([self.whole[:GUARD], self.whole[-GUARD:]])
        assert (outside == UNTOUCHED).all(), "written outside the output"


Argument = Union[int, "np.integer[Any]", Array, None, Struct, Output]


class Machine(Protocol):
    """Something that runs C functions."""

    def call(self, function: str, *arguments: Argument) -> int:
        """The function's int32 result. Arrays and outputs hold what it wrote."""


def provide(directory: Path | None) -> CmsisNn:
    return resolve(FUNCTIONS, directory, Location("test"))


def compile_command(compiler: str, library: CmsisNn, *options: str) -> list[str]:
    """Every source of a library in one command."""
    name, file = next(iter(library.files.items()))
    root = file.parents[name.count("/")]
    includes = [f"-I{root / d}" for d in library.include_dirs]
    return [compiler, *options, *includes, *(str(library.files[s]) for s in library.sources)]


def run_tool(command: Sequence[str | Path], timeout: float = 180) -> str:
    """What a command printed; fails the test with it where the command fails."""
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=timeout, check=False)
    assert done.returncode == 0, f"{' '.join(str(c) for c in command)}\n{done.stdout}{done.stderr}"
    return done.stdout


class Host:
    """A library built for this computer. Without DSP extension: the plain C path."""

    def __init__(self, library: CmsisNn, folder: Path) -> None:
        built = folder / "library.so"
        # Sums that leave 32 bits wrap on the cores that the code is for.
        options = ("-O2", "-w", "-fwrapv", "-fPIC", "-shared", "-Wl,--no-undefined", "-o", str(built))
        run_tool(compile_command("gcc", library, *options))
        self._library = ctypes.CDLL(str(built))

    def call(self, function: str, *arguments: Argument) -> int:
        alive: list[Any] = []

        def plain(argument: Argument) -> Any:
            if isinstance(argument, (int, np.integer)):
                return ctypes.c_int32(int(argument))
            if isinstance(argument, Struct):
                kinds = [ctypes.c_int32 if isinstance(f, int) else ctypes.c_void_p for f in argument.fields]
                layout = type("Layout", (ctypes.Structure,), {"_fields_": [(f"f{i}", k) for i, k in enumerate(kinds)]})
                made = layout(*(_address(f) for f in argument.fields))
                alive.append(made)
                return ctypes.byref(made)
            return ctypes.c_void_p(_address(argument))

        return int(self._library[function](*(plain(a) for a in arguments)))


def _address(value: int | Array | Output | None) -> int | None:
    if isinstance(value, Output):
        value = value.values
    if isinstance(value, np.ndarray):
        assert value.flags.c_contiguous
        return int(value.ctypes.data)
    return value


class Arm:
    """A library built for a Cortex-M, run by unicorn."""

    _CODE, _DATA, _STACK_TOP = 0x0800_0000, 0x2000_0000, 0x3000_0000
    _SIZE = 1 << 20

    def __init__(self, library: CmsisNn, cpu: str, folder: Path) -> None:
        import unicorn
        from elftools.elf.elffile import ELFFile
        from unicorn import arm_const
        from unicorn.unicorn_py3.unicorn import Uc

        built = folder / "library.elf"
        options = [f"-mcpu={cpu}", "-mthumb", "-O2", "-w", "-fwrapv", "-nostartfiles", "-Wl,--entry=0"]
        options += [f"-Wl,-Ttext={self._CODE:#x}", "-Wl,--no-warn-rwx-segments", "-o", str(built)]
        run_tool(compile_command("arm-none-eabi-gcc", library, *options))
        self._registers = arm_const
        self._uc = Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
        self._uc.ctl_set_cpu_model(
            {
                "cortex-m0plus": arm_const.UC_CPU_ARM_CORTEX_M0,
                "cortex-m4": arm_const.UC_CPU_ARM_CORTEX_M4,
                "cortex-m7": arm_const.UC_CPU_ARM_CORTEX_M7,
                "cortex-m33": arm_const.UC_CPU_ARM_CORTEX_M33,
            }[cpu]
        )
        self._uc.mem_map(self._CODE, self._SIZE)
        self._uc.mem_map(self._DATA, self._SIZE)
        self._uc.mem_map(self._STACK_TOP - self._SIZE, self._SIZE)
        elf = ELFFile(io.BytesIO(built.read_bytes()))
        for segment in elf.iter_segments("PT_LOAD"):
            self._uc.mem_write(segment["p_vaddr"], segment.data())
        self._symbols = symbols(elf)

    def call(self, function: str, *arguments: Argument) -> int:
        top = self._DATA  # every call starts with empty memory
        written: list[tuple[int, Array]] = []

        def place(data: bytes) -> int:
            nonlocal top
            address = top
            top = (top + len(data) + 7) & ~7
            assert top <= self._DATA + self._SIZE
            self._uc.mem_write(address, data)
            return address

        def word(argument: Argument) -> int:
            if argument is None:
                return 0
            if isinstance(argument, (int, np.integer)):
                return int(argument) & 0xFFFFFFFF
            if isinstance(argument, Struct):
                return place(np.array([word(f) for f in argument.fields], np.uint32).tobytes())
            if isinstance(argument, Output):
                address = place(argument.whole.tobytes())
                written.append((address, argument.whole))
                return address + GUARD
            # Odd addresses for bytes: the library must not rely on more than C gives it.
            data = argument.tobytes()
            return place(b"\0" + data) + 1 if argument.dtype == np.int8 else place(data)

        words = [word(a) for a in arguments]
        registers = self._registers
        stack = (self._STACK_TOP - 64 - 4 * max(0, len(words) - 4)) & ~7
        self._uc.mem_write(stack, np.array(words[4:], np.uint32).tobytes() or b"\0")
        for number, value in enumerate(words[:4]):
            self._uc.reg_write(registers.UC_ARM_REG_R0 + number, value)
        self._uc.reg_write(registers.UC_ARM_REG_SP, stack)
        done = self._CODE + self._SIZE - 16
        self._uc.reg_write(registers.UC_ARM_REG_LR, done | 1)
        self._uc.emu_start(self._symbols[function] | 1, done)
        for address, array in written:
            array[:] = np.frombuffer(self._uc.mem_read(address, array.nbytes), array.dtype).reshape(array.shape)
        return int(np.int32(np.uint32(self._uc.reg_read(registers.UC_ARM_REG_R0))))
