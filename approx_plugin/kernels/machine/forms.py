"""The instructions that kernels use: which operands each one takes, what it does with them, and its kind of timing.

A row is all there is to an instruction: text, registers read and written, size and cycles follow from it. A slot says
in which stage of the pipeline an operand is needed, by the groups of a core's table (`cores/`): source, early,
accumulate, address, data; "result" is written. The names and operands are those of the ARMv7-M Architecture Reference
Manual (DDI 0403), chapter A7.7.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

CONDITIONS = ("eq", "ne", "cs", "cc", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le", "hs", "lo")


BOTH_FLAGS_READ = frozenset(CONDITIONS) - {"eq", "ne", "mi", "pl"}
"""Conditions that ask for C or V; the others see N and Z only."""

ARITHMETIC = frozenset(("add", "sub", "rsb", "adc", "sbc", "cmp", "cmn"))
"""What sets all flags where it sets any; everything else leaves V alone, and C unless something is shifted."""


class Slot(NamedTuple):
    """An operand's place.

    takes: "core", "single" or "any" (a register of that class), "flexible" (a modified immediate, a register, or one
           that is shifted), "amount" (a register or a number), "rotated" (a register, or one rotated by whole bytes),
           "lsl", "asr", "shift" (a register, or one that is shifted so), "number" (of low to high), "half" (16 bits or
           half a symbol), "address", "pointer", "registers", "label", "condition".
    roles: what is done with its registers.
    """

    takes: str
    roles: tuple[str, ...] = ()
    low: int = 0
    high: int = 0


D, N = Slot("core", ("result",)), Slot("core", ("source",))
DN = Slot("core", ("source", "result"))
ACCUMULATOR, SUM = Slot("core", ("accumulate",)), Slot("core", ("accumulate", "result"))
FLEXIBLE, AMOUNT, ROTATED = Slot("flexible"), Slot("amount", ("source",)), Slot("rotated", ("source",))
EARLY = Slot("rotated", ("early",))
ADDRESS = Slot("address")
STORED = Slot("core", ("data",))


def number(low: int, high: int) -> Slot:
    """A constant of low to high."""
    return Slot("number", (), low, high)


@dataclass(frozen=True)
class Form:
    """kind: the row of a core's table; a few operands change it (`instruction.Instruction.kind`).

    flags: "never", "optional" (with an s after the name) or "always" set. short: the first operand may stand for the
    first two (add r0, #5). greater_equal: what it does with the GE flags, "result" or "source".
    """

    kind: str
    slots: tuple[Slot, ...]
    flags: str = "never"
    short: bool = False
    greater_equal: str = ""


def _rows(names: str, form: Form) -> dict[str, Form]:
    return dict.fromkeys(names.split(), form)


_MULTIPLIED = (D, N, N)
_ACCUMULATED = (D, N, N, ACCUMULATOR)

FORMS: Mapping[str, Form] = {
    # Arithmetic and logic. "flexible" operands that are shifted or rotated make it an instruction of kind "shift".
    **_rows("add sub", Form("add", (D, N, FLEXIBLE), "optional", short=True)),
    "rsb": Form("logic", (D, N, FLEXIBLE), "optional", short=True),
    **_rows("and bic eor orr orn adc sbc", Form("logic", (D, N, FLEXIBLE), "optional", short=True)),
    **_rows("addw subw", Form("add", (D, N, number(0, 4095)))),
    **_rows("mov mvn", Form("add", (D, FLEXIBLE), "optional")),
    "movw": Form("add", (D, Slot("half"))),
    "movt": Form("add", (DN, Slot("half"))),
    **_rows("cmp cmn tst teq", Form("logic", (N, FLEXIBLE), "always")),
    **_rows("lsl lsr asr ror", Form("add", (D, N, AMOUNT), "optional", short=True)),
    # Packed and saturating arithmetic.
    **_rows("sadd8 ssub8 sadd16 ssub16 uadd8 usub8 uadd16 usub16", Form("dsp", (D, N, N), greater_equal="result")),
    **_rows(
        "qadd8 qsub8 qadd16 qsub16 shadd8 shsub8 shadd16 shsub16 uhadd8 uhsub8 uhadd16 uhsub16"
        " uqadd8 uqsub8 uqadd16 uqsub16 qadd qsub",
        Form("dsp", (D, N, N)),
    ),
    "sel": Form("dsp", (D, N, N), greater_equal="source"),
    "ssat": Form("dsp", (D, number(1, 32), Slot("shift", ("source",)))),
    "usat": Form("dsp", (D, number(0, 31), Slot("shift", ("source",)))),
    "ssat16": Form("dsp", (D, number(1, 16), N)),
    "usat16": Form("dsp", (D, number(0, 15), N)),
    "pkhbt": Form("bitfield", (D, N, Slot("lsl", ("source",)))),
    "pkhtb": Form("bitfield", (D, N, Slot("asr", ("source",)))),
    **_rows("sxtb sxth uxtb uxth sxtb16 uxtb16", Form("bitfield", (D, ROTATED))),
    **_rows("sxtab sxtah uxtab uxtah sxtab16 uxtab16", Form("extend_add", (D, ACCUMULATOR, EARLY))),
    **_rows("ubfx sbfx", Form("bitfield", (D, N, number(0, 31), number(1, 32)))),
    **_rows("rev rev16 rbit", Form("bitfield", (D, N))),
    "clz": Form("dsp", (D, N)),
    # Multiplications.
    "mul": Form("multiply", _MULTIPLIED, "optional", short=True),
    **_rows(
        "smmul smmulr smuad smuadx smusd smusdx smulbb smulbt smultb smultt smulwb smulwt",
        Form("multiply", _MULTIPLIED),
    ),
    **_rows("smull umull", Form("multiply", (D, D, N, N))),
    **_rows(
        "mla mls smmla smmlar smmls smmlsr smlad smladx smlsd smlsdx smlabb smlabt smlatb smlatt smlawb smlawt",
        Form("accumulate", _ACCUMULATED),
    ),
    **_rows("smlal umlal smlald smlaldx smlalbb smlalbt smlaltb smlaltt", Form("accumulate", (SUM, SUM, N, N))),
    **_rows("sdiv udiv", Form("divide", (D, N, N))),
    # Memory.
    "ldr": Form("load", (D, ADDRESS)),
    **_rows("ldrb ldrh ldrsb ldrsh", Form("load_narrow", (D, ADDRESS))),
    **_rows("str strb strh", Form("store", (STORED, ADDRESS))),
    "ldrd": Form("load_pair", (D, D, ADDRESS)),
    "strd": Form("store_pair", (STORED, STORED, ADDRESS)),
    "ldmia": Form("load_multiple", (Slot("pointer"), Slot("registers", ("result",)))),
    "stmia": Form("store_multiple", (Slot("pointer"), Slot("registers", ("data",)))),
    "vldmia": Form("load_multiple", (Slot("pointer"), Slot("singles", ("result",)))),
    "vstmia": Form("store_multiple", (Slot("pointer"), Slot("singles", ("data",)))),
    "push": Form("store_multiple", (Slot("registers", ("data",)),)),
    "pop": Form("load_multiple", (Slot("registers", ("result",)),)),
    # vmov between a core and a single register, either way.
    "vmov": Form("float_move", (Slot("any", ("result",)), Slot("any", ("source",)))),
    # Control.
    **_rows("it itt ite ittt itte itet itee", Form("it", (Slot("condition"),))),
    **_rows("b bl", Form("branch", (Slot("label"),))),
    **_rows("bx blx", Form("branch_register", (N,))),
    "nop": Form("nop", ()),
}

ACCESSES: Mapping[str, tuple[int, int]] = {
    **dict.fromkeys(("ldr", "str"), (4, 1)),
    **dict.fromkeys(("ldrb", "ldrsb", "strb"), (1, 1)),
    **dict.fromkeys(("ldrh", "ldrsh", "strh"), (2, 1)),
    **dict.fromkeys(("ldrd", "strd"), (4, 2)),
}
"""Bytes and number of the accesses that an instruction with an address makes."""
