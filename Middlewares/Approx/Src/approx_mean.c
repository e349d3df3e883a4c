/* SPDX-License-Identifier: MIT */
#include "approx_reduce.h"

/* Four sums: one load of a word for four channels. */
static void add_quad(const int8_t *input, approx_span span, int32_t sums[APPROX_LANES])
{
    int32_t a = sums[0];
    int32_t b = sums[1];
    int32_t c = sums[2];
    int32_t d = sums[3];
    for (int32_t i = 0; i < span.count; i++) {
        uint32_t word;
        memcpy(&word, input, sizeof word);
        a += (int8_t)word;
        b += (int8_t)(word >> 8);
        c += (int8_t)(word >> 16);
        d += (int8_t)(word >> 24);
        input += span.stride;
    }
    sums[0] = a;
    sums[1] = b;
    sums[2] = c;
    sums[3] = d;
}

static void add_single(const int8_t *input, approx_span span, int32_t sums[APPROX_LANES])
{
    int32_t sum = sums[0];
    for (int32_t i = 0; i < span.count; i++) {
        sum += *input;
        input += span.stride;
    }
    sums[0] = sum;
}

static void
mean_lanes(const approx_reduction *shape, const void *parameters, const int8_t *input, int32_t lanes, int8_t *output)
{
    const approx_mean *const mean = parameters;
    const approx_span *const spans = shape->reduced;
    const int32_t count = spans[0].count * spans[1].count * spans[2].count * spans[3].count;
    int32_t sums[APPROX_LANES];
    for (int32_t lane = 0; lane < APPROX_LANES; lane++) {
        sums[lane] = count * mean->offset;
    }
    for (int32_t i = 0; i < spans[0].count; i++) {
        for (int32_t j = 0; j < spans[1].count; j++) {
            for (int32_t k = 0; k < spans[2].count; k++) {
                const int8_t *const in = input + i * spans[0].stride + j * spans[1].stride + k * spans[2].stride;
                if (lanes == APPROX_LANES) {
                    add_quad(in, spans[3], sums);
                } else {
                    add_single(in, spans[3], sums);
                }
            }
        }
    }
    for (int32_t lane = 0; lane < lanes; lane++) {
        output[lane] = approx_limited(approx_scaled(sums[lane], mean->factor) + mean->zero_point, -128, 127);
    }
}

void approx_mean_s8(const approx_reduction *shape, const approx_mean *mean, const int8_t *input, int8_t *output)
{
    approx_each_kept(shape, mean_lanes, mean, input, output);
}
