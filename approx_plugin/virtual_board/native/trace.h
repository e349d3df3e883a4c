/*
 * What sits between the emulator's hooks and the pipelines: decodes each instruction once, walks IT blocks, attributes
 * cycles to the watched functions.
 *
 * The emulator is unicorn; its two functions that are needed come in as pointers, so nothing here links against it.
 */
#ifndef APPROX_TRACE_H
#define APPROX_TRACE_H

#include <stdint.h>

#include "memory.h"
#include "pipeline.h"

#define TRACE_WINDOWS 16
#define TRACE_DEPTH 64

/* Everything that is known of the halfword at one address. */
typedef struct {
    const operation *op; /* NULL: not executed yet */
    uint64_t count, cycles;
    uint32_t target;      /* last target of an indirect branch */
    int32_t watch;        /* 0; 1 + index of the watched function that starts here; -1: the run ends here */
    int32_t displacement; /* of the instruction's memory access; patterns do not hold it */
    uint8_t prediction, reserved[3];
} slot;

typedef struct {
    uint32_t origin, length;
    slot *slots; /* one for each halfword */
} window;

typedef struct {
    uint64_t instructions, fetch_misses, data_misses;
    int64_t cycles, ideal_cycles;
    uint64_t stalls[STALLS], ideal_stalls[STALLS];
} counters;

typedef struct {
    uint64_t calls;
    counters sum;
} watched;

enum { END_NONE, END_SYMBOL, END_LOOP, END_LIMIT, END_UNKNOWN_CODE, END_DECODER, END_DEPTH };

/* Fills *out from the `size` bytes of one instruction; anything but 0 ends the run with END_DECODER. */
typedef int32_t (*trace_decoder)(const uint8_t *code, uint32_t size, operation *out);

typedef struct {
    /* Given by the caller. */
    int (*register_read)(void *engine, int id, void *value);
    int (*memory_read)(void *engine, uint64_t address, void *bytes, uint64_t size);
    int (*stop)(void *engine);
    trace_decoder decoder;
    int32_t register_r[16]; /* the emulator's ids of r0-r15 */
    uint64_t limit;         /* instructions */
    core_timing core;
    memory mem;
    window windows[TRACE_WINDOWS];
    int32_t window_count;
    /* Results. */
    watched *watches;
    counters total;
    int32_t end;
    uint32_t end_address, lowest_stack;
    /* State. */
    pipeline board, ideal;
    struct trace_private *hidden;
} trace;

/* NULL for lack of memory. The fields above "Results" are the caller's to fill in before trace_start. */
trace *trace_new(void);
/* 0, or -1: too many windows, or no memory for them. */
int trace_start(trace *t, const uint32_t *origins, const uint32_t *lengths, int32_t window_count, int32_t watch_count);
void trace_free(trace *t);
/* Marks the instruction at `address`: see slot.watch. -1 if no window holds it. */
int trace_mark(trace *t, uint32_t address, int32_t watch);
/* Unicorn's UC_HOOK_CODE. There must be no memory hook: in unicorn 2.1.4 one on a load or store of an IT block leaves
 * the block's state behind, and instructions of the next translation block are skipped. So addresses of accesses are
 * computed here, from the registers. */
void trace_on_code(void *engine, uint64_t address, uint32_t size, void *user);
/* Accounts for the last instruction; call once after the emulation. */
void trace_finish(trace *t);
/* The cycle counter as the firmware would read it now. */
int64_t trace_now(const trace *t);
/* The bits of an instruction that its timing depends on: equal patterns share one decoded operation. */
uint32_t trace_pattern(uint16_t first, uint16_t second, uint32_t size);
/* Sizes and offsets of what the caller mirrors, so that it can tell a mismatch from a wrong answer. */
void trace_layout(uint64_t out[6]);

#endif
