#include "pipeline.h"

#include <stddef.h>
#include <string.h>

static const int32_t no_tail[FOLLOWS];

void pipeline_init(pipeline *p, const core_timing *core, memory *mem)
{
    memset(p, 0, sizeof *p);
    p->core = core;
    p->mem = mem;
    p->tail = no_tail;
    p->flags_set = -1000;
}

int64_t pipeline_cycles(const pipeline *p)
{
    return p->end;
}

/* Code and SRAM (the architecture's regions of 512 Mbytes) are reached through different bus ports. */
static uint32_t block_of(uint32_t address)
{
    return address >> 29;
}

/* Raises *need to the first issue cycle at which all registers of `set` are there at `stage`. */
static void wait_for(const pipeline *p, uint64_t set, int32_t stage, int32_t from_load, int64_t *need, int *by_load)
{
    while (set) {
        int r = __builtin_ctzll(set);
        int loaded = (int)(p->loaded >> r & 1);
        int64_t at = p->ready[r] - stage + (loaded ? from_load : 0);

        if (at > *need) {
            *need = at;
            *by_load = loaded;
        }
        set &= set - 1;
    }
}

static int64_t issue_at(const pipeline *p, const operation *op, const kind_timing *k, int *by_load)
{
    int64_t need = 0;

    *by_load = 0;
    wait_for(p, op->source, k->source, k->from_load, &need, by_load);
    wait_for(p, op->early, k->early, 0, &need, by_load);
    wait_for(p, op->accumulate, k->accumulate, 0, &need, by_load);
    wait_for(p, op->address, k->address, 0, &need, by_load);
    wait_for(p, op->data, k->data, 0, &need, by_load);
    return need;
}

static int may_pair(const pipeline *p, const step *s, const kind_timing *k)
{
    const core_timing *c = p->core;

    if (!p->slot || p->redirected || !(c->pair[p->slot_unit] >> k->unit & 1)) {
        return 0;
    }
    if (c->pair_narrow && !(p->slot_narrow && s->op->size == 2)) {
        return 0;
    }
    if (c->pair_banks && p->slot_load_parity >= 0 && (s->op->flags & OPERATION_LOAD)) {
        return (int32_t)(s->access_address >> 2 & 1) != p->slot_load_parity;
    }
    return 1;
}

static int32_t unaligned_cycles(const core_timing *c, const step *s)
{
    uint32_t address = s->access_address, size = s->op->access_size;

    if ((address & (size - 1)) == 0) {
        return 0;
    }
    /* A word at an odd address takes two further transfers, everything else one. */
    return (s->op->flags & OPERATION_STORE ? c->unaligned_store : c->unaligned_load) *
           (size == 4 && (address & 1) ? 2 : 1);
}

/* Cycles that the memory lets the core wait for the accesses of an instruction that issues at `at`. */
static int64_t access_cycles(pipeline *p, const step *s, int64_t at)
{
    int64_t wait = unaligned_cycles(p->core, s);

    for (int i = 0; p->mem && i < s->op->access_count; i++) {
        wait += memory_access(p->mem,
                              s->access_address + (uint32_t)i * s->op->access_size,
                              at + wait,
                              (s->op->flags & OPERATION_STORE) != 0);
    }
    return wait;
}

static int32_t occupied(const core_timing *c, const kind_timing *k, const step *s)
{
    int32_t cycles = k->cycles;

    if (k->words_per_cycle) {
        cycles += (s->op->transfers + k->words_per_cycle - 1) / k->words_per_cycle;
    }
    if (s->op->flags & (OPERATION_DIVIDE_SIGNED | OPERATION_DIVIDE_UNSIGNED)) {
        cycles = c->divide_minimum + (s->divide_bits + c->divide_bits - 1) / c->divide_bits;
        if (cycles > c->divide_maximum) {
            cycles = c->divide_maximum;
        }
    }
    return cycles;
}

static void set_ready(pipeline *p, uint64_t set, int64_t at, int load)
{
    p->loaded = load ? p->loaded | set : p->loaded & ~set;
    while (set) {
        p->ready[__builtin_ctzll(set)] = at;
        set &= set - 1;
    }
}

/* 1 if the predictor was wrong. Conditional: two-bit counters that start at "backward taken"; indirect: last target. */
static int mispredicted(const step *s, int taken, int predict)
{
    const operation *op = s->op;
    int wrong = 0;

    if (op->flags & OPERATION_INDIRECT) {
        wrong = taken && *s->target != s->next;
        if (predict && taken) {
            *s->target = s->next;
        }
    } else if ((op->flags & OPERATION_CONDITIONAL) || s->in_it) {
        uint8_t state = *s->prediction; /* 0: not seen yet; 1-4: strongly not taken .. strongly taken */

        if (state == 0) {
            state = taken && s->next <= s->address ? 3 : 2;
        }
        wrong = (state >= 3) != taken;
        if (predict) {
            *s->prediction = (uint8_t)(taken ? (state < 4 ? state + 1 : 4) : (state > 1 ? state - 1 : 1));
        }
    }
    return wrong;
}

static void follow_branch(pipeline *p, const step *s, int64_t issue, int64_t end, int paired_with_flags, int predict)
{
    const core_timing *c = p->core;
    int taken = s->next != s->address + s->op->size;
    int32_t lost = taken ? c->taken : 0;

    if (taken && paired_with_flags) {
        lost += c->taken_same_cycle;
    }
    if (c->predictor && mispredicted(s, taken, predict)) {
        lost = issue - p->flags_set >= c->early_flags ? c->mispredicted_early : c->mispredicted;
    }
    if (taken || lost) {
        p->redirected = 1;
        p->redirect = end + p->tail[FOLLOW_OTHER] + lost;
        p->slot = 0;
    }
}

void pipeline_step(pipeline *p, const step *s, int predict)
{
    const core_timing *c = p->core;
    const operation *op = s->op;
    const kind_timing *k = &c->kinds[op->kind];
    int by_load = 0, paired = 0, paired_with_flags = 0, sets_flags = 0;
    int32_t follow = s->skipped ? FOLLOW_OTHER : k->follow;
    int64_t need = s->skipped ? 0 : issue_at(p, op, k, &by_load);
    int64_t at, fetched;

    if (c->one_block && p->tail != no_tail && op->access_count && block_of(s->access_address) != p->tail_block) {
        follow = FOLLOW_OTHER;
    }
    int64_t unblocked = p->end + p->tail[follow];
    if (p->redirected && p->redirect > unblocked) {
        p->stalls[STALL_BRANCH] += (uint64_t)(p->redirect - unblocked);
        unblocked = p->redirect;
    }
    if (p->redirected && c->wide_target && op->size == 4 && (s->address & 2)) {
        p->stalls[STALL_BRANCH] += (uint64_t)c->wide_target;
        unblocked += c->wide_target;
    }
    if (!s->skipped && may_pair(p, s, k) && need <= p->end - 1) {
        fetched = p->mem ? memory_fetch(p->mem, s->address, op->size, p->end - 1, 0) : p->end - 1;
        paired = fetched <= p->end - 1;
        if (!paired && fetched < unblocked) {
            fetched = unblocked;
        }
    } else {
        fetched = p->mem ? memory_fetch(p->mem, s->address, op->size, unblocked, p->redirected) : unblocked;
    }
    if (paired) {
        at = p->end - 1;
        paired_with_flags = p->slot_sets_flags && (op->source >> REGISTER_FLAGS & 1);
    } else {
        at = unblocked;
        if (fetched > at) {
            p->stalls[STALL_FETCH] += (uint64_t)(fetched - at);
            at = fetched;
        }
        if (need > at) {
            p->stalls[by_load ? STALL_LOAD_USE : STALL_DEPENDENCY] += (uint64_t)(need - at);
            at = need;
        }
    }
    p->redirected = 0;

    int32_t cycles = s->skipped ? 1 : occupied(c, k, s);
    if (op->access_count && !s->skipped) {
        int64_t wait = access_cycles(p, s, at);

        p->stalls[STALL_DATA] += (uint64_t)wait;
        cycles += (int32_t)wait;
    }
    int64_t end = at + cycles;

    if (!s->skipped) {
        int64_t result = end - 1 + k->result;

        if (k->early_result) {
            int64_t early = 0;
            int ignored;

            wait_for(p, op->source, k->early, 0, &early, &ignored);
            if (early <= at) {
                result = end - 1 + k->early_result;
            }
        }
        sets_flags = (op->flags & OPERATION_SETS_FLAGS) && !(s->in_it && op->size == 2);
        set_ready(p,
                  sets_flags ? op->result : op->result & ~((uint64_t)1 << REGISTER_FLAGS),
                  result,
                  (op->flags & OPERATION_LOAD) != 0);
        set_ready(p, op->base, at + k->base_result, 0);
        if (sets_flags) {
            p->flags_set = at;
        }
    }

    p->tail = !s->skipped && k->follow != FOLLOW_OTHER ? k->tail : paired ? p->tail : no_tail;
    if (op->access_count) {
        p->tail_block = block_of(s->access_address);
    }
    p->slot = !paired && !s->skipped;
    p->slot_unit = k->unit;
    p->slot_narrow = op->size == 2;
    p->slot_sets_flags = sets_flags;
    p->slot_load_parity = (op->flags & OPERATION_LOAD) && !s->skipped ? (int32_t)(s->access_address >> 2 & 1) : -1;
    if (end > p->end) {
        p->end = end;
    }
    if (!s->skipped && (op->flags & OPERATION_BRANCH)) {
        follow_branch(p, s, at, p->end, paired_with_flags, predict);
    }
}
