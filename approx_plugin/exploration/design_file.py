"""design.json: a design as a file, from which the same network comes again without data and without a search.

For every approximated operator it says in which basis it was approximated and which products were dropped, and the
sha256 of the coefficients that have to come out. A coefficient or a bias that a method has changed is in it as well.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from approx_plugin import __version__
from approx_plugin.approximation.bases.registry import BASES
from approx_plugin.approximation.basis import Basis, IntArray
from approx_plugin.approximation.candidate import Candidate
from approx_plugin.approximation.grouping import Grouping, numbered
from approx_plugin.approximation.skipping import made
from approx_plugin.errors import ApproxError, Location, SpecError, raise_all
from approx_plugin.exploration.choice import Choice
from approx_plugin.exploration.design import Candidates, Design, ordered
from approx_plugin.exploration.front import Point
from approx_plugin.exploration.result import Exploration
from approx_plugin.model.graph import Graph
from approx_plugin.model.operator import Operator
from approx_plugin.resources import resource_root
from approx_plugin.spec.spec import Spec

FORMAT = 1
"""Version of design.json; it grows when a field changes its meaning or goes."""

FILE_NAME = "design.json"

MAX_BYTES = 256 << 20
"""Far more than a network for a microcontroller can need."""


@dataclass(frozen=True, eq=False)
class DesignFile:
    """content: the bytes of the file; method: what made the design, for reports; candidates: its operators."""

    content: bytes
    method: str
    candidates: Candidates


# ---- writing


def design_text(spec: Spec, graph: Graph, choice: Choice, method: str, target: str, found: Exploration) -> str:
    """The file's content.

    graph: the exact network; choice: the steps of the chosen design; method, target: in words.
    """
    layers = _layers(graph, choice, found.chosen.candidates)
    confirmed, explored = found.confirmation, found.exploration
    head = {
        "format": FORMAT,
        "tool": __version__,
        "model": {"file": spec.model.name, "sha256": graph.sha256},
        "method": method,
        "target": target,
        "target_met": found.target_met,
        "accuracy": {
            name: {"images": c.images, "exact": c.exact, "approximated": c.approximated, "interval": list(c.interval)}
            for name, c in (("exploration", explored), ("confirmation", confirmed))
        },
    }
    numbers = {point: number for number, point in reversed(list(enumerate(found.points)))}
    lists: dict[str, list[dict[str, Any]]] = {
        "layers": layers,
        "looks": [{"design": numbers[look.point], "accuracy": look.accuracy, "met": look.met} for look in found.looks],
        "measured": [measured(number, point) for number, point in enumerate(found.points)],
    }
    return _json_text(head, lists)


def recipe_text(spec: Spec, graph: Graph, choice: Choice, method: str, design: Design, number: int) -> str:
    """The same of any design that was measured: how it is rebuilt, and its figures on the exploration images.

    choice: its steps; number: among all that were measured.
    """
    head = {
        "format": FORMAT,
        "tool": __version__,
        "model": {"file": spec.model.name, "sha256": graph.sha256},
        "method": f"{method}, point {number} of the front",
    }
    layers = _layers(graph, choice, design.candidates)
    return _json_text(head, {"layers": layers, "measured": [measured(number, design.point)]})


def measured(number: int, point: Point) -> dict[str, Any]:
    """A point's entry."""
    return {
        "design": number,
        "accuracy": point.accuracy,
        "macs_kept": point.macs_kept,
        "cycles": point.cycles,
        "flash_bytes": point.flash_bytes,
        "arena_bytes": point.ram_bytes,
        "levels": {str(layer): level for layer, level in point.levels},
    }


def _layers(graph: Graph, choice: Choice, chosen: Candidates) -> list[dict[str, Any]]:
    """How every operator is computed, and how the approximated ones are rebuilt."""
    candidates = {candidate.layer: candidate for candidate in chosen}
    plans = {operator.index: step.plan for step in choice.steps for operator in step.run}
    layers = []
    for operator in graph.operators:
        if operator.index not in plans:
            continue
        plan, candidate = plans[operator.index], candidates.get(operator.index)
        entry: dict[str, Any] = {"index": operator.index, "name": operator.name, "kernel": plan.kernel}
        entry["variant"] = plan.variant
        entry["approximation"] = _approximation(operator, candidate) if candidate else None
        layers.append(entry)
    return layers


def _json_text(head: Mapping[str, Any], lists: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """One line for each entry: what an approximation dropped would fill pages otherwise."""
    parts = [f" {json.dumps(key)}: {_line(value)}" for key, value in head.items()]
    for key, entries in lists.items():
        lines = ",\n".join(f"  {_line(entry)}" for entry in entries)
        parts.append(f" {json.dumps(key)}: [\n{lines}\n ]" if lines else f" {json.dumps(key)}: []")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _approximation(operator: Operator, candidate: Candidate) -> dict[str, Any]:
    """How the operator is rebuilt from the exact one."""
    basis = candidate.grouping.basis
    exact = basis.coefficients(operator)
    kept = candidate.coefficients
    entry = {
        "basis": basis.name,
        "groups": candidate.grouping.title,
        "level": candidate.level,
        "products": candidate.products,
        "products_dropped": candidate.products - candidate.kept,
        "dropped": [_bits(channel) for channel in _rows((exact != 0) & (kept == 0))],
    }
    changed = (kept != 0) & (kept != exact)
    if changed.any():
        entry["changed"] = [
            " ".join(f"{place}:{value}" for place, value in zip(np.flatnonzero(which), values[which]))
            for which, values in zip(_rows(changed), _rows(kept))
        ]
    if not np.array_equal(candidate.bias, basis.bias(operator)):
        entry["bias"] = candidate.bias.tolist()
    entry["sha256"] = _digest(kept, candidate.bias)
    return entry


def _rows(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """[output channels, *operands] with flat operands."""
    return values.reshape(len(values), -1)


def _bits(dropped: npt.NDArray[np.bool_]) -> str:
    """bool [operands] as hexadecimal digits, four operands each, the first one highest; zeros at the end left out."""
    return np.packbits(dropped).tobytes().hex().rstrip("0")


def _digest(coefficients: IntArray, bias: npt.NDArray[np.int64]) -> str:
    digest = hashlib.sha256(f"{coefficients.shape}\n".encode())
    digest.update(np.ascontiguousarray(coefficients, "<i8").tobytes())
    digest.update(np.ascontiguousarray(bias, "<i8").tobytes())
    return digest.hexdigest()


# ---- reading


def load_design(file: Path, graph: Graph) -> DesignFile:
    """The design of `graph` that the file describes.

    Raises SpecError, or an ErrorGroup of all mistakes, if it cannot be read, is not a design.json, or is one of another
    network.
    """
    content, values = _read(file)
    raise_all(_layout_errors(file, values))
    if values["model"]["sha256"] != graph.sha256:
        raise SpecError(
            f"the design is one of {values['model']['file']} with sha256 {values['model']['sha256']}",
            where=file,
            why=f"the model that is to be generated has sha256 {graph.sha256}",
            hint="give the model that the design was made for, or search again without the key `design`",
        )
    errors: list[ApproxError] = []
    found: list[Candidate] = []
    seen: set[int] = set()
    for number, layer in enumerate(values["layers"]):
        try:
            found += _layer(graph, layer, seen)
        except _Mistake as mistake:
            what = f"layers[{number}]{mistake.place}: {mistake.what}"
            errors.append(SpecError(what, where=file, hint="take the file as the tool has written it"))
    raise_all(errors)
    return DesignFile(content, values["method"], ordered(found))


class _Mistake(Exception):  # noqa: N818 (it becomes an error once its place in the file is known)
    """place: below the layer, as in `.approximation.basis`."""

    def __init__(self, place: str, what: str) -> None:
        self.place, self.what = place, what
        super().__init__(what)


def _read(file: Path) -> tuple[bytes, Any]:
    try:
        if file.stat().st_size > MAX_BYTES:
            raise SpecError(f"the file is larger than {MAX_BYTES >> 20} MiB", where=file, hint="give a design.json")
        content = file.read_bytes()
    except OSError as error:
        raise SpecError(f"the design cannot be read: {error.strerror}", where=file, hint="check the path") from None
    hint = "take the file as the tool has written it"
    try:
        return content, json.loads(content.decode("utf-8"), parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise SpecError("the file is not UTF-8 text", where=Location(str(file), line), hint=hint) from None
    except json.JSONDecodeError as error:
        where = Location(str(file), error.lineno, error.colno)
        raise SpecError(f"the file is damaged: {error.msg}", where=where, hint=hint) from None
    except (ValueError, RecursionError) as error:
        raise SpecError(f"the file is damaged: {error}", where=file, hint=hint) from None


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _layout_errors(file: Path, values: Any) -> Iterator[SpecError]:
    """What the schema finds."""
    # Imported here: it costs more time than all the rest, and few specs name a design.
    from jsonschema import Draft7Validator

    if isinstance(values, dict) and values.get("format") not in (FORMAT, None):
        what = f"format: is {_short(values['format'])}, but has to be {FORMAT}"
        yield SpecError(what, where=file, hint="generate the design again with this version of the tool")
        return
    schema = json.loads((resource_root() / "schemas" / "design.schema.json").read_text(encoding="utf-8"))
    for error in sorted(Draft7Validator(schema).iter_errors(values), key=lambda e: [str(k) for k in e.absolute_path]):
        place = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in error.absolute_path).lstrip(".")
        message = error.message if len(error.message) <= 200 else f"is not as {FILE_NAME} has it ({error.validator})"
        what = f"{place}: {message}" if place else message
        yield SpecError(what, where=file, hint="take the file as the tool has written it")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _layer(graph: Graph, layer: Mapping[str, Any], seen: set[int]) -> list[Candidate]:
    """The candidate of a layer, none for one that stays exact."""
    index, name = int(layer["index"]), layer["name"]
    if index >= len(graph.operators) or graph.operators[index].name != name:
        here = graph.operators[index].name if index < len(graph.operators) else "nothing"
        raise _Mistake("", f"the network has no layer {index} '{name}' ({here} is there)")
    if index in seen:
        raise _Mistake("", f"layer {index} '{name}' stands in the file twice")
    seen.add(index)
    entry = layer["approximation"]
    return [] if entry is None else [_candidate(graph.operators[index], entry)]


def _candidate(operator: Operator, entry: Mapping[str, Any]) -> Candidate:
    basis = BASES.get(entry["basis"])
    if basis is None or not basis.suits(operator):
        known = ", ".join(sorted(BASES))
        raise _Mistake(".approximation.basis", f"{operator.name} cannot be written in '{entry['basis']}' (of {known})")
    coefficients, bias = _coefficients(operator, basis, entry), basis.bias(operator)
    if "bias" in entry:
        if len(entry["bias"]) != len(bias):
            raise _Mistake(".approximation.bias", f"has {len(entry['bias'])} numbers, but has to have {len(bias)}")
        bias = np.array(entry["bias"], np.int64)
    if _digest(coefficients, bias) != entry["sha256"]:
        raise _Mistake(".approximation.sha256", "the coefficients that come out are not those that the file means")
    grouping = Grouping(basis, entry["groups"], numbered(coefficients.shape[1:]))
    try:
        return made(operator, float(entry["level"]), grouping, coefficients, bias)
    except ValueError as error:
        raise _Mistake(".approximation", str(error)) from None


def _coefficients(operator: Operator, basis: Basis, entry: Mapping[str, Any]) -> IntArray:
    """The exact ones without what was dropped, and with what was changed."""
    exact = basis.coefficients(operator)
    rows = _rows(exact.astype(np.int64))
    channels, operands = rows.shape
    for key in ("dropped", "changed"):
        if key in entry and len(entry[key]) != channels:
            raise _Mistake(
                f".approximation.{key}", f"has {len(entry[key])} output channels, but {operator.name} has {channels}"
            )
    for channel, text in enumerate(entry["dropped"]):
        bits = np.unpackbits(np.frombuffer(bytes.fromhex(text + "0" * (len(text) % 2)), np.uint8))
        if bits[operands:].any():
            raise _Mistake(f".approximation.dropped[{channel}]", f"goes beyond the {operands} operands that there are")
        rows[channel, np.flatnonzero(bits[:operands])] = 0
    for channel, text in enumerate(entry.get("changed", ())):
        for pair in text.split():
            place, value = map(int, pair.split(":"))
            if place >= operands or abs(value) >= 1 << 31:
                raise _Mistake(f".approximation.changed[{channel}]", f"'{pair}' is not an operand and a coefficient")
            rows[channel, place] = value
    return rows.reshape(exact.shape)
