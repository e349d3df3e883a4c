/*
 * Real inputs and what the integer reference computes from them. The data is in the generated test_vectors.c.
 */
#ifndef TEST_VECTORS_H
#define TEST_VECTORS_H

#include <stdint.h>

extern const uint32_t test_vector_count;
extern const int8_t test_vector_inputs[];      /* [count][APPROX_NETWORK_IN_SIZE_BYTES] */
extern const int8_t test_vector_outputs[];     /* [count][APPROX_NETWORK_OUT_SIZE_BYTES] */
extern const uint32_t test_vector_checksums[]; /* [count][APPROX_NETWORK_LAYERS] CRC-32 of a layer's output */

#endif
