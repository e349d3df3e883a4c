/* SPDX-License-Identifier: MIT */
#include "approx_broadcast.h"

static void prelu_row(const void *parameters,
                      int32_t count,
                      const int8_t *first,
                      int32_t first_step,
                      const int8_t *second,
                      int32_t second_step,
                      int8_t *output)
{
    const approx_slopes *const p = parameters;
    for (int32_t i = 0; i < count; i++) {
        const int32_t x = first[i * first_step] + p->input_offset;
        const int32_t alpha = second[i * second_step] + p->alpha_offset;
        const int32_t scaled = x >= 0 ? approx_scaled(x, p->positive) : approx_scaled(x * alpha, p->negative);
        output[i] = approx_limited(scaled + p->zero_point, -128, 127);
    }
}

void approx_prelu_s8(const approx_broadcast *shape,
                     const approx_slopes *slopes,
                     const int8_t *first,
                     const int8_t *second,
                     int8_t *output)
{
    approx_each_row(shape, prelu_row, slopes, first, second, output);
}
