"""Checks what a managed build refers to: folders, sources, linker script, part, and the `defaults` record."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from approx_plugin.build.replay import linker_script, project_path
from approx_plugin.cubeide import ids
from approx_plugin.cubeide.finding import Finding
from approx_plugin.cubeide.managed import SOURCE_TOOLS, ManagedConfiguration, ManagedProject, Options, Value
from approx_plugin.cubeide.mcu import FLASH_BASE, FPUS, PARTS, core_of, macro_stem

_NONE = Value("")
_C = "tool.c.compiler.option."
_COMMENTS = re.compile(r"/\*.*?(?:\*/|\Z)|//[^\n]*", re.DOTALL)
_DEFINITIONS = {
    "Reset_Handler": {".c": r"\bReset_Handler\s*\([^;{)]*\)\s*\{", ".s": r"^\s*Reset_Handler\s*:"},
    "main": {".c": r"\bmain\s*\([^;{)]*\)\s*\{", ".s": r"^\s*main\s*:"},
}
_REGION = re.compile(r"(\w+)\s*(?:\([^)]*\))?\s*:\s*ORIGIN\s*=\s*([^,\n]+),\s*LENGTH\s*=\s*([^\s}]+)")
_NUMBER = re.compile(
    r"(?:0[xX](?P<hex>[0-9a-fA-F]{1,16})|(?P<octal>0[0-7]{0,20})|(?P<decimal>[1-9][0-9]{0,19}))(?P<unit>[KM]?)"
)


def check_configuration(
    project: ManagedProject, configuration: ManagedConfiguration, directory: Path
) -> Iterator[Finding]:
    """Findings in one configuration of the project in `directory`."""
    names = {c.name for c in project.configurations}
    for rule, message in (
        *_folders(configuration, directory),
        *_uncompiled(configuration, directory, names),
        *_definitions(configuration, directory),
        *_part(configuration.root_options),
        *_defaults(configuration),
    ):
        yield Finding(rule, ".cproject", f"{configuration.name}: {message}")
    script = linker_script(configuration.root_options)
    if exists(directory, script):
        yield from _memories(configuration.root_options, directory, script)


_Complaint = tuple[str, str]


def exists(directory: Path, path: str) -> bool:
    """Whether `path` is there in just this spelling, below `directory`, on file systems that ignore case too."""
    folder = directory
    for part in path.split("/"):
        if not part or part in (".", ".."):
            return False
        if not folder.is_dir() or part not in {p.name for p in folder.iterdir()}:
            return False
        folder = folder / part
    return True


def _folders(configuration: ManagedConfiguration, directory: Path) -> Iterator[_Complaint]:
    for tool in ("tool.c.compiler", "tool.assembler"):
        for value in configuration.root_options.get(f"{tool}.option.includepaths", _NONE).items:
            if not exists(directory, project_path(value)):
                yield "include-path", f'the include path "{value}" does not exist'
    for entry in configuration.entries:
        if entry.name and not exists(directory, entry.name):
            yield "source-entry", f'the source folder "{entry.name}" does not exist'
        for pattern in entry.excluding:
            if not set("*?[") & set(pattern) and not exists(directory, posixpath.join(entry.name, pattern)):
                yield "source-entry", f'the excluded "{pattern}" does not exist in "{entry.name}"'
    for resource in configuration.resources:
        if resource.path and not exists(directory, resource.path):
            yield "folder-info", f'there are options for "{resource.path}", which does not exist'
    script = linker_script(configuration.root_options)
    if not exists(directory, script):
        yield "linker-script", f'the linker script "{script}" does not exist'


def _uncompiled(configuration: ManagedConfiguration, directory: Path, builds: set[str]) -> Iterator[_Complaint]:
    """Sources outside all source folders: the IDE leaves them out without a word."""
    for file in sorted(directory.rglob("*")):
        path = file.relative_to(directory).as_posix()
        top = path.split("/")[0]
        if file.suffix not in SOURCE_TOOLS or top.startswith(".") or top in builds or not configuration.entries:
            continue
        if not any(not e.name or path.startswith(e.name + "/") for e in configuration.entries):
            yield "uncompiled", f"{path} lies in no source folder"


def _definitions(configuration: ManagedConfiguration, directory: Path) -> Iterator[_Complaint]:
    found: dict[str, list[str]] = {symbol: [] for symbol in _DEFINITIONS}
    objects: dict[str, list[str]] = defaultdict(list)
    for source in configuration.sources(directory):
        objects[posixpath.splitext(source)[0]].append(source)
        text = _COMMENTS.sub(" ", (directory / source).read_text(encoding="utf-8", errors="replace"))
        for symbol, patterns in _DEFINITIONS.items():
            assembly = posixpath.splitext(source)[1].lower() == ".s"
            if re.search(patterns[".s" if assembly else ".c"], text, re.MULTILINE):
                found[symbol].append(source)
    for symbol, sources in found.items():
        if len(sources) != 1:
            listed = f" ({', '.join(sources)})" if sources else ""
            yield "definitions", f"{symbol} is defined by {len(sources)} compiled sources{listed}, not by one"
    for sources in objects.values():
        if len(sources) > 1:
            yield "object-name", f"{' and '.join(sources)} would be compiled to the same object"


def _part(options: Options) -> Iterator[_Complaint]:
    mcu = options.get("option.target_mcu", _NONE).single
    core = core_of(mcu)
    if core is None:
        yield "mcu", f'the part "{mcu}" is of no known series'
        return
    fpu = options.get("option.fpu", _NONE).choice
    part = PARTS.get(mcu)
    if fpu not in ({part.fpu} if part else FPUS[core] | {"", "none"}):
        yield "fpu", f'"{fpu}" is not the floating-point unit of {mcu}'
    symbols = options.get(f"{_C}definedsymbols", _NONE).items
    macros = [part.define] if part else [s for s in symbols if s.startswith(macro_stem(mcu))]
    if not macros or macros[0] not in symbols:
        yield "define", f"the device macro of {mcu} ({macros[0] if macros else macro_stem(mcu) + '...'}) is not defined"


def _defaults(configuration: ManagedConfiguration) -> Iterator[_Complaint]:
    options = configuration.root_options
    fields = [field.strip() for field in options.get("option.defaults", _NONE).single.split("||")]
    if fields[0] != ids.DEFAULTS_REVISION or len(fields) != ids.DEFAULTS_FIELDS:
        yield "defaults", f"the record has {len(fields)} fields and revision {fields[0]}"
        return
    symbols = options.get(f"{_C}definedsymbols", _NONE).items
    folders = _split(fields[15])
    top = {f for f in folders if not any(f.startswith(other + "/") for other in folders)}
    comparisons = (
        ("configuration", fields[1], configuration.name),
        ("debug flag", fields[2], "true" if "DEBUG" in symbols else "false"),
        ("board", fields[5], options.get("option.target_board", _NONE).single),
        ("include paths", _split(fields[10]), list(options.get(f"{_C}includepaths", _NONE).items)),
        ("symbols", set(_split(fields[13])), set(symbols) - {"DEBUG"}),
        ("source folders", top, {entry.name for entry in configuration.entries}),
        ("linker script", fields[18], options.get("tool.c.linker.option.script", _NONE).single),
    )
    for title, recorded, actual in comparisons:
        if recorded != actual:
            yield "defaults", f"the record has other {title} than the options: {recorded} and {actual}"


def _split(field: str) -> list[str]:
    return [item.strip() for item in field.split("|") if item.strip()]


def _memories(options: Options, directory: Path, script: str) -> Iterator[Finding]:
    """Every region of the linker script must lie in a memory of the part, and there must be flash at its place."""
    part = PARTS.get(options.get("option.target_mcu", _NONE).single)
    if part is None:
        return
    text = _COMMENTS.sub(" ", (directory / script).read_text(encoding="utf-8", errors="replace"))
    block = re.search(r"\bMEMORY\s*\{(.*?)\}", text, re.DOTALL)
    regions = _REGION.findall(block.group(1)) if block else []
    if not regions:
        yield Finding("memory", script, "it has no MEMORY block that can be read")
    origins = []
    for name, origin_text, length_text in regions:
        origin, length = _number(origin_text), _number(length_text)
        if origin < 0 or length < 0:
            yield Finding("memory", script, f"the region {name} is not given in plain numbers")
            continue
        origins.append(origin)
        if not any(start <= origin and origin + length <= start + size for start, size in part.memories):
            yield Finding(
                "memory",
                script,
                f"the region {name} (0x{origin:08x}, {length} bytes) does not lie in a memory of the part",
            )
    if regions and FLASH_BASE not in origins:
        yield Finding("memory", script, f"no region begins at the flash's 0x{FLASH_BASE:08x}")


def _number(text: str) -> int:
    """The value of a linker script's number ("0x8000000", "640K"); -1 for anything else."""
    match = _NUMBER.fullmatch(text.strip())
    if match is None:
        return -1
    base = {"hex": 16, "octal": 8, "decimal": 10}
    (value,) = (int(match[form], base[form]) for form in base if match[form])
    return value * {"": 1, "K": 1024, "M": 1024 * 1024}[match["unit"]]
