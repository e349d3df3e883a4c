"""The command lines of the managed build, derived as STM32CubeIDE derives them.

Differences from the makefiles that the IDE writes, all without effect on the code: paths are relative to the project
instead of to its build folder, `-fcyclomatic-complexity` (GNU Tools for STM32 only) is left out, and the directory's
name is mapped away from debug information so that objects do not depend on where the project lies.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from pathlib import Path

from approx_plugin.cubeide.managed import SOURCE_TOOLS, ManagedConfiguration, ManagedProject, Options, Value
from approx_plugin.cubeide.mcu import core_of
from approx_plugin.errors import ProjectError

_NONE = Value("")
_SPECS = "--specs=nano.specs"
_CPP = "tool.cpp.compiler"


@dataclass(frozen=True)
class Compilation:
    """One source (path below the project) and gcc's arguments, without the source itself, -o and -MF."""

    source: str
    arguments: tuple[str, ...]


@dataclass(frozen=True)
class Replay:
    """A configuration's build.

    compilations:   in the order of their sources.
    link_arguments: of the linker, without objects and linker script; link_tail: those behind the objects.
    linker_script:  path below the project.
    application_arguments: gcc's arguments for a C source in the project's root.
    """

    project: str
    configuration: str
    compilations: tuple[Compilation, ...]
    link_arguments: tuple[str, ...]
    link_tail: tuple[str, ...]
    linker_script: str
    application_arguments: tuple[str, ...]


def replay(project: ManagedProject, configuration: ManagedConfiguration, directory: Path) -> Replay:
    """The command lines of one configuration. Raises ProjectError for a part whose core is not known."""
    cpu, floating = machine_flags(configuration.root_options)
    arguments = {
        source: _compile_arguments(configuration, source, cpu, floating) for source in configuration.sources(directory)
    }
    script = linker_script(configuration.root_options)
    has_cpp = any(SOURCE_TOOLS[posixpath.splitext(source)[1]] == _CPP for source in arguments)
    linker = "tool.cpp.linker" if has_cpp else "tool.c.linker"
    options = configuration.root_options
    return Replay(
        project=project.name,
        configuration=configuration.name,
        compilations=tuple(Compilation(source, found) for source, found in arguments.items()),
        link_arguments=(
            *cpu,
            "--specs=nosys.specs",
            "-Wl,--gc-sections",
            "-static",
            _SPECS,
            *floating,
            *_float_formats(options),
            *_items(options, f"{linker}.option.otherflags"),
            *(f"-L{project_path(d)}" for d in _items(options, f"{linker}.option.directories")),
        ),
        link_tail=(
            *(f"-l{name}" for name in _items(options, f"{linker}.option.libraries")),
            "-Wl,--start-group",
            "-lc",
            "-lm",
            *(("-lstdc++", "-lsupc++") if has_cpp else ()),
            "-Wl,--end-group",
        ),
        linker_script=script,
        application_arguments=_compile_arguments(configuration, ".c", cpu, floating),
    )


def machine_flags(options: Options) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(-mcpu), (-mfpu, -mfloat-abi, -mthumb) from the tool chain's options."""
    mcu = options.get("option.target_mcu", _NONE).single
    core = core_of(mcu)
    if core is None:
        raise ProjectError(
            f'the core of the part "{mcu}" is not known',
            where=".cproject",
            hint="add its series to approx_plugin/cubeide/mcu.py",
        )
    fpu, abi = options.get("option.fpu", _NONE).choice, options.get("option.floatabi", _NONE).choice
    floating = (*((f"-mfpu={fpu}",) if fpu and fpu != "none" else ()), f"-mfloat-abi={abi or 'soft'}", "-mthumb")
    return (f"-mcpu={core}",), floating


def project_path(value: str) -> str:
    """A path of an option, which is relative to the build folder, as a path below the project: "../A" -> "A"."""
    return posixpath.normpath(posixpath.join("Debug", value.strip('"')))


def linker_script(options: Options) -> str:
    """Path below the project of the linker script, "" where none is set."""
    value = options.get("tool.c.linker.option.script", _NONE).single.strip('"')
    for prefix in ("${workspace_loc:/${ProjName}/", "${workspace_loc:${ProjDirPath}/"):
        if value.startswith(prefix):
            return value[len(prefix) :].rstrip("}")
    return project_path(value) if value else ""


def _float_formats(options: Options) -> tuple[str, ...]:
    """What makes nano's printf and scanf know floating point."""
    formats = {"option.nanoprintffloat": "_printf_float", "option.nanoscanffloat": "_scanf_float"}
    wanted = (symbol for name, symbol in formats.items() if options.get(name, _NONE).single == "true")
    return tuple(argument for symbol in wanted for argument in ("-u", symbol))


def _items(options: Options, name: str) -> tuple[str, ...]:
    return options.get(name, _NONE).items


def _compile_arguments(
    configuration: ManagedConfiguration, source: str, cpu: tuple[str, ...], floating: tuple[str, ...]
) -> tuple[str, ...]:
    """gcc's arguments for a source; ".c" stands for one in the project's root."""
    options = configuration.options_for(source)
    tool = SOURCE_TOOLS[posixpath.splitext(source)[1] or source]
    prefix = f"{tool}.option."
    debug = options.get(prefix + "debuglevel", _NONE).choice
    common = (
        *((f"-{debug}",) if debug else ()),
        *(f"-D{symbol}" for symbol in _items(options, prefix + "definedsymbols")),
        "-c",
        *(f"-I{project_path(folder)}" for folder in _items(options, prefix + "includepaths")),
        *(flag for item in _items(options, prefix + "otherflags") for flag in item.split()),
    )
    if tool == "tool.assembler":
        return (*cpu, *common, "-x", "assembler-with-cpp", "-MMD", "-MP", _SPECS, *floating)
    level = options.get(prefix + "optimization.level", _NONE).choice or "o0"
    warnings = ("extra", "pedantic", "conversion")
    names = {"extra": "-Wextra", "pedantic": "-pedantic", "conversion": "-Wconversion"}
    without_runtime = ("-fno-exceptions", "-fno-rtti", "-fno-use-cxa-atexit") if tool == _CPP else ()
    default = "gnu++14" if tool == _CPP else "gnu11"
    return (
        *cpu,
        f"-std={options.get(prefix + 'languagestandard', _NONE).choice or default}",
        *common,
        f"-O{level[1:]}",
        "-ffunction-sections",
        "-fdata-sections",
        *without_runtime,
        "-Wall",
        *(names[w] for w in warnings if options.get(f"{prefix}warnings.{w}", _NONE).single == "true"),
        "-fstack-usage",
        "-MMD",
        "-MP",
        _SPECS,
        *floating,
    )
