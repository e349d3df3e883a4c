/* SPDX-License-Identifier: MIT */
#include "approx_operators.h"

/* Weights have 10 fraction bits, their products 20. Places in front of the first row have a negative weight, so that a
   sum reaches 2048 * 2048 * 128: it fits into int32. */
enum { ONE = 1 << 10, HALF = 1 << 19, WHOLE = 1 << 20 };

void approx_resize_bilinear_s8(const approx_resize *shape,
                               const approx_place *rows,
                               const approx_place *columns,
                               const int8_t *input,
                               int8_t *output)
{
    const int32_t channels = shape->channels;
    const int32_t pitch = shape->input_width * channels;
    for (int32_t map = 0; map < shape->maps; map++) {
        for (int32_t y = 0; y < shape->height; y++) {
            const int8_t *const above = input + rows[y].front * pitch;
            const int8_t *const below = input + rows[y].behind * pitch;
            for (int32_t x = 0; x < shape->width; x++) {
                const int32_t left = columns[x].front * channels;
                const int32_t right = columns[x].behind * channels;
                const int32_t upper_left = (ONE - rows[y].weight) * (ONE - columns[x].weight);
                const int32_t upper_right = (ONE - rows[y].weight) * columns[x].weight;
                const int32_t lower_left = rows[y].weight * (ONE - columns[x].weight);
                const int32_t lower_right = rows[y].weight * columns[x].weight;
                for (int32_t c = 0; c < channels; c++) {
                    const int32_t sum = upper_left * above[left + c] + upper_right * above[right + c] +
                                        lower_left * below[left + c] + lower_right * below[right + c];
                    *output++ = (int8_t)((sum + (sum > 0 ? HALF : -HALF)) / WHOLE);
                }
            }
        }
        input += shape->input_height * pitch;
    }
}
