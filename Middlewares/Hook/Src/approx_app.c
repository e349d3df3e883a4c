/* SPDX-License-Identifier: MIT */
#include "approx_app.h"

#include <stddef.h>
#include <string.h>

#include "approx_network.h"

#define APP_WEAK __attribute__((weak))

/* Of every Cortex-M with a DWT: ARMv7-M Architecture Reference Manual, C1.6 and C1.8. */
#define DEMCR (*(volatile uint32_t *)0xE000EDFCu)
#define DEMCR_TRCENA (UINT32_C(1) << 24)
#define DWT_CTRL (*(volatile uint32_t *)0xE0001000u)
#define DWT_CTRL_CYCCNTENA UINT32_C(1)
#define DWT_CTRL_NOCYCCNT (UINT32_C(1) << 25)
#define DWT_CYCCNT (*(volatile uint32_t *)0xE0001004u)
#define DWT_LAR (*(volatile uint32_t *)0xE0001FB0u)
#define DWT_UNLOCK 0xC5ACCE55u

static uint8_t activations[APPROX_NETWORK_ACTIVATIONS_SIZE + 1u]
    __attribute__((aligned(APPROX_NETWORK_ACTIVATIONS_ALIGNMENT)));
static int8_t input[APPROX_NETWORK_IN_SIZE_BYTES] __attribute__((aligned(8)));
static int8_t output[APPROX_NETWORK_OUT_SIZE_BYTES] __attribute__((aligned(8)));

/* The function by which CubeMX's syscalls.c prints; a project need not have one. */
extern int __io_putchar(int character) APP_WEAK;

APP_WEAK int approx_app_acquire(int8_t *values)
{
    static int is_done = 0;

    if (is_done) {
        return 0;
    }
    is_done = 1;
    memset(values, 0, APPROX_NETWORK_IN_SIZE_BYTES);
    return 1;
}

APP_WEAK void approx_app_write(const char *text, uint32_t length)
{
    if (__io_putchar == NULL) {
        return;
    }
    for (uint32_t i = 0; i < length; i++) {
        (void)__io_putchar(text[i]);
    }
}

APP_WEAK uint32_t approx_app_cycles(void)
{
#if defined(__ARM_ARCH_6M__) || defined(__ARM_ARCH_8M_BASE__)
    return 0u;
#else
    return DWT_CYCCNT;
#endif
}

static void start_cycle_counter(void)
{
#if !defined(__ARM_ARCH_6M__) && !defined(__ARM_ARCH_8M_BASE__)
    DEMCR |= DEMCR_TRCENA;
    DWT_LAR = DWT_UNLOCK; /* Cortex-M7 asks for it; others ignore it */
    if ((DWT_CTRL & DWT_CTRL_NOCYCCNT) == 0u) {
        DWT_CTRL |= DWT_CTRL_CYCCNTENA;
    }
#endif
}

static void print(const char *text)
{
    approx_app_write(text, (uint32_t)strlen(text));
}

static void print_number(uint32_t value)
{
    char digits[10];
    uint32_t first = sizeof digits;

    do {
        digits[--first] = (char)('0' + (int)(value % 10u));
        value /= 10u;
    } while (value != 0u);
    approx_app_write(&digits[first], (uint32_t)sizeof digits - first);
}

APP_WEAK void approx_app_result(const int8_t *values, int32_t status, uint32_t cycles)
{
    (void)values;
    print("approx: network \"" APPROX_NETWORK_MODEL_NAME "\"");
    if (status == 0) {
        print(" cycles ");
        print_number(cycles);
    } else {
        print(" FAILED layer ");
        print_number((uint32_t)status - 1u);
    }
    print("\r\n");
}

void MX_APPROX_Init(void)
{
    start_cycle_counter();
    approx_network_reset();
}

void MX_APPROX_Process(void)
{
    if (!approx_app_acquire(input)) {
        return;
    }
    const uint32_t start = approx_app_cycles();
    const int32_t status = approx_network_run(activations, input, output);

    approx_app_result(output, status, approx_app_cycles() - start);
}
