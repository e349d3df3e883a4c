/* SPDX-License-Identifier: MIT */
#include "approx_operators.h"

static int32_t
dot_product(const int8_t *left, int32_t left_step, const int8_t *right, int32_t right_step, const approx_matmul *matmul)
{
    uint32_t sum = 0;
    for (int32_t i = 0; i < matmul->depth; i++) {
        sum += (uint32_t)((*left + matmul->left_offset) * (*right + matmul->right_offset));
        left += left_step;
        right += right_step;
    }
    return (int32_t)sum;
}

static int8_t *matrix(const approx_matmul *matmul, const int8_t *left, const int8_t *right, int8_t *output)
{
    for (int32_t row = 0; row < matmul->rows; row++) {
        const int8_t *column = right;
        for (int32_t i = 0; i < matmul->columns; i++) {
            const int32_t sum = dot_product(left, matmul->left_step, column, matmul->right_step, matmul);
            const int32_t scaled = approx_scaled(sum, matmul->factor);
            const int32_t value = (int32_t)((uint32_t)scaled + (uint32_t)matmul->zero_point);
            *output++ = approx_limited(value, -128, 127);
            column += matmul->column_pitch;
        }
        left += matmul->row_pitch;
    }
    return output;
}

void approx_batch_matmul_s8(const approx_matmul *matmul, const int8_t *left, const int8_t *right, int8_t *output)
{
    const int32_t *const count = matmul->count;
    const int32_t *const one = matmul->left_pitch;
    const int32_t *const other = matmul->right_pitch;
    for (int32_t i = 0; i < count[0]; i++) {
        for (int32_t j = 0; j < count[1]; j++) {
            for (int32_t k = 0; k < count[2]; k++) {
                output = matrix(matmul,
                                left + i * one[0] + j * one[1] + k * one[2],
                                right + i * other[0] + j * other[1] + k * other[2],
                                output);
            }
        }
    }
}
