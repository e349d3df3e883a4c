"""Loading ELF files: what is in them, and files that are none or damaged."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from approx_plugin.boards.loader import load_board
from approx_plugin.errors import ApproxError, ToolError
from approx_plugin.virtual_board.firmware import load_firmware
from approx_plugin.virtual_board.simulation import simulate

SOURCE = "static int value = 3;\nvoid board_exit(int s) { (void)s; for (;;) {} }\nint main(void) { return value; }\n"


@pytest.fixture
def elf(build: Callable[..., Path]) -> Path:
    return build(load_board("nucleo-f446re"), c=SOURCE)


def test_segments_functions_and_vectors(elf: Path) -> None:
    firmware = load_firmware(elf)
    assert {"main", "reset", "board_exit"} <= set(firmware.functions)
    assert not firmware.functions["main"] & 1
    assert firmware.function_at(firmware.functions["reset"] + 2) == "reset"
    assert firmware.function_at(0) is None
    assert firmware.word(0x08000000) == 0x20000000 + 64 * 1024
    assert firmware.word(0x08000004) == firmware.functions["reset"] | 1
    assert firmware.word(0x20000000) is None


@pytest.mark.parametrize("content", [b"", b"\x7fELF", b"no ELF at all" * 100])
def test_no_elf(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.elf").write_bytes(content)
    with pytest.raises(ToolError, match="no ELF file, or a damaged one"):
        load_firmware(tmp_path / "x.elf")


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="cannot be read: No such file"):
        load_firmware(tmp_path / "x.elf")
    with pytest.raises(ToolError, match="cannot be read"):
        load_firmware(tmp_path)


def test_a_program_for_the_host() -> None:
    program = shutil.which("true")
    if not program:
        pytest.skip("needs a program of the host")
    with pytest.raises(ToolError, match="no program for a Cortex-M"):
        load_firmware(Path(program))


def test_no_vector_table(build: Callable[..., Path]) -> None:
    board = load_board("nucleo-f446re")
    elf = build(board, c=SOURCE, memories=(board.ram, board.ram), name="elsewhere")
    with pytest.raises(ToolError, match="no vector table where the core looks"):
        simulate(elf, board)


def test_damaged_files_are_mistakes_of_the_user(elf: Path, tmp_path: Path) -> None:
    """Either way has to be taken often enough to mean something."""
    refused, loaded = [], []
    path = tmp_path / "damaged.elf"

    @settings(max_examples=150, deadline=None)
    @given(data=st.data())
    def check(data: st.DataObject) -> None:
        content = bytearray(elf.read_bytes())
        if data.draw(st.booleans()):
            del content[data.draw(st.integers(0, len(content) - 1)) :]
        for _ in range(data.draw(st.integers(0, 4))):
            if content:
                # The headers of the file, its segments and its sections are where damage hurts.
                near = data.draw(st.sampled_from([range(0, 200), range(len(content) - 800, len(content))]))
                position = data.draw(st.integers(max(0, near.start), min(len(content), near.stop) - 1)) % len(content)
                content[position] = data.draw(st.integers(0, 255))
        path.write_bytes(content)
        try:
            firmware = load_firmware(path)
        except ApproxError as error:
            assert str(path) in str(error)
            refused.append(error)
        else:
            assert firmware.segments
            loaded.append(firmware)

    check()
    assert len(refused) >= 15 and len(loaded) >= 5


def test_a_damaged_program_ends_with_a_message(elf: Path) -> None:
    board = load_board("nucleo-f446re")
    firmware = load_firmware(elf)
    content = bytearray(elf.read_bytes())
    start = content.index(firmware.segments[0].content[:64])
    ways = Counter[str]()
    for offset in range(8, 60, 2):
        damaged = content.copy()
        damaged[start + offset : start + offset + 2] = b"\xff\xff"
        path = elf.with_suffix(".damaged")
        path.write_bytes(damaged)
        try:
            found = simulate(path, board, limit=10_000)
        except ApproxError as error:
            assert str(error)
            ways["refused"] += 1
        else:
            ways[found.ended] += 1
    assert ways["refused"] > 0 and set(ways) <= {"refused", "symbol", "loop", "limit"}
