/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "approx_operators.h"

/* Below so many bytes a loop is quicker than the C library's function. */
#define SHORT_RUN 12

static void copy(const int8_t *input, int8_t *output, int32_t count)
{
    if (count >= SHORT_RUN) {
        memcpy(output, input, (size_t)count);
        return;
    }
    for (int32_t i = 0; i < count; i++) {
        output[i] = input[i];
    }
}

static int32_t offset_of(const approx_axis *axis, int32_t place)
{
    return axis->offsets != 0 ? axis->offsets[place] : place * axis->stride;
}

/* What lies under one element of the axis in front of axes[0]; calls itself once an axis. Returns the output's end. */
static int8_t *
select_under(const approx_axis *axes, int32_t rank, int32_t run, int8_t fill, const int8_t *input, int8_t *output)
{
    if (rank == 0) {
        copy(input, output, run);
        return output + run;
    }
    int32_t block = run;
    for (int32_t i = 1; i < rank; i++) {
        block *= axes[i].count;
    }
    for (int32_t i = 0; i < axes[0].count; i++) {
        const int32_t offset = offset_of(axes, i);
        if (offset < 0) {
            memset(output, fill, (size_t)block);
            output += block;
        } else if (block == 1) {
            *output++ = input[offset];
        } else {
            output = select_under(axes + 1, rank - 1, run, fill, input + offset, output);
        }
    }
    return output;
}

void approx_select_s8(
    const approx_axis *axes, int32_t rank, int32_t run, int8_t fill, const int8_t *input, int8_t *output)
{
    (void)select_under(axes, rank, run, fill, input, output);
}

void approx_copy_rows_s8(
    const int8_t *input, int32_t input_pitch, int8_t *output, int32_t output_pitch, int32_t bytes, int32_t rows)
{
    for (int32_t row = 0; row < rows; row++) {
        copy(input, output, bytes);
        input += input_pitch;
        output += output_pitch;
    }
}
