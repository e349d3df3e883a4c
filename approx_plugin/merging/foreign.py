"""What a person's project has already that a network brings along, too: a CMSIS-NN, or another network's runtime."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from approx_plugin.build.replay import project_path
from approx_plugin.cubeide.managed import ManagedConfiguration, Value, read_managed
from approx_plugin.library.provider import CmsisNn
from approx_plugin.merging.host import Host

SINGLE_ROUNDING = "CMSIS_NN_USE_SINGLE_ROUNDING"
"""A definition that makes CMSIS-NN round otherwise than TensorFlow Lite does."""

_HEADER, _TYPES = "arm_nnfunctions.h", "arm_nn_types.h"
_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_CUBE_AI = ("X-CUBE-AI", "Middlewares/ST/AI")


def clashes(host: Host, names: Iterable[str]) -> frozenset[str]:
    """Those of `names` that the project's own C sources define, too: the linker takes no function twice."""
    return _defined(host.directory, _sources(host), frozenset(names))


def own_library(host: Host, provider: CmsisNn) -> str | None:
    """The folder of the headers of a CMSIS-NN that the project compiles itself, if the network can use that one.

    It can where every configuration compiles all functions that are needed, and its headers say the same of them and of
    their types as those that the network was made for. Nobody knows what a CMake project compiles: None.
    """
    if not host.is_managed or host.has_cmake or SINGLE_ROUNDING in host.definitions:
        return None
    needed = frozenset(provider.functions)
    folders = set()
    for configuration in read_managed(host.directory).configurations:
        sources = (path for path in configuration.sources(host.directory) if _is_theirs(path, host))
        folder = _header_folder(configuration, host)
        if folder is None or _defined(host.directory, sources, needed) != needed:
            return None
        folders.add(folder)
    headers = {Path(path).name: file for path, file in provider.files.items() if path.endswith(".h")}
    folder = folders.pop() if len(folders) == 1 else None
    if folder is None or not needed or not {_HEADER, _TYPES} <= set(headers):
        return None
    theirs, ours = (_facts(d, needed) for d in (host.directory / folder, headers[_HEADER].parent))
    return folder if theirs and theirs == ours else None


def has_cube_ai(host: Host) -> bool:
    """Whether X-CUBE-AI has put a network into the project."""
    return any((host.directory / place).is_dir() for place in _CUBE_AI)


def _header_folder(configuration: ManagedConfiguration, host: Host) -> str | None:
    """The first include path of the application with a CMSIS-NN in it, below the project's root."""
    listed = configuration.root_options.get("tool.c.compiler.option.includepaths", Value("")).items
    found = (project_path(value) for value in listed)
    return next((folder for folder in found if (host.directory / folder / _HEADER).is_file()), None)


def _facts(folder: Path, functions: Iterable[str]) -> tuple[str, ...]:
    """The types, and what the functions look like, without comments and layout; empty if anything is missing."""
    try:
        text = _plain((folder / _HEADER).read_text(encoding="utf-8", errors="replace"))
        types = _plain((folder / _TYPES).read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return ()
    found = [re.search(rf"[\w ]*\b{re.escape(name)} ?\([^;]*\) ?;", text) for name in sorted(functions)]
    return (types, *(match[0] for match in found if match)) if all(found) else ()


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", _COMMENT.sub(" ", text))


def _defined(root: Path, sources: Iterable[str], wanted: frozenset[str]) -> frozenset[str]:
    """Those of the wanted functions that C sources define."""
    if not wanted:
        return frozenset()
    definition = re.compile(rf"\b({'|'.join(map(re.escape, sorted(wanted)))})\s*\([^;{{)]*\)\s*\{{")
    found: set[str] = set()
    for path in sources:
        if path.endswith(".c"):
            text = (root / path).read_text(encoding="utf-8", errors="replace")
            found.update(definition.findall(_COMMENT.sub(" ", text)))
    return frozenset(found)


def _sources(host: Host) -> Iterator[str]:
    """C sources of the project that are not ours. Of a CMake project those are all that lie in it."""
    root = host.directory
    if host.is_managed and not host.has_cmake:
        compiled = {path for c in read_managed(root).configurations for path in c.sources(root)}
    else:
        compiled = {path.relative_to(root).as_posix() for path in root.rglob("*.c") if not _is_built(path, root)}
    return (path for path in sorted(compiled) if _is_theirs(path, host))


def _is_theirs(path: str, host: Host) -> bool:
    return not path.startswith(f"{host.folder}/")


def _is_built(path: Path, root: Path) -> bool:
    """Whether a file lies in a build folder of CMake's, or in a hidden one."""
    inner = [parent for parent in path.parents if root in parent.parents]
    return any(parent.name.startswith(".") or (parent / "CMakeCache.txt").exists() for parent in inner)
