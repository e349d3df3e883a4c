#include "verification.h"

#include <string.h>

#include "approx_network.h"
#include "console.h"
#include "crc32.h"
#include "inference.h"
#include "test_vectors.h"

struct comparison {
    const uint32_t *expected; /* checksums of the layers */
    int32_t observed;         /* calls of the observer so far */
    int32_t wrong_layer;      /* the first one that differs, -1: none */
    uint32_t wrong_checksum;
};

static void layer_done(void *user, int32_t layer, const int8_t *result, uint32_t bytes)
{
    struct comparison *comparison = user;
    uint32_t checksum = crc32(result, bytes);

    comparison->observed++;
    if (comparison->wrong_layer < 0 && checksum != comparison->expected[layer]) {
        comparison->wrong_layer = layer;
        comparison->wrong_checksum = checksum;
    }
}

static void print_layer(int32_t layer)
{
    console_text(" layer ");
    console_unsigned((uint32_t)layer);
    console_text(" ");
    console_text(approx_network_layer_names[layer]);
}

/* Prints what is wrong with the last inference. 1 if nothing is. */
static int judge(const struct comparison *comparison, int32_t status, const int8_t *expected)
{
    if (status != 0) {
        console_text(" FAILED");
        print_layer(status - 1);
    } else if (comparison->wrong_layer >= 0) {
        console_text(" MISMATCH");
        print_layer(comparison->wrong_layer);
        console_text(" crc ");
        console_hex32(comparison->wrong_checksum);
        console_text(" expected ");
        console_hex32(comparison->expected[comparison->wrong_layer]);
    } else if (comparison->observed != APPROX_NETWORK_STEPS) {
        console_text(" MISMATCH layers seen ");
        console_unsigned((uint32_t)comparison->observed);
    } else if (memcmp(inference_output(), expected, APPROX_NETWORK_OUT_SIZE_BYTES) != 0) {
        console_text(" MISMATCH output");
    } else {
        console_text(" ok");
        return 1;
    }
    return 0;
}

static int verify(uint32_t vector)
{
    struct comparison comparison = {.expected = &test_vector_checksums[vector * APPROX_NETWORK_LAYERS],
                                    .wrong_layer = -1};

    inference_prepare(vector);
    approx_network_set_observer(layer_done, &comparison);
    int32_t status = inference_run();
    approx_network_set_observer(0, 0);

    console_text("approx: vector ");
    console_unsigned(vector);
    int right = judge(&comparison, status, &test_vector_outputs[vector * APPROX_NETWORK_OUT_SIZE_BYTES]);
    console_text("\n");
    return right;
}

uint32_t verification_run(void)
{
    uint32_t passed = 0u;

    /* The vectors of a network with states are one sequence. */
    approx_network_reset();
    for (uint32_t vector = 0; vector < test_vector_count; vector++) {
        passed += (uint32_t)verify(vector);
    }
    return passed;
}
