/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "approx_operators.h"

static int32_t dot_product(const int8_t *values, const int8_t *weights, int32_t count, int32_t offset)
{
    uint32_t sum = 0;
    for (int32_t i = 0; i < count; i++) {
        sum += (uint32_t)((values[i] + offset) * weights[i]);
    }
    return (int32_t)sum;
}

void approx_svdf_features_s8(
    const approx_svdf *svdf, const int8_t *weights, const int8_t *input, const int8_t *state, int8_t *output)
{
    const int32_t limit = (int32_t)(UINT32_C(1) << (8 * svdf->width - 1));
    const int32_t row = svdf->memory * svdf->width;
    for (int32_t filter = 0; filter < svdf->filters; filter++) {
        const int32_t sum = dot_product(input, weights + filter * svdf->features, svdf->features, svdf->input_offset);
        int32_t value = approx_scaled(sum, svdf->factor);
        value = (value < -limit ? -limit : value > limit - 1 ? limit - 1 : value) + svdf->zero_point;
        memcpy(output, state + svdf->width, (size_t)(row - svdf->width));
        int8_t *const newest = output + row - svdf->width;
        newest[0] = (int8_t)value;
        if (svdf->width > 1) {
            newest[1] = (int8_t)(value >> 8);
        }
        state += row;
        output += row;
    }
}

void approx_svdf_time_s8(
    const approx_svdf *svdf, const void *weights, const int32_t *bias, const int8_t *state, int8_t *output)
{
    const int32_t count = svdf->memory * svdf->rank;
    for (int32_t unit = 0; unit < svdf->filters; unit++) {
        uint32_t sum = (uint32_t)bias[unit];
        if (svdf->width > 1) {
            const int16_t *const factors = (const int16_t *)weights + unit * count;
            for (int32_t i = 0; i < count; i++) {
                int16_t held;
                memcpy(&held, state + 2 * i, sizeof held);
                sum += (uint32_t)((held + svdf->input_offset) * factors[i]);
            }
        } else {
            sum += (uint32_t)dot_product(state, (const int8_t *)weights + unit * count, count, svdf->input_offset);
        }
        state += count * svdf->width;
        const int32_t value =
            (int32_t)((uint32_t)approx_scaled((int32_t)sum, svdf->factor) + (uint32_t)svdf->zero_point);
        output[unit] = approx_limited(value, -128, 127);
    }
}
