#include "performance.h"

#include <stdint.h>

#include "approx_network.h"
#include "board.h"
#include "console.h"
#include "inference.h"
#include "stack.h"
#include "test_vectors.h"

/* a / b to the nearest, 0 where b is 0. */
static uint64_t ratio(uint64_t a, uint64_t b)
{
    return b == 0u ? 0u : (a + b / 2u) / b;
}

/* A step computes one layer or several in one go: the observer sees the last of them, and all cycles are its. */
struct layer_clock {
    uint32_t start;                               /* of the step that runs */
    uint64_t cycles[APPROX_NETWORK_LAYERS];       /* sums over the inferences */
    uint32_t observations[APPROX_NETWORK_LAYERS]; /* 0 for a layer that no step ends with */
};

/* The observer's own time lies between its two readings of the counter and belongs to no layer. */
static void layer_done(void *user, int32_t layer, const int8_t *result, uint32_t bytes)
{
    uint32_t now = board_cycles();
    struct layer_clock *clock = user;

    (void)result;
    (void)bytes;
    clock->cycles[layer] += (uint32_t)(now - clock->start);
    clock->observations[layer]++;
    clock->start = board_cycles();
}

void performance_print_layers(void)
{
    static struct layer_clock clock;
    int counted = board_has_cycle_counter();
    /* Without a counter, one inference tells which layers are observed. */
    uint32_t inferences = counted || test_vector_count == 0u ? test_vector_count : 1u;

    approx_network_set_observer(layer_done, &clock);
    for (uint32_t vector = 0; vector < inferences; vector++) {
        inference_prepare(vector);
        clock.start = board_cycles();
        (void)inference_run();
    }
    approx_network_set_observer(0, 0);
    for (uint32_t layer = 0; layer < APPROX_NETWORK_LAYERS; layer++) {
        if (clock.observations[layer] == 0u) {
            continue;
        }
        console_text("approx: layer ");
        console_unsigned(layer);
        console_text(" ");
        console_text(approx_network_layer_names[layer]);
        console_text(" cycles ");
        if (counted) {
            console_unsigned(ratio(clock.cycles[layer], clock.observations[layer]));
        } else {
            console_text("n/a");
        }
        console_text("\n");
    }
}

/* Cycles of one inference, averaged over the vectors. */
static uint64_t average_cycles(void)
{
    uint64_t sum = 0u;

    for (uint32_t vector = 0; vector < test_vector_count; vector++) {
        inference_prepare(vector);
        uint32_t start = board_cycles();
        (void)inference_run();
        sum += (uint32_t)(board_cycles() - start);
    }
    return ratio(sum, test_vector_count);
}

static void print_clock(void)
{
    if (board_clock_hz() == 0u) {
        console_text("n/a");
        return;
    }
    console_unsigned(board_clock_hz() / 1000000u);
    console_text("MHz/");
    console_unsigned(board_clock_hz() / 1000000u);
    console_text("MHz");
}

void performance_print_network(void)
{
    int counted = board_has_cycle_counter();
    uint64_t cycles = counted ? average_cycles() : 0u;
    uint32_t clock_hz = board_clock_hz();

    console_text("Results for \"" APPROX_NETWORK_MODEL_NAME "\", ");
    console_unsigned(test_vector_count);
    console_text(" inferences @");
    print_clock();
    console_text(" (complexity: ");
    console_unsigned(APPROX_NETWORK_MACC_EXACT);
    console_text(" MACC)\n");
    if (counted) {
        console_text("duration     : ");
        console_fixed(ratio(cycles * 1000000u, clock_hz), 3u);
        console_text(" ms (average)\nCPU cycles   : ");
        console_unsigned(cycles);
        console_text(" (average)\nCPU Workload : ");
        console_unsigned(ratio(cycles * 100u, clock_hz));
        console_text("% (duty cycle = 1s)\ncycles/MACC  : ");
        console_fixed(ratio(cycles * 100u, APPROX_NETWORK_MACC_EXACT), 2u);
        console_text(" (average for all layers)\n");
    } else {
        console_text("duration     : n/a (no cycle counter on this machine)\n"
                     "CPU cycles   : n/a (no cycle counter on this machine)\n"
                     "CPU Workload : n/a (no cycle counter on this machine)\n"
                     "cycles/MACC  : n/a (no cycle counter on this machine)\n");
    }
    console_text("used stack   : ");
    console_unsigned(stack_used());
    console_text(" bytes\n");
}
