"""Kinds of instructions: the rows of a core's timing table."""

from __future__ import annotations

KINDS = (
    "it",  # the C code knows that this one is 0
    "add",
    "logic",
    "shift",
    "dsp",
    "bitfield",
    "extend_add",
    "multiply",
    "multiply_flags",
    "accumulate",
    "divide",
    "load",
    "load_narrow",
    "store",
    "store_register",
    "load_pair",
    "store_pair",
    "load_multiple",
    "store_multiple",
    "branch",
    "branch_register",
    "table_branch",
    "nop",
    "system",
    "barrier",
    "float",
    "float_accumulate",
    "float_divide",
    "float_move",
)
"""The rows of a core's table, in the order of their numbers."""
