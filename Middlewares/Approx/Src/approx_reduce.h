/* SPDX-License-Identifier: MIT */
/* The loops around reductions: internal to this folder. */
#ifndef APPROX_REDUCE_H
#define APPROX_REDUCE_H

#include <string.h>

#include "approx_operators.h"

#define APPROX_LANES 4

/* `lanes` neighbouring results, 1 or APPROX_LANES, of what begins at `input`. */
typedef void (*approx_reduce_lanes)(
    const approx_reduction *shape, const void *parameters, const int8_t *input, int32_t lanes, int8_t *output);

/* Every result: four at a time where neighbours in the output are neighbours in the input. */
static inline void approx_each_kept(const approx_reduction *shape,
                                    approx_reduce_lanes reduce,
                                    const void *parameters,
                                    const int8_t *input,
                                    int8_t *output)
{
    const approx_span *const kept = shape->kept;
    for (int32_t i = 0; i < kept[0].count; i++) {
        for (int32_t j = 0; j < kept[1].count; j++) {
            for (int32_t k = 0; k < kept[2].count; k++) {
                const int8_t *in = input + i * kept[0].stride + j * kept[1].stride + k * kept[2].stride;
                int32_t left = kept[3].count;
                while (left > 0) {
                    const int32_t lanes = kept[3].stride == 1 && left >= APPROX_LANES ? APPROX_LANES : 1;
                    reduce(shape, parameters, in, lanes, output);
                    in += lanes * kept[3].stride;
                    output += lanes;
                    left -= lanes;
                }
            }
        }
    }
}

#endif
