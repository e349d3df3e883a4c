"""`approx_resize_bilinear_s8`: RESIZE_BILINEAR."""

from __future__ import annotations

from approx_plugin.kernels.c_lines import array
from approx_plugin.kernels.costs.counting import Memories, Work
from approx_plugin.kernels.portable.call import RuntimeCall, Service, counted, structure
from approx_plugin.model.tensor import Int32Array
from approx_plugin.operators.resize_bilinear import ResizeBilinear


def _places(name: str, places: Int32Array) -> str:
    texts = [f"{{{front}, {behind}, {weight}}}" for front, behind, weight in places.tolist()]
    return f"static const approx_place {name}[{len(texts)}] = {{\n{array(texts)}\n}};\n"


def call(operator: ResizeBilinear, symbol: str) -> RuntimeCall:
    """The places of rows and columns are constants."""
    maps, height, width, channels = operator.inputs[0].own_shape
    shape = structure(
        "approx_resize",
        f"{symbol}_shape",
        maps=maps,
        input_height=height,
        input_width=width,
        channels=channels,
        height=len(operator.rows),
        width=len(operator.columns),
    )
    rows, columns = f"{symbol}_rows", f"{symbol}_columns"
    return RuntimeCall(
        (f"approx_resize_bilinear_s8(&{symbol}_shape, {rows}, {columns}, input, output);",),
        (shape, _places(rows, operator.rows), _places(columns, operator.columns)),
        operator.rows.nbytes + operator.columns.nbytes + 24,
    )


def work(operator: ResizeBilinear, memories: Memories) -> Work:
    """Four products an element."""
    elements = operator.output.elements
    counts = {"call": 1, "pixels": elements // operator.output.own_shape[3], "elements": elements}
    return counted("runtime bilinear", counts)


SERVICE = Service(ResizeBilinear, call, work)
