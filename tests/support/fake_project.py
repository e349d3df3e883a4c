"""A project small enough to be read at a glance: what the generator makes of a board, around a few lines of code."""

from __future__ import annotations

from pathlib import Path

from approx_plugin.boards.board import Board
from approx_plugin.boards.memory import Memory
from approx_plugin.cubeide.cproject import cproject_text
from approx_plugin.cubeide.project_file import encoding_text, project_text
from approx_plugin.cubeide.settings import Settings

U575 = Board(
    id="nucleo-u575zi-q",
    name="NUCLEO-U575ZI-Q",
    mcu="STM32U575ZITxQ",
    series="STM32U5",
    define="STM32U575xx",
    core="cortex-m33",
    fpu="fpv5-sp-d16",
    float_abi="hard",
    dsp=True,
    clock_hz=160_000_000,
    memories=(Memory("FLASH", "flash", 0x0800_0000, 2 << 20), Memory("RAM", "ram", 0x2000_0000, 768 << 10)),
    emulator=None,
    folder=Path("board/nucleo-u575zi-q"),
)
L4R5 = Board(
    id="nucleo-l4r5zi",
    name="NUCLEO-L4R5ZI",
    mcu="STM32L4R5ZITx",
    series="STM32L4",
    define="STM32L4R5xx",
    core="cortex-m4",
    fpu="fpv4-sp-d16",
    float_abi="hard",
    dsp=True,
    clock_hz=120_000_000,
    memories=(Memory("FLASH", "flash", 0x0800_0000, 2 << 20), Memory("RAM", "ram", 0x2000_0000, 640 << 10)),
    emulator=None,
    folder=Path("board/nucleo-l4r5zi"),
)
BOARDS = (U575, L4R5)

_LINKER = """\
ENTRY(Reset_Handler)
MEMORY
{{
  RAM (xrw) : ORIGIN = 0x20000000, LENGTH = {ram}K
  FLASH (rx) : ORIGIN = 0x08000000, LENGTH = 2048K
}}
_estack = ORIGIN(RAM) + LENGTH(RAM);
SECTIONS
{{
  .isr_vector : {{ KEEP(*(.isr_vector)) }} >FLASH
  .text : {{ *(.text*) }} >FLASH
  .rodata : {{ *(.rodata*) }} >FLASH
  .ARM.exidx : {{ *(.ARM.exidx*) }} >FLASH
  .data : {{ *(.data*) }} >RAM AT> FLASH
  .bss : {{ *(.bss*) *(COMMON) }} >RAM
  end = .;
}}
"""

_STARTUP = """\
  .syntax unified
  .thumb
  .section .isr_vector,"a",%progbits
  .word _estack
  .word Reset_Handler
  .section .text.Reset_Handler,"ax",%progbits
  .global Reset_Handler
  .type Reset_Handler, %function
Reset_Handler:
  bl main
1: b 1b
  .size Reset_Handler, .-Reset_Handler
"""

_MAIN = """\
/* int main(void) { } in a comment is no definition */
#include "app.h"
#include "board.h"

int32_t counter = 5;
volatile int32_t history[16];

int main(void)
{
    for (int32_t i = 0; i < 16; i++) {
        history[i] = kernel(i) + twice(counter);
        board_write(history[i]);
    }
    return DEVICE_IS_SET;
}
"""

_KERNEL_ASSEMBLY = """\
  .syntax unified
  .thumb
  .section .text.kernel,"ax",%progbits
  .global kernel
  .type kernel, %function
kernel:
  smlad r0, r0, r0, r0
  bx lr
  .size kernel, .-kernel
"""


def settings(board: Board, name: str = "demo") -> Settings:
    """The build of the small project."""
    return Settings(
        name=name,
        board=board,
        include_dirs=("Core/Inc", "Drivers/BSP", "Middlewares/CMSIS-NN/Include"),
        symbols=(board.define,),
    )


def fake_files(board: Board, name: str = "demo") -> dict[str, bytes]:
    """All files of the small project."""
    build = settings(board, name)
    ram = board.ram.length // 1024
    texts = {
        ".project": project_text(name, board.series),
        ".cproject": cproject_text(build),
        ".settings/org.eclipse.core.resources.prefs": encoding_text(),
        build.linker_script: _LINKER.format(ram=ram),
        build.startup: _STARTUP,
        "Core/Inc/app.h": f"#include <stdint.h>\n#ifdef {board.define}\n#define DEVICE_IS_SET 1\n#endif\n"
        "int32_t kernel(int32_t x);\nint32_t twice(int32_t x);\n",
        "Core/Src/main.c": _MAIN,
        "Drivers/BSP/board.h": "void board_write(int32_t value);\n",
        "Drivers/BSP/board.c": '#include "app.h"\n#include "board.h"\n'
        "volatile int32_t board_port;\nvoid board_write(int32_t value) { board_port = value; }\n",
        "Middlewares/Approx/Src/approx_layer_00.s": _KERNEL_ASSEMBLY,
        "Middlewares/CMSIS-NN/Include/twice.h": "#include <stdint.h>\nint32_t twice(int32_t x);\n",
        "Middlewares/CMSIS-NN/Source/twice.c": '#include "twice.h"\n'
        "static const int32_t table[64] = {1, 2, 3};\nint32_t twice(int32_t x) { return 2 * x + table[x & 63]; }\n"
        "int32_t never_called(int32_t x) { return x; }\n",
    }
    return {path: text.encode() for path, text in texts.items()}


def put(files: dict[str, bytes], directory: Path) -> Path:
    """Write files without any of the writer's rules."""
    for path, content in files.items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_bytes(content)
    return directory
