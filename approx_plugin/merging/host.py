"""A person's project, as far as a network that moves in has to know it: part, core, compiler, memories, build files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from approx_plugin.build.replay import linker_script, machine_flags
from approx_plugin.cubeide.managed import ManagedConfiguration, ManagedProject, Value, parse, read_managed
from approx_plugin.cubeide.mcu import core_of
from approx_plugin.errors import Location, ProjectError
from approx_plugin.merging.linker_script import Region, home_of, regions_of

OLDEST_GCC = 10
"""Older ones lack the DSP intrinsics of arm_acle.h."""

CUBE_IDE_FOLDER = "STM32CubeIDE"
_TOOLCHAIN = "com.st.stm32cube.ide.mcu.option.internal.toolchain."
_IOC = re.compile(r"^([\w.\-]+)=(.*)$", re.MULTILINE)
_CORES = ("CM7", "CM4", "CM33", "CM0PLUS", "Boot", "Appli", "Secure", "NonSecure")


@dataclass(frozen=True)
class Machine:
    """What code is compiled for. mcu: as STM32CubeIDE spells it, "" where nobody says; core, fpu, float_abi: gcc's."""

    mcu: str
    core: str
    fpu: str
    float_abi: str

    @property
    def flags(self) -> tuple[str, ...]:
        """gcc's arguments."""
        unit = (f"-mfpu={self.fpu}",) if self.fpu else ()
        return (f"-mcpu={self.core}", *unit, f"-mfloat-abi={self.float_abi}", "-mthumb")


@dataclass(frozen=True)
class Host:
    """A project.

    directory:     its root; all other paths are below it.
    name:          as the IDE or CMake calls it.
    is_managed:    there is a .cproject; has_cmake: a CMakeLists.txt that makes a program.
    configuration: the one that the facts are of, "" without a .cproject.
    script:        linker script, "" for none that could be found.
    flash, ram:    the regions of code and of variables, None where they are not known.
    clock_hz:      of the core by the .ioc file, None where that does not say so.
    definitions:   names that are defined for every C source.
    folder:        where the network goes.
    """

    directory: Path
    name: str
    is_managed: bool
    has_cmake: bool
    machine: Machine
    configuration: str
    script: str
    flash: Region | None
    ram: Region | None
    clock_hz: int | None
    definitions: tuple[str, ...]
    folder: str


def read_host(directory: Path, where: Location | None = None) -> Host:
    """The project in `directory`, or in the folder STM32CubeIDE below it.

    where: the place that names the directory. Raises ProjectError for what is no project, or one that cannot take a
    network: nobody knows its core, or it consists of several projects.
    """
    root = _root(directory, where)
    managed = (root / ".cproject").is_file()
    cmake = has_program(root)
    if managed:
        project = read_managed(root)
        configuration = _reference(project)
        machine = _machine(configuration, root)
        script = linker_script(configuration.root_options)
        definitions = configuration.options_for("").get("tool.c.compiler.option.definedsymbols", Value("")).items
        name, chosen = project.name, configuration.name
    else:
        from approx_plugin.merging.cmake_host import read_cmake

        found = read_cmake(root)
        machine, script, definitions, name, chosen = found.machine, found.script, found.definitions, found.name, ""
    flash, ram = _memories(root, script)
    return Host(
        directory=root,
        name=name,
        is_managed=managed,
        has_cmake=cmake,
        machine=machine,
        configuration=chosen,
        script=script,
        flash=flash,
        ram=ram,
        clock_hz=_clock(root),
        definitions=tuple(definitions),
        folder=_folder(root) if managed else "Middlewares/Approx",
    )


def has_program(root: Path) -> bool:
    """Whether there is a CMakeLists.txt that makes a program."""
    file = root / "CMakeLists.txt"
    return file.is_file() and b"add_executable" in file.read_bytes()


def ioc_of(root: Path) -> Mapping[str, str]:
    """The entries of the project's .ioc file; none where there is not exactly one."""
    files = sorted(root.glob("*.ioc")) or sorted(root.parent.glob("*.ioc"))
    if len(files) != 1:
        return {}
    return dict(_IOC.findall(files[0].read_text(encoding="utf-8", errors="replace").replace("\r\n", "\n")))


def _root(directory: Path, where: Location | None) -> Path:
    """The folder with the build files. Raises ProjectError if there is none, or a choice of them."""
    place = where or directory
    if not directory.is_dir():
        why = "it is a file" if directory.exists() else "there is no such folder"
        raise ProjectError(f"{directory} is not a project", where=place, why=why, hint="name the project's folder")
    for folder in (directory, directory / CUBE_IDE_FOLDER):
        if (folder / ".cproject").is_file() or has_program(folder):
            return folder.resolve()
    inner = [n for n in _CORES for base in ("", CUBE_IDE_FOLDER) if (directory / base / n / ".cproject").is_file()]
    if inner:
        raise ProjectError(
            f"{directory} holds {len(inner)} projects: {', '.join(inner)}",
            where=place,
            why="the network runs on one core, in one program",
            hint=f"name one of them, for example {directory / inner[0]}",
        )
    raise ProjectError(
        f"{directory} holds no project",
        where=place,
        why="there is neither a .cproject nor a CMakeLists.txt that makes a program, also not in STM32CubeIDE/",
        hint="name the folder with the .cproject or with the main CMakeLists.txt",
    )


def _reference(project: ManagedProject) -> ManagedConfiguration:
    """The configuration that the facts are read from: Release, or else the last one."""
    return next((c for c in project.configurations if c.name == "Release"), project.configurations[-1])


def _machine(configuration: ManagedConfiguration, root: Path) -> Machine:
    options = configuration.root_options
    mcu = options.get("option.target_mcu", Value("")).single
    if not mcu:
        raise ProjectError(
            "the project does not say which microcontroller it is for",
            where=root / ".cproject",
            why=f"the configuration {configuration.name} has no option target_mcu",
            hint="choose the MCU in the project's properties, C/C++ Build > Settings > MCU Settings",
        )
    cpu, floating = machine_flags(options)
    values = dict(flag.split("=", 1) for flag in (*cpu, *floating) if "=" in flag)
    return Machine(mcu, values["-mcpu"], values.get("-mfpu", ""), values["-mfloat-abi"])


def check_toolchain(host: Host) -> None:
    """Raise ProjectError where a configuration is tied to a compiler that is too old for the network's kernels."""
    tied: dict[str, list[str]] = {}
    for configuration in read_managed(host.directory).configurations if host.is_managed else ():
        for name, value in configuration.root_options.items():
            version = re.search(r"(?:^|\.)(\d+)[-.]\d", value.single)
            if name.startswith(_TOOLCHAIN + "version") and version and int(version[1]) < OLDEST_GCC:
                tied.setdefault(value.single, []).append(configuration.name)
    if tied:
        what = ", ".join(f"{' and '.join(names)} to GCC {version}" for version, names in tied.items())
        raise ProjectError(
            f"{host.name} is tied to a compiler that is too old: {what}",
            where=host.directory / ".cproject",
            why=f"the network's kernels need GCC {OLDEST_GCC} or newer (STM32CubeIDE 1.9 or newer)",
            hint="choose a newer one in the project's properties, C/C++ Build > Settings > MCU Toolchain",
        )


def _memories(root: Path, script: str) -> tuple[Region | None, Region | None]:
    """The regions of .text and .bss."""
    file = root / script
    if not script or not file.is_file():
        return None, None
    text = file.read_text(encoding="utf-8", errors="replace")
    regions = regions_of(text)
    homes = (home_of(".text", text) or "FLASH", home_of(".bss", text) or "RAM")
    return regions.get(homes[0]), regions.get(homes[1])


def _clock(root: Path) -> int | None:
    """Hz of the core by the .ioc file."""
    entries = ioc_of(root)
    for key in ("RCC.HCLKFreq_Value", "RCC.CortexFreq_Value", "RCC.CpuClockFreq_Value", "RCC.SYSCLKFreq_VALUE"):
        if entries.get(key, "").isdigit():
            return int(entries[key])
    return None


def _folder(root: Path) -> str:
    """Where the network goes. A link called Middlewares would hide a real folder of that name from the IDE."""
    links = {name.split("/")[0] for name in _links(root)}
    return "Approx" if "Middlewares" in links else "Middlewares/Approx"


def _links(root: Path) -> Iterator[str]:
    for link in parse(root / ".project").findall("linkedResources/link"):
        yield (link.findtext("name") or "").strip()


def mcu_of_ioc(entries: Mapping[str, str]) -> str:
    """The part as STM32CubeIDE spells it, by an .ioc file; "" where it does not say so."""
    for key in ("Mcu.UserName", "Mcu.Name"):
        name = entries.get(key, "")
        if core_of(name) and "(" not in name:
            return name
    return ""
