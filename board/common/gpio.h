/*
 * Pins. The GPIO block is the same in all series here: MODER at 0x00, OSPEEDR 0x08, BSRR 0x18, AFRL 0x20, AFRH 0x24.
 */
#ifndef GPIO_H
#define GPIO_H

#include "registers.h"

/* Gives a pin to a peripheral. port: base address; function: number of the alternate function (data sheet). */
static inline void gpio_alternate(uint32_t port, uint32_t pin, uint32_t function)
{
    volatile uint32_t *moder = REGISTER_OF(port, 0x00u);
    volatile uint32_t *ospeedr = REGISTER_OF(port, 0x08u);
    volatile uint32_t *afr = REGISTER_OF(port, 0x20u + 4u * (pin / 8u));

    change_bits(afr, FIELD(15, 4u * (pin % 8u)), FIELD(function, 4u * (pin % 8u)));
    change_bits(ospeedr, FIELD(3, 2u * pin), FIELD(1, 2u * pin)); /* medium speed */
    change_bits(moder, FIELD(3, 2u * pin), FIELD(2, 2u * pin));   /* 10: alternate function */
}

/* Makes a pin an output that is high. */
static inline void gpio_drive_high(uint32_t port, uint32_t pin)
{
    *REGISTER_OF(port, 0x18u) = BIT(pin);
    change_bits(REGISTER_OF(port, 0x00u), FIELD(3, 2u * pin), FIELD(1, 2u * pin)); /* 01: output */
}

#endif
