/* SPDX-License-Identifier: MIT
 *
 * Runs every function of the portable subset over many shapes on buffers of exactly the right size, for a build with
 * the address and undefined-behaviour sanitizers. Prints a checksum of all outputs and how many calls it made.
 */
#include <stdio.h>
#include <stdlib.h>

#include "arm_nnfunctions.h"

static uint32_t state = 1;
static uint32_t checksum = 0;
static uint32_t calls = 0;

static uint32_t next_random(void)
{
    state = state * 1664525u + 1013904223u;
    return state >> 8;
}

static int8_t *random_bytes(int32_t count)
{
    int8_t *bytes = malloc((size_t)count);
    for (int32_t i = 0; i < count; i++) {
        bytes[i] = (int8_t)(next_random() % 4 == 0 ? -128 : (int32_t)(next_random() % 256) - 128);
    }
    return bytes;
}

/* Of the whole range where `extreme` says so: sums then wrap. */
static int32_t *random_words(int32_t count, uint32_t modulus, int32_t least, int extreme)
{
    int32_t *words = malloc((size_t)count * sizeof *words);
    for (int32_t i = 0; i < count; i++) {
        words[i] = extreme ? (i % 2 ? INT32_MAX : INT32_MIN) : (int32_t)(next_random() % modulus) + least;
    }
    return words;
}

static void finish(int status, int8_t *output, int32_t count)
{
    if (status != ARM_CMSIS_NN_SUCCESS) {
        printf("call %u failed\n", (unsigned)calls);
        exit(1);
    }
    for (int32_t i = 0; i < count; i++) {
        checksum = checksum * 31u + (uint8_t)output[i];
    }
    calls++;
    free(output);
}

static void convolve(int32_t size, int32_t kernel, int32_t stride, int32_t padding, int32_t dilation, int32_t channels)
{
    const int32_t reach = (kernel - 1) * dilation + 1;
    if (size + 2 * padding < reach) {
        return;
    }
    const int32_t out = (size + 2 * padding - reach) / stride + 1;
    const cmsis_nn_context none = {NULL, 0};
    const cmsis_nn_activation limits = {-128, 127};
    const cmsis_nn_dims input_dims = {1, size, size + 1, channels};
    const int32_t groups = channels % 2 == 0 && kernel == 2 ? 2 : 1;
    const int32_t width = (size + 1 + 2 * padding - reach) / stride + 1;
    int8_t *input = random_bytes(size * (size + 1) * channels);
    for (int depthwise = 0; depthwise < 2; depthwise++) {
        const int32_t outputs = depthwise ? channels * (kernel == 3 ? 1 : 2) : 2 * groups;
        const int32_t depth = depthwise ? 1 : channels / groups;
        int8_t *filter = random_bytes(kernel * kernel * depth * outputs);
        int32_t *bias = random_words(outputs, 4096, -2048, calls % 3 == 0);
        int32_t *multiplier = random_words(outputs, 1u << 30, 1 << 30, 0);
        int32_t *shift = random_words(outputs, 62, -31, 0);
        const cmsis_nn_per_channel_quant_params scales = {multiplier, shift};
        const cmsis_nn_dims bias_dims = {1, 1, 1, outputs};
        const cmsis_nn_dims output_dims = {1, out, width, outputs};
        int8_t *output = malloc((size_t)(out * width * outputs));
        const cmsis_nn_tile strides = {stride, stride};
        const cmsis_nn_tile paddings = {padding, padding};
        const cmsis_nn_tile dilations = {dilation, dilation};
        int status;
        if (depthwise) {
            const cmsis_nn_dims filter_dims = {1, kernel, kernel, outputs};
            const cmsis_nn_dw_conv_params p = {128, 127, outputs / channels, strides, paddings, dilations, limits};
            status = arm_depthwise_conv_wrapper_s8(
                &none, &p, &scales, &input_dims, input, &filter_dims, filter, &bias_dims, bias, &output_dims, output);
        } else {
            const cmsis_nn_dims filter_dims = {outputs, kernel, kernel, depth};
            const cmsis_nn_conv_params p = {128, 127, strides, paddings, dilations, limits};
            status = arm_convolve_wrapper_s8(
                &none, &p, &scales, &input_dims, input, &filter_dims, filter, &bias_dims, bias, &output_dims, output);
        }
        finish(status, output, out * width * outputs);
        free(filter);
        free(bias);
        free(multiplier);
        free(shift);
    }
    if (padding < kernel && dilation == 1) {
        for (int average = 0; average < 2; average++) {
            const cmsis_nn_pool_params p = {{stride, stride}, {padding, padding}, {-128, 127}};
            const cmsis_nn_dims filter_dims = {1, kernel, kernel, 1};
            const cmsis_nn_dims output_dims = {1, out, width, channels};
            int8_t *output = malloc((size_t)(out * width * channels));
            const int status = (average ? arm_avgpool_s8 : arm_max_pool_s8)(
                &none, &p, &input_dims, input, &filter_dims, &output_dims, output);
            finish(status, output, out * width * channels);
        }
    }
    free(input);
}

static void fully_connect(int32_t inputs, int32_t outputs, int per_channel)
{
    const cmsis_nn_context none = {NULL, 0};
    const cmsis_nn_fc_params p = {-127, inputs % 3 - 1, -128, {-128, 127}};
    const cmsis_nn_dims input_dims = {2, 1, 1, inputs};
    const cmsis_nn_dims filter_dims = {inputs, 1, 1, outputs};
    const cmsis_nn_dims output_dims = {2, 1, 1, outputs};
    int8_t *input = random_bytes(2 * inputs);
    int8_t *filter = random_bytes(inputs * outputs);
    int32_t *bias = random_words(outputs, 4096, -2048, inputs % 4 == 0);
    int32_t *multiplier = random_words(per_channel ? outputs : 1, 1u << 30, 1 << 30, 0);
    int32_t *shift = random_words(per_channel ? outputs : 1, 62, -31, 0);
    const cmsis_nn_quant_params scales = {multiplier, shift, per_channel};
    int8_t *output = malloc((size_t)(2 * outputs));
    const int status = arm_fully_connected_wrapper_s8(
        &none, &p, &scales, &input_dims, input, &filter_dims, filter, &output_dims, bias, &output_dims, output);
    finish(status, output, 2 * outputs);
    free(input);
    free(filter);
    free(bias);
    free(multiplier);
    free(shift);
}

static void add(int32_t count)
{
    int8_t *first = random_bytes(count);
    int8_t *second = random_bytes(count);
    int8_t *output = malloc((size_t)count);
    const int status = arm_elementwise_add_s8(
        first, second, 128, INT32_MAX, 0, -127, 1 << 30, -3, 20, output, -128, INT32_MAX, -18, -128, 127, count);
    finish(status, output, count);
    free(first);
    free(second);
}

static void soften(int32_t rows, int32_t size, int32_t shift)
{
    int8_t *input = random_bytes(rows * size);
    int8_t *output = malloc((size_t)(rows * size));
    arm_softmax_s8(input, rows, size, 1518500250, shift, -255, output);
    finish(ARM_CMSIS_NN_SUCCESS, output, rows * size);
    free(input);
}

static void pad(int32_t size, int32_t before, int32_t after)
{
    const cmsis_nn_dims dims = {2, size, size + 1, 3};
    const cmsis_nn_dims pre = {before, after, before, after};
    const cmsis_nn_dims post = {after, before, after, before};
    const int32_t both = before + after;
    const int32_t count = (2 + both) * (size + both) * (size + 1 + both) * (3 + both);
    int8_t *input = random_bytes(2 * size * (size + 1) * 3);
    int8_t *output = malloc((size_t)count);
    finish(arm_pad_s8(input, output, -7, &dims, &pre, &post), output, count);
    free(input);
}

int main(void)
{
    for (int32_t i = 0; i < 1200; i++) {
        const int32_t kernel = 1 + i % 5;
        convolve(1 + i % 7, kernel, 1 + i % 3, i / 5 % kernel, 1 + i / 7 % 2, 1 + i % 11);
    }
    for (int32_t i = 0; i < 200; i++) {
        fully_connect(1 + i % 37, 1 + i % 5, i % 2);
        add(1 + i % 19);
        soften(1 + i % 3, 1 + 7 * i, i % 32);
        pad(1 + i % 4, i % 3, i / 3 % 3);
    }
    printf("%08x %u\n", (unsigned)checksum, (unsigned)calls);
    return 0;
}
