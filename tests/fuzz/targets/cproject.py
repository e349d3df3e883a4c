"""The IDE's project file, as a person or the IDE may have left it: checked, and replayed as a build."""

from __future__ import annotations

import copy
import functools
import random
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from fake_project import BOARDS, fake_files, put

from approx_plugin.build.check import check_project
from approx_plugin.build.replay import replay
from approx_plugin.cubeide.managed import read_managed
from tests.fuzz.target import Target, stored

_WORDS = (
    b"<", b">", b"/>", b"</", b"&amp;", b"&lt;", b"&#0;", b"&#x1F600;", b"&a;", b"<![CDATA[", b"]]>", b"<!--", b"-->",
    b"<?xml version='1.0' encoding='utf-16'?>", b"<?fileVersion 4.0.0?>", b'<!DOCTYPE x [<!ENTITY a "aaaa">]>',
    b'=""', b'value="', b'excluding="', b'superClass="', b'id="', b"../", b"/etc/passwd", b"*", b"**", b"|",
    b"${ProjName}", b"storageModule", b"configuration", b"folderInfo", b"\x00", b"\xff", b"\n", b'name=""',
    b'resourcePath="Middlewares"',
)  # fmt: skip


@functools.lru_cache(maxsize=1)
def _files() -> dict[str, bytes]:
    return fake_files(BOARDS[0])


def _seeds() -> list[bytes]:
    return [*(fake_files(board)[".cproject"] for board in BOARDS), *stored("cproject")]


def _read(content: bytes, folder: Path) -> str:
    project = folder / "project"
    if not project.is_dir():
        put(_files(), project)
    (project / ".cproject").write_bytes(content)
    rules = sorted({finding.rule for finding in check_project(project)})
    managed = read_managed(project)
    counts = [len(replay(managed, found, project).compilations) for found in managed.configurations]
    return f"{rules} {counts[:3]}"


def _in_tree(
    change: Callable[[random.Random, Element, list[Element]], None],
) -> Callable[[random.Random, bytes], bytes]:
    """A mutation of the tree as one of the bytes."""

    def apply(rng: random.Random, content: bytes) -> bytes:
        try:
            root = ElementTree.fromstring(content)
        except (ElementTree.ParseError, ValueError, LookupError):
            return content
        nodes = list(root.iter())
        if len(nodes) > 4000:
            return content
        change(rng, rng.choice(nodes), nodes)
        head = b'<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n<?fileVersion 4.0.0?>'
        return head + ElementTree.tostring(root)

    return apply


def _attribute(rng: random.Random, node: Element, nodes: list[Element]) -> None:
    """A value from elsewhere, or an odd one; or an attribute less."""
    if not node.attrib:
        return
    key = rng.choice(sorted(node.attrib))
    other = rng.choice(nodes).attrib
    values = ["", "a|b|c", "*", "../..", "-1", "x" * 2000, "${workspace_loc:/${ProjName}/x.ld}", *other.values()]
    if rng.random() < 0.2:
        del node.attrib[key]
    else:
        node.attrib[key] = rng.choice(values)


def _element(rng: random.Random, node: Element, nodes: list[Element]) -> None:
    """A child less, another child, or one twice."""
    if len(node) and rng.random() < 0.4:
        node.remove(rng.choice(list(node)))
        return
    node.insert(rng.randrange(len(node) + 1), copy.deepcopy(rng.choice(nodes)))


CPROJECT = Target("cproject", _seeds, _WORDS, _read, (_in_tree(_attribute), _in_tree(_element)))
