/* SPDX-License-Identifier: MIT
 *
 * Fixed-point arithmetic that all operators share: 32-bit registers that wrap, and the two roundings of TensorFlow
 * Lite's reference kernels. Right shifts of negative numbers are arithmetic, as in every compiler for Arm.
 */
#ifndef APPROX_FIXED_POINT_H
#define APPROX_FIXED_POINT_H

#include <stdint.h>

/* value * 2^bits modulo 2^32, 0 <= bits <= 31. */
static inline int32_t shift_left(int32_t value, int32_t bits)
{
    return (int32_t)((uint32_t)value << bits);
}

/* a * b / 2^31 to the nearest integer, halves up. Two factors of -2^31 do not occur. */
static inline int32_t multiply_high(int32_t a, int32_t b)
{
    return (int32_t)(((int64_t)a * b + (1 << 30)) >> 31);
}

/* value / 2^bits to the nearest integer, halves away from zero, 0 <= bits <= 31. */
static inline int32_t divide_by_power_of_two(int32_t value, int32_t bits)
{
    const int32_t mask = (int32_t)((1u << bits) - 1u);
    const int32_t largest_rounded_down = (mask >> 1) + (value < 0);
    return (value >> bits) + ((value & mask) > largest_rounded_down);
}

/* value * multiplier * 2^(shift - 31), rounded twice; -31 <= shift <= 30. */
static inline int32_t requantise(int32_t value, int32_t multiplier, int32_t shift)
{
    return shift > 0 ? multiply_high(shift_left(value, shift), multiplier)
                     : divide_by_power_of_two(multiply_high(value, multiplier), -shift);
}

static inline int32_t clamp(int32_t value, int32_t lowest, int32_t highest)
{
    const int32_t raised = value < lowest ? lowest : value;
    return raised > highest ? highest : raised;
}

/* From a sum modulo 2^32 to an output: scale, zero point, activation. */
static inline int8_t
to_output(uint32_t sum, int32_t multiplier, int32_t shift, int32_t offset, int32_t lowest, int32_t highest)
{
    const uint32_t scaled = (uint32_t)requantise((int32_t)sum, multiplier, shift);
    return (int8_t)clamp((int32_t)(scaled + (uint32_t)offset), lowest, highest);
}

#endif
