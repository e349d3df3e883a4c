/*
 * The interface of board.h for every board with an STM32: its console, its cycle counter and the end of the program.
 */
#include "stm32.h"

#include "board.h"
#include "cortex_m.h"
#include "usart.h"

static struct stm32_clocks clocks;

void board_init(void)
{
    clocks = stm32_start();
    stm32_connect_console();
    usart_on(&stm32_console, clocks.console_hz);
    cycle_counter_start();
}

const char *board_name(void)
{
    return stm32_board_name;
}

uint32_t board_clock_hz(void)
{
    return clocks.core_hz;
}

void board_write(const char *text, size_t length)
{
    usart_write(&stm32_console, text, length);
}

uint32_t board_cycles(void)
{
    return *DWT_CYCCNT;
}

int board_has_cycle_counter(void)
{
    return cycle_counter_exists();
}

void board_exit(int status)
{
    usart_drain(&stm32_console);
    stm32_show(status);
    for (;;) {
    }
}
