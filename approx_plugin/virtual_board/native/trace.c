#include "trace.h"

#include <stddef.h>
#include <stdlib.h>

#define PATTERN_BUCKETS (1u << 16)

typedef struct pattern {
    uint32_t key, size;
    operation op;
    struct pattern *next;
} pattern;

typedef struct {
    int32_t watch;
    uint32_t back; /* return address */
    counters before;
} frame;

struct trace_private {
    pattern *buckets[PATTERN_BUCKETS];
    /* The instruction that is being executed. */
    int32_t pending;
    slot *pending_slot;
    uint32_t pending_address;
    int32_t pending_in_it, pending_divide_bits;
    uint32_t pending_access;
    /* Instructions of the current IT block that have not come yet, and where the next of them lies. */
    int32_t it_left;
    uint32_t it_next;
    window *last_window;
    frame frames[TRACE_DEPTH];
    int32_t depth;
};

void trace_layout(uint64_t out[6])
{
    out[0] = sizeof(operation);
    out[1] = sizeof(core_timing);
    out[2] = sizeof(memory);
    out[3] = sizeof(slot);
    out[4] = sizeof(watched);
    out[5] = offsetof(trace, board);
}

trace *trace_new(void)
{
    trace *t = calloc(1, sizeof *t);

    if (t && !(t->hidden = calloc(1, sizeof *t->hidden))) {
        free(t);
        return NULL;
    }
    return t;
}

int trace_start(trace *t, const uint32_t *origins, const uint32_t *lengths, int32_t window_count, int32_t watch_count)
{
    t->watches = calloc((size_t)watch_count + 1, sizeof *t->watches);
    if (!t->watches || window_count > TRACE_WINDOWS) {
        return -1;
    }
    for (int32_t i = 0; i < window_count; i++) {
        window *w = &t->windows[i];

        w->origin = origins[i];
        w->length = lengths[i];
        w->slots = calloc(lengths[i] / 2 + 1, sizeof *w->slots);
        if (!w->slots) {
            return -1;
        }
        t->window_count = i + 1;
    }
    t->hidden->last_window = t->windows;
    t->lowest_stack = 0xffffffffu;
    t->mem.line_region = -1;
    pipeline_init(&t->board, &t->core, &t->mem);
    pipeline_init(&t->ideal, &t->core, NULL);
    return 0;
}

void trace_free(trace *t)
{
    for (int32_t i = 0; i < t->window_count; i++) {
        free(t->windows[i].slots);
    }
    for (uint32_t i = 0; i < PATTERN_BUCKETS; i++) {
        pattern *p = t->hidden->buckets[i];

        while (p) {
            pattern *next = p->next;

            free(p);
            p = next;
        }
    }
    for (int32_t i = 0; i < t->mem.cache_count; i++) {
        cache_free(&t->mem.caches[i]);
    }
    free(t->hidden);
    free(t->watches);
    free(t);
}

static slot *find_slot(trace *t, uint32_t address)
{
    window *w = t->hidden->last_window;

    if (address - w->origin < w->length) {
        return &w->slots[(address - w->origin) >> 1];
    }
    for (int32_t i = 0; i < t->window_count; i++) {
        w = &t->windows[i];
        if (address - w->origin < w->length) {
            t->hidden->last_window = w;
            return &w->slots[(address - w->origin) >> 1];
        }
    }
    return NULL;
}

int trace_mark(trace *t, uint32_t address, int32_t watch)
{
    slot *s = find_slot(t, address);

    if (!s) {
        return -1;
    }
    s->watch = watch;
    return 0;
}

static void finish_run(trace *t, void *engine, int32_t end, uint32_t address)
{
    if (t->end == END_NONE) {
        t->end = end;
        t->end_address = address;
    }
    t->stop(engine);
}

/* Offsets and most constants do not matter; clearing them keeps the number of patterns of an unpacked network small. */
uint32_t trace_pattern(uint16_t first, uint16_t second, uint32_t size)
{
    uint32_t a = first, b = second;

    if (size == 2) {
        if ((a & 0xf000) == 0xd000 && (a & 0x0e00) != 0x0e00) {
            return a & 0xff00; /* conditional branch */
        }
        if ((a & 0xf800) == 0xe000) {
            return 0xe000; /* branch */
        }
        if ((a & 0xf800) == 0x4800) {
            return a & 0xff00; /* literal load */
        }
        return a;
    }
    if ((a & 0xfb70) == 0xf240 && !(b & 0x8000)) { /* MOVW, MOVT; with bit 15 a branch far away */
        a &= ~0x040fu;
        b &= ~0x70ffu;
    } else if ((a & 0xff80) == 0xf880 || (a & 0xff80) == 0xf980) { /* load, store with a 12-bit offset */
        b &= ~0x0fffu;
    } else if ((a & 0xf800) == 0xf000 && (b & 0xd000) == 0xd000) { /* BL */
        a = 0xf000;
        b = 0xf800;
    } else if ((a & 0xf800) == 0xf000 && (b & 0xd000) == 0x9000) { /* B.W */
        a = 0xf000;
        b = 0xb800;
    }
    return a << 16 | b;
}

static int32_t displacement_of(const operation *op, uint32_t first, uint32_t second, uint32_t size)
{
    if (size == 2 && (first & 0xf800) == 0x4800) {
        return (int32_t)(first & 0xff) * 4;
    }
    if (size == 4 && ((first & 0xff80) == 0xf880 || (first & 0xff80) == 0xf980)) {
        return (int32_t)(second & 0x0fff);
    }
    return op->displacement;
}

static const operation *decode(trace *t, void *engine, uint32_t address, int32_t *displacement)
{
    uint8_t code[4];
    uint16_t second = 0;

    if (t->memory_read(engine, address, code, 2) != 0) {
        return NULL;
    }
    uint16_t first = (uint16_t)(code[0] | code[1] << 8);
    uint32_t size = first >> 11 >= 0x1d ? 4 : 2;
    if (size == 4) {
        if (t->memory_read(engine, address + 2, code + 2, 2) != 0) {
            return NULL;
        }
        second = (uint16_t)(code[2] | code[3] << 8);
    }
    uint32_t key = trace_pattern(first, second, size);
    uint32_t bucket = (key * 2654435761u) >> 16;
    for (const pattern *known = t->hidden->buckets[bucket]; known; known = known->next) {
        if (known->key == key && known->size == size) {
            *displacement = displacement_of(&known->op, first, second, size);
            return &known->op;
        }
    }
    pattern *p = calloc(1, sizeof *p);
    if (!p) {
        return NULL;
    }
    if (t->decoder(code, size, &p->op) != 0) {
        free(p);
        return NULL;
    }
    p->key = key;
    p->size = size;
    p->next = t->hidden->buckets[bucket];
    t->hidden->buckets[bucket] = p;
    *displacement = displacement_of(&p->op, first, second, size);
    return &p->op;
}

static slot *decoded_slot(trace *t, void *engine, uint32_t address)
{
    slot *s = find_slot(t, address);

    if (!s) {
        finish_run(t, engine, END_UNKNOWN_CODE, address);
        return NULL;
    }
    if (!s->op && !(s->op = decode(t, engine, address, &s->displacement))) {
        finish_run(t, engine, END_DECODER, address);
        return NULL;
    }
    return s;
}

static void account(trace *t, const step *s, slot *where)
{
    int64_t before = pipeline_cycles(&t->board);

    pipeline_step(&t->board, s, 0);
    pipeline_step(&t->ideal, s, 1);
    where->count++;
    where->cycles += (uint64_t)(pipeline_cycles(&t->board) - before);
    t->total.instructions++;
}

static void finish_pending(trace *t, uint32_t next)
{
    struct trace_private *h = t->hidden;
    slot *where = h->pending_slot;
    step s = {
        .op = where->op,
        .address = h->pending_address,
        .next = next,
        .in_it = h->pending_in_it,
        .divide_bits = h->pending_divide_bits,
        .access_address = h->pending_access,
        .prediction = &where->prediction,
        .target = &where->target,
    };

    account(t, &s, where);
    h->pending = 0;
}

static void account_skipped(trace *t, void *engine, uint32_t until)
{
    struct trace_private *h = t->hidden;

    while (h->it_left > 0 && h->it_next != until) {
        slot *where = decoded_slot(t, engine, h->it_next);

        if (!where) {
            return;
        }
        step s = {.op = where->op, .address = h->it_next, .skipped = 1, .in_it = 1};
        account(t, &s, where);
        h->it_next += where->op->size;
        h->it_left--;
    }
}

static void snapshot(const trace *t, counters *out)
{
    *out = t->total;
    out->cycles = pipeline_cycles(&t->board);
    out->ideal_cycles = pipeline_cycles(&t->ideal);
    for (int i = 0; i < STALLS; i++) {
        out->stalls[i] = t->board.stalls[i];
        out->ideal_stalls[i] = t->ideal.stalls[i];
    }
    out->fetch_misses = t->mem.fetch_misses;
    out->data_misses = t->mem.data_misses;
}

static void leave_functions(trace *t, uint32_t address)
{
    struct trace_private *h = t->hidden;

    while (h->depth > 0 && h->frames[h->depth - 1].back == address) {
        frame *f = &h->frames[--h->depth];
        watched *w = &t->watches[f->watch];
        counters now;

        snapshot(t, &now);
        w->calls++;
        w->sum.instructions += now.instructions - f->before.instructions;
        w->sum.fetch_misses += now.fetch_misses - f->before.fetch_misses;
        w->sum.data_misses += now.data_misses - f->before.data_misses;
        w->sum.cycles += now.cycles - f->before.cycles;
        w->sum.ideal_cycles += now.ideal_cycles - f->before.ideal_cycles;
        for (int i = 0; i < STALLS; i++) {
            w->sum.stalls[i] += now.stalls[i] - f->before.stalls[i];
            w->sum.ideal_stalls[i] += now.ideal_stalls[i] - f->before.ideal_stalls[i];
        }
    }
}

static void enter_function(trace *t, void *engine, int32_t watch, uint32_t address)
{
    struct trace_private *h = t->hidden;
    uint32_t link = 0;

    if (h->depth == TRACE_DEPTH) {
        finish_run(t, engine, END_DEPTH, address);
        return;
    }
    t->register_read(engine, t->register_r[14], &link);
    frame *f = &h->frames[h->depth++];
    f->watch = watch;
    f->back = link & ~1u;
    snapshot(t, &f->before);
}

static int32_t quotient_bits(trace *t, void *engine, const operation *op)
{
    uint32_t n = 0, d = 0;

    t->register_read(engine, t->register_r[op->dividend], &n);
    t->register_read(engine, t->register_r[op->divisor], &d);
    if (op->flags & OPERATION_DIVIDE_SIGNED) {
        n = (int32_t)n < 0 ? 0u - n : n;
        d = (int32_t)d < 0 ? 0u - d : d;
    }
    if (d == 0 || n < d) {
        return 0;
    }
    return __builtin_clz(d) - __builtin_clz(n) + 1;
}

static uint32_t access_address(trace *t, void *engine, const slot *s, uint32_t address)
{
    const operation *op = s->op;
    uint32_t base = address + 4, index = 0;

    if (op->base_register == BASE_PC_ALIGNED) {
        base &= ~3u;
    } else if (op->base_register != BASE_PC) {
        t->register_read(engine, t->register_r[op->base_register], &base);
    }
    if (op->index_register != NO_INDEX) {
        t->register_read(engine, t->register_r[op->index_register], &index);
    }
    return base + (index << op->index_shift) + (uint32_t)s->displacement;
}

static void note_stack(trace *t, void *engine)
{
    uint32_t sp = 0;

    t->register_read(engine, t->register_r[13], &sp);
    if (sp < t->lowest_stack) {
        t->lowest_stack = sp;
    }
}

/* One to four instructions follow an IT: the position of the mask's lowest one says how many. */
static int32_t it_length(const trace *t, void *engine, uint32_t address)
{
    uint8_t code[2] = {0, 0};

    t->memory_read(engine, address, code, 2);
    if (code[1] != 0xbf || (code[0] & 0x0f) == 0) {
        return 0;
    }
    return 4 - __builtin_ctz(code[0] & 0x0f);
}

static void finish_previous(trace *t, void *engine, uint32_t address)
{
    struct trace_private *h = t->hidden;

    if (!h->pending) {
        return;
    }
    uint32_t following = h->pending_address + h->pending_slot->op->size;
    /* Skipped instructions lie between the two that were executed: the one before them did not branch. */
    finish_pending(t, h->it_left > 0 ? following : address);
    if (h->it_left > 0) {
        account_skipped(t, engine, address);
    }
}

void trace_on_code(void *engine, uint64_t address64, uint32_t size, void *user)
{
    trace *t = user;
    struct trace_private *h = t->hidden;
    uint32_t address = (uint32_t)address64;
    int32_t looping = h->pending && h->pending_address == address;
    int32_t writes_sp = h->pending && (h->pending_slot->op->flags & OPERATION_WRITES_STACK_POINTER);

    (void)size;
    if (t->end != END_NONE) {
        return;
    }
    finish_previous(t, engine, address);
    if (writes_sp) {
        note_stack(t, engine);
    }
    if (h->depth) {
        leave_functions(t, address);
    }
    slot *s = decoded_slot(t, engine, address);
    if (!s) {
        return;
    }
    if (looping || t->total.instructions >= t->limit) {
        finish_run(t, engine, looping ? END_LOOP : END_LIMIT, address);
        return;
    }
    if (s->watch) {
        if (s->watch < 0) {
            finish_run(t, engine, END_SYMBOL, address);
            return;
        }
        enter_function(t, engine, s->watch - 1, address);
    }

    int32_t in_it = h->it_left > 0;
    if (in_it) {
        h->it_left--;
        h->it_next = address + s->op->size;
    } else if (s->op->kind == 0) {
        h->it_left = it_length(t, engine, address);
        h->it_next = address + 2;
    }
    h->pending = 1;
    h->pending_slot = s;
    h->pending_address = address;
    h->pending_in_it = in_it;
    h->pending_divide_bits = 0;
    if (s->op->access_count) {
        h->pending_access = access_address(t, engine, s, address);
    }
    if (s->op->flags & (OPERATION_DIVIDE_SIGNED | OPERATION_DIVIDE_UNSIGNED)) {
        h->pending_divide_bits = quotient_bits(t, engine, s->op);
    }
}

void trace_finish(trace *t)
{
    if (t->hidden->pending && t->end != END_LOOP) {
        finish_pending(t, t->hidden->pending_address + t->hidden->pending_slot->op->size);
    }
    snapshot(t, &t->total);
}

int64_t trace_now(const trace *t)
{
    return pipeline_cycles(&t->board);
}
