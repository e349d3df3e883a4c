/* SPDX-License-Identifier: MIT
 *
 * Softmax in fixed point. The steps and their roundings are fixed by TensorFlow Lite's reference kernel (which computes
 * with gemmlowp's fixed-point types); "Qi.f" is a 32-bit number with i integer and f fraction bits beside its sign.
 */
#include "arm_nnfunctions.h"

#include "fixed_point.h"

enum {
    SUM_INTEGER_BITS = 12, /* the sum of a row is Q12.19 */
    SUM_LIMIT = 1 << 28,   /* 512: all probabilities are less than half of 1/256 from here on */
    QUARTER_BIT = 24,      /* 1/4 in Q5.26 is 1 << 24 */
};

#define ONE_Q31 INT32_MAX
#define THIRD_Q31 715827883         /* 1/3 */
#define EXP_MINUS_EIGHTH 1895147668 /* exp(-1/8) in Q0.31 */

/* exp(-1/4), exp(-1/2), exp(-1), ... exp(-16) in Q0.31 */
static const int32_t exp_of_powers[] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};

/* value * 2^bits, limited to 32 bits. */
static int32_t saturating_shift_left(int32_t value, int32_t bits)
{
    const int32_t limit = INT32_MAX >> bits;
    return value > limit ? INT32_MAX : value < -limit ? INT32_MIN : shift_left(value, bits);
}

/* exp(x) in Q0.31 for x <= 0 in Q5.26: a Taylor polynomial for the part in [-1/4, 0), tabled factors for the rest. */
static int32_t exp_of_negative(int32_t x)
{
    if (x == 0) {
        return ONE_Q31;
    }
    const int32_t part = (x & ((1 << QUARTER_BIT) - 1)) - (1 << QUARTER_BIT);
    const uint32_t rest = (uint32_t)part - (uint32_t)x; /* whole quarters */

    const int32_t t = shift_left(part, 5) + (1 << 28); /* distance to -1/8, in Q0.31 */
    const int32_t t2 = multiply_high(t, t);
    const int32_t t3 = multiply_high(t2, t);
    const int32_t t4 = multiply_high(t2, t2);
    const int32_t third_order_up = multiply_high(divide_by_power_of_two(t4, 2) + t3, THIRD_Q31);
    const int32_t polynomial = t + divide_by_power_of_two(third_order_up + t2, 1);
    int32_t result = EXP_MINUS_EIGHTH + multiply_high(EXP_MINUS_EIGHTH, polynomial);

    for (int32_t i = 0; i < (int32_t)(sizeof exp_of_powers / sizeof exp_of_powers[0]); i++) {
        if ((rest >> (QUARTER_BIT + i)) & 1u) {
            result = multiply_high(result, exp_of_powers[i]);
        }
    }
    return result;
}

/* 1 / (1 + x) in Q0.31 for x in [0, 1) in Q0.31: three Newton-Raphson steps in Q2.29 on half the denominator. */
static int32_t reciprocal_of_one_plus(int32_t x)
{
    const int32_t half_denominator = (int32_t)(((int64_t)x + ONE_Q31 + 1) / 2);
    int32_t estimate = 1515870810 + multiply_high(half_denominator, -1010580540); /* 48/17 - 32/17 * denominator / 2 */
    for (int32_t step = 0; step < 3; step++) {
        const int32_t error = (1 << 29) - multiply_high(half_denominator, estimate);
        estimate += saturating_shift_left(multiply_high(estimate, error), 2);
    }
    return saturating_shift_left(estimate, 1);
}

static void
softmax_row(const int8_t *input, int32_t count, int32_t mult, int32_t shift, int32_t diff_min, int8_t *output)
{
    int32_t greatest = INT8_MIN;
    for (int32_t i = 0; i < count; i++) {
        greatest = input[i] > greatest ? input[i] : greatest;
    }

    uint32_t sum = 0;
    for (int32_t i = 0; i < count && sum < SUM_LIMIT; i++) {
        const int32_t difference = input[i] - greatest;
        if (difference >= diff_min) {
            const int32_t exponential = exp_of_negative(multiply_high(shift_left(difference, shift), mult));
            sum += (uint32_t)divide_by_power_of_two(exponential, SUM_INTEGER_BITS);
        }
    }

    /* sum = (1 + fraction) * 2^(31 - headroom) in units of the last place */
    int32_t headroom = 0;
    while (sum != 0u && (sum & 0x80000000u) == 0u) {
        sum <<= 1;
        headroom++;
    }
    const int32_t scale = reciprocal_of_one_plus((int32_t)(sum & 0x7FFFFFFFu));
    const int32_t bits = SUM_INTEGER_BITS - headroom + 31 - 8;

    for (int32_t i = 0; i < count; i++) {
        const int32_t difference = input[i] - greatest;
        int32_t probability = 0;
        if (difference >= diff_min && bits <= 31) { /* more bits leave less than half of the last place */
            const int32_t exponential = exp_of_negative(multiply_high(shift_left(difference, shift), mult));
            probability = divide_by_power_of_two(multiply_high(scale, exponential), bits);
        }
        output[i] = (int8_t)clamp(probability + INT8_MIN, INT8_MIN, INT8_MAX);
    }
}

void arm_softmax_s8(const int8_t *input,
                    const int32_t num_rows,
                    const int32_t row_size,
                    const int32_t mult,
                    const int32_t shift,
                    const int32_t diff_min,
                    int8_t *output)
{
    for (int32_t row = 0; row < num_rows; row++) {
        softmax_row(input + row * row_size, row_size, mult, shift, diff_min, output + row * row_size);
    }
}
