"""An ELF as the proof needs it: what lies at which address while the program runs, and where its functions begin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

SHF_ALLOC = 2


@dataclass(frozen=True, eq=False)
class Code:
    """image: (address, content) of every section that is loaded, where the running program finds it.

    functions: address by name, without the Thumb bit.
    """

    image: tuple[tuple[int, bytes], ...]
    functions: Mapping[str, int]

    def content(self, address: int) -> bytes:
        """The bytes from an address on, to the end of its section; none where there is nothing."""
        for start, content in self.image:
            if start <= address < start + len(content):
                return content[address - start :]
        return b""


def read_code(elf: Path) -> Code:
    """Read a program that the build has made."""
    with elf.open("rb") as stream:
        file = ELFFile(stream)
        image = tuple(
            (section["sh_addr"], section.data())
            for section in file.iter_sections()
            if section["sh_flags"] & SHF_ALLOC and section["sh_type"] != "SHT_NOBITS" and section["sh_size"]
        )
        functions = {
            symbol.name: symbol["st_value"] & ~1
            for section in file.iter_sections()
            if isinstance(section, SymbolTableSection)
            for symbol in section.iter_symbols()
            if symbol["st_info"]["type"] == "STT_FUNC" and symbol["st_shndx"] != "SHN_UNDEF"
        }
    return Code(image, functions)
