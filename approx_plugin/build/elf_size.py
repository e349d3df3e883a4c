"""How large a linked program is, by section, by symbol and by the source that each byte came from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

_WRITE, _ALLOC = 0x1, 0x2
PADDING = "(padding)"


@dataclass(frozen=True)
class Size:
    """All in bytes.

    text, data, bss: as GNU size counts them (constants are text; heap and stack reserves are bss).
    sections:        section -> size, those that take memory on the target.
    flash_by_source: source below the project, or library ("libc_nano.a"), or "(padding)" -> bytes in flash.
                     The values add up to `flash_bytes`.
    ram_by_source:   the same for memory at run time; the values add up to `ram_bytes`.
    symbols:         function or object -> size.
    """

    text: int
    data: int
    bss: int
    sections: Mapping[str, int]
    flash_by_source: Mapping[str, int]
    ram_by_source: Mapping[str, int]
    symbols: Mapping[str, int]

    @property
    def flash_bytes(self) -> int:
        """What is programmed: code, constants, initial values."""
        return sum(self.flash_by_source.values())

    @property
    def ram_bytes(self) -> int:
        """What is occupied at run time, reserves for heap and stack included."""
        return sum(self.ram_by_source.values())


@dataclass(frozen=True)
class _Section:
    name: str
    size: int
    flash: bool
    ram: bool
    kind: str


def measure(elf: Path, map_file: Path, sources: Mapping[str, str]) -> Size:
    """The size of a linked program.

    map_file: the linker's map of the same link. sources: object file, as the map names it -> source.
    """
    with elf.open("rb") as stream:
        image = ELFFile(stream)
        sections = tuple(_sections(image))
        table = image.get_section_by_name(".symtab")
        symbols = {
            symbol.name: int(symbol["st_size"])
            for symbol in (table.iter_symbols() if isinstance(table, SymbolTableSection) else ())
            if symbol["st_size"] and symbol["st_info"]["type"] in ("STT_FUNC", "STT_OBJECT")
        }
    parts = _parts(map_file.read_text(encoding="utf-8", errors="replace"), sources)
    kinds = {kind: sum(s.size for s in sections if s.kind == kind) for kind in ("text", "data", "bss")}
    return Size(
        **kinds,
        sections={s.name: s.size for s in sections},
        flash_by_source=_total((s for s in sections if s.flash), parts),
        ram_by_source=_total((s for s in sections if s.ram), parts),
        symbols=dict(sorted(symbols.items())),
    )


def _sections(image: ELFFile) -> Iterable[_Section]:
    segments = [s.header for s in image.iter_segments() if s["p_type"] == "PT_LOAD"]
    for section in image.iter_sections():
        flags, size, address = section["sh_flags"], int(section["sh_size"]), section["sh_addr"]
        if not flags & _ALLOC or not size:
            continue
        empty = section["sh_type"] == "SHT_NOBITS"
        moved = any(
            s.p_vaddr <= address < s.p_vaddr + s.p_memsz and s.p_vaddr != s.p_paddr and not empty for s in segments
        )
        # The arrays of constructors are writable for the linker but stay in flash.
        writable = bool(flags & _WRITE) and not section.name.endswith("_array")
        kind = "bss" if empty else "data" if flags & _WRITE else "text"
        yield _Section(section.name, size, not empty, empty or moved or writable, kind)


def _total(sections: Iterable[_Section], parts: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    """Bytes by source over some sections. What no input section accounts for is the linker's padding."""
    total: dict[str, int] = {}
    for section in sections:
        known = parts.get(section.name, {})
        for source, size in known.items():
            total[source] = total.get(source, 0) + size
        total[PADDING] = total.get(PADDING, 0) + section.size - sum(known.values())
    return {source: size for source, size in sorted(total.items()) if size}


_OUTPUT = re.compile(r"^(\.?[\w.$-]+)(?:\s+0x[0-9a-f]+\s+0x[0-9a-f]+.*)?$")
_INPUT = re.compile(r"^ (\S+)?\s+0x([0-9a-f]+)\s+0x([0-9a-f]+) (\S.*)$")
_LIBRARY = re.compile(r"([^/]+\.a)\(.*\)$")


def _parts(text: str, sources: Mapping[str, str]) -> dict[str, dict[str, int]]:
    """Output section -> source -> bytes, from a GNU ld map file.

    A line in the first column opens an output section; an indented line with address, size and file is an input
    section in it (its name stands on a line before if it is long).
    """
    found: dict[str, dict[str, int]] = {}
    body = text.split("Linker script and memory map", 1)[-1]
    current: dict[str, int] = {}
    for line in body.splitlines():
        opened = _OUTPUT.match(line)
        if opened:
            current = found.setdefault(opened.group(1), {})
            continue
        piece = _INPUT.match(line)
        if not piece or piece.group(1) == "*fill*":
            continue
        size, file = int(piece.group(3), 16), piece.group(4)
        library = _LIBRARY.search(file)
        source = sources.get(file) or (library.group(1) if library else Path(file).name)
        current[source] = current.get(source, 0) + size
    return found
