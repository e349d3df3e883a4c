"""A project's managed build as STM32CubeIDE sees it: read from `.project` and `.cproject` and from nothing else."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from approx_plugin.cubeide.ids import MANAGED
from approx_plugin.errors import ProjectError

SOURCE_TOOLS = {
    ".c": "tool.c.compiler",
    ".cc": "tool.cpp.compiler",
    ".cpp": "tool.cpp.compiler",
    ".cxx": "tool.cpp.compiler",
    ".s": "tool.assembler",
    ".S": "tool.assembler",
}
"""File name ending -> tool that the IDE compiles it with. Other files in a source folder are not compiled."""


@dataclass(frozen=True)
class Value:
    """An option's value: `single` for scalars ("" where the attribute is missing), `items` for lists."""

    single: str
    items: tuple[str, ...] = ()

    @property
    def choice(self) -> str:
        """The tail of an enumerated value: "....optimization.level.value.o3" -> "o3"."""
        return self.single.rsplit(".value.", 1)[-1]


Options = Mapping[str, Value]
"""Id of an option's extension element without the common prefix ("tool.c.compiler.option.debuglevel") -> value."""


@dataclass(frozen=True)
class Resource:
    """A folderInfo or fileInfo: path below the root ("" is the root) and the options that it sets itself."""

    path: str
    options: Options


@dataclass(frozen=True)
class SourceEntry:
    """A source folder, and the patterns (relative to it) of what is left out."""

    name: str
    excluding: tuple[str, ...]

    def excludes(self, path: str) -> bool:
        """Whether `path` (below the entry) or a folder on the way to it matches a pattern."""
        parts = path.split("/")
        ways = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
        return any(fnmatch.fnmatchcase(way, pattern.rstrip("/")) for way in ways for pattern in self.excluding)


@dataclass(frozen=True)
class ManagedConfiguration:
    """One build configuration, ready to be replayed."""

    name: str
    resources: tuple[Resource, ...]
    entries: tuple[SourceEntry, ...]

    def options_for(self, path: str) -> Options:
        """The options in force for a file: those of the root, overridden by the nearest folder's and the file's."""
        found: dict[str, Value] = {}
        for resource in sorted(self.resources, key=lambda r: len(r.path)):
            if resource.path in ("", path) or path.startswith(resource.path + "/"):
                found.update(resource.options)
        return found

    @property
    def root_options(self) -> Options:
        """The options of the root folder, which the linker uses."""
        return self.options_for("")

    def sources(self, directory: Path) -> tuple[str, ...]:
        """Paths below `directory` of what the IDE compiles, sorted. No entry at all means the whole project."""
        found = set()
        for entry in self.entries or (SourceEntry("", ()),):
            root = directory / entry.name
            for file in root.rglob("*") if root.is_dir() else ():
                inner = file.relative_to(root).as_posix()
                hidden = any(part.startswith(".") for part in inner.split("/"))
                if file.suffix in SOURCE_TOOLS and file.is_file() and not hidden and not entry.excludes(inner):
                    found.add(file.relative_to(directory).as_posix())
        return tuple(sorted(found))


@dataclass(frozen=True)
class ManagedProject:
    """A project: its name by `.project`, and its configurations by `.cproject`."""

    name: str
    configurations: tuple[ManagedConfiguration, ...]

    def configuration(self, name: str) -> ManagedConfiguration:
        """The configuration of that name. Raises ProjectError, naming those that exist."""
        for configuration in self.configurations:
            if configuration.name == name:
                return configuration
        names = ", ".join(c.name for c in self.configurations)
        raise ProjectError(f'the project has no build configuration "{name}"', hint=f"use one of: {names}")


def parse(path: Path) -> Element:
    """The root element of an XML file. Raises ProjectError if it is missing or not well-formed."""
    try:
        return ElementTree.parse(path).getroot()
    except FileNotFoundError as error:
        raise ProjectError(
            f"there is no {path.name}", where=path.parent, hint="generate the project, or name its root directory"
        ) from error
    except ElementTree.ParseError as error:
        line, column = error.position
        raise ProjectError(f"not well-formed XML: {error}", where=f"{path}:{line}:{column + 1}") from error
    except (OSError, LookupError, ValueError) as error:
        raise ProjectError("cannot be read", where=path, why=str(error)) from error


def read_managed(directory: Path) -> ManagedProject:
    """The managed build of the project in `directory`. Raises ProjectError if its files cannot be read."""
    description = parse(directory / ".project")
    root = parse(directory / ".cproject")
    super_classes = {
        node.get("id", ""): node.get("superClass", "")
        for node in root.iter()
        if node.get("id") and node.get("superClass")
    }
    configurations = tuple(_configuration(node, super_classes) for node in root.iter("configuration") if node.get("id"))
    if not configurations:
        raise ProjectError("no build configuration", where=directory / ".cproject")
    return ManagedProject((description.findtext("name") or "").strip(), configurations)


def extension_of(super_class: str, super_classes: Mapping[str, str]) -> str:
    """Follow a super class through the file's own elements up to the one that the IDE's plug-ins define."""
    seen = set()
    while super_class in super_classes and super_class not in seen:
        seen.add(super_class)
        super_class = super_classes[super_class]
    return super_class


def _configuration(node: Element, super_classes: Mapping[str, str]) -> ManagedConfiguration:
    resources = []
    for info in node:
        if info.tag in ("folderInfo", "fileInfo"):
            resources.append(Resource(info.get("resourcePath", "").strip("/"), _options(info, super_classes)))
    entries = tuple(
        SourceEntry(entry.get("name", "").strip("/"), tuple(p for p in entry.get("excluding", "").split("|") if p))
        for entry in node.findall("sourceEntries/entry")
    )
    return ManagedConfiguration(node.get("name", ""), tuple(resources), entries)


def _options(info: Element, super_classes: Mapping[str, str]) -> Options:
    """What a resource sets by itself. An option without value that inherits from another one sets nothing."""
    found: dict[str, Value] = {}
    for option in info.iter("option"):
        parent = option.get("superClass", "")
        value = _value(option)
        if value is None and parent in super_classes:
            continue
        name = extension_of(parent, super_classes)
        found[name[len(MANAGED) + 1 :] if name.startswith(MANAGED + ".") else name] = value or Value("")
    return found


def _value(option: Element) -> Value | None:
    items = tuple(item.get("value", "") for item in option.findall("listOptionValue"))
    if option.get("value") is None and not items:
        return None
    return Value(option.get("value", ""), items)
