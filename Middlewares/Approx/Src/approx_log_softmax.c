/* SPDX-License-Identifier: MIT */
#include "approx_operators.h"

enum {
    SUM_BITS = 12,   /* integer bits of the sum of exponentials */
    RESULT_BITS = 6, /* integer bits of the logarithm's parts */
    OUTPUT_BITS = 22,
    OUTPUT_ZERO = 127,
    LN_2 = 1488522236,
    ROOT_HALF = 1518500250,
    ROOT_ROOT_HALF = 1805811301,
    ALPHA_N = 117049297,
    ALPHA_D = 127690142,
    ALPHA_I = 1057819769,
    ALPHA_F = 638450708,
};

static int32_t multiply_high(int32_t a, int32_t b)
{
    return (int32_t)(((int64_t)a * b + (INT64_C(1) << 30)) >> 31);
}

static int32_t saturated(int64_t value)
{
    return value > INT32_MAX ? INT32_MAX : value < INT32_MIN ? INT32_MIN : (int32_t)value;
}

/* value / 2^bits, halves rounded away from zero. */
static int32_t divide(int64_t value, int32_t bits)
{
    const int64_t half = INT64_C(1) << (bits - 1);
    return (int32_t)(value < 0 ? -((half - value) >> bits) : (value + half) >> bits);
}

static int32_t leading_zeros(uint32_t value)
{
    int32_t count = 0;
    for (; value < UINT32_C(0x80000000); value <<= 1) {
        count++;
    }
    return count;
}

/* 1 / (1 + x) in Q0.31 for x in [0, 1) in Q0.31. */
static int32_t reciprocal_of_one_plus(int32_t x)
{
    const int32_t half_denominator = (int32_t)(((int64_t)x + (INT64_C(1) << 31)) / 2);
    int32_t estimate = 1515870810 + multiply_high(half_denominator, -1010580540);
    for (int32_t step = 0; step < 3; step++) {
        const int32_t error = (1 << 29) - multiply_high(half_denominator, estimate);
        estimate += saturated((int64_t)multiply_high(estimate, error) * 4);
    }
    return saturated((int64_t)estimate * 2);
}

/* ln(x) in Q5.26 of x >= 1 in Q12.19: a power of two, and a rational function of what is left, which is near 1. */
static int32_t logarithm(int32_t value)
{
    const int64_t unit = INT64_C(1) << (31 - RESULT_BITS);
    const int32_t headroom = leading_zeros((uint32_t)value);
    const int32_t r_a = saturated((int64_t)multiply_high((int32_t)((uint32_t)value << (headroom - 1)), ROOT_HALF) * 2);
    const int32_t power_a = saturated((SUM_BITS - headroom) * unit + unit / 4);
    const int32_t headroom_b = leading_zeros((uint32_t)multiply_high(value, ROOT_HALF)) - 1;
    const int32_t r_b = saturated((int64_t)value * (INT64_C(1) << headroom_b));
    const int32_t power_b = saturated((SUM_BITS - headroom_b) * unit - unit / 4);
    const int32_t r = r_a < r_b ? r_a : r_b;
    const int32_t power = power_a > power_b ? power_a : power_b;
    const int32_t p = (int32_t)(((int64_t)r + ROOT_ROOT_HALF + 1) >> 1);
    const int32_t q = 2 * (r - ROOT_ROOT_HALF);
    const int32_t square = multiply_high(q, q);
    const int32_t numerator = multiply_high(q, r) + multiply_high(multiply_high(q, square), ALPHA_N);
    const int32_t inner = ALPHA_I + q + multiply_high(square, ALPHA_D);
    const int32_t denominator = multiply_high(p, inner) + multiply_high(q, ALPHA_F);
    const int32_t near_one = multiply_high(divide(numerator, RESULT_BITS), reciprocal_of_one_plus(denominator));
    return saturated(((int64_t)multiply_high(power, LN_2) + near_one) * 2);
}

void approx_log_softmax_s8(
    const approx_log_softmax *softmax, const int32_t *scaled, const int32_t *terms, const int8_t *input, int8_t *output)
{
    for (int32_t row = 0; row < softmax->rows; row++) {
        int32_t greatest = INT8_MIN;
        for (int32_t i = 0; i < softmax->size; i++) {
            greatest = input[i] > greatest ? input[i] : greatest;
        }
        uint32_t sum = 0;
        for (int32_t i = 0; i < softmax->size; i++) {
            const int32_t difference = greatest - input[i];
            sum += difference < softmax->count ? (uint32_t)terms[difference] : 0u;
        }
        const int32_t total = logarithm(sum > INT32_MAX ? INT32_MAX : (int32_t)sum);
        const int32_t reach = -approx_scaled(total + INT32_MIN, softmax->reverse);
        const int32_t count = reach < softmax->count ? reach : softmax->count;
        for (int32_t i = 0; i < softmax->size; i++) {
            const int32_t difference = greatest - input[i];
            const int32_t value =
                difference < count ? divide((int64_t)scaled[difference] - total, OUTPUT_BITS) + OUTPUT_ZERO : INT8_MIN;
            output[i] = approx_limited(value, -128, 127);
        }
        input += softmax->size;
        output += softmax->size;
    }
}
