/* SPDX-License-Identifier: MIT */
#include "approx_broadcast.h"

static void mul_row(const void *parameters,
                    int32_t count,
                    const int8_t *first,
                    int32_t first_step,
                    const int8_t *second,
                    int32_t second_step,
                    int8_t *output)
{
    const approx_product *const p = parameters;
    for (int32_t i = 0; i < count; i++) {
        const int32_t one = first[i * first_step] + p->first_offset;
        const int32_t product = one * (second[i * second_step] + p->second_offset);
        output[i] = approx_limited(approx_scaled(product, p->factor) + p->zero_point, p->minimum, p->maximum);
    }
}

void approx_mul_s8(const approx_broadcast *shape,
                   const approx_product *product,
                   const int8_t *first,
                   const int8_t *second,
                   int8_t *output)
{
    approx_each_row(shape, mul_row, product, first, second, output);
}
