/*
 * Blocking console output through a USART or LPUART that board.c has set up.
 *
 * The status register is USART_ISR, or USART_SR in the F4 series: "transmit register empty" is bit 7 and "transmission
 * complete" bit 6 in both.
 */
#ifndef USART_H
#define USART_H

#include <stddef.h>

#include "registers.h"

#define USART_BAUD 115200u
#define USART_TXE BIT(7)
#define USART_TC BIT(6)

/* USART_BRR with 16 samples a bit: kernel clock / baud rate, to the nearest. */
static inline uint32_t usart_divider(uint32_t kernel_clock_hz)
{
    return (kernel_clock_hz + USART_BAUD / 2u) / USART_BAUD;
}

/* LPUART_BRR: 256 * kernel clock / baud rate, to the nearest, without leaving 32 bits. */
static inline uint32_t lpuart_divider(uint32_t kernel_clock_hz)
{
    uint32_t whole = kernel_clock_hz / USART_BAUD;
    uint32_t rest = kernel_clock_hz % USART_BAUD;

    return 256u * whole + (256u * rest + USART_BAUD / 2u) / USART_BAUD;
}

static inline void usart_put(const volatile uint32_t *status, volatile uint32_t *data, char character)
{
    if (wait_for(status, USART_TXE, USART_TXE)) {
        *data = (uint8_t)character;
    }
}

/* Terminals want a carriage return in front of the line feed. */
static inline void usart_write(const volatile uint32_t *status, volatile uint32_t *data, const char *text,
                               size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\n') {
            usart_put(status, data, '\r');
        }
        usart_put(status, data, text[i]);
    }
}

/* Returns when the last bit is on the wire. */
static inline void usart_drain(const volatile uint32_t *status)
{
    (void)wait_for(status, USART_TC, USART_TC);
}

#endif
