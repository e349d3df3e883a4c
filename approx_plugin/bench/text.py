"""A bench as text, in the idiom of the generation report."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import fields

from approx_plugin.bench.published import Published, Reference
from approx_plugin.bench.results import BASELINE, Bench, BoardResult, VariantResult
from approx_plugin.laboratory.figures import Figures
from approx_plugin.report.data import per_mac
from approx_plugin.report.layout import WIDTH, number, table
from approx_plugin.virtual_board.results import Stalls

STALLS = tuple(field.name for field in fields(Stalls))

NO_BASELINE = (
    "WARNING: no CMSIS-NN was given, and the portable subset in its place is NO BASELINE. No speed-up is claimed.",
    "         Give the directory of a CMSIS-NN: CMSIS_NN_PATH, or cmsis_nn: in approx.yaml.",
)


def render(bench: Bench, published: Published, details: bool = True) -> str:
    """The whole text, newline at the end. details: the tables by layer, too."""
    parts = [_header(bench), _summary(bench), _where(bench)]
    references = _references(bench, published)
    parts += [references] if references else []
    if details:
        for board in bench.boards:
            parts += [_layers(bench, board), *(_layer_stalls(bench, board, variant) for variant in board.variants)]
    return "\n".join("\n".join([*part, ""]) for part in parts)


def _header(bench: Bench) -> list[str]:
    rule = "-" * WIDTH
    lines = ["Approximate kernels: bench. All cycles and milliseconds are SIMULATED, no board was attached.", rule]
    entries = [
        ("model file", bench.model_file),
        ("model hash", f"sha256 {bench.model_sha256}"),
        ("network", bench.network),
        ("macc", f"{bench.macs:,} (of the exact network; cycles/MAC refer to them in every variant)"),
        ("CMSIS-NN", f"{bench.cmsis_nn_provider}, {bench.cmsis_nn_version}"),
        ("compiler", f"{bench.compiler}, Release configuration"),
        ("tool", f"approx-plugin {bench.tool_version}"),
    ]
    lines += [f" {name:<17}:  {text}" for name, text in entries]
    cores = {board.core: board.model_error for board in bench.boards}
    for core, error in cores.items():
        first, *more = textwrap.wrap(error, WIDTH - 22)
        lines += [f" {'model, ' + core:<17}:  {first}", *(" " * 22 + line for line in more)]
    lines.append(rule)
    return lines if bench.is_baseline else [*NO_BASELINE, "", *lines, *NO_BASELINE]


def titles(bench: Bench) -> Mapping[str, str]:
    """Variant -> what it is called; without a CMSIS-NN the first one does not bear its name."""
    named = dict(bench.variants)
    if not bench.is_baseline and BASELINE in named:
        named[BASELINE] = "exact, portable subset (NO BASELINE)"
    return named


def _summary(bench: Bench) -> list[str]:
    rows = []
    for board, variant in _results(bench):
        total = variant.total
        rows.append(
            [
                f"{board.name}, {board.clock_hz / 1e6:g} MHz",
                titles(bench)[variant.variant],
                f"{total.cycles:,}",
                number(per_mac(total.cycles, bench.macs)),
                f"{board.milliseconds(total.cycles):.3f}",
                times(bench.speedup(board, variant)),
                f"{variant.flash_bytes:,}",
                f"{variant.ram_bytes:,}",
                f"{variant.stack_bytes:,}",
            ]
        )
    head = ["board", "variant", "cycles (sim.)", "cycles/MAC", "ms (sim.)", "speed-up", "flash B", "RAM B", "stack B"]
    lines = ["Summary", *table(head, rows, right=(2, 3, 4, 5, 6, 7, 8))]
    lines.append(
        "cycles, ms: simulated on the model of that board; speed-up: against exact CMSIS-NN on the same model;"
    )
    lines.append("flash, RAM: of the whole linked firmware; stack: its deepest.")
    for board in bench.boards:
        for note in board.notes:
            lines += textwrap.wrap(f"{board.name}: {note}", WIDTH, subsequent_indent="  ")
        lines += [f"{board.name} cannot hold '{titles(bench)[name]}': {why}" for name, why in board.missing]
    for board, variant in _results(bench):
        named = f"{board.name}, {titles(bench)[variant.variant]}"
        told = f"{named}: design {variant.design}, {variant.macs_computed:,} MACs computed"
        if variant.estimated_cycles is not None:
            told += f", {variant.estimated_cycles:,.0f} cycles estimated by the cost model of the search"
        if variant.top1:
            top1 = variant.top1
            told += (
                f"; top-1 {top1.approximated:.2f} % (exact: {top1.exact:.2f} %) on {top1.images:,} confirmation images"
            )
        lines += textwrap.wrap(told, WIDTH, subsequent_indent="  ") if variant.design else []
    return lines


def _where(bench: Bench) -> list[str]:
    rows = [
        [board.name, titles(bench)[variant.variant], *_figures(variant.total), f"{variant.printed_cycles:,}"]
        for board, variant in _results(bench)
    ]
    head = ["board", "variant", *_FIGURES, "on the console"]
    return [
        "Where the cycles go (simulated; stalls are part of the cycles)",
        *table(head, rows, right=tuple(range(2, len(head)))),
        "ideal: the same core with memories that never let it wait; on the console: the firmware's own count of one",
        "whole inference (its line 'CPU cycles'), which the console of a real board is to be compared with.",
    ]


def _layers(bench: Bench, board: BoardResult) -> list[str]:
    head = ["m_id", "layer (type)", "macc"]
    for variant in board.variants:
        head += [f"{variant.variant}:", "cycles", "c/MAC", *(["speed-up"] if variant.variant != BASELINE else [])]
    rows = []
    for index, name, macs in layers_of(board):
        row = [str(index), name, f"{macs:,}"]
        for variant in board.variants:
            layer = next(found for found in variant.layers if found.index == index)
            row += [layer.kernel, f"{layer.figures.cycles:,}", number(per_mac(layer.figures.cycles, macs))]
            row += [times(bench.speedup(board, variant, index))] if variant.variant != BASELINE else []
        rows.append(row)
    total = ["", "total", f"{bench.macs:,}"]
    for variant in board.variants:
        cycles = variant.total.cycles
        total += ["", f"{cycles:,}", number(per_mac(cycles, bench.macs))]
        total += [times(bench.speedup(board, variant))] if variant.variant != BASELINE else []
    left = {1, *(position for position, text in enumerate(head) if text.endswith(":"))}
    right = tuple(position for position in range(len(head)) if position not in left)
    return [f"{board.name}: layers (simulated cycles)", *table(head, [*rows, total], right)]


def _layer_stalls(bench: Bench, board: BoardResult, variant: VariantResult) -> list[str]:
    rows = [
        [
            str(layer.index),
            layer.name,
            layer.kernel,
            f"{layer.macs_computed:,}",
            *_figures(layer.figures),
            f"{board.milliseconds(layer.figures.cycles):.3f}",
            f"{layer.flash_bytes:,}",
            f"{layer.scratch_bytes:,}",
        ]
        for layer in variant.layers
    ]
    ms = f"{board.milliseconds(variant.total.cycles):.3f}"
    rows.append(["", "total", "", f"{variant.macs_computed:,}", *_figures(variant.total), ms, "", ""])
    head = ["m_id", "layer", "kernel", "computed", *_FIGURES, "ms (sim.)", "flash B", "scratch B"]
    right = tuple(position for position in range(len(head)) if position not in (1, 2))
    return [
        f"{board.name}, {titles(bench)[variant.variant]}: where the cycles go (simulated)",
        *table(head, rows, right),
    ]


_FIGURES = ("cycles", "ideal", "instructions", *(f"{name.replace('_', '-')} st." for name in STALLS))


def _figures(figures: Figures) -> list[str]:
    counts = [figures.cycles, figures.ideal_cycles, figures.instructions]
    return [f"{count:,}" for count in [*counts, *(getattr(figures.stalls, name) for name in STALLS)]]


def _references(bench: Bench, published: Published) -> list[str]:
    rows = [
        [board.name, reference.engine, reference.text, _deviation(bench, board, reference, published)]
        for board in bench.boards
        for reference in references_of(bench, board, published)
    ]
    if not rows:
        return []
    head = ["board", "engine", "cycles/MAC", "simulated against it"]
    title = "Published for this model and board (measured on hardware, other compilers and libraries)"
    return [title, *table(head, rows, right=(2, 3)), f"{published.source}."]


def references_of(bench: Bench, board: BoardResult, published: Published) -> tuple[Reference, ...]:
    """What is published for this model and board, highest first."""
    found = published.of(bench.model_sha256, board.board)
    return tuple(sorted(found, key=lambda reference: (-reference.high, reference.engine)))


def _deviation(bench: Bench, board: BoardResult, reference: Reference, published: Published) -> str:
    """Exact CMSIS-NN as simulated against the same as measured: `-16.6 ... -12.8 %`."""
    baseline = board.of(BASELINE)
    if reference.engine != published.baseline or baseline is None or not bench.is_baseline:
        return ""
    simulated = baseline.total.cycles / bench.macs
    found = sorted({100 * (simulated / measured - 1) for measured in (reference.low, reference.high)})
    return " ... ".join(f"{percent:+.1f}" for percent in found) + " %"


def _results(bench: Bench) -> Iterator[tuple[BoardResult, VariantResult]]:
    return ((board, variant) for board in bench.boards for variant in board.variants)


def layers_of(board: BoardResult) -> list[tuple[int, str, int]]:
    """(index, name and type, MACs) of the layers that all variants share."""
    return [(layer.index, f"{layer.name} ({layer.op})", layer.macs) for layer in board.variants[0].layers]


def times(value: float | None) -> str:
    """`1.85x`, or a dash."""
    return "-" if value is None else f"{value:.2f}x"
