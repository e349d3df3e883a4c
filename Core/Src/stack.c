#include "stack.h"

#include "sysmem.h"

#define PAINT 0x5AFE57ACu
#define MARGIN 64u /* bytes below the stack pointer that stack_paint() itself may use */

extern uint32_t _estack; /* from the linker script: its address is the top of the stack */

static volatile uint32_t *lowest_free_word(void)
{
    return (volatile uint32_t *)(((uintptr_t)heap_end() + 3u) & ~(uintptr_t)3u);
}

void stack_paint(void)
{
    uintptr_t stack_pointer;

    __asm volatile("mov %0, sp" : "=r"(stack_pointer));
    volatile uint32_t *end = (volatile uint32_t *)(stack_pointer - MARGIN);
    for (volatile uint32_t *word = lowest_free_word(); word < end; word++) {
        *word = PAINT;
    }
}

uint32_t stack_used(void)
{
    const volatile uint32_t *top = &_estack;
    const volatile uint32_t *word = lowest_free_word();

    while (word < top && *word == PAINT) {
        word++;
    }
    return (uint32_t)((uintptr_t)top - (uintptr_t)word);
}
