"""The report in one sentence, and for each layer why its kernel computes it."""

from __future__ import annotations

from approx_plugin.report.data import Considered, FrontPoint, LayerRow, Report, points
from approx_plugin.report.detail import CostLimit


def verdict(report: Report) -> str:
    """What the network takes on the board, against what, and how accurate it is: one sentence."""
    chosen = report.chosen
    parts = [f"takes an estimated {1000 * chosen.cycles / report.clock_hz:.3f} ms ({chosen.cycles:,.0f} cycles)"]
    against = list(_against(report))
    if against:
        parts[0] += f", {' and '.join(against)}"
    parts.append(_accuracy(report))
    parts.append(_memory(report))
    return f"{report.network} on {report.board} {parts[0]}, {parts[1]}, and {parts[2]}."


def _against(report: Report) -> list[str]:
    cycles, found = report.chosen.cycles, []
    if report.library_cycles and cycles:
        found.append(f"{report.library_cycles / cycles:.2f} times as fast as exact CMSIS-NN")
    if _approximated(report) and report.exact.fits and cycles:
        found.append(f"{report.exact.cycles / cycles:.2f} times as fast as our exact kernels")
    return found


def _approximated(report: Report) -> bool:
    return any(layer.approximation for layer in report.layers)


def _accuracy(report: Report) -> str:
    accuracy = report.accuracy
    if not _approximated(report):
        searched = report.required is not None and report.target_met is not False
        why = " as no approximation that was measured saves cycles and keeps the target" if searched else ""
        return f"computes every layer exactly{why}{_missed(report)}"
    if accuracy.exact is None or accuracy.approximated is None:
        return f"has an accuracy that nobody has measured{_missed(report)}"
    figures = (
        f"{accuracy.approximated:.2f} % top-1 where the exact network has {accuracy.exact:.2f} % on "
        f"{accuracy.images:,} images that the search never saw"
    )
    if report.target_met is None:
        return f"has {figures}"
    return f"{'keeps' if report.target_met else 'MISSES'} the target ({report.target}) with {figures}"


def _missed(report: Report) -> str:
    """Of a network of which nothing else is said about the target."""
    if report.target_met is None or (report.target_met and not report.limits):
        return ""
    return f" and {'keeps' if report.target_met else 'MISSES'} the target ({report.target})"


def _memory(report: Report) -> str:
    memory = report.memory
    if memory.flash is None or memory.ram is None:
        return (
            f"needs an estimated {report.chosen.flash_bytes:,} B of flash for its layers and {memory.arena:,} B of RAM "
            "for its arena"
        )
    return f"needs {memory.flash:,} B of flash and {memory.ram:,} B of RAM with the application around it"


def reason(layer: LayerRow, report: Report) -> str:
    """Why a layer is computed by its kernel, from the prices of all that could."""
    if layer.step is None:
        return "only another view of its input: there is no code"
    if layer.step != layer.index:
        end = next(other.name for other in report.layers if other.index == layer.step)
        return f"computed together with {end}"
    taken = next((one for one in layer.considered if one.taken), None)
    rivals = [one for one in layer.considered if not one.taken]
    if taken is None:
        return f"the choice over the whole network took {layer.kernel} for several layers at once"
    if not rivals:
        return "the only kernel that can compute it"
    best = rivals[0]
    if taken.cycles <= best.cycles:
        return f"the quickest of {len(layer.considered)}: {best.kernel} would take {_rather(best, taken)}"
    would = f"{best.kernel} would take {_rather(best, taken)}{_price(best, taken)}"
    if report.preferred == taken.kernel:
        return f"{would}; approx.yaml asks for {taken.kernel} (`kernels: {{convolution: {taken.kernel}}}`)"
    return f"{would}; the choice over the whole network (`optimize: {report.optimize}`) took {taken.kernel}"


def _rather(one: Considered, other: Considered) -> str:
    """How many more or fewer cycles `one` takes."""
    if not other.cycles:
        return f"{one.cycles:,.0f} cycles"
    percent = 100.0 * (one.cycles - other.cycles) / other.cycles
    return f"{abs(percent):.1f} % {'more' if percent >= 0 else 'fewer'} cycles"


def _price(one: Considered, other: Considered) -> str:
    """What `one` needs beyond `other`."""
    more = [
        f"{mine - others:,} more bytes of {name}"
        for name, mine, others in (
            ("flash", one.flash_bytes, other.flash_bytes),
            ("scratch", one.scratch_bytes, other.scratch_bytes),
        )
        if mine > others
    ]
    return f", but {' and '.join(more)}" if more else " and no more memory"


def advice(report: Report) -> tuple[str, ...]:
    """What to try where nothing was approximated or the target is missed; empty where there is nothing to say."""
    found = []
    short = [limit for limit in report.limits if not limit.met]
    for limit in short:
        found.append(f"{limit.name}: {figure(limit.reached, limit)}, and {figure(limit.limit, limit)} are wanted")
    if short:
        found += [*_points(report), *report.remedies]
    if report.required is not None and not _approximated(report):
        found += _milder(report)
    return tuple(found)


def figure(value: float, limit: CostLimit) -> str:
    """`12,345 B`, `50.000 ms`."""
    return f"{value:,.3f} ms" if limit.unit == "ms" else f"{value:,.0f} {limit.unit}"


def _points(report: Report) -> list[str]:
    """The most accurate design that was measured and keeps to all costs."""
    measured = sorted((*report.front, *report.dominated), key=lambda p: (-p.accuracy, p.cycles, p.design))
    for point in measured:
        if all(_cost(point, limit, report) <= limit.limit for limit in report.limits):
            return [
                f"the design {point.title} of the front would keep to it: {point.accuracy:.2f} % on the exploration "
                f"images, {point.cycles:,.0f} cycles, {point.flash_bytes:,} B of flash, an arena of "
                f"{point.arena_bytes:,} B; a larger loss of accuracy in the target would allow it"
            ]
    return ["no design that was measured keeps to it"] if measured else []


def _cost(point: FrontPoint, limit: CostLimit, report: Report) -> float:
    costs = {
        "flash": float(point.flash_bytes),
        "RAM": float(point.arena_bytes),
        "cycles": point.cycles,
        "latency": 1000 * point.cycles / report.clock_hz,
    }
    return costs[limit.name]


def _milder(report: Report) -> list[str]:
    """What another accuracy, more images or more evaluations would do."""
    found = []
    measured = (*report.front, *report.dominated)
    cheaper = sorted(
        (p for p in measured if p.cycles < report.exact.cycles), key=lambda p: (-p.accuracy, p.cycles, p.design)
    )
    if cheaper:
        best = cheaper[0]
        found.append(
            f"the most accurate design that is quicker than exact, {best.title}, has {best.accuracy:.2f} % on the "
            f"exploration images and takes {best.cycles:,.0f} cycles: a target that allows it would take it"
        )
    else:
        found.append(
            "no design that was measured is quicker than the exact network with the kernels of this board: exact "
            "table kernels win where flash is slow or weights are few; `method: {name: reconstruction}` drops what "
            "they can profit from"
        )
    if report.looks and report.confidence is not None:
        found.append("more confirmation images show smaller losses, and `search: {confidence: point}` needs none")
    allowed = "" if report.allowed_drop is None else f" than {points(report.allowed_drop)}"
    found.append(f"more `search.evaluations` than {report.evaluations:,}, or a larger loss{allowed}, find more")
    return found
