/*
 * Access to memory-mapped registers, for board.c files. Registers are named there by their address and by the name that
 * the reference manual gives them.
 */
#ifndef REGISTERS_H
#define REGISTERS_H

#include <stdint.h>

#define REGISTER(address) ((volatile uint32_t *)(address##u))
#define REGISTER_OF(base, offset) ((volatile uint32_t *)((base) + (offset)))
#define BIT(n) (UINT32_C(1) << (n))
#define FIELD(value, lowest_bit) ((uint32_t)(value) << (lowest_bit))

/* How often a status flag is read before we give up: more than 8 ms at the fastest core clock (a turn takes at least 4
 * cycles), while the slowest thing that is waited for (a PLL, a regulator, a character) takes less than 1 ms. */
#define WAIT_READS 1000000u

static inline void set_bits(volatile uint32_t *address, uint32_t mask)
{
    *address |= mask;
}

static inline void clear_bits(volatile uint32_t *address, uint32_t mask)
{
    *address &= ~mask;
}

/* Replaces the bits of `mask` by those of `value`. */
static inline void change_bits(volatile uint32_t *address, uint32_t mask, uint32_t value)
{
    *address = (*address & ~mask) | value;
}

/* Switches a peripheral's clock on. The read after the write gives the clock the two cycles that it needs. */
static inline void enable_clock(volatile uint32_t *address, uint32_t mask)
{
    set_bits(address, mask);
    (void)*address;
}

/* 1 as soon as the bits of `mask` read `value`, 0 if they never do. */
static inline int wait_for(const volatile uint32_t *address, uint32_t mask, uint32_t value)
{
    for (uint32_t reads = 0; reads < WAIT_READS; reads++) {
        if ((*address & mask) == value) {
            return 1;
        }
    }
    return 0;
}

#endif
