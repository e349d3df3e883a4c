/* SPDX-License-Identifier: MIT */
/* Operators that CMSIS-NN does not serve, in portable C. All give the bytes of TensorFlow Lite's reference kernels;
   int32 sums wrap as they do there. Inputs and outputs do not overlap. */
#ifndef APPROX_OPERATORS_H
#define APPROX_OPERATORS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A real factor as mantissa * 2^(shift - 31); shift > 0 shifts left first. */
typedef struct {
    int32_t mantissa;
    int32_t shift;
} approx_factor;

/* value * factor, rounded twice: halves up at bit 31, then halves away from zero. */
static inline int32_t approx_scaled(int32_t value, approx_factor factor)
{
    const uint32_t right = factor.shift < 0 ? (uint32_t)-factor.shift : 0u;
    const int32_t shifted = factor.shift > 0 ? (int32_t)((uint32_t)value << factor.shift) : value;
    const int64_t product = (int64_t)shifted * factor.mantissa + (INT64_C(1) << 30);
    const int32_t high = (int32_t)(product >> 31);
    const uint32_t mask = (UINT32_C(1) << right) - 1u;
    const uint32_t rest = (uint32_t)high & mask;
    return (high >> right) + (rest > (mask >> 1) + (high < 0 ? 1u : 0u) ? 1 : 0);
}

/* `value` within int8 limits. */
static inline int8_t approx_limited(int32_t value, int32_t minimum, int32_t maximum)
{
    const int32_t above = value < minimum ? minimum : value;
    return (int8_t)(above > maximum ? maximum : above);
}

/* output[i] = table[input[i] + 128]: any function of one int8 number. */
void approx_table_s8(const int8_t *table, const int8_t *input, int8_t *output, int32_t count);

/* An axis along which elements are picked: element i lies offsets[i], or i * stride without offsets, behind the
   beginning; a negative offset stands for the fill value. */
typedef struct {
    int32_t count;
    int32_t stride;
    const int32_t *offsets;
} approx_axis;

/* Picks runs of `run` neighbouring elements; `rank` axes, the outermost first. The output is written from its beginning
   to its end. At most 8 axes. */
void approx_select_s8(
    const approx_axis *axes, int32_t rank, int32_t run, int8_t fill, const int8_t *input, int8_t *output);

/* Copies `rows` rows of `bytes` bytes between arrays whose rows lie a pitch apart. */
void approx_copy_rows_s8(
    const int8_t *input, int32_t input_pitch, int8_t *output, int32_t output_pitch, int32_t bytes, int32_t rows);

#define APPROX_BROADCAST_AXES 6

/* The output's axes, the innermost last, and how far apart both operands' elements lie along them: 0 where an operand
   is repeated. */
typedef struct {
    int32_t count[APPROX_BROADCAST_AXES];
    int32_t first[APPROX_BROADCAST_AXES];
    int32_t second[APPROX_BROADCAST_AXES];
} approx_broadcast;

/* An operand of a sum: minus its zero point, and the factor to the common scale. */
typedef struct {
    int32_t offset;
    approx_factor factor;
} approx_summand;

typedef struct {
    approx_summand first;
    approx_summand second;
    int32_t left_shift;
    approx_factor factor;
    int32_t zero_point;
    int32_t minimum;
    int32_t maximum;
} approx_sum;

void approx_add_s8(
    const approx_broadcast *shape, const approx_sum *sum, const int8_t *first, const int8_t *second, int8_t *output);
void approx_sub_s8(
    const approx_broadcast *shape, const approx_sum *sum, const int8_t *first, const int8_t *second, int8_t *output);

typedef struct {
    int32_t first_offset;
    int32_t second_offset;
    approx_factor factor;
    int32_t zero_point;
    int32_t minimum;
    int32_t maximum;
} approx_product;

void approx_mul_s8(const approx_broadcast *shape,
                   const approx_product *product,
                   const int8_t *first,
                   const int8_t *second,
                   int8_t *output);
void approx_maximum_s8(const approx_broadcast *shape, const int8_t *first, const int8_t *second, int8_t *output);
void approx_minimum_s8(const approx_broadcast *shape, const int8_t *first, const int8_t *second, int8_t *output);

/* x * positive, where x is negative x * alpha * negative; the second operand is alpha. */
typedef struct {
    int32_t input_offset;
    int32_t alpha_offset;
    approx_factor positive;
    approx_factor negative;
    int32_t zero_point;
} approx_slopes;

void approx_prelu_s8(const approx_broadcast *shape,
                     const approx_slopes *slopes,
                     const int8_t *first,
                     const int8_t *second,
                     int8_t *output);

/* `count` elements, `stride` apart. */
typedef struct {
    int32_t count;
    int32_t stride;
} approx_span;

#define APPROX_SPANS 4

/* Axes that stay and axes that are reduced, the innermost last. */
typedef struct {
    approx_span kept[APPROX_SPANS];
    approx_span reduced[APPROX_SPANS];
} approx_reduction;

/* offset: minus the input's zero point, for each element of a sum. */
typedef struct {
    int32_t offset;
    approx_factor factor;
    int32_t zero_point;
} approx_mean;

void approx_mean_s8(const approx_reduction *shape, const approx_mean *mean, const int8_t *input, int8_t *output);
void approx_reduce_max_s8(const approx_reduction *shape, const int8_t *input, int8_t *output);
void approx_reduce_min_s8(const approx_reduction *shape, const int8_t *input, int8_t *output);

/* Where an output row (column) lies between two of the input: the one in front, the one behind, and how far it is from
   the one in front, in 1/1024. */
typedef struct {
    int32_t front;
    int32_t behind;
    int32_t weight;
} approx_place;

typedef struct {
    int32_t maps;
    int32_t input_height;
    int32_t input_width;
    int32_t channels;
    int32_t height;
    int32_t width;
} approx_resize;

void approx_resize_bilinear_s8(const approx_resize *shape,
                               const approx_place *rows,
                               const approx_place *columns,
                               const int8_t *input,
                               int8_t *output);

/* An image [input_height][input_width][input_channels], kernels [channels][kernel_height][kernel_width][input_channels]
   that are added `stride` pixels apart, and the output, cut off by `top` rows and `left` columns. factors: one a
   channel. */
typedef struct {
    int32_t input_height;
    int32_t input_width;
    int32_t input_channels;
    int32_t kernel_height;
    int32_t kernel_width;
    int32_t stride_down;
    int32_t stride_across;
    int32_t top;
    int32_t left;
    int32_t height;
    int32_t width;
    int32_t channels;
    int32_t input_offset;
    int32_t zero_point;
    int32_t minimum;
    int32_t maximum;
} approx_transposed;

void approx_transpose_conv_s8(const approx_transposed *shape,
                              const int8_t *weights,
                              const int32_t *bias,
                              const approx_factor *factors,
                              const int8_t *input,
                              int8_t *output);

/* For [outer][count][inner] elements the index along the middle axis of the largest (or smallest) one, the first of
   several: numbers of `width` bytes, the lowest first. */
void approx_arg_max_s8(const int8_t *input, int32_t outer, int32_t count, int32_t inner, int32_t width, int8_t *output);
void approx_arg_min_s8(const int8_t *input, int32_t outer, int32_t count, int32_t inner, int32_t width, int8_t *output);

/* Rows of `size` values, each divided by its length; the output's scale is 1/128. */
void approx_l2_normalization_s8(const int8_t *input, int32_t rows, int32_t size, int32_t input_offset, int8_t *output);

/* count: how many differences to a row's largest value count; reverse: from Q5.26 to the input's steps. */
typedef struct {
    int32_t rows;
    int32_t size;
    int32_t count;
    approx_factor reverse;
} approx_log_softmax;

/* For each difference d: scaled, scale * -d in Q5.26; terms: its exponential in Q12.19. The output's scale is 1/16. */
void approx_log_softmax_s8(const approx_log_softmax *softmax,
                           const int32_t *scaled,
                           const int32_t *terms,
                           const int8_t *input,
                           int8_t *output);

/* Products of [rows][depth] and [depth][columns], for each of count[0] * count[1] * count[2] pairs of matrices, which
   lie `pitch` apart: 0 where an operand is repeated. step: from one number of a sum to the next; row_pitch,
   column_pitch: from one row of the left side, and column of the right one, to the next. */
typedef struct {
    int32_t count[3];
    int32_t left_pitch[3];
    int32_t right_pitch[3];
    int32_t rows;
    int32_t columns;
    int32_t depth;
    int32_t row_pitch;
    int32_t left_step;
    int32_t column_pitch;
    int32_t right_step;
    int32_t left_offset;
    int32_t right_offset;
    approx_factor factor;
    int32_t zero_point;
} approx_matmul;

void approx_batch_matmul_s8(const approx_matmul *matmul, const int8_t *left, const int8_t *right, int8_t *output);

/* An LSTM layer. weights: [4 gates][cells][features + cells], for input, forget, cell and output gate; bias:
   [4][2][cells], of the sums over the features and over the last outputs; factors: [4][2], to Q3.12. The cell has
   `cell_bits` integer bits and stays within +- clip, unless that is 0. */
typedef struct {
    int32_t steps;
    int32_t features;
    int32_t cells;
    int32_t cell_bits;
    int32_t clip;
    const int8_t *weights;
    const int32_t *bias;
    const approx_factor *factors;
    approx_factor hidden;
    int32_t zero_point;
} approx_lstm;

/* last: outputs of the step before the first; cell: int16 [cells], in bytes. The output is the cell behind the last
   step, likewise, and the outputs of all steps. */
void approx_lstm_s8(
    const approx_lstm *lstm, const int8_t *input, const int8_t *last, const int8_t *cell, int8_t *output);

/* Half of an SVDF layer. Its state is [filters][memory], elements of `width` bytes (1 or 2).
   features: puts a new column into the state; input_offset, zero_point: of the features and of the state.
   time: `filters` units of `rank` rows of the state each; input_offset, zero_point: of the state and of the output. */
typedef struct {
    int32_t filters;
    int32_t features;
    int32_t memory;
    int32_t rank;
    int32_t width;
    int32_t input_offset;
    int32_t zero_point;
    approx_factor factor;
} approx_svdf;

void approx_svdf_features_s8(
    const approx_svdf *svdf, const int8_t *weights, const int8_t *input, const int8_t *state, int8_t *output);
/* weights: int16 or int8, as wide as the state. */
void approx_svdf_time_s8(
    const approx_svdf *svdf, const void *weights, const int32_t *bias, const int8_t *state, int8_t *output);

#ifdef __cplusplus
}
#endif

#endif
