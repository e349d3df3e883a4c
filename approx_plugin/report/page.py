"""The report as a page: `report.html`, one file without scripts that needs no network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from approx_plugin.report.data import FrontPoint, LayerRow, MemoryUse, Report, per_mac
from approx_plugin.report.detail import EMPTY, SHADES, SkipMap
from approx_plugin.report.html import pixels
from approx_plugin.report.html.bars import Bar, BarChart, Group, Part, bar_chart
from approx_plugin.report.html.columns import Columns, columns
from approx_plugin.report.html.environment import render
from approx_plugin.report.html.lifetimes import Lifetimes, lifetimes
from approx_plugin.report.html.scatter import Item, Scatter, scatter
from approx_plugin.report.verdict import advice, figure, reason, verdict

MOST_GROUPS = 40
"""Layers whose bars are drawn: those with most cycles. The table has all of them."""

MOST_PICTURES = 16
"""Layers whose maps and histograms are drawn: those with most products. The table has all of them."""

MOST_SOURCES = 24
"""Sources that a table of memory names; the rest is added up."""

LIBRARY, EXACT, MADE = ("library", "CMSIS-NN"), ("exact", "exact"), ("made", "generated")
"""Style and name of what is compared."""

PLACES = (
    ("the network's layers", "Middlewares/Approx/"),
    ("CMSIS-NN", "Middlewares/CMSIS-NN/"),
    ("test vectors", "Core/Src/test_vectors.c"),
    ("application", "Core/"),
    ("board", "Drivers/"),
)
"""What sources belong to, by how their paths begin; the first that fits."""

REST = "start-up, C library, padding"


@dataclass(frozen=True)
class Spread:
    """Pictures of what a layer's products are: a map, a histogram, or both."""

    layer: LayerRow
    map: SkipMap | None
    uri: str
    columns: Columns | None


@dataclass(frozen=True)
class Memory:
    """used, capacity: bytes, `used` None where nothing was linked. places: (what, bytes), sources: likewise."""

    title: str
    used: int | None
    capacity: int
    chart: BarChart
    sources: tuple[tuple[str, int], ...]


def html_text(report: Report) -> str:
    """The whole page. Same report, same bytes."""
    groups, left_out = _groups(report)
    spreads, without = _spreads(report)
    arena = report.memory.arena
    return render(
        "report.html.j2",
        report=report,
        verdict=verdict(report),
        advice=advice(report),
        figure=figure,
        reasons={layer.index: reason(layer, report) for layer in report.layers},
        names={layer.index: layer.name for layer in report.layers},
        approximated=any(layer.approximation for layer in report.layers),
        chart=bar_chart(groups),
        compared=_compared(report),
        groups_left_out=left_out,
        front=_front(report),
        designs=_designs(report),
        spreads=spreads,
        spreads_left_out=without,
        memories=_memories(report.memory),
        lifetimes=_lifetimes(report) if arena and report.arena else None,
        per_mac=per_mac,
    )


def _compared(report: Report) -> tuple[tuple[str, str], ...]:
    """Exact and generated are the same thing where nothing was approximated."""
    same = not any(layer.approximation for layer in report.layers)
    return (LIBRARY, MADE) if same else (LIBRARY, EXACT, MADE)


def _groups(report: Report) -> tuple[tuple[Group, ...], int]:
    """Bars of layers in order, and how many layers have none."""
    cycles = {
        layer.index: {
            LIBRARY: layer.library_cycles,
            EXACT: layer.exact_cycles if report.exact.fits else 0.0,
            MADE: layer.estimated_cycles,
        }
        for layer in report.layers
    }
    ranked = sorted(cycles, key=lambda index: (-max(cycles[index].values()), index))
    shown = {index for index in ranked[:MOST_GROUPS] if max(cycles[index].values()) > 0}
    groups = []
    for layer in report.layers:
        if layer.index not in shown:
            continue
        bars = []
        for which in _compared(report):
            kind, name = which
            value = cycles[layer.index][which]
            inside = which != LIBRARY and not value
            text = f"{name}: in another step" if inside else f"{value:,.0f} {name}"
            bars.append(Bar((Part(value, kind, f"{layer.name}, {name}: {value:,.0f} cycles"),), text))
        groups.append(Group(f"{layer.index} {layer.name} ({layer.op})", tuple(bars)))
    return tuple(groups), len(report.layers) - len(groups)


def _designs(report: Report) -> tuple[FrontPoint, ...]:
    """All that the front's table lists: the front, then what others beat, each by cycles."""
    return (*report.front, *sorted(report.dominated, key=lambda p: (p.cycles, -p.accuracy)))


def _front(report: Report) -> Scatter | None:
    designs = _designs(report)
    if not designs:
        return None
    exact = report.exploration_accuracy.exact

    def item(point: FrontPoint) -> Item:
        kind = "chosen" if point.chosen else "front" if point.on_front else "other"
        known = exact is not None and point.interval is not None
        interval = (exact + point.interval[0], exact + point.interval[1]) if known else None  # type: ignore[index,operator]
        return Item(f"d{point.design}", point.title, kind, point.cycles, point.accuracy, point.flash_bytes, interval)

    return scatter([item(point) for point in designs], report.required, report.allowed_drop)


def _spreads(report: Report) -> tuple[tuple[Spread, ...], int]:
    """Of layers that were approximated or could have been, and how many have none."""
    able = [layer for layer in report.layers if layer.significance or (layer.approximation and layer.approximation.map)]
    ranked = sorted(able, key=lambda layer: (-layer.macs.exact, layer.index))[:MOST_PICTURES]
    found = []
    for layer in sorted(ranked, key=lambda layer: layer.index):
        made = layer.approximation
        picture = columns(layer.significance, made.level if made else None) if layer.significance else None
        map_ = made.map if made else None
        found.append(Spread(layer, map_, _uri(map_) if map_ else "", picture))
    return tuple(found), len(able) - len(found)


def _uri(map_: SkipMap) -> str:
    return pixels.data_uri([[pixels.EMPTY if c == EMPTY else SHADES.index(c) for c in row] for row in map_.rows])


def _memories(memory: MemoryUse) -> tuple[Memory, ...]:
    flash = _memory("Flash", memory.flash, memory.flash_capacity, memory.flash_by_source, {})
    ram = _memory("RAM", memory.ram, memory.ram_capacity, memory.ram_by_source, {"arena": memory.arena})
    return flash, ram


def _memory(
    title: str, used: int | None, capacity: int, sources: tuple[tuple[str, int], ...], named: Mapping[str, int]
) -> Memory:
    """named: what is known by itself, and is in the application's sources."""
    places: dict[str, int] = {f"the network's {name}": size for name, size in named.items() if sources and size}
    for source, size in sources:
        place = next((name for name, start in PLACES if source.startswith(start)), REST)
        places[place] = places.get(place, 0) + size
    if sources and named:
        # The arena is a buffer of the application's.
        places["application"] = places.get("application", 0) - sum(named.values())
    bars = [
        Group(name, (Bar((Part(size, "made", f"{name}: {size:,} B"),), f"{size:,} B"),))
        for name, size in places.items()
        if size > 0
    ]
    shown, rest = sources[:MOST_SOURCES], sources[MOST_SOURCES:]
    others = ((f"({len(rest)} others)", sum(size for _, size in rest)),) if rest else ()
    return Memory(title, used, capacity, bar_chart(bars), (*shown, *others))


def _lifetimes(report: Report) -> Lifetimes:
    return lifetimes(report.arena, report.memory.arena, len(report.layers))
