#include "memory.h"

#include <stdlib.h>
#include <string.h>

int cache_init(cache *c, uint32_t bytes, uint32_t line_bytes, uint32_t ways)
{
    memset(c, 0, sizeof *c);
    if (bytes == 0) {
        return 0;
    }
    if (line_bytes < 4 || (line_bytes & (line_bytes - 1)) != 0 || ways == 0 || bytes % (line_bytes * ways) != 0) {
        return -1;
    }
    c->bytes = bytes;
    c->line_bytes = line_bytes;
    c->ways = ways;
    c->sets = bytes / (line_bytes * ways);
    while ((1u << c->line_shift) < line_bytes) {
        c->line_shift++;
    }
    c->tags = calloc((size_t)c->sets * ways, sizeof *c->tags);
    return c->tags ? 0 : -1;
}

void cache_free(cache *c)
{
    free(c->tags);
    memset(c, 0, sizeof *c);
}

static void move_to_front(uint32_t *set, uint32_t way, uint32_t tag)
{
    memmove(set + 1, set, way * sizeof *set);
    set[0] = tag;
}

int cache_touch(cache *c, uint32_t address)
{
    if (c->bytes == 0) {
        return 0;
    }
    uint32_t number = address >> c->line_shift;
    uint32_t tag = number + 1;
    uint32_t *set = c->tags + (size_t)(number % c->sets) * c->ways;
    if (set[0] == tag) {
        return 1;
    }
    for (uint32_t way = 1; way < c->ways; way++) {
        if (set[way] == tag) {
            move_to_front(set, way, tag);
            return 1;
        }
    }
    return 0;
}

void cache_insert(cache *c, uint32_t address)
{
    if (c->bytes == 0 || cache_touch(c, address)) {
        return;
    }
    uint32_t number = address >> c->line_shift;
    move_to_front(c->tags + (size_t)(number % c->sets) * c->ways, c->ways - 1, number + 1);
}

int32_t memory_region(const memory *m, uint32_t address)
{
    for (int32_t i = 0; i < m->region_count; i++) {
        if (address - m->regions[i].origin < m->regions[i].length) {
            return i;
        }
    }
    return -1;
}

/* The unit in which the fetch side moves: the cache's line, or what one array read delivers. */
static uint32_t fetch_line_bytes(const memory *m, const region *r)
{
    if (r->fetch_cache != NO_CACHE && m->caches[r->fetch_cache].bytes) {
        return m->caches[r->fetch_cache].line_bytes;
    }
    return r->read_bytes;
}

/* Cycles for which `bytes` keep the array (or the bus in front of it) busy: to the last beat, where beats are known. */
static int64_t array_busy(const region *r, uint32_t bytes)
{
    uint32_t reads = (bytes + r->read_bytes - 1) / r->read_bytes;

    if (r->beat_cycles && bytes > r->beat_bytes) {
        return r->wait_states + 1 + (int64_t)(bytes / r->beat_bytes - 1) * r->beat_cycles;
    }
    return (int64_t)reads * (r->wait_states + 1);
}

static int64_t max64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* One array read ahead of the line at `line`; the rest of that next line follows when the core gets there. */
static void start_prefetch(memory *m, const region *r, uint32_t line, uint32_t line_bytes)
{
    m->prefetch_line = line + line_bytes;
    m->prefetch_valid = m->prefetch_line - r->origin < r->length;
    if (!m->prefetch_valid) {
        return;
    }
    m->prefetch_ready = m->busy_until + r->wait_states;
    m->busy_until += array_busy(r, r->read_bytes);
}

/* When a read that is asked for at `request` can begin. A prefetch that has not begun by then lets it pass: it is put
 * off by `cycles`, or dropped if that is 0. */
static int64_t array_free(memory *m, const region *r, int64_t request, int64_t cycles)
{
    int64_t prefetch_start = m->prefetch_ready - r->wait_states;

    if (!m->prefetch_valid || request >= prefetch_start) {
        return max64(request, m->busy_until);
    }
    m->prefetch_valid = cycles != 0;
    m->prefetch_ready += cycles;
    return prefetch_start;
}

/* The line at `line` becomes the current one; it was requested at `request`, and the word at `first` comes first. */
static void enter_line(memory *m, int32_t index, uint32_t line, uint32_t first, uint32_t line_bytes, int64_t request)
{
    const region *r = &m->regions[index];
    cache *c = r->fetch_cache == NO_CACHE ? NULL : &m->caches[r->fetch_cache];

    m->line = line;
    m->line_valid = 1;
    m->line_region = index;
    m->line_first = first;
    m->line_whole = c && cache_touch(c, line);
    if (m->line_whole) {
        c->hits++;
        m->line_ready = request;
        if (line == m->fill_line) {
            /* Left before its last word had come, perhaps. */
            m->line_ready = m->fill_ready;
            m->line_first = m->fill_first;
            m->line_whole = 0;
        }
        return;
    }
    if (c) {
        c->misses++;
        cache_insert(c, line);
    }
    if (m->prefetch_valid && m->prefetch_line == line) {
        m->line_ready = max64(request, m->prefetch_ready);
        m->line_first = line;
        m->busy_until = max64(request, m->busy_until);
        if (line_bytes > r->read_bytes) {
            m->busy_until += array_busy(r, line_bytes) - array_busy(r, r->read_bytes);
        }
        start_prefetch(m, r, line, line_bytes);
    } else {
        int64_t start = array_free(m, r, request, 0);

        m->fetch_misses++;
        m->line_ready = start + r->wait_states;
        m->busy_until = start + array_busy(r, line_bytes);
        m->prefetch_valid = 0;
        if (r->prefetch) {
            start_prefetch(m, r, line, line_bytes);
        }
    }
    m->fill_line = line;
    m->fill_first = m->line_first;
    m->fill_ready = m->line_ready;
}

static int64_t fetch_one(memory *m, uint32_t address, int64_t now, int redirected)
{
    int32_t index = m->line_region;

    if (index < 0 || address - m->regions[index].origin >= m->regions[index].length) {
        index = memory_region(m, address);
        m->line_valid = 0;
        m->line_region = index;
        if (index < 0) {
            return now;
        }
    }
    const region *r = &m->regions[index];
    if (redirected) {
        now += r->branch_wait;
    }
    if (r->read_bytes == 0) {
        return now;
    }
    uint32_t line_bytes = fetch_line_bytes(m, r);
    uint32_t line = address & ~(line_bytes - 1);
    if (!m->line_valid || line != m->line) {
        int64_t request = redirected ? now : now - m->ahead;
        enter_line(m, index, line, address & ~(uint32_t)3, line_bytes, request);
    }
    if (r->beat_cycles == 0 || m->line_whole) {
        return max64(now, m->line_ready);
    }
    uint32_t distance = (address - m->line_first) & (line_bytes - 1);
    return max64(now, m->line_ready + (int64_t)(distance / r->beat_bytes) * r->beat_cycles);
}

int64_t memory_fetch(memory *m, uint32_t address, uint32_t size, int64_t now, int redirected)
{
    int64_t ready = fetch_one(m, address, now, redirected);

    if (size > 2 && (address & 3) != 0) {
        ready = max64(ready, fetch_one(m, address + 2, now, 0));
    }
    return ready;
}

int64_t memory_access(memory *m, uint32_t address, int64_t now, int store)
{
    int32_t index = memory_region(m, address);
    int64_t wait = 0;

    if (index < 0) {
        return 0;
    }
    const region *r = &m->regions[index];
    if (r->port >= 0 && m->line_region >= 0 && m->regions[m->line_region].port == r->port) {
        wait = 1;
    }
    if (r->read_bytes == 0) {
        return wait;
    }
    cache *c = r->data_cache == NO_CACHE ? NULL : &m->caches[r->data_cache];
    if (c && c->bytes && cache_touch(c, address)) {
        c->hits++;
        return wait;
    }
    if (c) {
        c->misses++;
        cache_insert(c, address);
    }
    if (store) {
        return wait; /* goes through the write buffer */
    }
    if (!c || c->bytes == 0) {
        uint32_t line = address & ~(r->read_bytes - 1);
        if (m->data_line_valid && m->data_line == line) {
            return wait;
        }
        m->data_line = line;
        m->data_line_valid = 1;
    }
    m->data_misses++;
    int64_t busy = array_busy(r, c && c->bytes ? c->line_bytes : r->read_bytes);
    int64_t start = array_free(m, r, now, busy);
    m->busy_until = max64(m->busy_until, start) + busy;
    return wait + (start - now) + r->wait_states;
}
