/* SPDX-License-Identifier: MIT */
/* The loop around elementwise operators with two operands: internal to this folder. */
#ifndef APPROX_BROADCAST_H
#define APPROX_BROADCAST_H

#include "approx_operators.h"

/* The innermost axis: `count` elements, both operands' elements 0 or more apart. */
typedef void (*approx_row)(const void *parameters,
                           int32_t count,
                           const int8_t *first,
                           int32_t first_step,
                           const int8_t *second,
                           int32_t second_step,
                           int8_t *output);

static inline void approx_each_row(const approx_broadcast *shape,
                                   approx_row row,
                                   const void *parameters,
                                   const int8_t *first,
                                   const int8_t *second,
                                   int8_t *output)
{
    enum { INNER = APPROX_BROADCAST_AXES - 1 };
    int32_t place[APPROX_BROADCAST_AXES] = {0};
    int32_t axis = INNER;
    while (axis >= 0) {
        row(parameters, shape->count[INNER], first, shape->first[INNER], second, shape->second[INNER], output);
        output += shape->count[INNER];
        /* The next place of the outer axes, as an odometer. */
        for (axis = INNER - 1; axis >= 0; axis--) {
            first += shape->first[axis];
            second += shape->second[axis];
            if (++place[axis] < shape->count[axis]) {
                break;
            }
            first -= shape->first[axis] * shape->count[axis];
            second -= shape->second[axis] * shape->count[axis];
            place[axis] = 0;
        }
    }
}

#endif
