"""Checks the form of `.project` and `.cproject`: whatever makes STM32CubeIDE refuse them or load them by halves."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

from approx_plugin.cubeide import ids
from approx_plugin.cubeide.finding import Finding
from approx_plugin.cubeide.managed import extension_of

_FIRST_NODE = re.compile(r"(?:<\?xml[^>]*\?>)?\s*<\?fileVersion\s+([0-9]{1,9})\.([0-9]{1,9})\.([0-9]{1,9})\s*\?>")
_OWN_IDS = ("option", "tool", "toolChain", "folderInfo", "fileInfo", "targetPlatform", "builder", "inputType")
_PROVIDER = "org.eclipse.cdt.managedbuilder.core.configurationDataProvider"
_PATH_ATTRIBUTES = ("value", "name", "excluding", "buildPath", "resourcePath")
_ABSOLUTE = re.compile(r"^(?:/|[A-Za-z]:[\\/]|~)")


def check_description(root: Element, directory: Path) -> Iterator[Finding]:
    """Findings in the parsed `.project`."""
    file = ".project"
    if root.tag != "projectDescription" or not (root.findtext("name") or "").strip():
        yield Finding("project-name", file, "it does not name a project")
    natures = [nature.text or "" for nature in root.findall("natures/nature")]
    for nature in ids.REQUIRED_NATURES:
        if nature not in natures:
            yield Finding("nature", file, f"the nature {nature} is missing: the IDE does not take it for its own")
    if ids.CUBE_NATURE in natures and not list(directory.glob("*.ioc")):
        yield Finding("nature", file, f"the nature {ids.CUBE_NATURE} needs an .ioc file")
    commands = [name.text for name in root.findall("buildSpec/buildCommand/name")]
    for builder in ids.BUILDERS:
        if builder not in commands:
            yield Finding("builder", file, f"the build command {builder} is missing: nothing would be built")
    for link in root.findall("linkedResources/link"):
        yield Finding("linked-resource", file, f'"{link.findtext("name")}" is a link: it breaks when the tree is moved')


def check_first_node(text: str) -> Iterator[Finding]:
    """Findings in the beginning of `.cproject`, which an XML parser does not show."""
    match = _FIRST_NODE.match(text)
    if not match:
        yield Finding("first-node", ".cproject", "its first node is not the processing instruction fileVersion")
    elif tuple(map(int, match.groups())) > (4, 0, 0):
        yield Finding("first-node", ".cproject", "its file version is above 4.0.0")


def check_cproject(root: Element, project: str) -> Iterator[Finding]:
    """Findings in the parsed `.cproject` of a project of that name."""
    for rule, message in (
        *_storage(root),
        *_ids(root),
        *_super_classes(root),
        *_configurations(root, project),
        *_names(root, project),
        *_scanner(root),
        *_paths(root),
    ):
        yield Finding(rule, ".cproject", message)


_Complaint = tuple[str, str]


def _storage(root: Element) -> Iterator[_Complaint]:
    if root.tag != "cproject":
        yield "root", f"the root element is {root.tag}, not cproject"
    if root.get("storage_type_id") != "org.eclipse.cdt.core.XmlProjectDescriptionStorage":
        yield "root", "the root element does not have the storage type of Eclipse CDT"
    for child in root:
        if child.tag != "storageModule" or not child.get("moduleId"):
            yield "storage-module", f"{child.tag} stands where only a storageModule with a moduleId may stand"
    if any((text or "").strip() for text in (root.text, *(child.tail for child in root))):
        yield "storage-module", "there is stray text between the storage modules"
    present = {child.get("moduleId") for child in root}
    for module in ids.STORAGE_MODULES:
        # Not every project of the IDE has path entries.
        if module not in present and module != "org.eclipse.cdt.core.pathentry":
            yield "storage-module", f"the module {module} is missing"


def _ids(root: Element) -> Iterator[_Complaint]:
    counts = Counter(node.get("id", "") for node in root.iter() if node.tag in _OWN_IDS)
    counts.update(node.get("id", "") for node in root.iter("cconfiguration"))
    for name, count in counts.items():
        if not name:
            yield "unique-id", f"{count} element(s) have no id"
        elif count > 1:
            yield "unique-id", f"the id {name} is used {count} times"


def _super_classes(root: Element) -> Iterator[_Complaint]:
    own = {n.get("id", ""): n.get("superClass", "") for n in root.iter() if n.get("id") and n.get("superClass")}
    for node in root.iter():
        if node.tag in _OWN_IDS and node.tag not in ("folderInfo", "fileInfo"):
            name = extension_of(node.get("superClass", ""), own)
            if name not in ids.SUPER_CLASSES:
                yield "super-class", f'the IDE does not know the super class "{name}" of {node.tag} {node.get("id")}'


def _configurations(root: Element, project: str) -> Iterator[_Complaint]:
    found = root.findall("storageModule/cconfiguration")
    if not found:
        yield "configuration", "it has no build configuration"
    for cconfiguration in found:
        identity = cconfiguration.get("id", "")
        modules = {m.get("moduleId"): m for m in cconfiguration.findall("storageModule")}
        settings = modules.get("org.eclipse.cdt.core.settings")
        name = settings.get("name", "") if settings is not None else identity
        if settings is None or settings.get("buildSystemId") != _PROVIDER or settings.get("id") != identity:
            yield "configuration", f"{name}: its settings module does not name the managed build and its own id"
        parsers = [e.get("id") for e in cconfiguration.iter("extension")]
        for parser in ids.PARSERS:
            if parser not in parsers:
                yield "configuration", f"{name}: the extension {parser} is missing"
        build = modules.get("cdtBuildSystem")
        configuration = build.find("configuration") if build is not None else None
        if configuration is None:
            yield "configuration", f"{name}: no configuration in its build module: the IDE would skip the project"
            continue
        yield from _configuration(configuration, identity, name, project)


def _configuration(node: Element, identity: str, name: str, project: str) -> Iterator[_Complaint]:
    parent = node.get("parent", "")
    kind = parent.rsplit(".", 1)[-1]
    if node.get("id") != identity or node.get("name") != name:
        yield "configuration", f"{name}: id or name differ between its two modules"
    if parent not in (f"{ids.MANAGED}.config.exe.debug", f"{ids.MANAGED}.config.exe.release"):
        yield "configuration", f'{name}: the IDE does not know its parent "{parent}"'
    roots = [f for f in node.findall("folderInfo") if not f.get("resourcePath")]
    if len(roots) != 1 or roots[0].get("id") != f"{identity}.":
        yield "folder-info", f"{name}: the id of its root folder must be the configuration's with a dot behind it"
    for folder in node.findall("folderInfo") + node.findall("fileInfo"):
        if not folder.get("id", "").startswith(f"{identity}."):
            yield "folder-info", f"{name}: the id {folder.get('id')} does not begin with the configuration's"
    for folder in roots[:1]:
        toolchain = folder.find("toolChain")
        if toolchain is None or toolchain.get("superClass") != f"{ids.MANAGED}.toolchain.exe.{kind}":
            yield "toolchain", f"{name}: its tool chain is not that of a {kind} configuration"
            continue
        options = [option.get("superClass") for option in toolchain.findall("option")]
        for option in ids.TOOLCHAIN_OPTIONS:
            if options.count(f"{ids.MANAGED}.{option}") != 1:
                yield "toolchain-option", f"{name}: {option} must be set exactly once"
        tools = [tool.get("superClass") for tool in toolchain.findall("tool")]
        for tool in ids.TOOLS:
            if tools.count(f"{ids.MANAGED}.{tool}") != 1:
                yield "tool", f"{name}: {tool} must be there exactly once"
        builder = toolchain.find("builder")
        expected = f"${{workspace_loc:/{project}}}/{name}"
        if builder is None or builder.get("buildPath") != expected:
            yield "names", f"{name}: the builder's path is not {expected}"


def _names(root: Element, project: str) -> Iterator[_Complaint]:
    for node in root.findall("storageModule[@moduleId='cdtBuildSystem']/project"):
        if node.get("name") != project or not node.get("id", "").startswith(f"{project}."):
            yield "names", f'the build system calls the project "{node.get("name")}", .project calls it "{project}"'
    configured = sorted(c.get("name", "") for c in root.iter("configuration") if c.get("id"))
    scopes = root.findall("storageModule[@moduleId='refreshScope']/configuration")
    if sorted(scope.get("configurationName", "") for scope in scopes) != configured:
        yield "names", f"the refresh scopes are not those of the configurations {', '.join(configured)}"
    for resource in (r for scope in scopes for r in scope.findall("resource")):
        if resource.get("workspacePath") != f"/{project}":
            yield "names", f"a refresh scope names {resource.get('workspacePath')}, not /{project}"


def _scanner(root: Element) -> Iterator[_Complaint]:
    known = {node.get("id") for node in root.iter() if node.get("id")}
    for node in root.iter("scannerConfigBuildInfo"):
        for name in node.get("instanceId", "").split(";"):
            if name not in known:
                yield "scanner", f'the discovery record names "{name}", which is not in the file'


def _paths(root: Element) -> Iterator[_Complaint]:
    for node in root.iter():
        if node.tag not in ("option", "listOptionValue", "entry", "builder", "folderInfo", "fileInfo"):
            continue
        for attribute in _PATH_ATTRIBUTES:
            value = node.get(attribute, "").strip('"')
            # The root folder is called "/".
            if "\\" in value or (_ABSOLUTE.match(value) and not (attribute == "name" and value == "/")):
                yield (
                    "portable-path",
                    f'{node.tag} has "{value}": absolute paths and backslashes hold on one machine only',
                )
