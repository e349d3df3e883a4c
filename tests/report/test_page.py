"""report.html from given figures: well-formed, self-contained, accessible, and the same numbers as the JSON."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from report_cases import BARE, CONV, FULL

from approx_plugin.report.data import FrontPoint, Report
from approx_plugin.report.detail import ArenaPiece, CostLimit, SkipMap
from approx_plugin.report.document import as_json
from approx_plugin.report.page import html_text
from approx_plugin.report.text import render
from approx_plugin.report.verdict import advice, reason, verdict

CASES = {"full": FULL, "bare": BARE}

case = pytest.mark.parametrize("report", CASES.values(), ids=CASES)


class Elements(HTMLParser):
    """All elements with attributes and text; complains about what is not closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None], list[str]]] = []
        self.open: list[tuple[str, list[str]]] = []
        self.feed(page)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        texts: list[str] = []
        assert len({name for name, _ in attrs}) == len(attrs)
        self.found.append((tag, dict(attrs), texts))
        if tag not in ("meta", "link", "br"):
            self.open.append((tag, texts))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs), []))

    def handle_endtag(self, tag: str) -> None:
        opened, _ = self.open.pop()
        assert opened == tag

    def handle_data(self, data: str) -> None:
        for _, texts in self.open:
            texts.append(data)

    def of(self, tag: str) -> Iterator[tuple[dict[str, str | None], str]]:
        return ((attributes, " ".join("".join(texts).split())) for name, attributes, texts in self.found if name == tag)


def numbers(text: str) -> set[str]:
    return {number.replace(",", "") for number in re.findall(r"\d[\d,]*(?:\.\d+)?", text)}


@case
def test_it_is_well_formed_and_loads_nothing(report: Report) -> None:
    page = html_text(report)
    elements = Elements(page)
    assert not {"script", "iframe", "object"} & {name for name, _, _ in elements.found}
    for name, attributes, _ in elements.found:
        for key in ("src", "href"):
            if key in attributes:
                assert (attributes[key] or "").startswith(("#", "data:")), (name, attributes)
    assert "http://" not in page and "https://" not in page and "url(" not in page.replace("url(#stall)", "")
    assert len(page) < 200_000


@case
def test_every_number_of_its_tables_is_in_the_json(report: Report) -> None:
    """As the page rounds it."""
    known: set[str] = set()

    def gather(value: object) -> None:
        if isinstance(value, dict):
            for inner in value.values():
                gather(inner)
        elif isinstance(value, (list, tuple)):
            for inner in value:
                gather(inner)
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            known.update(f"{abs(value):.{digits}f}" for digits in range(4))
            known.add(f"{abs(value):g}")
        elif isinstance(value, str):
            known.update(numbers(value))

    gather(json.loads(json.dumps(as_json(report))))
    # Derived by the page: ordinal numbers, milliseconds, relative changes, cycles per MAC of an exact network.
    totals = report.exact, report.chosen
    known.update(f"{1000 * total.cycles / report.clock_hz:.3f}" for total in totals)
    known.update(f"{total.cycles / report.macs.exact:.2f}" for total in totals)
    known.update(str(number) for number in range(10))
    elements = Elements(html_text(report))
    cells = [text for tag in ("td", "th") for _, text in elements.of(tag) if not text.endswith("%") or "to" in text]
    assert len(cells) > 50
    unknown = {number for text in cells for number in numbers(text)} - known
    assert not unknown


def test_page_text_and_json_say_the_same_sentence() -> None:
    said = verdict(FULL)
    assert said in " ".join(render(FULL).split())
    assert as_json(FULL)["verdict"] == said
    assert said in [text for _, text in Elements(html_text(FULL)).of("p")]
    for layer in FULL.layers:
        assert reason(layer, FULL) in " ".join(render(FULL).split())
        assert reason(layer, FULL) in html_text(FULL)


@case
def test_pictures_have_a_title_a_description_and_a_table(report: Report) -> None:
    elements = Elements(html_text(report))
    identities = [attributes["id"] for _, attributes, _ in elements.found if attributes.get("id")]
    assert len(set(identities)) == len(identities)
    pictures = [attributes for attributes, _ in elements.of("svg") if attributes.get("aria-hidden") != "true"]
    assert pictures
    for attributes in pictures:
        named = (attributes["aria-labelledby"] or "").split()
        assert attributes["role"] in ("img", "group") and len(named) == 2 and set(named) <= set(identities)
    assert all(attributes.get("scope") for attributes, _ in elements.of("th"))
    assert sum(1 for _ in elements.of("table")) >= len(pictures)
    levels = [int(name[1]) for name, _, _ in elements.found if re.fullmatch("h[1-6]", name)]
    assert levels[0] == 1 and all(after - before <= 1 for before, after in zip(levels, levels[1:]))


def test_points_can_be_reached_and_tell_their_recipe() -> None:
    elements = Elements(html_text(FULL))
    points = {a["data-p"]: a for a, _ in elements.of("g") if "data-p" in a}
    told = {a["data-r"]: text for a, text in elements.of("p") if "data-r" in a}
    assert set(points) <= set(told) and set(points) == {"d7", "d5", "d0", "d3"} - {"d7"} | {"d7"}
    assert all(point["tabindex"] == "0" and point["aria-label"] for point in points.values())
    assert "conv2d_0 at 0.0125, all else exact." in told["d5"] and "(difference to exact -1.50 to +0.25)" in told["d5"]
    assert "every layer exact." in told["d0"]


def test_names_cannot_break_the_page() -> None:
    wild = '<script>alert("x")</script> & {{ 1 + 1 }} \u202e\u00fc'
    layer = replace(CONV, name=wild, note=wild, variant=wild)
    report = replace(FULL, network=wild, layers=(layer, *FULL.layers[1:]), remarks=(wild,), model_file=wild)
    elements = Elements(html_text(report))
    assert not list(elements.of("script"))
    assert f"{wild} on {report.board}" in [text for _, text in elements.of("h1")]


def test_what_is_not_known_is_not_drawn() -> None:
    page = html_text(BARE)
    elements = Elements(page)
    headings = [text for tag in ("h2", "h3") for _, text in elements.of(tag)]
    assert "Accuracy against cycles" not in headings and "What was skipped" not in headings
    assert "not measured: the spec names no data" in page
    assert "Nothing was linked: no compiler was found." in page
    assert "None" not in page and "nan" not in page.lower().replace("unanim", "")


def test_a_large_network_stays_below_a_megabyte() -> None:
    rows = tuple("7e.4" * 36 for _ in range(64))
    big = replace(CONV.approximation, map=SkipMap(512, 4608, rows, (99_999,) * 64, (99_999,) * 64))  # type: ignore[type-var]
    layers = tuple(
        replace(
            CONV, index=i, step=i, name=f"conv2d_{i}", approximation=big, considered=CONV.considered * 3,
        )
        for i in range(300)
    )  # fmt: skip
    recipe = tuple((f"conv2d_{i}", 0.012345) for i in range(40))
    front = tuple(
        FrontPoint(i, 90.0 + i / 100, 2000, 5000.0 + i, 4000, 2048, i == 5, True, recipe, (-1.0, 1.0))
        for i in range(60)
    )
    pieces = tuple(ArenaPiece("some/long/name/of/a/tensor" * 4, "activation", 64 * i, 64, i, i + 1) for i in range(300))
    dominated = tuple(replace(point, design=100 + i, on_front=False, chosen=False) for i, point in enumerate(front))
    page = html_text(replace(FULL, layers=layers, front=front, dominated=dominated, arena=pieces))
    assert len(page.encode()) < 1_000_000


def test_same_report_same_bytes() -> None:
    code = "from report_cases import FULL; from approx_plugin.report.page import html_text; print(html_text(FULL))"
    root = Path(__file__).parents[2]
    path = os.pathsep.join(map(str, (root, root / "tests" / "support")))
    made = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": path, "LC_ALL": "C", "PYTHONUTF8": "1"},
            check=True,
            capture_output=True,
            encoding="utf-8",
        ).stdout
        for seed in ("1", "2")
    }
    assert made == {html_text(FULL) + "\n"}


# ---- sentences


def test_verdicts() -> None:
    said = verdict(FULL)
    assert said.startswith("digits on NUCLEO-U575ZI-Q takes an estimated 0.031 ms (5,000 cycles), ")
    assert "1.94 times as fast as exact CMSIS-NN and 1.20 times as fast as our exact kernels" in said
    assert "keeps the target (at most 1 point below the exact network) with 98.25 % top-1" in said
    assert "MISSES the target" in verdict(replace(FULL, target_met=False))
    exact = verdict(BARE)
    assert "computes every layer exactly, and needs an estimated" in exact and "target" not in exact
    tried = replace(BARE, target_met=True, required=97.0, evaluations=9, allowed_drop=1.0)
    assert "no approximation that was measured saves cycles and keeps the target" in verdict(tried)
    assert advice(BARE) == () and advice(FULL) == ()
    assert "no design that was measured is quicker" in advice(tried)[0]
    assert "#7, has 96.50 %" in advice(replace(tried, front=FULL.front[:1], looks=FULL.looks))[0]


def test_costs_that_are_not_kept_come_with_what_would_keep_them() -> None:
    limits = (CostLimit("cycles", 4_950.0, 5_000.0, "cycles"), CostLimit("flash", 4_000.0, 4_000.0, "B"))
    report = replace(FULL, limits=limits, target_met=False, remedies=("another board would",))
    told = advice(report)
    assert told[0] == "cycles: 5,000 cycles, and 4,950 cycles are wanted"
    assert told[1].startswith("the design #7 of the front would keep to it: 96.50 %") and told[2:] == (
        "another board would",
    )
    text, page = " ".join(render(report).split()), html_text(report)
    for said in told:
        assert said in text and said in page
    assert "cycles 4,950 cycles 5,000 cycles NOT KEPT" in text and "flash 4,000 B 4,000 B kept" in text
    assert [limit["met"] for limit in as_json(report)["limits"]] == [False, True]
    none = replace(report, limits=(CostLimit("latency", 0.001, 0.031, "ms"),))
    assert "no design that was measured keeps to it" in advice(none)
    exact = replace(BARE, limits=limits[1:], target_met=True, target="exact; at most 4,000 B of flash")
    assert "computes every layer exactly and keeps the target (exact; at most 4,000 B of flash)" in verdict(exact)
    assert advice(exact) == ()


def test_reasons() -> None:
    conv, dense = FULL.layers
    assert reason(conv, FULL) == "the quickest of 2: cmsis_nn would take 108.3 % more cycles"
    slow, quick = (replace(one, taken=not one.taken) for one in conv.considered)
    told = reason(replace(conv, kernel="cmsis_nn", considered=(slow, quick)), FULL)
    assert told.startswith("unpacked would take 52.0 % fewer cycles, but 2,200 more bytes of flash; the choice over")
    told = reason(replace(conv, kernel="cmsis_nn", considered=(slow, quick)), replace(FULL, preferred="cmsis_nn"))
    assert told.endswith("approx.yaml asks for cmsis_nn (`kernels: {convolution: cmsis_nn}`)")
    assert reason(replace(conv, step=1), FULL) == "computed together with fully_connected_1"
    assert reason(replace(conv, step=None), FULL) == "only another view of its input: there is no code"
    assert reason(replace(conv, considered=conv.considered[:1]), FULL) == "the only kernel that can compute it"
    assert "for several layers at once" in reason(dense, FULL)
