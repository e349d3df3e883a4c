/* SPDX-License-Identifier: MIT
 *
 * Portable subset of the CMSIS-NN API: the types. Names, order and types of the fields are those of CMSIS-NN v7, so
 * that callers compile against either; everything else is this project's own.
 *
 * Tensors are int8, NHWC. A real value is scale * (value - zero_point). "Offset" of an input is minus its zero point;
 * "offset" of an output is its zero point.
 */
#ifndef ARM_NN_TYPES_H
#define ARM_NN_TYPES_H

#include <stdint.h>

/* Tells the subset from the library, for reports and for benchmarks that need the library. */
#define APPROX_PORTABLE_CMSIS_NN 1

typedef enum {
    ARM_CMSIS_NN_SUCCESS = 0,
    ARM_CMSIS_NN_ARG_ERROR = -1,     /* sizes, strides or paddings that do not go together */
    ARM_CMSIS_NN_NO_IMPL_ERROR = -2, /* never returned by the subset */
    ARM_CMSIS_NN_FAILURE = -3,       /* never returned by the subset */
} arm_cmsis_nn_status;

/* Scratch memory. The subset needs none: its sizes are 0 and `buf` may be NULL. */
typedef struct {
    void *buf;
    int32_t size;
} cmsis_nn_context;

/* A pair of numbers, one for each direction of an image. */
typedef struct {
    int32_t w;
    int32_t h;
} cmsis_nn_tile;

/* The shape of a tensor; which letter means what is said at each function. */
typedef struct {
    int32_t n;
    int32_t h;
    int32_t w;
    int32_t c;
} cmsis_nn_dims;

/* A scale as multiplier * 2^(shift - 31); shift > 0 goes to the left. Arrays have one entry per output channel. */
typedef struct {
    int32_t *multiplier;
    int32_t *shift;
} cmsis_nn_per_channel_quant_params;

typedef struct {
    int32_t multiplier;
    int32_t shift;
} cmsis_nn_per_tensor_quant_params;

/* Either of the two: arrays of one entry for is_per_channel == 0, of one entry per output channel otherwise. */
typedef struct {
    int32_t *multiplier;
    int32_t *shift;
    int32_t is_per_channel;
} cmsis_nn_quant_params;

/* The fused activation as limits of the int8 output. */
typedef struct {
    int32_t min;
    int32_t max;
} cmsis_nn_activation;

/* `padding` is what goes before the first row and column; what goes after the last follows from the output's size. */
typedef struct {
    int32_t input_offset;
    int32_t output_offset;
    cmsis_nn_tile stride;
    cmsis_nn_tile padding;
    cmsis_nn_tile dilation;
    cmsis_nn_activation activation;
} cmsis_nn_conv_params;

typedef struct {
    int32_t input_offset;
    int32_t output_offset;
    int32_t ch_mult; /* output channels per input channel */
    cmsis_nn_tile stride;
    cmsis_nn_tile padding;
    cmsis_nn_tile dilation;
    cmsis_nn_activation activation;
} cmsis_nn_dw_conv_params;

typedef struct {
    int32_t input_offset;
    int32_t filter_offset; /* minus the zero point of the weights */
    int32_t output_offset;
    cmsis_nn_activation activation;
} cmsis_nn_fc_params;

typedef struct {
    cmsis_nn_tile stride;
    cmsis_nn_tile padding;
    cmsis_nn_activation activation;
} cmsis_nn_pool_params;

#endif
