/* SPDX-License-Identifier: MIT
 *
 * Maximum and average pooling.
 */
#include "arm_nnfunctions.h"

#include "fixed_point.h"
#include "window.h"

/* One value from a window of one channel: `corner` is its first byte inside the image. */
typedef int32_t (*reduction)(const int8_t *corner, int32_t rows, int32_t columns, int32_t row_step, int32_t step);

static int32_t greatest(const int8_t *corner, int32_t rows, int32_t columns, int32_t row_step, int32_t step)
{
    int32_t found = *corner;
    for (int32_t row = 0; row < rows; row++) {
        for (int32_t column = 0; column < columns; column++) {
            const int32_t value = corner[row * row_step + column * step];
            found = value > found ? value : found;
        }
    }
    return found;
}

static int32_t mean(const int8_t *corner, int32_t rows, int32_t columns, int32_t row_step, int32_t step)
{
    const int32_t count = rows * columns;
    int32_t sum = 0;
    for (int32_t row = 0; row < rows; row++) {
        for (int32_t column = 0; column < columns; column++) {
            sum += corner[row * row_step + column * step];
        }
    }
    return (sum < 0 ? sum - count / 2 : sum + count / 2) / count;
}

static inline arm_cmsis_nn_status pool(reduction reduce,
                                       const cmsis_nn_pool_params *p,
                                       const cmsis_nn_dims *input_dims,
                                       const int8_t *input,
                                       const cmsis_nn_dims *filter_dims,
                                       const cmsis_nn_dims *output_dims,
                                       int8_t *output)
{
    const cmsis_nn_tile undilated = {1, 1};
    const axis y_axis = vertical(input_dims, filter_dims, output_dims, p->stride, p->padding, undilated);
    const axis x_axis = horizontal(input_dims, filter_dims, output_dims, p->stride, p->padding, undilated);
    const int32_t channels = input_dims->c;
    if (!is_valid_axis(&y_axis) || !is_valid_axis(&x_axis) || input_dims->n < 1 || channels < 1) {
        return ARM_CMSIS_NN_ARG_ERROR;
    }
    const int32_t row_step = input_dims->w * channels;

    for (int32_t n = 0; n < input_dims->n; n++) {
        for (int32_t y = 0; y < output_dims->h; y++) {
            const window rows = window_at(&y_axis, y);
            for (int32_t x = 0; x < output_dims->w; x++) {
                const window columns = window_at(&x_axis, x);
                if (rows.end <= rows.first || columns.end <= columns.first) {
                    return ARM_CMSIS_NN_ARG_ERROR;
                }
                const int8_t *corner =
                    input + (rows.origin + rows.first) * row_step + (columns.origin + columns.first) * channels;
                for (int32_t channel = 0; channel < channels; channel++) {
                    const int32_t value = reduce(
                        corner + channel, rows.end - rows.first, columns.end - columns.first, row_step, channels);
                    *output++ = (int8_t)clamp(value, p->activation.min, p->activation.max);
                }
            }
        }
        input += input_dims->h * row_step;
    }
    return ARM_CMSIS_NN_SUCCESS;
}

arm_cmsis_nn_status arm_max_pool_s8(const cmsis_nn_context *ctx,
                                    const cmsis_nn_pool_params *pool_params,
                                    const cmsis_nn_dims *input_dims,
                                    const int8_t *input_data,
                                    const cmsis_nn_dims *filter_dims,
                                    const cmsis_nn_dims *output_dims,
                                    int8_t *output_data)
{
    (void)ctx;
    return pool(greatest, pool_params, input_dims, input_data, filter_dims, output_dims, output_data);
}

arm_cmsis_nn_status arm_avgpool_s8(const cmsis_nn_context *ctx,
                                   const cmsis_nn_pool_params *pool_params,
                                   const cmsis_nn_dims *input_dims,
                                   const int8_t *input_data,
                                   const cmsis_nn_dims *filter_dims,
                                   const cmsis_nn_dims *output_dims,
                                   int8_t *output_data)
{
    (void)ctx;
    return pool(mean, pool_params, input_dims, input_data, filter_dims, output_dims, output_data);
}

int32_t arm_avgpool_s8_get_buffer_size(const int dim_dst_width, const int ch_src)
{
    (void)dim_dst_width;
    (void)ch_src;
    return 0;
}
