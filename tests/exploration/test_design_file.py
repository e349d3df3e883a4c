"""design.json: what is written comes back, and what is damaged is told with its place."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chain import network, thinned
from hypothesis import given, settings
from hypothesis import strategies as st
from mac_cost import MacCost
from spec_files import single

from approx_plugin.approximation.bases.taps import TAPS
from approx_plugin.approximation.grouping import single as single_products
from approx_plugin.approximation.options import Options
from approx_plugin.approximation.skipping import made
from approx_plugin.errors import ApproxError
from approx_plugin.exploration.choice import Choice
from approx_plugin.exploration.comparison import BoolArray
from approx_plugin.exploration.design import Candidates, Design, fingerprint
from approx_plugin.exploration.design_file import design_text, load_design
from approx_plugin.exploration.offers import Market, estimated
from approx_plugin.exploration.pricing import ChosenPlans
from approx_plugin.exploration.result import Exploration
from approx_plugin.exploration.search import explore
from approx_plugin.kernels.platform import Platform
from approx_plugin.model.graph import Graph
from approx_plugin.operators.conv2d import Conv2D
from approx_plugin.spec.loader import load_spec
from approx_plugin.spec.spec import Search, Spec, Target

GRAPH = network()
LADDERS = {layer: tuple(thinned(GRAPH, layer, share) for share in (0.2, 0.5)) for layer in range(3)}


def right(designs: Sequence[Candidates]) -> list[BoolArray]:
    return [np.arange(100) < 90 - len(design) for design in designs]


@pytest.fixture(scope="module")
def found() -> Exploration:
    return explore(Options(LADDERS), MacCost(GRAPH), right, right, Target(5.0, None), Search(1, 20, 1, None))


@pytest.fixture(scope="module")
def spec(root: Path) -> Spec:
    return load_spec(root / "approx.yaml")


def choice_of(candidates: Candidates) -> Choice:
    platform = Platform("cortex-m33", True, "assembly")
    return ChosenPlans(GRAPH, Market(platform, estimated(platform), "unpacked"), {}).choice(candidates)


def written(spec: Spec, found: Exploration, candidates: Candidates) -> str:
    chosen = replace(found, chosen=Design(candidates, found.chosen.point))
    return design_text(spec, GRAPH, choice_of(candidates), "a method", "a target", chosen)


def put(folder: Path, content: str | bytes | dict[str, Any]) -> Path:
    file = folder / "design.json"
    text = json.dumps(content) if isinstance(content, dict) else content
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return file


def refused(file: Path, graph: Graph = GRAPH) -> list[ApproxError]:
    with pytest.raises(ApproxError) as caught:
        load_design(file, graph)
    errors = single(caught.value)
    assert all(error.where and error.where.file == str(file) for error in errors)
    return errors


def test_what_was_found_comes_back(spec: Spec, found: Exploration, tmp_path: Path) -> None:
    candidates = found.chosen.candidates
    text = written(spec, found, candidates)
    assert text == written(spec, found, candidates)
    loaded = load_design(put(tmp_path, text), GRAPH)
    assert loaded.content == text.encode() and loaded.method == "a method"
    assert [fingerprint(c) for c in loaded.candidates] == [fingerprint(c) for c in candidates] != []
    for mine, theirs in zip(loaded.candidates, candidates):
        assert (mine.level, mine.products, mine.kept, mine.skipped_macs) == (
            theirs.level,
            theirs.products,
            theirs.kept,
            theirs.skipped_macs,
        )
    values = json.loads(text)
    assert [entry["design"] for entry in values["measured"]] == list(range(found.evaluations))
    assert values["looks"][-1]["met"] and values["target_met"]
    assert {entry["kernel"] for entry in values["layers"]} == {"unpacked"} and values["layers"][0]["variant"]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2), st.integers(0, 2**32 - 1), st.floats(0, 1), st.booleans())
def test_any_coefficients_come_back(
    spec: Spec,
    found: Exploration,
    tmp_path_factory: pytest.TempPathFactory,
    layer: int,
    seed: int,
    share: float,
    other: bool,
) -> None:
    """Dropped, changed, and with another bias: whatever a method may do."""
    conv = GRAPH.operators[layer]
    assert isinstance(conv, Conv2D)
    rng = np.random.default_rng(seed)
    weights = np.where(rng.random(conv.weights.shape) < share, 0, conv.weights.astype(np.int64))
    bias = TAPS.bias(conv)
    if other:
        moved = weights + rng.integers(-3, 4, weights.shape)
        weights, bias = np.clip(moved, -128, 127), bias + rng.integers(-9, 9, bias.shape)
    candidate = made(conv, 0.25, single_products(TAPS, conv), weights, bias)
    text = written(spec, found, (candidate,))
    (loaded,) = load_design(put(tmp_path_factory.mktemp("design"), text), GRAPH).candidates
    assert fingerprint(loaded) == fingerprint(candidate)
    assert np.array_equal(loaded.coefficients, weights) and np.array_equal(loaded.bias, bias)


def test_an_exact_network_is_a_design_as_well(spec: Spec, found: Exploration, tmp_path: Path) -> None:
    assert load_design(put(tmp_path, written(spec, found, ())), GRAPH).candidates == ()


@pytest.fixture
def values(spec: Spec, found: Exploration) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(written(spec, found, (LADDERS[0][1], LADDERS[2][0])))
    return content


def test_of_another_network(values: dict[str, Any], tmp_path: Path) -> None:
    (error,) = refused(put(tmp_path, values), replace(GRAPH, sha256="cd" * 32))
    assert values["model"]["sha256"] in error.what and "cd" * 32 in error.why and error.hint


def test_damaged_text_is_told_with_line_and_column(values: dict[str, Any], tmp_path: Path) -> None:
    text = json.dumps(values, indent=1)
    (error,) = refused(put(tmp_path, text[: len(text) // 2]))
    assert "damaged" in error.what and error.where is not None and error.where.line > 3
    for content in (b"", b"\xff\xfe", b"[" * 100_000, b'{"format": NaN}', b"nonsense"):
        assert refused(put(tmp_path, content))


def test_no_file(tmp_path: Path) -> None:
    (error,) = refused(tmp_path / "design.json")
    assert "cannot be read" in error.what


def changed(values: dict[str, Any], layer: int, key: str, value: Any) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(values))
    part = copy["layers"][layer]
    (part["approximation"] if key in part["approximation"] or key == "changed" else part)[key] = value
    return copy


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("name", "conv2d_7", r"layers\[0\]: the network has no layer 0 'conv2d_7' \(conv2d_0 is there\)"),
        ("index", 99, r"no layer 99 'conv2d_0' \(nothing is there\)"),
        ("index", 0.5, r"layers\[0\]\.index"),
        ("index", 1, r"no layer 1 'conv2d_0'"),
        ("basis", "winograd", r"layers\[0\]\.approximation\.basis: conv2d_0 cannot be written in 'winograd'"),
        ("dropped", ["f"], r"approximation\.dropped: has 1 output channels, but conv2d_0 has 6"),
        ("dropped", ["f" * 9] * 6, r"dropped\[0\]: goes beyond the 18 operands"),
        ("dropped", ["xyz"] * 6, r"layers\[0\]\.approximation\.dropped\[0\]"),
        ("dropped", ["8"] * 6, r"sha256: the coefficients that come out are not those"),
        ("sha256", "0" * 64, r"sha256: the coefficients that come out are not those"),
        ("sha256", 5, r"layers\[0\]\.approximation\.sha256"),
        ("level", -1, r"layers\[0\]\.approximation\.level"),
        ("level", 1e301, r"layers\[0\]\.approximation\.level"),
        ("changed", ["99:1"] + [""] * 5, r"changed\[0\]: '99:1' is not an operand"),
        ("changed", ["a"] * 6, r"layers\[0\]\.approximation\.changed\[0\]"),
        ("approximation", "exact", r"layers\[0\]\.approximation"),
    ],
)
def test_mistakes(values: dict[str, Any], tmp_path: Path, key: str, value: Any, told: str) -> None:
    errors = refused(put(tmp_path, changed(values, 0, key, value)))
    assert any(re.search(told, error.what) for error in errors), errors
    assert all(error.hint for error in errors)


def test_all_mistakes_at_once(values: dict[str, Any], tmp_path: Path) -> None:
    several = changed(changed(values, 0, "sha256", "0" * 64), 2, "basis", "nothing")
    assert len(refused(put(tmp_path, several))) == 2
    twice = {**values, "layers": [values["layers"][0], *values["layers"]]}
    (error,) = refused(put(tmp_path, twice))
    assert "layers[1]" in error.what and "twice" in error.what


def test_other_formats(values: dict[str, Any], tmp_path: Path) -> None:
    (error,) = refused(put(tmp_path, {**values, "format": 2}))
    assert "format: is 2, but has to be 1" in error.what
    assert refused(put(tmp_path, "[]")) and refused(put(tmp_path, "{}")) and refused(put(tmp_path, "null"))
