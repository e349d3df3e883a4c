"""approx.yaml to `Spec`: read, validate, check, and only then build."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from approx_plugin.boards.memory import size_of
from approx_plugin.documents.checked import Checked, hold
from approx_plugin.documents.document import Document
from approx_plugin.documents.reader import read
from approx_plugin.documents.schema import Schema, load_schema
from approx_plugin.errors import Location, SpecError
from approx_plugin.spec.checks import project_directory, semantic_errors
from approx_plugin.spec.paths import absolute_file, project_name, resolved
from approx_plugin.spec.spec import (
    DataSource,
    DataSpec,
    KernelOptions,
    Method,
    PackOptions,
    PixelScaling,
    ProjectOptions,
    Search,
    Spec,
    Target,
)

OWN = "approx"
"""Our own interface, which every network has."""
COUNTS: Mapping[str, float] = {"k": 1 / 1000, "M": 1 / 1_000_000}
TIMES: Mapping[str, float] = {"us": 1e6, "ms": 1e3, "s": 1.0}
"""How many of a unit are in one: a division by a round number leaves 50 ms the float that 0.05 is."""


def load_spec(path: Path) -> Spec:
    """Read approx.yaml.

    The messages name the file as `path` does. Raises SpecError, or an ErrorGroup with every mistake in the order of the
    file, if it cannot be read, is not what `schemas/approx.schema.json` describes, or names files that do not exist.
    Not checked here, because the caller may know better: whether the board exists (`Spec.where("board")` is its place)
    and whether the directory of CMSIS-NN does.
    """
    document, root = read(path, SpecError), load_schema("approx")
    checked = hold(document, root, _long_form(root, document.value))
    folder = resolved(path.parent)
    checked.raise_mistakes(semantic_errors(checked, folder))
    return _build(path, checked, folder)


def _long_form(root: Schema, value: Any) -> Any:
    """The file's values with `method: name` written as the map that it stands for."""
    if not isinstance(value, dict):
        return value
    method = value.get("method", root["properties"]["method"]["default"])
    return {**value, "method": {"name": method} if isinstance(method, str) else method}


def _build(path: Path, checked: Checked, folder: Path) -> Spec:
    """The Spec of values without a mistake."""
    values = checked.values
    model = absolute_file(folder, values["model"])
    directory = project_directory(checked, folder)
    assert directory is not None
    target, data, project = values.get("target"), values.get("data"), values["project"]
    cmsis_nn, design = values.get("cmsis_nn"), values.get("design")
    board = values["board"] if isinstance(values["board"], dict) else {"device": values["board"]}
    return Spec(
        file=absolute_file(folder, path.name),
        model=model,
        board=board["device"],
        pdsc=absolute_file(folder, board["pdsc"]) if "pdsc" in board else None,
        packs=_packs(folder, values["packs"]),
        target=_target(target) if target else None,
        data=_data(folder, data) if data else None,
        method=_method(values["method"]),
        design=absolute_file(folder, design) if design else None,
        search=_search(values["search"]),
        kernels=KernelOptions(**values["kernels"]),
        optimize=values["optimize"],
        budget={memory: size_of(size) for memory, size in values.get("budget", {}).items()},
        name=values["name"],
        api=tuple(sorted(set(values["api"]) - {OWN})),
        cmsis_nn=resolved(folder / cmsis_nn) if cmsis_nn else None,
        project=ProjectOptions(
            name=project.get("name", project_name(model)),
            directory=directory,
            test_vectors=project["test_vectors"],
            into=absolute_file(folder, project["into"]) if "into" in project else None,
        ),
        verify_images=values["verify"]["images"],
        locations=_locations(checked.document),
    )


def _target(values: Mapping[str, Any]) -> Target:
    """The target; numbers may have been written as integers."""
    drop, accuracy = values.get("max_accuracy_drop"), values.get("accuracy")
    flash, ram = (size_of(values[key]) if key in values else None for key in ("max_flash", "max_ram"))
    return Target(
        None if drop is None else float(drop),
        None if accuracy is None else float(accuracy),
        flash,
        ram,
        _scaled(values.get("max_cycles"), COUNTS),
        _scaled(values.get("max_latency"), TIMES),
    )


def _scaled(value: int | str | None, units: Mapping[str, float]) -> float | None:
    """A number with a unit after it, the schema has checked which: `8M`, `50ms`."""
    if value is None or isinstance(value, int):
        return value if value is None else float(value)
    unit = next(name for name in sorted(units, key=len, reverse=True) if value.endswith(name))
    return float(value.removesuffix(unit)) / units[unit]


def _search(values: Mapping[str, Any]) -> Search:
    """The search; "point" asks for no confidence beyond the images at hand."""
    wanted = values["confidence"]
    return Search(**{**values, "confidence": None if wanted == "point" else float(wanted)})


def _packs(folder: Path, values: Mapping[str, Any]) -> PackOptions:
    """Where packs come from and go to."""
    place = values.get("folder")
    return PackOptions(values["index"], resolved(folder / place) if place else None, values.get("cmsis_nn"))


def _data(folder: Path, values: Mapping[str, Any]) -> DataSpec:
    """The three sets."""
    return DataSpec(**{name: _source(folder, source) for name, source in values.items()})


def _source(folder: Path, values: Mapping[str, Any]) -> DataSource:
    """One set."""
    return DataSource(
        file=absolute_file(folder, values["file"]),
        images=values["images"],
        labels=values["labels"],
        start=values["start"],
        count=values.get("count"),
        inputs=values.get("inputs", {}),
        pixels=_pixels(values["pixels"]) if "pixels" in values else None,
    )


def _pixels(values: Mapping[str, Any]) -> PixelScaling:
    mean = values["mean"]
    return PixelScaling(float(values["scale"]), tuple(map(float, mean if isinstance(mean, list) else [mean])))


def _method(values: Mapping[str, Any]) -> Method:
    """The method; layers by index become text, as the names are."""
    layers = values.get("layers")
    return Method(
        name=values["name"],
        criterion=values["criterion"],
        granularity=values["granularity"],
        layers=None if layers is None else tuple(map(str, layers)),
        exclude=tuple(map(str, values["exclude"])),
    )


def _locations(document: Document) -> Mapping[str, Location]:
    """The places by dotted path, list items by their index: "method.layers.0"."""
    return {".".join(map(str, keys)): place for keys, place in document.locations.items() if keys}
