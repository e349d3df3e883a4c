/*
 * Blocking console output through a USART or LPUART.
 */
#ifndef USART_H
#define USART_H

#include <stddef.h>

#include "registers.h"

#define USART_BAUD 115200u
#define USART_TXE BIT(7) /* of the status register: transmit data register empty */
#define USART_TC BIT(6)  /* transmission complete */
#define USART_CR1_RE BIT(2)
#define USART_CR1_TE BIT(3)

/* What a console needs of a USART. */
struct usart {
    volatile uint32_t *control; /* CR1 */
    volatile uint32_t *divider; /* BRR */
    volatile uint32_t *status;  /* ISR, or SR in the F4 series: its bits TXE and TC are the same */
    volatile uint32_t *data;    /* TDR, or DR in the F4 series */
    uint32_t enable;            /* UE of CR1 */
    uint32_t scale;             /* BRR = scale * kernel clock / baud rate */
};

/* A USART with 16 samples per bit, by its base address. */
#define USART_AT(base) USART_OF(base, 0x00u, 0x0Cu, 0x1Cu, 0x28u, BIT(0), 1u)
#define LPUART_AT(base) USART_OF(base, 0x00u, 0x0Cu, 0x1Cu, 0x28u, BIT(0), 256u)
#define USART_AT_F4(base) USART_OF(base, 0x0Cu, 0x08u, 0x00u, 0x04u, BIT(13), 1u)
#define USART_OF(base, cr1, brr, isr, tdr, ue, brr_scale)                                                              \
    {.control = REGISTER_OF(base, cr1),                                                                                \
     .divider = REGISTER_OF(base, brr),                                                                                \
     .status = REGISTER_OF(base, isr),                                                                                 \
     .data = REGISTER_OF(base, tdr),                                                                                   \
     .enable = (ue),                                                                                                   \
     .scale = (brr_scale)}

/* BRR, to the nearest, without leaving 32 bits. */
static inline uint32_t usart_divider(uint32_t kernel_clock_hz, uint32_t scale)
{
    uint32_t whole = kernel_clock_hz / USART_BAUD;
    uint32_t rest = kernel_clock_hz % USART_BAUD;

    return scale * whole + (scale * rest + USART_BAUD / 2u) / USART_BAUD;
}

static inline void usart_on(const struct usart *usart, uint32_t kernel_clock_hz)
{
    *usart->divider = usart_divider(kernel_clock_hz, usart->scale);
    *usart->control = usart->enable | USART_CR1_TE | USART_CR1_RE;
}

static inline void usart_put(const struct usart *usart, char character)
{
    if (wait_for(usart->status, USART_TXE, USART_TXE)) {
        *usart->data = (uint8_t)character;
    }
}

/* Terminals want a carriage return in front of the line feed. */
static inline void usart_write(const struct usart *usart, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\n') {
            usart_put(usart, '\r');
        }
        usart_put(usart, text[i]);
    }
}

/* Returns when the last bit is on the wire. */
static inline void usart_drain(const struct usart *usart)
{
    (void)wait_for(usart->status, USART_TC, USART_TC);
}

#endif
