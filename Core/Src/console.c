#include "console.h"

#include <stddef.h>
#include <string.h>

#include "board.h"

#define LONGEST_NUMBER 24u /* 2^64 has 20 digits; a point may be added */

void console_text(const char *text)
{
    board_write(text, strlen(text));
}

void console_unsigned(uint64_t value)
{
    console_fixed(value, 0u);
}

void console_fixed(uint64_t value, uint32_t digits)
{
    char text[LONGEST_NUMBER];
    size_t first = sizeof text;
    uint32_t written = 0u;

    /* From the last digit to the first; at least one digit in front of the point. */
    do {
        text[--first] = (char)('0' + (int)(value % 10u));
        value /= 10u;
        written++;
        if (written == digits) {
            text[--first] = '.';
        }
    } while (value != 0u || written <= digits);
    board_write(&text[first], sizeof text - first);
}

void console_hex32(uint32_t value)
{
    static const char hex_digits[] = "0123456789abcdef";
    char text[10] = {'0', 'x'};

    for (uint32_t i = 0; i < 8u; i++) {
        text[2u + i] = hex_digits[(value >> (28u - 4u * i)) & 15u];
    }
    board_write(text, sizeof text);
}
