"""approx.yaml as a whole: what a good one means, and what is said about every kind of bad one."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spec_files import GOOD, TFLITE, changed, single, write_folder

from approx_plugin.errors import ApproxError, Location, SpecError
from approx_plugin.spec.loader import load_spec
from approx_plugin.spec.spec import DataSource, KernelOptions, Method, ProjectOptions, Search, Spec, Target

SHORT = "model: models/digits_cnn.tflite\nboard: x\nmethod: none\n"


def load_error(path: Path) -> ApproxError:
    with pytest.raises(ApproxError) as caught:
        load_spec(path)
    return caught.value


def places(path: Path) -> list[tuple[int, int, str]]:
    """(line, column, message) of every mistake, in the order in which they are reported."""
    found = []
    for error in single(load_error(path)):
        assert isinstance(error, SpecError)
        assert isinstance(error.where, Location)
        assert error.where.file == str(path)
        assert error.hint, f"no hint: {error}"
        found.append((error.where.line, error.where.column, str(error)))
    return found


@pytest.mark.parametrize(
    ("target", "wanted"),
    [
        ("{max_latency: 50ms}", Target(None, None, max_latency=0.05)),
        ("{max_latency: 2.5s, max_flash: 512K}", Target(None, None, max_flash=512 << 10, max_latency=2.5)),
        ("{max_latency: 40us}", Target(None, None, max_latency=0.00004)),
        ("{max_cycles: 8M, accuracy: 90}", Target(None, 90.0, max_cycles=8e6)),
        ("{max_cycles: 1.5k, max_ram: 96K}", Target(None, None, max_ram=96 << 10, max_cycles=1500.0)),
        ("{max_cycles: 12345}", Target(None, None, max_cycles=12345.0)),
    ],
)
def test_targets_with_costs(tmp_path: Path, target: str, wanted: Target) -> None:
    path = write_folder(tmp_path, changed("target:\n  max_accuracy_drop: 1.0", f"target: {target}"))
    assert load_spec(path).target == wanted


def test_good_file__every_field(tmp_path: Path) -> None:
    path = write_folder(tmp_path)
    npz = tmp_path / "models" / "digits.npz"
    spec = load_spec(path)
    assert spec.file == path
    assert spec.model == tmp_path / "models" / "digits_cnn.tflite"
    assert spec.board == "nucleo-u575zi-q"
    assert spec.target == Target(max_accuracy_drop=1.0, accuracy=None)
    assert spec.data is not None
    assert list(spec.data.sources.items()) == [
        ("calibration", DataSource(npz, "calib", "calib_labels", 0, 200)),
        ("exploration", DataSource(npz, "images", "labels", 0, 250)),
        ("confirmation", DataSource(npz, "images", "labels", 250, 250)),
    ]
    assert spec.method == Method("significance", "ratio_of_means", "weight", ("conv2d_2", "3"), ("conv2d_0",))
    assert spec.search == Search(seed=7, evaluations=60, workers=2, confidence=95.0)
    assert spec.kernels == KernelOptions("c", "unpacked")
    assert spec.cmsis_nn == tmp_path.parent / "CMSIS-NN"
    assert spec.project == ProjectOptions("digits", tmp_path / "build" / "digits", 5)
    assert spec.verify_images == 30


def test_short_file__defaults(tmp_path: Path) -> None:
    spec = load_spec(write_folder(tmp_path, SHORT))
    assert (spec.target, spec.data, spec.cmsis_nn) == (None, None, None)
    assert spec.method == Method("none", "ratio_of_means", "weight", None, ())
    assert spec.search == Search(seed=1, evaluations=60, workers=1, confidence=95.0)
    assert spec.kernels == KernelOptions("assembly", "auto")
    assert spec.project == ProjectOptions("digits_cnn", tmp_path / "build" / "digits_cnn", 4)
    assert spec.verify_images == 20


def test_how_the_application_calls_the_network(tmp_path: Path) -> None:
    spec = load_spec(write_folder(tmp_path, SHORT + "name: kws_2\napi: [stai, approx, ai]\n"))
    assert (spec.name, spec.api) == ("kws_2", ("ai", "stai"))
    spec = load_spec(write_folder(tmp_path, SHORT))
    assert (spec.name, spec.api) == ("network", ())


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("name: KWS", "lower-case letters"),
        ("name: a__b", "lower-case letters"),
        ("name: runtime", "approx_runtime is a file of the runtime"),
        ("name: kws_layer_01", "ends as the names of layers do"),
        ("name: layer_1", "ends as the names of layers do"),
        ("api: []", "api"),
        ("api: [st]", "'st'"),
        ("api: [stai, stai]", "stai"),
    ],
)
def test_names_that_a_network_cannot_have(line: str, message: str, tmp_path: Path) -> None:
    ((row, _, text),) = places(write_folder(tmp_path, f"{SHORT}{line}\n"))
    assert row == 4
    assert message in text


def test_what_the_application_leaves(tmp_path: Path) -> None:
    text = SHORT + "optimize: balanced\nbudget: {flash: 256K, ram: 65536}\n"
    spec = load_spec(write_folder(tmp_path, text))
    assert (spec.optimize, spec.budget) == ("balanced", {"flash": 256 * 1024, "ram": 65536})
    spec = load_spec(write_folder(tmp_path, SHORT))
    assert (spec.optimize, spec.budget) == ("time", {})


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("budget: {}", "budget is empty"),
        ("budget: {flash: 0}", "0"),
        ("budget: {flash: 256k}", "256k"),
        ("budget: {dtcm: 4K}", "dtcm"),
        ("optimize: speed", "speed"),
    ],
)
def test_a_budget_that_is_none(tmp_path: Path, line: str, message: str) -> None:
    ((_, _, said),) = places(write_folder(tmp_path, f"{SHORT}{line}\n"))
    assert message in said


def test_default_method_is_significance(tmp_path: Path) -> None:
    text = changed("method: {name: significance, layers: [conv2d_2, 3], exclude: [conv2d_0]}\n", "")
    assert load_spec(write_folder(tmp_path, text)).method.name == "significance"


@pytest.mark.parametrize("method", ["none", "{name: none}", "'none'", "\n  name: none"])
def test_method_none_needs_neither_target_nor_data(tmp_path: Path, method: str) -> None:
    text = f"model: models/digits_cnn.tflite\nboard: x\nmethod: {method}\n"
    assert load_spec(write_folder(tmp_path, text)).method.name == "none"


def test_method_none_may_have_data(tmp_path: Path) -> None:
    text = changed("{name: significance, layers: [conv2d_2, 3], exclude: [conv2d_0]}", "none")
    spec = load_spec(write_folder(tmp_path, text))
    assert spec.data is not None
    assert spec.target is not None


def test_project_name_gives_the_default_directory(tmp_path: Path) -> None:
    spec = load_spec(write_folder(tmp_path, SHORT + "project: {name: other}\n"))
    assert spec.project.directory == tmp_path / "build" / "other"


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("my model (1)", "my_model_1"),
        ("1d_cnn", "network_1d_cnn"),
        ("-x-", "x"),
        ("_2", "network_2"),
        ("été", "t"),
        ("模型", "network"),
        ("3" + "d" * 120, "network_3" + "d" * 91),
    ],
)
def test_project_name_from_an_unusual_model_name(tmp_path: Path, model: str, name: str) -> None:
    """It is one that could stand in the file: of the schema, and with which the IDE can build."""
    path = write_folder(tmp_path, SHORT.replace("digits_cnn", model))
    (tmp_path / "models" / f"{model}.tflite").write_bytes(TFLITE)
    assert load_spec(path).project.name == name
    path.write_text(f"{path.read_text()}project: {{name: {name}}}\n")
    assert load_spec(path).project.name == name


@pytest.mark.parametrize(
    ("text", "expected"), [("1e2", 100), ("0x20", 32), ("+5", 5), ("60.0", 60), ("0o17", 15), ("3.e1", 30)]
)
def test_integers_in_all_spellings(tmp_path: Path, text: str, expected: int) -> None:
    spec = load_spec(write_folder(tmp_path, changed("evaluations: 60", f"evaluations: {text}")))
    assert spec.search.evaluations == expected
    assert type(spec.search.evaluations) is int


@pytest.mark.parametrize(("text", "expected"), [("1e-1", 0.1), (".5", 0.5), ("2", 2.0), ("0", 0.0)])
def test_numbers_in_all_spellings(tmp_path: Path, text: str, expected: float) -> None:
    spec = load_spec(write_folder(tmp_path, changed("max_accuracy_drop: 1.0", f"max_accuracy_drop: {text}")))
    assert spec.target is not None
    assert spec.target.max_accuracy_drop == expected
    assert type(spec.target.max_accuracy_drop) is float


@pytest.mark.parametrize("word", ["yes", "no", "on", "off", "12:30", "2024-01-01", "1_000"])
def test_words_that_other_readers_convert_are_text(tmp_path: Path, word: str) -> None:
    assert load_spec(write_folder(tmp_path, SHORT.replace("board: x", f"board: {word}"))).board == word


def test_byte_order_mark_and_crlf(tmp_path: Path) -> None:
    content = b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode()
    spec = load_spec(write_folder(tmp_path, content))
    assert spec.where("model") == Location(str(tmp_path / "approx.yaml"), 3, 8)


def test_locations(tmp_path: Path) -> None:
    path = write_folder(tmp_path)
    spec = load_spec(path)

    def place(field: str) -> tuple[int, int]:
        where = spec.where(field)
        assert where.file == str(path)
        return where.line, where.column

    lines = GOOD.splitlines()
    for field, line, word in [
        ("board", 4, "nucleo"),
        ("target", 5, "target"),
        ("target.max_accuracy_drop", 6, "1.0"),
        ("data.exploration", 9, "exploration"),
        ("data.exploration.count", 9, "250"),
        ("data.exploration.labels", 9, "exploration"),  # not in the file: the map that would hold it
        ("method.layers", 11, "layers"),
        ("method.layers.1", 11, "3]"),
        ("cmsis_nn", 14, "../CMSIS"),
        ("verify.images", 16, "30"),
    ]:
        assert place(field) == (line, lines[line - 1].index(word) + 1), field
    assert spec.where("nowhere") == Location(str(path))


def test_every_key_of_the_file_has_a_location(tmp_path: Path) -> None:
    spec = load_spec(write_folder(tmp_path))
    named = {"version", "model", "board", "cmsis_nn", "target", "target.max_accuracy_drop"}
    named |= {"data", "data.calibration", "data.exploration", "data.confirmation"}
    named |= {f"data.calibration.{key}" for key in ("file", "images", "labels", "start", "count")}
    named |= {f"data.exploration.{key}" for key in ("file", "count")}
    named |= {f"data.confirmation.{key}" for key in ("file", "start", "count")}
    named |= {"method", "method.name", "method.layers", "method.layers.0", "method.layers.1"}
    named |= {"method.exclude", "method.exclude.0", "search", "search.seed", "search.evaluations", "search.workers"}
    named |= {"kernels", "kernels.backend", "kernels.convolution", "verify", "verify.images"}
    named |= {"project", "project.name", "project.directory", "project.test_vectors"}
    assert set(spec.locations) == named


def test_spec_can_be_sent_to_another_process(tmp_path: Path) -> None:
    spec = load_spec(write_folder(tmp_path))
    assert pickle.loads(pickle.dumps(spec)) == spec


def test_relative_path__messages_name_the_file_as_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_folder(tmp_path, changed("board:", "bord:"))
    monkeypatch.chdir(tmp_path)
    assert str(load_error(Path("approx.yaml"))).startswith("approx.yaml:4:1: error: unknown key 'bord'")
    write_folder(tmp_path)
    assert load_spec(Path("approx.yaml")).model == tmp_path / "models" / "digits_cnn.tflite"


def test_symbolic_link_keeps_its_name(tmp_path: Path) -> None:
    path = write_folder(tmp_path, SHORT.replace("digits_cnn", "linked"))
    (tmp_path / "models" / "linked.tflite").symlink_to("digits_cnn.tflite")
    spec = load_spec(path)
    assert spec.model.name == "linked.tflite"
    assert spec.project.name == "linked"


BAD = [
    # keys
    ("board:", "bord:", 4, 1, ["unknown key 'bord'", "Did you mean 'board'?"]),
    ("verify:", "Verify:", 16, 1, ["unknown key 'Verify'", "Did you mean 'verify'?"]),
    (
        "verify: {images: 30}",
        "verify: {colour: 30}",
        16,
        10,
        ["unknown key 'colour' in verify", "keys here are 'images'"],
    ),
    ("verify: {images: 30}", "verify: {seed: 30}", 16, 10, ["unknown key 'seed'", "belongs to 'search'"]),
    ("seed: 7", "seed:7", 12, 10, ["unknown key 'seed:7'", "a space after the colon: 'seed: 7'"]),
    ("model: models/digits_cnn.tflite\n", "", 2, 1, ["the key 'model' is missing", ".tflite"]),
    ("exploration:  {file: models/digits.npz, count", "exploration:  {count", 9, 3, ["'file' is missing in data.expl"]),
    (
        "target:\n  max_accuracy_drop: 1.0\n",
        "",
        2,
        1,
        ["the key 'target' is missing", "target: {max_accuracy_drop: 1.0}"],
    ),
    ("verify:", "version: 1\nverify:", 16, 1, ["'version' stands here again", "line 2"]),
    ("verify: {images: 30}", "verify: {[a]: 30}", 16, 10, ["a key is a single word"]),
    # types and values
    ("version: 1", "version: 2", 2, 10, ["version is the number 2, but has to be 1"]),
    ("version: 1", "version: '1'", 2, 10, ["the text '1'", "write 1 without quotes"]),
    ("drop: 1.0", "drop: 5%", 6, 22, ["target.max_accuracy_drop is the text '5%'", "a number", "write 5\n"]),
    ("drop: 1.0", "drop: 1 point", 6, 22, ["the text '1 point'", "write 1\n"]),
    ("drop: 1.0", "drop: 0,5", 6, 22, ["the text '0,5'", "write 0.5\n"]),
    ("drop: 1.0", "drop: '2.5'", 6, 22, ["the text '2.5'", "write 2.5 without quotes"]),
    ("drop: 1.0", "drop: 12:30", 6, 22, ["the text '12:30'", "for example  max_accuracy_drop: 1.0"]),
    ("drop: 1.0", "drop: -1", 6, 22, ["is -1, but has to be at least 0"]),
    ("drop: 1.0", "drop: 101", 6, 22, ["is 101, but has to be at most 100"]),
    ("drop: 1.0", "drop: .inf", 6, 22, ["'.inf' is no finite number"]),
    ("drop: 1.0", "drop: .NaN", 6, 22, ["'.NaN' is no finite number"]),
    ("drop: 1.0", "drop: 1e999", 6, 22, ["'1e999' is too large"]),
    ("drop: 1.0", "drop: " + "9" * 5000, 6, 22, ["more than 25 digits"]),
    ("drop: 1.0", "drop: true", 6, 22, ["is true, but has to be a number"]),
    ("max_accuracy_drop: 1.0", "accuracy: 0.975", 6, 13, ["0.975, but has to be more than 1", "in percent", "97.5"]),
    (
        "  max_accuracy_drop: 1.0",
        "  max_accuracy_drop: 1.0\n  accuracy: 90",
        7,
        13,
        ["has max_accuracy_drop and accuracy"],
    ),
    ("max_accuracy_drop: 1.0", "{max_cycles: 8M, max_latency: 1s}", 6, 33, ["has max_cycles and max_latency"]),
    ("max_accuracy_drop: 1.0", "max_cycles: 8 million", 6, 15, ["a number of cycles", "as in 8M"]),
    ("max_accuracy_drop: 1.0", "max_latency: 50", 6, 16, ["max_latency"]),
    ("max_accuracy_drop: 1.0", "max_latency: 50 min", 6, 16, ["a time with us, ms or s behind it"]),
    ("max_accuracy_drop: 1.0", "max_ram: 96 KB", 6, 12, ["a number of bytes"]),
    ("target:\n  max_accuracy_drop: 1.0", "target: {}", 5, 1, ["target is empty"]),
    ("seed: 7", "seed: yes", 12, 16, ["search.seed is the text 'yes'", "an integer", "for example  seed: 1"]),
    ("seed: 7", "seed: 1_000", 12, 16, ["the text '1_000'", "write 1000"]),
    ("seed: 7", "seed: 010", 12, 16, ["'010' starts with 0", "write 10,"]),
    ("seed: 7", "seed: 1.5", 12, 16, ["the number 1.5, but has to be an integer"]),
    ("seed: 7", "seed: [7]", 12, 10, ["search.seed is a list"]),
    ("seed: 7", "seed: ", 12, 15, ["search.seed has no value"]),
    ("evaluations: 60", "evaluations: 1e22", 12, 32, ["is 1e+22, but has to be at most 100000"]),
    ("workers: 2", "workers: 100000", 12, 45, ["is 100000, but has to be at most 256"]),
    ("test_vectors: 5", "test_vectors: 1e12", 15, 64, ["but has to be at most 1000"]),
    ("images: 30", "images: 100000000000", 16, 18, ["is 100000000000, but has to be at most 10000"]),
    ("start: 250, count: 250", "start: 1e10, count: 1", 10, 50, ["but has to be at most 1000000000"]),
    ("[conv2d_2, 3]", f"[{', '.join(map(str, range(1001)))}]", 11, 30, ["has 1001 items, but there can be no more th"]),
    ("[conv2d_2, 3]", "[2, x, 2.0]", 11, 30, ["names the number 2.0 more than once"]),
    ("evaluations: 60", "evaluations: 0", 12, 32, ["is 0, but has to be at least 1"]),
    ("search: {seed: 7, evaluations: 60, workers: 2}", "search:", 12, 8, ["search has no value", "'seed', 'eval"]),
    ("search: {seed: 7, evaluations: 60, workers: 2}", "search: 3", 12, 9, ["has to be a map", "'seed', 'eval"]),
    (
        "board: nucleo-u575zi-q",
        "board: 575",
        4,
        8,
        ["board is the number 575, but has to be", "board: nucleo-u575zi-q"],
    ),
    ("board: nucleo-u575zi-q", "board: ''", 4, 8, ["board is empty"]),
    ("backend: c", "backend: asembly", 13, 20, ["'assembly' or 'c'", "Did you mean 'assembly'?"]),
    ("backend: c", "backend: ~", 13, 20, ["kernels.backend has no value"]),
    (
        "name: significance",
        "name: significant",
        11,
        16,
        ["'compensated' or 'reconstruction'", "Did you mean 'significance'?"],
    ),
    ("{name: significance, layers", "{layers", 11, 1, ["the key 'name' is missing in method"]),
    (
        "{name: significance, layers: [conv2d_2, 3], exclude: [conv2d_0]}",
        "off",
        11,
        9,
        ["'compensated' or 'reconstruction'"],
    ),
    ("{name: significance, layers: [conv2d_2, 3], exclude: [conv2d_0]}", "7", 11, 9, ["a text or a map"]),
    ("[conv2d_2, 3]", "[]", 11, 30, ["method.layers is empty"]),
    ("[conv2d_2, 3]", "[2, 2]", 11, 30, ["names the number 2 more than once"]),
    ("[conv2d_2, 3]", "[2, [3]]", 11, 42, ["method.layers[1] is a list"]),
    ("[conv2d_2, 3]", "[-1]", 11, 39, ["method.layers[0] is -1, but has to be at least 0"]),
    ("[conv2d_2, 3]", "conv2d_2", 11, 38, ["but has to be a list", "layers: [conv2d_2, 3]"]),
    ("[conv2d_2, 3]", "[conv2d_0]", 11, 60, ["the text 'conv2d_0' stands in method.layers as well"]),
    ("exclude: [conv2d_0]", "exclude: [3.0]", 11, 63, ["the number 3 stands in method.layers as well"]),
    ("name: digits,", "name: my digits,", 15, 17, ["has to be letters, digits, _ and -", "Did you mean 'my_digits'?"]),
    (
        "name: digits,",
        "name: 3d,",
        15,
        17,
        ["is the text '3d'", "the first one a letter", "write for example  name: di"],
    ),
    ("name: digits,", "name: -x,", 15, 17, ["the text '-x'", "Did you mean 'x'?"]),
    ("name: digits,", "name: " + "x" * 101 + ",", 15, 17, ["more than 100 characters"]),
    ("calib, labels", '"a\\nb", labels', 8, 51, ["a line break or a control character (U+000A)"]),
    # YAML itself
    ("  max_accuracy_drop", "\tmax_accuracy_drop", 6, 1, ["a tab stands where only spaces may stand"]),
    ("board: nucleo-u575zi-q", "board nucleo-u575zi-q", 4, 1, ["this line is no 'key: value'"]),
    ("board: nucleo-u575zi-q", "board: @nucleo", 4, 8, ["cannot start with this character", "quotes"]),
    ("layers: [conv2d_2, 3]", "layers: - conv2d_2", 11, 38, ["a value is missing here"]),
    ("backend: c, convolution: unpacked}", "backend: c}\nboard: - a", 14, 8, ["a list cannot start here", "[a, b]"]),
    ("board: nucleo-u575zi-q", "board: a: b", 4, 9, ["this ':' is one too many"]),
    ("board: nucleo-u575zi-q", "board: 'nucleo", 4, 8, ["the quotes that open here are never closed"]),
    ("board: nucleo-u575zi-q", "- board", 4, 1, ["does not fit the lines above it"]),
    ("board: nucleo-u575zi-q", 'board: "\\q"', 4, 10, ["escape sequence does not exist", "single quotes"]),
    ("board: nucleo-u575zi-q", "board: &b nucleo-u575zi-q", 4, 8, ["'&b' is an anchor"]),
    ("board: nucleo-u575zi-q", "board: *b", 4, 8, ["'*b' is an alias", "write the value out"]),
    ("board: nucleo-u575zi-q", "board: !!str 5", 4, 8, ["'!!str' is a tag"]),
    ("verify: {images: 30}", "verify: {<<: {}}", 16, 10, ["'<<' is a merge key"]),
    ("verify: {images: 30}", "verify: {images: 30", 16, 9, ["the bracket that opens here is not closed"]),
    ("verify: {images: 30}\n", "---\nmodel: x\n", 16, 1, ["a second document starts here"]),
    # files
    (
        "models/digits_cnn.tflite",
        "models/digits_cn.tflite",
        3,
        8,
        ["no file 'models/digits_cn.tflite'", "Did you mean"],
    ),
    ("models/digits_cnn.tflite", "modles/digits_cnn.tflite", 3, 8, ["no file", "does not exist"]),
    ("models/digits_cnn.tflite", "models\\digits_cnn.tflite", 3, 8, ["no file", "write / between folders"]),
    ("models/digits_cnn.tflite", "~/digits_cnn.tflite", 3, 8, ["no file", "~ is not expanded"]),
    ("models/digits_cnn.tflite", "models", 3, 8, ["is a directory"]),
    ("models/digits_cnn.tflite", "models/digits.npz", 3, 8, ["'models/digits.npz' is no .tflite file", "TFL3"]),
    ("models/digits_cnn.tflite", "a" * 300, 3, 8, ["cannot be read"]),
    (
        "{file: models/digits.npz, count",
        "{file: models/digit.npz, count",
        9,
        24,
        ["no file", "Did you mean 'digits.npz'?"],
    ),
    ("start: 250", "start: 249", 10, 3, ["exploration and confirmation share images 249 to 249", "start: 250"]),
    ("start: 250, count: 250", "start: 0", 10, 3, ["exploration and confirmation share images 0 to 249"]),
    # where the project goes
    ("directory: build/digits", "directory: .", 15, 36, ["holds approx.yaml"]),
    ("directory: build/digits", "directory: ..", 15, 36, ["holds approx.yaml"]),
    ("directory: build/digits", "directory: /", 15, 36, ["holds approx.yaml"]),
    ("directory: build/digits", "directory: build/../models", 15, 36, ["holds the model"]),
    ("directory: build/digits", "directory: models/digits.npz", 15, 36, ["'digits.npz' is a file"]),
]


@pytest.mark.parametrize("case", BAD, ids=[f"{number}-{case[1][:24]!r}" for number, case in enumerate(BAD)])
def test_bad_file(tmp_path: Path, case: tuple[str, str, int, int, list[str]]) -> None:
    old, new, line, column, fragments = case
    found = places(write_folder(tmp_path, changed(old, new)))
    assert [place[:2] for place in found] == [(line, column)], "\n".join(place[2] for place in found)
    for fragment in fragments:
        assert fragment in found[0][2] + "\n"
    assert "additionalProperties" not in found[0][2]
    assert len(found[0][2]) < 700


@pytest.mark.parametrize(
    ("content", "line", "column", "fragment"),
    [
        (b"", 0, 0, "the file is empty"),
        (b"# only a comment\n", 0, 0, "the file is empty"),
        (b"---\n", 0, 0, "the file is empty"),
        (b"- model\n", 1, 1, "the file is a list, but has to be a map"),
        (b"model", 1, 1, "the file is the text 'model', but has to be a map"),
        (b"model: caf\xc3\xa9\nboard: \xe9\n", 2, 8, "byte 0xe9 is no UTF-8"),
        ("model: x".encode("utf-16"), 0, 0, "the file is UTF-16"),
        (b"model: a\nboard: \x00\n", 2, 8, "control character (U+0000)"),
        (b'model: "\\U00110000"\n', 0, 0, "the file is no YAML"),
        (b"%YAML 3.0\n---\nmodel: x\n", 1, 1, "this is no YAML"),
        (b"#" * (1 << 18) + b"\n", 0, 0, "larger than 256 KiB"),
    ],
)
def test_bad_content(tmp_path: Path, content: bytes, line: int, column: int, fragment: str) -> None:
    found = places(write_folder(tmp_path, content))
    assert [place[:2] for place in found] == [(line, column)]
    assert fragment in found[0][2]


def test_no_such_file(tmp_path: Path) -> None:
    assert "there is no such file" in str(load_error(tmp_path / "approx.yaml"))
    assert "cannot be read" in str(load_error(tmp_path))


def test_what_is_no_regular_file_is_not_opened(tmp_path: Path) -> None:
    """A pipe would be waited for, and a device has no end."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "device").symlink_to("/dev/zero")
    for name, kind in (("pipe", "a pipe"), ("device", "a device")):
        assert f"the file cannot be read: it is {kind}, not a regular file" in str(load_error(tmp_path / name))
    text = changed("models/digits_cnn.tflite", "pipe").replace(
        "exploration:  {file: models/digits.npz", "exploration:  {file: device"
    )
    first, second = places(write_folder(tmp_path, text))
    assert first[:2] == (3, 8) and "'pipe' cannot be read: it is a pipe, not a regular file" in first[2]
    assert second[:2] == (9, 24) and "'device' cannot be read: it is a device, not a regular file" in second[2]


def test_memory_that_looks_like_a_file_cannot_be_read(tmp_path: Path) -> None:
    if not Path("/proc/self/mem").exists():
        pytest.skip("needs /proc")
    assert "the file cannot be read" in str(load_error(Path("/proc/self/mem")))
    [(line, column, message)] = places(write_folder(tmp_path, changed("models/digits_cnn.tflite", "/proc/self/mem")))
    assert (line, column) == (3, 8)
    assert "'/proc/self/mem' cannot be read" in message


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable_file(tmp_path: Path) -> None:
    path = write_folder(tmp_path)
    path.chmod(0)
    assert "Permission denied" in str(load_error(path))


@pytest.mark.parametrize(
    ("content", "fragment"),
    [
        (b"", "it is empty"),
        (b"\x89HDF\r\n\x1a\n", "Keras or HDF5"),
        (b"PK\x03\x04abcdefgh", "zip file"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"\x1c\x00\x00\x00TFL4", "bytes 4 to 7"),
    ],
)
def test_bad_model(tmp_path: Path, content: bytes, fragment: str) -> None:
    path = write_folder(tmp_path)
    (tmp_path / "models" / "digits_cnn.tflite").write_bytes(content)
    [(line, column, message)] = places(path)
    assert (line, column) == (3, 8)
    assert fragment in message


def test_project_directory_must_not_hold_the_data(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere" / "deep"
    elsewhere.mkdir(parents=True)
    (elsewhere / "test.npz").write_bytes(b"PK")
    text = changed("exploration:  {file: models/digits.npz", "exploration:  {file: ../elsewhere/deep/test.npz")
    text = text.replace("directory: build/digits", "directory: ../elsewhere")
    [(_, _, message)] = places(write_folder(tmp_path / "spec", text))
    assert "holds data.exploration" in message


def test_default_directory_must_not_hold_the_model(tmp_path: Path) -> None:
    path = write_folder(tmp_path, "model: build/net/net.tflite\nboard: x\nmethod: none\n")
    (tmp_path / "build" / "net").mkdir(parents=True)
    (tmp_path / "build" / "net" / "net.tflite").write_bytes(TFLITE)
    assert "holds the model" in str(load_error(path))


def test_same_file_by_two_names_is_the_same_file(tmp_path: Path) -> None:
    text = changed(
        "confirmation: {file: models/digits.npz, start: 250", "confirmation: {file: models/link.npz, start: 100"
    )
    path = write_folder(tmp_path, text)
    (tmp_path / "models" / "link.npz").symlink_to("digits.npz")
    assert "share images 100 to 249" in str(load_error(path))


def test_all_mistakes_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = """\
version: 2
modle: x
board: 5
target: {max_accuracy_drop: 5%}
data:
  calibration: {file: models/digits.npz, start: -1}
  exploration: {file: models/digts.npz, count: 10}
  confirmation: {file: models/digits.npz, imges: a}
  training: {}
method: {name: significance, criterion: mean, granularity: pear}
search: {seed: 010, seed: 3, workers: two}
kernels: {backend: *x}
project: {directory: ., test_vectors: -1}
"""
    found = places(write_folder(tmp_path, text))
    assert [(line, column) for line, column, _ in found] == [
        (1, 10),
        (2, 1),
        (3, 8),
        (4, 29),
        (6, 49),
        (7, 23),
        (8, 43),
        (9, 3),
        (10, 41),
        (10, 60),
        (11, 16),
        (11, 21),
        (11, 39),
        (12, 20),
        (13, 22),
        (13, 39),
    ]
    message = str(load_error(tmp_path / "approx.yaml"))
    assert message.endswith("16 errors.")
    assert "'model' is missing" not in message, "'modle' was meant to be it"


def test_three_overlaps(tmp_path: Path) -> None:
    source = "{file: models/digits.npz}"
    text = f"{SHORT}data: {{calibration: {source}, exploration: {source}, confirmation: {source}}}\n"
    messages = [message for _, _, message in places(write_folder(tmp_path, text))]
    assert len(messages) == 3
    assert all("the images from 0 on" in message for message in messages)


def test_mistakes_before_a_syntax_error_are_reported_too(tmp_path: Path) -> None:
    found = places(write_folder(tmp_path, "model: &a x\nmodel: y\nboard: 'x\n"))
    assert [place[:2] for place in found] == [(1, 8), (2, 1), (3, 8)]


@pytest.mark.parametrize("start", ["[", "- ", "{a: ", "{[", "? ", "{x: 1, x: ["])
def test_deep_nesting_is_not_followed(tmp_path: Path, start: str) -> None:
    found = places(write_folder(tmp_path, "model: &a x\nboard:\n  " + start * 20_000))
    assert found[0][:2] == (1, 8)
    assert "more than 16 levels deep" in found[-1][2]


def test_import_is_cheap() -> None:
    unwanted = ("numpy", "tflite", "jsonschema")
    code = f"import sys, approx_plugin.spec.loader; print([name for name in {unwanted} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def check_only_approx_errors(folder: Path, text: str) -> None:
    path = write_folder(folder, text)
    try:
        result = load_spec(path)
    except ApproxError as error:
        str(error).encode()
        assert all(single_error.hint for single_error in single(error))
    else:
        assert isinstance(result, Spec)


PRINTABLE = (
    "model board target data method none layers 1 010 .inf 1e3 ~ ' \" \\ *a &a !t << --- ... | > % @ ? # \\x00 \\ud800"
)
WORDS = st.sampled_from([*PRINTABLE.split(), "\\U00110000", "\x00", "\ud7ff", "é", " "])
GLUE = st.sampled_from(
    [": ", ":", "\n", "\n  ", "\n- ", "- ", ", ", "{", "}", "[", "]", " ", "\t", "\r", "\x85", "\u2028"]
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=st.lists(st.one_of(WORDS, GLUE), max_size=40))
def test_yaml_like_text_never_crashes(tmp_path: Path, parts: list[str]) -> None:
    check_only_approx_errors(tmp_path, "".join(parts))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    begin=st.integers(0, len(GOOD)),
    length=st.integers(0, 30),
    insertion=st.one_of(st.text(st.characters(codec="utf-8"), max_size=8), WORDS, GLUE),
)
def test_damaged_good_file_never_crashes(tmp_path: Path, begin: int, length: int, insertion: str) -> None:
    check_only_approx_errors(tmp_path, GOOD[:begin] + insertion + GOOD[begin + length :])


PLAIN = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), WORDS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=5), inner, max_size=4)),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=st.sampled_from(["version", "model", "board", "target", "data", "method", "search", "project"]), value=PLAIN)
def test_any_value_anywhere_never_crashes(tmp_path: Path, key: str, value: object) -> None:
    lines = [line for line in GOOD.splitlines() if not line.startswith((key, " "))]
    check_only_approx_errors(tmp_path, "\n".join([*lines, f"{key}: {json.dumps(value)}"]))
