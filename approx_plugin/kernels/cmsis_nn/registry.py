"""Which operators CMSIS-NN serves.

To let the library serve a further operator: a file beside the others (TEMPLATE.py is one to copy) with the call and its
counts, and its `Service` in `_SERVICES`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from approx_plugin.kernels.cmsis_nn import add, conv2d, depthwise_conv2d, fully_connected, pad, pool2d, softmax
from approx_plugin.kernels.cmsis_nn.call import Service
from approx_plugin.model.operator import Operator
from approx_plugin.operators.binary import Binary
from approx_plugin.operators.selection import Selection
from approx_plugin.operators.transformed_conv2d import TransformedConv2D

_SERVICES: tuple[Service, ...] = (
    add.SERVICE,
    pool2d.AVERAGE,
    conv2d.SERVICE,
    depthwise_conv2d.SERVICE,
    fully_connected.SERVICE,
    pool2d.MAXIMUM,
    pad.SERVICE,
    softmax.SERVICE,
)

SERVICES: Mapping[str, Service] = MappingProxyType({service.kind: service for service in _SERVICES})
"""TFLite's name -> service."""


def service_of(operator: Operator) -> Service | None:
    """The service for an operator; None where the library has none for its kind, or for this form of it.

    Elementwise functions of the library want two activations of one shape; it pads rows and columns with zero points.
    What stays in Winograd's domain is a convolution by kind, but has no weights that the library could take.
    """
    if isinstance(operator, (Selection, TransformedConv2D)) or (
        isinstance(operator, Binary) and not operator.same_shapes
    ):
        return None
    return SERVICES.get(operator.kind)
