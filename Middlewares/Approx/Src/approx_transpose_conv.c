/* SPDX-License-Identifier: MIT */
#include "approx_operators.h"

/* Taps of the kernel along one axis that reach an output place: tap = first, first + stride, ... below `end`, from the
   input places origin, origin - 1, ... */
typedef struct {
    int32_t first;
    int32_t end;
    int32_t origin;
} reach;

static reach reaching(int32_t place, int32_t stride, int32_t kernel, int32_t extent)
{
    reach found = {place % stride, kernel < place + 1 ? kernel : place + 1, place / stride};
    /* Places behind the input's end take no part. */
    if (found.origin >= extent) {
        found.first += (found.origin - extent + 1) * stride;
        found.origin = extent - 1;
    }
    return found;
}

static uint32_t dot_product(const int8_t *input, const int8_t *weights, int32_t count, int32_t offset)
{
    uint32_t sum = 0;
    for (int32_t i = 0; i < count; i++) {
        sum += (uint32_t)((input[i] + offset) * weights[i]);
    }
    return sum;
}

void approx_transpose_conv_s8(const approx_transposed *shape,
                              const int8_t *weights,
                              const int32_t *bias,
                              const approx_factor *factors,
                              const int8_t *input,
                              int8_t *output)
{
    const int32_t depth = shape->input_channels;
    for (int32_t y = 0; y < shape->height; y++) {
        const reach rows = reaching(y + shape->top, shape->stride_down, shape->kernel_height, shape->input_height);
        for (int32_t x = 0; x < shape->width; x++) {
            const reach columns =
                reaching(x + shape->left, shape->stride_across, shape->kernel_width, shape->input_width);
            const int8_t *kernel = weights;
            for (int32_t channel = 0; channel < shape->channels; channel++) {
                uint32_t sum = (uint32_t)bias[channel];
                int32_t row = rows.origin;
                for (int32_t i = rows.first; i < rows.end; i += shape->stride_down, row--) {
                    int32_t column = columns.origin;
                    for (int32_t j = columns.first; j < columns.end; j += shape->stride_across, column--) {
                        sum += dot_product(input + (row * shape->input_width + column) * depth,
                                           kernel + (i * shape->kernel_width + j) * depth,
                                           depth,
                                           shape->input_offset);
                    }
                }
                const int32_t value = approx_scaled((int32_t)sum, factors[channel]) + shape->zero_point;
                *output++ = approx_limited(value, shape->minimum, shape->maximum);
                kernel += shape->kernel_height * shape->kernel_width * depth;
            }
        }
    }
}
