"""A core's table: what the three that there are say, and what is said about one that is wrong."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from approx_plugin.cores.core import CORES, load_core, read_core
from approx_plugin.cores.kinds import KINDS
from approx_plugin.errors import ApproxError, BoardError, ErrorGroup, Location

M4 = (CORES / "cortex-m4.yaml").read_text(encoding="utf-8")
AGAIN = "compare it with cores/cortex-m4.yaml"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A table that a test may spoil."""
    file = tmp_path / "cortex-m4.yaml"
    file.write_text(M4, encoding="utf-8")
    return file


def mistakes(file: Path) -> list[ApproxError]:
    with pytest.raises((BoardError, ErrorGroup)) as caught:
        read_core(file)
    found = caught.value.errors if isinstance(caught.value, ErrorGroup) else (caught.value,)
    for error in found:
        assert type(error) is BoardError
        assert isinstance(error.where, Location) and error.where.file == str(file)
        assert error.hint
    return list(found)


def test_a_row_is_the_defaults_with_what_it_says_itself() -> None:
    core = load_core("cortex-m4")
    assert tuple(core.kinds) == KINDS
    load, multiple = core.kinds["load"], core.kinds["load_multiple"]
    assert (load.numbers["cycles"], load.numbers["source"], load.numbers["from_load"]) == (1, 1, 0)
    assert load.tail == {"other": 1, "load_multiple": 1, "store_multiple": 1}
    assert (load.unit, load.follow, core.kinds["add"].follow) == ("load", "load", "other")
    assert (multiple.numbers["words_per_cycle"], multiple.numbers["result"]) == (1, 1)
    assert load.reference.startswith("Arm Cortex-M4 Technical Reference Manual")
    assert core.references["branch taken"].startswith("trm: 1 + P")
    assert core.pairs["alu"] == core.pairs["load"] == {"it"}
    assert (core.numbers["one_block"], core.numbers["predictor"], core.numbers["taken"]) == (1, 0, 2)
    assert core.fetch_ahead == 2
    assert load_core("cortex-m7").numbers["predictor"] == 1
    assert load_core("cortex-m7").pairs["shift"] == {"alu", "multiply", "load", "store", "branch", "float"}


def test_a_copy_is_the_same_table(table: Path) -> None:
    assert vars(read_core(table)) == vars(load_core("cortex-m4"))


@pytest.mark.parametrize(
    ("old", "new", "place", "said", "advice"),
    [
        ("  it: {unit: it}\n", "", "kinds:", "the key 'it' is missing in kinds", AGAIN),
        ("  nop: {unit", "  npo: {unit", "npo:", "unknown key 'npo' in kinds", "Did you mean 'nop'?"),
        ("it: {unit: it}", "it: {unit: its}", "its", "unit is the text 'its', but has to be", "Did you mean 'it'?"),
        ("it: {unit: it}", "it: {unti: it}", "unti", "unknown key 'unti' in kinds.it", "Did you mean 'unit'?"),
        ("it: {unit: it}", "it: {}", "it: {}", "kinds.it: the row says nothing about 'unit', and", AGAIN),
        ("it: {unit: it}", "it: it", "it", "kinds.it is the text 'it', but has to be a map", AGAIN),
        ("nop: {unit: nop}", "nop: {unit: nop, cycles: -1}", "-1", "kinds.nop.cycles is -1, but has to be at", AGAIN),
        ("nop: {unit: nop}", "nop: {unit: nop, result: 1000}", "1000", "result is 1000, but has to be at", AGAIN),
        ("nop: {unit: nop}", "nop: {unit: nop, cycles: one}", "one", "the text 'one', but has to be an int", AGAIN),
        ("nop: {unit: nop}", "nop: {unit: nop, from: trn}", "trn", "there is no source 'trn'", "Did you mean 'trm'?"),
        ("nop: {unit: nop}", "nop: {unit: nop, from: book}", "book", "there is no source 'book'", "the sources are"),
        ("nop: {unit: nop}", "nop: {unit: nop, tail: {loads: 1}}", "loads", "unknown key 'loads'", "Did you mean"),
        ("  any: [it]", "  any: [it, it]", "any", "pairing.any names the text 'it' more than once", "remove one"),
        (
            "  any: [it]",
            "  any: [its]",
            "its]",
            "pairing.any[0] is the text 'its', but has to be",
            "Did you mean 'it'?",
        ),
        ("  any: [it]", "  aul: [it]", "aul", "unknown key 'aul' in pairing", "Did you mean 'alu'?"),
        ("  narrow: true\n", "", "pairing", "the key 'narrow' is missing in pairing", AGAIN),
        ("  narrow: true\n", "  narrow: 1\n", "1", "pairing.narrow is the number 1, but has to be true or", AGAIN),
        ('value: 2, from: "trm: 1', 'vlaue: 2, from: "trm: 1', "vlaue", "unknown key 'vlaue'", "Did you mean 'value'"),
        ("bits_per_cycle: 3, ", "bits_per_cycle: 0, ", "0", "bits_per_cycle is 0, but has to be at least 1", AGAIN),
        ("unaligned: {load: 1, ", "unaligned: {", "unaligned", "the key 'load' is missing in unaligned", AGAIN),
        ("fetch_ahead: {value: 2, ", "fetch_ahead: {", "fetch_ahead", "the key 'value' is missing in fetch", AGAIN),
        ("cycles: 1, source: 1, early", "source: 1, early", "it:", "says nothing about 'cycles', and", AGAIN),
    ],
)
def test_a_mistake_is_said_with_its_place_and_what_to_do(
    old: str, new: str, place: str, said: str, advice: str, table: Path
) -> None:
    assert M4.count(old) == 1
    table.write_text(M4.replace(old, new), encoding="utf-8")
    error = mistakes(table)[0]
    assert said in error.what
    assert error.hint.startswith(advice)
    assert isinstance(error.where, Location)
    line = table.read_text(encoding="utf-8").splitlines()[error.where.line - 1]
    assert line[error.where.column - 1 :].startswith(place)


def test_all_mistakes_at_once_in_the_files_order(table: Path) -> None:
    text = M4.replace("fetch_ahead: {value: 2", "fetch_ahead: {value: -2").replace("unit: it}", "unit: its}")
    table.write_text(text.replace("narrow: true", "narow: true") + "colour: red\n", encoding="utf-8")
    said = [error.what.partition(" ")[0] for error in mistakes(table)]
    assert said == ["kinds.it.unit", "unknown", "fetch_ahead.value", "unknown"]


@pytest.mark.parametrize("content", [b"", b"[]", b"sources: {a: b}\n", b"a: [", b"\xff"])
def test_what_is_no_table_at_all(content: bytes, table: Path) -> None:
    table.write_bytes(content)
    assert mistakes(table)


def test_no_table_and_a_pipe_in_its_place(tmp_path: Path) -> None:
    assert mistakes(tmp_path / "nothing.yaml")[0].what == "there is no such file"
    os.mkfifo(tmp_path / "pipe.yaml")
    assert "it is a pipe" in mistakes(tmp_path / "pipe.yaml")[0].what
