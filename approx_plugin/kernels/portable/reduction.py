"""`approx_mean_s8`, `approx_reduce_max_s8`, `approx_reduce_min_s8`: MEAN, SUM, REDUCE_MAX, REDUCE_MIN over any axes."""

from __future__ import annotations

from collections.abc import Sequence

from approx_plugin.kernels.costs.counting import Memories, Work
from approx_plugin.kernels.portable.call import RuntimeCall, Service, counted, factor, structure
from approx_plugin.operators.reduction import Mean, ReduceMax, ReduceMin, Reduction

SPANS = 4
"""Kept axes, and reduced ones, of the runtime: enough for 8 axes, of which neighbours of a kind are one."""

LANES = 4
"""Results that the runtime makes together where they are neighbours in the input."""

Span = tuple[int, int]
"""Elements along an axis, and how far apart they lie."""


def spans_of(operator: Reduction) -> tuple[list[Span], list[Span]]:
    """The kept and the reduced axes, as few as possible, the innermost last."""
    shape = operator.inputs[0].own_shape
    merged: list[tuple[int, int, bool]] = []
    step = operator.inputs[0].elements
    for axis, extent in enumerate(shape):
        step //= extent
        reduced = axis in operator.axes
        if extent == 1:
            continue
        if merged and merged[-1][2] == reduced:
            merged[-1] = (merged[-1][0] * extent, step, reduced)
        else:
            merged.append((extent, step, reduced))
    kept, gone = ([(e, s) for e, s, reduced in merged if reduced == wanted] for wanted in (False, True))
    return kept, gone


def _shape(operator: Reduction, symbol: str) -> str:
    def listed(spans: Sequence[Span]) -> str:
        full = [(1, 0)] * (SPANS - len(spans)) + list(spans)
        return "{" + ", ".join(f"{{{count}, {stride}}}" for count, stride in full) + "}"

    kept, reduced = spans_of(operator)
    return structure("approx_reduction", f"{symbol}_shape", kept=listed(kept), reduced=listed(reduced))


def mean(operator: Mean, symbol: str) -> RuntimeCall:
    """`approx_mean_s8`, which is a sum with a factor."""
    parameters = structure(
        "approx_mean",
        f"{symbol}_mean",
        offset=-operator.inputs[0].zero_point,
        factor=factor(operator.multiplier),
        zero_point=operator.output.zero_point,
    )
    statement = f"approx_mean_s8(&{symbol}_shape, &{symbol}_mean, input, output);"
    return RuntimeCall((statement,), (_shape(operator, symbol), parameters), 16 * SPANS + 16)


def extremum(operator: ReduceMax, symbol: str) -> RuntimeCall:
    """`approx_reduce_max_s8` or `approx_reduce_min_s8`."""
    function = "approx_reduce_min_s8" if isinstance(operator, ReduceMin) else "approx_reduce_max_s8"
    return RuntimeCall((f"{function}(&{symbol}_shape, input, output);",), (_shape(operator, symbol),), 16 * SPANS)


def _counts(operator: Reduction) -> dict[str, float]:
    """results: how often what stands around the innermost loop runs; steps: how often that loop does."""
    kept, _ = spans_of(operator)
    count, stride = kept[-1] if kept else (1, 0)
    turns = count // LANES + count % LANES if stride == 1 else count
    results = operator.output.elements // count * turns
    return {"call": 1.0, "results": float(results), "steps": float(results * operator.count)}


def mean_work(operator: Mean, memories: Memories) -> Work:
    """See `_counts`."""
    return counted("runtime mean", _counts(operator))


def extremum_work(operator: ReduceMax, memories: Memories) -> Work:
    """See `_counts`."""
    return counted("runtime reduced extremum", _counts(operator))


MEAN = Service(Mean, mean, mean_work)
EXTREMUM = Service(ReduceMax, extremum, extremum_work)
