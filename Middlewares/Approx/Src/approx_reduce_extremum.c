/* SPDX-License-Identifier: MIT */
#include "approx_reduce.h"

/* The largest or, with the sign bits turned over, the smallest elements: ~x orders int8 the other way round. */
static void extremum_lanes(
    const approx_reduction *shape, const void *parameters, const int8_t *input, int32_t lanes, int8_t *output)
{
    const int8_t turned = *(const int8_t *)parameters;
    const approx_span *const spans = shape->reduced;
    int32_t largest[APPROX_LANES] = {-128, -128, -128, -128};
    for (int32_t i = 0; i < spans[0].count; i++) {
        for (int32_t j = 0; j < spans[1].count; j++) {
            for (int32_t k = 0; k < spans[2].count; k++) {
                const int8_t *in = input + i * spans[0].stride + j * spans[1].stride + k * spans[2].stride;
                for (int32_t m = 0; m < spans[3].count; m++) {
                    for (int32_t lane = 0; lane < lanes; lane++) {
                        const int32_t value = in[lane] ^ turned;
                        largest[lane] = value > largest[lane] ? value : largest[lane];
                    }
                    in += spans[3].stride;
                }
            }
        }
    }
    for (int32_t lane = 0; lane < lanes; lane++) {
        output[lane] = (int8_t)(largest[lane] ^ turned);
    }
}

void approx_reduce_max_s8(const approx_reduction *shape, const int8_t *input, int8_t *output)
{
    static const int8_t turned = 0;
    approx_each_kept(shape, extremum_lanes, &turned, input, output);
}

void approx_reduce_min_s8(const approx_reduction *shape, const int8_t *input, int8_t *output)
{
    static const int8_t turned = -1;
    approx_each_kept(shape, extremum_lanes, &turned, input, output);
}
