"""The whole way: what a report says about what was generated, that it is reproducible, and whose files are whose."""

from __future__ import annotations

import builtins
import json
import math
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from digits_project import IMAGES, MODEL, ROOT, command_line, data, exact, report, spec, times, tree, write_spec
from random_network import random_network
from tflite_writer import ModelBuilder

from approx_plugin.boards.board import Board
from approx_plugin.boards.loader import load_board
from approx_plugin.cli import main
from approx_plugin.dataset import random_inputs
from approx_plugin.exploration import evaluation
from approx_plugin.exploration.front import Point
from approx_plugin.kernels.capacity import FLASH_RESERVE, LAYER_RESERVE
from approx_plugin.packs import lookup
from approx_plugin.pipeline.generate import Generated, generate
from approx_plugin.reference.executor import predictions
from approx_plugin.report.data import Macs
from approx_plugin.report.layout import WIDTH
from approx_plugin.request import Request
from approx_plugin.spec.order import Order
from approx_plugin.tflite.reader import read_graph


@pytest.fixture(autouse=True)
def _no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CMSIS_NN_PATH", raising=False)


def make(path: Path, **request: Any) -> Generated:
    """Generate without a word."""
    return generate(Order.of(Request(spec=path, **request)), lambda _: None)


def succeed(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """What a verb prints that has to succeed."""
    capsys.readouterr()
    status = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    assert status == 0, captured
    return captured.out


def refuse(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """The message of a verb that has to fail."""
    capsys.readouterr()
    assert main([str(argument) for argument in arguments]) == 2
    return capsys.readouterr().err


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the approximated digits; tests leave it as it is."""
    folder = tmp_path_factory.mktemp("digits")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("CMSIS_NN_PATH", raising=False)
        make(write_spec(folder, spec()))
    return folder


# ---- the report says what is so


def test_report_has_the_promised_fields(digits: Path) -> None:
    made = report(digits / "out")
    assert made["network"] == "digits_cnn"
    assert made["board"] == "NUCLEO-U575ZI-Q"
    assert made["cmsis_nn"]["provider"] == "portable subset"
    assert made["cmsis_nn"]["version"]
    assert made["accuracy"]["set"] == "confirmation"
    assert made["accuracy"]["images"] == len(np.load(IMAGES)["confirmation_labels"])
    assert 0 < made["accuracy"]["approximated"] <= 100
    assert made["accuracy"]["exact"] - made["accuracy"]["approximated"] <= 1.0
    assert [layer["index"] for layer in made["layers"]] == list(range(6))
    for layer in made["layers"]:
        assert layer["name"].endswith(f"_{layer['index']}")
        assert layer["op"].lower() == layer["name"].rsplit("_", 1)[0].replace("conv2d", "conv_2d").replace(
            "max_pool2d", "max_pool_2d"
        )
        assert 0 <= layer["macs_kept"] <= layer["macs"]
        assert layer["flash_bytes"] > 0 or layer["kernel"] == "none"
    assert sum(point["chosen"] for point in made["front"]) == 1
    for point in made["front"]:
        assert 0 < point["macs_kept"] <= made["macs"]["exact"]


def test_sums_are_those_of_the_layers(digits: Path) -> None:
    made = report(digits / "out")
    assert made["macs"]["exact"] == sum(layer["macs"] for layer in made["layers"]) == 23680
    assert made["macs"]["kept"] == sum(layer["macs_kept"] for layer in made["layers"]) < 23680
    for name, count in made["macs"].items():
        assert count == sum(layer["macs" if name == "exact" else f"macs_{name}"] for layer in made["layers"])
    for layer in made["layers"]:
        left_out = layer["macs_skipped"] + layer["macs_zero"] + layer["macs_constant"]
        assert layer["macs"] - left_out == layer["macs_computed"]
    cycles = sum(layer["estimated_cycles"] for layer in made["layers"])
    assert made["totals"]["chosen"]["cycles"] == pytest.approx(cycles)
    assert made["totals"]["chosen"]["macs_computed"] == made["macs"]["computed"]
    assert made["totals"]["chosen"]["arena_bytes"] == made["memory"]["arena"]
    (chosen,) = (point for point in made["front"] if point["chosen"])
    assert chosen["macs_kept"] == made["macs"]["kept"]
    assert (
        chosen["cycles"] == pytest.approx(cycles) and chosen["flash_bytes"] == made["totals"]["chosen"]["flash_bytes"]
    )
    assert chosen["accuracy"] == made["exploration_accuracy"]["approximated"]
    layers = sum(layer["flash_bytes"] for layer in made["layers"])
    assert 0.5 * made["flash_bytes"] < layers < made["flash_bytes"] < made["memory"]["flash_capacity"]
    header = (digits / "out/Middlewares/Approx/Inc/approx_network.h").read_text(encoding="utf-8")
    assert f"#define APPROX_NETWORK_MACC_EXACT {made['macs']['exact']}u\n" in header
    assert f"#define APPROX_NETWORK_MACC_KEPT {made['macs']['kept']}u\n" in header
    assert f"#define APPROX_NETWORK_ACTIVATIONS_SIZE {made['memory']['arena']}u\n" in header


def test_no_point_of_the_front_beats_another(digits: Path) -> None:
    front = report(digits / "out")["front"]
    goals = [(-p["accuracy"], p["cycles"], p["flash_bytes"], p["arena_bytes"]) for p in front]
    for one in goals:
        assert not [o for o in goals if o != one and all(a <= b for a, b in zip(o, one))]


def products(assembly: str) -> int:
    """Products in a layer's assembly: two in an SMLAD, one in the SMLAxy, each of them for one output pixel."""
    words = re.findall(r"^\tsmla([a-z]+) ", assembly, re.MULTILINE)
    assert set(words) <= {"d", "bb", "tb", "bt", "tt"}
    return sum(2 if word == "d" else 1 for word in words)


def test_macs_that_are_computed_are_those_in_the_assembly(digits: Path) -> None:
    """The straight-line code computes a block of pixels; every block of a channel has the same products."""
    unpacked = [layer for layer in report(digits / "out")["layers"] if layer["kernel"] == "unpacked"]
    assert unpacked
    for layer in unpacked:
        text = (digits / f"out/Middlewares/Approx/Src/approx_layer_{layer['index']:02d}.s").read_text(encoding="utf-8")
        block = re.search(r"; (\d+)x(\d+) pixels by", text)
        assert block
        _, height, width, _ = layer["shape"]
        assert products(text) * height * width == layer["macs_computed"] * int(block[1]) * int(block[2])


def test_report_text_has_box_and_table(digits: Path) -> None:
    made = report(digits / "out")
    lines = (digits / "out/report.txt").read_text(encoding="utf-8").splitlines()
    box = [index for index, line in enumerate(lines) if set(line) == {"-"}][:3]
    header = "\n".join(lines[: box[2]])
    assert "digits_cnn.tflite" in header
    assert made["model"]["sha256"] in header
    assert f"{made['macs']['exact']:,} exact -> {made['macs']['kept']:,} kept" in header
    assert f"{made['flash_bytes']:,} B" in header
    assert f"{made['ram_bytes']:,} B" in header
    for layer in made["layers"]:
        (row,) = (line for line in lines if line.strip().startswith(f"{layer['index']}  {layer['name']} ("))
        assert f"{layer['flash_bytes']:,}" in row
        assert layer["kernel"] in row
    assert sum(line.startswith("* ") and "%" in line for line in lines) == 1
    assert "Complexity report (model)" in lines


UNPACKED = {"convolution": "unpacked"}


def test_exact_without_data(tmp_path: Path) -> None:
    made = make(write_spec(tmp_path, exact())).report
    assert (made.accuracy.exact, made.accuracy.approximated, made.front) == (None, None, ())
    assert made.macs == Macs(exact=23680, skipped=0, zero=176, constant=0, computed=23504), "11 weights at 16 positions"
    assert made.exact == made.chosen
    stored = report(tmp_path / "out")
    assert stored["accuracy"]["exact"] is None
    assert stored["front"] == []
    assert "Accuracy: not measured" in (tmp_path / "out/report.txt").read_text(encoding="utf-8")


def test_exact_with_data(tmp_path: Path, digits: Path) -> None:
    make(write_spec(tmp_path, exact(data=data())))
    stored = report(tmp_path / "out")
    assert stored["accuracy"]["exact"] == stored["accuracy"]["approximated"]
    assert stored["accuracy"]["exact"] == report(digits / "out")["accuracy"]["exact"]
    assert stored["macs"]["kept"] == stored["macs"]["exact"]


def test_layers_that_must_stay_exact_do(tmp_path: Path) -> None:
    method = {"name": "significance", "exclude": ["conv2d_0"], "granularity": "pair"}
    # So few images promise no single point.
    make(write_spec(tmp_path, spec(method=method, kernels=UNPACKED, target={"max_accuracy_drop": 3.0})))
    layers = {layer["name"]: layer for layer in report(tmp_path / "out")["layers"]}
    assert layers["conv2d_0"]["macs_kept"] == layers["conv2d_0"]["macs"]
    assert layers["conv2d_2"]["macs_kept"] < layers["conv2d_2"]["macs"]


def test_what_was_considered_is_told(digits: Path) -> None:
    for layer in report(digits / "out")["layers"]:
        taken = [one for one in layer["considered"] if one["taken"]]
        if layer["kernel"] == "none":
            assert layer["considered"] == []
            continue
        assert [one["kernel"] for one in taken] == [layer["kernel"]]
        assert taken[0]["cycles"] == layer["estimated_cycles"] and taken[0]["variant"] == layer["variant"]
        if layer["op"] == "CONV_2D":
            assert {one["kernel"] for one in layer["considered"]} >= {"cmsis_nn", "unpacked", "gemm"}
        assert (layer["approximation"] is None) == (layer["macs_skipped"] == 0)


def test_the_text_stays_within_its_width(digits: Path) -> None:
    lines = (digits / "out/report.txt").read_text(encoding="utf-8").splitlines()
    assert max(map(len, lines)) <= WIDTH


# ---- a design from a file


def generated(tree_of: dict[str, bytes]) -> dict[str, bytes]:
    """Without the report, which says where the design came from, and the manifest, which knows the report."""
    return {name: content for name, content in tree_of.items() if not name.startswith(("report.", "approx_manifest"))}


def from_file(folder: Path, design: Path, **changes: Any) -> Path:
    """A spec that takes a design; there need be no data, no target and no method."""
    folder.mkdir(exist_ok=True)
    shutil.copy(design, folder / "given.json")
    return write_spec(
        folder, spec(**{"design": "given.json", "method": None, "target": None, "search": None, **changes})
    )


def test_a_design_file_gives_the_same_sources_without_a_search(
    digits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured = Measured(monkeypatch)
    made = make(from_file(tmp_path, digits / "out/design.json"))
    assert generated(tree(tmp_path / "out")) == generated(tree(digits / "out"))
    assert measured.count == 2 * made.report.accuracy.images, "the exact network and the design, to be told"
    first, again = report(digits / "out"), report(tmp_path / "out")
    for key in ("macs", "totals", "method"):
        assert again[key] == first[key], key
    for layer, found in zip(again["layers"], first["layers"]):
        assert layer == {**found, "significance": None}, "which only a search asks for"
    assert {**again["accuracy"], "looks": 0} == {**first["accuracy"], "looks": 0}
    assert again["target"] == "taken from a design file" and again["front"] == []


def test_a_design_file_needs_no_data(digits: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = from_file(tmp_path, digits / "out/design.json", data=None)
    printed = succeed(capsys, "verify", "--spec", path)
    assert "10 of 10 inputs bit-exact" in printed
    kept = ("Middlewares/Approx/Src/approx_layer_00.s", "Middlewares/Approx/Src/approx_layer_02.s", "design.json")
    for name in kept:
        assert (tmp_path / "out" / name).read_bytes() == (digits / "out" / name).read_bytes()
    assert "Accuracy: not measured" in (tmp_path / "out/report.txt").read_text(encoding="utf-8")
    assert "up to date" in succeed(capsys, "--spec", path)
    content = (tmp_path / "given.json").read_text(encoding="utf-8")
    (tmp_path / "given.json").write_text(content.replace('"target_met": true', '"target_met": false'), encoding="utf-8")
    assert "files written" in succeed(capsys, "--spec", path)


def test_a_design_goes_to_kernels_that_cannot_skip(
    digits: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The network is given, whatever computes it: the library multiplies by the zeros."""
    path = from_file(tmp_path, digits / "out/design.json", kernels={"convolution": "cmsis_nn"})
    succeed(capsys, "verify", "--spec", path)
    made, first = report(tmp_path / "out"), report(digits / "out")
    assert made["accuracy"]["approximated"] == first["accuracy"]["approximated"]
    assert made["macs"]["skipped"] == 0 and made["macs"]["computed"] == made["macs"]["exact"]
    assert made["layers"][2]["approximation"] == first["layers"][2]["approximation"]


def test_a_design_inside_of_the_project_is_refused(digits: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_spec(digits / "other", spec(design="../out/design.json", project={"name": "x", "directory": "../out"}))
    assert "holds the design" in refuse(capsys, "--spec", path)


# ---- what does not fit


def board_with(monkeypatch: pytest.MonkeyPatch, flash: int) -> None:
    """Boards have so much flash."""

    def smaller(*arguments: Any) -> Board:
        board = load_board(*arguments)
        memories = tuple(replace(m, length=flash) if m.kind == "flash" else m for m in board.memories)
        return replace(board, memories=memories)

    monkeypatch.setattr(lookup, "load_board", smaller)


FIXED = FLASH_RESERVE + 6 * LAYER_RESERVE


def test_where_only_an_approximated_network_fits(digits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    board_with(monkeypatch, FIXED + 9300)
    made = make(write_spec(tmp_path, spec(kernels=UNPACKED))).report
    assert not made.exact.fits and made.chosen.fits
    assert made.chosen.flash_bytes <= made.flash_budget < made.exact.flash_bytes
    assert all(point.flash_bytes <= made.flash_budget and point.design for point in made.front)
    text = " ".join((tmp_path / "out/report.txt").read_text(encoding="utf-8").split())
    assert "does not fit" in text and "- The exact network does not fit: the exact network needs about" in text
    make(from_file(tmp_path / "again", tmp_path / "out/design.json", kernels=UNPACKED))
    assert generated(tree(tmp_path / "again/out")) == generated(tree(tmp_path / "out"))


def test_where_nothing_fits_it_is_said_before_any_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    measured = Measured(monkeypatch)
    board_with(monkeypatch, FIXED + 3500)
    message = refuse(capsys, "--spec", write_spec(tmp_path, spec(kernels=UNPACKED)))
    assert re.search(
        r"even the most approximated network needs about [\d,]+ bytes of flash; [\d,]+ are available", message
    )
    assert "the largest layers are" in message and "do:" in message
    assert measured.count == 0 and not (tmp_path / "out").exists()


def test_where_nothing_that_fits_meets_the_target(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    board_with(monkeypatch, FIXED + 5000)
    values = spec(kernels=UNPACKED, target={"max_accuracy_drop": 0.1})
    message = refuse(capsys, "--spec", write_spec(tmp_path, values))
    assert "the exact network does not fit" in message and "no design that does meets the target" in message
    assert re.search(r"of \d+ designs that fit, the best one reaches [\d.]+ % on the exploration set", message)
    assert "needs about" in message and "allow a larger loss" in message


# ---- the same input, the same bytes


@pytest.mark.parametrize("seed", ["1", "2"])
def test_the_same_bytes_from_another_place(digits: Path, seed: str, tmp_path: Path) -> None:
    """Another folder, relative paths instead of absolute ones, another process with other hashes, several workers."""
    folder = tmp_path / "a folder" / "deeper"
    folder.mkdir(parents=True)
    shutil.copy(MODEL, folder)
    shutil.copy(IMAGES, tmp_path)
    nearby = spec(
        model=MODEL.name,
        data=data(Path("../..") / IMAGES.name),
        project={"name": "digits", "directory": "../elsewhere"},
    )
    write_spec(folder, nearby)
    arguments = ("--spec", "a folder/deeper/approx.yaml", "--workers", 2)
    done = command_line(*arguments, cwd=tmp_path, PYTHONHASHSEED=seed)
    assert done.status == 0, done.text
    assert tree(tmp_path / "a folder/elsewhere") == tree(digits / "out")


def one_after_the_other(values: Iterable[Any], /, start: Any = 0) -> Any:
    """`sum` as it was before Python 3.12."""
    total = start
    for value in values:
        total = total + value
    return total


def rounded_once(values: Iterable[Any], /, start: Any = 0) -> Any:
    """`sum` that compensates for the rounding of floats, as it does since Python 3.12."""
    found = list(values)
    floats = found and all(isinstance(value, float) for value in found)
    return start + math.fsum(found) if floats else one_after_the_other(found, start)


def test_the_same_bytes_however_python_adds_floats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No float of a report, and no decision of the search, comes from the built-in `sum`."""
    made = []
    for adding in (one_after_the_other, rounded_once):
        monkeypatch.setattr(builtins, "sum", adding)
        folder = tmp_path / adding.__name__
        make(write_spec(folder, spec(board="nucleo-f446re")))
        made.append(tree(folder / "out"))
    assert made[0] == made[1]


def test_nothing_of_this_machine_is_in_the_project(digits: Path) -> None:
    year = re.compile(rb"20[2-9]\d-[01]\d-[0-3]\d")
    for path, content in tree(digits / "out").items():
        for place in (digits, ROOT, Path(sys.prefix)):
            assert bytes(place) not in content, path
        assert not year.search(content), path


def test_rerun_touches_nothing(digits: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = times(digits / "out")
    assert "up to date" in succeed(capsys, "--spec", digits / "approx.yaml")
    made = make(digits / "approx.yaml")
    assert made.written.written == made.written.removed == ()
    assert times(digits / "out") == before


# ---- what makes it generate again


def relabel(folder: Path) -> None:
    """One other label."""
    with np.load(folder / "digits.npz") as stored:
        arrays = dict(stored)
    arrays["exploration_labels"][0] = (arrays["exploration_labels"][0] + 1) % 10
    np.savez(folder / "digits.npz", **arrays)


def other_model(folder: Path) -> None:
    """Another network in the same file."""
    (folder / "digits.tflite").write_bytes(random_network(3))


def other_key(folder: Path) -> None:
    """One more stored vector."""
    path = folder / "approx.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("directory: out", "directory: out\n  test_vectors: 5"))


def other_library(folder: Path) -> None:
    """A changed source of the user's CMSIS-NN."""
    with (folder / "cube/Drivers/CMSIS/NN/Source/convolve_s8.c").open("a", encoding="utf-8") as file:
        file.write("/* mended */\n")


def nothing(folder: Path) -> None:
    """Other times, the same bytes."""
    for path in (folder / "approx.yaml", folder / "digits.tflite", folder / "digits.npz"):
        os.utime(path, (1, 1))


@pytest.mark.parametrize("change", [relabel, other_model, other_key, other_library, nothing])
def test_changed_inputs(change: Callable[[Path], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(MODEL, tmp_path / "digits.tflite")
    shutil.copy(IMAGES, tmp_path / "digits.npz")
    shutil.copytree(ROOT / "Middlewares/CMSIS-NN", tmp_path / "cube/Drivers/CMSIS/NN")
    values = exact(
        model="digits.tflite",
        cmsis_nn="cube",
        kernels={"convolution": "cmsis_nn"},
        data=None if change is other_model else data(Path("digits.npz")),
    )
    path = write_spec(tmp_path, values)
    succeed(capsys, "--spec", path)
    before = tree(tmp_path / "out")
    change(tmp_path)
    printed = succeed(capsys, "--spec", path)
    assert ("up to date" in printed) == (change is nothing)
    changed = {name for name, content in tree(tmp_path / "out").items() if before.get(name) != content}
    wanted: dict[Callable[[Path], None], set[str]] = {
        relabel: {"report.html", "report.json", "report.txt"},  # they name the data by its sha256
        other_model: {"report.json", "Middlewares/Approx/Src/approx_network.c", "Core/Src/test_vectors.c"},
        other_key: {"Core/Src/test_vectors.c"},
        other_library: {"Middlewares/CMSIS-NN/Source/convolve_s8.c"},
        nothing: set(),
    }
    expected = wanted[change]
    assert expected <= changed
    assert bool(changed) == bool(expected)
    assert "up to date" in succeed(capsys, "--spec", path)


# ---- interruptions


class Measured:
    """Counts the designs that are really evaluated."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        original = evaluation.correct

        def counting(graph: Any, designs: Any, inputs: Any, labels: Any) -> Any:
            self.count += len(designs) * len(inputs)
            return original(graph, designs, inputs, labels)

        monkeypatch.setattr(evaluation, "correct", counting)


def test_an_interrupted_search_goes_on_where_it_was(
    tmp_path: Path, digits: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured = Measured(monkeypatch)
    whole = write_spec(tmp_path / "whole", spec())
    make(whole)
    needed, measured.count = measured.count, 0

    def interrupt(done: int, total: int, best: Point | None) -> None:
        if done > total // 2:
            raise KeyboardInterrupt

    path = write_spec(tmp_path / "interrupted", spec())
    with pytest.raises(KeyboardInterrupt):
        generate(Order.of(Request(spec=path)), lambda _: None, interrupt)
    assert not (tmp_path / "interrupted/out").exists()
    first, measured.count = measured.count, 0
    make(path)
    assert 0 < first < needed
    assert measured.count == needed - first, "nothing is measured twice"
    assert tree(tmp_path / "interrupted/out") == tree(digits / "out")


def test_interrupted_between_the_steps(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_spec(tmp_path, exact())

    def say(line: str) -> None:
        if line.startswith("Release"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate(Order.of(Request(spec=path)), say)
    assert not (tmp_path / "out").exists()
    assert "files written" in succeed(capsys, "--spec", path)


# ---- whose files are whose


@pytest.fixture
def own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A project with files of the user in it; its approx.yaml."""
    path = write_spec(tmp_path, exact())
    succeed(capsys, "--spec", path)
    for name in OWN:
        (tmp_path / "out" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "out" / name).write_text(f"/* {name} */\n", encoding="utf-8")
    return path


OWN = ("Core/Src/app.c", "notes/todo.txt")


def test_the_users_files_survive(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = own.parent / "out"
    assert "up to date" in succeed(capsys, "--spec", own)
    succeed(capsys, "--spec", own, "--board", "nucleo-l4r5zi")
    assert report(out)["board"] == "NUCLEO-L4R5ZI"
    succeed(capsys, "clean", "--spec", own)
    left = tree(out)
    assert set(left) == {*OWN, "approx_manifest.json"}
    assert all(left[name] == f"/* {name} */\n".encode() for name in OWN)
    succeed(capsys, "verify", "--spec", own)
    assert set(OWN) < set(tree(out))


def test_edits_are_refused_and_force_replaces_them(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = own.parent / "out"
    edited = out / "Core/Src/main.c"
    generated = edited.read_bytes()
    edited.write_bytes(generated + b"/* mine */\n")
    before = times(out)
    for verb in ("generate", "verify", "report"):
        message = refuse(capsys, verb, "--spec", own)
        assert f"{out}: error: 1 generated file(s) were edited since: Core/Src/main.c" in message
        assert "do:" in message
    assert times(out) == before
    succeed(capsys, "--spec", own, "--force")
    assert edited.read_bytes() == generated
    assert {name for name, when in times(out).items() if when != before[name]} == {"Core/Src/main.c"}


def test_clean_leaves_what_was_edited(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = own.parent / "out"
    with (out / "README.md").open("a", encoding="utf-8") as file:
        file.write("mine\n")
    succeed(capsys, "clean", "--spec", own)
    assert set(tree(out)) == {*OWN, "README.md", "approx_manifest.json"}


@pytest.mark.parametrize("name", [".cproject", "Core/Src/main.c", "report.txt"])
def test_what_is_missing_comes_back(name: str, own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lost = own.parent / "out" / name
    content = lost.read_bytes()
    lost.unlink()
    assert "1 files written" in succeed(capsys, "--spec", own)
    assert lost.read_bytes() == content


def test_without_the_manifest_nobody_knows_what_was_generated(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (own.parent / "out/approx_manifest.json").unlink()
    assert "were not generated" in refuse(capsys, "--spec", own)


def test_the_ides_edits_stay_until_force(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    description = own.parent / "out/.cproject"
    generated = description.read_bytes()
    edited = generated.replace(b"</cproject>", b"</cproject>\n<!-- IDE -->")
    description.write_bytes(edited)
    assert "up to date" in succeed(capsys, "--spec", own)
    assert description.read_bytes() == edited
    succeed(capsys, "--spec", own, "--force")
    assert description.read_bytes() == generated
    assert "up to date" in succeed(capsys, "--spec", own, "--force")


# ---- other networks, all the way into the emulator


def one_of_each() -> bytes:
    """What the random networks rarely have together: one channel, odd sizes, stride 2, VALID, PAD, ADD, SOFTMAX."""
    rng = np.random.default_rng(5)
    builder = ModelBuilder()
    x = builder.input((1, 11, 7, 1), scale=0.02, zero_point=3)

    def weights(*shape: int) -> Any:
        return rng.integers(-127, 128, shape, dtype=np.int8)

    x = builder.conv2d(
        x, weights(3, 5, 3, 1), [0.01, 0.02, 0.005], rng.integers(-900, 900, 3, dtype=np.int32), scale=0.15,
        zero_point=-7, stride=(2, 1), activation="RELU6",
    )  # fmt: skip
    y = builder.conv2d(x, weights(3, 1, 1, 3), 0.01, scale=0.2, zero_point=11)
    x = builder.add(x, y, scale=0.3, zero_point=-20, activation="RELU")
    x = builder.pad(x, [(0, 0), (1, 0), (0, 2), (0, 0)])
    x = builder.depthwise_conv2d(x, weights(1, 3, 3, 6), 0.02, scale=0.4, zero_point=5, padding="VALID")
    x = builder.conv2d(x, weights(1, 3, 3, 6), 0.01, scale=0.5, stride=(1, 2), padding="VALID")
    x = builder.average_pool2d(x, (2, 2), stride=(1, 1), padding="SAME")
    x = builder.fully_connected(builder.reshape(x, (1, -1)), weights(3, int(np.prod(x.shape))), 0.01, scale=0.1)
    builder.output(builder.softmax(x))
    return builder.build()


OPERATORS = ("CONV_2D", "DEPTHWISE_CONV_2D", "MAX_POOL_2D", "AVERAGE_POOL_2D", "ADD", "PAD", "RESHAPE", "SOFTMAX")
NETWORKS: dict[str, bytes] = {
    "one_of_each": one_of_each(),
    "float_borders": random_network(41, float_borders=True),
    "per_tensor": random_network(42, per_channel=False, layers=6),
    **{operator: random_network(50 + seed, containing=operator) for seed, operator in enumerate(OPERATORS)},
}


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all networks: what they have in common is compiled once."""
    return tmp_path_factory.mktemp("networks")


@pytest.mark.parametrize("name", NETWORKS)
def test_other_networks(name: str, workshop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (workshop / "network.tflite").write_bytes(NETWORKS[name])
    seed = sorted(NETWORKS).index(name)
    kernels = {"backend": ("assembly", "c")[seed % 3 == 2], "convolution": "unpacked"}
    path = write_spec(workshop, exact(model="network.tflite", kernels=kernels, search={"seed": seed}))
    out = workshop / ("u5", "l4")[seed % 2]
    board = ("nucleo-u575zi-q", "nucleo-l4r5zi")[seed % 2]
    printed = succeed(capsys, "verify", "--spec", path, "--board", board, "--out", out)
    layers = report(out)["layers"]
    assert f"verified: 5 of 5 inputs bit-exact, output and all {len(layers)} layers" in printed
    ours = {"CONV_2D": "unpacked", "DEPTHWISE_CONV_2D": "planes", "FULLY_CONNECTED": "packed", "ADD": "added"}
    ours.update({"MAX_POOL_2D": "pooled", "AVERAGE_POOL_2D": "pooled"})
    for layer in layers:
        assert layer["kernel"] in {"cmsis_nn", ours.get(layer["op"], "none")}, layer["name"]
    assert {name} & {*OPERATORS} <= {layer["op"] for layer in layers}


def test_stored_vectors_differ_between_each_other(digits: Path) -> None:
    """A firmware that always answers the same could not pass."""
    (stored,) = digits.glob(".approx_cache/*/vectors.npz")
    with np.load(stored) as vectors:
        assert len(np.unique(vectors["outputs"].reshape(len(vectors["outputs"]), -1).argmax(axis=1))) > 3
        assert len(np.unique(vectors["checksums"], axis=0)) == len(vectors["checksums"])


def test_manifest_lists_every_file(digits: Path) -> None:
    listed = json.loads((digits / "out/approx_manifest.json").read_bytes())["files"]
    assert {*listed, "approx_manifest.json"} == set(tree(digits / "out"))


def test_only_what_leaves_the_library_is_approximated(tmp_path: Path, root: Path) -> None:
    """On a board whose flash does not hold five unpacked convolutions. The labels are what the network says."""
    model = root / "models" / "cifar10_alexnet.tflite"
    graph, images = read_graph(model), {}
    for seed, name in enumerate(("calibration", "exploration", "confirmation")):
        inputs = random_inputs(graph.input_shape, 60, seed)
        np.savez_compressed(tmp_path / f"{name}.npz", images=inputs, labels=predictions(graph, inputs))
        images[name] = f"{name}.npz"
    content = {
        "version": 1,
        "model": str(model),
        "board": "nucleo-f446re",
        "target": {"max_accuracy_drop": 8.0},
        "data": {name: {"file": file} for name, file in images.items()},
        "method": "significance",
        "search": {"seed": 1, "evaluations": 12},
        "project": {"name": "alexnet", "directory": "out", "test_vectors": 1},
    }
    file = tmp_path / "approx.yaml"
    file.write_text(json.dumps(content), encoding="utf-8")
    made = generate(Order.of(Request(file)), say=lambda _: None).report
    skipped = {layer.name for layer in made.layers if layer.macs.skipped}
    able = {layer.name for layer in made.layers if layer.kernel in ("unpacked", "gemm", "winograd")}
    assert skipped and skipped <= able
    assert any(layer.kernel != "unpacked" for layer in made.layers if layer.op == "CONV_2D"), "or the board is no test"
    (chosen,) = (point for point in made.front if point.chosen)
    # A table kernel may be quickest although it leaves out less than the design would let it.
    assert chosen.macs_kept <= made.macs.kept < made.macs.exact
    assert all(point.flash_bytes < made.memory.flash_capacity for point in made.front)
    assert made.memory.flash is None or made.memory.flash <= made.memory.flash_capacity
