"""Programs for virtual boards, built by the tests, and the model's library in a cache folder of the tests."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from approx_plugin.boards.board import Board
from approx_plugin.boards.loader import load_board
from approx_plugin.boards.memory import Memory
from approx_plugin.virtual_board.library import load

BOARD_OF_CORE = {"cortex-m4": "nucleo-f446re", "cortex-m33": "nucleo-u575zi-q", "cortex-m7": "nucleo-f767zi"}

LINKER_SCRIPT = """
ENTRY(reset)
MEMORY {{
  CODE (rx) : ORIGIN = {code:#x}, LENGTH = 256K
  DATA (rwx) : ORIGIN = {data:#x}, LENGTH = 64K
}}
initial_stack = ORIGIN(DATA) + LENGTH(DATA);
SECTIONS {{
  .vectors : {{ KEEP(*(.vectors)) }} > CODE
  .text : {{ *(.text*) *(.rodata*) . = ALIGN(8); }} > CODE
  .data : {{ data_start = . ; *(.data*) . = ALIGN(4); data_end = . ; }} > DATA AT > CODE
  data_image = LOADADDR(.data);
  .bss : {{ *(.bss*) }} > DATA
}}
"""

START = """
    .syntax unified
    .thumb
    .section .vectors, "a"
    .word initial_stack
    .word reset
    .text
    .global reset
    .type reset, %function
    .thumb_func
reset:
    ldr r0, =data_start
    ldr r1, =data_end
    ldr r2, =data_image
1:  cmp r0, r1
    bhs 2f
    ldr r3, [r2], #4
    str r3, [r0], #4
    b 1b
2:  bl main
    bl board_exit
    b .
    .pool
    .size reset, . - reset
"""

Build = Callable[..., Path]


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The tests' own folder for the built library."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        yield folder


@pytest.fixture(scope="session")
def library(own_cache: Path) -> ctypes.CDLL:
    """The model's C functions."""
    return load()


@pytest.fixture(scope="session")
def arm_gcc() -> str:
    """The cross compiler."""
    found = shutil.which("arm-none-eabi-gcc")
    if not found:
        pytest.skip("needs arm-none-eabi-gcc")
    return found


@pytest.fixture(scope="session")
def board_of() -> Callable[[str], Board]:
    """A board with a given core."""
    return lambda core: load_board(BOARD_OF_CORE[core])


@pytest.fixture
def build(arm_gcc: str, tmp_path: Path) -> Build:
    """build(board, assembly=..., c=..., memories=(code, data)) -> ELF with `main` from one of the sources."""

    def make(
        board: Board, *, assembly: str = "", c: str = "", memories: tuple[Memory, Memory] | None = None, name: str = "t"
    ) -> Path:
        code, data = memories or (board.flash, board.ram)
        script = tmp_path / f"{name}.ld"
        script.write_text(LINKER_SCRIPT.format(code=code.origin, data=data.origin))
        sources = []
        for suffix, text in ((".start.s", START), (".s", assembly), (".c", c)):
            if text:
                sources.append(tmp_path / f"{name}{suffix}")
                sources[-1].write_text(text)
        elf = tmp_path / f"{name}.elf"
        machine = (f"-mcpu={board.core}", f"-mfpu={board.fpu}", f"-mfloat-abi={board.float_abi}", "-mthumb")
        flags = ("-O2", "-g0", "-ffreestanding", "-nostdlib", "-nostartfiles", "-Wl,--no-warn-rwx-segments")
        command = [arm_gcc, *machine, *flags, "-T", str(script), "-o", str(elf), *map(str, sources), "-lgcc"]
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
        return elf

    return make
