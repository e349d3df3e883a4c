/*
 * What board.c needs of the core itself: the cycle counter, barriers, the level 1 caches of a Cortex-M7.
 * Register addresses are those of the Armv7-M and Armv8-M architecture reference manuals.
 */
#ifndef CORTEX_M_H
#define CORTEX_M_H

#include "registers.h"

#define DEMCR REGISTER(0xE000EDFC) /* debug exception and monitor control */
#define DEMCR_TRCENA BIT(24)       /* powers the DWT */
#define DWT_CTRL REGISTER(0xE0001000)
#define DWT_CTRL_CYCCNTENA BIT(0)
#define DWT_CTRL_NOCYCCNT BIT(25) /* reads 1 where there is no counter */
#define DWT_CYCCNT REGISTER(0xE0001004)
#define DWT_LAR REGISTER(0xE0001FB0) /* CoreSight lock access; Cortex-M7 only */

#define SCB_CCR REGISTER(0xE000ED14)
#define SCB_CCR_DC BIT(16)
#define SCB_CCR_IC BIT(17)
#define SCB_CCSIDR REGISTER(0xE000ED80) /* geometry of the cache that CSSELR selects */
#define SCB_CSSELR REGISTER(0xE000ED84) /* 0: level 1 data cache */
#define SCB_ICIALLU REGISTER(0xE000EF50)
#define SCB_DCISW REGISTER(0xE000EF60) /* invalidate a data line by way [31:30] and set [13:5] */

static inline void barrier(void)
{
    __asm volatile("dsb\n\tisb" ::: "memory");
}

static inline void cycle_counter_start(void)
{
    set_bits(DEMCR, DEMCR_TRCENA);
    *DWT_CYCCNT = 0u;
    set_bits(DWT_CTRL, DWT_CTRL_CYCCNTENA);
}

/* The DWT of a Cortex-M7 ignores writes by software until this key has been written. */
static inline void cycle_counter_unlock(void)
{
    set_bits(DEMCR, DEMCR_TRCENA);
    *DWT_LAR = 0xC5ACCE55u;
}

static inline int cycle_counter_exists(void)
{
    return (*DWT_CTRL & DWT_CTRL_NOCYCCNT) == 0u;
}

/* Switches both level 1 caches of a Cortex-M7 on. Their content is undefined after a reset, so it is dropped first. */
static inline void cortex_m7_caches_on(void)
{
    *SCB_ICIALLU = 0u;
    barrier();
    set_bits(SCB_CCR, SCB_CCR_IC);
    barrier();

    *SCB_CSSELR = 0u;
    barrier();
    uint32_t geometry = *SCB_CCSIDR;
    uint32_t last_set = (geometry >> 13) & 0x7FFFu;
    uint32_t last_way = (geometry >> 3) & 0x3FFu;
    for (uint32_t set = 0; set <= last_set; set++) {
        for (uint32_t way = 0; way <= last_way; way++) {
            *SCB_DCISW = FIELD(way, 30) | FIELD(set, 5);
        }
    }
    barrier();
    set_bits(SCB_CCR, SCB_CCR_DC);
    barrier();
}

#endif
