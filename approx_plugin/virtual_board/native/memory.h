/*
 * The memory system as the core sees it: how many cycles an instruction line or a datum lets the core wait.
 *
 * Time counts in core cycles. "Available at cycle t" means: an instruction can issue (a datum can be used) at t as if
 * the memory had no wait states at all. Everything here is a plain function of its arguments and of the state structs,
 * so that tests can call it without an emulator.
 */
#ifndef APPROX_MEMORY_H
#define APPROX_MEMORY_H

#include <stdint.h>

#define MEMORY_REGIONS 16
#define MEMORY_CACHES 4
#define NO_CACHE (-1)

/* A set-associative cache with true LRU replacement. bytes == 0: every look-up misses and nothing is kept. */
typedef struct {
    uint32_t bytes, line_bytes, ways;
    /* Derived by cache_init. A line's tag is its address / line_bytes + 1; 0 is an empty way. */
    uint32_t sets, line_shift;
    uint32_t *tags; /* [sets][ways], most recently used first */
    uint64_t hits, misses;
} cache;

/* A memory region. Regions with the same `port` share one bus: a data access steals a fetch cycle there. */
typedef struct {
    uint32_t origin, length;
    int32_t wait_states; /* core cycles beyond the first of one array read, bus latency included */
    uint32_t read_bytes; /* one array read delivers this many bytes, aligned; 0: memory without wait states */
    uint32_t prefetch;   /* 1: after every line for the fetch side, the first read of the next one starts by itself */
    int32_t beat_cycles; /* further core cycles for every `beat_bytes` after the first ones of a line fill */
    uint32_t beat_bytes;
    int32_t fetch_cache, data_cache; /* index into `caches`, or NO_CACHE */
    int32_t branch_wait;             /* cycles added to the first fetch after a taken branch */
    int32_t port;
} region;

typedef struct {
    region regions[MEMORY_REGIONS];
    int32_t region_count;
    cache caches[MEMORY_CACHES];
    int32_t cache_count;
    int32_t ahead; /* cycles by which the core requests sequential code before it issues it */

    /* The line that the core is fetching from. line_whole: it lay in the cache, so its beats are not waited for. */
    uint32_t line, line_valid, line_first, line_whole;
    int64_t line_ready;
    int32_t line_region; /* -1 before the first fetch */
    /* The line that was last read from an array, when and with which word it began to come. */
    uint32_t fill_line, fill_first;
    int64_t fill_ready;
    /* The array's single read port, and the line that a prefetch has read or is reading. All regions share them:
     * a Cortex-M7 has one AXI port for fetches and data; of the other cores' memories only flash has wait states. */
    int64_t busy_until;
    uint32_t prefetch_line, prefetch_valid;
    int64_t prefetch_ready;
    /* The data side's last array read, for regions without a data cache. */
    uint32_t data_line, data_line_valid;
    uint64_t fetch_misses, data_misses;
} memory;

/* 0, or -1 for a geometry that is not a cache's or for lack of memory. */
int cache_init(cache *c, uint32_t bytes, uint32_t line_bytes, uint32_t ways);
void cache_free(cache *c);
/* 1 and the line becomes the most recently used one; 0 and nothing changes. Counts neither. */
int cache_touch(cache *c, uint32_t address);
/* The line becomes the most recently used one of its set; the least recently used one goes if it is full. */
void cache_insert(cache *c, uint32_t address);

/* The cycle at which the `size` bytes at `address` can issue, if the core could issue them at `now`.
 * `redirected`: the first instruction after a taken branch, which nobody has requested ahead of time. */
int64_t memory_fetch(memory *m, uint32_t address, uint32_t size, int64_t now, int redirected);
/* Cycles that the core waits for a load (or a store) at `address` that starts at `now`, beyond a memory without wait
 * states. */
int64_t memory_access(memory *m, uint32_t address, int64_t now, int store);
/* The index of the region that holds `address`, or -1. */
int32_t memory_region(const memory *m, uint32_t address);

#endif
