/*
 * How much stack the program has used: the free RAM is painted once, and what still shows the paint was never used.
 */
#ifndef STACK_H
#define STACK_H

#include <stdint.h>

/* Paints everything between the heap and the stack. To be called early in main(). */
void stack_paint(void);

/* Bytes between the top of the stack and the deepest word that has been written since. */
uint32_t stack_used(void);

#endif
