"""A bench as plain values: `bench.json`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from approx_plugin.bench.published import Published
from approx_plugin.bench.results import Bench, BoardResult, VariantResult
from approx_plugin.bench.text import references_of
from approx_plugin.laboratory.figures import Figures
from approx_plugin.report.data import per_mac

FORMAT = 3
"""Version of bench.json; it grows when a field changes its meaning or goes."""


def json_text(bench: Bench, published: Published) -> str:
    """The content of bench.json."""
    return json.dumps(as_json(bench, published), indent=2, ensure_ascii=False) + "\n"


def as_json(bench: Bench, published: Published) -> dict[str, Any]:
    """Plain dicts, lists, strings and numbers. Derived figures (per MAC, milliseconds, speed-up) are in it too."""
    return {
        "format": FORMAT,
        "cycles": "simulated",
        "network": bench.network,
        "model": {"file": bench.model_file, "sha256": bench.model_sha256},
        "macs": bench.macs,
        "cmsis_nn": {
            "provider": bench.cmsis_nn_provider,
            "version": bench.cmsis_nn_version,
            "is_baseline": bench.is_baseline,
        },
        "tool": {"version": bench.tool_version, "compiler": bench.compiler},
        "variants": dict(bench.variants),
        "published_source": published.source,
        "boards": [_board(bench, board, published) for board in bench.boards],
    }


def _board(bench: Bench, board: BoardResult, published: Published) -> dict[str, Any]:
    references = references_of(bench, board, published)
    return {
        "board": board.board,
        "name": board.name,
        "mcu": board.mcu,
        "core": board.core,
        "clock_hz": board.clock_hz,
        "model_error": board.model_error,
        "variants": {variant.variant: _variant(bench, board, variant) for variant in board.variants},
        "missing": dict(board.missing),
        "notes": list(board.notes),
        "published": [{"engine": r.engine, "cycles_per_mac": [r.low, r.high]} for r in references],
    }


def _variant(bench: Bench, board: BoardResult, variant: VariantResult) -> dict[str, Any]:
    def derived(figures: Figures, macs: int, layer: int | None) -> dict[str, Any]:
        return {
            **asdict(figures),
            "milliseconds": board.milliseconds(figures.cycles),
            "cycles_per_mac": per_mac(figures.cycles, macs),
            "speedup": bench.speedup(board, variant, layer),
        }

    return {
        "total": derived(variant.total, bench.macs, None),
        "design": variant.design,
        "estimated_cycles": variant.estimated_cycles,
        "macs_computed": variant.macs_computed,
        "printed_cycles": variant.printed_cycles,
        "flash_bytes": variant.flash_bytes,
        "ram_bytes": variant.ram_bytes,
        "arena_bytes": variant.arena_bytes,
        "stack_bytes": variant.stack_bytes,
        "top1": asdict(variant.top1) if variant.top1 else None,
        "layers": [
            {
                "index": layer.index,
                "name": layer.name,
                "op": layer.op,
                "kernel": layer.kernel,
                "macs": layer.macs,
                "macs_computed": layer.macs_computed,
                "flash_bytes": layer.flash_bytes,
                "scratch_bytes": layer.scratch_bytes,
                **derived(layer.figures, layer.macs, layer.index),
            }
            for layer in variant.layers
        ],
    }
