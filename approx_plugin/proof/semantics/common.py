"""What instructions share: flexible operands, flags, words that are added or combined."""

from __future__ import annotations

from approx_plugin.proof.decoding import Decoded, Operand
from approx_plugin.proof.expression import Expression
from approx_plugin.proof.linear import Linear, plus, times
from approx_plugin.proof.machine import Machine, as_expression, form_behind
from approx_plugin.proof.words import (
    MASK,
    Byte,
    Bytes,
    Halves,
    NotProvedError,
    Word,
    form_of,
    from_bytes,
    from_form,
    from_halves,
    half,
    named,
    parts,
    signed,
)


def put(machine: Machine, instruction: Decoded, value: Word) -> None:
    """A word into the first operand."""
    machine.registers[instruction.operands[0].register] = value


def two_sources(instruction: Decoded) -> tuple[Operand, Operand]:
    """The two operands of an instruction whose first one may stand for its result as well."""
    operands = instruction.operands
    return (operands[0], operands[1]) if len(operands) == 2 else (operands[1], operands[2])


def flexible(machine: Machine, operand: Operand) -> Word:
    """A flexible operand."""
    value = machine.value(operand)
    return moved(value, operand.shift, operand.amount) if operand.shift else value


def moved(value: Word, kind: str, amount: int) -> Word:
    """A word, shifted or rotated. Raises NotProvedError where that is not linear and no requantisation."""
    if isinstance(value, int):
        return moved_number(value, kind, amount)
    if not amount:
        return value
    if isinstance(value, Bytes) and kind != "asr" and amount % 8 == 0:
        return _moved_bytes(value, kind, amount // 8)
    if isinstance(value, Halves) and kind != "asr" and amount == 16:
        lower, upper = value.lower, value.upper
        return from_halves(0 if kind == "lsl" else upper, 0 if kind == "lsr" else lower)
    if kind == "lsl":
        return from_form(times(form_of(value), 1 << amount))
    if kind == "asr":
        return _arithmetic_shift(value, amount)
    raise NotProvedError(f"it shifts {named(value)} by {kind} #{amount}")


def _moved_bytes(value: Bytes, kind: str, places: int) -> Word:
    """Four bytes, shifted or rotated by whole bytes."""
    held = value.parts
    if kind == "lsl":
        one, two, three, four = (*(0,) * places, *held)[:4]
    else:
        one, two, three, four = (*held, *(held if kind == "ror" else (0,) * 4))[places : places + 4]
    return from_bytes((one, two, three, four))


def moved_number(value: int, kind: str, amount: int) -> int:
    """A number, shifted or rotated."""
    if kind == "lsl":
        return value << amount & MASK if amount < 32 else 0
    if kind == "lsr":
        return value >> amount if amount < 32 else 0
    if kind == "asr":
        return signed(value) >> min(amount, 31) & MASK
    if kind == "ror":
        amount &= 31
        return (value >> amount | value << (32 - amount)) & MASK
    raise NotProvedError(f"it shifts by {kind}")


def _arithmetic_shift(value: Word, amount: int) -> Word:
    if isinstance(value, (Halves, Bytes)):
        if amount == 16:
            return from_form(half(value, True))
        if amount == 24:
            return byte_word(parts(value)[3])
        raise NotProvedError(f"it shifts {named(value)} by asr #{amount}")
    if isinstance(value, Linear):
        exact = value.halved(amount)
        if exact is not None:
            return exact
    assert isinstance(value, (Linear, Expression))
    return Expression("asr", (as_expression(value), amount), form_behind(value))


def byte_word(byte: Byte) -> Word:
    """A byte, extended by its sign to a register."""
    if byte is None:
        raise NotProvedError("it uses a byte that was not written")
    if isinstance(byte, Expression):
        return byte
    return from_form(byte)


def combined(operation: str, *values: Word) -> Expression:
    """An operation on functions of one and the same form, and numbers."""
    arguments: list[Expression | int] = []
    form: Linear | None = None
    for value in values:
        if isinstance(value, int):
            arguments.append(signed(value))
            continue
        if not isinstance(value, (Linear, Expression)):
            raise NotProvedError(f"it requantises {named(value)}")
        behind = form_behind(value)
        if form is not None and form is not behind and not form.equals(behind):
            raise NotProvedError("it mixes two sums when it requantises")
        form = behind
        arguments.append(as_expression(value))
    assert form is not None
    return Expression(operation, tuple(arguments), form)


def add_words(one: Word, other: Word) -> Word:
    """ADD of anything that is known to be added."""
    if isinstance(one, Expression) or isinstance(other, Expression):
        return combined("add", one, other)
    return from_form(plus(form_of(one), form_of(other)))


def subtract_words(one: Word, other: Word) -> Word:
    """SUB likewise."""
    if isinstance(one, Expression) or isinstance(other, Expression):
        return combined("sub", one, other)
    return from_form(plus(form_of(one), times(form_of(other), -1)))


def as_number(value: Word) -> int:
    """A number. Raises NotProvedError for data."""
    if not isinstance(value, int):
        raise NotProvedError(f"it needs a number and finds {named(value)}")
    return value


def forget_flags(machine: Machine, instruction: Decoded) -> None:
    """Where an instruction sets flags by data: whoever asks for them cannot be followed."""
    if instruction.sets_flags:
        machine.flags = machine.compared = None


def set_flags(machine: Machine, value: Word, carry: int | None = None) -> None:
    """N and Z of a result; C if it is given. V stays. Of data: whoever asks for them cannot be followed."""
    if not isinstance(value, int):
        machine.flags = machine.compared = None
        return
    old = machine.flags or (0, 0, 0, 0)
    machine.flags = (value >> 31, int(value == 0), old[2] if carry is None else carry, old[3])


def add_numbers(machine: Machine, one: int, other: int, carry: int, sets_flags: bool) -> int:
    """ADC of numbers: the sum, and the flags if they are wanted."""
    found = one + other + carry
    if sets_flags:
        true = signed(one) + signed(other) + carry
        low = found & MASK
        machine.flags = (low >> 31, int(low == 0), int(found > MASK), int(signed(low) != true))
    return found & MASK
