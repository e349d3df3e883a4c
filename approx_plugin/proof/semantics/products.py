"""Multiplications, and what requantisation does with their sums."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from approx_plugin.proof.decoding import Decoded
from approx_plugin.proof.expression import Expression
from approx_plugin.proof.linear import Form, Linear, plus, times
from approx_plugin.proof.machine import Handler, Machine, as_expression, form_behind
from approx_plugin.proof.semantics.common import (
    as_number,
    combined,
    flexible,
    put,
    set_flags,
    two_sources,
)
from approx_plugin.proof.words import (
    MASK,
    NotProvedError,
    Word,
    form_of,
    from_form,
    half,
    named,
    signed,
    written_halves,
)


def _product(one: Form | None, other: Form | None) -> Form:
    """Of two halves. What was never written may be multiplied by 0: table kernels fill up with it."""
    if one is None or other is None:
        if one == 0 or other == 0:
            return 0
        raise NotProvedError("it uses a halfword that was not written")
    if isinstance(one, int):
        return times(other, one)
    if isinstance(other, int):
        return one.times(other)
    raise NotProvedError("it multiplies data with data")


def _dual(crossed: bool, sign: int, accumulates: bool) -> Handler:
    """SMLAD, SMUAD and their kin."""

    def handler(machine: Machine, instruction: Decoded) -> None:
        operands = instruction.operands
        low_1, high_1 = written_halves(machine.value(operands[1]))
        low_2, high_2 = written_halves(machine.value(operands[2]))
        if crossed:
            low_2, high_2 = high_2, low_2
        found = plus(_product(low_1, low_2), times(_product(high_1, high_2), sign))
        if accumulates:
            found = plus(found, form_of(machine.value(operands[3])))
        machine.registers[operands[0].register] = from_form(found)

    return handler


def _single(first_upper: bool, second_upper: bool, accumulates: bool) -> Handler:
    """SMLABB, SMULTB and their kin."""

    def handler(machine: Machine, instruction: Decoded) -> None:
        operands = instruction.operands
        one = half(machine.value(operands[1]), first_upper)
        found = _product(one, half(machine.value(operands[2]), second_upper))
        if accumulates:
            found = plus(found, form_of(machine.value(operands[3])))
        machine.registers[operands[0].register] = from_form(found)

    return handler


def _multiply(machine: Machine, instruction: Decoded) -> None:
    first, second = two_sources(instruction)
    found = from_form(_product(form_of(machine.value(first)), form_of(machine.value(second))))
    if instruction.sets_flags:
        set_flags(machine, found)
    put(machine, instruction, found)


def _multiply_accumulate(sign: int) -> Handler:
    def handler(machine: Machine, instruction: Decoded) -> None:
        _, one, other, added = instruction.operands
        product = _product(form_of(machine.value(one)), form_of(machine.value(other)))
        put(machine, instruction, from_form(plus(form_of(machine.value(added)), times(product, sign))))

    return handler


def _high(rounds: bool, accumulates: bool) -> Handler:
    """SMMLA, SMMUL and their rounding forms."""

    def handler(machine: Machine, instruction: Decoded) -> None:
        operands = instruction.operands
        one, other = machine.value(operands[1]), machine.value(operands[2])
        added = machine.value(operands[3]) if accumulates else 0
        if isinstance(one, int) and not isinstance(other, int):
            one, other = other, one
        if isinstance(one, int) and isinstance(added, int):
            product = signed(one) * signed(as_number(other)) + (1 << 31 if rounds else 0)
            put(machine, instruction, ((product >> 32) + added) & MASK)
            return
        if isinstance(one, int):
            raise NotProvedError(f"'{instruction.text}' adds data to a constant")
        put(machine, instruction, combined("smmlar" if rounds else "smmla", one, as_number(other), added))

    return handler


def _long_product(is_signed: bool, accumulates: bool) -> Handler:
    def handler(machine: Machine, instruction: Decoded) -> None:
        low, high, first, second = instruction.operands
        one, other = machine.concrete(first), machine.concrete(second)
        found = signed(one) * signed(other) if is_signed else one * other
        if accumulates:
            found += machine.concrete(low) | machine.concrete(high) << 32
        machine.registers[low.register], machine.registers[high.register] = found & MASK, found >> 32 & MASK

    return handler


def _saturate(is_signed: bool) -> Handler:
    def handler(machine: Machine, instruction: Decoded) -> None:
        _, bits, source = instruction.operands
        value, width = flexible(machine, source), bits.number
        low, high = (-(1 << (width - 1)), (1 << (width - 1)) - 1) if is_signed else (0, (1 << width) - 1)
        if isinstance(value, int):
            put(machine, instruction, max(low, min(high, signed(value))) & MASK)
        elif isinstance(value, Linear) and low <= value.low and value.high <= high:
            put(machine, instruction, value)
        else:
            put(machine, instruction, _limited("ssat" if is_signed else "usat", value, width))

    return handler


def _limited(operation: str, value: Word, width: int) -> Expression:
    if not isinstance(value, (Linear, Expression)):
        raise NotProvedError(f"it saturates {named(value)}")
    return Expression(operation, (as_expression(value), width), form_behind(value))


def _halfword_products() -> dict[str, Handler]:
    found: dict[str, Handler] = {}
    for name, crossed, sign in (("ad", False, 1), ("adx", True, 1), ("sd", False, -1), ("sdx", True, -1)):
        found[f"smu{name}"] = _dual(crossed, sign, accumulates=False)
        found[f"sml{name}"] = _dual(crossed, sign, accumulates=True)
    for one in "bt":
        for other in "bt":
            found[f"smul{one}{other}"] = _single(one == "t", other == "t", accumulates=False)
            found[f"smla{one}{other}"] = _single(one == "t", other == "t", accumulates=True)
    return found


HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {
        **_halfword_products(),
        "mul": _multiply,
        "mla": _multiply_accumulate(1),
        "mls": _multiply_accumulate(-1),
        "smmul": _high(rounds=False, accumulates=False),
        "smmulr": _high(rounds=True, accumulates=False),
        "smmla": _high(rounds=False, accumulates=True),
        "smmlar": _high(rounds=True, accumulates=True),
        "smull": _long_product(is_signed=True, accumulates=False),
        "umull": _long_product(is_signed=False, accumulates=False),
        "smlal": _long_product(is_signed=True, accumulates=True),
        "umlal": _long_product(is_signed=False, accumulates=True),
        "ssat": _saturate(is_signed=True),
        "usat": _saturate(is_signed=False),
    }
)
