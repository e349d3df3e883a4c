"""`approx_table_s8`: every operator that is a table of 256 results."""

from __future__ import annotations

from approx_plugin.kernels.costs.counting import Memories, Work
from approx_plugin.kernels.portable.call import RuntimeCall, Service, constant, counted
from approx_plugin.model.tensor import Int8Array
from approx_plugin.operators.table import Table


def look_up(symbol: str, table: Int8Array, count: int) -> RuntimeCall:
    """`count` results of a table (int8 [256], as `Table.table`)."""
    name = f"{symbol}_table"
    return RuntimeCall((f"approx_table_s8({name}, input, output, {count});",), (constant(name, table),), table.nbytes)


def looked_up(count: int) -> Work:
    """What that is."""
    return counted("runtime table", {"call": 1, "elements": count})


def call(operator: Table, symbol: str) -> RuntimeCall:
    """See `look_up`."""
    return look_up(symbol, operator.table, operator.output.elements)


def work(operator: Table, memories: Memories) -> Work:
    """One look-up an element."""
    return looked_up(operator.output.elements)


SERVICE = Service(Table, call, work)
