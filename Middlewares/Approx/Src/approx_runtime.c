/* SPDX-License-Identifier: MIT */
#include "approx_runtime.h"

static int16_t *fill(int16_t *output, int32_t count, int16_t value)
{
    for (int32_t i = 0; i < count; i++) {
        output[i] = value;
    }
    return output + count;
}

/* `count` neighbouring elements. */
static int16_t *widen_run(const int8_t *input, int16_t *output, int32_t count)
{
#if defined(__ARM_FEATURE_DSP)
    /* Four bytes to four halfwords: sign-extend bytes 0 and 2, bytes 1 and 3, then put the halves in order. */
    for (; count >= 4; count -= 4, input += 4, output += 4) {
        uint32_t bytes;
        memcpy(&bytes, input, sizeof bytes);
        const uint32_t even = (uint32_t)__sxtb16((int8x4_t)bytes);
        const uint32_t odd = (uint32_t)__sxtb16((int8x4_t)((bytes >> 8) | (bytes << 24)));
        const uint32_t first = (even & 0xFFFFu) | (odd << 16);
        const uint32_t second = (even >> 16) | (odd & 0xFFFF0000u);
        memcpy(output, &first, sizeof first);
        memcpy(output + 2, &second, sizeof second);
    }
#endif
    for (int32_t i = 0; i < count; i++) {
        output[i] = input[i];
    }
    return output + count;
}

void approx_widen_s8(const approx_widen_shape *shape, const int8_t *input, int16_t *output)
{
    const int32_t channels = shape->channels;
    const int32_t lanes = shape->channel_pitch - channels;
    /* Columns of the copy that hold an input column: [first, last). */
    const int32_t right = shape->input_width + shape->pad_left;
    const int32_t first = shape->pad_left < shape->columns ? shape->pad_left : shape->columns;
    const int32_t last = right < shape->columns ? right : shape->columns;
    for (int32_t row = 0; row < shape->rows; row++) {
        int16_t *out = output + row * shape->row_pitch;
        int16_t *const end = out + shape->row_pitch;
        const int32_t source = row - shape->pad_top;
        if (source >= 0 && source < shape->input_height) {
            const int8_t *in = input + source * shape->input_width * channels;
            out = fill(out, first * shape->channel_pitch, shape->fill);
            if (lanes == 0) {
                out = widen_run(in, out, (last - first) * channels);
            } else {
                for (int32_t column = first; column < last; column++, in += channels) {
                    out = widen_run(in, out, channels);
                    out = fill(out, lanes, shape->fill);
                }
            }
        }
        (void)fill(out, (int32_t)(end - out), shape->fill);
    }
    /* The last slot's word may reach past the last row. */
    (void)fill(output + shape->rows * shape->row_pitch, 2, shape->fill);
}
