"""The strict YAML reader: scalars as in YAML 1.2, places, and hints about numbers."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from approx_plugin.documents.reader import Document, compose
from approx_plugin.documents.wording import number_hint
from approx_plugin.errors import Location


def document(text: str) -> Document:
    return compose("f", text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("null", None),
        ("~", None),
        ("", None),
        ("true", True),
        ("FALSE", False),
        ("yes", "yes"),
        ("Off", "Off"),
        ("0", 0),
        ("-0", 0),
        ("+12", 12),
        ("0x1F", 31),
        ("0o17", 15),
        ("0b11", "0b11"),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("1e3", 1000.0),
        ("1.", 1.0),
        (".5", 0.5),
        ("-1.5E-2", -0.015),
        ("007.5", 7.5),
        ("1e", "1e"),
        (".", "."),
        ("٣", "٣"),  # a digit, but no ASCII one
        ("2001-12-14", "2001-12-14"),
        ("'1'", "1"),
        ('"true"', "true"),
        ("''", ""),
        ("inf", "inf"),
    ],
)
def test_scalars(text: str, value: Any) -> None:
    result = document(f"a: {text}")
    assert result.errors == ()
    assert result.value == {"a": value}
    assert type(result.value["a"]) is type(value)


@pytest.mark.parametrize("text", ["010", "-007", "00", ".inf", "-.INF", ".NaN", "1e400", "1" * 26])
def test_scalars_that_nobody_reads_the_same_way(text: str) -> None:
    result = document(f"b: 1\na: [{text}]")
    [error] = result.errors
    assert error.where == Location("f", 2, 5)
    assert result.value == {"b": 1, "a": [None]}
    assert result.broken == {("a", 0)}


def test_locations() -> None:
    result = document("a: 1\nb:\n  c: [x, {d: y}]\n  e:\n  - z\n")
    assert {".".join(map(str, keys)): (place.line, place.column) for keys, place in result.locations.items()} == {
        "": (1, 1),
        "a": (1, 4),
        "b": (2, 1),
        "b.c": (3, 3),
        "b.c.0": (3, 7),
        "b.c.1": (3, 10),
        "b.c.1.d": (3, 14),
        "b.e": (4, 3),
        "b.e.0": (5, 5),
    }
    assert result.keys["b", "c", 1, "d"] == Location("f", 3, 11)
    assert result.where(("b", "c", 7, "nothing")) == Location("f", 3, 3)


def test_first_of_two_equal_keys_counts_and_nothing_of_the_second_is_left() -> None:
    result = document("a: {b: 1}\na: {c: {d: [2]}}\ne: 3\n")
    assert result.value == {"a": {"b": 1}, "e": 3}
    assert ("a", "c") not in result.locations
    assert [error.where for error in result.errors] == [Location("f", 2, 1)]


TREES = st.recursive(
    st.one_of(
        st.integers(-(10**20), 10**20), st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.none()
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.from_regex(r"[a-z]{1,6}", fullmatch=True), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(st.dictionaries(st.from_regex(r"[a-z]{1,6}", fullmatch=True), TREES, min_size=1, max_size=3), st.booleans())
def test_what_another_writer_writes_is_read_back(tree: dict[str, Any], flow: bool) -> None:
    result = document(yaml.safe_dump(tree, default_flow_style=flow, version=(1, 2)))
    assert result.errors == ()
    assert result.value == tree


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("5%", "write 5"),
        ("5 %", "write 5"),
        ("0.5 percentage points", "write 0.5"),
        ("-3", "write -3 without quotes"),
        ("010", "write 10"),
        ("1_000", "write 1000"),
        ("0,5", "write 0.5"),
        ("1,000", ""),
        ("12:30", ""),
        ("yes", ""),
        ("1.2.3", ""),
        ("", ""),
    ],
)
def test_number_hint(text: str, hint: str) -> None:
    assert number_hint(text) == hint
