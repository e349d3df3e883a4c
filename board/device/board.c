/*
 * The board interface for a part of which only the core is known: any STM32, on any board.
 *
 * Console: the core's trace port (ITM, port 0; the debugger that listens to SWO enables it), where the core has one.
 * Cycle counter: the core's DWT, where the core has one. Clock, flash and caches beyond the core stay as they are after
 * a reset. A function of the same name anywhere in the program takes the place of the three below:
 *
 *   device_start()  sets up power, clocks and flash (SystemClock_Config() of STM32CubeMX, for instance); returns the
 *                   core clock in Hz
 *   device_put()    writes a character to the console, to a UART for instance
 *   device_show()   shows how the program ended, with a LED for instance
 */
#include "board.h"
#include "cortex_m.h"
#include "device.h"
#include "registers.h"

#if defined(__ARM_ARCH_6M__) || defined(__ARM_ARCH_8M_BASE__)
#define HAS_TRACE 0 /* neither ITM nor cycle counter */
#else
#define HAS_TRACE 1
#endif

#define SCB_CPUID REGISTER(0xE000ED00)
#define CPUID_PARTNO_M7 0xC27u
#define ITM_STIM0 REGISTER(0xE0000000) /* stimulus port 0; reads 1 when it takes a character */
#define ITM_TER REGISTER(0xE0000E00)   /* trace enable: a bit a port */
#define ITM_TCR REGISTER(0xE0000E80)   /* trace control */
#define ITM_TCR_ITMENA BIT(0)

uint32_t device_start(void);
void device_put(char character);
void device_show(int status);

static uint32_t core_hz;

__attribute__((weak)) uint32_t device_start(void)
{
    return DEVICE_RESET_HZ;
}

__attribute__((weak)) void device_put(char character)
{
#if HAS_TRACE
    if ((*ITM_TCR & ITM_TCR_ITMENA) != 0u && (*ITM_TER & BIT(0)) != 0u && wait_for(ITM_STIM0, BIT(0), BIT(0))) {
        *(volatile uint8_t *)ITM_STIM0 = (uint8_t)character;
    }
#else
    (void)character;
#endif
}

__attribute__((weak)) void device_show(int status)
{
    (void)status;
}

void board_init(void)
{
    core_hz = device_start();
#if HAS_TRACE
    if (((*SCB_CPUID >> 4) & 0xFFFu) == CPUID_PARTNO_M7) {
        if ((*SCB_CCR & SCB_CCR_DC) == 0u) { /* else device_start() has done it, and lines hold data */
            cortex_m7_caches_on();
        }
        cycle_counter_unlock();
    }
    cycle_counter_start();
#endif
}

const char *board_name(void)
{
    return DEVICE_NAME;
}

uint32_t board_clock_hz(void)
{
    return core_hz;
}

void board_write(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        device_put(text[i]);
    }
}

uint32_t board_cycles(void)
{
#if HAS_TRACE
    return *DWT_CYCCNT;
#else
    return 0u;
#endif
}

int board_has_cycle_counter(void)
{
#if HAS_TRACE
    return cycle_counter_exists();
#else
    return 0;
#endif
}

void board_exit(int status)
{
    device_show(status);
    for (;;) {
    }
}
