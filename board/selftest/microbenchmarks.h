/*
 * Short runs of instructions whose cycles are known: see microbenchmarks.S, which is generated.
 */
#ifndef MICROBENCHMARKS_H
#define MICROBENCHMARKS_H

#include <stdint.h>

struct microbenchmark {
    const char *name;
    void (*few)(uint32_t *words); /* runs the snippet `few_copies` times */
    void (*many)(uint32_t *words);
    uint32_t few_copies, many_copies;
};

extern const struct microbenchmark microbenchmarks[];
extern const uint32_t microbenchmark_count;

#endif
