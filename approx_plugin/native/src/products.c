/* The integer network's products on the host: convolutions as Conv2D, DepthwiseConv2D and TransformedConv2D define
 * them (approx_plugin/operators), an image at a time. Sums are taken modulo 2^32, as on the device.
 *
 * Weights come in panels of eight output channels: [panel][pair of operands][channel][2], int16. What does not fill a
 * panel or a pair is 0.
 */
#include "products.h"

#include <stdlib.h>
#include <string.h>

#ifdef __AVX2__
#include <immintrin.h>
#endif

enum { LANES = 8, ROWS = 4 };

#ifndef __AVX2__
static int32_t wrapped(int64_t value)
{
    return (int32_t)(uint32_t)(uint64_t)value;
}

static int8_t requantised(int32_t sum, const Scale *scale, const Window *window)
{
    const int64_t shifted = wrapped((int64_t)((uint64_t)(int64_t)sum << scale->left));
    int64_t value = (shifted * scale->mantissa + ((int64_t)1 << 30)) >> 31;
    if (scale->right > 0) {
        const int64_t half = (int64_t)1 << (scale->right - 1);
        value = value < 0 ? -((half - value) >> scale->right) : (value + half) >> scale->right;
    }
    value = wrapped(value + window->output_zero_point);
    value = value < window->minimum ? window->minimum : value;
    return (int8_t)(value > window->maximum ? window->maximum : value);
}

static int8_t rescaled(int32_t sum, const Scale *scale, const Window *window, int32_t exponent)
{
    int64_t value = (((int64_t)sum * scale->mantissa >> 32) + scale->left) >> exponent;
    value = value < window->minimum ? window->minimum : value;
    return (int8_t)(value > window->maximum ? window->maximum : value);
}

/* A pixel's outputs by both roundings (exponent < 0), or by the transformed convolution's one. */
static void finish(const int32_t *sums, const Scale *scales, const Window *window, int32_t exponent, int8_t *output)
{
    for (int32_t channel = 0; channel < window->outputs; channel++) {
        const Scale *scale = &scales[channel];
        const int32_t sum = wrapped((int64_t)sums[channel] + scale->bias);
        output[channel] = exponent < 0 ? requantised(sum, scale, window) : rescaled(sum, scale, window, exponent);
    }
}
#else
/* Eight channels of one field of their scales. */
static __m256i field(const Scale *scales, size_t offset)
{
    const __m256i places = _mm256_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28);
    return _mm256_i32gather_epi32((const int *)(const void *)scales + offset, places, 4);
}

/* Even and odd products, 64 bits each: bits `shift` and up of each as 32 bits. */
static __m256i high(__m256i a, __m256i b, __m256i rounding, int shift)
{
    const __m128i by = _mm_cvtsi32_si128(shift);
    const __m256i even = _mm256_add_epi64(_mm256_mul_epi32(a, b), rounding);
    const __m256i odd =
        _mm256_add_epi64(_mm256_mul_epi32(_mm256_srli_epi64(a, 32), _mm256_srli_epi64(b, 32)), rounding);
    return _mm256_blend_epi32(_mm256_srl_epi64(even, by), _mm256_slli_epi64(_mm256_srl_epi64(odd, by), 32), 0xAA);
}

/* A pixel's outputs by both roundings (exponent < 0), or by the transformed convolution's one. What does not fill eight
 * channels is computed all the same: scales and sums are there. Right shifts up to 12 are exact: what saturates is
 * beyond int8 then. */
static void finish(const int32_t *sums, const Scale *scales, const Window *window, int32_t exponent, int8_t *output)
{
    const __m256i zero = _mm256_setzero_si256();
    for (int32_t channel = 0; channel < window->outputs; channel += LANES) {
        const Scale *scale = &scales[channel];
        const __m256i mantissa = field(scale, 1), left = field(scale, 2);
        __m256i value =
            _mm256_add_epi32(_mm256_loadu_si256((const __m256i *)(const void *)(sums + channel)), field(scale, 0));
        if (exponent < 0) {
            const __m256i right = field(scale, 3);
            const __m256i some = _mm256_cmpgt_epi32(right, zero);
            const __m256i half = _mm256_and_si256(
                some, _mm256_sllv_epi32(_mm256_set1_epi32(1), _mm256_sub_epi32(right, _mm256_set1_epi32(1))));
            value = high(_mm256_sllv_epi32(value, left), mantissa, _mm256_set1_epi64x((int64_t)1 << 30), 31);
            value = _mm256_min_epi32(value, _mm256_sub_epi32(_mm256_set1_epi32(INT32_MAX), half));
            const __m256i below = _mm256_and_si256(some, _mm256_srai_epi32(value, 31));
            value = _mm256_srav_epi32(_mm256_add_epi32(_mm256_add_epi32(value, half), below), right);
            value = _mm256_add_epi32(value, _mm256_set1_epi32(window->output_zero_point));
        } else {
            value = _mm256_add_epi32(high(value, mantissa, zero, 32), left);
            value = _mm256_sra_epi32(value, _mm_cvtsi32_si128(exponent));
        }
        value = _mm256_max_epi32(value, _mm256_set1_epi32(window->minimum));
        value = _mm256_min_epi32(value, _mm256_set1_epi32(window->maximum));
        const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(value), _mm256_extracti128_si256(value, 1));
        const int64_t bytes = _mm_cvtsi128_si64(_mm_packs_epi16(words, words));
        const int32_t count = window->outputs - channel < LANES ? window->outputs - channel : LANES;
        if (count == LANES) {
            memcpy(output + channel, &bytes, LANES);
        } else {
            memcpy(output + channel, &bytes, (size_t)count);
        }
    }
}
#endif

/* sums[row][panel][lane] = products of up to ROWS rows, each of `pairs` pairs of operands, with all panels. */
#ifndef __AVX2__
static void
multiply(const int16_t *rows, int32_t count, int32_t pairs, const int16_t *panels, int32_t panel_count, int32_t *sums)
{
    for (int32_t row = 0; row < count; row++) {
        const int16_t *operands = rows + (size_t)row * 2 * (size_t)pairs;
        for (int32_t panel = 0; panel < panel_count; panel++) {
            const int16_t *weights = panels + (size_t)panel * (size_t)pairs * 2 * LANES;
            uint32_t total[LANES] = {0};
            for (int32_t pair = 0; pair < pairs; pair++) {
                const int32_t a = operands[2 * pair];
                const int32_t b = operands[2 * pair + 1];
                for (int32_t lane = 0; lane < LANES; lane++) {
                    total[lane] += (uint32_t)(a * weights[2 * lane]) + (uint32_t)(b * weights[2 * lane + 1]);
                }
                weights += 2 * LANES;
            }
            memcpy(sums + ((size_t)row * (size_t)panel_count + (size_t)panel) * LANES, total, sizeof total);
        }
    }
}
#else
static void
multiply(const int16_t *rows, int32_t count, int32_t pairs, const int16_t *panels, int32_t panel_count, int32_t *sums)
{
    /* Rows that are not there are read as the first one, and their sums are not stored. */
    const int16_t *operands[ROWS];
    for (int32_t row = 0; row < ROWS; row++) {
        operands[row] = rows + (size_t)(row < count ? row : 0) * 2 * (size_t)pairs;
    }
    for (int32_t panel = 0; panel < panel_count; panel += 2) {
        const int32_t both = panel + 1 < panel_count;
        const size_t size = (size_t)pairs * 2 * LANES;
        const int16_t *first = panels + (size_t)panel * size;
        const int16_t *second = both ? first + size : first;
        __m256i total[ROWS][2];
        for (int32_t row = 0; row < ROWS; row++) {
            total[row][0] = _mm256_setzero_si256();
            total[row][1] = _mm256_setzero_si256();
        }
        for (int32_t pair = 0; pair < pairs; pair++) {
            const __m256i a = _mm256_loadu_si256((const __m256i *)(const void *)(first + 2 * LANES * pair));
            const __m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(second + 2 * LANES * pair));
            for (int32_t row = 0; row < ROWS; row++) {
                int32_t word;
                memcpy(&word, operands[row] + 2 * pair, sizeof word);
                const __m256i operand = _mm256_set1_epi32(word);
                total[row][0] = _mm256_add_epi32(total[row][0], _mm256_madd_epi16(operand, a));
                total[row][1] = _mm256_add_epi32(total[row][1], _mm256_madd_epi16(operand, b));
            }
        }
        for (int32_t row = 0; row < count; row++) {
            int32_t *place = sums + ((size_t)row * (size_t)panel_count + (size_t)panel) * LANES;
            _mm256_storeu_si256((__m256i *)(void *)place, total[row][0]);
            if (both) {
                _mm256_storeu_si256((__m256i *)(void *)(place + LANES), total[row][1]);
            }
        }
    }
}
#endif

/* An image with the zero point taken off and zeros around it, int16 [rows][columns][channels]. */
static void widen(const int8_t *image, const Window *window, int16_t *wide, int32_t rows, int32_t columns)
{
    const int32_t channels = window->channels;
    memset(wide, 0, (size_t)rows * (size_t)columns * (size_t)channels * sizeof *wide);
    for (int32_t row = 0; row < window->height && row + window->top < rows; row++) {
        const int32_t across = columns - window->left;
        const int32_t count = (window->width < across ? window->width : across) * channels;
        const int8_t *from = image + (size_t)row * (size_t)window->width * (size_t)channels;
        int16_t *to = wide + ((size_t)(row + window->top) * (size_t)columns + (size_t)window->left) * (size_t)channels;
        for (int32_t at = 0; at < count; at++) {
            to[at] = (int16_t)(from[at] - window->zero_point);
        }
    }
}

static int32_t reach(int32_t outputs, int32_t stride, int32_t taps, int32_t dilation)
{
    return (outputs - 1) * stride + (taps - 1) * dilation + 1;
}

int32_t approx_convolve(const int8_t *input,
                        int32_t images,
                        const Window *window,
                        const int16_t *panels,
                        const Scale *scales,
                        int8_t *output)
{
    const int32_t channels = window->channels;
    const int32_t taps = window->kernel_height * window->kernel_width;
    const int32_t pairs = (taps * channels + 1) / 2;
    const int32_t panel_count = (window->outputs + LANES - 1) / LANES;
    const int32_t rows = reach(window->out_height, window->stride_down, window->kernel_height, window->dilation_down);
    const int32_t columns =
        reach(window->out_width, window->stride_across, window->kernel_width, window->dilation_across);
    const int32_t pixels = window->out_height * window->out_width;
    const size_t image_size = (size_t)window->height * (size_t)window->width * (size_t)channels;
    int16_t *wide = malloc((size_t)rows * (size_t)columns * (size_t)channels * sizeof *wide);
    int16_t *gathered = calloc((size_t)ROWS * 2 * (size_t)pairs, sizeof *gathered);
    int32_t *sums = malloc((size_t)ROWS * (size_t)panel_count * LANES * sizeof *sums);
    if (wide == NULL || gathered == NULL || sums == NULL) {
        free(wide);
        free(gathered);
        free(sums);
        return -1;
    }
    for (int32_t image = 0; image < images; image++) {
        widen(input + (size_t)image * image_size, window, wide, rows, columns);
        for (int32_t start = 0; start < pixels; start += ROWS) {
            const int32_t count = pixels - start < ROWS ? pixels - start : ROWS;
            for (int32_t row = 0; row < count; row++) {
                const int32_t y = (start + row) / window->out_width * window->stride_down;
                const int32_t x = (start + row) % window->out_width * window->stride_across;
                int16_t *to = gathered + (size_t)row * 2 * (size_t)pairs;
                for (int32_t tall = 0; tall < window->kernel_height; tall++) {
                    const int16_t *line =
                        wide +
                        ((size_t)(y + tall * window->dilation_down) * (size_t)columns + (size_t)x) * (size_t)channels;
                    const int32_t at_once = window->dilation_across == 1 ? window->kernel_width : 1;
                    for (int32_t across = 0; across < window->kernel_width; across += at_once) {
                        const size_t size = (size_t)at_once * (size_t)channels;
                        memcpy(to,
                               line + (size_t)across * (size_t)window->dilation_across * (size_t)channels,
                               size * sizeof *to);
                        to += size;
                    }
                }
            }
            multiply(gathered, count, pairs, panels, panel_count, sums);
            for (int32_t row = 0; row < count; row++) {
                const int32_t *from = sums + (size_t)row * (size_t)panel_count * LANES;
                int8_t *to =
                    output + ((size_t)image * (size_t)pixels + (size_t)(start + row)) * (size_t)window->outputs;
                finish(from, scales, window, -1, to);
            }
        }
    }
    free(wide);
    free(gathered);
    free(sums);
    return 0;
}

int32_t approx_depthwise(const int8_t *input,
                         int32_t images,
                         const Window *window,
                         const int16_t *weights,
                         const Scale *scales,
                         int8_t *output)
{
    const int32_t channels = window->channels;
    const int32_t rows = reach(window->out_height, window->stride_down, window->kernel_height, window->dilation_down);
    const int32_t columns =
        reach(window->out_width, window->stride_across, window->kernel_width, window->dilation_across);
    const size_t image_size = (size_t)window->height * (size_t)window->width * (size_t)channels;
    int16_t *wide = malloc((size_t)rows * (size_t)columns * (size_t)channels * sizeof *wide);
    int32_t *sums = malloc((size_t)(channels + LANES) * sizeof *sums);
    if (wide == NULL || sums == NULL) {
        free(wide);
        free(sums);
        return -1;
    }
    for (int32_t image = 0; image < images; image++) {
        widen(input + (size_t)image * image_size, window, wide, rows, columns);
        for (int32_t y = 0; y < window->out_height; y++) {
            for (int32_t x = 0; x < window->out_width; x++) {
                memset(sums, 0, (size_t)(channels + LANES) * sizeof *sums);
                const int16_t *factors = weights;
                for (int32_t tall = 0; tall < window->kernel_height; tall++) {
                    for (int32_t across = 0; across < window->kernel_width; across++) {
                        const int32_t row = y * window->stride_down + tall * window->dilation_down;
                        const int32_t column = x * window->stride_across + across * window->dilation_across;
                        const int16_t *from =
                            wide + ((size_t)row * (size_t)columns + (size_t)column) * (size_t)channels;
                        for (int32_t channel = 0; channel < channels; channel++) {
                            sums[channel] += from[channel] * factors[channel];
                        }
                        factors += channels;
                    }
                }
                finish(sums, scales, window, -1, output);
                output += channels;
            }
        }
    }
    free(wide);
    free(sums);
    return 0;
}

/* to[...] += factor * from[...], modulo 2^16. */
static void add_short(int16_t *to, const int16_t *from, int32_t factor, size_t count)
{
    const uint16_t times = (uint16_t)factor;
    for (size_t at = 0; at < count; at++) {
        to[at] = (int16_t)(uint16_t)((uint16_t)to[at] + (uint16_t)((uint32_t)(uint16_t)from[at] * times));
    }
}

/* The same modulo 2^32. */
static void add_long(int32_t *to, const int32_t *from, int32_t factor, size_t count)
{
    for (size_t at = 0; at < count; at++) {
        to[at] = (int32_t)((uint32_t)to[at] + (uint32_t)from[at] * (uint32_t)factor);
    }
}

/* Both output transforms of one tile. sums: int32 [points][stride]; half: [outputs_down][points_across][stride]; made:
 * [outputs_down][outputs_across][stride]. */
static void transform_back(const int32_t *sums,
                           const Tiles *tiles,
                           const int32_t *down,
                           const int32_t *across,
                           size_t point_stride,
                           size_t stride,
                           int32_t *half,
                           int32_t *made)
{
    memset(half, 0, (size_t)tiles->outputs_down * (size_t)tiles->points_across * stride * sizeof *half);
    memset(made, 0, (size_t)tiles->outputs_down * (size_t)tiles->outputs_across * stride * sizeof *made);
    for (int32_t output = 0; output < tiles->outputs_down; output++) {
        for (int32_t point = 0; point < tiles->points_down; point++) {
            const int32_t factor = down[output * tiles->points_down + point];
            for (int32_t other = 0; factor != 0 && other < tiles->points_across; other++) {
                add_long(half + (size_t)(output * tiles->points_across + other) * stride,
                         sums + (size_t)(point * tiles->points_across + other) * point_stride,
                         factor,
                         stride);
            }
        }
    }
    for (int32_t output = 0; output < tiles->outputs_down; output++) {
        for (int32_t other = 0; other < tiles->outputs_across; other++) {
            for (int32_t point = 0; point < tiles->points_across; point++) {
                const int32_t factor = across[other * tiles->points_across + point];
                if (factor != 0) {
                    add_long(made + (size_t)(output * tiles->outputs_across + other) * stride,
                             half + (size_t)(output * tiles->points_across + point) * stride,
                             factor,
                             stride);
                }
            }
        }
    }
}

/* V of one tile into rows [point][slot in the batch]: patch, int16 [points_down][points_across][channels]. */
static void transform_patch(const int16_t *patch,
                            const Tiles *tiles,
                            const int32_t *down,
                            const int32_t *across,
                            int32_t columns,
                            int32_t channels,
                            int16_t *half,
                            int16_t *rows,
                            size_t point_stride)
{
    const size_t line = (size_t)tiles->points_across * (size_t)channels;
    memset(half, 0, (size_t)tiles->points_down * line * sizeof *half);
    for (int32_t point = 0; point < tiles->points_down; point++) {
        for (int32_t row = 0; row < tiles->points_down; row++) {
            const int32_t factor = down[point * tiles->points_down + row];
            if (factor != 0) {
                add_short(half + (size_t)point * line,
                          patch + (size_t)row * (size_t)columns * (size_t)channels,
                          factor,
                          line);
            }
        }
    }
    for (int32_t point = 0; point < tiles->points_down; point++) {
        for (int32_t other = 0; other < tiles->points_across; other++) {
            int16_t *to = rows + (size_t)(point * tiles->points_across + other) * point_stride;
            memset(to, 0, (size_t)channels * sizeof *to);
            for (int32_t column = 0; column < tiles->points_across; column++) {
                const int32_t factor = across[other * tiles->points_across + column];
                if (factor != 0) {
                    add_short(
                        to, half + (size_t)point * line + (size_t)column * (size_t)channels, factor, (size_t)channels);
                }
            }
        }
    }
}

enum { BATCH = 3 * ROWS };

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
                           int8_t *output)
{
    const int32_t channels = window->channels;
    const int32_t pairs = (channels + 1) / 2;
    const int32_t points = tiles->points_down * tiles->points_across;
    const int32_t panel_count = (window->outputs + LANES - 1) / LANES;
    const size_t width = (size_t)panel_count * LANES;
    const int32_t rows = tiles->tile_rows * tiles->outputs_down + 2;
    const int32_t columns = tiles->tile_columns * tiles->outputs_across + 2;
    const int32_t count = tiles->tile_rows * tiles->tile_columns;
    const size_t image_size = (size_t)window->height * (size_t)window->width * (size_t)channels;
    const size_t tile_outputs = (size_t)tiles->outputs_down * (size_t)tiles->outputs_across;
    int16_t *wide = malloc((size_t)rows * (size_t)columns * (size_t)channels * sizeof *wide);
    int16_t *half = malloc((size_t)points * (size_t)channels * sizeof *half);
    int16_t *operands = calloc((size_t)points * BATCH * 2 * (size_t)pairs, sizeof *operands);
    int32_t *sums = malloc((size_t)points * BATCH * width * sizeof *sums);
    int32_t *between = malloc((size_t)points * width * sizeof *between);
    int32_t *made = malloc(tile_outputs * width * sizeof *made);
    const int32_t short_of_memory =
        wide == NULL || half == NULL || operands == NULL || sums == NULL || between == NULL || made == NULL;
    for (int32_t image = 0; image < images && !short_of_memory; image++) {
        widen(input + (size_t)image * image_size, window, wide, rows, columns);
        int8_t *const to =
            output + (size_t)image * (size_t)window->out_height * (size_t)window->out_width * (size_t)window->outputs;
        for (int32_t start = 0; start < count; start += BATCH) {
            const int32_t batch = count - start < BATCH ? count - start : BATCH;
            for (int32_t tile = 0; tile < batch; tile++) {
                const int32_t y = (start + tile) / tiles->tile_columns * tiles->outputs_down;
                const int32_t x = (start + tile) % tiles->tile_columns * tiles->outputs_across;
                transform_patch(wide + ((size_t)y * (size_t)columns + (size_t)x) * (size_t)channels,
                                tiles,
                                in_down,
                                in_across,
                                columns,
                                channels,
                                half,
                                operands + (size_t)tile * 2 * (size_t)pairs,
                                (size_t)BATCH * 2 * (size_t)pairs);
            }
            for (int32_t point = 0; point < points; point++) {
                const int16_t *weights = panels + (size_t)point * width * 2 * (size_t)pairs;
                for (int32_t tile = 0; tile < batch; tile += ROWS) {
                    multiply(operands + ((size_t)point * BATCH + (size_t)tile) * 2 * (size_t)pairs,
                             batch - tile < ROWS ? batch - tile : ROWS,
                             pairs,
                             weights,
                             panel_count,
                             sums + ((size_t)point * BATCH + (size_t)tile) * width);
                }
            }
            for (int32_t tile = 0; tile < batch; tile++) {
                const int32_t y = (start + tile) / tiles->tile_columns * tiles->outputs_down;
                const int32_t x = (start + tile) % tiles->tile_columns * tiles->outputs_across;
                transform_back(sums + (size_t)tile * width,
                               tiles,
                               back_down,
                               back_across,
                               (size_t)BATCH * width,
                               width,
                               between,
                               made);
                for (int32_t place = 0; place < (int32_t)tile_outputs; place++) {
                    const int32_t row = y + place / tiles->outputs_across;
                    const int32_t column = x + place % tiles->outputs_across;
                    if (row >= window->out_height || column >= window->out_width) {
                        continue;
                    }
                    const int32_t *from = made + (size_t)place * width;
                    int8_t *pixel =
                        to + ((size_t)row * (size_t)window->out_width + (size_t)column) * (size_t)window->outputs;
                    finish(from, scales, window, tiles->exponent, pixel);
                }
            }
        }
    }
    free(wide);
    free(half);
    free(operands);
    free(sums);
    free(between);
    free(made);
    return short_of_memory ? -1 : 0;
}
