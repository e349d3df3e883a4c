"""A core that executes a function with symbols in the place of its data: registers, flags, control flow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from approx_plugin.proof.decoding import ALWAYS, Decoded, Operand, decode
from approx_plugin.proof.expression import Expression
from approx_plugin.proof.linear import Linear
from approx_plugin.proof.memory import NOTHING, Memory
from approx_plugin.proof.words import MASK, NotProvedError, Word, signed

SP, LR, PC = 13, 14, 15
SINGLES = 16
RETURN = 0xFFFF_FFFE
"""Where a function returns to that was called from outside."""

Handler = Callable[["Machine", Decoded], None]

CONDITIONS: Mapping[str, Callable[[int, int, int, int], bool]] = {
    "eq": lambda n, z, c, v: bool(z),
    "ne": lambda n, z, c, v: not z,
    "hs": lambda n, z, c, v: bool(c),
    "lo": lambda n, z, c, v: not c,
    "mi": lambda n, z, c, v: bool(n),
    "pl": lambda n, z, c, v: not n,
    "vs": lambda n, z, c, v: bool(v),
    "vc": lambda n, z, c, v: not v,
    "hi": lambda n, z, c, v: bool(c and not z),
    "ls": lambda n, z, c, v: not (c and not z),
    "ge": lambda n, z, c, v: n == v,
    "lt": lambda n, z, c, v: n != v,
    "gt": lambda n, z, c, v: not z and n == v,
    "le": lambda n, z, c, v: bool(z or n != v),
}


class Lost(Exception):  # noqa: N818 (a finding)
    """The function has not come back after so many instructions."""


class Machine:
    """Registers r0 to r15 and s0 to s31, flags, a memory. Not for more than one call."""

    def __init__(self, memory: Memory, content: Callable[[int], bytes], handlers: Mapping[str, Handler]) -> None:
        """content: the program's bytes from an address on; handlers: what instructions do, by name."""
        self.memory = memory
        self.registers: list[Word] = [NOTHING] * (SINGLES + 32)
        self.flags: tuple[int, int, int, int] | None = (0, 0, 0, 0)
        self.compared: tuple[Word, int] | None = None
        self.executed = 0
        self._content = content
        self._handlers = handlers
        self._code: dict[int, tuple[Decoded, Handler]] = {}

    def call(self, entry: int, stack: int, arguments: Sequence[int], limit: int) -> None:
        """Run a function until it returns. Raises NotProvedError, and Lost after `limit` instructions."""
        self.registers[: len(arguments)] = arguments[:4]
        for number, argument in enumerate(arguments[4:]):
            self.memory.store_word(stack + 4 * number, argument)
        self.registers[SP], self.registers[LR] = stack, RETURN
        code, registers = self._code, self.registers
        place = entry & ~1
        while place != RETURN:
            found = code.get(place)
            if found is None:
                self._decode(place)
                found = code[place]
            instruction, handler = found
            self.executed += 1
            if self.executed > limit:
                raise Lost
            following = place + instruction.size
            registers[PC] = following
            if instruction.condition == ALWAYS:
                handler(self, instruction)
            else:
                self._conditional(instruction, handler)
            reached = registers[PC]
            if not isinstance(reached, int):
                raise NotProvedError(f"'{instruction.text}' goes where the data lead it")
            place = reached & ~1

    def _decode(self, place: int) -> None:
        for one in decode(self._content(place), place):
            if one.address not in self._code:
                self._code[one.address] = one, self._handlers.get(one.name, _unknown)

    def _conditional(self, instruction: Decoded, handler: Handler) -> None:
        if self.flags is not None:
            if CONDITIONS[instruction.condition](*self.flags):
                handler(self, instruction)
            return
        self._limit(instruction)

    def _limit(self, instruction: Decoded) -> None:
        """Where the data decide: the one form that requantisation takes, `if value < limit: value = limit`."""
        if self.compared is None:
            raise NotProvedError(f"'{instruction.text}' depends on the data")
        value, limit = self.compared
        target = instruction.operands[0].register if instruction.operands else -1
        which = {"lt": "max", "le": "max", "gt": "min", "ge": "min"}.get(instruction.condition)
        constant = instruction.operands[-1].number if instruction.operands else None
        if instruction.name == "mvn" and constant is not None:
            constant = ~constant
        if (
            instruction.name not in ("mov", "mvn")
            or which is None
            or target < 0
            or self.registers[target] is not value
            or instruction.operands[-1].register >= 0
            or signed(constant or 0) != limit
            or not isinstance(value, (Expression, Linear))
        ):
            raise NotProvedError(f"'{instruction.text}' depends on the data")
        self.registers[target] = Expression(which, (as_expression(value), limit), form_behind(value))

    def value(self, operand: Operand) -> Word:
        """A register, or an immediate, without its shift."""
        if operand.register < 0:
            return operand.number & MASK
        if operand.register == PC:
            # The instruction's address + 4, aligned; registers[PC] holds the one of the next instruction.
            raise NotProvedError("it computes with the program counter")
        return self.registers[operand.register]

    def concrete(self, operand: Operand) -> int:
        """A number. Raises NotProvedError for data."""
        found = self.value(operand)
        if not isinstance(found, int):
            raise NotProvedError("an address or a count depends on the data")
        return found

    def address(self, instruction: Decoded, operand: Operand) -> int:
        """Of a load or store; the base moves if it does."""
        place = operand.place
        assert place is not None
        base = (instruction.address + 4) & ~3 if place.base == PC else self._number(place.base)
        offset = place.displacement
        if place.offset >= 0:
            offset += self._number(place.offset) << place.shift
        if not instruction.post_indexed:
            address = (base + offset) & MASK
            if instruction.writes_back:
                self.registers[place.base] = address
            return address
        further = instruction.operands[-1]
        step = further.number if further.register < 0 else self._number(further.register)
        self.registers[place.base] = (base + step) & MASK
        return base

    def _number(self, register: int) -> int:
        found = self.registers[register]
        if not isinstance(found, int):
            raise NotProvedError("an address depends on the data")
        return found


def _unknown(machine: Machine, instruction: Decoded) -> None:
    raise NotProvedError(f"the proof does not know '{instruction.text}'")


def as_expression(value: Expression | Linear) -> Expression:
    """A form as a function of itself."""
    return value if isinstance(value, Expression) else Expression("x", (), value)


def form_behind(value: Expression | Linear) -> Linear:
    """The form that it is a function of."""
    return value.form if isinstance(value, Expression) else value
