"""What a user can get wrong, end to end: status 2, place, reason and remedy, no traceback, and nothing written."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from digits_project import IMAGES, MODEL, ROOT, command_line, data, environment, exact, run, spec, tree, write_spec
from slow_program import plain_path
from tflite_format import Options
from tflite_writer import ModelBuilder

from approx_plugin.build import toolchain
from approx_plugin.cli import main
from approx_plugin.errors import ToolError

PLACED = re.compile(r"^(\S.*?): error: (.+)$")
IN_SPEC = re.compile(r"approx\.yaml(:\d+:\d+)?$")


@pytest.fixture(autouse=True)
def _no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CMSIS_NN_PATH", raising=False)


def message_of(path: Path, capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """What is said about a mistake, once its form has been checked."""
    out = path.parent / "out"
    before = tree(out)
    capsys.readouterr()
    status = main(["--spec", str(path), *(str(argument) for argument in arguments)])
    message = capsys.readouterr().err
    assert status == 2, message
    check_form(message)
    assert tree(out) == before
    assert before or not out.exists()
    return message


def check_form(message: str) -> None:
    """Every error is one line with place and fault, and says what to do."""
    assert "Traceback" not in message
    lines = [line for line in message.splitlines() if not line.startswith("search: ")]
    errors = [line for line in lines if not line.startswith(" ") and not re.fullmatch(r"\d+ errors\.", line)]
    assert errors
    for line in errors:
        assert PLACED.match(line) or line.startswith("error: "), line
    assert sum(line.startswith("    do:  ") for line in lines) == len(errors), message


# ---- approx.yaml, as text

TEXT = f"""\
version: 1
model: {MODEL}
board: nucleo-u575zi-q
target: {{max_accuracy_drop: 1.0}}
data:
  calibration: {{file: digits.npz, images: calibration_images, labels: calibration_labels}}
  exploration: {{file: digits.npz, images: exploration_images, labels: exploration_labels}}
  confirmation: {{file: digits.npz, images: confirmation_images, labels: confirmation_labels}}
method: {{name: significance, layers: [conv2d_0, 2]}}
cmsis_nn: {ROOT / "Middlewares" / "CMSIS-NN"}
project: {{name: digits, directory: out}}
"""

WRONG_TEXT: list[tuple[str, str, str, str]] = [
    # old, new, line:column, fragment of the message
    ("version: 1", "version: 2", "1:10", "version is the number 2"),
    ("version: 1\n", "versoin: 1\n", "1:1", "Did you mean 'version'?"),
    ("board: nucleo-u575zi-q\n", "", "1:1", "the key 'board' is missing"),
    ("nucleo-u575zi-q", "nucleo-u575zi", "3:8", "Did you mean 'nucleo-u575zi-q'?"),
    ("nucleo-u575zi-q", "arduino-uno", "3:8", "nucleo-l4r5zi"),
    ("digits_cnn.tflite", "digits_cn.tflite", "2:8", "Did you mean 'digits_cnn.tflite'?"),
    ("digits_cnn.tflite", "digits.npz", "2:8", "is a zip file"),
    ("max_accuracy_drop: 1.0", "max_accuracy_drop: 1 %", "4:29", "but has to be a number"),
    ("max_accuracy_drop: 1.0", "max_accuracy_drop: -1", "4:29", "has to be at least 0"),
    ("target: {max_accuracy_drop: 1.0}\n", "", "1:1", "the key 'target' is missing"),
    ("exploration: {file: digits.npz", "exploration: {file: digit.npz", "7:23", "Did you mean 'digits.npz'?"),
    ("exploration_images", "exploration_image", "7:43", "Did you mean 'exploration_images'?"),
    ("labels: exploration_labels", "labels: exploration_images", "7:71", "exploration: "),
    ("labels: exploration_labels", "labels: confirmation_labels", "7:71", "has 400 'exploration_images', but 397"),
    ("images: exploration_images", "start: 400, images: exploration_images", "7:42", "holds 400 images"),
    (
        "exploration_images, labels: exploration_labels",
        "confirmation_images, labels: confirmation_labels",
        "8:3",
        "exploration and confirmation share",
    ),
    ("name: significance", "name: magic", "9:16", "'compensated' or 'reconstruction'"),
    ("conv2d_0", "conv2d_1", "9:39", "Did you mean 'conv2d_2'?"),
    ("[conv2d_0, 2]", "[conv2d_0, 5]", "9:49", "'5' is not a layer of digits_cnn.tflite that can be approximated"),
    ("Middlewares/CMSIS-NN", "Middlewares/CMSIS", "10:11", "is not the directory of a CMSIS-NN"),
    ("Middlewares/CMSIS-NN", "Core", "10:11", "holds no CMSIS-NN"),
    ("name: digits,", "name: my digits,", "11:17", "Did you mean 'my_digits'?"),
    ("directory: out", "directory: .", "11:36", "holds approx.yaml"),
    ("directory: out", "directory: digits.npz", "11:36", "is a file, but has to be a directory"),
    ("  exploration:", "\texploration:", "7:1", "a tab stands where only spaces may stand"),
    ("version: 1", "version: 1\nversion: 1", "2:1", "stands here again"),
]


@pytest.mark.parametrize("case", WRONG_TEXT, ids=[f"{i}-{c[1][:30].strip()}" for i, c in enumerate(WRONG_TEXT)])
def test_wrong_text(case: tuple[str, str, str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new, place, fragment = case
    assert TEXT.count(old) == 1, old
    shutil.copy(IMAGES, tmp_path)
    path = tmp_path / "approx.yaml"
    path.write_text(TEXT.replace(old, new), encoding="utf-8")
    message = message_of(path, capsys)
    assert f"{path}:{place}: error: " in message
    assert fragment in message


def test_a_folder_above_the_library_is_fine(tmp_path: Path) -> None:
    shutil.copy(IMAGES, tmp_path)
    path = tmp_path / "approx.yaml"
    path.write_text(TEXT.replace("Middlewares/CMSIS-NN", "Middlewares"), encoding="utf-8")
    assert main(["--spec", str(path)]) == 0


def test_no_spec(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in (tmp_path / "approx.yaml", tmp_path):
        assert f"{path}: error: " in message_of(path, capsys)


def test_mistakes_of_all_inputs_are_told_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    values = spec(board="nucleo", method={"name": "significance", "layers": ["conv9"]}, cmsis_nn=str(ROOT / "Core"))
    values["data"]["exploration"]["labels"] = "calibration_labels"
    message = message_of(write_spec(tmp_path, values), capsys)
    assert message.endswith("4 errors.\n")
    for fragment in ("'nucleo'", "'conv9' is not a layer", "holds no CMSIS-NN", "but 200 'calibration_labels'"):
        assert fragment in message


# ---- models


def truncated() -> bytes:
    return MODEL.read_bytes()[:1500]


def emptied() -> bytes:
    return b""


def zeros_behind_the_identifier() -> bytes:
    return MODEL.read_bytes()[:8] + bytes(2000)


def float_model() -> bytes:
    builder = ModelBuilder()
    x, y = builder.input((1, 4), dtype="float32"), builder.tensor((1, 2), "float32")
    w = builder.tensor((2, 4), "float32", data=np.ones((2, 4)))
    builder.operator("FULLY_CONNECTED", [x, w], [y], Options("FullyConnectedOptions", {}))
    builder.output(y)
    return builder.build()


def uint8_model() -> bytes:
    builder = ModelBuilder()
    x = builder.input((1, 4, 4, 1), 0.1, dtype="uint8")
    y = builder.tensor((1, 2, 2, 1), "uint8", scale=0.1)
    fields = {"FilterHeight": 2, "FilterWidth": 2, "StrideH": 2, "StrideW": 2, "Padding": 1}
    builder.operator("MAX_POOL_2D", [x], [y], Options("Pool2DOptions", {**fields, "FusedActivationFunction": 0}))
    builder.output(y)
    return builder.build()


def dynamic_shape() -> bytes:
    builder = ModelBuilder()
    x = builder.input((1, 1, 1, 3), 1.0, shape_signature=(1, -1, -1, 3))
    builder.output(builder.max_pool2d(x, (1, 1)))
    return builder.build()


def no_output() -> bytes:
    builder = ModelBuilder()
    builder.max_pool2d(builder.input((1, 1, 1, 3), 1.0), (1, 1))
    return builder.build()


def unsupported_operators() -> bytes:
    builder = ModelBuilder()
    x = builder.input((1, 4, 4, 2), 0.1)
    for name in ("COS", "SIN"):
        y = builder.tensor((1, 4, 4, 2), scale=0.1, name=name.lower())
        builder.operator(name, [x], [y])
        x = y
    builder.output(x)
    return builder.build()


def wrong_weight_type() -> bytes:
    builder = ModelBuilder()
    x = builder.input((1, 4), 0.1)
    w = builder.tensor((2, 4), "uint8", scale=0.1, data=np.ones((2, 4)))
    y = builder.tensor((1, 2), scale=0.1)
    builder.operator("FULLY_CONNECTED", [x, w], [y], Options("FullyConnectedOptions", {}))
    builder.output(y)
    return builder.build()


WRONG_MODELS: list[tuple[Callable[[], bytes], list[str]]] = [
    (truncated, ["network.tflite"]),
    (emptied, ["is no .tflite file", "it is empty"]),
    (zeros_behind_the_identifier, ["network.tflite"]),
    (float_model, ["the model computes in float32", "not quantised"]),
    (uint8_model, ["the model computes in uint8"]),
    (dynamic_shape, ["dynamic shape [1, -1, -1, 3]"]),
    (no_output, ["the model has no output"]),
    (unsupported_operators, ["COS", "SIN"]),
    (wrong_weight_type, ["are uint8, not int8"]),
]


@pytest.mark.parametrize("case", WRONG_MODELS, ids=[case[0].__name__ for case in WRONG_MODELS])
def test_wrong_models(
    case: tuple[Callable[[], bytes], list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "network.tflite").write_bytes(case[0]())
    message = message_of(write_spec(tmp_path, exact(model="network.tflite")), capsys)
    for fragment in case[1]:
        assert fragment in message


# ---- data


def arrays() -> dict[str, Any]:
    """The digits, to be spoilt."""
    with np.load(IMAGES) as stored:
        return dict(stored)


WRONG_DATA: list[tuple[str, Callable[[dict[str, Any]], dict[str, Any]], str]] = [
    ("labels cut short", lambda a: {"exploration_labels": a["exploration_labels"][:-1]}, "but 399"),
    ("label out of range", lambda a: {"exploration_labels": a["exploration_labels"] + 5}, "of image"),
    ("another size", lambda a: {"exploration_images": a["exploration_images"][:, 1:]}, "[400, 7, 8"),
    ("NaN", lambda a: {"exploration_images": np.full((400, 8, 8, 1), np.nan, np.float32)}, "NaN or infinite"),
    ("the same images twice", lambda a: {"confirmation_images": a["exploration_images"][:397]}, "images in common"),
    ("no images", lambda a: {"exploration_images": a["exploration_images"][:0]}, ""),
]


@pytest.mark.parametrize("case", WRONG_DATA, ids=[case[0] for case in WRONG_DATA])
def test_wrong_data(
    case: tuple[str, Callable[[dict[str, Any]], dict[str, Any]], str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    good = arrays()
    np.savez(tmp_path / "digits.npz", **{**good, **case[1](good)})
    message = message_of(write_spec(tmp_path, spec(data=data(Path("digits.npz")))), capsys)
    assert case[2] in message
    assert "approx.yaml:" in message


def test_damaged_archive(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "digits.npz").write_bytes(IMAGES.read_bytes()[:5000])
    message = message_of(write_spec(tmp_path, spec(data=data(Path("digits.npz")))), capsys)
    assert message.count("is damaged") == 3


# ---- the board's memories


def test_more_flash_than_the_board_has(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    values = exact(
        model=str(ROOT / "models/cifar10_alexnet.tflite"), board="nucleo-f446re", kernels={"convolution": "unpacked"}
    )
    path = write_spec(tmp_path, values)
    message = message_of(path, capsys)
    found = re.search(r"needs about ([\d,]+) bytes of flash; ([\d,]+) are available on NUCLEO-F446RE", message)
    assert found
    needed, available = (int(count.replace(",", "")) for count in found.groups())
    assert needed > available > 400_000
    assert re.search(r"largest layers are conv2d_\d+ \(unpacked\) [\d,]+ B", message)
    assert f"{path}:" in message
    elsewhere = exact(model=values["model"], kernels=values["kernels"], board="nucleo-u575zi-q")
    assert "board=: error: " in message_of(write_spec(tmp_path, elsewhere), capsys, "--board", "nucleo-f446re")


def test_more_ram_than_the_board_has(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    builder = ModelBuilder()
    x = builder.input((1, 64, 64, 1), 0.1)
    for _ in range(2):
        weights = np.ones((32, 1, 1, x.shape[3]), np.int8)
        x = builder.conv2d(x, weights, 0.1, scale=0.2)
    x = builder.max_pool2d(x, (64, 64))
    builder.output(x)
    (tmp_path / "large.tflite").write_bytes(builder.build())
    message = message_of(write_spec(tmp_path, exact(model="large.tflite", board="nucleo-f446re")), capsys)
    found = re.search(r"needs ([\d,]+) bytes of RAM for its activations; ([\d,]+) are available", message)
    assert found
    needed, available = (int(count.replace(",", "")) for count in found.groups())
    assert needed >= 2 * 64 * 64 * 32 > 131072 > available
    assert "layer 1 (conv2d_1)" in message


def test_what_does_not_fit_is_told_before_vectors_are_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reference would take minutes for an input of this size, and each of twenty vectors its memory."""
    monkeypatch.setattr("approx_plugin.pipeline.generate.vectors_of", lambda *_: pytest.fail("vectors were made"))
    builder = ModelBuilder()
    builder.output(builder.max_pool2d(builder.input((1, 4000, 4000, 1), 0.1), (40, 40)))
    (tmp_path / "large.tflite").write_bytes(builder.build())
    message = message_of(write_spec(tmp_path, exact(model="large.tflite")), capsys)
    assert "bytes of RAM" in message


SPECIAL = {
    "/dev/zero": "it is a device, not a regular file",
    "/dev/random": "it is a device, not a regular file",
    "pipe": "it is a pipe, not a regular file",
    "/proc/self/mem": "",
}


@pytest.mark.parametrize("name", SPECIAL)
@pytest.mark.parametrize("part", ["spec", "model", "data"])
def test_special_files(name: str, part: str, tmp_path: Path) -> None:
    """In a process of its own, which would wait, or fill the memory, until it is ended."""
    if name.startswith("/") and not Path(name).exists():
        pytest.skip(f"needs {name}")
    os.mkfifo(tmp_path / "pipe")
    values = spec(model=name) if part == "model" else spec(data=data(Path(name))) if part == "data" else exact()
    path = write_spec(tmp_path, values)
    command = [sys.executable, "-m", "approx_plugin", "--spec", name if part == "spec" else str(path)]
    done = run(command, tmp_path, environment(), timeout=60)
    assert done.status == 2, done.text
    check_form(done.err)
    assert "cannot be read: " in done.err
    assert SPECIAL[name] in done.err
    assert "disk space" not in done.err
    place = f"{name}: error" if part == "spec" else "approx.yaml:"
    assert place in done.err


def test_auto_makes_it_fit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What the message of the flash suggests."""
    values = exact(model=str(ROOT / "models/cifar10_alexnet.tflite"), board="nucleo-f446re")
    assert main(["--spec", str(write_spec(tmp_path, values))]) == 0
    report = (tmp_path / "out/report.txt").read_text(encoding="utf-8")
    assert "unpacked needs" in report or "unpacked is estimated to be no quicker" in report


# ---- the output directory


def test_directory_with_somebody_elses_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_spec(tmp_path, exact())
    (tmp_path / "out").mkdir()
    (tmp_path / "out/thesis.tex").write_text("all of it", encoding="utf-8")
    for arguments in ((), ("--force",)):
        message = message_of(path, capsys, *arguments)
        assert f"{tmp_path / 'out'}: error: the output directory holds 1 file(s) that were not generated" in message
        assert "thesis.tex" in message


def test_a_users_file_where_a_generated_one_has_to_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_spec(tmp_path, exact())
    assert main(["--spec", str(path)]) == 0
    assert main(["clean", "--spec", str(path)]) == 0
    (tmp_path / "out/Core").mkdir(parents=True)
    (tmp_path / "out/Core/Src").write_text("a file", encoding="utf-8")
    assert "not generated" in message_of(path, capsys, "--force")


def test_damaged_manifest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_spec(tmp_path, exact())
    assert main(["--spec", str(path)]) == 0
    (tmp_path / "out/approx_manifest.json").write_text('{"files": ["Core', encoding="utf-8")
    assert "approx_manifest.json: error: " in message_of(path, capsys)


@pytest.mark.parametrize("place", ["/proc/digits", "/dev/null/digits"])
def test_directory_that_cannot_be_made(place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if not Path(place).parent.exists():
        pytest.skip(f"needs {Path(place).parent}, where nobody can make a directory")
    assert f"{place}: error: " in message_of(write_spec(tmp_path, exact()), capsys, "--out", place)


def test_folder_of_the_spec_that_cannot_be_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cache lies beside approx.yaml; a file in its place stands for missing permissions, which root never lacks."""
    path = write_spec(tmp_path, exact())
    (tmp_path / ".approx_cache").write_text("in the way", encoding="utf-8")
    assert ".approx_cache" in message_of(path, capsys)


def test_full_disk(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device", "vectors.tmp.npz")

    path = write_spec(tmp_path, exact())
    monkeypatch.setattr(np, "savez", full)
    capsys.readouterr()
    assert main(["--spec", str(path)]) == 2
    check_form(capsys.readouterr().err)
    monkeypatch.undo()
    assert main(["--spec", str(path)]) == 0, "the next run mends it"


# ---- programs


@pytest.fixture
def empty_path(tmp_path: Path) -> Path:
    """A folder for PATH without compiler and emulator."""
    folder = tmp_path / "bin"
    folder.mkdir()
    return folder


def program(folder: Path, name: str, script: str) -> None:
    """A shell script under the name of a program."""
    shell = shutil.which("sh")
    assert shell
    (folder / name).write_text(f"#!{shell}\n{script}\n", encoding="utf-8")
    (folder / name).chmod(0o755)


def test_without_a_compiler_the_project_is_written(tmp_path: Path, empty_path: Path) -> None:
    write_spec(tmp_path, exact())
    done = command_line(cwd=tmp_path, PATH=str(empty_path))
    assert done.status == 0, done.text
    assert "arm-none-eabi-gcc was not found: the project is written, but neither built nor measured" in done.out
    text = (tmp_path / "out/report.txt").read_text(encoding="utf-8")
    assert "not linked (no compiler)" in text
    assert "nothing was built" in text
    for verb in ("size", "verify", "run", "check"):
        done = command_line(verb, cwd=tmp_path, PATH=str(empty_path))
        assert done.status == 2, done.text
        check_form(done.err)
        assert "arm-none-eabi-gcc was not found" in done.err
        assert "apt-get install gcc-arm-none-eabi" in done.err
    done = command_line(cwd=tmp_path)
    assert "report.json" in tree(tmp_path / "out")
    assert "Release: " in done.out, "with a compiler it is not up to date"


def test_compiler_that_does_not_start(tmp_path: Path, empty_path: Path) -> None:
    program(empty_path, "arm-none-eabi-gcc", "echo no licence >&2; exit 3")
    write_spec(tmp_path, exact())
    done = command_line(cwd=tmp_path, PATH=str(empty_path))
    assert done.status == 2, done.text
    check_form(done.err + "    do:  \n")
    assert "does not say its version" in done.err
    assert "no licence" in done.err
    assert not (tmp_path / "out").exists()


def test_compiler_that_fails(tmp_path: Path, empty_path: Path) -> None:
    program(
        empty_path, "arm-none-eabi-gcc", '[ "$1" = -dumpfullversion ] && echo 9.9.9 && exit\necho main.c: bad; exit 1'
    )
    write_spec(tmp_path, exact())
    done = command_line(cwd=tmp_path, PATH=str(empty_path))
    assert done.status == 2, done.text
    check_form(done.err)
    assert "the compiler failed on " in done.err
    assert "main.c: bad" in done.err
    assert not (tmp_path / "out").exists()


def test_a_compiler_that_does_not_answer(tmp_path: Path, empty_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(empty_path, "arm-none-eabi-gcc", "exec sleep 600")
    monkeypatch.setattr(toolchain, "VERSION_SECONDS", 0.2)
    with pytest.raises(ToolError, match="has not said its version after"):
        toolchain.compiler_version(empty_path / "arm-none-eabi-gcc")


def test_without_the_emulator(tmp_path: Path, empty_path: Path) -> None:
    compiler = shutil.which("arm-none-eabi-gcc", path=plain_path())
    if compiler is None:
        pytest.skip("needs arm-none-eabi-gcc")
    program(empty_path, "arm-none-eabi-gcc", f'exec {compiler} "$@"')
    write_spec(tmp_path, exact())
    done = command_line("verify", cwd=tmp_path, PATH=str(empty_path))
    assert done.status == 2, done.text
    check_form(done.err)
    assert "qemu-system-arm was not found" in done.err
    assert "apt-get install qemu-system-arm" in done.err


def test_emulator_that_crashes(tmp_path: Path, empty_path: Path) -> None:
    program(empty_path, "qemu-system-arm", "echo qemu: fatal: Lockup; exit 1")
    write_spec(tmp_path, exact())
    done = command_line("verify", cwd=tmp_path, PATH=f"{empty_path}{os.pathsep}{os.environ['PATH']}")
    assert done.status == 2, done.text
    assert "Traceback" not in done.text
    assert "qemu: fatal: Lockup" in done.err


def test_wrong_firmware_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The IDE's project files are the user's to edit: one that changes the arithmetic must not verify."""
    path = write_spec(tmp_path, exact(kernels={"convolution": "cmsis_nn"}))
    assert main(["--spec", str(path)]) == 0
    (stored,) = tmp_path.glob(".approx_cache/*/vectors.npz")
    with np.load(stored) as vectors:
        spoilt = {name: vectors[name].copy() for name in vectors}
    spoilt["checksums"][2, 3] ^= 1
    np.savez(stored, **spoilt)
    message = message_of(path, capsys, "verify")
    assert "agrees with the integer reference on 4 of 5 vectors; the first wrong layer is 3" in message
    assert "vector 2" in message


def test_the_module_and_main_agree(tmp_path: Path) -> None:
    """The same message and status from a process of its own."""
    write_spec(tmp_path, exact(board="uno"))
    done = run([sys.executable, "-m", "approx_plugin", "verify"], tmp_path, environment())
    assert done.status == 2
    assert done.out == ""
    check_form(done.err)
    first = done.err.splitlines()[0].split(": error: ")[0]
    assert IN_SPEC.search(first)


# ---- names of folders

ILLEGIBLE = {
    b"a\nb": (r"a\nb", "a line break"),
    b"a\rb": (r"a\rb", "a line break"),
    "a\u2028b".encode(): (r"a\u2028b", "a line break"),
    b"a\x07b": (r"a\x07b", "a control character"),
    b"a\xffb": (r"a\xffb", "a byte that is not UTF-8"),
}
"""Name -> how it is shown, and what is wrong with it."""


@pytest.mark.parametrize("name", ILLEGIBLE)
def test_names_that_no_compiler_can_be_given(name: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Told before anything begins, wherever the name stands."""
    shown, fault = ILLEGIBLE[name]
    good, folder = write_spec(tmp_path / "good", exact()), tmp_path / os.fsdecode(name)
    bad = write_spec(folder, exact())
    shutil.copy(MODEL, folder / "digits.tflite")
    message = message_of(bad, capsys)
    assert message.startswith(f"{tmp_path}/{shown}/approx.yaml: error: the path of the spec holds {fault}\n")
    message = message_of(good, capsys, "--out", folder / "out")
    assert message.startswith(f"{tmp_path}/{shown}/out: error: the path of the output holds {fault}\n")
    message = message_of(good, capsys, "--cmsis-nn", folder)
    assert message.startswith(f"{tmp_path}/{shown}: error: the path of the CMSIS-NN holds {fault}\n")
    (tmp_path / "link").symlink_to(folder)
    message = message_of(write_spec(tmp_path / "third", exact(model="../link/digits.tflite")), capsys)
    assert message.startswith(f"{tmp_path}/{shown}/digits.tflite: error: the path of the model holds {fault}\n")
    assert not (folder / ".approx_cache").exists()
    assert not (folder / "out").exists()
