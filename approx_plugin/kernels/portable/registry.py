"""Which operators the runtime serves.

To let it serve a further operator:
1. Write the C function: `Middlewares/Approx/Src/approx_<function>.c`, declared in `Inc/approx_operators.h`.
2. Write a file beside this one with the call, its counts, and the `Service` (`table.py` is the shortest example).
3. Give the counts coefficients in `assumed.py`, and add the service to `_SERVICES` below.
4. Let the laboratory draw it: `FORMS` in `laboratory/runtime_layers.py`.
"""

from __future__ import annotations

from approx_plugin.kernels.portable import (
    batch_matmul,
    concatenation,
    elementwise,
    recurrent,
    reduction,
    resize,
    rows,
    select,
    table,
    transpose_conv,
    wide,
)
from approx_plugin.kernels.portable.call import Service
from approx_plugin.model.operator import Operator

_SERVICES: tuple[Service, ...] = (
    batch_matmul.SERVICE,
    concatenation.SERVICE,
    *elementwise.SERVICES,
    *recurrent.SERVICES,
    reduction.EXTREMUM,
    reduction.MEAN,
    resize.SERVICE,
    *rows.SERVICES,
    select.SERVICE,
    table.SERVICE,
    transpose_conv.SERVICE,
    *wide.SERVICES,
)


def serves(operator: type[Operator]) -> bool:
    """Whether there is a service for a class of operators."""
    return any(issubclass(operator, service.operator) for service in _SERVICES)


def service_of(operator: Operator) -> Service | None:
    """The first service for the operator's class, None if there is none."""
    return next((service for service in _SERVICES if isinstance(operator, service.operator)), None)
