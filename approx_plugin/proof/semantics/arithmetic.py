"""Arithmetic, logic, shifts, moves, comparisons."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from approx_plugin.proof.decoding import Decoded
from approx_plugin.proof.expression import Expression
from approx_plugin.proof.machine import PC, Handler, Machine
from approx_plugin.proof.semantics.common import (
    add_numbers,
    add_words,
    as_number,
    combined,
    flexible,
    forget_flags,
    moved,
    put,
    set_flags,
    subtract_words,
    two_sources,
)
from approx_plugin.proof.words import (
    MASK,
    Byte,
    Bytes,
    Halves,
    NotProvedError,
    Word,
    from_bytes,
    from_halves,
    halves,
    named,
    parts,
    signed,
)


def _shift_instruction(kind: str) -> Handler:
    def handler(machine: Machine, instruction: Decoded) -> None:
        source, by = two_sources(instruction)
        amount = machine.concrete(by) & 0xFF
        value = machine.value(source)
        found = moved(value, kind, amount)
        if instruction.sets_flags:
            carry = _carry_out(value, kind, amount, machine) if isinstance(value, int) else None
            set_flags(machine, found, carry)
        put(machine, instruction, found)

    return handler


def _carry_out(value: int, kind: str, amount: int, machine: Machine) -> int:
    if not amount:
        return machine.flags[2] if machine.flags else 0
    if kind == "lsl":
        return value >> (32 - amount) & 1 if amount <= 32 else 0
    if kind == "asr":
        return value >> min(amount - 1, 31) & 1
    return value >> ((amount - 1) & 31) & 1 if kind == "ror" or amount <= 32 else 0


def _add(machine: Machine, instruction: Decoded) -> None:
    first, second = two_sources(instruction)
    if PC in (first.register, second.register):
        put(machine, instruction, _program_counter(instruction) + second.number)
        return
    one, other = machine.value(first), flexible(machine, second)
    if isinstance(one, int) and isinstance(other, int):
        put(machine, instruction, add_numbers(machine, one, other, 0, instruction.sets_flags))
        return
    forget_flags(machine, instruction)
    put(machine, instruction, add_words(one, other))


def _subtract(machine: Machine, instruction: Decoded) -> None:
    first, second = two_sources(instruction)
    if first.register == PC:
        put(machine, instruction, _program_counter(instruction) - second.number)
        return
    _difference(machine, instruction, machine.value(first), flexible(machine, second))


def _program_counter(instruction: Decoded) -> int:
    return (instruction.address + 4) & ~3


def _reverse_subtract(machine: Machine, instruction: Decoded) -> None:
    first, second = two_sources(instruction)
    _difference(machine, instruction, flexible(machine, second), machine.value(first))


def _difference(machine: Machine, instruction: Decoded, one: Word, other: Word) -> None:
    if isinstance(one, int) and isinstance(other, int):
        put(machine, instruction, add_numbers(machine, one, ~other & MASK, 1, instruction.sets_flags))
        return
    forget_flags(machine, instruction)
    put(machine, instruction, subtract_words(one, other))


def _with_carry(subtracts: bool) -> Handler:
    def handler(machine: Machine, instruction: Decoded) -> None:
        first, second = two_sources(instruction)
        other = as_number(flexible(machine, second))
        if machine.flags is None:
            raise NotProvedError("a carry depends on the data")
        carry = machine.flags[2]
        found = add_numbers(
            machine, machine.concrete(first), ~other & MASK if subtracts else other, carry, instruction.sets_flags
        )
        put(machine, instruction, found)

    return handler


def _logic(operation: Callable[[int, int], int], name: str) -> Handler:
    def handler(machine: Machine, instruction: Decoded) -> None:
        first, second = two_sources(instruction)
        one, other = machine.value(first), flexible(machine, second)
        if isinstance(one, int) and isinstance(other, int):
            found = operation(one, other) & MASK
            if instruction.sets_flags:
                set_flags(machine, found)
            put(machine, instruction, found)
            return
        forget_flags(machine, instruction)
        if name == "and" and (isinstance(one, Expression) or isinstance(other, Expression)):
            put(machine, instruction, combined("and", one, other))
        elif name in ("orr", "eor"):
            put(machine, instruction, _put_together(one, other))
        elif name in ("and", "bic") and isinstance(other, int):
            put(machine, instruction, _masked(one, other if name == "and" else ~other & MASK))
        elif name == "and" and isinstance(one, int):
            put(machine, instruction, _masked(other, one))
        else:
            raise NotProvedError(f"it computes '{instruction.text}' with data")

    return handler


def _masked(value: Word, mask: int) -> Word:
    """AND with a mask of whole halves or bytes."""
    kept = [mask >> 8 * place & 0xFF for place in range(4)]
    if isinstance(value, Bytes) and set(kept) <= {0, 0xFF}:
        found = [part if whole else 0 for part, whole in zip(value.parts, kept)]
        return from_bytes((found[0], found[1], found[2], found[3]))
    if isinstance(value, Halves) and mask in (0xFFFF, 0xFFFF0000):
        return from_halves(value.lower if mask == 0xFFFF else 0, 0 if mask == 0xFFFF else value.upper)
    raise NotProvedError(f"it masks {named(value)} with {mask:#x}")


def _put_together(one: Word, other: Word) -> Word:
    """ORR of words of which only one is not 0 in each half, or in each byte."""
    if isinstance(one, Bytes) or isinstance(other, Bytes):
        found = [_either(a, b) for a, b in zip(parts(one), parts(other))]
        return from_bytes((found[0], found[1], found[2], found[3]))
    lower, upper = (_either(a, b) for a, b in zip(halves(one), halves(other)))
    assert not isinstance(lower, Expression) and not isinstance(upper, Expression)
    return from_halves(lower, upper)


def _either(one: Byte, other: Byte) -> Byte:
    if isinstance(one, int) and not one:
        return other
    if isinstance(other, int) and not other:
        return one
    raise NotProvedError("it combines bits of data")


def _move(machine: Machine, instruction: Decoded) -> None:
    source = instruction.operands[-1]
    target = instruction.operands[0].register
    value = flexible(machine, source)
    if instruction.sets_flags:
        set_flags(machine, value)
    machine.registers[target] = value


def _move_inverted(machine: Machine, instruction: Decoded) -> None:
    value = ~as_number(flexible(machine, instruction.operands[-1])) & MASK
    if instruction.sets_flags:
        set_flags(machine, value)
    put(machine, instruction, value)


def _move_top(machine: Machine, instruction: Decoded) -> None:
    target, high = instruction.operands
    put(machine, instruction, machine.concrete(target) & 0xFFFF | high.number << 16)


def _compare(inverted: bool) -> Handler:
    def handler(machine: Machine, instruction: Decoded) -> None:
        first, second = instruction.operands
        one, other = machine.value(first), flexible(machine, second)
        if isinstance(one, int) and isinstance(other, int):
            added, carry = (other, 0) if inverted else (~other & MASK, 1)
            add_numbers(machine, one, added, carry, True)
            return
        if not isinstance(other, int):
            raise NotProvedError("it compares data with data")
        machine.flags = None
        machine.compared = one, signed(-other & MASK) if inverted else signed(other)

    return handler


def _test(operation: Callable[[int, int], int]) -> Handler:
    def handler(machine: Machine, instruction: Decoded) -> None:
        first, second = instruction.operands
        set_flags(machine, operation(machine.concrete(first), as_number(flexible(machine, second))) & MASK)

    return handler


def _divide(is_signed: bool) -> Handler:
    def handler(machine: Machine, instruction: Decoded) -> None:
        first, second = two_sources(instruction)
        one, other = machine.concrete(first), machine.concrete(second)
        if is_signed:
            one, other = signed(one), signed(other)
        size = abs(one) // abs(other) if other else 0
        put(machine, instruction, (size if (one < 0) == (other < 0) else -size) & MASK)

    return handler


def _leading_zeros(machine: Machine, instruction: Decoded) -> None:
    put(machine, instruction, 32 - machine.concrete(instruction.operands[-1]).bit_length())


def _reversed_bytes(machine: Machine, instruction: Decoded) -> None:
    value = machine.concrete(instruction.operands[-1])
    put(machine, instruction, int.from_bytes(value.to_bytes(4, "little"), "big"))


HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {
        "add": _add,
        "addw": _add,
        "sub": _subtract,
        "subw": _subtract,
        "rsb": _reverse_subtract,
        "adc": _with_carry(subtracts=False),
        "sbc": _with_carry(subtracts=True),
        "and": _logic(lambda a, b: a & b, "and"),
        "orr": _logic(lambda a, b: a | b, "orr"),
        "eor": _logic(lambda a, b: a ^ b, "eor"),
        "bic": _logic(lambda a, b: a & ~b, "bic"),
        "orn": _logic(lambda a, b: a | ~b, "orn"),
        **dict.fromkeys(("mov", "movw", "movs", "vmov"), _move),
        "mvn": _move_inverted,
        "movt": _move_top,
        "cmp": _compare(inverted=False),
        "cmn": _compare(inverted=True),
        "tst": _test(lambda a, b: a & b),
        "teq": _test(lambda a, b: a ^ b),
        **{kind: _shift_instruction(kind) for kind in ("lsl", "lsr", "asr", "ror")},
        "sdiv": _divide(is_signed=True),
        "udiv": _divide(is_signed=False),
        "clz": _leading_zeros,
        "rev": _reversed_bytes,
    }
)
