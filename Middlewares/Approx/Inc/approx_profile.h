/* SPDX-License-Identifier: MIT */
/* Cycles of every layer, for any counter that the application has. One profile for each network:

       static uint32_t counter(void) { return DWT->CYCCNT; }
       static uint32_t cycles[APPROX_NETWORK_LAYERS];
       approx_profile profile = {counter, cycles, 0u};

       approx_network_set_observer(approx_profile_layer, &profile);
       approx_profile_start(&profile);
       approx_network_run(activations, input, output);
       approx_network_set_observer(0, 0);

   A step computes one layer or several in one go: all its cycles are those of the last one. The sums grow with every
   inference; the counter may wrap once within a layer. */
#ifndef APPROX_PROFILE_H
#define APPROX_PROFILE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    uint32_t (*now)(void);
    uint32_t *cycles; /* one for each layer: sums over all inferences */
    uint32_t start;
} approx_profile;

/* To be called right before an inference. */
static inline void approx_profile_start(approx_profile *profile)
{
    profile->start = profile->now();
}

/* The observer. Its own time lies between its two readings of the counter and belongs to no layer. */
static inline void approx_profile_layer(void *user, int32_t layer, const int8_t *output, uint32_t bytes)
{
    const uint32_t now = ((approx_profile *)user)->now();
    approx_profile *const profile = (approx_profile *)user;

    (void)output;
    (void)bytes;
    profile->cycles[layer] += (uint32_t)(now - profile->start);
    profile->start = profile->now();
}

#ifdef __cplusplus
}
#endif

#endif
