"""What is flashed: a linked program as Intel HEX and as a plain image of its memory, and the linker's map beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.elffile import ELFFile

from approx_plugin.build.build import BuildResult

FOLDER = "Release"
"""Below the project: where the IDE builds that configuration too."""

_ALLOC = 0x2
_LONGEST = 16
"""Bytes of data in a record of Intel HEX."""

LARGEST = 64 << 20
"""Bytes that a plain image has at most: one across several memories would be nearly all gap."""


@dataclass(frozen=True)
class Piece:
    """Neighbouring bytes that are programmed. address: where they lie in flash."""

    address: int
    content: bytes


def outputs(built: BuildResult) -> Mapping[str, bytes]:
    """Path below the project -> content: `.elf`, `.hex`, `.map`, and `.bin` where that is not mostly a gap."""
    pieces = read_pieces(built.elf)
    stem = f"{FOLDER}/{built.elf.stem}"
    # Objects are named as in the build's folder: where that lies is nobody's business.
    listing = built.map_file.read_bytes().replace(f"{built.elf.parent}/".encode(), b"")
    files = {f"{stem}.elf": built.elf.read_bytes(), f"{stem}.hex": hex_text(pieces).encode(), f"{stem}.map": listing}
    image = plain_image(pieces)
    return files if image is None else {**files, f"{stem}.bin": image}


def read_pieces(elf: Path) -> tuple[Piece, ...]:
    """The sections of an ELF that are programmed, by their load addresses, in that order."""
    found = []
    with elf.open("rb") as stream:
        image = ELFFile(stream)
        segments = [segment.header for segment in image.iter_segments() if segment["p_type"] == "PT_LOAD"]
        for section in image.iter_sections():
            if not section["sh_flags"] & _ALLOC or section["sh_type"] == "SHT_NOBITS" or not section["sh_size"]:
                continue
            offset = section["sh_offset"]
            for segment in segments:
                if segment.p_offset <= offset < segment.p_offset + segment.p_filesz:
                    found.append(Piece(segment.p_paddr + offset - segment.p_offset, section.data()))
                    break
    return tuple(sorted(found, key=lambda piece: piece.address))


def plain_image(pieces: tuple[Piece, ...]) -> bytes | None:
    """All bytes from the first to the last one, zeros in the gaps; None for more than `LARGEST`, and for nothing."""
    if not pieces:
        return None
    first, end = pieces[0].address, max(piece.address + len(piece.content) for piece in pieces)
    if end - first > LARGEST:
        return None
    image = bytearray(end - first)
    for piece in pieces:
        start = piece.address - first
        image[start : start + len(piece.content)] = piece.content
    return bytes(image)


def hex_text(pieces: tuple[Piece, ...]) -> str:
    """The text of an Intel HEX file with extended linear addresses (records 00, 01 and 04)."""
    lines: list[str] = []
    upper = 0
    for address, content in _records(pieces):
        if address >> 16 != upper:
            upper = address >> 16
            lines.append(_record(0, 4, upper.to_bytes(2, "big")))
        lines.append(_record(address & 0xFFFF, 0, content))
    return "\n".join([*lines, _record(0, 1, b""), ""])


def _records(pieces: tuple[Piece, ...]) -> Iterator[tuple[int, bytes]]:
    """The data in parts of which none crosses a border of 64 KiB."""
    for piece in pieces:
        start = 0
        while start < len(piece.content):
            address = piece.address + start
            count = min(_LONGEST, len(piece.content) - start, 0x10000 - (address & 0xFFFF))
            yield address, piece.content[start : start + count]
            start += count


def _record(address: int, kind: int, content: bytes) -> str:
    body = bytes([len(content), address >> 8, address & 0xFF, kind]) + content
    return f":{(body + bytes([-sum(body) & 0xFF])).hex().upper()}"
