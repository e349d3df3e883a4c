"""What tests read from the ELF files that they build."""

from __future__ import annotations

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import Section, SymbolTableSection


def section(image: ELFFile, name: str) -> Section:
    """A section that has to be there."""
    found = image.get_section_by_name(name)
    assert found is not None, f"no section {name}"
    return found


def symbols(image: ELFFile) -> dict[str, int]:
    """Name -> value of all symbols: bit 0 of a function's is set in Thumb code."""
    table = section(image, ".symtab")
    assert isinstance(table, SymbolTableSection)
    return {symbol.name: symbol["st_value"] for symbol in table.iter_symbols()}
