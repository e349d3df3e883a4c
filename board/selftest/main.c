/*
 * The self-test: measures runs of instructions whose cycles are known. The console says what each run of many and of
 * few copies took; the difference is what the further copies cost, without the calls and the counter around them.
 */
#include <stdint.h>

#include "board.h"
#include "console.h"
#include "microbenchmarks.h"

#define WORDS 64u
#define RUNS 3u /* the last one counts: caches and predictors have seen the code by then */

/* Every word points to itself, so that a load through itself goes on for ever. */
static uint32_t words[WORDS] __attribute__((aligned(16)));

static uint32_t cycles_of(void (*run)(uint32_t *words))
{
    uint32_t cycles = 0u;

    for (uint32_t i = 0; i < RUNS; i++) {
        for (uint32_t word = 0; word < WORDS; word++) {
            words[word] = (uint32_t)(uintptr_t)words;
        }
        uint32_t start = board_cycles();
        run(words);
        cycles = board_cycles() - start;
    }
    return cycles;
}

static void measure(const struct microbenchmark *benchmark)
{
    uint32_t many = cycles_of(benchmark->many);
    uint32_t few = cycles_of(benchmark->few);

    console_text("approx: benchmark ");
    console_text(benchmark->name);
    console_text(" cycles ");
    console_unsigned(many);
    console_text(" ");
    console_unsigned(few);
    console_text(" copies ");
    console_unsigned(benchmark->many_copies);
    console_text(" ");
    console_unsigned(benchmark->few_copies);
    console_text("\n");
}

int main(void)
{
    int counted;

    board_init();
    counted = board_has_cycle_counter();
    console_text("approx: self-test on ");
    console_text(board_name());
    console_text(", ");
    console_unsigned(microbenchmark_count);
    console_text(" benchmarks\napprox: clock @");
    console_unsigned(board_clock_hz() / 1000000u);
    console_text("MHz\n");
    for (uint32_t i = 0; i < microbenchmark_count && counted; i++) {
        measure(&microbenchmarks[i]);
    }
    console_text(counted ? "approx: PASS " : "approx: FAIL 0/");
    if (counted) {
        console_unsigned(microbenchmark_count);
        console_text("/");
    }
    console_unsigned(microbenchmark_count);
    console_text("\n");
    board_exit(counted ? 0 : 1);
}
