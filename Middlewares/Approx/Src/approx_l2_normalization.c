/* SPDX-License-Identifier: MIT */
#include "approx_operators.h"

enum {
    ONE = 1 << 28, /* in Q3.28 */
    HALF_THREE = 3 << 27,
    HALF_ROOT_OF_2 = 1518500250,
    STEPS = 5,
    OUTPUT_BITS = 7, /* the output's scale is 1/128 */
};

/* (a * b + 2^30) / 2^31, rounded down. */
static int32_t multiply_high(int32_t a, int32_t b)
{
    return (int32_t)(((int64_t)a * b + (INT64_C(1) << 30)) >> 31);
}

static int32_t saturating_shift_left(int32_t value, uint32_t bits)
{
    const int32_t limit = INT32_MAX >> bits;
    return value > limit ? INT32_MAX : value < -limit ? INT32_MIN : (int32_t)((uint32_t)value << bits);
}

/* 1 / sqrt(value) by Newton-Raphson from 1, on the value brought to [2^27, 2^29) by powers of 4. */
static approx_factor inverse_root(int32_t value)
{
    approx_factor found = {INT32_MAX, 0};
    if (value <= 1) {
        return found;
    }
    int32_t shift = 11;
    while (value >= 1 << 29) {
        value /= 4;
        shift++;
    }
    while (value < 1 << 27) {
        value *= 4;
        shift--;
    }
    const int32_t half = ((value >> 1) + 1) >> 1;
    int32_t x = ONE;
    for (int32_t step = 0; step < STEPS; step++) {
        const int32_t cube = saturating_shift_left(multiply_high(multiply_high(x, x), x), 6);
        x = saturating_shift_left(multiply_high(HALF_THREE, x) - multiply_high(half, cube), 3);
    }
    found.mantissa = multiply_high(x, HALF_ROOT_OF_2);
    if (shift < 0) {
        found.mantissa = (int32_t)((uint32_t)found.mantissa << (uint32_t)-shift);
        shift = 0;
    }
    found.shift = -shift;
    return found;
}

void approx_l2_normalization_s8(const int8_t *input, int32_t rows, int32_t size, int32_t input_offset, int8_t *output)
{
    for (int32_t row = 0; row < rows; row++) {
        uint32_t sum = 0;
        for (int32_t i = 0; i < size; i++) {
            const int32_t value = input[i] + input_offset;
            sum += (uint32_t)(value * value);
        }
        approx_factor factor = inverse_root((int32_t)sum);
        factor.shift += OUTPUT_BITS;
        for (int32_t i = 0; i < size; i++) {
            output[i] = approx_limited(approx_scaled(input[i] + input_offset, factor), -128, 127);
        }
        input += size;
        output += size;
    }
}
