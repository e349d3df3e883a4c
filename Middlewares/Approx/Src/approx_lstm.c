/* SPDX-License-Identifier: MIT */
#include "approx_operators.h"
#include "approx_runtime.h"

/* Fixed point of 16 bits, as gemmlowp has it: Qi.f has i integer bits and f = 15 - i fraction bits. */
enum {
    ONE = 32767,        /* in Q0.15 */
    QUARTER_BITS = 2,   /* exp is computed on a quarter, the rest are factors */
    EXP_EIGHTH = 28918, /* exp(-1/8) */
    THIRD = 10923,
    F48_17 = 23130, /* 48/17 in Q2.13 */
    F32_17 = 15420, /* 32/17 in Q2.13 */
    FORGET = 1,
    CELL = 2,
    OUTPUT = 3,
};

/* exp(-1/4), exp(-1/2), exp(-1), ... in Q0.15 */
static const int16_t powers[] = {25520, 19875, 12055, 4435, 600, 11, 0};

static int32_t saturated(int32_t value)
{
    return value > INT16_MAX ? INT16_MAX : value < INT16_MIN ? INT16_MIN : value;
}

/* The product of two numbers of 16 bits, halves rounded up. */
static int32_t multiply(int32_t a, int32_t b)
{
    const int32_t product = (a * b + (1 << 14)) >> 15;
    return product > ONE ? ONE : product;
}

/* value / 2^bits, halves rounded away from zero; bits >= 1. */
static int32_t divide(int32_t value, int32_t bits)
{
    const int32_t half = 1 << (bits - 1);
    return value < 0 ? -((half - value) >> bits) : (value + half) >> bits;
}

/* exp(a) in Q0.15 of a <= 0. */
static int32_t exp_of_negative(int32_t value, int32_t integer_bits)
{
    const int32_t fraction_bits = 15 - integer_bits;
    const int32_t quarter = 1 << (fraction_bits - QUARTER_BITS);
    if (value == 0) {
        return ONE;
    }
    if (integer_bits > 5 && value < -(32 << fraction_bits)) {
        return 0;
    }
    const int32_t remainder = (value & (quarter - 1)) - quarter;
    const int32_t x = saturated(remainder * (1 << integer_bits)) + (1 << 12);
    const int32_t x2 = multiply(x, x);
    const int32_t x3 = multiply(x2, x);
    const int32_t x4_over_4 = divide(multiply(x2, x2), 2);
    const int32_t tail = divide(multiply(x4_over_4 + x3, THIRD) + x2, 1);
    int32_t result = saturated(EXP_EIGHTH + multiply(x + tail, EXP_EIGHTH));
    const int32_t quarters = (remainder - value) >> (fraction_bits - QUARTER_BITS);
    const int32_t count = integer_bits + QUARTER_BITS < 7 ? integer_bits + QUARTER_BITS : 7;
    for (int32_t i = 0; i < count; i++) {
        if (((quarters >> i) & 1) != 0) {
            result = multiply(result, powers[i]);
        }
    }
    return result;
}

/* 2 / (1 + a) in Q2.13 of 0 <= a < 1 in Q0.15: three steps of Newton-Raphson. */
static int32_t reciprocal(int32_t value)
{
    const int32_t half_denominator = (value + ONE + 1) >> 1;
    int32_t x = F48_17 + multiply(half_denominator, -F32_17);
    for (int32_t step = 0; step < 3; step++) {
        const int32_t error = (1 << 13) - multiply(half_denominator, x);
        x += saturated(multiply(x, error) * 4);
    }
    return x;
}

/* In Q0.15 of a number in Q3.12. */
static int32_t sigmoid(int32_t value)
{
    if (value == 0) {
        return 1 << 14;
    }
    const int32_t above = saturated(reciprocal(exp_of_negative(value > 0 ? -value : value, 3)) * 2);
    return value > 0 ? above : ONE - above;
}

/* In Q0.15. */
static int32_t hyperbolic_tangent(int32_t value, int32_t integer_bits)
{
    if (value == 0) {
        return 0;
    }
    const int32_t exponential = exp_of_negative(value > 0 ? -value : value, integer_bits + 1);
    const int32_t above = saturated((reciprocal(exponential) - (1 << 13)) * 4);
    return value > 0 ? above : -above;
}

/* start + the sum of products, modulo 2^32: four at a time where the core has instructions for pairs. */
static int32_t dot_product(const int8_t *values, const int8_t *weights, int32_t count, int32_t start)
{
    int32_t sum = start;
    int32_t i = 0;
#if defined(__ARM_FEATURE_DSP)
    for (; i + 4 <= count; i += 4) {
        uint32_t four;
        uint32_t others;
        memcpy(&four, values + i, sizeof four);
        memcpy(&others, weights + i, sizeof others);
        sum = __smlad(__sxtb16((int8x4_t)four), __sxtb16((int8x4_t)others), sum);
        four = four >> 8 | four << 24;
        others = others >> 8 | others << 24;
        sum = __smlad(__sxtb16((int8x4_t)four), __sxtb16((int8x4_t)others), sum);
    }
#endif
    for (; i < count; i++) {
        sum = (int32_t)((uint32_t)sum + (uint32_t)(values[i] * weights[i]));
    }
    return sum;
}

/* What goes into the function of a gate, in Q3.12. */
static int32_t gate_of(const approx_lstm *lstm, int32_t gate, int32_t cell, const int8_t *features, const int8_t *last)
{
    const int32_t pitch = lstm->features + lstm->cells;
    const int8_t *const weights = lstm->weights + (gate * lstm->cells + cell) * pitch;
    const int32_t *const bias = lstm->bias + 2 * gate * lstm->cells + cell;
    const int32_t first = dot_product(features, weights, lstm->features, bias[0]);
    const int32_t second = dot_product(last, weights + lstm->features, lstm->cells, bias[lstm->cells]);
    const int32_t sum = saturated(approx_scaled(first, lstm->factors[2 * gate]));
    return saturated(approx_scaled(second, lstm->factors[2 * gate + 1]) + sum);
}

void approx_lstm_s8(
    const approx_lstm *lstm, const int8_t *input, const int8_t *last, const int8_t *cell, int8_t *output)
{
    /* The cell lies in front of all steps' outputs; nothing is said of its alignment. */
    int8_t *const cells = output;
    output += 2 * lstm->cells;
    memcpy(cells, cell, (size_t)(2 * lstm->cells));
    for (int32_t step = 0; step < lstm->steps; step++) {
        for (int32_t i = 0; i < lstm->cells; i++) {
            int16_t held;
            memcpy(&held, cells + 2 * i, sizeof held);
            const int32_t kept = divide(sigmoid(gate_of(lstm, FORGET, i, input, last)) * held, 15);
            const int32_t modulation = hyperbolic_tangent(gate_of(lstm, CELL, i, input, last), 3);
            const int32_t entry = sigmoid(gate_of(lstm, 0, i, input, last));
            int32_t value = saturated(kept + divide(entry * modulation, 15 + lstm->cell_bits));
            if (lstm->clip > 0) {
                value = value > lstm->clip ? lstm->clip : value < -lstm->clip ? -lstm->clip : value;
            }
            held = (int16_t)value;
            memcpy(cells + 2 * i, &held, sizeof held);
            const int32_t open = sigmoid(gate_of(lstm, OUTPUT, i, input, last));
            const int32_t hidden = open * hyperbolic_tangent(value, lstm->cell_bits);
            output[i] = approx_limited(approx_scaled(hidden, lstm->hidden) + lstm->zero_point, -128, 127);
        }
        last = output;
        output += lstm->cells;
        input += lstm->features;
    }
}
