/*
 * Small text output on the board's console, without floating point and without printf, which would cost kilobytes of
 * flash.
 */
#ifndef CONSOLE_H
#define CONSOLE_H

#include <stdint.h>

void console_text(const char *text);

/* Decimal, without leading zeros. */
void console_unsigned(uint64_t value);

/* `value` / 10^digits with all its `digits` decimals: (62976, 3) is "62.976". */
void console_fixed(uint64_t value, uint32_t digits);

/* "0x" and eight hexadecimal digits. */
void console_hex32(uint32_t value);

#endif
