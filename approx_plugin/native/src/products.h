/* Products of the integer network on the host: see products.c. */
#ifndef APPROX_PRODUCTS_H
#define APPROX_PRODUCTS_H

#include <stdint.h>

typedef struct {
    int32_t height, width, channels;
    int32_t out_height, out_width, outputs;
    int32_t kernel_height, kernel_width;
    int32_t stride_down, stride_across;
    int32_t dilation_down, dilation_across;
    int32_t top, left;
    int32_t zero_point, output_zero_point, minimum, maximum;
} Window;

/* Of one output channel: see approx_plugin/operators/fixed_point.py. */
typedef struct {
    int32_t bias, mantissa, left, right;
} Scale;

/* Of a transformed convolution: see approx_plugin/operators/transformed_conv2d.py. */
typedef struct {
    int32_t tile_rows, tile_columns;
    int32_t points_down, points_across;
    int32_t outputs_down, outputs_across;
    int32_t exponent;
} Tiles;

/* All of them give 0, or -1 where memory is short. */
int32_t approx_convolve(const int8_t *input,
                        int32_t images,
                        const Window *window,
                        const int16_t *panels,
                        const Scale *scales,
                        int8_t *output);

/* As many outputs as inputs. weights: int16 [taps][channels]. */
int32_t approx_depthwise(const int8_t *input,
                         int32_t images,
                         const Window *window,
                         const int16_t *weights,
                         const Scale *scales,
                         int8_t *output);

/* panels: for each point those of its weights [outputs][channels]. in_down, in_across: B^T; back_down, back_across:
 * A^T. Of the scales, bias, mantissa (the multiplier) and left (the addend) are used. */
int32_t approx_transformed(const int8_t *input,
                           int32_t images,
                           const Window *window,
                           const Tiles *tiles,
                           const int32_t *in_down,
                           const int32_t *in_across,
                           const int32_t *back_down,
                           const int32_t *back_across,
                           const int16_t *panels,
                           const Scale *scales,
                           int8_t *output);

#endif
