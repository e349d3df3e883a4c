"""Sections of the text: who else could compute the layers and why they do not, and the arena's pieces."""

from __future__ import annotations

from approx_plugin.report.data import Report
from approx_plugin.report.layout import narrow_table, wrapped
from approx_plugin.report.verdict import figure, reason


def rivals(report: Report) -> str:
    """Cycles of every layer with the library, exact, and as generated; why it has its kernel."""
    fits = report.exact.fits
    rows = [
        [
            str(layer.index),
            layer.name,
            f"{layer.library_cycles:,.0f}",
            f"{layer.exact_cycles:,.0f}" if fits else "-",
            f"{layer.estimated_cycles:,.0f}",
        ]
        for layer in report.layers
    ]
    exact = f"{report.exact.cycles:,.0f}" if fits else "-"
    rows.append(["", "total", f"{report.library_cycles:,.0f}", exact, f"{report.chosen.cycles:,.0f}"])
    head = ["m_id", "est. cycles of", "CMSIS-NN", "our exact kernels", "generated"]
    lines = narrow_table(head, rows, right=(0, 2, 3, 4))
    lines += wrapped(
        "CMSIS-NN: the exact layer through the library, or the quickest kernel where it has no function for it. A step "
        "over several layers stands at its last one."
    )
    lines.append("Kernels:")
    for layer in report.layers:
        lines += wrapped(f"{layer.name}, {layer.kernel}: {reason(layer, report)}", "  ")
    return "\n".join([*lines, ""])


def arena(report: Report) -> str:
    """The buffers of the arena by the layers during which they live; nothing for a network without any."""
    rows = [
        [piece.name, piece.kind, f"{piece.offset:,}", f"{piece.size:,}", f"{piece.first} to {piece.last}"]
        for piece in report.arena
    ]
    if not rows:
        return ""
    head = ["arena: buffer", "kind", "offset", "bytes", "layers"]
    return "\n".join([*narrow_table(head, rows, right=(2, 3)), ""])


def limits(report: Report) -> str:
    """The costs that the target names, and what the network takes of them."""
    rows = [
        [limit.name, figure(limit.limit, limit), figure(limit.reached, limit), "kept" if limit.met else "NOT KEPT"]
        for limit in report.limits
    ]
    if not rows:
        return ""
    head = ["costs of the target (estimated)", "at most", "reached", ""]
    return "\n".join([*narrow_table(head, rows, right=(1, 2)), ""])
