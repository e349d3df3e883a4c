/*
 * An in-order pipeline as a scoreboard: when each instruction issues, and what held it up.
 *
 * A core is data: one row of numbers for each kind of instruction, and a matrix of the kinds that may share a cycle.
 * An instruction that issues at cycle t needs its operands at t + (stage of the operand) and its results can be used
 * at t + result, so that a consumer issues no earlier than producer + result - stage. Loads and stores move their
 * data at issue; a memory that lets them wait holds the whole pipeline.
 */
#ifndef APPROX_PIPELINE_H
#define APPROX_PIPELINE_H

#include <stdint.h>

#include "memory.h"

/* r0-r15 are registers 0-15, the flags 16, s0-s31 17-48. Sets of them are bit masks. */
#define REGISTERS 49
#define REGISTER_FLAGS 16

/* What follows a load or a store decides whether its second cycle is hidden. */
enum { FOLLOW_OTHER, FOLLOW_LOAD, FOLLOW_STORE, FOLLOW_LOAD_MULTIPLE, FOLLOW_STORE_MULTIPLE, FOLLOWS };

#define KINDS 32
#define UNITS 16

/* One row of a core's table. */
typedef struct {
    int32_t cycles;          /* issue slots are taken for this long, before transfers are added */
    int32_t words_per_cycle; /* transfers of load/store multiple; 0: the row has none */
    int32_t tail[FOLLOWS];   /* further cycles before the next instruction, by what that is */
    int32_t source, early, accumulate, address, data; /* stage in which each group of operands is needed */
    int32_t result;                                   /* stage after which the result can be used */
    int32_t early_result; /* the same if all sources are there at `early`; 0: makes no difference */
    int32_t base_result;  /* stage after which a written-back base register can be used */
    int32_t from_load;    /* a loaded source has to be there this many cycles earlier than another one */
    int32_t unit;         /* row and column of `pair` */
    int32_t follow;       /* FOLLOW_* */
} kind_timing;

typedef struct {
    kind_timing kinds[KINDS];
    uint32_t pair[UNITS]; /* bit set of the units that may issue in the cycle of an older instruction of this unit */
    int32_t pair_narrow;  /* 1: both have to be 16-bit instructions */
    int32_t one_block;    /* 1: a tail is hidden only by an access to the same block of memory: see block_of */
    int32_t pair_banks;   /* 1: two loads of one cycle have to hit words of different parity */
    int32_t taken;        /* cycles lost after a taken branch (a predicted one, where there is a predictor) */
    int32_t taken_same_cycle; /* more of them if the branch shares its cycle with the instruction that sets its flags */
    int32_t wide_target;      /* more of them if a 32-bit instruction at an odd halfword is the target */
    int32_t predictor;        /* 1: conditional branches are predicted, and these two count: */
    int32_t mispredicted;     /* cycles lost after a wrong prediction */
    int32_t mispredicted_early; /* the same if the flags were set `early_flags` cycles before the branch */
    int32_t early_flags;
    int32_t unaligned_load, unaligned_store;             /* cycles added to an access that crosses a bus transfer */
    int32_t divide_minimum, divide_maximum, divide_bits; /* cycles; quotient bits found in a cycle */
} core_timing;

enum {
    OPERATION_LOAD = 1,         /* reads memory */
    OPERATION_STORE = 2,        /* writes memory */
    OPERATION_BRANCH = 4,       /* may write the program counter */
    OPERATION_INDIRECT = 8,     /* ... with a value that is not in the instruction */
    OPERATION_CONDITIONAL = 16, /* ... depending on flags or a register, outside an IT block */
    OPERATION_DIVIDE_SIGNED = 32,
    OPERATION_DIVIDE_UNSIGNED = 64,
    OPERATION_WRITES_STACK_POINTER = 128,
    OPERATION_SETS_FLAGS = 256 /* outside an IT block, if the instruction is a narrow one */
};

/* What the timing has to know of an instruction. Register sets are disjoint in meaning, not in content. */
typedef struct {
    uint64_t source, early, accumulate, address, data; /* read */
    uint64_t result, base;                             /* written; base: by write-back */
    uint32_t flags;                                    /* OPERATION_* */
    int32_t displacement;                              /* of the lowest address that is accessed */
    uint8_t kind, size, transfers, dividend, divisor;  /* size in bytes; registers of a division */
    /* The lowest address is base register + (index register << index shift) + displacement. */
    uint8_t base_register, index_register, index_shift;
    uint8_t access_size, access_count; /* bytes each, side by side */
    uint8_t reserved[6];
} operation;

/* Base registers beyond r14, and "no index". */
enum { BASE_PC_ALIGNED = 15, BASE_PC = 16, NO_INDEX = 255 };

/* One executed (or skipped) instruction. */
typedef struct {
    const operation *op;
    uint32_t address, next; /* `next`: where execution went on */
    int32_t skipped;        /* condition of an IT block failed */
    int32_t in_it;
    int32_t divide_bits;     /* bits of the quotient */
    uint32_t access_address; /* the lowest one, of those that the operation speaks of */
    uint8_t *prediction;     /* the predictor's state for this branch */
    uint32_t *target;        /* ... and the last target of an indirect one */
} step;

enum { STALL_FETCH, STALL_DATA, STALL_BRANCH, STALL_LOAD_USE, STALL_DEPENDENCY, STALLS };

typedef struct {
    const core_timing *core;
    memory *mem; /* NULL: zero wait states everywhere */
    int64_t ready[REGISTERS];
    uint64_t loaded;  /* registers whose last writer was a load */
    int64_t end;      /* the first cycle that the last instruction leaves free */
    int64_t redirect; /* after a taken branch: the first cycle of its target */
    int32_t redirected;
    const int32_t *tail; /* of the last instruction that had one */
    uint32_t tail_block; /* where it accessed memory */
    int32_t slot, slot_unit, slot_narrow, slot_sets_flags, slot_load_parity;
    int64_t flags_set; /* issue cycle of the last instruction that set flags */
    uint64_t stalls[STALLS];
} pipeline;

void pipeline_init(pipeline *p, const core_timing *core, memory *mem);
/* Issues one instruction. `predict`: whether this call may update the predictor's state. */
void pipeline_step(pipeline *p, const step *s, int predict);
/* Cycles up to the end of the last instruction. */
int64_t pipeline_cycles(const pipeline *p);

#endif
