"""What a person's project has already that a network brings along, too: functions of another copy of CMSIS-NN."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from approx_plugin.cubeide.managed import read_managed
from approx_plugin.merging.host import Host

_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)

SINGLE_ROUNDING = "CMSIS_NN_USE_SINGLE_ROUNDING"
"""A definition that makes CMSIS-NN round otherwise than TensorFlow Lite does."""


def clashes(host: Host, names: Iterable[str]) -> frozenset[str]:
    """Those of `names` that the project's own C sources define, too: the linker takes no function twice."""
    wanted = frozenset(names)
    if not wanted:
        return frozenset()
    definition = re.compile(rf"\b({'|'.join(map(re.escape, sorted(wanted)))})\s*\([^;{{)]*\)\s*\{{")
    found: set[str] = set()
    for file in _sources(host):
        text = _COMMENT.sub(" ", file.read_text(encoding="utf-8", errors="replace"))
        found.update(definition.findall(text))
    return frozenset(found)


def _sources(host: Host) -> Iterator[Path]:
    """C sources of the project that are not ours. Of a CMake project those are all that lie in it."""
    root, ours = host.directory, f"{host.folder}/"
    if host.is_managed:
        compiled = {path for c in read_managed(root).configurations for path in c.sources(root)}
    else:
        compiled = {path.relative_to(root).as_posix() for path in root.rglob("*.c") if not _is_built(path, root)}
    return (root / path for path in sorted(compiled) if path.endswith(".c") and not path.startswith(ours))


def _is_built(path: Path, root: Path) -> bool:
    """Whether a file lies in a build folder of CMake's, or in a hidden one."""
    inner = [parent for parent in path.parents if root in parent.parents]
    return any(parent.name.startswith(".") or (parent / "CMakeCache.txt").exists() for parent in inner)
