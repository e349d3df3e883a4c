/* SPDX-License-Identifier: MIT */
#include "approx_runtime.h"

enum {
    SUM_INTEGER_BITS = 12, /* the sum of a row is Q12.19 */
    SUM_LIMIT = 1 << 28,   /* 512 in Q12.19 */
};

/* (a * b + 2^30) / 2^31, rounded down: what gemmlowp's high multiply gives. */
static int32_t multiply_high(int32_t a, int32_t b)
{
    return (int32_t)(((int64_t)a * b + (INT64_C(1) << 30)) >> 31);
}

/* value * 2^bits, limited to 32 bits. */
static int32_t saturating_shift_left(int32_t value, int32_t bits)
{
    const int32_t limit = INT32_MAX >> bits;
    return value > limit ? INT32_MAX : value < -limit ? INT32_MIN : (int32_t)((uint32_t)value << bits);
}

/* value / 2^bits, halves rounded up; bits from 1 to 31. */
static uint32_t divide_by_power_of_two(uint32_t value, int32_t bits)
{
    return (value + (UINT32_C(1) << (bits - 1))) >> bits;
}

/* 1 / (1 + x) in Q0.31 for x in [0, 1) in Q0.31: three Newton-Raphson steps in Q2.29 on half the denominator. */
static int32_t reciprocal_of_one_plus(int32_t x)
{
    const int32_t half_denominator = (int32_t)(((int64_t)x + (INT64_C(1) << 31)) / 2);
    int32_t estimate = 1515870810 + multiply_high(half_denominator, -1010580540); /* 48/17 - 32/17 * denominator / 2 */
    for (int32_t step = 0; step < 3; step++) {
        const int32_t error = (1 << 29) - multiply_high(half_denominator, estimate);
        estimate += saturating_shift_left(multiply_high(estimate, error), 2);
    }
    return saturating_shift_left(estimate, 1);
}

/* A softmax in units of 2^-bits, 8 or 16, less half of 1; numbers of 16 bits lie as bytes, the lowest first. */
static void
soften(const int8_t *input, int32_t size, const int32_t *exponentials, int32_t count, int32_t bits, int8_t *output)
{
    int32_t greatest = INT8_MIN;
    for (int32_t i = 0; i < size; i++) {
        greatest = input[i] > greatest ? input[i] : greatest;
    }
    uint32_t sum = 0;
    for (int32_t i = 0; i < size && sum < SUM_LIMIT; i++) {
        const int32_t difference = greatest - input[i];
        if (difference < count) {
            sum += divide_by_power_of_two((uint32_t)exponentials[difference], SUM_INTEGER_BITS);
        }
    }
    if (sum >= SUM_LIMIT) {
        memset(output, -128, (size_t)size);
        return;
    }
    /* sum = (1 + fraction) * 2^(31 - headroom) in units of the last place; headroom is from 4 to 12. */
    int32_t headroom = 0;
    for (; (sum & UINT32_C(0x80000000)) == 0u; headroom++) {
        sum <<= 1;
    }
    const int32_t scale = reciprocal_of_one_plus((int32_t)(sum & UINT32_C(0x7FFFFFFF)));
    const int32_t shift = SUM_INTEGER_BITS - headroom + 31 - bits;
    const int32_t most = (1 << bits) - 1;
    for (int32_t i = 0; i < size; i++) {
        const int32_t difference = greatest - input[i];
        int32_t probability = 0;
        if (difference < count) {
            const int32_t product = multiply_high(scale, exponentials[difference]);
            probability = (int32_t)divide_by_power_of_two((uint32_t)product, shift);
        }
        const int32_t value = (probability > most ? most : probability) - (1 << (bits - 1));
        *output++ = (int8_t)value;
        if (bits > 8) {
            *output++ = (int8_t)(value >> 8);
        }
    }
}

void approx_softmax_s8(
    const int8_t *input, int32_t rows, int32_t size, const int32_t *exponentials, int32_t count, int8_t *output)
{
    for (int32_t row = 0; row < rows; row++) {
        soften(input + row * size, size, exponentials, count, 8, output + row * size);
    }
}

void approx_softmax_s8_s16(
    const int8_t *input, int32_t rows, int32_t size, const int32_t *exponentials, int32_t count, int8_t *output)
{
    for (int32_t row = 0; row < rows; row++) {
        soften(input + row * size, size, exponentials, count, 16, output + 2 * row * size);
    }
}
