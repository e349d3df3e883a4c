"""A board without a board: runs the firmware's ELF and counts simulated cycles. Never presented as hardware.

simulation   `simulate(elf, board, timing, layers=...)` -> results.Simulation
timing       `load_timing(board)`: the board's timing with its core's table -> Timing, and that as a C struct
native_core  a core's table as a C struct
machine      unicorn with the cycle model hooked in; hardware, semihosting: what stands in for the peripherals
spy          who is told about the calls of a function, and may look at registers and memory
operation    instructions as the model sees them (capstone)
library      builds native/*.c at first use; layout: the C structs
native/      memory.c: flash, caches; pipeline.c: the scoreboard; trace.c: hooks, IT blocks, watched functions

How an instruction becomes cycles: unicorn calls trace_on_code before every instruction whose condition holds. It finds
the decoded operation of the address (each bit pattern is decoded once), computes the address of a load or store from
the registers, and, as soon as it is known where execution went on, issues the instruction in two pipelines: one with
the board's memories, one with memories that never wait.
"""
