"""A report as plain values: `report.json`."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

from approx_plugin.report.data import Border, LayerRow, Macs, Report, Totals, per_mac
from approx_plugin.report.verdict import advice, reason, verdict

FORMAT = 2
"""Version of report.json; it grows when a field changes its meaning or goes."""


def as_json(report: Report) -> dict[str, Any]:
    """report.json's content: plain dicts, lists, strings and numbers."""
    return {
        "format": FORMAT,
        "verdict": verdict(report),
        "network": report.network,
        "model": {"file": report.model_file, "sha256": report.model_sha256},
        "board": report.board,
        "mcu": report.mcu,
        "core": report.core,
        "clock_hz": report.clock_hz,
        "method": report.method,
        "target": report.target,
        "cmsis_nn": {"provider": report.cmsis_nn_provider, "version": report.cmsis_nn_version},
        "tool": {"version": report.tool_version, "compiler": report.compiler, "cost_model": report.cost_model},
        "input": _border(report.input),
        "output": _border(report.output),
        "inputs": [_border(border) for border in (report.input, *report.more_inputs)],
        "outputs": [_border(border) for border in (report.output, *report.more_outputs)],
        "accuracy": asdict(report.accuracy),
        "exploration_accuracy": asdict(report.exploration_accuracy),
        "macs": _macs(report.macs),
        "totals": {
            "origin": report.cycles_origin,
            "exact": _totals(report, report.exact),
            "chosen": _totals(report, report.chosen),
            "saved": {f.name: report.saved(f.name) for f in fields(Totals) if f.name != "shortages"},
            "optimize": report.optimize,
            "flash_budget": report.flash_budget,
            "ram_budget": report.ram_budget,
        },
        "ram_bytes": report.memory.ram,
        "flash_bytes": report.memory.flash,
        "memory": asdict(report.memory),
        "library_cycles": report.library_cycles,
        "arena": [asdict(piece) for piece in report.arena],
        "layers": [{**_layer(layer), "reason": reason(layer, report)} for layer in report.layers],
        "data": [asdict(use) for use in report.data],
        "design": {
            "evaluations": report.evaluations,
            "seed": report.seed,
            "confidence": report.confidence,
            "required": report.required,
            "target_met": report.target_met,
            "looks": [asdict(look) for look in report.looks],
        },
        "front": [{"title": point.title, **asdict(point)} for point in report.front],
        "dominated": [{"title": point.title, **asdict(point)} for point in report.dominated],
        "limits": [{**asdict(limit), "met": limit.met} for limit in report.limits],
        "advice": list(advice(report)),
        "remarks": list(report.remarks),
    }


def _border(border: Border) -> dict[str, Any]:
    return {**asdict(border), "size_bytes": border.size_bytes}


def _macs(macs: Macs) -> dict[str, int]:
    return {**asdict(macs), "kept": macs.kept}


def _totals(report: Report, totals: Totals) -> dict[str, Any]:
    return {**asdict(totals), "fits": totals.fits, "cycles_per_mac": per_mac(totals.cycles, report.macs.exact)}


def _layer(layer: LayerRow) -> dict[str, Any]:
    made = {key: value for key, value in asdict(layer).items() if key != "macs"}
    counted = {f"macs_{name}" if name != "exact" else "macs": count for name, count in _macs(layer.macs).items()}
    if layer.approximation:
        made["approximation"]["share"] = layer.approximation.share
    return {**made, **counted, "cycles_per_mac": per_mac(layer.estimated_cycles, layer.macs.exact)}
