from __future__ import annotations

import itertools
import re
from xml.etree import ElementTree

import pytest
from bench_cases import bench, published

from approx_plugin.bench.picture import COLOURS, svg_text
from approx_plugin.bench.published import Published
from approx_plugin.bench.results import Bench

SVG = "{http://www.w3.org/2000/svg}"
FONT = 12.0
WIDTHS = {False: 0.6, True: 0.68}
"""Mean advance of a character in DejaVu Sans, the widest of the usual sans-serif fonts, by weight."""

NOTHING = Published({}, {}, "", "")

CASES = {
    "all": (bench(), published()),
    "subset": (bench(is_baseline=False), published()),
    "two variants": (bench(variants=("cmsis_nn", "exact")), published()),
    "one variant": (bench(variants=("cmsis_nn",)), published()),
    "nothing published": (bench(), NOTHING),
}

case = pytest.mark.parametrize(("made", "known"), CASES.values(), ids=CASES)


def tree(made: Bench, known: Published) -> ElementTree.Element:
    return ElementTree.fromstring(svg_text(made, known))


def boxes(root: ElementTree.Element) -> list[tuple[str, float, float, float, float]]:
    """(text, left, top, right, bottom) of all texts."""
    found = []
    for element in root.iter(f"{SVG}text"):
        text = element.text or ""
        width = len(text) * FONT * WIDTHS[element.get("font-weight") == "bold"]
        shift = {"start": 0.0, "middle": width / 2, "end": width}[element.get("text-anchor", "start")]
        left, base = float(element.attrib["x"]) - shift, float(element.attrib["y"])
        found.append((text, left, base - 0.8 * FONT, left + width, base + 0.25 * FONT))
    return found


@case
def test_no_text_lies_on_another_or_outside(made: Bench, known: Published) -> None:
    root = tree(made, known)
    placed = boxes(root)
    for text, left, top, right, bottom in placed:
        assert left >= 0 and top >= 0 and bottom <= float(root.attrib["height"]), text
        assert right <= float(root.attrib["width"]), text
    for one, other in itertools.combinations(placed, 2):
        apart = one[3] <= other[1] or other[3] <= one[1] or one[4] <= other[2] or other[4] <= one[2]
        assert apart, (one[0], other[0])


@case
def test_bars_are_as_long_as_their_figures(made: Bench, known: Published) -> None:
    bars = [r for r in tree(made, known).iter(f"{SVG}rect") if r.get("fill") in COLOURS and r.get("height") == "16"]
    values = [variant.total.cycles for board in made.boards for variant in board.variants]
    assert len(bars) == len(values)
    scale = [float(bar.attrib["width"]) / value for bar, value in zip(bars, values)]
    assert max(scale) == pytest.approx(min(scale), rel=1e-3)


def test_lines_of_published_engines_stand_where_a_bar_of_that_length_would_end() -> None:
    made, known = CASES["all"]
    root = tree(made, known)
    bar = next(r for r in root.iter(f"{SVG}rect") if r.get("fill") == COLOURS[0] and r.get("height") == "16")
    per_unit = float(bar.attrib["width"]) / (made.boards[0].variants[0].total.cycles / made.macs)
    dashed = [line for line in root.iter(f"{SVG}line") if line.get("stroke-dasharray")]
    found = sorted((float(line.attrib["x1"]) - float(bar.attrib["x"])) / per_unit for line in dashed)
    assert found == pytest.approx([0.02, 1.58, 1.61, 3.9, 4.4], abs=0.01)


def test_the_legend_names_the_variants_in_their_colours() -> None:
    root = tree(*CASES["all"])
    texts = [text for text, *_ in boxes(root)]
    assert {"exact, CMSIS-NN", "exact, our kernels", "approximated"} <= set(texts)
    assert len({r.get("fill") for r in root.iter(f"{SVG}rect")}) == 1 + 3


@case
def test_it_says_that_nothing_was_measured(made: Bench, known: Published) -> None:
    text = " ".join(text for text, *_ in boxes(tree(made, known)))
    assert "Simulated on models of the boards, not measured on hardware" in text
    assert "cycles per MAC of the exact network (simulated)" in text
    assert ("NO BASELINE" in text) == (not made.is_baseline)
    assert bool(re.search(r"\d\.\d\dx", text)) == made.is_baseline


@case
def test_the_same_bench_gives_the_same_bytes(made: Bench, known: Published) -> None:
    assert svg_text(made, known) == svg_text(made, known)
