/* SPDX-License-Identifier: MIT
 *
 * Padding with a constant in every dimension.
 */
#include "arm_nnfunctions.h"

#include <stddef.h>
#include <string.h>

static int is_negative(const cmsis_nn_dims *d)
{
    return d->n < 0 || d->h < 0 || d->w < 0 || d->c < 0;
}

arm_cmsis_nn_status arm_pad_s8(const int8_t *input,
                               int8_t *output,
                               const int8_t pad_value,
                               const cmsis_nn_dims *input_size,
                               const cmsis_nn_dims *pre_pad,
                               const cmsis_nn_dims *post_pad)
{
    if (is_negative(input_size) || is_negative(pre_pad) || is_negative(post_pad)) {
        return ARM_CMSIS_NN_ARG_ERROR;
    }
    const int32_t batches = pre_pad->n + input_size->n + post_pad->n;
    const int32_t height = pre_pad->h + input_size->h + post_pad->h;
    const int32_t width = pre_pad->w + input_size->w + post_pad->w;
    const int32_t channels = pre_pad->c + input_size->c + post_pad->c;
    memset(output, pad_value, (size_t)batches * (size_t)height * (size_t)width * (size_t)channels);

    /* Where no channel is added, a row of the input is one run in the output. */
    const int32_t run = channels == input_size->c ? input_size->w * input_size->c : input_size->c;
    const int32_t runs = channels == input_size->c ? 1 : input_size->w;
    for (int32_t n = 0; n < input_size->n; n++) {
        for (int32_t y = 0; y < input_size->h; y++) {
            int8_t *to =
                output + (((n + pre_pad->n) * height + y + pre_pad->h) * width + pre_pad->w) * channels + pre_pad->c;
            for (int32_t i = 0; i < runs; i++) {
                memcpy(to + i * channels, input, (size_t)run);
                input += run;
            }
        }
    }
    return ARM_CMSIS_NN_SUCCESS;
}
