/*
 * One inference on a stored test vector. inference.c shows how any program calls the network.
 */
#ifndef INFERENCE_H
#define INFERENCE_H

#include <stdint.h>

/* Copies test vector `vector` to the network's input buffer. */
void inference_prepare(uint32_t vector);

/* Runs the network on the input buffer. 0, or 1 + the index of the layer that failed. */
int32_t inference_run(void);

/* The network's outputs, back to back: APPROX_NETWORK_OUT_SIZE_BYTES bytes, valid after inference_run(). */
const int8_t *inference_output(void);

#endif
