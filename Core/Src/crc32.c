#include "crc32.h"

#define POLYNOMIAL 0xEDB88320u

/* What four zero bits do to a register that holds only `low`, its four lowest bits. */
static uint32_t shift_four_bits(uint32_t low)
{
    for (uint32_t bit = 0; bit < 4u; bit++) {
        low = (low >> 1) ^ ((low & 1u) != 0u ? POLYNOMIAL : 0u);
    }
    return low;
}

uint32_t crc32(const void *data, size_t length)
{
    /* Half a byte at a time: a table of 64 bytes, built here, is quick enough for self-tests and costs no flash. */
    uint32_t table[16];
    const uint8_t *bytes = data;
    uint32_t crc = 0xFFFFFFFFu;

    for (uint32_t low = 0; low < 16u; low++) {
        table[low] = shift_four_bits(low);
    }
    for (size_t i = 0; i < length; i++) {
        crc ^= bytes[i];
        crc = (crc >> 4) ^ table[crc & 15u];
        crc = (crc >> 4) ^ table[crc & 15u];
    }
    return ~crc;
}
