/* SPDX-License-Identifier: MIT */
/* What generated networks stand on: widening the input, the arithmetic of the portable kernels, softmax of long rows.
 */
#ifndef APPROX_RUNTIME_H
#define APPROX_RUNTIME_H

#include <stdint.h>
#include <string.h>

#if defined(__ARM_FEATURE_DSP)
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 10
#error "GCC 10 or newer is needed (STM32CubeIDE 1.9 or newer): older ones lack the DSP intrinsics of arm_acle.h."
#endif
#include <arm_acle.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* An int8 image [input_height][input_width][channels] and the part of it, padding included, that a convolution reads:
   int16 [rows][columns][channel_pitch], rows `row_pitch` elements apart. `fill` is the input's zero point. */
typedef struct {
    int32_t input_height;
    int32_t input_width;
    int32_t channels;
    int32_t pad_top;
    int32_t pad_left;
    int32_t rows;
    int32_t columns;
    int32_t channel_pitch;
    int32_t row_pitch;
    int16_t fill;
} approx_widen_shape;

/* Writes every element of the int16 copy; padding and lanes without a channel get `fill`. */
void approx_widen_s8(const approx_widen_shape *shape, const int8_t *input, int16_t *output);

/* Softmax of `rows` rows of `size` values, to the byte what TensorFlow Lite's reference kernel gives. exponentials[d]
   is exp(-d * scale) in Q0.31 for a value d below the row's greatest, 0 from `count` on. Where the exponentials of a
   row add up to 512 or more, all its outputs are 0 (-128): none reaches half of 1/256. A division by 2^32, or a sum
   that leaves its 12 integer bits, which is what becomes of such rows elsewhere, does not occur. */
void approx_softmax_s8(
    const int8_t *input, int32_t rows, int32_t size, const int32_t *exponentials, int32_t count, int8_t *output);

/* The same for rows of less than 512 values, in units of 1/65536: int16, as bytes, the lowest first. */
void approx_softmax_s8_s16(
    const int8_t *input, int32_t rows, int32_t size, const int32_t *exponentials, int32_t count, int8_t *output);

/* sum + p[0] * low + p[1] * high, modulo 2^32. */
static inline int32_t approx_pair(const int16_t *p, int32_t low, int32_t high, int32_t sum)
{
#if defined(__ARM_FEATURE_DSP)
    int16x2_t operands;
    memcpy(&operands, p, sizeof operands);
    return __smlad(operands, (int16x2_t)(((uint32_t)high << 16) | ((uint32_t)low & 0xFFFFu)), sum);
#else
    return (int32_t)((uint32_t)sum + (uint32_t)(p[0] * low) + (uint32_t)(p[1] * high));
#endif
}

/* sum + p[0] * weight, modulo 2^32. */
static inline int32_t approx_single(const int16_t *p, int32_t weight, int32_t sum)
{
    return (int32_t)((uint32_t)sum + (uint32_t)(p[0] * weight));
}

/* The doubled sum as an int8 output. mantissa, shift: the multiplier mantissa * 2^-31 * 2^-shift; rounding: half of
   2^shift plus the output's zero point times 2^shift. Rounds twice, as TensorFlow Lite's reference kernels do. */
static inline int8_t
approx_requantise(int32_t doubled, int32_t mantissa, int32_t rounding, int32_t shift, int32_t minimum, int32_t maximum)
{
    const int64_t product = (int64_t)doubled * mantissa + INT64_C(0x80000000);
    int32_t value = (int32_t)(product >> 32) + rounding;
    if (shift > 0) {
        value = (value - (doubled < 0)) >> shift;
    }
    value = value < minimum ? minimum : value;
    return (int8_t)(value > maximum ? maximum : value);
}

#ifdef __cplusplus
}
#endif

#endif
