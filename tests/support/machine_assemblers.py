"""Object files from two assemblers, and what stands in their call frame information."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from elf import section
from elftools.dwarf.callframe import FDE
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection
from machine_blocks import FPUS


def gnu(text: str, folder: Path, core: str, name: str = "gnu") -> ELFFile:
    """What arm-none-eabi-gcc makes of a file, by way of the preprocessor as STM32CubeIDE does, without a warning."""
    if shutil.which("arm-none-eabi-gcc") is None:
        pytest.skip("needs arm-none-eabi-gcc")
    machine = (f"-mcpu={core}", "-mthumb", f"-mfpu={FPUS[core]}", "-mfloat-abi=hard")
    flags = ("-x", "assembler-with-cpp", "-Wall", "-Wextra", "-Werror", "-Wa,--fatal-warnings")
    return _made(["arm-none-eabi-gcc", *machine, *flags], text, folder, name)


def clang(text: str, folder: Path, core: str, name: str = "clang") -> ELFFile:
    """What clang's own assembler makes of it; skips where there is none for Arm."""
    found = next((c for c in ("clang", *(f"clang-{n}" for n in range(22, 12, -1))) if shutil.which(c)), None)
    if found is None:
        pytest.skip("needs clang")
    targets = subprocess.run([found, "--print-targets"], capture_output=True, text=True, check=False).stdout
    if "thumb" not in targets:
        pytest.skip("needs a clang for Arm")
    machine = ("-target", "arm-none-eabi", f"-mcpu={core}", "-mthumb", f"-mfpu={FPUS[core]}", "-mfloat-abi=hard")
    return _made([found, *machine, "-Werror"], text, folder, name)


def _made(command: list[str], text: str, folder: Path, name: str) -> ELFFile:
    source, target = folder / f"{name}.s", folder / f"{name}.o"
    source.write_text(text)
    done = subprocess.run([*command, "-c", str(source), "-o", str(target)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return ELFFile(target.open("rb"))


def code_sections(elf: ELFFile) -> dict[str, bytes]:
    """The code by section; empty ones left out."""
    return {s.name: s.data() for s in elf.iter_sections() if s.name.startswith(".text") and s.data()}


def unpadded(elf: ELFFile) -> dict[str, bytes]:
    """The code by section, without the NOP that one of the assemblers puts behind it."""
    return {name: code[:-2] if code.endswith(b"\x00\xbf") else code for name, code in code_sections(elf).items()}


def function_sizes(elf: ELFFile) -> dict[str, int]:
    """Bytes of every function that has a size."""
    table = section(elf, ".symtab")
    assert isinstance(table, SymbolTableSection)
    return {s.name: s["st_size"] for s in table.iter_symbols() if s["st_info"]["type"] == "STT_FUNC"}


def frame_rules(elf: ELFFile) -> list[list[dict[Any, Any]]]:
    """Of every function in .debug_frame, the rows of its table: pc (from the function's start), cfa and registers."""
    entries = elf.get_dwarf_info(relocate_dwarf_sections=False).CFI_entries()
    return [entry.get_decoded().table for entry in entries if isinstance(entry, FDE)]
