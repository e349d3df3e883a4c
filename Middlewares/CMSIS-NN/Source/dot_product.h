/* SPDX-License-Identifier: MIT
 *
 * The inner loop of convolution and fully connected layers, four products at a time where the core multiplies pairs.
 */
#ifndef APPROX_DOT_PRODUCT_H
#define APPROX_DOT_PRODUCT_H

#include <stdint.h>

#if defined(__ARM_FEATURE_SIMD32)
#include <arm_acle.h>
#include <string.h>

static inline uint32_t load_word(const int8_t *bytes)
{
    uint32_t word;
    memcpy(&word, bytes, sizeof word); /* these cores load words from any address */
    return word;
}

/* Bytes 1 and 3 of a word, where the extending instructions expect bytes 0 and 2. */
static inline int8x4_t odd_bytes(uint32_t word)
{
    return (int8x4_t)(word >> 8);
}
#endif

/* sum + sum over i of (values[i] + offset) * weights[i], modulo 2^32; values[i] + offset fits 16 bits. */
static inline uint32_t
dot_product(const int8_t *values, const int8_t *weights, int32_t count, int32_t offset, uint32_t sum)
{
    int32_t i = 0;
#if defined(__ARM_FEATURE_SIMD32)
    const int16x2_t offsets = (int16x2_t)(((uint32_t)offset & 0xFFFFu) * 0x10001u);
    for (; i + 4 <= count; i += 4) {
        const uint32_t value = load_word(values + i);
        const uint32_t weight = load_word(weights + i);
        int32_t total = (int32_t)sum;
        total = __smlad(__sxtab16(offsets, (int8x4_t)value), __sxtb16((int8x4_t)weight), total);
        total = __smlad(__sxtab16(offsets, odd_bytes(value)), __sxtb16(odd_bytes(weight)), total);
        sum = (uint32_t)total;
    }
#endif
    for (; i < count; i++) {
        sum += (uint32_t)((values[i] + offset) * weights[i]);
    }
    return sum;
}

#endif
