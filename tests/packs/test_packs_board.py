"""Any STM32 as a board: what is made of a pack's description, and what is said about it."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from digits_project import command_line, exact, write_spec
from pack_files import F4, G4, H7, SMALL, U5, write_device_pack, write_pdsc

from approx_plugin.boards.board import Board
from approx_plugin.boards.linker import linker_script
from approx_plugin.boards.loader import load_board
from approx_plugin.boards.memory import Memory
from approx_plugin.boards.startup import startup
from approx_plugin.cubeide.mcu import core_of
from approx_plugin.errors import BoardError, Location
from approx_plugin.kernels.costs.loader import FILE, board_costs
from approx_plugin.kernels.platform import Platform
from approx_plugin.packs.families import cores, families, family_of
from approx_plugin.packs.lookup import board_from, find_board, is_part
from approx_plugin.packs.store import Store
from approx_plugin.virtual_board.timing import load_timing

HERE = Location("approx.yaml", 3, 8)
GCC = shutil.which("arm-none-eabi-gcc")
QEMU = shutil.which("qemu-system-arm")


def board(folder: Path, families: str, name: str) -> Board:
    return board_from(write_pdsc(folder, families), name, HERE)


def test_g474(tmp_path: Path) -> None:
    found = board(tmp_path, G4, "STM32G474RETx")
    assert (found.id, found.name, found.mcu, found.series) == (
        "stm32g474retx",
        "STM32G474RETx",
        "STM32G474RETx",
        "STM32G4",
    )
    assert (found.core, found.fpu, found.float_abi, found.dsp) == ("cortex-m4", "fpv4-sp-d16", "hard", True)
    assert (found.define, found.clock_hz, found.reset_hz) == ("STM32G474xx", 170_000_000, 16_000_000)
    assert found.flash == Memory("FLASH", "flash", 0x08000000, 512 << 10)
    assert found.ram == Memory("RAM", "ram", 0x20000000, 128 << 10)
    assert found.emulator and found.emulator.machine == "mps2-an386"
    assert len(found.interrupts) == 102 and found.generic and found.printed_name == "genericBoard"
    assert "FLASH (rx) : ORIGIN = 0x08000000, LENGTH = 512K" in linker_script(found)


def test_what_reports_say(tmp_path: Path) -> None:
    said = " ".join(board(tmp_path, G4, "STM32G474RETx").notes)
    for words in ("NOT VALIDATED", "stm32g4.yaml", "Keil::STM32G4xx_DFP 2.0.0", "costs of NUCLEO-L4R5ZI"):
        assert words in said


def test_costs_are_those_of_the_nearest_calibrated_board(tmp_path: Path) -> None:
    found = board(tmp_path, G4, "STM32G474RETx")
    ours, lent = board_costs(found), board_costs(load_board("nucleo-l4r5zi"))
    assert ours and lent and ours == replace(lent, origin=ours.origin)
    assert "NUCLEO-L4R5ZI, in the place of STM32G474RETx" in ours.origin


def test_wait_states_are_the_familys(tmp_path: Path) -> None:
    timing = load_timing(board(tmp_path, G4, "STM32G474RETx"))
    flash, ram = timing.memories
    assert (flash.origin, flash.length, flash.wait_states, flash.read_bytes) == (0x08000000, 512 << 10, 6, 8)
    assert (ram.origin, ram.length) == (0x20000000, 128 << 10)


def test_the_pack_names_the_interrupts(tmp_path: Path) -> None:
    found = board_from(write_device_pack(tmp_path / "g4.pack"), "STM32G474RETx")
    assert len(found.interrupts) == 38
    text = startup(found)
    assert "USART1_IRQHandler" in text and ".cpu cortex-m4" in text


def test_our_own_table_names_the_interrupts(tmp_path: Path) -> None:
    text = G4.replace("STM32G474xx", "STM32F446xx")
    assert board(tmp_path, text, "STM32G474RETx").interrupts == load_board("nucleo-f446re").interrupts


def test_two_cores(tmp_path: Path) -> None:
    found = board(tmp_path, H7, "STM32H745ZITx")
    assert (found.core, found.fpu, found.dsp) == ("cortex-m7", "fpv5-d16", True)
    assert [(m.name, m.kind, m.origin) for m in found.memories] == [
        ("FLASH", "flash", 0x08000000),
        ("RAM", "ram", 0x24000000),
        ("DTCMRAM", "dtcm", 0x20000000),
    ]
    assert found.dtcm and any("cores CM7, CM4 the first" in note for note in found.notes)


def test_neighbours_are_one_memory_and_virtual_memory_is_none(tmp_path: Path) -> None:
    found = board(tmp_path, U5, "STM32U5A9NJHxQ")
    assert found.flash.length == 4 << 20
    assert (found.ram.origin, found.ram.length) == (0x20000000, 0x270000)
    assert len(found.memories) == 2


def test_memory_beside_the_main_one_is_kept(tmp_path: Path) -> None:
    found = board(tmp_path, F4, "STM32F407VGTx")
    assert [(m.name, m.origin) for m in found.memories[1:]] == [("RAM", 0x20000000), ("IRAM2", 0x10000000)]


@pytest.mark.parametrize(("name", "core"), [("STM32F103RE", "cortex-m3"), ("STM32G0B1RETx", "cortex-m0plus")])
def test_small_cores(tmp_path: Path, name: str, core: str) -> None:
    found = board(tmp_path, SMALL, name)
    assert (found.core, found.fpu, found.float_abi, found.dsp) == (core, "", "soft", False)
    assert found.timing is None and found.costs_from == ""
    assert any("no forecast" in note for note in found.notes)
    assert any("no DSP extension" in note for note in found.notes)
    assert Platform.of(found, "assembly").backend == "c"
    with pytest.raises(BoardError, match="no timing"):
        load_timing(found)


def test_a_core_without_kernels(tmp_path: Path) -> None:
    with pytest.raises(BoardError) as caught:
        board(tmp_path, SMALL, "STM32N657X0HxQ")
    assert all(word in str(caught.value) for word in ("approx.yaml:3:8", "Cortex-M55", "Cortex-M4", "do:"))


def test_another_name_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(BoardError) as caught:
        board(tmp_path, G4, "STM32G474REYx")
    assert all(word in str(caught.value) for word in ("2 parts", "Did you mean STM32G474RETx", "approx.yaml:3:8"))


def test_a_part_without_a_pack(tmp_path: Path) -> None:
    store = Store(tmp_path / "packs", tmp_path / "packs.lock")
    with pytest.raises(BoardError) as caught:
        find_board("STM32G474RETx", HERE, None, store)
    assert all(word in str(caught.value) for word in ("no board", "scons packs", "pdsc: <file>", "packs.lock"))
    with pytest.raises(BoardError, match="there is no board 'nucleo-x'"):
        find_board("nucleo-x", HERE, None, store)
    assert find_board("NUCLEO-F446RE", HERE, None, store) == load_board("nucleo-f446re")


def test_names_of_parts() -> None:
    assert is_part("STM32G474RETx") and is_part("stm32f446re")
    assert not is_part("nucleo-f446re") and not is_part("STM32") and not is_part("../STM32F446RE")


# ---- the data


@pytest.mark.parametrize("family", families(Path(__file__).parents[2]), ids=lambda family: family.name)
def test_families_fit_their_boards(family: object, root: Path) -> None:
    """Costs are of a board with the same core, and every start of a name is one that the IDE's table has."""
    from approx_plugin.packs.families import Family

    assert isinstance(family, Family)
    assert (root / "board" / family.costs / FILE).is_file()
    assert load_board(family.costs).core == family.core
    assert family.reset_hz < family.clock_hz
    assert {"FLASH"} <= set(family.section["memories"])
    for start in family.parts:
        assert core_of(f"{start}000000") == family.core
        assert family_of(f"{start}000") == family


def test_the_longest_start_decides() -> None:
    names = {"STM32L476RGTx": "stm32l4", "STM32L4R5ZITx": "stm32l4plus", "STM32U575ZITxQ": "stm32u5"}
    found = {name: family_of(name) for name in names}
    assert {name: family and family.name for name, family in found.items()} == names
    assert family_of("STM32F103RE") is None


def test_boards_of_ours_have_a_family() -> None:
    """So that a part of the same kind is timed alike: wait states of flash differ by what was said to be assumed."""
    for name in (
        "nucleo-f446re",
        "nucleo-f767zi",
        "nucleo-h743zi2",
        "nucleo-h7a3zi-q",
        "nucleo-l4r5zi",
        "nucleo-u575zi-q",
    ):
        ours = load_board(name)
        family = family_of(ours.mcu)
        assert family and ours.timing and family.core == ours.core
        flash = family.timing((ours.flash, replace(ours.ram, name="RAM"))).memories[0]
        mine = next(memory for memory in ours.timing.memories if memory.name == "FLASH")
        assert (flash.wait_states, flash.read_bytes, flash.beat_cycles) == (
            mine.wait_states,
            mine.read_bytes,
            mine.beat_cycles,
        ), name


def test_cores_are_known() -> None:
    for core in cores().values():
        assert not core.costs or load_board(core.costs).core == core.cpu


# ---- from the description to a program


def specified(folder: Path, families: str, part: str, **changes: object) -> None:
    path = write_pdsc(folder, families)
    write_spec(folder, exact(board={"device": part, "pdsc": path.name}, **changes))


@pytest.mark.skipif(not (GCC and QEMU), reason="needs arm-none-eabi-gcc and qemu-system-arm")
@pytest.mark.parametrize(
    ("families", "part"),
    [(G4, "STM32G474RETx"), (H7, "STM32H745ZITx"), (SMALL, "STM32F103RE"), (SMALL, "STM32G0B1RETx")],
    ids=["cortex-m4", "cortex-m7", "cortex-m3", "cortex-m0plus"],
)
def test_generated_built_run(tmp_path: Path, families: str, part: str) -> None:
    specified(tmp_path, families, part)
    done = command_line("verify", cwd=tmp_path)
    assert done.status == 0 and "5 of 5 inputs bit-exact" in done.text, done.text
    if families is G4:
        checked = command_line("check", cwd=tmp_path)
        assert checked.status == 0 and "no finding" in checked.text and "0 warnings" in checked.text, checked.text
    report = (tmp_path / "out" / "report.txt").read_text()
    assert part in report and "not a board of this tool" in report
    header = (tmp_path / "out" / "Drivers" / "BSP" / "device.h").read_text()
    assert f'"{part}"' in header
    readme = (tmp_path / "out" / "README.md").read_text()
    assert "device_start" in readme and "0 baud" not in readme


@pytest.mark.skipif(not GCC, reason="needs arm-none-eabi-gcc")
def test_bench_says_what_is_not_validated(tmp_path: Path) -> None:
    specified(tmp_path, G4, "STM32G474RETx")
    done = command_line("bench", cwd=tmp_path)
    assert done.status == 0, done.text
    assert "STM32G474RETx: NOT VALIDATED" in done.text and "STM32G474RETx, 170 MHz" in done.text


def test_mistakes_of_the_file_have_their_place(tmp_path: Path) -> None:
    write_spec(tmp_path, exact(board={"device": "STM32G474RETx", "pdsc": "missing.pdsc"}))
    done = command_line("generate", cwd=tmp_path)
    assert done.status == 2 and "board.pdsc" in done.text and "missing.pdsc" in done.text, done.text
