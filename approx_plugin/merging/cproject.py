"""What a network adds to somebody's `.cproject`, as insertions into its text, and how they are found again.

For every configuration: one include path for the application, a source entry where the folder is not compiled anyway,
and a `folderInfo` that gives the folder settings of its own. Its include paths stand there too, so that neither an
older CMSIS-NN on the application's paths nor the application's headers are ever seen by the network's sources, nor the
other way round. The `defaults` record, which CubeMX reads back, names nothing of this: entries that a person adds in
the IDE do not stand there either.

Everything that was inserted names the network's folder, by which it is found when it has to go. An element that had
no content (`<option .../>`) is the one thing that cannot be told from the result; its text is noted by its id.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from approx_plugin.cubeide import ids
from approx_plugin.cubeide.managed import SourceEntry, extension_of
from approx_plugin.cubeide.markup import element, render
from approx_plugin.errors import ProjectError
from approx_plugin.merging.edits import Edit, edited, gap_before, indent_of, line_end
from approx_plugin.merging.places import Place, read_places

FILE = ".cproject"
_C = f"{ids.MANAGED}.tool.c.compiler"
_CPP = f"{ids.MANAGED}.tool.cpp.compiler"
_OLD_LANGUAGES = ("89", "90", "99")
_WARNINGS = ("warnings.extra", "warnings.pedantic", "warnings.conversion", "warnings.toerrors")
_TITLES = {
    **ids.TITLES,
    "option.otherflags": "Other flags",
    "option.warnings.pedantic": "Enable pedantic warnings (-Wpedantic)",
    "option.warnings.conversion": "Enable conversion warnings (-Wconversion)",
    "option.warnings.toerrors": "Treat warnings as errors (-Werror)",
}


@dataclass(frozen=True)
class Addition:
    """What a project gets. All paths are below its root.

    folder:       with all that is ours.
    include_dir:  for the application.
    own_includes: for the sources in `folder`.
    flags:        further ones of the compiler, for those sources.
    optimization: of those sources, in every configuration: "o3".
    """

    folder: str
    include_dir: str
    own_includes: tuple[str, ...]
    flags: tuple[str, ...] = ()
    optimization: str = "o3"


@dataclass(frozen=True)
class Merged:
    """content: the file; expanded: id of an element that had no content -> its text as it was."""

    content: bytes
    expanded: Mapping[str, str]


def merge(content: bytes, addition: Addition, expanded: Mapping[str, str], file: str = FILE) -> Merged:
    """The file with the addition, whether it is there already, in part or not at all.

    expanded: of an earlier `Merged`; empty where there was none. file: its name for messages.
    Raises ProjectError for a file that is not a managed build of STM32CubeIDE.
    """
    content = without(content, addition.folder, expanded, file)
    root = read_places(content, file)
    taken = {place.get("id") for place in root.walk() if place.get("id")}
    found = list(_configurations(root))
    if not found:
        raise ProjectError(
            "no build configuration of STM32CubeIDE",
            where=file,
            why="no configuration has a tool chain of its plug-ins",
            hint="name a project that STM32CubeIDE or STM32CubeMX has made",
        )
    edits: list[Edit] = []
    noted: dict[str, str] = {}
    for configuration in found:
        addend = _Addend(content, root, configuration, addition, taken)
        edits += addend.edits()
        noted.update(addend.expanded)
    return Merged(edited(content, edits), noted)


def without(content: bytes, folder: str, expanded: Mapping[str, str], file: str = FILE) -> bytes:
    """The file without anything that names `folder`; the very bytes that `merge` was given if nobody edited it since.

    Raises ProjectError if it is not well-formed.
    """
    root = read_places(content, file)
    edits: list[Edit] = []
    for place in root.walk():
        ours = [child for child in place.children if _is_ours(child, folder)]
        if not ours:
            continue
        before = expanded.get(place.get("id")) if len(ours) == len(place.children) else None
        if before is not None:
            edits.append(Edit(place.start, place.end, before.encode("utf-8", errors="surrogateescape")))
        else:
            edits += [Edit(gap_before(content, child.start), child.end, b"") for child in ours]
    return edited(content, _outermost(edits))


def _outermost(edits: list[Edit]) -> list[Edit]:
    """Edits that are not inside of another one."""
    kept: list[Edit] = []
    for edit in sorted(edits, key=lambda e: (e.start, -e.end)):
        if not kept or edit.start >= kept[-1].end:
            kept.append(edit)
    return kept


def _is_ours(place: Place, folder: str) -> bool:
    if place.tag == "folderInfo":
        return place.get("resourcePath").strip("/") == folder
    if place.tag == "entry":
        return place.get("kind") == "sourcePath" and place.get("name").strip("/") == folder
    if place.tag == "listOptionValue":
        return names_folder(place.get("value"), folder)
    if place.tag == "option":
        return bool(place.children) and place.get("id").endswith(f".{_mark(folder)}") and _only_ours(place, folder)
    return False


def _only_ours(place: Place, folder: str) -> bool:
    return all(child.tag == "listOptionValue" and _is_ours(child, folder) for child in place.children)


def names_folder(value: str, folder: str) -> bool:
    """Whether an include path, as the IDE writes them, is below `folder`."""
    plain = value.strip('"')
    for prefix in ("../", "${workspace_loc:/${ProjName}/", "${ProjDirPath}/"):
        if plain.startswith(prefix):
            rest = plain[len(prefix) :].rstrip("}")
            return rest == folder or rest.startswith(folder + "/")
    return False


def _mark(folder: str) -> str:
    """The number at the end of the ids of options that were not there before."""
    return ids.number("approx", folder)


def _configurations(root: Place) -> Iterator[Place]:
    """The configurations with a tool chain."""
    for settings in root.all("storageModule", moduleId="org.eclipse.cdt.core.settings"):
        for outer in settings.all("cconfiguration"):
            for module in outer.all("storageModule", moduleId="cdtBuildSystem"):
                yield from (c for c in module.all("configuration") if _toolchain(c) is not None)


def _toolchain(configuration: Place) -> Place | None:
    """Of the root folder, if it is one of the IDE's."""
    for info in configuration.all("folderInfo"):
        if not info.get("resourcePath").strip("/"):
            found = info.find("toolChain")
            if found is not None and found.get("superClass").startswith(f"{ids.MANAGED}.toolchain"):
                return found
    return None


class _Addend:
    """What one configuration gets."""

    def __init__(self, content: bytes, root: Place, configuration: Place, addition: Addition, taken: set[str]) -> None:
        self.content, self.configuration, self.addition, self.taken = content, configuration, addition, taken
        self.expanded: dict[str, str] = {}
        self.parents = {p.get("id"): p.get("superClass") for p in root.walk() if p.get("id") and p.get("superClass")}
        toolchain = _toolchain(configuration)
        assert toolchain is not None, "configurations without one were left out"
        self.toolchain = toolchain

    def edits(self) -> Iterator[Edit]:
        """All of them."""
        value = element("listOptionValue", {"builtIn": "false", "value": f"../{self.addition.include_dir}"})
        for tool in (_C, _CPP):
            found = self._tool(tool)
            if found is not None:
                yield self._to_list(found, f"{tool}.option.includepaths", value)
                yield from self._into_lists_of_folders(found, f"{tool}.option.includepaths", value)
        yield self._after(self._last_info(), self._folder_info())
        yield from self._source_entry()

    def _tool(self, extension: str) -> Place | None:
        """The tool that the plug-ins call so."""
        tools = self.toolchain.all("tool")
        return next((t for t in tools if extension_of(t.get("superClass"), self.parents) == extension), None)

    def _into_lists_of_folders(self, root_tool: Place, name: str, value: Element) -> Iterator[Edit]:
        """The value for folders and files of the user with a list of their own, which hides that of the root."""
        for info in self.configuration.children:
            if info.tag in ("folderInfo", "fileInfo"):
                for tool in info.walk():
                    if tool.tag != "tool" or tool is root_tool:
                        continue
                    for option in tool.all("option"):
                        own = extension_of(option.get("superClass"), self.parents) == name
                        if own and (option.children or option.get("IS_VALUE_EMPTY") == "true"):
                            yield self._into(option, value)

    def _last_info(self) -> Place:
        return [p for p in self.configuration.children if p.tag in ("folderInfo", "fileInfo")][-1]

    def _to_list(self, tool: Place, name: str, value: Element) -> Edit:
        """A value more in a list of the tool, which may not have that list yet."""
        option = next((o for o in tool.all("option") if extension_of(o.get("superClass"), self.parents) == name), None)
        if option is not None:
            return self._into(option, value)
        made = element(
            "option",
            {
                "IS_BUILTIN_EMPTY": "false",
                "IS_VALUE_EMPTY": "false",
                "id": f"{name}.{ids.number(self.configuration.get('id'), name)}.{_mark(self.addition.folder)}",
                "name": _TITLES["option.includepaths"],
                "superClass": name,
                "useByScannerDiscovery": "false",
                "valueType": "includePath",
            },
            value,
        )
        options = list(tool.all("option"))
        return self._after(options[-1], made) if options else self._into(tool, made)

    def _source_entry(self) -> Iterator[Edit]:
        """None where the folder is compiled anyway."""
        listed = self.configuration.find("sourceEntries")
        entries = list(listed.all("entry")) if listed is not None else []
        if listed is None or not entries:
            return
        folder = self.addition.folder
        for entry in entries:
            name = entry.get("name").strip("/")
            rest = folder.removeprefix(f"{name}/" if name else "")
            if (not name or rest != folder) and not _read_entry(entry).excludes(rest):
                return
        made = element("entry", {"flags": "VALUE_WORKSPACE_PATH|RESOLVED", "kind": "sourcePath", "name": folder})
        before = [entry for entry in entries if entry.get("name") < folder]
        yield self._after(before[-1], made) if before else self._into(listed, made)

    def _folder_info(self) -> Element:
        """As the IDE writes one: tools and options of the tool chain refer to those of the root folder."""
        options = [
            element("option", {"id": self._id(o.get("id")), "name": o.get("name"), "superClass": o.get("id")})
            for o in self.toolchain.all("option")
        ]
        tools = []
        for tool in self.toolchain.all("tool"):
            name = extension_of(tool.get("superClass"), self.parents)
            content = self._compiler_settings(tool) if name == _C else ()
            attributes = {"id": self._id(name), "name": tool.get("name"), "superClass": tool.get("id")}
            tools.append(element("tool", attributes, *content))
        attributes = {
            "id": self._id(self.toolchain.get("superClass")),
            "name": self.toolchain.get("name"),
            "superClass": self.toolchain.get("superClass"),
            "unusedChildren": "",
        }
        return element(
            "folderInfo",
            {"id": self._id(self.configuration.get("id")), "name": "/", "resourcePath": self.addition.folder},
            element("toolChain", attributes, *options, *tools),
        )

    def _compiler_settings(self, tool: Place) -> Iterator[Element]:
        """The options of the C compiler that are not inherited."""
        set_by_root = {extension_of(o.get("superClass"), self.parents): o for o in tool.all("option")}

        def root(name: str) -> Place | None:
            return set_by_root.get(f"{_C}.option.{name}")

        level = f"{_C}.option.optimization.level"
        yield self._option("optimization.level", {"value": f"{level}.value.{self.addition.optimization}"}, "enumerated")
        values = [f"../{folder}" for folder in self.addition.own_includes]
        yield self._option("includepaths", {}, "includePath", values)
        for name in _WARNINGS:
            option = root(name)
            if option is not None and option.get("value") == "true":
                yield self._option(name, {"value": "false"}, "boolean")
        language = root("languagestandard")
        if language is not None and language.get("value").endswith(_OLD_LANGUAGES):
            value = f"{_C}.option.languagestandard.value.gnu11"
            yield self._option("languagestandard", {"value": value}, "enumerated")
        if self.addition.flags:
            option = root("otherflags")
            inherited = [v.get("value") for v in option.all("listOptionValue")] if option is not None else []
            yield self._option("otherflags", {}, "stringList", [*inherited, *self.addition.flags])
        yield element("inputType", {"id": self._id(f"{_C}.input.c"), "superClass": f"{_C}.input.c"})

    def _option(self, name: str, attributes: dict[str, str], kind: str, values: list[str] | None = None) -> Element:
        extension = f"{_C}.option.{name}"
        empty = {"IS_BUILTIN_EMPTY": "false", "IS_VALUE_EMPTY": "false"} if values is not None else {}
        made = element(
            "option",
            {
                "id": self._id(extension),
                "name": _TITLES[f"option.{name}"],
                "superClass": extension,
                "useByScannerDiscovery": "false",
                "valueType": kind,
                **empty,
                **attributes,
            },
        )
        made.extend(element("listOptionValue", {"builtIn": "false", "value": value}) for value in values or ())
        return made

    def _id(self, stem: str) -> str:
        """An id that nothing in the file has: the same on every run."""
        for attempt in range(len(self.taken) + 1):
            number = ids.number(self.configuration.get("id"), self.addition.folder, stem, str(attempt))
            made = f"{stem}.{number}"
            if made not in self.taken:
                self.taken.add(made)
                return made
        raise AssertionError("there are more numbers than ids")

    def _after(self, place: Place, made: Element) -> Edit:
        """An element on a line of its own behind another one."""
        return Edit(place.end, place.end, self._text(made, indent_of(self.content, place.start)))

    def _into(self, place: Place, made: Element) -> Edit:
        """An element as the last one of another."""
        if place.children:
            return self._after(place.children[-1], made)
        outer = indent_of(self.content, place.start)
        text = self._text(made, outer + b"\t")
        original = self.content[place.start : place.end]
        if not place.is_closed_at_once:
            return Edit(place.inner, place.inner, text)
        self.expanded[place.get("id")] = original.decode("utf-8", errors="surrogateescape")
        start = original[:-2].rstrip().replace(b'IS_VALUE_EMPTY="true"', b'IS_VALUE_EMPTY="false"')
        whole = start + b">" + text + line_end(self.content) + outer + b"</" + place.tag.encode() + b">"
        return Edit(place.start, place.end, whole)

    def _text(self, made: Element, indent: bytes) -> bytes:
        end = line_end(self.content)
        lines = render(made).encode("ascii", errors="xmlcharrefreplace").splitlines()
        return b"".join(end + indent + line for line in lines)


def _read_entry(entry: Place) -> SourceEntry:
    return SourceEntry(entry.get("name").strip("/"), tuple(p for p in entry.get("excluding").split("|") if p))
