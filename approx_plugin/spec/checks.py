"""What the schema cannot say: that files exist, sets are disjoint, and the project goes where it may."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

from approx_plugin.documents.checked import Checked
from approx_plugin.documents.document import Keys
from approx_plugin.documents.wording import describe
from approx_plugin.errors import ApproxError
from approx_plugin.resources import resource_root
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


def semantic_errors(checked: Checked, folder: Path) -> Iterator[ApproxError]:
    """Every mistake that the checks below find. folder: of approx.yaml, absolute."""
    for check in CHECKS:
        yield from check(checked, folder)


def _problem(checked: Checked, keys: Keys, problem: Problem) -> ApproxError:
    """A mistake of a file that is named."""
    return checked.error(keys, problem.what, problem.why, problem.hint)


def _files(checked: Checked, folder: Path) -> Iterator[ApproxError]:
    """The model, the design and the data exist."""
    model = checked.get("model")
    problem = model_problem(folder, model) if model else None
    if problem:
        yield _problem(checked, ("model",), problem)
    design = checked.get("design")
    problem = file_problem(folder, design) if design else None
    if problem:
        yield _problem(checked, ("design",), problem)
    pdsc = checked.get("board", "pdsc")
    problem = file_problem(folder, pdsc) if pdsc and not absolute_file(folder, pdsc).is_dir() else None
    if problem:
        yield _problem(checked, ("board", "pdsc"), problem)
    for name in SETS:
        keys = ("data", name, "file")
        file = checked.get(*keys)
        problem = file_problem(folder, file) if file and not absolute_file(folder, file).is_dir() else None
        if problem:
            yield _problem(checked, keys, problem)


def _disjoint(checked: Checked, folder: Path) -> Iterator[ApproxError]:
    """No image of a file belongs to two sets: accuracy on images that were used before is no evidence."""
    for first, second in itertools.combinations(SETS, 2):
        one, two = checked.get("data", first), checked.get("data", second)
        if not one or not two or one["images"] != two["images"]:
            continue
        if resolved(folder / one["file"]) != resolved(folder / two["file"]):
            continue
        begin = max(one["start"], two["start"])
        ends = [source["start"] + source["count"] for source in (one, two) if "count" in source]
        if ends and begin >= min(ends):
            continue
        common = f"images {begin} to {min(ends) - 1}" if ends else f"the images from {begin} on"
        yield checked.error(
            ("data", second),
            f"{first} and {second} share {common} of '{one['images']}' in {two['file']}",
            "an accuracy counts only on images that no earlier stage has seen",
            f"write {second}: {{start: {one['start'] + one['count']}}}" if "count" in one else f"give {first} a count",
        )


def _target(checked: Checked, _: Path) -> Iterator[ApproxError]:
    """Nothing is asked for in two ways."""
    target = checked.get("target") or {}
    for one, other in (("max_accuracy_drop", "accuracy"), ("max_cycles", "max_latency")):
        if one in target and other in target:
            what = f"target has {one} and {other}"
            yield checked.error(("target", other), what, hint="remove one of the two")


def _layers(checked: Checked, _: Path) -> Iterator[ApproxError]:
    """No layer is asked for and excluded."""
    wanted = {str(layer) for layer in checked.get("method", "layers") or ()}
    for index, layer in enumerate(checked.get("method", "exclude") or ()):
        if str(layer) in wanted:
            what = f"{describe(layer)} stands in method.layers as well"
            yield checked.error(("method", "exclude", index), what, hint="remove it from one of the two lists")


def _directory(checked: Checked, folder: Path) -> Iterator[ApproxError]:
    """The project gets a directory of its own, without anything in it that it is made of."""
    keys = ("project", "directory")
    directory = project_directory(checked, folder)
    if directory is None:
        return
    if occupied(directory):
        yield checked.error(
            keys, f"'{directory.name}' is a file, but has to be a directory", hint="choose another name"
        )
    directory = resolved(directory)
    holds = {"approx.yaml": folder}
    model = checked.get("model")
    if model:
        holds["the model"] = absolute_file(folder, model).parent
    design = checked.get("design")
    if design:
        holds["the design"] = absolute_file(folder, design).parent
    for name in SETS:
        file = checked.get("data", name, "file")
        if file:
            holds[f"data.{name}"] = absolute_file(folder, file).parent
    for thing, place in holds.items():
        if place == directory or directory in place.parents:
            yield checked.error(
                keys,
                f"the project's directory {directory} holds {thing}",
                "the directory belongs to the generated project alone",
                "choose a directory that holds nothing else, for example build/digits",
            )
            return


def project_directory(checked: Checked, folder: Path) -> Path | None:
    """The project's directory, absolute: as given, else build/<name>; None if neither it nor the name can be told.

    A link in its place is not resolved: what lies behind it is left alone.
    """
    given = checked.get("project", "directory")
    if given is None:
        model = checked.get("model")
        name = checked.get("project", "name") or (model and project_name(Path(model)))
        given = name and f"build/{name}"
    return absolute_file(folder, given) if given else None


def _name(checked: Checked, _: Path) -> Iterator[ApproxError]:
    """The network's files do not take the place of the runtime's, or of another network's layers."""
    name = checked.get("name")
    if not isinstance(name, str):
        return
    runtime = resource_root() / "Middlewares" / "Approx"
    taken = {path.stem for path in runtime.glob("*/*.[ch]")}
    if f"approx_{name}" in taken:
        yield checked.error(
            ("name",), f"approx_{name} is a file of the runtime", hint=f"choose another name, for example my_{name}"
        )
    elif re.search(r"(^|_)layer_\d+$", name):
        yield checked.error(
            ("name",), f"'{name}' ends as the names of layers do", hint="choose a name that does not end in layer_<n>"
        )


CHECKS = (_files, _disjoint, _target, _layers, _directory, _name)
