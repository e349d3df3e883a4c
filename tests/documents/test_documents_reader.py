"""The strict YAML reader: scalars as in YAML 1.2, places, and hints about numbers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from approx_plugin.documents.document import Document, in_order
from approx_plugin.documents.reader import MAX_VALUES, compose, read
from approx_plugin.documents.wording import number_hint
from approx_plugin.errors import ApproxError, BoardError, DataError, ErrorGroup, Location, SpecError


def document(text: str) -> Document:
    return compose("f", text, SpecError)


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


# ---- the class of the errors is the caller's


@pytest.mark.parametrize("error", [SpecError, BoardError, DataError])
@pytest.mark.parametrize(
    "content", [None, b"a: \xff", "a: x".encode("utf-16"), b"a: [", b"a: \0", b"%YAML 3.0\n--- a", b"[" * 20]
)
def test_what_cannot_be_read_is_an_error_of_the_class_that_the_caller_names(
    error: type[ApproxError], content: bytes | None, tmp_path: Path
) -> None:
    file = tmp_path / "f"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(error) as caught:
        read(file, error)
    assert type(caught.value) is error
    assert isinstance(caught.value.where, Location) and caught.value.where.file == str(file)
    assert caught.value.hint


def test_what_can_be_read_has_its_mistakes_in_the_same_class() -> None:
    found = compose("f", "a: 010\na: 1\nb: &x 2\n", BoardError)
    assert found.error is BoardError
    assert [type(error) for error in found.errors] == [BoardError] * 3


def test_mistakes_of_two_files_are_told_file_by_file() -> None:
    places = [Location("b", 1, 1), Location("a", 9, 1), Location("a", 2, 5), Location("a", 2, 3)]
    found = in_order(SpecError("x", where=place) for place in places)
    assert [str(error.where) for error in found] == ["a:2:3", "a:2:5", "a:9:1", "b:1:1"]


# ---- the work grows with the length of the text, and no faster


ENDLESS = (
    "import sys\n"
    "from approx_plugin.documents.reader import compose\n"
    "from approx_plugin.documents.wording import nearest, number_hint\n"
    "from approx_plugin.errors import SpecError\n"
    "n = 200_000\n"
    "for text in ('0' * n + 'x', '1' * n + 'x', '0' * n + '!', '0_' * n + 'x', ' ' * n + '1' + ' ' * n + '!',\n"
    "             '1' + ' ' * n + 'x' * n + '1', '.' + '1' * n + 'e', '1e' + '1' * n + '-', '0x' + 'f' * n + 'g',\n"
    "             '-' * n, '+0' * n, '1,' * n, '1.' * n):\n"
    "    compose('f', 'a: ' + text, SpecError)\n"
    "    number_hint(text)\n"
    "    nearest(text, ['model', 'board'])\n"
    "print('done')\n"
)


def test_no_scalar_keeps_a_pattern_busy() -> None:
    """Each of these took minutes when a pattern could match a text in more than one way."""
    done = subprocess.run([sys.executable, "-c", ENDLESS], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout == "done\n"


@pytest.mark.parametrize("item", ["0,", "{},", "[0],", "a:,", "&a 0,", "!x 0,", "*a,", "? a,"])
def test_a_file_of_too_many_values_is_not_read_to_its_end(item: str) -> None:
    before = "{" if item in ("a:,", "? a,") else "["
    with pytest.raises((SpecError, ErrorGroup)) as caught:
        document(f"a: {before}{item * MAX_VALUES}")
    last = caught.value.errors[-1] if isinstance(caught.value, ErrorGroup) else caught.value
    assert last.what == f"the file holds more than {MAX_VALUES} values"
    assert last.where and last.where.column > MAX_VALUES


def test_a_file_of_many_values_is_read() -> None:
    assert len(document("a: [" + "0," * (MAX_VALUES - 3) + "]").value["a"]) == MAX_VALUES - 3
