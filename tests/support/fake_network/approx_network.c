#include "approx_network.h"

#include <stddef.h>

/* What a test wants to go wrong. */
#ifndef FAILING_LAYER
#define FAILING_LAYER -1
#endif
#ifndef SMALL_SCRATCH_LAYER
#define SMALL_SCRATCH_LAYER -1
#endif
#ifndef OBSERVED_LAYERS
#define OBSERVED_LAYERS 3
#endif
/* Not a mistake: see approx_network.h. */
#ifndef FUSED_LAYER
#define FUSED_LAYER -1
#endif

const char *const approx_network_layer_names[APPROX_NETWORK_LAYERS] = {"halve_0", "mirror_1", "sum_2"};

#ifdef EXTRA_CODE
extern void EXTRA_CODE(void); /* runs at the start of every inference */
#endif

static approx_observer watcher;
static void *watcher_user;

void approx_network_set_observer(approx_observer observer, void *user)
{
    watcher = observer;
    watcher_user = user;
}

void approx_network_reset(void)
{
}

int32_t approx_network_check_scratch(void)
{
    return SMALL_SCRATCH_LAYER + 1;
}

static void done(int32_t layer, const int8_t *output, uint32_t bytes)
{
    if (watcher != NULL && layer < OBSERVED_LAYERS && layer != FUSED_LAYER) {
        watcher(watcher_user, layer, output, bytes);
    }
}

int32_t approx_network_run(void *activations, const int8_t *input, int8_t *output)
{
    int8_t *half = activations;
    int8_t *mirrored = half + APPROX_NETWORK_ACTIVATIONS_SIZE - 64;

#ifdef EXTRA_CODE
    EXTRA_CODE();
#endif
    for (int i = 0; i < 64; i++) {
        half[i] = (int8_t)(input[i] / 2);
    }
    done(0, half, 64u);
    if (FAILING_LAYER == 1) {
        return 2;
    }
    for (int i = 0; i < 64; i++) {
        mirrored[i] = (int8_t)(half[i] - half[63 - i]);
    }
    done(1, mirrored, 64u);
    for (int i = 0; i < 10; i++) {
        int sum = 0;
        for (int j = i; j < 64; j += 10) {
            sum += mirrored[j];
        }
        output[i] = (int8_t)(sum / 8);
    }
    done(2, output, 10u);
    return 0;
}
