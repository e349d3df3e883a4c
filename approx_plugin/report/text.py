"""The report as text, in the idiom that users of X-CUBE-AI know by heart."""

from __future__ import annotations

from collections.abc import Sequence

from approx_plugin.report.data import Accuracy, Border, LayerRow, Report

WIDTH = 118
BAR = 24


def render(report: Report) -> str:
    """The whole text, newline at the end."""
    parts = [
        _header(report),
        _accuracy(report),
        _layer_table(report.layers, report.cost_model),
        _complexity(report),
        _front(report),
        _remarks(report),
    ]
    return "\n".join(part for part in parts if part)


def kib(count: int | None) -> str:
    """`12,345 B (12.06 KiB)`, or a dash."""
    return "-" if count is None else f"{count:,} B ({count / 1024:.2f} KiB)"


def share(part: float, whole: float) -> str:
    """`-12.3 %` of a whole that has become `part`."""
    return f"{100.0 * (part - whole) / whole:+.1f} %" if whole else "0.0 %"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int]) -> list[str]:
    """Lines of a table; `right` names the columns that are set flush right."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    lines = [
        "  ".join(c.rjust(w) if i in right else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths))).rstrip()
        for row in [head, *rows]
    ]
    lines.insert(1, "-" * max(map(len, lines)))
    return lines


def _header(report: Report) -> str:
    memory = report.memory
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
        None,
        ("input 1/1", _border(report.input)),
        ("output 1/1", _border(report.output)),
        (
            "macc",
            f"{report.macs_exact:,} exact -> {report.macs_kept:,} kept ({share(report.macs_kept, report.macs_exact)}); "
            f"{report.macs_computed:,} are computed (weights of 0 are not in unpacked code)",
        ),
        ("activations (rw)", f"{kib(memory.arena)}, one arena, shared by lifetime"),
        ("ram (total)", _of(memory.ram, memory.ram_capacity)),
        ("flash (total)", _of(memory.flash, memory.flash_capacity)),
    ]
    rule = "-" * WIDTH
    lines = ["Approximate kernels: generation report", rule]
    lines += [rule if f is None else f" {f[0]:<17}:  {f[1]}" for f in fields]
    return "\n".join([*lines, rule, ""])


def _of(used: int | None, capacity: int) -> str:
    if used is None:
        return f"not linked (no compiler) / {kib(capacity)}"
    return f"{kib(used)} / {kib(capacity)} ({100.0 * used / capacity:.1f} % used)"


def _border(border: Border) -> str:
    shape = "x".join(map(str, border.shape))
    return (
        f"'{border.name}', int8({shape}), {border.size_bytes:,} B, QLinear({border.scale:.9g},{border.zero_point},int8)"
    )


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
    if report.accuracy.looks > 1:
        lines.append(f"{report.accuracy.looks} designs were tried on the {report.accuracy.set} images.")
    return "\n".join([*lines, ""])


def _interval(accuracy: Accuracy) -> str:
    if accuracy.interval is None:
        return ""
    low, high = accuracy.interval
    return f"[{low:+.2f}, {high:+.2f}] {accuracy.interval_method}".rstrip()


def _layer_table(layers: Sequence[LayerRow], cost_model: str) -> str:
    rows = [
        [
            str(layer.index),
            f"{layer.name} ({layer.op})",
            "x".join(map(str, layer.shape[1:])),
            f"{layer.parameter_bytes:,}",
            f"{layer.macs:,}",
            f"{layer.macs_kept:,}",
            share(layer.macs_kept, layer.macs) if layer.macs != layer.macs_kept else "",
            ", ".join(layer.inputs),
            layer.kernel,
            "-" if layer.flash_bytes is None else f"{layer.flash_bytes:,}",
            f"{layer.estimated_cycles:,.0f}",
        ]
        for layer in layers
    ]
    head = ["m_id", "layer (type)", "oshape", "param B", "macc", "macc kept", "skipped", "connected to", "kernel"]
    head += ["flash B", "est. cycles"]
    lines = table(head, rows, right=(0, 3, 4, 5, 6, 9, 10))
    lines.append(f"est. cycles: by a cost model that was fitted to {cost_model} (simulated); nothing was measured.")
    return "\n".join([*lines, ""])


def _complexity(report: Report) -> str:
    total_macs = max(report.macs_kept, 1)
    total_flash = max(sum(layer.flash_bytes or 0 for layer in report.layers), 1)
    rows = [
        [
            str(layer.index),
            layer.name,
            _bar(layer.macs_kept / total_macs),
            "-" if layer.flash_bytes is None else _bar(layer.flash_bytes / total_flash),
        ]
        for layer in report.layers
        if layer.macs_kept or layer.flash_bytes
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
            f"{point.accuracy:.2f} %",
            f"{point.macs_kept:,}",
            share(point.macs_kept, report.macs_exact),
            f"{point.cycles:,.0f}",
            f"{point.flash_bytes:,}",
            f"{point.ram_bytes:,}",
        ]
        for point in report.front
    ]
    head = ["", "accuracy", "macc kept", "skipped", "est. cycles", "est. flash B", "scratch B"]
    title = f"Pareto front ({len(rows)} points, measured on {report.exploration_accuracy.images:,} exploration images)"
    # Confirmation may take a design that is close to the front, but not on it.
    legend = "* taken" if any(p.chosen for p in report.front) else "The design that was taken is not on the front."
    return "\n".join([title, *table(head, rows, right=(1, 2, 3, 4, 5, 6)), legend, ""])


def _remarks(report: Report) -> str:
    notes = [f"{layer.name} stays with CMSIS-NN: {layer.note}" for layer in report.layers if layer.note]
    lines = [*report.remarks, *notes]
    return "\n".join(["Remarks", *(f"- {line}" for line in lines), ""]) if lines else ""
