"""board.yaml: what is in the repository is right, and what is wrong is said, all of it, with its place."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft7Validator

from approx_plugin.boards.board import Board, Console, ReadyFlag
from approx_plugin.boards.description import merged
from approx_plugin.boards.linker import emulator_linker_script
from approx_plugin.boards.loader import known_boards, load_board
from approx_plugin.boards.memory import Memory
from approx_plugin.boards.sources import board_sources, core_sources, emulator_sources
from approx_plugin.boards.startup import handlers
from approx_plugin.documents.reader import read
from approx_plugin.errors import BoardError, ErrorGroup, Location

HERE = Location("approx.yaml", 3, 8)
ALL = (
    "ideal-cortex-m33",
    "ideal-cortex-m4",
    "ideal-cortex-m7",
    "nucleo-f446re",
    "nucleo-f767zi",
    "nucleo-h743zi2",
    "nucleo-h7a3zi-q",
    "nucleo-l4r5zi",
    "nucleo-l4r5zi-single-bank",
    "nucleo-u575zi-q",
)


@pytest.fixture
def copy(root: Path, tmp_path: Path) -> Path:
    """A root that a test may spoil."""
    shutil.copytree(root / "board", tmp_path / "board")
    return tmp_path


def spoil(copy: Path, old: str, new: str, board_id: str = "nucleo-u575zi-q") -> Path:
    file = copy / "board" / board_id / "board.yaml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    return file


def messages(copy: Path, board_id: str = "nucleo-u575zi-q") -> list[BoardError]:
    with pytest.raises((BoardError, ErrorGroup)) as caught:
        load_board(board_id, HERE, copy)
    errors = caught.value.errors if isinstance(caught.value, ErrorGroup) else (caught.value,)
    assert all(type(error) is BoardError and error.hint for error in errors)
    return list(errors)  # type: ignore[arg-type]


def test_all_boards_are_known(root: Path) -> None:
    assert set(known_boards()) == set(ALL)
    assert known_boards() == known_boards(root) == tuple(sorted(known_boards()))


def test_schema_is_a_schema(root: Path) -> None:
    Draft7Validator.check_schema(json.loads((root / "schemas" / "board.schema.json").read_text()))


@pytest.mark.parametrize("board_id", ALL)
def test_files_keep_to_the_schema(root: Path, board_id: str) -> None:
    """With another YAML reader than the tool's own."""
    schema = json.loads((root / "schemas" / "board.schema.json").read_text())
    values = yaml.safe_load((root / "board" / board_id / "board.yaml").read_text())
    assert not list(Draft7Validator(schema).iter_errors(values))


def test_u575() -> None:
    board = load_board("nucleo-u575zi-q", HERE)
    assert (board.name, board.mcu, board.define) == ("NUCLEO-U575ZI-Q", "STM32U575ZITxQ", "STM32U575xx")
    assert (board.core, board.fpu, board.float_abi, board.dsp) == ("cortex-m33", "fpv5-sp-d16", "hard", True)
    assert board.clock_hz == 160_000_000
    assert board.flash == Memory("FLASH", "flash", 0x08000000, 2 << 20)
    assert board.ram == Memory("RAM", "ram", 0x20000000, 768 << 10)
    assert board.console == Console("USART1", "PA9/PA10", 115200, 0x40013828)
    assert board.cycle_counter == 0xE0001004
    assert ReadyFlag(0x40030404, 1, 0, "ICACHE_SR: BUSYF, no invalidation under way") in board.ready_flags
    assert board.ready_flags[0].value == board.ready_flags[0].mask == 2
    assert board.interrupts[61] == "USART1" and board.interrupts[28] is None
    assert (board.folder / "board.c").is_file()


# Core and FPU of each part, as its data sheet has it.
CORES = {
    "ideal-cortex-m33": ("STM32U575ZITxQ", "cortex-m33", "fpv5-sp-d16", 160, "mps2-an505"),
    "ideal-cortex-m4": ("STM32L4R5ZITx", "cortex-m4", "fpv4-sp-d16", 120, "mps2-an386"),
    "ideal-cortex-m7": ("STM32H743ZITx", "cortex-m7", "fpv5-d16", 480, "mps2-an500"),
    "nucleo-u575zi-q": ("STM32U575ZITxQ", "cortex-m33", "fpv5-sp-d16", 160, "mps2-an505"),
    "nucleo-l4r5zi": ("STM32L4R5ZITx", "cortex-m4", "fpv4-sp-d16", 120, "mps2-an386"),
    "nucleo-l4r5zi-single-bank": ("STM32L4R5ZITx", "cortex-m4", "fpv4-sp-d16", 120, "mps2-an386"),
    "nucleo-f446re": ("STM32F446RETx", "cortex-m4", "fpv4-sp-d16", 168, "mps2-an386"),
    "nucleo-f767zi": ("STM32F767ZITx", "cortex-m7", "fpv5-d16", 216, "mps2-an500"),
    "nucleo-h743zi2": ("STM32H743ZITx", "cortex-m7", "fpv5-d16", 480, "mps2-an500"),
    "nucleo-h7a3zi-q": ("STM32H7A3ZITxQ", "cortex-m7", "fpv5-d16", 280, "mps2-an500"),
}


@pytest.mark.parametrize("board_id", ALL)
def test_parts(board_id: str) -> None:
    board = load_board(board_id)
    assert board.emulator
    figures = (board.mcu, board.core, board.fpu, board.clock_hz // 1_000_000, board.emulator.machine)
    assert figures == CORES[board_id]


@pytest.mark.parametrize("board_id", ALL)
def test_names_of_handlers_are_unique(board_id: str) -> None:
    names = [name for name in handlers(load_board(board_id)) if name]
    assert len(names) == len(set(names))
    assert names[0] == "NMI_Handler" and "SysTick_Handler" in names and "USART1_IRQHandler" in names


@pytest.mark.parametrize("name", ["NUCLEO-U575ZI-Q", "nucleo-u575zi-q", "Nucleo-U575zi-q"])
def test_name_in_any_case(name: str) -> None:
    assert load_board(name, HERE).id == "nucleo-u575zi-q"


@pytest.mark.parametrize(
    ("name", "meant"), [("nucleo-u575zi", "nucleo-u575zi-q"), ("NUCLEO_L4R5ZI", "nucleo-l4r5zi"), ("zzz", "")]
)
def test_unknown_board(name: str, meant: str) -> None:
    with pytest.raises(BoardError) as caught:
        load_board(name, HERE)
    assert str(caught.value).startswith(f"approx.yaml:3:8: error: there is no board '{name}'")
    assert ("Did you mean" in caught.value.hint) == bool(meant)
    assert f"Did you mean '{meant}'? " in caught.value.hint or not meant
    assert all(board_id in caught.value.hint for board_id in ALL)


@pytest.mark.parametrize("name", ["", ".", "..", "common", "emulator", "../board/nucleo-l4r5zi", "nucleo-l4r5zi/"])
def test_no_board_outside_of_the_folders(name: str) -> None:
    with pytest.raises(BoardError):
        load_board(name, HERE)


def test_all_mistakes_at_once(copy: Path) -> None:
    file = spoil(copy, "core: cortex-m33", "core: cortex-m3")
    spoil(copy, "mcu: STM32U575ZITxQ\n", "")
    spoil(copy, "length: 16K", "length: 16KB")
    spoil(copy, "dsp: true", "dsp: yes\ncolour: white")
    found = messages(copy)
    texts = [error.what for error in found]
    assert len(found) == 5
    assert texts == [
        "the key 'mcu' is missing",
        "core is the text 'cortex-m3', but has to be 'cortex-m4', 'cortex-m7' or 'cortex-m33'",
        "dsp is the text 'yes', but has to be true or false",
        "unknown key 'colour'",
        "memories[2].length is the text '16KB', but has to be a number of bytes, or one with K (1024) or M (1024 K) "
        "behind it, as in 768K",
    ]
    assert found[1].where == Location(str(file), 5, 7)
    assert found[1].hint.startswith("Did you mean 'cortex-m")
    assert found[0].why == "mcu: the part, as STM32CubeIDE spells it"
    assert found[0].hint == "write for example  mcu: STM32U575ZITxQ"


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("name: NUCLEO-U575ZI-Q", "name: NUCLEO-U575", "the board's folder is 'nucleo-u575zi-q', but its name is"),
        ("kind: flash", "kind: ram", "there is no memory of kind flash"),
        ("name: SRAM4", "name: RAM", "two memories are called 'RAM'"),
        ("origin: 0x28000000", "origin: 0x20000100", "the memories 'RAM' and 'SRAM4' overlap"),
        ("interrupts: stm32u575xx", "interrupts: stm32u5", "there is no table of interrupts 'stm32u5'"),
        ("mask: 0x00000002", "mask: 0x00000002, value: 3", "the value 0x3 has bits outside of the mask 0x2"),
        ("clock_hz: 160000000", "clock_hz: 160 MHz", "clock_hz is the text '160 MHz', but has to be an integer"),
        ("clock_hz: 160000000", "clock_hz: 160000000\nclock_hz: 1000000", "the key 'clock_hz' stands here again"),
        ("origin: 0x28000000", "origin: 0x128000000", "origin is 0x128000000, but has to be at most 0xffffffff"),
        ("origin: 0x28000000", "origin: 0xFFFFF000", "memories[2].length: the memory ends beyond the last address"),
        ("length: 16M", "length: 4096M", "emulator.data.length: the memory ends beyond the last address"),
        ("dsp: true", "dsp: true\ndebug_port: swd", "unknown key 'debug_port'"),
        ("baud: 115200", "bauds: 115200", "unknown key 'bauds' in console"),
        ("mcu: STM32U575ZITxQ", "mcu: U575", "mcu is the text 'U575', but has to be STM32 and the letters and digits"),
        ("name: NUCLEO-U575ZI-Q", "name: [", ""),
        ("name: NUCLEO-U575ZI-Q", "\tname: x", ""),
    ],
)
def test_one_mistake(copy: Path, old: str, new: str, text: str) -> None:
    file = spoil(copy, old, new)
    found = messages(copy)
    assert any(text in error.what for error in found), [error.what for error in found]
    assert all(str(error.where).startswith(f"{file}:") for error in found)


@pytest.mark.parametrize("content", [b"", b"[]", b"7", b"\xff\xfe", b"name: \xe4", b"- a\nb: c"])
def test_no_description_at_all(copy: Path, content: bytes) -> None:
    (copy / "board" / "nucleo-u575zi-q" / "board.yaml").write_bytes(content)
    assert messages(copy)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", ["the file is empty"]),
        ("[]", ["the file is a list, but has to be a map"]),
        ("{}", ["the file is empty"]),
        ("-1: A\n0: B\n", ["unknown key '-1'"]),
        ("0: A\n00: B\n480: C\n", ["unknown key '00'", "unknown key '480'"]),
        ("0: [A]\n1: 'a b'\n9999: C\n", ["0 is a list", "1 is the text 'a b'", "unknown key '9999'"]),
        ("0: A\n0: B\n1:\n", ["the key '0' stands here again", "1 has no value"]),
    ],
)
def test_broken_table_of_interrupts(copy: Path, content: str, said: list[str]) -> None:
    file = copy / "board" / "common" / "interrupts" / "stm32u575xx.yaml"
    file.write_text(content)
    found = messages(copy)
    assert len(found) == len(said)
    for error, words in zip(found, said):
        assert error.what.startswith(words)
        assert str(error.where).startswith(str(file))


def test_mistakes_of_the_board_and_of_its_interrupts_are_told_together(copy: Path) -> None:
    (copy / "board" / "common" / "interrupts" / "stm32u575xx.yaml").write_text("0: A\nx: B\n")
    spoil(copy, "dsp: true", "dps: true")
    assert [error.what for error in messages(copy)] == ["unknown key 'x'", "unknown key 'dps'"]


def test_whole_numbers_in_any_spelling(copy: Path) -> None:
    spoil(copy, "clock_hz: 160000000", "clock_hz: 160.0e6")
    board = load_board("nucleo-u575zi-q", HERE, copy)
    assert board.clock_hz == 160_000_000 and type(board.clock_hz) is int


def test_board_without_an_emulator(copy: Path) -> None:
    file = copy / "board" / "nucleo-f446re" / "board.yaml"
    values = yaml.safe_load(file.read_text())
    values["emulator"] = None
    file.write_text(yaml.safe_dump(values))
    board = load_board("nucleo-f446re", HERE, copy)
    assert board.emulator is None
    with pytest.raises(BoardError, match="there is no emulator"):
        emulator_linker_script(board)


def test_a_board_can_be_a_key() -> None:
    assert {load_board("nucleo-l4r5zi"): 1}[load_board("nucleo-l4r5zi")] == 1


def test_new_fields_have_defaults() -> None:
    """A Board can be made without what only a real one has."""
    board = load_board("nucleo-l4r5zi")
    plain = Board(
        **{
            name: getattr(board, name)
            for name in Board.__dataclass_fields__
            if name
            not in ("console", "cycle_counter", "ready_flags", "interrupts", "timing", "based_on", "preparation")
        }
    )
    assert plain == replace(board, console=None, cycle_counter=None, ready_flags=(), interrupts=(), timing=None)


@pytest.mark.parametrize("board_id", ALL)
def test_sources(board_id: str) -> None:
    board = load_board(board_id)
    mine, emulated, core = board_sources(board), emulator_sources(), core_sources()
    assert set(emulated) >= {"Drivers/BSP/board.c", "Drivers/BSP/board.h"}
    assert set(mine) == {*emulated, "Drivers/BSP/stm32.c"}
    assert mine["Drivers/BSP/board.c"] != emulated["Drivers/BSP/board.c"]
    assert {"Core/Src/main.c", "Core/Src/syscalls.c", "Core/Src/sysmem.c", "Core/Inc/test_vectors.h"} <= set(core)
    assert all(path.is_file() for path in (*mine.values(), *emulated.values(), *core.values()))
    assert f'"{board.printed_name}"' in mine["Drivers/BSP/board.c"].read_text()


# ---- boards that are based on another


SINGLE = "nucleo-l4r5zi-single-bank"


def based(copy: Path, text: str, name: str = "NUCLEO-X") -> Path:
    """The file of a new board with this text behind its name."""
    folder = copy / "board" / name.lower()
    folder.mkdir()
    (folder / "board.yaml").write_text(f"name: {name}\n{text}")
    return folder / "board.yaml"


def test_what_a_board_does_not_say_is_its_bases() -> None:
    base, board = load_board("nucleo-l4r5zi"), load_board(SINGLE)
    assert (board.id, board.name) == (SINGLE, "NUCLEO-L4R5ZI-SINGLE-BANK")
    assert (base.based_on, base.preparation) == ("", "")
    assert board.based_on == base.id
    assert board.printed_name == base.printed_name == "NUCLEO-L4R5ZI"
    assert all(word in board.preparation for word in ("DBANK", "STM32CubeProgrammer", "RM0432"))
    own = {"id", "name", "folder", "timing", "based_on", "preparation"}
    assert {n for n in Board.__dataclass_fields__ if getattr(board, n) != getattr(base, n)} == own
    assert board.folder.name == SINGLE
    assert board_sources(board) == board_sources(base)
    assert [path.name for path in board.folder.glob("*.[ch]")] == []


def test_maps_merge_and_everything_else_replaces(copy: Path) -> None:
    timing = "timing: {caches: {data: {ways: 2, source: x}}, memories: {FLASH: {source: y}, RAM: {branch_wait: 3}}}\n"
    text = timing.replace("branch_wait: 3", "branch_wait: 3, source: {branch_wait: z, port: z}")
    based(copy, "based_on: nucleo-l4r5zi\nconsole: {baud: 9600}\nready_flags: []\nemulator: null\n" + text)
    base, board = load_board("nucleo-l4r5zi", root=copy), load_board("nucleo-x", root=copy)
    assert base.console and board.console == replace(base.console, baud=9600)
    assert board.ready_flags == () and board.emulator is None
    assert board.memories == base.memories
    assert board.preparation == ""
    assert base.timing and board.timing
    assert base.timing.caches["data"].ways == 4
    assert board.timing.caches == {**base.timing.caches, "data": replace(base.timing.caches["data"], ways=2)}
    flash, ram = base.timing.memories
    assert board.timing.memories == (flash, replace(ram, branch_wait=3))
    references = {name: said for name, said in base.timing.references.items() if not name.startswith("FLASH")}
    flash_references = {name: "y" for name in base.timing.references if name.startswith("FLASH")}
    data = {f"data {key}": "x" for key in ("bytes", "line_bytes", "ways")}
    assert board.timing.references == {
        **references,
        **flash_references,
        **data,
        "RAM branch_wait": "z",
        "RAM port": "z",
    }


@pytest.mark.parametrize(
    ("base", "text", "hint"),
    [
        ("nucleo-l4r5", "there is no board 'nucleo-l4r5' to be based on", "Did you mean 'nucleo-l4r5zi'? "),
        ("NUCLEO-L4R5ZI", "there is no board 'NUCLEO-L4R5ZI' to be based on", "Did you mean 'nucleo-l4r5zi'? "),
        ("common", "there is no board 'common' to be based on", "The other boards are: ideal-cortex-m33, "),
        ("../board/nucleo-l4r5zi", "there is no board '../board/nucleo-l4r5zi' to be based on", "nucleo-l4r5zi"),
        ("''", "there is no board '' to be based on", "The other boards are: "),
        ("nucleo-x", "the board 'nucleo-x' is based on itself", "name another board"),
        (SINGLE, f"the board '{SINGLE}' is itself based on another", f"name the board that '{SINGLE}' is based on"),
        ("7", "based_on is the number 7, but has to be a text", "write quotes around it"),
        ("null", "based_on has no value", "give it a value, or remove the key"),
        ("[nucleo-l4r5zi]", "based_on is a list, but has to be a text", "write for example  based_on: nucleo-l4r5zi"),
    ],
)
def test_no_base(copy: Path, base: str, text: str, hint: str) -> None:
    file = based(copy, f"based_on: {base}\n")
    (error,) = messages(copy, "nucleo-x")
    assert error.what == text
    assert hint in error.hint
    assert str(error.where) == f"{file}:2:{1 if base.startswith('[') else 11}"


def test_two_boards_cannot_be_based_on_each_other(copy: Path) -> None:
    based(copy, "based_on: nucleo-y\n")
    based(copy, "based_on: nucleo-x\n", "NUCLEO-Y")
    for one, other in (("nucleo-x", "nucleo-y"), ("nucleo-y", "nucleo-x")):
        assert [error.what for error in messages(copy, one)] == [f"the board '{other}' is itself based on another"]


def test_a_name_is_not_inherited(copy: Path) -> None:
    file = based(copy, "based_on: nucleo-l4r5zi\n")
    file.write_text("based_on: nucleo-l4r5zi\n")
    (error,) = messages(copy, "nucleo-x")
    assert error.what == "the key 'name' is missing"
    assert str(error.where).startswith(f"{file}:1:")


def test_a_board_of_its_own_still_has_to_say_everything(copy: Path) -> None:
    based(copy, "preparation: Nothing, really.\n")
    found = [error.what for error in messages(copy, "nucleo-x")]
    assert len(found) == 15
    assert "the key 'memories' is missing" in found


@pytest.mark.parametrize(
    ("text", "what", "line", "column"),
    [
        ("clock_hz: 120 MHz\n", "clock_hz is the text '120 MHz', but has to be an integer", 3, 11),
        ("console: {baud: 300}\n", "console.baud is 300, but has to be at least 1200", 3, 17),
        ("console: {bauds: 9600}\n", "unknown key 'bauds' in console", 3, 11),
        ("memories: [{name: FLASH}]\n", "memories has 1 item, but needs at least 2", 3, 1),
        ("interrupts: stm32l4\n", "interrupts: there is no table of interrupts 'stm32l4'", 3, 13),
        ("preparation: ' '\n", "preparation is the text ' ', but has to be some words", 3, 14),
        ("dsp: true\ndsp: false\n", "the key 'dsp' stands here again", 4, 1),
    ],
)
def test_mistakes_of_the_own_file(copy: Path, text: str, what: str, line: int, column: int) -> None:
    file = based(copy, "based_on: nucleo-l4r5zi\n" + text)
    error = messages(copy, "nucleo-x")[0]
    assert error.what == what
    assert error.where == Location(str(file), line, column)


def test_all_mistakes_of_the_own_file_at_once(copy: Path) -> None:
    based(copy, "based_on: nucleo-l4r5zi\ncolour: white\ndsp: yes\ndsp: no\nmcu: x\n")
    assert len(messages(copy, "nucleo-x")) == 4


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("core: cortex-m4", "core: cortex-m3", "core is the text 'cortex-m3', but has to be"),
        ("dsp: true", "dsp: true\ndsp: true", "the key 'dsp' stands here again"),
        ("interrupts: stm32l4r5xx", "interrupts: stm32l4", "there is no table of interrupts 'stm32l4'"),
        ("origin: 0x20000000", "origin: 0x08000000", "the memories 'FLASH' and 'RAM' overlap"),
        ("dsp: true\n", "", "the key 'dsp' is missing"),
        ("name: NUCLEO-L4R5ZI", "name: [", ""),
    ],
)
def test_mistakes_of_the_base_stand_in_its_file(copy: Path, old: str, new: str, text: str) -> None:
    file = spoil(copy, old, new, "nucleo-l4r5zi")
    found = messages(copy, SINGLE)
    assert any(text in error.what for error in found), [error.what for error in found]
    assert all(str(error.where).startswith(f"{file}:") for error in found)


def test_a_place_is_that_of_the_file_that_says_the_value(copy: Path) -> None:
    based(copy, "based_on: nucleo-l4r5zi\ntiming:\n  memories:\n    FLASH: {read_bytes: 16}\nready_flags:\n  - 1\n")
    own = merged(
        read(copy / "board" / "nucleo-x" / "board.yaml", BoardError),
        read(copy / "board" / "nucleo-l4r5zi" / "board.yaml", BoardError),
    )

    def folder_of(*keys: str | int) -> tuple[str, int]:
        where = own.where(keys)
        return Path(where.file).parent.name, where.line

    assert folder_of("timing", "memories", "FLASH", "read_bytes") == ("nucleo-x", 5)
    assert folder_of("timing", "memories", "FLASH") == ("nucleo-x", 5)
    assert folder_of("timing", "memories", "FLASH", "speed") == ("nucleo-x", 5)
    assert folder_of("timing", "memories", "FLASH", "prefetch")[0] == "nucleo-l4r5zi"
    assert folder_of("timing", "caches", "data", "speed")[0] == "nucleo-l4r5zi"
    # Nothing of a value that was replaced is left.
    assert folder_of("ready_flags", 0, "mask") == ("nucleo-x", 7)
    assert folder_of("ready_flags", 2) == ("nucleo-x", 6)
    assert folder_of("name") == ("nucleo-x", 1)
    assert folder_of("colour") == ("nucleo-x", 1)
