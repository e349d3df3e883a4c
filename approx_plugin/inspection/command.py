"""`inspect`: what is in a model, whether it is supported, which boards hold it, and an approx.yaml to begin with."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from approx_plugin.documents.wording import counted
from approx_plugin.errors import ApproxError, ModelError, ProjectError
from approx_plugin.files import read_bytes, write_whole
from approx_plugin.inspection.fitting import fits, runs_on, smallest
from approx_plugin.inspection.overview import overview
from approx_plugin.inspection.starter import starter
from approx_plugin.inspection.text import nearest, network_text
from approx_plugin.kernels.platform import Platform
from approx_plugin.resources import resource_root
from approx_plugin.tflite.file import decode
from approx_plugin.tflite.reader import MAX_BYTES, read_graph

Say = Callable[[str], None]


def inspect(model: Path, say: Say, spec: Path | None = None, force: bool = False) -> None:
    """Say what `model` is. spec: where to write an approx.yaml; force: also in the place of another one.

    Raises ModelError for what is no model, or after the overview for one that is not supported; ProjectError where the
    approx.yaml is not written.
    """
    say(f"{model}: {_size(model):,} bytes")
    for line in _overview(model):
        say(line)
    graph = read_graph(model)
    found = fits(graph)
    best = smallest(found) or nearest(found)
    say("")
    say("\n".join(network_text(graph, runs_on(graph, Platform.of(best.board, "assembly")), found)))
    if spec is not None:
        if spec.exists() and not force:
            raise ProjectError(
                "an approx.yaml is there already", where=spec, hint="name another file with --spec, or use --force"
            )
        named = os.path.relpath(model, spec.parent)
        text = starter(
            graph, counted(len(graph.operators), "layer"), named, best.board.id, best.holds, schema_for(spec)
        )
        write_whole(spec, text.encode())
        say(f"{spec}: written")


def schema_for(spec: Path) -> str:
    """How an approx.yaml names the schema: relative in the tool's own checkout, else where it is installed."""
    file, folder = resource_root() / "schemas" / "approx.schema.json", spec.parent.resolve()
    own = resource_root() in (folder, *folder.parents)
    return Path(os.path.relpath(file, folder)).as_posix() if own else file.as_posix()


def _size(model: Path) -> int:
    try:
        return model.stat().st_size
    except OSError as error:
        what = error.strerror or str(error)
        raise ModelError("the model cannot be read", where=model, why=what, hint="check the path") from None


def _overview(model: Path) -> list[str]:
    """The lines; none for a file that cannot be decoded, of which the reader says why."""
    try:
        return list(overview(decode(read_bytes(model, MAX_BYTES), str(model))))
    except (ApproxError, OSError, ValueError, IndexError):
        return []
