"""What the schema cannot say: that files exist, sets are disjoint, and the project goes where it may."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from approx_plugin.documents.reader import Document, Keys
from approx_plugin.documents.wording import describe, dotted
from approx_plugin.errors import SpecError
from approx_plugin.spec.paths import (
    Problem,
    absolute_file,
    file_problem,
    model_problem,
    occupied,
    project_name,
    resolved,
)
from approx_plugin.spec.spec import SETS


class Checked(NamedTuple):
    """What the checks look at.

    values: the file's values with the defaults filled in; wrong: those that already have a message;
    folder: of approx.yaml, absolute.
    """

    document: Document
    values: Mapping[str, Any]
    wrong: frozenset[Keys]
    folder: Path

    def get(self, *keys: str) -> Any:
        """A value; None where it is missing, or where it, something in it or something around it is wrong."""
        if any(wrong[: len(keys)] == keys[: len(wrong)] for wrong in self.wrong):
            return None
        value: Any = self.values
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        return value

    def error(self, keys: Keys, what: str, why: str = "", hint: str = "") -> SpecError:
        """A mistake of a value."""
        return SpecError(f"{dotted(keys)}: {what}", where=self.document.where(keys), why=why, hint=hint)

    def problem(self, keys: Keys, problem: Problem) -> SpecError:
        """A mistake of a file that is named."""
        return self.error(keys, problem.what, problem.why, problem.hint)


def semantic_errors(checked: Checked) -> Iterator[SpecError]:
    """Every mistake that the checks below find."""
    for check in CHECKS:
        yield from check(checked)


def _files(checked: Checked) -> Iterator[SpecError]:
    """The model, the design and the data exist."""
    model = checked.get("model")
    problem = model_problem(checked.folder, model) if model else None
    if problem:
        yield checked.problem(("model",), problem)
    design = checked.get("design")
    problem = file_problem(checked.folder, design) if design else None
    if problem:
        yield checked.problem(("design",), problem)
    for name in SETS:
        keys = ("data", name, "file")
        file = checked.get(*keys)
        problem = file_problem(checked.folder, file) if file else None
        if problem:
            yield checked.problem(keys, problem)


def _disjoint(checked: Checked) -> Iterator[SpecError]:
    """No image of a file belongs to two sets: accuracy on images that were used before is no evidence."""
    for first, second in itertools.combinations(SETS, 2):
        one, two = checked.get("data", first), checked.get("data", second)
        if not one or not two or one["images"] != two["images"]:
            continue
        if resolved(checked.folder / one["file"]) != resolved(checked.folder / two["file"]):
            continue
        begin = int(max(one["start"], two["start"]))
        ends = [source["start"] + source["count"] for source in (one, two) if "count" in source]
        if ends and begin >= min(ends):
            continue
        common = f"images {begin} to {int(min(ends)) - 1}" if ends else f"the images from {begin} on"
        yield checked.error(
            ("data", second),
            f"{first} and {second} share {common} of '{one['images']}' in {two['file']}",
            "an accuracy counts only on images that no earlier stage has seen",
            f"write {second}: {{start: {int(one['start'] + one['count'])}}}"
            if "count" in one
            else f"give {first} a count",
        )


def layer_name(layer: str | float) -> str:
    """A layer's name, or its index (3 and 3.0 are the same one) as decimal digits."""
    return layer if isinstance(layer, str) else str(int(layer))


def _layers(checked: Checked) -> Iterator[SpecError]:
    """No layer is asked for and excluded."""
    wanted = {layer_name(layer) for layer in checked.get("method", "layers") or ()}
    for index, layer in enumerate(checked.get("method", "exclude") or ()):
        if layer_name(layer) in wanted:
            what = f"{describe(layer)} stands in method.layers as well"
            yield checked.error(("method", "exclude", index), what, hint="remove it from one of the two lists")


def _directory(checked: Checked) -> Iterator[SpecError]:
    """The project gets a directory of its own, without anything in it that it is made of."""
    keys = ("project", "directory")
    directory = project_directory(checked)
    if directory is None:
        return
    if occupied(directory):
        yield checked.error(
            keys, f"'{directory.name}' is a file, but has to be a directory", hint="choose another name"
        )
    holds = {"approx.yaml": checked.folder}
    model = checked.get("model")
    if model:
        holds["the model"] = absolute_file(checked.folder, model).parent
    design = checked.get("design")
    if design:
        holds["the design"] = absolute_file(checked.folder, design).parent
    for name in SETS:
        file = checked.get("data", name, "file")
        if file:
            holds[f"data.{name}"] = absolute_file(checked.folder, file).parent
    for thing, folder in holds.items():
        if folder == directory or directory in folder.parents:
            yield checked.error(
                keys,
                f"the project's directory {directory} holds {thing}",
                "the directory belongs to the generated project alone",
                "choose a directory that holds nothing else, for example build/digits",
            )
            return


def project_directory(checked: Checked) -> Path | None:
    """The project's directory, absolute: as given, else build/<name>; None if neither it nor the name can be told."""
    given = checked.get("project", "directory")
    if given is None:
        model = checked.get("model")
        name = checked.get("project", "name") or (model and project_name(Path(model)))
        given = name and f"build/{name}"
    return resolved(checked.folder / given) if given else None


CHECKS = (_files, _disjoint, _layers, _directory)
