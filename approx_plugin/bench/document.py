"""A bench as plain values: `bench.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from approx_plugin.bench.published import Published
from approx_plugin.bench.results import Bench, BoardResult, LayerResult, Top1, VariantResult
from approx_plugin.bench.text import references_of
from approx_plugin.laboratory.figures import Figures
from approx_plugin.report.data import per_mac
from approx_plugin.virtual_board.results import Stalls

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


def from_json(content: Any) -> Bench:
    """The bench that a document of this FORMAT describes; derived figures in it are not read.

    KeyError, TypeError, ValueError: it is not such a document.
    """
    if content["format"] != FORMAT:
        raise ValueError(f"its format is {content['format']}, but has to be {FORMAT}")
    model, library, tool = content["model"], content["cmsis_nn"], content["tool"]
    return Bench(
        content["network"],
        model["file"],
        model["sha256"],
        int(content["macs"]),
        library["provider"],
        library["version"],
        bool(library["is_baseline"]),
        tool["compiler"],
        tool["version"],
        tuple((str(name), str(title)) for name, title in content["variants"].items()),
        tuple(_board_of(board) for board in content["boards"]),
    )


def _board_of(board: Mapping[str, Any]) -> BoardResult:
    plain = {key: board[key] for key in ("board", "name", "mcu", "core", "clock_hz", "model_error")}
    variants = tuple(_variant_of(name, variant) for name, variant in board["variants"].items())
    return BoardResult(**plain, variants=variants, missing=tuple(board["missing"].items()))


def _variant_of(name: str, variant: Mapping[str, Any]) -> VariantResult:
    sizes = ("flash_bytes", "ram_bytes", "arena_bytes", "stack_bytes", "printed_cycles")
    return VariantResult(
        variant=name,
        layers=tuple(_layer_of(layer) for layer in variant["layers"]),
        top1=Top1(**variant["top1"]) if variant["top1"] else None,
        **{key: variant[key] for key in (*sizes, "design", "estimated_cycles")},
    )


def _layer_of(layer: Mapping[str, Any]) -> LayerResult:
    keys = ("index", "name", "op", "kernel", "macs", "macs_computed", "flash_bytes", "scratch_bytes")
    return LayerResult(**{key: layer[key] for key in keys}, figures=_figures_of(layer))


def _figures_of(values: Mapping[str, Any]) -> Figures:
    cycles, ideal, instructions = (int(values[key]) for key in ("cycles", "ideal_cycles", "instructions"))
    return Figures(cycles, ideal, instructions, Stalls(**values["stalls"]))


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
