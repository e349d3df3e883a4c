from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
from pathlib import Path
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
    assert [text for text in texts if text in ("exact, CMSIS-NN", "exact, our kernels", "approximated")] == [
        "exact, CMSIS-NN",
        "exact, our kernels",
        "approximated",
    ]
    assert [r.get("fill") for r in root.iter(f"{SVG}rect") if r.get("height") == "12"] == list(COLOURS)
    assert len(set(COLOURS)) == 3


@case
def test_it_says_that_nothing_was_measured(made: Bench, known: Published) -> None:
    text = " ".join(text for text, *_ in boxes(tree(made, known)))
    assert "Simulated on models of the boards, not measured on hardware" in text
    assert "cycles per MAC of the exact network (simulated)" in text
    assert ("NO BASELINE" in text) == (not made.is_baseline)
    assert bool(re.search(r"\d\.\d\dx", text)) == made.is_baseline


def test_every_board_and_every_bar_has_its_label() -> None:
    """The figures are worked out here, from the layers' cycles alone."""
    made, known = CASES["all"]
    root = tree(made, known)
    placed = boxes(root)
    bars = iter([r for r in root.iter(f"{SVG}rect") if r.get("height") == "16"])
    for board in made.boards:
        assert board.name in [text for text, *_ in placed]
        assert f"{board.core}, {board.clock_hz // 10**6} MHz" in [text for text, *_ in placed]
        baseline = sum(layer.figures.cycles for layer in board.variants[0].layers)
        for variant in board.variants:
            bar = {name: float(value) for name, value in next(bars).attrib.items() if name != "fill"}
            end, middle = bar["x"] + bar["width"], bar["y"] + bar["height"] / 2
            beside = [text for text, left, top, _, low in placed if 0 < left - end < 10 and top < middle < low]
            cycles = sum(layer.figures.cycles for layer in variant.layers)
            time = f"{1000 * cycles / board.clock_hz:.{3 if 1000 * cycles < 10 * board.clock_hz else 1}f}"
            assert beside == [f"{cycles / 2_801_664:.2f} ({time} ms, {baseline / cycles:.2f}x)"]
    assert next(bars, None) is None


def test_bars_have_the_colour_of_their_variant() -> None:
    """One board lacks the second variant: its third keeps its colour."""
    root = tree(*CASES["all"])
    bars = [r.get("fill") for r in root.iter(f"{SVG}rect") if r.get("height") == "16"]
    assert bars == [*COLOURS, *COLOURS, *COLOURS, COLOURS[0], COLOURS[2]]


def test_it_is_xml_whatever_the_names_hold() -> None:
    made, known = CASES["all"]
    root = tree(made, known)
    assert root.tag == f"{SVG}svg"
    texts = [text for text, *_ in boxes(root)]
    assert "resnet<8> & friends: simulated cycles per MAC" in texts
    assert "Model of the cortex-m4: model of the cortex-m4 & <its> error" in texts
    assert [text for text in texts if "cannot hold 'exact, our kernels'" in text]


@pytest.mark.parametrize("seed", ["0", "1", "4711"])
def test_another_process_with_other_hashes_writes_the_same_bytes(root: Path, seed: str) -> None:
    program = (
        "import sys; from bench_cases import bench, published; from approx_plugin.bench.picture import svg_text; "
        "sys.stdout.buffer.write(svg_text(bench(), published()).encode())"
    )
    path = os.pathsep.join([str(root), str(root / "tests" / "support")])
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": seed},
        capture_output=True,
        check=True,
        timeout=120,
    )
    assert done.stdout == svg_text(bench(), published()).encode()
