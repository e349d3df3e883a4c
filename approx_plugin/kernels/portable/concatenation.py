"""`approx_copy_rows_s8`: CONCATENATION and PACK, one copy an operand."""

from __future__ import annotations

import numpy as np

from approx_plugin.kernels.costs.counting import Memories, Work
from approx_plugin.kernels.portable.call import RuntimeCall, Service, constant, counted
from approx_plugin.operators.concatenation import Concatenation


def call(operator: Concatenation, symbol: str) -> RuntimeCall:
    """Each operand's rows go to their place in the output's rows."""
    pitch, rows = sum(operator.widths), operator.rows
    statements, definitions = [], []
    offset, given, bytes_ = 0, 0, 0
    for number, (width, values) in enumerate(zip(operator.widths, operator.constants)):
        if values is None:
            given += 1
            source = "input" if given == 1 else f"input_{given}"
        else:
            source = f"{symbol}_operand_{number}"
            definitions.append(constant(source, np.frombuffer(values, dtype=np.int8)))
            bytes_ += len(values)
        target = f"output + {offset}" if offset else "output"
        statements.append(f"approx_copy_rows_s8({source}, {width}, {target}, {pitch}, {width}, {rows});")
        offset += width
    return RuntimeCall(tuple(statements), tuple(definitions), bytes_)


def work(operator: Concatenation, memories: Memories) -> Work:
    """One copy a row of each operand."""
    parts = len(operator.widths)
    return counted("runtime copy", {"call": parts, "runs": parts * operator.rows, "bytes": operator.output.elements})


SERVICE = Service(Concatenation, call, work)
