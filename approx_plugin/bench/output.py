"""Where a bench's files go: beside the project, whose own folder belongs to the IDE and to the user."""

from __future__ import annotations

from pathlib import Path

from approx_plugin.bench.document import json_text
from approx_plugin.bench.page import html_text
from approx_plugin.bench.picture import svg_text
from approx_plugin.bench.published import Published
from approx_plugin.bench.results import Bench
from approx_plugin.bench.text import render
from approx_plugin.project.writer import write


def folder(project: Path) -> Path:
    """`build/digits` -> `build/digits_bench`."""
    return project.with_name(f"{project.name}_bench")


def save(bench: Bench, published: Published, directory: Path) -> None:
    """Write bench.html, bench.json, bench.txt and bench.svg; those of an earlier run are replaced.

    Same bench, same bytes. Raises ProjectError if the directory holds files that no bench has written.
    """
    texts = {
        "bench.json": json_text(bench, published),
        "bench.txt": render(bench, published),
        "bench.svg": svg_text(bench, published),
        "bench.html": html_text([bench], published),
    }
    write({name: text.encode() for name, text in texts.items()}, directory, force=True)
