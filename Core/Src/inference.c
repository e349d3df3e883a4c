/*
 * All that a program needs in order to use the network: three buffers, which it owns, and one call. Real data takes the
 * place of the test vectors in inference_prepare(): approx_network.h gives scale, zero point and shape of input and
 * output.
 */
#include "inference.h"

#include <string.h>

#include "approx_network.h"
#include "test_vectors.h"

static int8_t input[APPROX_NETWORK_IN_SIZE_BYTES] __attribute__((aligned(8)));
static int8_t output[APPROX_NETWORK_OUT_SIZE_BYTES] __attribute__((aligned(8)));
static uint8_t activations[APPROX_NETWORK_ACTIVATIONS_SIZE] __attribute__((aligned(8)));

void inference_prepare(uint32_t vector)
{
    memcpy(input, &test_vector_inputs[vector * APPROX_NETWORK_IN_SIZE_BYTES], sizeof input);
}

int32_t inference_run(void)
{
    return approx_network_run(activations, input, output);
}

const int8_t *inference_output(void)
{
    return output;
}
