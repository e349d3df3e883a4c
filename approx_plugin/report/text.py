"""The report as text, in the idiom that users of X-CUBE-AI know by heart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Callable

from approx_plugin.report.data import Accuracy, Border, Macs, Report, Tried, per_mac, points, title_of
from approx_plugin.report.layout import WIDTH, kib, narrow_table, number, share, table, wrapped
from approx_plugin.report.sections import arena, limits, rivals
from approx_plugin.report.verdict import advice, verdict

BAR = 24

DOES_NOT_FIT = "does not fit"


def render(report: Report) -> str:
    """The whole text, newline at the end. No line of a table is longer than `WIDTH`."""
    parts = [
        _header(report),
        _totals(report),
        limits(report),
        _accuracy(report),
        _layer_table(report),
        rivals(report),
        _products(report),
        _approximated(report),
        _complexity(report),
        arena(report),
        _front(report),
        _remarks(report),
    ]
    return "\n".join(part for part in parts if part)


def _header(report: Report) -> str:
    memory, macs = report.memory, report.macs
    fields = [
        ("model file", report.model_file),
        ("model hash", f"sha256 {report.model_sha256}"),
        ("network", report.network),
        ("board", f"{report.board} ({report.mcu}, {report.core}, {report.clock_hz / 1e6:g} MHz)"),
        ("method", report.method),
        ("target", report.target),
        ("CMSIS-NN", f"{report.cmsis_nn_provider}, {report.cmsis_nn_version}"),
        ("compiler", report.compiler),
        ("tool", f"approx-plugin {report.tool_version}"),
        *((use.set, f"{use.images:,} images of {use.file}, sha256 {use.sha256[:16]}...") for use in report.data),
        None,
        *_borders("input", (report.input, *report.more_inputs)),
        *_borders("output", (report.output, *report.more_outputs)),
        (
            "macc",
            f"{macs.exact:,} exact -> {macs.kept:,} kept ({share(macs.kept, macs.exact)}); {macs.computed:,} computed",
        ),
        ("activations (rw)", f"{kib(memory.arena)}, one arena, shared by lifetime"),
        ("ram (total)", _of(memory.ram, memory.ram_capacity)),
        ("flash (total)", _of(memory.flash, memory.flash_capacity)),
    ]
    rule = "-" * WIDTH
    lines = ["Approximate kernels: generation report", rule]
    lines += [rule if f is None else f" {f[0]:<17}:  {f[1]}" for f in fields]
    return "\n".join([*lines, rule, "", *wrapped(verdict(report)), ""])


def _of(used: int | None, capacity: int) -> str:
    if used is None:
        return f"not linked (no compiler) / {kib(capacity)}"
    return f"{kib(used)} / {kib(capacity)} ({100.0 * used / capacity:.1f} % used)"


def _borders(way: str, borders: Sequence[Border]) -> list[tuple[str, str]]:
    return [(f"{way} {number}/{len(borders)}", _border(border)) for number, border in enumerate(borders, 1)]


def _border(border: Border) -> str:
    kind = border.element
    shape = "x".join(map(str, border.shape if kind == "int8" else border.shape[:-1]))
    quantized = f"QLinear({border.scale:.9g},{border.zero_point},{kind})"
    return f"'{border.name}', {kind}({shape}), {border.size_bytes:,} B, {quantized}"


def _accuracy(report: Report) -> str:
    if report.accuracy.exact is None:
        return "Accuracy: not measured (the spec names no data).\n"
    rows = []
    for accuracy in (report.exploration_accuracy, report.accuracy):
        if accuracy.exact is not None and accuracy.approximated is not None:
            rows.append(
                [
                    accuracy.set,
                    f"{accuracy.images:,}",
                    f"{accuracy.exact:.2f} %",
                    f"{accuracy.approximated:.2f} %",
                    f"{accuracy.approximated - accuracy.exact:+.2f}",
                    _interval(accuracy),
                ]
            )
    head = ["accuracy (top-1) on", "images", "exact", "approximated", "points", "95 % interval of the difference"]
    lines = table(head, rows, right=(1, 2, 3, 4))
    looks = report.looks
    if looks:
        lines += wrapped(_looks(report, looks))
    return "\n".join([*lines, ""])


def _looks(report: Report, looks: Sequence[Tried]) -> str:
    """Which designs were tried on the confirmation images, and in which order."""
    several = "1 design was" if len(looks) == 1 else f"{len(looks)} designs were"
    unit = "+.2f" if report.allowed_drop is not None else ".2f"
    certain = ["" if x.bound is None else f" [{x.bound:{unit}} or better]" for x in looks]
    figures = [f"{title_of(x.design)} {x.accuracy:.2f} %" for x in looks]
    missed = ["" if x.met else " (missed)" for x in looks]
    tried = ", ".join(map("".join, zip(figures, certain, missed)))
    start = f"{several} tried on the {report.accuracy.set} images,"
    if report.confidence is None:
        return f"{start} the cheapest first, until one met the target: {tried}. The interval is that of a single look."
    return (
        f"{start} the mildest first, as long as they kept the target with {report.confidence:g} % confidence "
        f"(one-sided; in this order it holds however many are tried): {tried}."
    )


def _interval(accuracy: Accuracy) -> str:
    if accuracy.interval is None:
        return ""
    low, high = accuracy.interval
    return f"[{low:+.2f}, {high:+.2f}] {accuracy.interval_method}".rstrip()


def _totals(report: Report) -> str:
    exact, chosen, macs = report.exact, report.chosen, report.macs

    def row(name: str, figure: str, text: Callable[[float], str] = "{:,.0f}".format) -> list[str]:
        before, after, saved = getattr(exact, figure), getattr(chosen, figure), report.saved(figure)
        known = exact.fits or figure not in ("cycles", "macs_computed")
        less = "" if saved is None else f"{text(saved)} ({share(after, before)})"
        return [name, text(before) if known else DOES_NOT_FIT, text(after), less]

    def time(cycles: float) -> str:
        return f"{1000 * cycles / report.clock_hz:.3f}"

    def ratio(cycles: float) -> str:
        return number(per_mac(cycles, macs.exact))

    rows = [
        row("est. cycles", "cycles"),
        row("est. cycles/MAC", "cycles", ratio),
        row("est. ms", "cycles", time),
        row("MACs computed", "macs_computed"),
        row("est. flash of the steps, B", "flash_bytes"),
        row("activations (arena), B", "arena_bytes"),
    ]
    lines = table(["totals of one inference", "exact", "generated", "saved"], rows, right=(1, 2, 3))
    lines += wrapped(
        f"exact: the exact network with the same choice of kernels on this board. cycles: {report.cycles_origin}. "
        f"cycles/MAC: for each MAC of the exact network. flash: code and constants, estimated; there are "
        f"{report.flash_budget:,} B for them and {report.ram_budget:,} B of RAM for the arena. Kernels were chosen by "
        f"`optimize: {report.optimize}`."
    )
    return "\n".join([*lines, ""])


def _layer_table(report: Report) -> str:
    rows = [
        [
            str(layer.index),
            f"{layer.name} ({layer.op})",
            "x".join(map(str, layer.shape[1:])),
            f"{layer.parameter_bytes:,}",
            ", ".join(layer.inputs),
            layer.kernel,
            "-" if layer.flash_bytes is None else f"{layer.flash_bytes:,}",
            f"{layer.estimated_cycles:,.0f}",
            number(per_mac(layer.estimated_cycles, layer.macs.exact)),
        ]
        for layer in report.layers
    ]
    cycles = report.chosen.cycles
    flash = [layer.flash_bytes for layer in report.layers]
    linked = "-" if None in flash else f"{sum(size or 0 for size in flash):,}"
    rows.append(["", "total", "", "", "", "", linked, f"{cycles:,.0f}", number(per_mac(cycles, report.macs.exact))])
    head = ["m_id", "layer (type)", "oshape", "param B", "connected to", "kernel", "flash B", "est. cycles", "c/MAC"]
    lines = narrow_table(head, rows, right=(0, 3, 6, 7, 8))
    lines += wrapped(
        "flash: code and constants of the layer alone in the linked program; what layers share (library, run time) is "
        "not in it. c/MAC: est. cycles for each MAC of the exact layer."
    )
    return "\n".join([*lines, ""])


def _products(report: Report) -> str:
    def counts(macs: Macs) -> list[str]:
        spared = [macs.spared] if report.macs.spared else []
        figures = [macs.exact, macs.skipped, macs.kept, macs.zero, macs.constant, *spared, macs.computed]
        skipped = share(macs.kept, macs.exact) if macs.skipped else ""
        return [*(f"{figure:,}" for figure in figures[:2]), skipped, *(f"{figure:,}" for figure in figures[2:])]

    rows = [[str(layer.index), layer.name, *counts(layer.macs)] for layer in report.layers if layer.macs.exact]
    rows.append(["", "total", *counts(report.macs)])
    spared = ["- spared"] if report.macs.spared else []
    head = ["m_id", "layer", "macc", "- skipped", "", "= kept", "- weights of 0", "- constant", *spared, "= computed"]
    right = (0, *range(2, len(head)))
    lines = ["Products (multiply-accumulates of one inference)", *narrow_table(head, rows, right=right)]
    more = " spared: an algorithm with fewer products (Winograd's) has none of their own for them." if spared else ""
    lines += wrapped(
        "skipped: by approximation. weights of 0: of the exact network; unpacked code is without them, the library "
        "multiplies them. constant: of output channels that put out the same for every input; unpacked code does not "
        f"compute them.{more}"
    )
    return "\n".join([*lines, ""])


def _approximated(report: Report) -> str:
    rows = [
        [
            str(layer.index),
            layer.name,
            f"{made.level:g}",
            f"{made.products_dropped:,} of {made.products:,}",
            f"{100 * made.share:.1f} %",
            f"{made.groups_dropped:,} of {made.groups_all:,} {made.groups}",
            layer.variant,
        ]
        for layer in report.layers
        for made in [layer.approximation]
        if made is not None
    ]
    if not rows:
        return ""
    head = ["m_id", "approximated", "level", "weights dropped", "", "groups dropped", "plan of the kernel"]
    return "\n".join([*narrow_table(head, rows, right=(0, 2, 3, 4)), ""])


def _complexity(report: Report) -> str:
    total_macs = max(report.macs.kept, 1)
    total_flash = max(sum(layer.flash_bytes or 0 for layer in report.layers), 1)
    rows = [
        [
            str(layer.index),
            layer.name,
            _bar(layer.macs.kept / total_macs),
            "-" if layer.flash_bytes is None else _bar(layer.flash_bytes / total_flash),
        ]
        for layer in report.layers
        if layer.macs.kept or layer.flash_bytes
    ]
    lines = ["Complexity report (model)", *table(["m_id", "name", "c_macc (kept)", "c_rom (flash)"], rows, right=(0,))]
    return "\n".join([*lines, ""])


def _bar(part: float) -> str:
    return f"{'|' * round(part * BAR):<{BAR}} {100 * part:5.1f} %"


def _front(report: Report) -> str:
    if not report.front:
        return ""
    rows = [
        [
            "*" if point.chosen else "",
            point.title,
            f"{point.accuracy:.2f} %",
            "[{:+.2f}, {:+.2f}]".format(*point.interval) if point.interval else "",
            f"{point.macs_kept:,}",
            share(point.macs_kept, report.macs.exact),
            f"{point.cycles:,.0f}",
            f"{point.flash_bytes:,}",
            f"{point.arena_bytes:,}",
            "" if point.on_front else "not on the front",
        ]
        for point in report.front
    ]
    head = [
        "",
        "design",
        "accuracy",
        "to exact, 95 %",
        "macc kept",
        "skipped",
        "est. cycles",
        "est. flash B",
        "arena B",
        "",
    ]
    count = points(sum(point.on_front for point in report.front))
    title = f"Pareto front ({count} of {report.evaluations:,} designs that were measured"
    title += f", on {report.exploration_accuracy.images:,} exploration images)"
    legend = "* generated; designs are numbered in the order of measurement"
    asked = [f"the target asks for {report.required:.2f} % on them"] if report.required is not None else []
    recipes = [
        line
        for point in report.front
        if point.recipe
        for line in wrapped(f"{point.title}: {', '.join(f'{name} at {level:g}' for name, level in point.recipe)}", "  ")
    ]
    return "\n".join([title, *narrow_table(head, rows, right=(2, 3, 4, 5, 6, 7, 8)), legend, *asked, *recipes, ""])


def _remarks(report: Report) -> str:
    notes = [f"{layer.name} ({layer.kernel}): {layer.note}" for layer in report.layers if layer.note]
    lines = [line for text in (*report.remarks, *advice(report), *notes) for line in wrapped(f"- {text}", "  ")]
    return "\n".join(["Remarks", *lines, ""]) if lines else ""
