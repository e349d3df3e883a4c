"""bench.html from given figures: one network or several, the numbers of bench.json, in a browser without complaints."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import chromium
import pytest
from bench_cases import bench, published

from approx_plugin.bench.__main__ import main
from approx_plugin.bench.document import as_json, from_json
from approx_plugin.bench.page import html_text, ranked, verdict
from approx_plugin.bench.published import load_published
from approx_plugin.bench.results import Bench

SHORT = bench(variants=("cmsis_nn", "exact"))
CASES = {
    "one board": [replace(bench(), boards=bench().boards[:1])],
    "boards": [bench()],
    "networks": [bench(), replace(SHORT, network="other", boards=SHORT.boards[1:3])],
    "subset": [bench(is_baseline=False)],
}

case = pytest.mark.parametrize("benches", CASES.values(), ids=CASES)


def numbers(text: str) -> set[str]:
    return {number.replace(",", "") for number in re.findall(r"\d[\d,]*(?:\.\d+)?", text)}


def known(value: Any) -> Iterator[str]:
    """All numbers of a document, as tables round them."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from known(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from known(inner)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield from (f"{value:.{digits}f}" for digits in range(4))
    elif isinstance(value, str):
        yield from numbers(value)


@case
def test_every_number_of_its_tables_is_in_the_json(benches: list[Bench]) -> None:
    page = html_text(benches, published())
    cells = re.findall(r"<td[^>]*>(.*?)</td>", page)
    assert len(cells) > 40
    told = {number for one in benches for number in known(json.loads(json.dumps(as_json(one, published()))))}
    assert {number for cell in cells for number in numbers(re.sub("<[^>]*>", " ", cell))} <= told


@case
def test_pictures_have_a_title_a_description_and_tables(benches: list[Bench]) -> None:
    page = html_text(benches, published())
    identities = re.findall(r' id="([^"]+)"', page)
    assert len(set(identities)) == len(identities)
    named = re.findall(r'role="img" aria-labelledby="(\S+) (\S+)"', page)
    assert len(named) == sum(1 + len(one.boards) for one in benches)
    assert {identity for pair in named for identity in pair} <= set(identities)
    assert page.count("<table") >= len(named)
    assert "<script" not in page and "resnet<8>" not in page


def test_sentences() -> None:
    assert verdict(bench()) == (
        "resnet<8> & friends takes 3.180 to 25.437 ms (simulated) on 4 boards with the quickest of its variants, "
        "3.46 times as fast as exact CMSIS-NN on the same model."
    )
    subset = bench(is_baseline=False)
    assert verdict(subset).endswith("nothing is claimed against CMSIS-NN.")
    page = html_text([subset], published())
    assert "NO BASELINE" in page and not re.search(r"\d+x\)", page)
    assert "does not fit: the network needs 98,765 bytes of RAM" in html_text([bench()], published())


def test_real_boards_come_first_the_quickest_at_their_head() -> None:
    first, *others = bench().boards
    ideal = replace(first, board="ideal-cortex-m4", clock_hz=10**9)
    names = [board.board for board in ranked(replace(bench(), boards=(ideal, first, *others)))]
    assert names == ["nucleo-h743zi2", "nucleo-u575zi-q", "nucleo-l4r5zi-single-bank", "nucleo-l4r5zi", ideal.board]


@pytest.mark.parametrize("made", [bench(), SHORT, bench(is_baseline=False)])
def test_a_bench_is_read_again_as_it_was_written(made: Bench) -> None:
    assert from_json(json.loads(json.dumps(as_json(made, published())))) == made


def test_the_command_puts_networks_on_one_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = replace(bench(), network="other")
    files = []
    for number, made in enumerate((bench(), other)):
        file = tmp_path / f"{number}.json"
        file.write_text(json.dumps(as_json(made, published())), encoding="utf-8")
        files.append(str(file))
    page = tmp_path / "page.html"
    assert main([*files, "--out", str(page)]) == 0
    assert page.read_text(encoding="utf-8") == html_text([bench(), other], load_published())
    assert capsys.readouterr().out == f"{page}\n"


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"format": 1}', '{"format": 3}', "null", '{"format": 3, "model": 1}']
)
def test_other_files_are_refused_all_at_once(content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong, missing = tmp_path / "wrong.json", tmp_path / "missing.json"
    wrong.write_text(content, encoding="utf-8")
    assert main([str(wrong), str(missing), "--out", str(tmp_path / "page.html")]) == 1
    said = capsys.readouterr().err
    assert "this is not a bench.json" in said and str(missing) in said and "Traceback" not in said
    assert not (tmp_path / "page.html").exists()


@pytest.mark.skipif(chromium.find() is None, reason="no Chromium is installed")
def test_in_a_browser(tmp_path: Path) -> None:
    with chromium.Browser(tmp_path / "profile") as browser:
        for name, benches in CASES.items():
            file = tmp_path / f"{name}.html"
            file.write_text(html_text(benches, published()), encoding="utf-8")
            for width, dark in ((1100, True), (360, False)):
                view = browser.open(file, width, dark)
                assert (view.messages, view.requests) == ((), ())
                assert view.width <= width, name
