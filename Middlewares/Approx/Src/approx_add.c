/* SPDX-License-Identifier: MIT */
#include "approx_broadcast.h"

static int32_t raised(const approx_sum *sum, approx_summand summand, int8_t value)
{
    return approx_scaled((int32_t)((uint32_t)(value + summand.offset) << sum->left_shift), summand.factor);
}

static int8_t finished(const approx_sum *sum, uint32_t total)
{
    return approx_limited(approx_scaled((int32_t)total, sum->factor) + sum->zero_point, sum->minimum, sum->maximum);
}

static void add_row(const void *parameters,
                    int32_t count,
                    const int8_t *first,
                    int32_t first_step,
                    const int8_t *second,
                    int32_t second_step,
                    int8_t *output)
{
    const approx_sum *const sum = parameters;
    for (int32_t i = 0; i < count; i++) {
        const uint32_t one = (uint32_t)raised(sum, sum->first, first[i * first_step]);
        output[i] = finished(sum, one + (uint32_t)raised(sum, sum->second, second[i * second_step]));
    }
}

static void sub_row(const void *parameters,
                    int32_t count,
                    const int8_t *first,
                    int32_t first_step,
                    const int8_t *second,
                    int32_t second_step,
                    int8_t *output)
{
    const approx_sum *const sum = parameters;
    for (int32_t i = 0; i < count; i++) {
        const uint32_t one = (uint32_t)raised(sum, sum->first, first[i * first_step]);
        output[i] = finished(sum, one - (uint32_t)raised(sum, sum->second, second[i * second_step]));
    }
}

void approx_add_s8(
    const approx_broadcast *shape, const approx_sum *sum, const int8_t *first, const int8_t *second, int8_t *output)
{
    approx_each_row(shape, add_row, sum, first, second, output);
}

void approx_sub_s8(
    const approx_broadcast *shape, const approx_sum *sum, const int8_t *first, const int8_t *second, int8_t *output)
{
    approx_each_row(shape, sub_row, sum, first, second, output);
}
