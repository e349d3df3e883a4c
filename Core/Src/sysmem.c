/*
 * The heap of newlib's malloc: from the end of the static data up to the space that the linker script keeps for the
 * stack. The network itself never allocates.
 */
#include "sysmem.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

extern uint8_t _end;            /* from the linker script: end of the static data */
extern uint8_t _estack;         /* top of the stack */
extern uint8_t _Min_Stack_Size; /* its address is the number */

static uint8_t *next = &_end;

void *heap_end(void)
{
    return next;
}

void *_sbrk(ptrdiff_t increment);
void *_sbrk(ptrdiff_t increment)
{
    uintptr_t limit = (uintptr_t)&_estack - (uintptr_t)&_Min_Stack_Size;
    uint8_t *previous = next;

    if (increment > 0 && (uintptr_t)increment > limit - (uintptr_t)next) {
        errno = ENOMEM;
        return (void *)-1;
    }
    next += increment;
    return previous;
}
