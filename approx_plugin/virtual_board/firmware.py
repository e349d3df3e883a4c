"""An ELF file as the virtual board loads it: bytes at addresses, symbols, the vector table."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from approx_plugin.boards.memory import Memory
from approx_plugin.errors import CapacityError, ToolError


@dataclass(frozen=True)
class Segment:
    """Bytes at the address where they lie before the start-up code copies them."""

    address: int
    content: bytes


@dataclass(frozen=True)
class Firmware:
    """A program for a Cortex-M.

    segments:  what the flash tool would write.
    functions: address by name, without the Thumb bit.
    starts, names: the functions by address, ascending.
    """

    path: Path
    segments: tuple[Segment, ...]
    functions: Mapping[str, int]
    starts: tuple[int, ...]
    names: tuple[str, ...]

    def function_at(self, address: int) -> str | None:
        """The name of the function whose start is the nearest below `address`."""
        index = bisect_right(self.starts, address) - 1
        return self.names[index] if index >= 0 else None

    def word(self, address: int) -> int | None:
        """The little-endian word at `address`, if a segment holds it."""
        for segment in self.segments:
            offset = address - segment.address
            if 0 <= offset <= len(segment.content) - 4:
                return int.from_bytes(segment.content[offset : offset + 4], "little")
        return None


def load_firmware(path: Path) -> Firmware:
    """Read an ELF file. Raises ToolError if there is none, or if it is none for a Cortex-M."""
    hint = "build the firmware again"
    try:
        with path.open("rb") as stream:
            elf = ELFFile(stream)
            if elf["e_machine"] != "EM_ARM" or elf.elfclass != 32 or not elf.little_endian:
                raise ToolError(
                    "this is no program for a Cortex-M", where=path, why=f"its machine is {elf['e_machine']}"
                )
            parts = [part for part in elf.iter_segments() if part["p_type"] == "PT_LOAD" and part["p_filesz"]]
            segments = tuple(Segment(part["p_paddr"], part.data()) for part in parts)
            short = any(len(segment.content) != part["p_filesz"] for segment, part in zip(segments, parts))
            functions = {
                symbol.name: symbol["st_value"] & ~1
                for section in elf.iter_sections()
                if isinstance(section, SymbolTableSection)
                for symbol in section.iter_symbols()
                if symbol["st_info"]["type"] == "STT_FUNC" and symbol["st_shndx"] != "SHN_UNDEF"
            }
    except OSError as error:
        raise ToolError(f"the firmware cannot be read: {error.strerror}", where=path, hint=hint) from error
    except (ELFError, KeyError, ValueError, TypeError, AttributeError, IndexError, OverflowError) as error:
        # pyelftools lets the errors of its parts through when a header points nowhere.
        raise ToolError(
            "the firmware is no ELF file, or a damaged one", where=path, why=str(error), hint=hint
        ) from error
    if short or not segments:
        raise ToolError("the firmware is damaged: it ends before its last segment", where=path, hint=hint)
    ordered = sorted((address, name) for name, address in functions.items())
    starts, names = tuple(a for a, _ in ordered), tuple(n for _, n in ordered)
    return Firmware(path, segments, functions, starts, names)


def check_fit(firmware: Firmware, memories: Sequence[Memory]) -> None:
    """Raise CapacityError unless every segment lies within one memory."""
    for segment in firmware.segments:
        end = segment.address + len(segment.content)
        if not any(m.origin <= segment.address and end <= m.origin + m.length for m in memories):
            known = ", ".join(f"{m.name} 0x{m.origin:08x}-0x{m.origin + m.length:08x}" for m in memories)
            raise CapacityError(
                f"0x{segment.address:08x}-0x{end:08x} of the firmware lies in no memory of the board",
                where=firmware.path,
                why=f"the board has {known}",
            )
