/* SPDX-License-Identifier: MIT */
#include "approx_operators.h"

/* sign: 1 for the largest, -1 for the smallest. */
static void
search(const int8_t *input, int32_t outer, int32_t count, int32_t inner, int32_t width, int32_t sign, int8_t *output)
{
    for (int32_t i = 0; i < outer; i++) {
        for (int32_t j = 0; j < inner; j++) {
            int32_t best = 0;
            for (int32_t k = 1; k < count; k++) {
                if (sign * input[k * inner + j] > sign * input[best * inner + j]) {
                    best = k;
                }
            }
            for (int32_t byte = 0; byte < width; byte++) {
                *output++ = (int8_t)(byte < 4 ? best >> (8 * byte) : 0);
            }
        }
        input += count * inner;
    }
}

void approx_arg_max_s8(const int8_t *input, int32_t outer, int32_t count, int32_t inner, int32_t width, int8_t *output)
{
    search(input, outer, count, inner, width, 1, output);
}

void approx_arg_min_s8(const int8_t *input, int32_t outer, int32_t count, int32_t inner, int32_t width, int8_t *output)
{
    search(input, outer, count, inner, width, -1, output);
}
