/*
 * What every board offers to the application. One implementation a board (board.c), one for the emulator.
 */
#ifndef BOARD_H
#define BOARD_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Sets up power, clocks, caches, the console UART and the cycle counter. Expects the state after a reset. */
void board_init(void);

/* The board's name, one word: "NUCLEO-U575ZI-Q". */
const char *board_name(void);

/* The core clock that really runs, in Hz: the reset clock if an oscillator or the PLL did not start, 0 if there is no
 * clock to speak of (emulator). */
uint32_t board_clock_hz(void);

/* Writes to the console and returns when the last character has been handed over. */
void board_write(const char *text, size_t length);

/* Core clock cycles, modulo 2^32. Only differences mean something. */
uint32_t board_cycles(void);

/* 1 if board_cycles() counts, 0 if this machine has no cycle counter. */
int board_has_cycle_counter(void);

/* Ends the program: a board shows `status` with a LED (0: green) and stops, the emulator exits with it. */
void board_exit(int status) __attribute__((noreturn));

#ifdef __cplusplus
}
#endif

#endif
