/*
 * Runs the network on every stored test vector, compares what it computes with the integer reference, layer by layer,
 * and measures it. The console says, in this order: cycles of every layer, a verdict on every vector, the performance
 * of the whole network, and PASS or FAIL.
 *
 * How to call the network from your own program is in inference.c: three buffers of the application, and one call.
 */
#include "approx_network.h"
#include "board.h"
#include "console.h"
#include "performance.h"
#include "stack.h"
#include "test_vectors.h"
#include "verification.h"

static void introduce(void)
{
    console_text("approx: network \"" APPROX_NETWORK_MODEL_NAME "\" on ");
    console_text(board_name());
    console_text(", ");
    console_unsigned(APPROX_NETWORK_LAYERS);
    console_text(" layers, ");
    console_unsigned(test_vector_count);
    console_text(" vectors\n");
}

/* 1 if every library function finds the scratch memory that it asks for. */
static int scratch_suffices(void)
{
    int32_t status = approx_network_check_scratch();

    if (status != 0) {
        console_text("approx: SCRATCH too small for layer ");
        console_unsigned((uint32_t)(status - 1));
        console_text(" ");
        console_text(approx_network_layer_names[status - 1]);
        console_text("\n");
    }
    return status == 0;
}

/* A firmware without vectors has proved nothing. */
static int all_right(uint32_t passed)
{
    return passed == test_vector_count && passed != 0u;
}

static void conclude(uint32_t passed)
{
    console_text(all_right(passed) ? "approx: PASS " : "approx: FAIL ");
    console_unsigned(passed);
    console_text("/");
    console_unsigned(test_vector_count);
    console_text("\n");
}

int main(void)
{
    uint32_t passed = 0u;

    board_init();
    stack_paint();
    introduce();
    if (scratch_suffices()) {
        performance_print_layers();
        passed = verification_run();
        performance_print_network();
    }
    conclude(passed);
    board_exit(all_right(passed) ? 0 : 1);
}
