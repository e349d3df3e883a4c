/* SPDX-License-Identifier: MIT
 *
 * Fully connected layers: one dot product an output.
 */
#include "arm_nnfunctions.h"

#include <stddef.h>

#include "dot_product.h"
#include "fixed_point.h"

/* Sum of (values[i] + offset), for weights whose zero point is not 0. */
static uint32_t sum_of_values(const int8_t *values, int32_t count, int32_t offset)
{
    uint32_t sum = 0;
    for (int32_t i = 0; i < count; i++) {
        sum += (uint32_t)(values[i] + offset);
    }
    return sum;
}

/* Output channel i is scaled by entry i * step of the arrays: step 1 has one scale a channel, step 0 one for all. */
static arm_cmsis_nn_status fully_connected(const cmsis_nn_fc_params *p,
                                           const int32_t *multipliers,
                                           const int32_t *shifts,
                                           int32_t step,
                                           int32_t batches,
                                           int32_t inputs,
                                           int32_t outputs,
                                           const int8_t *values,
                                           const int8_t *weights,
                                           const int32_t *bias,
                                           int8_t *output)
{
    if (batches < 1 || inputs < 1 || outputs < 1) {
        return ARM_CMSIS_NN_ARG_ERROR;
    }
    for (int32_t n = 0; n < batches; n++) {
        const uint32_t from_filter_offset =
            p->filter_offset != 0 ? (uint32_t)p->filter_offset * sum_of_values(values, inputs, p->input_offset) : 0u;
        for (int32_t channel = 0; channel < outputs; channel++) {
            const uint32_t start = from_filter_offset + (bias != NULL ? (uint32_t)bias[channel] : 0u);
            const uint32_t sum = dot_product(values, weights + channel * inputs, inputs, p->input_offset, start);
            *output++ = to_output(sum,
                                  multipliers[channel * step],
                                  shifts[channel * step],
                                  p->output_offset,
                                  p->activation.min,
                                  p->activation.max);
        }
        values += inputs;
    }
    return ARM_CMSIS_NN_SUCCESS;
}

arm_cmsis_nn_status arm_fully_connected_s8(const cmsis_nn_context *ctx,
                                           const cmsis_nn_fc_params *fc_params,
                                           const cmsis_nn_per_tensor_quant_params *quant_params,
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
    return fully_connected(fc_params,
                           &quant_params->multiplier,
                           &quant_params->shift,
                           0,
                           input_dims->n,
                           filter_dims->n,
                           output_dims->c,
                           input_data,
                           filter_data,
                           bias_data,
                           output_data);
}

arm_cmsis_nn_status arm_fully_connected_per_channel_s8(const cmsis_nn_context *ctx,
                                                       const cmsis_nn_fc_params *fc_params,
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
    return fully_connected(fc_params,
                           quant_params->multiplier,
                           quant_params->shift,
                           1,
                           input_dims->n,
                           filter_dims->n,
                           output_dims->c,
                           input_data,
                           filter_data,
                           bias_data,
                           output_data);
}

arm_cmsis_nn_status arm_fully_connected_wrapper_s8(const cmsis_nn_context *ctx,
                                                   const cmsis_nn_fc_params *fc_params,
                                                   const cmsis_nn_quant_params *quant_params,
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
    return fully_connected(fc_params,
                           quant_params->multiplier,
                           quant_params->shift,
                           quant_params->is_per_channel != 0,
                           input_dims->n,
                           filter_dims->n,
                           output_dims->c,
                           input_data,
                           filter_data,
                           bias_data,
                           output_data);
}

int32_t arm_fully_connected_s8_get_buffer_size(const cmsis_nn_dims *filter_dims)
{
    (void)filter_dims;
    return 0;
}
