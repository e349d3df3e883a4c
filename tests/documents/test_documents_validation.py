"""A schema's verdict in words: what is said about a value depends on its schema and place, not on the kind of file."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approx_plugin.documents.checked import hold
from approx_plugin.documents.reader import compose
from approx_plugin.documents.validation import schema_mistakes
from approx_plugin.documents.validator import repeated
from approx_plugin.errors import BoardError, ErrorGroup, Location

ENTRY = {
    "description": "An entry. More of it.",
    "type": "object",
    "additionalProperties": False,
    "required": ["size"],
    "properties": {
        "size": {"description": "Bytes of it.", "type": "integer", "minimum": 1, "examples": [8]},
        "at": {"description": "UART address.", "type": "integer", "maximum": 255, "format": "hexadecimal"},
        "names": {"description": "What it is called.", "type": "array", "uniqueItems": True, "maxItems": 9000},
    },
}
ROOT: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["entries", "last"],
    "properties": {
        "entries": {
            "description": "Entries by their names.",
            "type": "object",
            "maxProperties": 3,
            "additionalProperties": {"$ref": "#/definitions/entry"},
        },
        "last": {"description": "The last one.", "examples": [{"size": 4, "at": 16}], "$ref": "#/definitions/entry"},
        "rows": {"description": "Some rows.", "type": "array", "minItems": 2, "items": {"$ref": "#/definitions/entry"}},
    },
    "definitions": {"entry": ENTRY},
}


def said(text: str, remedy: str = "") -> list[tuple[str, str, str, str]]:
    """(line:column, what, why, hint) of every mistake."""
    found = schema_mistakes(compose("f", text, BoardError), ROOT, remedy)
    errors = [mistake.error for mistake in found]
    assert all(type(error) is BoardError for error in errors)
    return [(str(error.where).partition(":")[2], error.what, error.why, error.hint) for error in errors]


GOOD = "entries: {}\nlast: {size: 1}\n"


def test_a_good_document_has_no_mistakes() -> None:
    assert said(GOOD) == []
    assert (
        said("entries: {a: {size: 1, names: [1, true, '1', 1.5]}}\nlast: {size: 1.0}\nrows: [{size: 1}, {size: 2}]")
        == []
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ("", "the file is empty", "", "start with the lines 'entries:' and 'last:'")),
        ("---\n", ("", "the file is empty", "", "start with the lines 'entries:' and 'last:'")),
        # In entries whose names the file chooses, in the items of a list, and behind a reference.
        (
            "entries: {a: {siez: 1}}\nlast: {size: 1}",
            ("1:15", "unknown key 'siez' in entries.a", "", "Did you mean 'size'?"),
        ),
        (
            "entries: {a: {}}\nlast: {size: 1}",
            ("1:11", "the key 'size' is missing in entries.a", "size: bytes of it", "write for example  size: 8"),
        ),
        (
            f"{GOOD}rows: [{{size: 1}}, {{size: 0}}]",
            ("3:26", "rows[1].size is 0, but has to be at least 1", "size: bytes of it", "write for example  size: 8"),
        ),
        (f"{GOOD}rows: [{{size: 1}}]", ("3:1", "rows has 1 item, but needs at least 2", "rows: some rows", "")),
        (
            "entries: {}",
            (
                "1:1",
                "the key 'last' is missing",
                "last: the last one",
                "write for example  last: {size: 4, at: 0x00000010}",
            ),
        ),
        (
            "entries: {}\nlast: {size: 1, at: 256}",
            ("2:21", "last.at is 0x100, but has to be at most 0xff", "at: UART address", ""),
        ),
        (
            "entries: {a: {size: 1}, b: {size: 1}, c: {size: 1}, d: {size: 1}}\nlast: {size: 1}",
            (
                "1:1",
                "entries has 4 entries, but there can be no more than 3",
                "entries: entries by their names",
                "remove some of them",
            ),
        ),
        (
            f"{GOOD}at: 5",
            ("3:1", "unknown key 'at'", "", "'at' belongs to 'entries.<name>' or 'last': check the indentation"),
        ),
        (f"{GOOD}colour: 5", ("3:1", "unknown key 'colour'", "", "the keys here are 'entries', 'last' and 'rows'")),
        (
            "entries: {}\nlast: {size: 1, names: [a, b, a]}",
            ("2:17", "last.names names the text 'a' more than once", "names: what it is called", "remove one of them"),
        ),
    ],
)
def test_one_mistake(text: str, expected: tuple[str, str, str, str]) -> None:
    assert said(text) == [expected]


def test_a_remedy_takes_the_place_of_examples_but_not_of_better_advice() -> None:
    text = "entries: {a: {}}\nlast: {siez: 1}\ncolour: 5"
    assert [hint for *_, hint in said(text, "make it again")] == [
        "make it again",
        "make it again",
        "Did you mean 'size'?",
    ]


def test_all_mistakes_are_raised_in_the_order_of_the_file() -> None:
    text = "last: {size: 0, size: 1, at: &a 1}\nentries: {b: {size: x}, a: {}}\n"
    document = compose("f", text, BoardError)
    checked = hold(document, ROOT, document.value)
    further = [BoardError("another", where=Location("f", 2, 12))]
    with pytest.raises(ErrorGroup) as caught:
        checked.raise_mistakes(further)
    places = [str(error.where) for error in caught.value.errors]
    assert places == ["f:1:14", "f:1:17", "f:1:30", "f:2:12", "f:2:21", "f:2:25"]


def test_further_checks_see_what_is_right_and_nothing_else() -> None:
    text = "entries: {a: {size: 3.0, at: x}, b: {size: 2}}\nlast: {size: 1}\nrows: [{size: 1}, {size: -1}]\n"
    document = compose("f", text, BoardError)
    checked = hold(document, ROOT, document.value, "the remedy")
    assert checked.get("entries") is checked.get("entries", "a") is checked.get("entries", "a", "at") is None
    assert checked.get("entries", "a", "size") == 3 and type(checked.get("entries", "a", "size")) is int
    assert checked.get("entries", "b") == {"size": 2}
    assert checked.get("rows", 0) == {"size": 1} and checked.get("rows", 1) is None
    assert checked.get("last", "at") is checked.get("nothing", "at") is checked.get("last", "size", "at") is None
    assert checked.names("entries") == ("a", "b") and checked.names("entries", "a") == ("size", "at")
    assert checked.names("rows") == checked.names("nothing") == ()
    error = checked.error(("entries", "b", "at"), "nowhere")
    assert (str(error.where), error.what, error.hint) == ("f:1:34", "entries.b.at: nowhere", "the remedy")


# ---- lists without repetitions


VALUES = st.one_of(st.integers(-3, 3), st.booleans(), st.sampled_from([1.0, 2.0, 0.5, "1", "a", "true", None]))


def same(one: object, other: object) -> bool:
    """As JSON Schema compares: numbers by their value, but true is not 1."""
    return isinstance(one, bool) == isinstance(other, bool) and one == other


@given(st.lists(VALUES, max_size=12))
def test_the_first_repetition_is_found(items: list[Any]) -> None:
    expected = next((i for i, item in enumerate(items) if any(same(item, other) for other in items[:i])), None)
    assert repeated(items) == expected


def test_every_item_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of long lists, comparing all pairs took half a minute."""
    looked_at = []
    dumps = json.dumps

    def counted(value: Any, **options: Any) -> str:
        looked_at.append(value)
        return dumps(value, **options)

    monkeypatch.setattr(json, "dumps", counted)
    items = ", ".join(f"c{i}" if i % 2 else str(i) for i in range(4000))
    assert said(f"entries: {{}}\nlast: {{size: 1, names: [{items}]}}") == []
    assert len(looked_at) == 4000
