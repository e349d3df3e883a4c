"""Proves one step of a program from its machine code."""

from __future__ import annotations

from dataclasses import dataclass

from approx_plugin.kernels.needs import DTCM, RAM
from approx_plugin.kernels.program import Step
from approx_plugin.kernels.run import inputs_of
from approx_plugin.proof.expected import expected
from approx_plugin.proof.judge import Judge, Refuted
from approx_plugin.proof.linear import Symbols
from approx_plugin.proof.machine import Lost, Machine
from approx_plugin.proof.memory import Memory
from approx_plugin.proof.program import Code
from approx_plugin.proof.semantics import HANDLERS
from approx_plugin.proof.words import NotProvedError

PROVED, SAMPLED, REFUTED = "proved", "sampled", "refuted"

BUFFERS = 0x6000_0000
APART = 0x0100_0000
"""Where the step's buffers lie, and how far apart: nothing of a board is there."""

SEED = 1
PER_MAC, PER_BYTE, PER_CALL = 100, 2000, 100_000
"""Instructions after which a step is held to be lost."""


@dataclass(frozen=True)
class Proof:
    """verdict: PROVED for all inputs; SAMPLED: not proved, `why` says what stands in the way; REFUTED: `why` says where
    it computes something else. outputs, instructions: how many were judged, and executed.
    """

    name: str
    verdict: str
    why: str = ""
    outputs: int = 0
    instructions: int = 0


def prove(step: Step, code: Code, function: str) -> Proof:
    """function: the name of the step's function in the ELF."""
    name = step.last.name
    if len(step.operators) > 1:
        return Proof(name, SAMPLED, "it computes several operators")
    (operator,) = step.operators
    sources = inputs_of(step.operators)
    if len(sources) > 1:
        return Proof(name, SAMPLED, "it is no sum of products of one input")
    symbols = Symbols.draw(sources[0].elements, SEED)
    wanted = expected(operator, symbols)
    if wanted is None:
        return Proof(name, SAMPLED, f"{operator.kind} is no sum of products")
    if function not in code.functions:
        return Proof(name, SAMPLED, f"the program has no function {function}")
    memory = Memory(code.image)
    memory.place(BUFFERS, symbols.forms())
    buffers = [BUFFERS, BUFFERS + APART]
    scratch = [kind for kind in (RAM, DTCM) if step.cost.scratch.get(kind, 0)]
    buffers += [BUFFERS + (2 + number) * APART for number in range(len(scratch))]
    machine = Machine(memory, code.content, HANDLERS)
    elements = operator.output.elements
    limit = PER_CALL + PER_MAC * operator.macs + PER_BYTE * (sources[0].elements + elements)
    judge, number = Judge(wanted), 0
    try:
        machine.call(code.functions[function], BUFFERS + 5 * APART, buffers, limit)
        for number in range(elements):
            judge.output(number, memory.byte(buffers[1] + number))
    except NotProvedError as unknown:
        return Proof(name, SAMPLED, str(unknown), number, machine.executed)
    except Lost:
        return Proof(name, SAMPLED, f"it has not come back after {limit:,} instructions", 0, machine.executed)
    except Refuted as found:
        return Proof(name, REFUTED, f"output[{number}]: {found}", number, machine.executed)
    return Proof(name, PROVED, "", elements, machine.executed)
