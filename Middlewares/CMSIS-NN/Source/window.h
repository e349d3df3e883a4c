/* SPDX-License-Identifier: MIT
 *
 * Where a sliding window lies in one direction of an image. All operators leave padding out: it holds the zero point,
 * which adds nothing to a sum, and pooling does not count it.
 */
#ifndef APPROX_WINDOW_H
#define APPROX_WINDOW_H

#include "arm_nn_types.h"

/* One direction of a convolution or pooling. */
typedef struct {
    int32_t input;
    int32_t output;
    int32_t kernel;
    int32_t stride;
    int32_t padding;
    int32_t dilation;
} axis;

/* Kernel taps first ... end - 1 lie inside the input; tap t reads position origin + t * dilation. */
typedef struct {
    int32_t origin;
    int32_t first;
    int32_t end;
} window;

static inline axis vertical(const cmsis_nn_dims *input,
                            const cmsis_nn_dims *filter,
                            const cmsis_nn_dims *output,
                            cmsis_nn_tile stride,
                            cmsis_nn_tile padding,
                            cmsis_nn_tile dilation)
{
    const axis made = {input->h, output->h, filter->h, stride.h, padding.h, dilation.h};
    return made;
}

static inline axis horizontal(const cmsis_nn_dims *input,
                              const cmsis_nn_dims *filter,
                              const cmsis_nn_dims *output,
                              cmsis_nn_tile stride,
                              cmsis_nn_tile padding,
                              cmsis_nn_tile dilation)
{
    const axis made = {input->w, output->w, filter->w, stride.w, padding.w, dilation.w};
    return made;
}

/* Whether the numbers of an axis mean anything. */
static inline int is_valid_axis(const axis *a)
{
    return a->input > 0 && a->output > 0 && a->kernel > 0 && a->stride > 0 && a->padding >= 0 && a->dilation > 0;
}

/* The window of the output at `position`. */
static inline window window_at(const axis *a, int32_t position)
{
    window w;
    w.origin = position * a->stride - a->padding;
    w.first = w.origin < 0 ? (a->dilation - 1 - w.origin) / a->dilation : 0;
    w.end = w.origin < a->input ? (a->input - w.origin + a->dilation - 1) / a->dilation : 0;
    if (w.end > a->kernel) {
        w.end = a->kernel;
    }
    return w;
}

#endif
