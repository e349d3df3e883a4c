/* A network of three small layers with the interface of a generated one. fake_firmware.py computes the same. */
#ifndef APPROX_NETWORK_H
#define APPROX_NETWORK_H

#include <stdint.h>

#define APPROX_NETWORK_MODEL_NAME "fake"
#define APPROX_NETWORK_LAYERS 3
#ifdef FUSED_LAYER /* one step computes this layer and the next: nobody observes it */
#define APPROX_NETWORK_STEPS 2
#else
#define APPROX_NETWORK_STEPS 3
#endif
#define APPROX_NETWORK_MACC_EXACT 1234u
#define APPROX_NETWORK_MACC_KEPT 1000u
#define APPROX_NETWORK_IN_SIZE_BYTES 64u
#define APPROX_NETWORK_OUT_SIZE_BYTES 10u
#ifndef APPROX_NETWORK_ACTIVATIONS_SIZE
#define APPROX_NETWORK_ACTIVATIONS_SIZE 128u
#endif

typedef void (*approx_observer)(void *user, int32_t layer, const int8_t *output, uint32_t bytes);

extern const char *const approx_network_layer_names[APPROX_NETWORK_LAYERS];

int32_t approx_network_run(void *activations, const int8_t *input, int8_t *output);
void approx_network_reset(void);
void approx_network_set_observer(approx_observer observer, void *user);
int32_t approx_network_check_scratch(void);

#endif
