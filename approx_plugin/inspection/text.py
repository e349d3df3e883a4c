"""The text that `inspect` prints about a network that is supported."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from approx_plugin.documents.wording import counted
from approx_plugin.inspection.columns import columns
from approx_plugin.inspection.fitting import Fit, smallest
from approx_plugin.kernels.borders import state_bytes
from approx_plugin.model.graph import Graph
from approx_plugin.model.tensor import Tensor


def network_text(graph: Graph, kernels: Sequence[Sequence[str]], fits: Sequence[Fit]) -> Iterator[str]:
    """Lines: totals, layers, boards. kernels: of `runs_on`."""
    parameters = sum(operator.parameter_bytes for operator in graph.operators)
    layers = counted(len(graph.operators), "layer")
    yield f"supported: {layers}, {graph.macs:,} MACs, {parameters:,} bytes of parameters"
    for way, tensors in (("in", graph.inputs), ("out", graph.outputs)):
        for place, tensor in enumerate(tensors, 1):
            yield f"{tensor.element} {way} {place}/{len(tensors)}: {_border(tensor)}"
    if graph.states:
        yield f"{counted(len(graph.states), 'state')} from one inference to the next: {state_bytes(graph):,} bytes"
    for name in graph.constant_outputs:
        yield f'output "{name}" is a constant: it is left out'
    yield ""
    rows = [
        (
            str(operator.index),
            operator.name,
            "x".join(map(str, operator.output.shape[1:])) or "1",
            f"{operator.macs:,}",
            f"{operator.parameter_bytes:,}",
            "view" if operator.is_alias else ", ".join(able),
        )
        for operator, able in zip(graph.operators, kernels)
    ]
    yield from columns(("#", "layer", "output", "MACs", "parameters", "kernels"), rows, "rllrrl")
    yield ""
    yield from columns(
        ("board", "core", "flash", "of", "RAM", "of", ""),
        [(fit.board.id, fit.board.core, *map("{:,}".format, _sizes(fit)), fit.verdict) for fit in fits],
        "llrrrrl",
    )
    yield "Flash and RAM of the network alone with the library's kernels, estimated; of: what is left beside the"
    yield "library's code, the application, stack, and input and output buffers. Unpacked kernels take more flash."
    best = smallest(fits)
    if best is None:
        yield f"No board holds it. Nearest is {nearest(fits).board.id}: {nearest(fits).verdict}."
    else:
        yield f"Smallest board that holds it: {best.board.id}."


def nearest(fits: Sequence[Fit]) -> Fit:
    """The board that lacks least."""
    return min(fits, key=lambda f: max(0, f.flash - f.flash_room) + max(0, f.ram - f.ram_room))


def _sizes(fit: Fit) -> tuple[int, int, int, int]:
    return fit.flash, max(fit.flash_room, 0), fit.ram, max(fit.ram_room, 0)


def _border(tensor: Tensor) -> str:
    shape = "x".join(map(str, tensor.shape if tensor.element == "int8" else tensor.shape[:-1]))
    return f'"{tensor.name}" {shape}, real = {tensor.scale:.6g} * (q - {tensor.zero_point})'
