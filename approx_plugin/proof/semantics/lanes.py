"""Instructions that take words for two halfwords or four bytes."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from approx_plugin.proof.decoding import Decoded, Operand
from approx_plugin.proof.expression import Expression
from approx_plugin.proof.linear import Form, Linear, fits, plus, times
from approx_plugin.proof.machine import Handler, Machine
from approx_plugin.proof.semantics.common import (
    add_words,
    byte_word,
    moved_number,
    put,
    two_sources,
)
from approx_plugin.proof.words import (
    MASK,
    NotProvedError,
    from_bytes,
    from_form,
    from_halves,
    half,
    half_or_none,
    halves,
    parts,
    signed,
)


def _extended_bytes(machine: Machine, operand: Operand) -> tuple[Form, Form]:
    """The signed bytes 0 and 2, or 1 and 3, of a word, as SXTB16 takes them."""
    found = parts(machine.value(operand))
    turned = operand.amount // 8 if operand.shift == "ror" else 0
    pair = found[turned & 3], found[(turned + 2) & 3]
    for one in pair:
        if one is None or isinstance(one, Expression):
            raise NotProvedError("it widens a byte that is no input")
    lower, upper = pair
    assert lower is not None and not isinstance(lower, Expression)
    assert upper is not None and not isinstance(upper, Expression)
    return lower, upper


def _sxtb16(machine: Machine, instruction: Decoded) -> None:
    put(machine, instruction, from_halves(*_extended_bytes(machine, instruction.operands[-1])))


def _sxtab16(machine: Machine, instruction: Decoded) -> None:
    lower, upper = halves(machine.value(instruction.operands[1]))
    low, high = _extended_bytes(machine, instruction.operands[2])
    put(machine, instruction, from_halves(plus(lower, low), plus(upper, high)))


def _extend(is_byte: bool, is_signed: bool) -> Handler:
    def handler(machine: Machine, instruction: Decoded) -> None:
        operand = instruction.operands[-1]
        value = machine.value(operand)
        turned = operand.amount if operand.shift == "ror" else 0
        if isinstance(value, int):
            found = moved_number(value, "ror", turned) & (0xFF if is_byte else 0xFFFF)
            put(machine, instruction, signed(found, 8 if is_byte else 16) & MASK if is_signed else found)
            return
        if not is_signed:
            # The upper part becomes 0; the lower one keeps its bits, whatever its sign.
            if is_byte:
                put(machine, instruction, from_bytes((parts(value)[turned // 8], 0, 0, 0)))
            else:
                put(machine, instruction, from_halves(half(value, turned == 16), 0))
            return
        if is_byte:
            if isinstance(value, (Linear, Expression)) and not turned:
                if isinstance(value, Linear) and not value.fits(8):
                    raise NotProvedError("a byte could overflow")
                put(machine, instruction, value)
            else:
                put(machine, instruction, byte_word(parts(value)[turned // 8]))
            return
        put(machine, instruction, from_form(half(value, turned == 16)))

    return handler


def _extend_and_add(is_byte: bool, is_signed: bool) -> Handler:
    def handler(machine: Machine, instruction: Decoded) -> None:
        _, first, second = instruction.operands
        one, other = machine.value(first), machine.value(second)
        bits, turned = 8 if is_byte else 16, second.amount if second.shift == "ror" else 0
        if isinstance(one, int) and isinstance(other, int):
            taken = moved_number(other, "ror", turned) & ((1 << bits) - 1)
            put(machine, instruction, one + (signed(taken, bits) if is_signed else taken) & MASK)
            return
        if not is_signed:
            raise NotProvedError(f"it takes data for unsigned: '{instruction.text}'")
        taken_word = byte_word(parts(other)[turned // 8]) if is_byte else from_form(half(other, turned == 16))
        put(machine, instruction, add_words(one, taken_word))

    return handler


def _pack(machine: Machine, instruction: Decoded, top_first: bool) -> None:
    first, second = instruction.operands[-2:]
    one, other = machine.value(first), machine.value(second)
    moved = second.amount if second.shift else 0
    if moved not in (0, 16):
        if isinstance(one, int) and isinstance(other, int):
            other, moved = moved_number(other, second.shift, moved), 0
        else:
            raise NotProvedError(f"it packs data by '{instruction.text}'")
    if top_first:
        lower, upper = half(other, moved == 16), half(one, True)
    else:
        lower, upper = half(one, False), half(other, moved == 0)
    put(machine, instruction, from_halves(lower, upper))


def _pkhbt(machine: Machine, instruction: Decoded) -> None:
    _pack(machine, instruction, top_first=False)


def _pkhtb(machine: Machine, instruction: Decoded) -> None:
    _pack(machine, instruction, top_first=True)


def _each_half(sign: int) -> Handler:
    """SADD16 and SSUB16, and the saturating ones where nothing saturates."""

    def handler(machine: Machine, instruction: Decoded) -> None:
        one, other = (halves(machine.value(operand)) for operand in two_sources(instruction))
        found = [plus(a, times(b, sign)) for a, b in zip(one, other)]
        if not all(fits(value, 16) for value in found):
            raise NotProvedError("a sum of halfwords could overflow")
        put(machine, instruction, from_halves(*found))

    return handler


def _field(is_signed: bool) -> Handler:
    def handler(machine: Machine, instruction: Decoded) -> None:
        _, source, first, width = instruction.operands
        value = machine.value(source)
        if isinstance(value, int):
            found = value >> first.number & ((1 << width.number) - 1)
            put(machine, instruction, signed(found, width.number) & MASK if is_signed else found)
        elif is_signed and width.number == 8 and first.number % 8 == 0:
            put(machine, instruction, byte_word(parts(value)[first.number // 8]))
        elif is_signed and width.number == 16 and first.number % 16 == 0:
            put(machine, instruction, from_form(half(value, first.number == 16)))
        else:
            raise NotProvedError(f"it takes bits out of data: '{instruction.text}'")

    return handler


def _insert(machine: Machine, instruction: Decoded) -> None:
    """BFI: of numbers anywhere, of data where it moves a whole halfword."""
    target, source, first, width = instruction.operands
    old, new = machine.value(target), machine.value(source)
    if isinstance(old, int) and isinstance(new, int):
        mask = ((1 << width.number) - 1) << first.number
        put(machine, instruction, old & ~mask | new << first.number & mask)
    elif (first.number, width.number) == (0, 16):
        put(machine, instruction, from_halves(half(new, False), half_or_none(old, True)))
    elif (first.number, width.number) == (16, 16):
        put(machine, instruction, from_halves(half_or_none(old, False), half(new, False)))
    else:
        raise NotProvedError(f"it puts bits into data: '{instruction.text}'")


HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {
        "sxtb16": _sxtb16,
        "sxtab16": _sxtab16,
        "sxtb": _extend(is_byte=True, is_signed=True),
        "uxtb": _extend(is_byte=True, is_signed=False),
        "sxth": _extend(is_byte=False, is_signed=True),
        "uxth": _extend(is_byte=False, is_signed=False),
        "sxtab": _extend_and_add(is_byte=True, is_signed=True),
        "uxtab": _extend_and_add(is_byte=True, is_signed=False),
        "sxtah": _extend_and_add(is_byte=False, is_signed=True),
        "uxtah": _extend_and_add(is_byte=False, is_signed=False),
        "pkhbt": _pkhbt,
        "pkhtb": _pkhtb,
        **dict.fromkeys(("sadd16", "qadd16"), _each_half(1)),
        **dict.fromkeys(("ssub16", "qsub16"), _each_half(-1)),
        "sbfx": _field(is_signed=True),
        "ubfx": _field(is_signed=False),
        "bfi": _insert,
    }
)
