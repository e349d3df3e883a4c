"""What stands behind the pictures, against counts that are made another way."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

from approx_plugin.report.detail import EMPTY, MAP_COLUMNS, MAP_ROWS, SHADES, Histogram, histogram, skip_map
from approx_plugin.report.html import pixels
from approx_plugin.report.html.bars import LONGEST, Bar, Group, Mark, Part, bar_chart
from approx_plugin.report.html.columns import columns
from approx_plugin.report.html.scale import round_scale, short
from approx_plugin.report.html.scatter import Item, scatter

VALUES = st.one_of(st.just(0.0), st.just(float("inf")), st.floats(1e-9, 1e4))


@settings(deadline=None)
@given(nps.arrays(np.float64, st.integers(1, 200), elements=VALUES), st.one_of(st.none(), st.floats(0, 100)))
def test_a_histogram_counts_every_product_once(values: np.ndarray, level: float | None) -> None:
    made = histogram(values, level)
    finite = values[np.isfinite(values)]
    if made is None:
        assert not (finite > 0).any()
        return
    assert (
        list(made.edges) == sorted(set(made.edges)) and len(made.edges) == len(made.kept) + 1 == len(made.dropped) + 1
    )
    assert sum(made.dropped) == (0 if level is None else int((finite <= level).sum()))
    assert sum(made.kept) + sum(made.dropped) == finite.size
    assert made.unbounded == int(np.isinf(values).sum())
    assert finite.max() <= made.edges[-1] * 1.0005
    for place, (low, high) in enumerate(zip(made.edges[1:-1], made.edges[2:]), 1):
        inside = int(((finite >= low) & (finite < high)).sum())
        last = place == len(made.kept) - 1
        assert made.kept[place] + made.dropped[place] == (int((finite >= low).sum()) if last else inside)


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 150), st.integers(1, 400), st.floats(0, 1), st.integers(0, 2**32 - 1))
def test_a_map_has_every_channel_and_operand(channels: int, operands: int, share: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    held = random.random((channels, operands)) < share
    dropped = held & (random.random(held.shape) < share)
    made = skip_map(held, dropped)
    assert len(made.rows) <= MAP_ROWS and {len(row) for row in made.rows} == {len(made.rows[0])}
    assert len(made.rows[0]) <= MAP_COLUMNS
    assert (sum(made.dropped), sum(made.held)) == (int(dropped.sum()), int(held.sum()))
    high, wide = -(-channels // MAP_ROWS), -(-operands // MAP_COLUMNS)
    for y, row in enumerate(made.rows):
        for x, cell in enumerate(row):
            place = np.s_[y * high : (y + 1) * high, x * wide : (x + 1) * wide]
            if not held[place].any():
                assert cell == EMPTY
            else:
                assert (cell == "0") == (not dropped[place].any())
                assert cell == SHADES[-1] or not np.array_equal(held[place], dropped[place])


@pytest.mark.parametrize("width", [1, 2, 7, 144])
def test_pixels_can_be_read_again(width: int) -> None:
    rows = [[(x * 5 + y) % (pixels.EMPTY + 1) for x in range(width)] for y in range(5)]
    uri = pixels.data_uri(rows)
    png = base64.b64decode(uri.removeprefix("data:image/png;base64,"))
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    chunks, rest = {}, png[8:]
    while rest:
        (size,) = struct.unpack(">I", rest[:4])
        kind, content = rest[4:8], rest[8 : 8 + size]
        assert struct.unpack(">I", rest[8 + size : 12 + size])[0] == zlib.crc32(kind + content)
        chunks[kind], rest = content, rest[12 + size :]
    assert list(chunks) == [b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"]
    assert struct.unpack(">IIBBBBB", chunks[b"IHDR"]) == (width, 5, 4, 3, 0, 0, 0)
    lines = zlib.decompress(chunks[b"IDAT"])
    stride = 1 + -(-width // 2)
    for y, row in enumerate(rows):
        line = lines[y * stride : (y + 1) * stride]
        assert line[0] == 0
        assert [(line[1 + x // 2] >> (4 if x % 2 == 0 else 0)) & 15 for x in range(width)] == row


def test_a_large_picture_has_several_blocks() -> None:
    rows = [[1] * 1000] * 300
    png = base64.b64decode(pixels.data_uri(rows).split(",")[1])
    start = png.index(b"IDAT")
    (size,) = struct.unpack(">I", png[start - 4 : start])
    assert len(zlib.decompress(png[start + 4 : start + 4 + size])) == 300 * 501


@given(st.integers(-(10**6), 10**9), st.integers(0, 10**9), st.integers(2, 8))
def test_a_scale_holds_its_figures_between_round_ones(low: int, span: int, most: int) -> None:
    scale, marks = round_scale(low, low + span, most)
    slack = 1e-6 * (span + abs(low))
    assert scale.low < scale.high
    assert scale.low - slack <= low and low + span <= scale.high + slack
    assert 2 <= len(marks) <= most + 2
    assert all(0 <= scale.at(mark) <= 100 for mark in marks)


def test_short_figures() -> None:
    assert [short(v) for v in (0, 12, 1500, 2_500_000, 3e9)] == ["0", "12", "1.5 k", "2.5 M", "3 G"]


def test_bars_share_a_scale() -> None:
    groups = (
        Group("one", (Bar((Part(30, "a", ""), Part(10, "b", "")), "40"), Bar((Part(0, "a", ""),), "0"))),
        Group("two", (Bar((Part(80, "a", ""),), "80"),), (Mark(20, 60, "published"),)),
    )
    first, second = bar_chart(groups).groups
    assert [(p.x, p.width) for p in first.bars[0].parts] == [(0.0, 18.75), (18.75, 6.25)]
    assert first.bars[0].end == 25.0 and first.bars[1].parts == ()
    assert second.bars[0].end == pytest.approx(100 * LONGEST)
    assert second.bars[1].span == (12.5, 25.0)
    assert bar_chart(()).height == 1


def items(*figures: tuple[str, float, float]) -> list[Item]:
    return [Item(f"d{n}", f"#{n}", kind, x, y, 1000 * n, (y - 1, y + 1)) for n, (kind, x, y) in enumerate(figures)]


def test_the_front_leaves_out_what_is_far_below() -> None:
    made = scatter(items(("chosen", 10, 80), ("front", 5, 79), ("front", 1, 20), ("other", 9, 78.5)), 79.0, 1.0)
    assert made.left_out == 1 and [dot.item.key for dot in made.dots] == ["d3", "d1", "d0"], "the chosen one on top"
    assert made.target is not None and len(made.line) == 1
    assert made.dots[0].whisker is None and made.dots[2].whisker is not None
    for dot in made.dots:
        assert 0 <= dot.x <= 100 and 0 <= dot.y <= 100


def test_a_single_design_has_a_picture() -> None:
    made = scatter(items(("chosen", 10, 100.0)), None, None)
    assert made.target is None and made.line == () and len(made.dots) == 1
    assert made.y_ticks[-1].label == "100 %" or float(made.y_ticks[-1].label.rstrip(" %")) <= 101


def test_columns() -> None:
    picture = columns(Histogram((0.01, 0.1, 1.0), (2, 6), (2, 0), 3), 0.1)
    assert [(c.x, c.width, c.dropped, c.kept) for c in picture.columns] == [(0, 50, 33.33, 33.33), (50, 50, 0, 100)]
    assert picture.threshold == 50 and picture.most == 6
    assert [(t.at, t.label) for t in picture.ticks] == [(0, "0.01"), (50, "0.1"), (100, "1")]
    assert columns(Histogram((0.01, 0.1), (1,), (0,), 0), None).threshold is None
    assert columns(Histogram((0.01, 0.1), (1,), (0,), 0), 0.0).threshold == 0.0
