/* SPDX-License-Identifier: MIT
 *
 * Convolution. NHWC makes a row of a window one run of bytes in the input and in the filter (one run a tap where the
 * kernel is dilated or the convolution grouped), so that an output is a few dot products and needs no scratch memory.
 */
#include "arm_nnfunctions.h"

#include <stddef.h>

#include "dot_product.h"
#include "fixed_point.h"
#include "window.h"

arm_cmsis_nn_status arm_convolve_wrapper_s8(const cmsis_nn_context *ctx,
                                            const cmsis_nn_conv_params *conv_params,
                                            const cmsis_nn_per_channel_quant_params *quant_params,
                                            const cmsis_nn_dims *input_dims,
                                            const int8_t *input_data,
                                            const cmsis_nn_dims *filter_dims,
                                            const int8_t *filter_data,
                                            const cmsis_nn_dims *bias_dims,
                                            const int32_t *bias_data,
                                            const cmsis_nn_dims *output_dims,
                                            int8_t *output_data)
{
    (void)ctx;
    (void)bias_dims;
    const cmsis_nn_conv_params *p = conv_params;
    const axis y_axis = vertical(input_dims, filter_dims, output_dims, p->stride, p->padding, p->dilation);
    const axis x_axis = horizontal(input_dims, filter_dims, output_dims, p->stride, p->padding, p->dilation);
    const int32_t depth = filter_dims->c;
    if (!is_valid_axis(&y_axis) || !is_valid_axis(&x_axis) || input_dims->n < 1 || input_dims->c < 1 || depth < 1 ||
        output_dims->c < 1 || input_dims->c % depth != 0 || output_dims->c % (input_dims->c / depth) != 0) {
        return ARM_CMSIS_NN_ARG_ERROR;
    }
    const int32_t groups = input_dims->c / depth;
    const int32_t outputs_per_group = output_dims->c / groups;
    const int32_t filter_size = filter_dims->h * filter_dims->w * depth;
    const int rows_are_runs = groups == 1 && p->dilation.w == 1;

    for (int32_t n = 0; n < input_dims->n; n++) {
        for (int32_t y = 0; y < output_dims->h; y++) {
            const window rows = window_at(&y_axis, y);
            for (int32_t x = 0; x < output_dims->w; x++) {
                const window columns = window_at(&x_axis, x);
                const int32_t taps = columns.end > columns.first ? columns.end - columns.first : 0;
                const int32_t run = rows_are_runs ? taps * depth : depth;
                const int32_t runs = rows_are_runs ? (taps > 0 ? 1 : 0) : taps;
                for (int32_t channel = 0; channel < output_dims->c; channel++) {
                    uint32_t sum = bias_data != NULL ? (uint32_t)bias_data[channel] : 0u;
                    for (int32_t row = rows.first; row < rows.end && runs > 0; row++) {
                        const int32_t in_y = rows.origin + row * p->dilation.h;
                        const int32_t in_x = columns.origin + columns.first * p->dilation.w;
                        const int8_t *values = input_data + (in_y * input_dims->w + in_x) * input_dims->c +
                                               channel / outputs_per_group * depth;
                        const int8_t *weights =
                            filter_data + channel * filter_size + (row * filter_dims->w + columns.first) * depth;
                        for (int32_t i = 0; i < runs; i++) {
                            sum = dot_product(values + i * p->dilation.w * input_dims->c,
                                              weights + i * depth,
                                              run,
                                              p->input_offset,
                                              sum);
                        }
                    }
                    *output_data++ = to_output(sum,
                                               quant_params->multiplier[channel],
                                               quant_params->shift[channel],
                                               p->output_offset,
                                               p->activation.min,
                                               p->activation.max);
                }
            }
        }
        input_data += input_dims->h * input_dims->w * input_dims->c;
    }
    return ARM_CMSIS_NN_SUCCESS;
}

int32_t arm_convolve_wrapper_s8_get_buffer_size(const cmsis_nn_conv_params *conv_params,
                                                const cmsis_nn_dims *input_dims,
                                                const cmsis_nn_dims *filter_dims,
                                                const cmsis_nn_dims *output_dims)
{
    (void)conv_params;
    (void)input_dims;
    (void)filter_dims;
    (void)output_dims;
    return 0;
}
