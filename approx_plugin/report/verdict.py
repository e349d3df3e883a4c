"""The report in one sentence, and for each layer why its kernel computes it."""

from __future__ import annotations

from approx_plugin.report.data import Considered, LayerRow, Report, points


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
        asked = report.target_met is not None
        why = " as no approximation that was measured saves cycles and keeps the target" if asked else ""
        missed = " (which misses the target)" if report.target_met is False else ""
        return f"computes every layer exactly{why}{missed}"
    if accuracy.exact is None or accuracy.approximated is None:
        return "has an accuracy that nobody has measured"
    figures = (
        f"{accuracy.approximated:.2f} % top-1 where the exact network has {accuracy.exact:.2f} % on "
        f"{accuracy.images:,} images that the search never saw"
    )
    if report.target_met is None:
        return f"has {figures}"
    return f"{'keeps' if report.target_met else 'MISSES'} the target ({report.target}) with {figures}"


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
    if report.target_met is not None and not _approximated(report):
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
    return tuple(found)
