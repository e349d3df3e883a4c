"""What a CMake project says of itself, as STM32CubeMX and people write them: read from its files' text.

CMake is a programming language; what cannot be read here (a compiler flag that is put together from variables, say) is
taken from the .ioc file where there is one, or else said to be missing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from approx_plugin.cubeide.mcu import CORES, FPUS, core_of
from approx_plugin.errors import ProjectError
from approx_plugin.merging.host import Machine, ioc_of, mcu_of_ioc

_COMMENT = re.compile(r"#[^\n]*")
_SCRIPT = re.compile(r"""-T[\s"',\\]*([^\s"'\\]*\.(?:ld|lds))""")
_PROJECT = re.compile(r"(?im)^\s*project\s*\(\s*([\w.\-${}]+)")
_NAME = re.compile(r"(?im)^\s*set\s*\(\s*CMAKE_PROJECT_NAME\s+\"?([\w.\-]+)\"?")
_PREFIX = re.compile(r"^(?:\$\{(?:CMAKE|PROJECT)(?:_CURRENT)?_SOURCE_DIR\}|\.)/")
_DEFINITION = re.compile(r"\b(STM32[A-Z]\w+xx[A-Z]?|CMSIS_NN_\w+)\b")


@dataclass(frozen=True)
class CMakeProject:
    """name; machine; script: linker script below the root, "" if it is not found; definitions: those that matter."""

    name: str
    machine: Machine
    script: str
    definitions: tuple[str, ...]


def build_files(root: Path) -> list[Path]:
    """The files that a CubeMX project is built by, those of them that are there; presets name the tool chain's."""
    places = ["CMakeLists.txt", "cmake/stm32cubemx/CMakeLists.txt"]
    found = [root / place for place in places] + sorted((root / "cmake").glob("*.cmake")) + sorted(root.glob("*.cmake"))
    return [file for file in found if file.is_file()]


def read_cmake(root: Path) -> CMakeProject:
    """The project in `root`. Raises ProjectError where nothing says which core it is for."""
    texts = {f: _COMMENT.sub("", f.read_text(encoding="utf-8", errors="replace")) for f in build_files(root)}
    # Clang's tool chain file stands beside gcc's: the flags are the same, but gcc's come first.
    whole = "\n".join(text for file, text in sorted(texts.items(), key=lambda item: "clang" in item[0].name))
    main = texts[root / "CMakeLists.txt"]
    named = _NAME.search(main) or _PROJECT.search(main)
    script = _SCRIPT.search(whole)
    return CMakeProject(
        name=named[1] if named and "$" not in named[1] else root.name,
        machine=_machine(root, whole),
        script=_PREFIX.sub("", script[1]) if script and "$" not in _PREFIX.sub("", script[1]) else "",
        definitions=tuple(dict.fromkeys(_DEFINITION.findall(whole))),
    )


def _machine(root: Path, text: str) -> Machine:
    mcu = mcu_of_ioc(ioc_of(root))
    cpu = re.search(r"-mcpu=([\w\-+.]+)", text)
    core = cpu[1].split("+")[0] if cpu else core_of(mcu)
    if core is None:
        raise ProjectError(
            "nothing says which core the project is for",
            where=root / "CMakeLists.txt",
            why="neither it nor cmake/*.cmake has a flag -mcpu=, and there is no .ioc file",
            hint="write -mcpu=cortex-m4 (or what it is) into the tool chain file",
        )
    unit = re.search(r"-mfpu=([\w\-]+)", text)
    abi = re.search(r"-mfloat-abi=(\w+)", text)
    units = sorted(FPUS.get(core, ()))
    fpu = (
        unit[1] if unit else units[0] if units and (abi is None or abi[1] != "soft") and core in CORES.values() else ""
    )
    return Machine(mcu, core, fpu, abi[1] if abi else "hard" if fpu else "soft")
