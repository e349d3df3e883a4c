"""Linker scripts (GNU ld) for a board and for the emulator that runs its core.

Both define the symbols that users of STM32CubeIDE know: _estack, _sidata, _sdata, _edata, _sbss, _ebss, end, _end,
_Min_Heap_Size, _Min_Stack_Size. Segments are named (PHDRS), so that no segment is writable and executable at once.
"""

from __future__ import annotations

from approx_plugin.boards.board import Board
from approx_plugin.boards.memory import Memory
from approx_plugin.errors import BoardError
from approx_plugin.provenance import block_comment

HEAP_BYTES = 0x200
STACK_BYTES = 0x1000
"""What the linker keeps free; the stack may grow further, into whatever the program leaves of the RAM."""

MEMORY_ATTRIBUTES = {"flash": "rx", "ram": "xrw", "dtcm": "xrw"}

SCRIPT = """\
{head}

ENTRY(Reset_Handler)

/* The top of the stack: the end of the RAM. */
_estack = ORIGIN({ram}) + LENGTH({ram});

_Min_Heap_Size = {heap:#x};
_Min_Stack_Size = {stack:#x};

MEMORY
{{
{memories}
}}

PHDRS
{{
  code PT_LOAD FLAGS(5);      /* read, execute */
  constants PT_LOAD FLAGS(4); /* read */
  data PT_LOAD FLAGS(6);      /* read, write: initialised */
  zero PT_LOAD FLAGS(6);      /* read, write: not loaded */
  scratch PT_LOAD FLAGS(6);   /* likewise, in the core's own memory */
}}

SECTIONS
{{
  /* The vector table: where the core looks for it after a reset. */
  .isr_vector :
  {{
    . = ALIGN(4);
    KEEP(*(.isr_vector))
    . = ALIGN(4);
  }} >{code} :code

  .text :
  {{
    . = ALIGN(4);
    *(.text)
    *(.text*)
    *(.glue_7)
    *(.glue_7t)
    *(.eh_frame)
    KEEP(*(.init))
    KEEP(*(.fini))
    . = ALIGN(4);
    _etext = .;
  }} >{code} :code

  /* Unwind tables; they refer to the code by short offsets. */
  .ARM.extab :
  {{
    . = ALIGN(4);
    *(.ARM.extab* .gnu.linkonce.armextab.*)
    . = ALIGN(4);
  }} >{code} :code

  .ARM :
  {{
    . = ALIGN(4);
    __exidx_start = .;
    *(.ARM.exidx*)
    __exidx_end = .;
    . = ALIGN(4);
  }} >{code} :code

  .rodata :
  {{
    . = ALIGN(8);
    *(.rodata)
    *(.rodata*)
    . = ALIGN(4);
  }} >{constants} :constants

  .preinit_array :
  {{
    . = ALIGN(4);
    PROVIDE_HIDDEN(__preinit_array_start = .);
    KEEP(*(.preinit_array*))
    PROVIDE_HIDDEN(__preinit_array_end = .);
    . = ALIGN(4);
  }} >{constants} :constants

  .init_array :
  {{
    . = ALIGN(4);
    PROVIDE_HIDDEN(__init_array_start = .);
    KEEP(*(SORT(.init_array.*)))
    KEEP(*(.init_array*))
    PROVIDE_HIDDEN(__init_array_end = .);
    . = ALIGN(4);
  }} >{constants} :constants

  .fini_array :
  {{
    . = ALIGN(4);
    PROVIDE_HIDDEN(__fini_array_start = .);
    KEEP(*(SORT(.fini_array.*)))
    KEEP(*(.fini_array*))
    PROVIDE_HIDDEN(__fini_array_end = .);
    . = ALIGN(4);
  }} >{constants} :constants

  /* Initialised variables. The startup code copies them from _sidata to _sdata.._edata. */
  _sidata = LOADADDR(.data);
  .data : ALIGN(8)
  {{
    _sdata = .;
    *(.data)
    *(.data*)
    *(.RamFunc)
    *(.RamFunc*)
    . = ALIGN(4);
    _edata = .;
  }} >{ram} {load}:data

  /* Variables that start as zero. */
  .bss (NOLOAD) :
  {{
    . = ALIGN(8);
    _sbss = .;
    __bss_start__ = _sbss;
    *(.bss)
    *(.bss*)
    *(COMMON)
    . = ALIGN(4);
    _ebss = .;
    __bss_end__ = _ebss;
  }} >{ram} AT>{ram} :zero

  /* Scratch of kernels in the core's own data memory, where the core has one: nobody initialises it. */
  .dtcm (NOLOAD) :
  {{
    . = ALIGN(8);
    *(.dtcm)
    *(.dtcm*)
    . = ALIGN(8);
  }} >{dtcm} AT>{dtcm} :scratch

  /* Makes the link fail where the RAM that is left does not hold the smallest heap and stack. */
  ._user_heap_stack (NOLOAD) :
  {{
    . = ALIGN(8);
    PROVIDE(end = .);
    PROVIDE(_end = .);
    . = . + _Min_Heap_Size;
    . = . + _Min_Stack_Size;
    . = ALIGN(8);
  }} >{ram} AT>{ram} :zero

  .ARM.attributes 0 : {{ *(.ARM.attributes) }}
}}
"""


def linker_script_name(board: Board) -> str:
    """The file's name in an STM32CubeIDE project: "STM32U575ZITXQ_FLASH.ld"."""
    return f"{board.mcu.upper()}_FLASH.ld"


def linker_script(board: Board, heap: int = HEAP_BYTES, stack: int = STACK_BYTES) -> str:
    """The script that puts a program into the board's flash and RAM. heap, stack: bytes to keep free at least."""
    places = f"program in {board.flash.name}, data and stack in {board.ram.name}"
    return SCRIPT.format(
        head=block_comment(f"linker script for {board.mcu} on {board.name}, {places}"),
        memories=_regions(board.memories),
        code=board.flash.name,
        constants=board.flash.name,
        ram=board.ram.name,
        dtcm=(board.dtcm or board.ram).name,
        load=f"AT>{board.flash.name} ",
        heap=heap,
        stack=stack,
    )


def emulator_linker_script(board: Board, heap: int = HEAP_BYTES, stack: int = STACK_BYTES) -> str:
    """The script for the board's QEMU machine.

    Constants go to the machine's data memory, which is far larger than any of these boards' flash: firmware with many
    test vectors runs there too. QEMU loads all sections to where they are used, so nothing has to be copied.
    Raises BoardError if the board has no emulator.
    """
    emulator = board.emulator
    if emulator is None:
        raise BoardError(f"there is no emulator for the board '{board.id}'", where=board.folder / "board.yaml")
    return SCRIPT.format(
        head=block_comment(
            f"linker script for the QEMU machine {emulator.machine}, which has the core of {board.name}"
        ),
        memories=_regions((emulator.code, emulator.data)),
        code=emulator.code.name,
        constants=emulator.data.name,
        ram=emulator.data.name,
        dtcm=emulator.data.name,
        load="",
        heap=heap,
        stack=stack,
    )


def _regions(memories: tuple[Memory, ...]) -> str:
    """The lines of MEMORY."""
    width = max(len(memory.name) for memory in memories)
    return "\n".join(
        f"  {memory.name:<{width}} ({MEMORY_ATTRIBUTES[memory.kind]}) : "
        f"ORIGIN = {memory.origin:#010x}, LENGTH = {_size(memory.length)}"
        for memory in memories
    )


def _size(length: int) -> str:
    """Bytes as linker scripts write them."""
    return f"{length >> 10}K" if length % 1024 == 0 else str(length)
