/* The application: classifies one stored digit after the other, and says how many cycles every layer took. */
#include "approx_digits.h"
#include "approx_profile.h"
#include "board.h"
#include "console.h"
#include "test_vectors.h"

APPROX_DIGITS_BUFFERS(activations, input, output);

static uint32_t cycles[APPROX_DIGITS_LAYERS];
static approx_profile profile = {board_cycles, cycles, 0u};

/* Where a real firmware reads its sensor: real = APPROX_DIGITS_IN_1_SCALE * (q - APPROX_DIGITS_IN_1_ZERO_POINT). */
static void read_sensor(uint32_t number)
{
    for (uint32_t i = 0; i < APPROX_DIGITS_IN_SIZE_BYTES; i++) {
        input[i] = test_vector_inputs[number * APPROX_DIGITS_IN_SIZE_BYTES + i];
    }
}

static uint32_t best(void)
{
    uint32_t found = 0u;
    for (uint32_t i = 1; i < APPROX_DIGITS_OUT_SIZE_BYTES; i++) {
        found = output[i] > output[found] ? i : found;
    }
    return found;
}

int main(void)
{
    board_init();
    console_text(approx_digits_version);
    console_text("\n");
    approx_digits_set_observer(approx_profile_layer, &profile);
    for (uint32_t number = 0; number < test_vector_count; number++) {
        read_sensor(number);
        approx_profile_start(&profile);
        if (approx_digits_run(activations, input, output) != 0) {
            board_exit(1);
        }
        console_text("this is a ");
        console_unsigned(best());
        console_text("\n");
    }
    for (uint32_t layer = 0; layer < APPROX_DIGITS_LAYERS; layer++) {
        console_text(approx_digits_layer_names[layer]);
        console_text(" ");
        console_unsigned(cycles[layer] / (test_vector_count != 0u ? test_vector_count : 1u));
        console_text(" cycles\n");
    }
    board_exit(0);
}
