"""report.html as a browser shows it: nothing in the console, nothing loaded, nothing wider than the screen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import chromium
import pytest
from report_cases import BARE, FULL

from approx_plugin.report.page import html_text

pytestmark = pytest.mark.skipif(chromium.find() is None, reason="no Chromium is installed")

OVERLAPS = """(() => {
  const texts = [...document.querySelectorAll("svg text")].map(t => [t.textContent, t.getBoundingClientRect()]);
  return texts.filter(([, r]) => r.width && (r.left < 0 || r.right > document.documentElement.clientWidth))
              .map(([text]) => text);
})()"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[chromium.Browser]:
    with chromium.Browser(tmp_path_factory.mktemp("profile")) as started:
        yield started


@pytest.fixture(params=["full", "bare"])
def page(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    file = tmp_path / "report.html"
    file.write_text(html_text({"full": FULL, "bare": BARE}[request.param]), encoding="utf-8")
    return file


@pytest.mark.parametrize(("width", "dark"), [(1100, False), (1100, True), (360, False), (320, True)])
def test_no_message_no_request_and_no_overflow(browser: chromium.Browser, page: Path, width: int, dark: bool) -> None:
    view = browser.open(page, width, dark)
    assert view.messages == ()
    assert view.requests == ()
    assert view.width <= width
    assert browser.evaluate(OVERLAPS) == []
    ground = browser.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, ground[4:-1].split(","))) < 200) == dark


def test_a_point_that_is_reached_shows_its_recipe(browser: chromium.Browser, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(html_text(FULL), encoding="utf-8")
    browser.open(file)
    shown = "[...document.querySelectorAll('[data-r]')].filter(p => p.offsetHeight).map(p => p.dataset.r).join()"
    assert browser.evaluate(shown) == "d5", "the generated design, to begin with"
    browser.evaluate("document.querySelector('[data-p=d3]').focus()")
    assert browser.evaluate(shown) == "d3"


def test_it_prints(browser: chromium.Browser, page: Path) -> None:
    browser.open(page, dark=True)
    paper = browser.paper()
    assert paper.startswith(b"%PDF-") and 10_000 < len(paper) < 2_000_000
