/* SPDX-License-Identifier: MIT */
#include "approx_broadcast.h"

static void maximum_row(const void *parameters,
                        int32_t count,
                        const int8_t *first,
                        int32_t first_step,
                        const int8_t *second,
                        int32_t second_step,
                        int8_t *output)
{
    (void)parameters;
    for (int32_t i = 0; i < count; i++) {
        const int8_t one = first[i * first_step];
        const int8_t other = second[i * second_step];
        output[i] = one > other ? one : other;
    }
}

static void minimum_row(const void *parameters,
                        int32_t count,
                        const int8_t *first,
                        int32_t first_step,
                        const int8_t *second,
                        int32_t second_step,
                        int8_t *output)
{
    (void)parameters;
    for (int32_t i = 0; i < count; i++) {
        const int8_t one = first[i * first_step];
        const int8_t other = second[i * second_step];
        output[i] = one < other ? one : other;
    }
}

void approx_maximum_s8(const approx_broadcast *shape, const int8_t *first, const int8_t *second, int8_t *output)
{
    approx_each_row(shape, maximum_row, 0, first, second, output);
}

void approx_minimum_s8(const approx_broadcast *shape, const int8_t *first, const int8_t *second, int8_t *output)
{
    approx_each_row(shape, minimum_row, 0, first, second, output);
}
