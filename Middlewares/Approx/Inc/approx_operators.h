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

#ifdef __cplusplus
}
#endif

#endif
