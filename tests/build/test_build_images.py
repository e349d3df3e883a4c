"""What is flashed: the same bytes as objcopy makes of the same program."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approx_plugin.build.images import LARGEST, Piece, hex_text, plain_image, read_pieces

SCRIPT = """\
MEMORY { FLASH (rx) : ORIGIN = 0x0800FFF0, LENGTH = 64K RAM (rwx) : ORIGIN = 0x20000000, LENGTH = 8K }
SECTIONS
{
    .text : { *(.text*) } > FLASH
    .constants : ALIGN(64) { *(.rodata*) } > FLASH
    .data : { *(.data*) } > RAM AT > FLASH
    .bss : { *(.bss*) } > RAM
}
"""
PROGRAM = """\
int changed = 7, empty[20];
const char text[45] = "constants";
int main(void) { return changed + empty[1] + text[2]; }
"""


def test_as_objcopy_makes_them(tmp_path: Path) -> None:
    for tool in ("arm-none-eabi-gcc", "arm-none-eabi-objcopy"):
        if shutil.which(tool) is None:
            pytest.skip(f"needs {tool}")
    (tmp_path / "x.ld").write_text(SCRIPT, encoding="utf-8")
    (tmp_path / "x.c").write_text(PROGRAM, encoding="utf-8")
    elf = tmp_path / "x.elf"
    command = [
        "arm-none-eabi-gcc",
        "-mcpu=cortex-m4",
        "-mthumb",
        "-nostdlib",
        "-T",
        "x.ld",
        "-Wl,-e,main",
        "x.c",
        "-o",
        "x.elf",
    ]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    for kind in ("ihex", "binary"):
        subprocess.run(["arm-none-eabi-objcopy", "-O", kind, str(elf), str(tmp_path / kind)], check=True)
    pieces = read_pieces(elf)
    assert plain_image(pieces) == (tmp_path / "binary").read_bytes()
    assert memory(hex_text(pieces)) == memory((tmp_path / "ihex").read_text(encoding="ascii"))
    assert len({address >> 16 for address in memory(hex_text(pieces))}) == 2, "the test is to cross a border of 64 KiB"


def memory(text: str) -> dict[int, int]:
    """Address -> byte of an Intel HEX file; every record's checksum is right."""
    found: dict[int, int] = {}
    base = 0
    for line in text.split():
        record = bytes.fromhex(line[1:])
        assert line[0] == ":" and sum(record) & 0xFF == 0 and len(record) == record[0] + 5
        address, kind, content = int.from_bytes(record[1:3], "big"), record[3], record[4:-1]
        if kind == 4:
            base = int.from_bytes(content, "big") << 16
        elif kind == 0:
            assert address + len(content) <= 0x10000
            found.update({base + address + i: byte for i, byte in enumerate(content)})
    return found


@given(st.lists(st.tuples(st.integers(0, 0xFFFF_0000), st.binary(min_size=1, max_size=70)), max_size=5))
def test_no_byte_is_lost(drawn: list[tuple[int, bytes]]) -> None:
    pieces = tuple(Piece(address, content) for address, content in sorted(drawn))
    expected = {piece.address + i: byte for piece in pieces for i, byte in enumerate(piece.content)}
    assert memory(hex_text(pieces)) == expected


def test_what_would_be_mostly_a_gap_is_no_image() -> None:
    assert plain_image((Piece(0x0800_0000, b"a"), Piece(0x0800_0000 + LARGEST, b"b"))) is None
    assert plain_image((Piece(4, b"a"), Piece(7, b"bc"))) == b"a\0\0bc"
    assert plain_image(()) is None
