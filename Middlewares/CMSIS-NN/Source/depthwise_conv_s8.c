/* SPDX-License-Identifier: MIT
 *
 * Depthwise convolution: every output channel is a convolution of one input channel.
 */
#include "arm_nnfunctions.h"

#include <stddef.h>

#include "fixed_point.h"
#include "window.h"

arm_cmsis_nn_status arm_depthwise_conv_wrapper_s8(const cmsis_nn_context *ctx,
                                                  const cmsis_nn_dw_conv_params *dw_conv_params,
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
    const cmsis_nn_dw_conv_params *p = dw_conv_params;
    const axis y_axis = vertical(input_dims, filter_dims, output_dims, p->stride, p->padding, p->dilation);
    const axis x_axis = horizontal(input_dims, filter_dims, output_dims, p->stride, p->padding, p->dilation);
    if (!is_valid_axis(&y_axis) || !is_valid_axis(&x_axis) || input_dims->n < 1 || input_dims->c < 1 ||
        p->ch_mult < 1 || output_dims->c != input_dims->c * p->ch_mult) {
        return ARM_CMSIS_NN_ARG_ERROR;
    }
    const int32_t inputs = input_dims->c;
    const int32_t outputs = output_dims->c;

    for (int32_t n = 0; n < input_dims->n; n++) {
        for (int32_t y = 0; y < output_dims->h; y++) {
            const window rows = window_at(&y_axis, y);
            for (int32_t x = 0; x < output_dims->w; x++) {
                const window columns = window_at(&x_axis, x);
                for (int32_t channel = 0; channel < outputs; channel++) {
                    uint32_t sum = bias_data != NULL ? (uint32_t)bias_data[channel] : 0u;
                    for (int32_t row = rows.first; row < rows.end; row++) {
                        const int32_t in_y = rows.origin + row * p->dilation.h;
                        const int8_t *values = input_data + in_y * input_dims->w * inputs + channel / p->ch_mult;
                        const int8_t *weights = filter_data + row * filter_dims->w * outputs + channel;
                        for (int32_t column = columns.first; column < columns.end; column++) {
                            const int32_t in_x = columns.origin + column * p->dilation.w;
                            const int32_t value = values[in_x * inputs] + p->input_offset;
                            sum += (uint32_t)(value * weights[column * outputs]);
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
        input_data += input_dims->h * input_dims->w * inputs;
    }
    return ARM_CMSIS_NN_SUCCESS;
}

int32_t arm_depthwise_conv_wrapper_s8_get_buffer_size(const cmsis_nn_dw_conv_params *dw_conv_params,
                                                      const cmsis_nn_dims *input_dims,
                                                      const cmsis_nn_dims *filter_dims,
                                                      const cmsis_nn_dims *output_dims)
{
    (void)dw_conv_params;
    (void)input_dims;
    (void)filter_dims;
    (void)output_dims;
    return 0;
}
