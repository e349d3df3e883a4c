"""Reports on a narrow terminal: every word is still there, and lines fit as far as words do."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from approx_plugin.folding import folded
from approx_plugin.report.layout import table

WORDS = st.text("abcdefg0123456789,.%", min_size=1, max_size=12)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[list[str]]]:
    count = draw(st.integers(2, 12))
    head = draw(st.lists(WORDS, min_size=count, max_size=count))
    return head, draw(st.lists(st.lists(WORDS, min_size=count, max_size=count), min_size=1, max_size=6))


@given(tables(), st.integers(40, 120), st.booleans())
def test_no_cell_is_lost(drawn: tuple[list[str], list[list[str]]], width: int, prose: bool) -> None:
    head, rows = drawn
    lines = table(head, rows, right=tuple(range(1, len(head), 2)))
    text = "\n".join([*lines, "what is below the table, and longer than the narrowest"] if prose else lines)
    made = folded(text, width)
    assert max(map(len, made.split("\n"))) <= width
    parts = [part.split("\n") for part in made.split("\n\n")]
    for number, row in enumerate([head, *rows]):
        shown = " ".join(part[number + (number > 0)] for part in parts)
        assert set(row) <= set(shown.split())


def test_what_fits_stays_as_it_is() -> None:
    text = "Title\n\n  a   b\n--------\n  1   2\nprose below it\n\n indented:  text\n"
    assert folded(text, 80) == text
    assert folded(text, 10) == text, "too narrow for anything"


def test_a_wide_table_repeats_its_keys() -> None:
    head = ["m_id", "layer", *(f"column {i}" for i in range(12))]
    rows = [[str(i), f"conv2d_{i}", *(f"{i * 1000 + j:,}" for j in range(12))] for i in range(3)]
    made = folded("\n".join([*table(head, rows, right=range(2, 14)), "cycles: simulated on a model."]), 60)
    assert made.count("conv2d_2") == 3
    assert made.count("m_id  layer") == 3
    assert made.endswith("\ncycles: simulated on a model.")
    assert max(map(len, made.split("\n"))) <= 60


def test_keys_tell_rows_apart() -> None:
    rows = [["NUCLEO-U575ZI-Q", "exact, portable subset (NO BASELINE)"], ["NUCLEO-U575ZI-Q", "exact, our kernels"]]
    rows = [[*row, *(f"{i:,}" for i in range(100_000, 100_008))] for row in rows]
    text = "\n".join(table(["board", "variant", *(f"c{i}" for i in range(8))], rows, right=range(2, 10)))
    assert folded(text, 80).count("exact, our kernels") == 3


def test_a_column_without_a_head_stays_with_the_one_before_it() -> None:
    head, bars = ["name", "share", "", *(f"c{i}" for i in range(9))], ["||||", "50 %"]
    text = "\n".join(table(head, [[f"conv{i}", *bars, *["100,000"] * 9] for i in range(2)], right=range(3, 12)))
    assert folded(text, 60).split("\n")[2].startswith("conv0  ||||   50 %  100,000")


def test_a_sentence_across_lines_is_one() -> None:
    text = "flash: " + "word " * 20 + "is not in\nit. c/MAC: cycles.\nNext: one"
    assert "is not in it. c/MAC: cycles." in " ".join(folded(text, 60).split())
    assert folded(text, 60).split("\n")[-1] == "Next: one"


def test_prose_stays_behind_its_label() -> None:
    line = " model hash        :  " + "word " * 30
    made = folded(line, 60).split("\n")
    assert all(part.startswith(" " * 22 + "word") for part in made[1:])
    assert folded("-" * 118, 80) == "-" * 80
