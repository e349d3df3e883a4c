"""The startup file (GNU as): vector table, Reset_Handler, and a default handler for every exception and interrupt."""

from __future__ import annotations

from approx_plugin.boards.board import Board
from approx_plugin.provenance import block_comment

ARMV7M = ("NMI", "HardFault", "MemManage", "BusFault", "UsageFault", None, None, None, None, "SVC", "DebugMon", None)
ARMV8M = ("NMI", "HardFault", "MemManage", "BusFault", "UsageFault", "SecureFault", None, None, None, "SVC", "DebugMon")
ARMV6M = ("NMI", "HardFault", None, None, None, None, None, None, None, "SVC", None, None)
EXCEPTIONS: dict[str, tuple[str | None, ...]] = {
    "cortex-m0": (*ARMV6M, "PendSV", "SysTick"),
    "cortex-m0plus": (*ARMV6M, "PendSV", "SysTick"),
    "cortex-m3": (*ARMV7M, "PendSV", "SysTick"),
    "cortex-m4": (*ARMV7M, "PendSV", "SysTick"),
    "cortex-m7": (*ARMV7M, "PendSV", "SysTick"),
    "cortex-m33": (*ARMV8M, None, "PendSV", "SysTick"),
}
"""The core's exceptions from position 2 of the vector table on; None: reserved. Armv6-M, Armv7-M and Armv8-M
architecture reference manuals, table of exception numbers."""

FILE = """\
{head}

  .syntax unified
  .cpu {core}
  .thumb

  .global g_pfnVectors
  .global Default_Handler
  .global Reset_Handler

/* Stack, SystemInit (FPU, vector table), .data, .bss, static constructors and main. */
  .section .text.Reset_Handler, "ax", %progbits
  .type Reset_Handler, %function
  .thumb_func
Reset_Handler:
  ldr   r0, =_estack
  mov   sp, r0
  bl    SystemInit

  ldr   r0, =_sdata
  ldr   r1, =_edata
  ldr   r2, =_sidata
  cmp   r0, r2                /* data that was loaded to its place (emulator) needs no copy */
  beq   2f
1:
  cmp   r0, r1
  bhs   2f
  ldmia r2!, {{r3}}             /* every core has these two; their like with an offset only some */
  stmia r0!, {{r3}}
  b     1b
2:
  ldr   r0, =_sbss
  ldr   r1, =_ebss
  movs  r2, #0
3:
  cmp   r0, r1
  bhs   4f
  stmia r0!, {{r2}}
  b     3b
4:
  bl    __libc_init_array
  bl    main
5:
  b     5b                    /* main does not return */
  .ltorg
  .size Reset_Handler, . - Reset_Handler

/* Where every exception ends that has no handler: a debugger finds the program here. */
  .section .text.Default_Handler, "ax", %progbits
  .type Default_Handler, %function
  .thumb_func
Default_Handler:
  b     Default_Handler
  .size Default_Handler, . - Default_Handler

  .section .isr_vector, "a", %progbits
  .type g_pfnVectors, %object
g_pfnVectors:
  .word _estack
  .word Reset_Handler
{vectors}
  .size g_pfnVectors, . - g_pfnVectors

/* A function of the same name anywhere in the program takes the place of a default. */
{defaults}
"""


def startup_name(board: Board) -> str:
    """The file's name in an STM32CubeIDE project: "startup_stm32u575zitxq.s"."""
    return f"startup_{board.mcu.lower()}.s"


def handlers(board: Board) -> tuple[str | None, ...]:
    """The handler at every position of the vector table after the stack pointer and Reset_Handler; None: reserved."""
    exceptions = tuple(name and f"{name}_Handler" for name in EXCEPTIONS[board.core])
    return exceptions + tuple(name and f"{name}_IRQHandler" for name in board.interrupts)


def startup(board: Board) -> str:
    """The startup file of a board. The emulator runs the same one."""
    table = handlers(board)
    names = [name for name in table if name]
    return FILE.format(
        head=block_comment(f"vector table of {board.mcu} on {board.name}, and the code that runs after a reset"),
        core=board.core,
        vectors="\n".join(f"  .word {name or 0}" for name in table),
        defaults="\n".join(f"  .weak {name}\n  .thumb_set {name}, Default_Handler" for name in names),
    )
