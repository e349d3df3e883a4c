/*
 * What stm32.c, the common part of all boards, asks of a board's own board.c.
 */
#ifndef STM32_H
#define STM32_H

#include <stdint.h>

#include "usart.h"

struct stm32_clocks {
    uint32_t core_hz;    /* the core clock that really runs */
    uint32_t console_hz; /* the kernel clock of the console's USART */
};

/* The name that is printed on the board, one word. */
extern const char stm32_board_name[];

/* The USART that is wired to the ST-LINK's virtual COM port. */
extern const struct usart stm32_console;

/* Sets up power, flash, clocks and caches, and unlocks the cycle counter of a Cortex-M7. Expects the state after a
 * reset; where something does not start, the core stays on its reset clock. */
struct stm32_clocks stm32_start(void);

/* Switches the clocks of the console's USART and of its port on, and gives the pins to the USART. */
void stm32_connect_console(void);

/* Shows how the program ended: the green LED for 0, the red one, if the board has one, for everything else. */
void stm32_show(int status);

#endif
