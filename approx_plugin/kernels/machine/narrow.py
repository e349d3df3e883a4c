"""Which instructions have a 16-bit encoding that GNU as chooses by itself (ARMv7-M ARM, A5.2).

Most 16-bit encodings set the flags outside an IT block and leave them alone inside of one: `quiet` says whether the
instruction does the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from approx_plugin.kernels.machine.operands import OFFSET, Operand, Pointer, Registers
from approx_plugin.kernels.machine.registers import LOW, LR, PC, SP, Register

Rule = Callable[[Sequence[Any], bool, bool], bool]
"""(operands with none left out, quiet, whether the flags are set) -> whether the narrow encoding is there."""


def is_narrow(name: str, operands: Sequence[Operand], sets_flags: bool, conditional: bool) -> bool:
    """Whether GNU as encodes the instruction in 16 bits. Branches: whether there is a short form at all."""
    rule = _RULES.get(name)
    return rule is not None and rule(operands, sets_flags != conditional, sets_flags)


def _low(*operands: Operand) -> bool:
    return all(isinstance(operand, Register) and operand.number < LOW for operand in operands)


def _multiple(value: Any, step: int, limit: int) -> bool:
    return isinstance(value, int) and 0 <= value <= limit and value % step == 0


def _move(o: Sequence[Any], quiet: bool, sets_flags: bool) -> bool:
    if isinstance(o[1], int):
        return quiet and _low(o[0]) and o[1] <= 0xFF
    return isinstance(o[1], Register) and (not sets_flags or (quiet and _low(*o)))


def _add(o: Sequence[Any], quiet: bool, sets_flags: bool) -> bool:
    target, first, second = o
    if isinstance(second, int):
        if first == SP and not sets_flags:
            return _multiple(second, 4, 508) if target == SP else _low(target) and _multiple(second, 4, 1020)
        return quiet and _low(target, first) and (second <= 7 or (target == first and second <= 0xFF))
    if not isinstance(second, Register):
        return False
    return (quiet and _low(*o)) or (not sets_flags and target in (first, second))


def _subtract(o: Sequence[Any], quiet: bool, sets_flags: bool) -> bool:
    target, first, second = o
    if isinstance(second, int):
        if target == first == SP and not sets_flags:
            return _multiple(second, 4, 508)
        return quiet and _low(target, first) and (second <= 7 or (target == first and second <= 0xFF))
    return quiet and _low(*o)


def _commutative(o: Sequence[Any], quiet: bool, sets_flags: bool) -> bool:
    return quiet and _low(*o) and o[0] in o[1:]


def _in_place(o: Sequence[Any], quiet: bool, sets_flags: bool) -> bool:
    return quiet and _low(*o) and o[0] == o[1]


def _negate(o: Sequence[Any], quiet: bool, sets_flags: bool) -> bool:
    return quiet and _low(*o[:2]) and o[2] == 0 and isinstance(o[2], int)


def _shift(o: Sequence[Any], quiet: bool, sets_flags: bool) -> bool:
    if isinstance(o[2], int):
        return quiet and _low(*o[:2])
    return _in_place(o, quiet, sets_flags)


def _rotate(o: Sequence[Any], quiet: bool, sets_flags: bool) -> bool:
    return not isinstance(o[2], int) and _in_place(o, quiet, sets_flags)


def _compare(o: Sequence[Any], quiet: bool, sets_flags: bool) -> bool:
    return _low(o[0]) and o[1] <= 0xFF if isinstance(o[1], int) else isinstance(o[1], Register)


def _both_low(o: Sequence[Any], quiet: bool, sets_flags: bool) -> bool:
    return _low(*o)


def _load(unit: int, with_offset: bool, from_stack: bool) -> Rule:
    """A load or store of `unit` bytes; with_offset: it has a narrow form with a constant offset."""

    def rule(o: Sequence[Any], quiet: bool, sets_flags: bool) -> bool:
        register, address = o
        if address.mode != OFFSET or not _low(register):
            return False
        if isinstance(address.offset, int):
            if from_stack and address.base == SP:
                return _multiple(address.offset, 4, 1020)
            return with_offset and _low(address.base) and _multiple(address.offset, unit, 31 * unit)
        return _low(address.base, address.offset)

    return rule


def _multiples(loads: bool) -> Rule:
    def rule(o: Sequence[Any], quiet: bool, sets_flags: bool) -> bool:
        pointer, moved = o
        assert isinstance(pointer, Pointer) and isinstance(moved, Registers)
        if not _low(pointer.base, *moved.members):
            return False
        # LDM without write-back is the narrow form that loads its own base; STM always writes back.
        return pointer.write_back != (loads and pointer.base in moved.members)

    return rule


def _stacked(extra: Register) -> Rule:
    def rule(o: Sequence[Any], quiet: bool, sets_flags: bool) -> bool:
        return all(member.number < LOW or member == extra for member in o[0].members)

    return rule


def _always(o: Sequence[Any], quiet: bool, sets_flags: bool) -> bool:
    return True


_RULES: Mapping[str, Rule] = {
    "mov": _move,
    "mvn": lambda o, quiet, sets_flags: quiet and _low(*o),
    "add": _add,
    "sub": _subtract,
    "rsb": _negate,
    **dict.fromkeys(("and", "orr", "eor", "adc", "mul"), _commutative),
    **dict.fromkeys(("bic", "sbc"), _in_place),
    "cmp": _compare,
    **dict.fromkeys(("cmn", "tst", "sxtb", "sxth", "uxtb", "uxth", "rev", "rev16"), _both_low),
    **dict.fromkeys(("lsl", "lsr", "asr"), _shift),
    "ror": _rotate,
    **dict.fromkeys(("ldr", "str"), _load(4, True, True)),
    **dict.fromkeys(("ldrb", "strb"), _load(1, True, False)),
    **dict.fromkeys(("ldrh", "strh"), _load(2, True, False)),
    **dict.fromkeys(("ldrsb", "ldrsh"), _load(1, False, False)),
    "ldmia": _multiples(loads=True),
    "stmia": _multiples(loads=False),
    "push": _stacked(LR),
    "pop": _stacked(PC),
    **dict.fromkeys(("it", "itt", "ite", "ittt", "itte", "itet", "itee"), _always),
    **dict.fromkeys(("b", "bx", "blx", "nop"), _always),
}
