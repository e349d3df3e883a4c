"""The `timing` section of board.yaml: every mistake is told when the board is loaded, with its place."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from approx_plugin.boards.loader import load_board
from approx_plugin.boards.timing import BoardTiming, Cache, MemoryTiming
from approx_plugin.cli import main
from approx_plugin.errors import ApproxError, BoardError, ErrorGroup, Location

BOARD = "nucleo-f446re"
FLASH = "origin: 0x08000000, length: 512K"


@pytest.fixture
def copy(root: Path, tmp_path: Path) -> Path:
    """A root that a test may spoil."""
    shutil.copytree(root / "board", tmp_path / "board")
    return tmp_path


@pytest.fixture
def timed(copy: Path) -> Callable[[str], BoardTiming | None]:
    """timed(section) -> the timing of a board whose board.yaml ends with this text."""

    def load(section: str) -> BoardTiming | None:
        file = copy / "board" / BOARD / "board.yaml"
        before = file.read_text(encoding="utf-8").partition("\n# What the virtual board needs")[0]
        before = before.partition("\ntiming:")[0].rstrip("\n")
        file.write_text(f"{before}\n\n{section}", encoding="utf-8")
        return load_board(BOARD, root=copy).timing

    return load


def mistakes(timed: Callable[[str], BoardTiming | None], section: str) -> list[ApproxError]:
    with pytest.raises((BoardError, ErrorGroup)) as caught:
        timed(section)
    found = caught.value.errors if isinstance(caught.value, ErrorGroup) else (caught.value,)
    for error in found:
        assert type(error) is BoardError
        assert isinstance(error.where, Location) and error.where.line and error.where.column
        assert error.hint
    return list(found)


def test_a_section_is_read_as_it_stands(timed: Callable[[str], BoardTiming | None]) -> None:
    found = timed(
        """\
timing:
  caches:
    one: {bytes: 1024, line_bytes: 16, ways: 2.0, source: a manual}
  memories:
    FLASH: {wait_states: 5, read_bytes: 16, prefetch: true, fetch_cache: one, source: {wait_states: a table,
      read_bytes: a figure, prefetch: "assumed", fetch_cache: a picture}}
    RAM: {port: system, source: a guess}
    CCM: {origin: 0x10000000, length: 64K, source: another manual}
"""
    )
    assert found is not None
    assert found.caches == {"one": Cache(1024, 16, 2)}
    assert type(found.caches["one"].ways) is int
    assert found.memories == (
        MemoryTiming("FLASH", 0x08000000, 512 << 10, 5, 16, True, fetch_cache="one"),
        MemoryTiming("RAM", 0x20000000, 128 << 10, port="system"),
        MemoryTiming("CCM", 0x10000000, 64 << 10),
    )
    assert found.references == {
        "one bytes": "a manual",
        "one line_bytes": "a manual",
        "one ways": "a manual",
        "FLASH wait_states": "a table",
        "FLASH read_bytes": "a figure",
        "FLASH prefetch": "assumed",
        "FLASH fetch_cache": "a picture",
        "RAM port": "a guess",
        "CCM origin": "another manual",
        "CCM length": "another manual",
    }


def test_a_board_may_say_nothing(timed: Callable[[str], BoardTiming | None]) -> None:
    assert timed("") is None
    assert timed("timing: {memories: {}}\n") == BoardTiming((), {})


MISTAKES = (
    # the section, what is said, and the text at its place
    ("  cash: {}\n  memories: {}\n", "unknown key 'cash' in timing", "cash"),
    ("  caches: {}\n", "the key 'memories' is missing in timing", "timing:"),
    ("  memories: []\n", "timing.memories is a list, but has to be a map", "memories"),
    ("  memories: {FLASH: 5}\n", "timing.memories.FLASH is the number 5, but has to be a map", "5"),
    ("  memories: {FLASH: {wait_states: -1, source: x}}\n", "wait_states is -1, but has to be at least 0", "-1"),
    ("  memories: {FLASH: {wait_states: 1e9, source: x}}\n", "but has to be at most 10000", "1e9"),
    ("  memories: {FLASH: {wait_states: true, source: x}}\n", "is true, but has to be an integer", "true"),
    ("  memories: {FLASH: {wait_states: 5 cycles, source: x}}\n", "the text '5 cycles', but has to be an int", "5 cy"),
    ("  memories: {FLASH: {prefetch: 1, source: x}}\n", "is the number 1, but has to be true or false", "1,"),
    ("  memories: {FLASH: {prefetch: true}}\n", "the key 'source' is missing in timing.memories.FLASH", "FLASH"),
    (
        "  memories: {FLASH: {read_bytes: 4, prefetch: true, source: {prefetch: x}}}\n",
        "timing.memories.FLASH.read_bytes: this number has no source",
        "4,",
    ),
    ("  memories: {FLASH: {read_bytes: 4, source: {read_byte: x}}}\n", "unknown key 'read_byte'", "read_byte:"),
    ("  memories: {FLASH: {wait_statess: 5, source: x}}\n", "unknown key 'wait_statess'", "wait_statess"),
    ("  memories: {FLASH: {read_bytes: 12, source: x}}\n", "the number 12, but has to be 0, 4, 8, 16,", "12"),
    ("  memories: {FLASH: {beat_bytes: 0, source: x}}\n", "the number 0, but has to be 1, 2, 4,", "0,"),
    ("  memories: {FLASH: {wait_states: 5, source: x}}\n", "wait_states stand there without read_bytes", "FLASH"),
    ("  memories: {FLASH: {fetch_cache: l1, source: x}}\n", "there is no cache 'l1'", "l1"),
    ("  memories: {FLASH: {port: '', source: x}}\n", "timing.memories.FLASH.port is empty", "''"),
    ("  memories: {FLASH: {source: ''}}\n", "timing.memories.FLASH.source is empty", "''"),
    ("  memories: {FLASH: {source: 5}}\n", "source is the number 5, but has to be a text or a map", "5"),
    ("  memories: {CCM: {wait_states: 0, source: x}}\n", "the board has no memory 'CCM'", "CCM"),
    ("  memories: {CCM: {origin: 0x10000000, source: x}}\n", "the board has no memory 'CCM'", "CCM"),
    ("  memories: {FLASH: {origin: -1, source: x}}\n", "is -0x1, but has to be at least 0x0", "-1"),
    ("  memories: {FLASH: {length: 4096M, source: x}}\n", "ends beyond the last address", "FLASH"),
    ("  memories: {}\n  caches: {l1: {bytes: 1024, ways: 2, source: x}}\n", "'line_bytes' is missing in", "l1"),
    (
        "  memories: {}\n  caches: {l1: {bytes: 1000, line_bytes: 32, ways: 2, source: x}}\n",
        "no cache has 2 ways of 32-byte lines in 1000 bytes",
        "l1",
    ),
    ("  memories: {}\n  caches: {l1: {bytes: 64, line_bytes: 12, ways: 2, source: x}}\n", "the number 12, but", "12"),
    ("  memories: {}\n  caches: {l1: {bytes: 64, line_bytes: 16, ways: 0, source: x}}\n", "is 0, but has to be", "0,"),
)


@pytest.mark.parametrize(("section", "message", "place"), MISTAKES, ids=[case[1][:40] for case in MISTAKES])
def test_a_mistake_has_its_place(
    section: str, message: str, place: str, timed: Callable[[str], BoardTiming | None], copy: Path
) -> None:
    (error,) = mistakes(timed, "timing:\n" + section)
    assert message in error.what
    assert isinstance(error.where, Location)
    file = copy / "board" / BOARD / "board.yaml"
    assert error.where.file == str(file)
    line = file.read_text(encoding="utf-8").splitlines()[error.where.line - 1]
    assert line[error.where.column - 1 :].startswith(place)


def test_the_advice_names_what_was_meant(timed: Callable[[str], BoardTiming | None]) -> None:
    section = """\
timing:
  caches: {icache: {bytes: 1024, line_bytes: 16, ways: 2, source: x}}
  memories:
    FLAHS: {source: x}
    RAM: {wait_statess: 5, data_cache: icahe, source: x}
"""
    found = {error.what: error.hint for error in mistakes(timed, section)}
    assert found["timing.memories.FLAHS: the board has no memory 'FLAHS'"] == "Did you mean 'FLASH'?"
    assert found["unknown key 'wait_statess' in timing.memories.RAM"] == "Did you mean 'wait_states'?"
    (error,) = mistakes(timed, section.replace("FLAHS", "FLASH").replace("wait_statess: 5, ", ""))
    assert error.hint == "Did you mean 'icache'?"
    (error,) = mistakes(timed, "timing: {wait_states: 5, memories: {}}\n")
    assert error.hint == "'wait_states' belongs to 'timing.memories.<name>': check the indentation"


def test_all_mistakes_at_once_with_those_of_the_rest_in_the_files_order(
    timed: Callable[[str], BoardTiming | None], copy: Path
) -> None:
    file = copy / "board" / BOARD / "board.yaml"
    text = file.read_text(encoding="utf-8").replace("origin: 0x20000000", "origin: 0x08000000").replace("hard", "hrad")
    file.write_text(text, encoding="utf-8")
    section = """\
timing:
  cash: {}
  memories:
    FLASH: {wait_states: -1, speed: 4, data_cache: l2, source: x}
    RAM: {fetch_cache: l1, source: x}
    RMA: {prefetch: 1, branch_wait: 2, source: {prefetch: x}}
"""
    found = mistakes(timed, section)
    assert [error.what.partition(" ")[0] for error in found] == [
        "float_abi",
        "memories[1].origin:",
        "unknown",
        "timing.memories.FLASH.wait_states",
        "unknown",
        "timing.memories.FLASH.data_cache:",
        "timing.memories.RAM.fetch_cache:",
        "timing.memories.RMA:",
        "timing.memories.RMA.prefetch",
        "timing.memories.RMA.branch_wait:",
    ]


def test_the_virtual_board_holds_only_so_many(timed: Callable[[str], BoardTiming | None]) -> None:
    regions = "".join(f"    M{i}: {{origin: {i}, length: 1, source: x}}\n" for i in range(17))
    caches = "".join(f"    c{i}: {{bytes: 64, line_bytes: 16, ways: 1, source: x}}\n" for i in range(5))
    first, second = mistakes(timed, f"timing:\n  caches:\n{caches}  memories:\n{regions}")
    assert first.what == "timing.caches has 5 entries, but there can be no more than 4"
    assert second.what == "timing.memories has 17 entries, but there can be no more than 16"


@pytest.mark.parametrize(
    ("file", "old", "new", "message", "place"),
    [
        ("nucleo-l4r5zi-single-bank", "read_bytes: 16\n", "read_bytes: 12\n", "is the number 12", "12"),
        ("nucleo-l4r5zi-single-bank", "line_bytes: 16", "line_bytes: 128", "4 ways of 128-byte lines", "data:"),
        # The base's source speaks of the base's value.
        (
            "nucleo-l4r5zi-single-bank",
            "read_bytes: 16\n",
            "wait_states: 99\n",
            "this number has the source of another value",
            "99",
        ),
        ("nucleo-l4r5zi", "prefetch: true", "prefetch: 1", "has to be true or false", "1"),
        ("nucleo-l4r5zi", "branch_wait: 1", "branch_wait: x", "the text 'x', but has to be an integer", "x"),
        ("nucleo-l4r5zi", "fetch_cache: instruction", "fetch_cache: l1", "there is no cache 'l1'", "l1"),
    ],
)
def test_a_mistake_in_a_board_of_two_files_is_placed_in_the_one_that_says_it(
    file: str, old: str, new: str, message: str, place: str, copy: Path
) -> None:
    path = copy / "board" / file / "board.yaml"
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(BoardError, match=message) as caught:
        load_board("nucleo-l4r5zi-single-bank", root=copy)
    where = caught.value.where
    assert isinstance(where, Location)
    assert where.file == str(path)
    assert path.read_text(encoding="utf-8").splitlines()[where.line - 1][where.column - 1 :].startswith(place)


@pytest.mark.parametrize("verb", ["generate", "report", "size", "check", "run", "verify", "bench"])
def test_every_verb_tells_it(
    verb: str, copy: Path, root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a misspelt key of approx.yaml, before any work."""
    monkeypatch.delenv("CMSIS_NN_PATH", raising=False)
    monkeypatch.setattr("approx_plugin.boards.loader.resource_root", lambda: copy)
    file = copy / "board" / BOARD / "board.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("wait_states: ", "wait_statess: ", 1), encoding="utf-8")
    spec = copy / "approx.yaml"
    spec.write_text(f"model: {root}/models/digits_cnn.tflite\nboard: {BOARD}\nmethod: none\n", encoding="utf-8")
    capsys.readouterr()
    assert main([verb, "--spec", str(spec)]) == 2
    message = capsys.readouterr().err
    assert f"{file}:" in message
    assert "unknown key 'wait_statess' in timing.memories.FLASH\n    do:  Did you mean 'wait_states'?" in message
    assert not (copy / "build").exists()
