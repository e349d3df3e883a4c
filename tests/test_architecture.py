"""The house holds: imports point one way, and docs/architecture.md names every room."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ORDER = (
    "__main__",
    "validation",
    "calibration",
    "cli",
    "verbs",
    "packing",
    "session explanation",
    "bench exploring measured",
    "pipeline",
    "proof",
    "laboratory",
    "inspection",
    "terminal digest report legible vectors doctor requirements",
    "exploration selection suitability",
    "merging",
    "project",
    "build",
    "cubeide library",
    "kernels",
    "approximation",
    "reference",
    "virtual_board",
    "dataset tflite",
    "archive",
    "operators",
    "native",
    "spec",
    "packs",
    "boards",
    "cores",
    "documents",
    "model workplace request process hashes files pictures resources provenance folding errors __init__",
)
"""Floors from the top down. A room may import rooms of lower floors and, within one floor, nobody but itself."""

FLOOR = {room: floor for floor, rooms in enumerate(ORDER) for room in rooms.split()}

ALLOWED = {
    # Two leaves of the lowest floor that everybody needs.
    ("model", "errors"),
    ("files", "errors"),
    ("workplace", "files"),
    ("workplace", "errors"),
    ("files", "hashes"),
    ("process", "errors"),
}


def modules(package: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(package.rglob("*.py")):
        if "_resources" not in path.parts:
            # A room's own command stands on the top floor, wherever the room is.
            entry = path.name == "__main__.py"
            yield "__main__" if entry else path.relative_to(package).parts[0].removesuffix(".py"), path


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Line and name below the package of everything that a file imports from it, also inside of functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "approx_plugin":
            names = node.module.split(".")[1:] or [alias.name for alias in node.names]
            yield node.lineno, names[0]
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("approx_plugin."):
                    yield node.lineno, alias.name.split(".")[1]


def test_every_room_has_a_floor(root: Path) -> None:
    rooms = {room for room, _ in modules(root / "approx_plugin")}
    assert rooms <= set(FLOOR), "give a new room a floor here and a line in docs/architecture.md"


def test_imports_point_down(root: Path) -> None:
    package = root / "approx_plugin"
    wrong = []
    for room, path in modules(package):
        for line, target in imported(path):
            known = target in FLOOR
            if known and target != room and FLOOR[target] <= FLOOR[room] and (room, target) not in ALLOWED:
                wrong.append(f"{path.relative_to(package)}:{line}: {room} imports {target}")
    assert not wrong, "\n".join(wrong)


def test_no_file_is_in_a_circle(root: Path) -> None:
    """Within the rooms, too: a file never imports, over any number of others, itself."""
    package = root / "approx_plugin"
    files = {".".join(p.relative_to(package).with_suffix("").parts): p for _, p in modules(package)}
    names = {name.removesuffix(".__init__"): name for name in files}
    edges: dict[str, set[str]] = {}
    for name, path in files.items():
        found = set()
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("approx_plugin"):
                module = node.module.removeprefix("approx_plugin").lstrip(".")
                for alias in node.names:
                    inner = f"{module}.{alias.name}".lstrip(".")
                    target = names.get(inner) or names.get(module)
                    if target:
                        found.add(target)
        edges[name] = found - {name}
    done: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, " -> ".join((*way[way.index(name) :], name))
        if name not in done:
            for target in sorted(edges[name]):
                visit(target, (*way, name))
            done.add(name)

    for name in sorted(edges):
        visit(name, ())


@pytest.mark.parametrize("name", ["main.c"])
def test_the_application_has_no_circle(root: Path, name: str) -> None:
    """main.c calls everybody, nobody calls main.c."""
    source = root / "Core" / "Src" / name
    defined = set(re.findall(r"^[\w *]+?\b(\w+)\([^;]*?\)\n\{", source.read_text(encoding="utf-8"), re.M))
    others = [p for p in source.parent.glob("*.c") if p != source]
    used = {word for p in others for word in re.findall(r"\b\w+(?=\()", p.read_text(encoding="utf-8"))}
    assert not (defined - {"main"}) & used


def test_the_document_names_every_room(root: Path) -> None:
    text = (root / "docs" / "architecture.md").read_text(encoding="utf-8")
    package = root / "approx_plugin"
    folders = {room for room, path in modules(package) if path.parent != package} - {"__main__"}
    assert [room for room in sorted(folders) if f"`{room}/`" not in text] == []
