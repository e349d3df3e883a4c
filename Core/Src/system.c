/*
 * The first C code after a reset: Reset_Handler calls it before any data is initialised.
 */
#include <stdint.h>

#define SCB_VTOR (*(volatile uint32_t *)0xE000ED08u)  /* vector table offset */
#define SCB_CPACR (*(volatile uint32_t *)0xE000ED88u) /* coprocessor access control */
#define CPACR_FPU_FULL_ACCESS (0xFu << 20)            /* CP10 and CP11 */

extern const uint32_t g_pfnVectors[]; /* the vector table, from the startup file */

void SystemInit(void);
void SystemInit(void)
{
#ifdef __ARM_FP
    SCB_CPACR |= CPACR_FPU_FULL_ACCESS;
#endif
    SCB_VTOR = (uint32_t)(uintptr_t)g_pfnVectors;
    __asm volatile("dsb\n\tisb" ::: "memory");
}
