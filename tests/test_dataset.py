"""Data sets: arrays to input bytes, every kind of bad .npz, and the hygiene between the sets."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tflite_writer import ModelBuilder

from approx_plugin.dataset import Dataset, load_dataset, load_datasets, quantize, random_inputs
from approx_plugin.errors import ApproxError, DataError, ErrorGroup, Location
from approx_plugin.model.quantization import Quantization
from approx_plugin.model.tensor import Tensor
from approx_plugin.spec.loader import load_spec
from approx_plugin.spec.spec import DataSource
from approx_plugin.tflite.reader import read_graph

CLASSES = 10


def tensor(shape: tuple[int, ...] = (1, 4, 5, 3), scale: float = 1 / 255, zero_point: int = -128) -> Tensor:
    return Tensor(0, "input", shape, "int8", Quantization((scale,), (zero_point,)))


def where(field: str) -> Location:
    """A different line for every field."""
    return Location("approx.yaml", ["file", "images", "labels", "start", "count"].index(field) + 1, 1)


def load(
    file: Path,
    into: Tensor,
    *,
    start: int = 0,
    count: int | None = None,
    images: str = "images",
    labels: str = "labels",
) -> Dataset:
    return load_dataset("exploration", DataSource(file, images, labels, start, count), into, CLASSES, where)


def stored(folder: Path, images: Any, labels: Any = None, **more: Any) -> Path:
    """A file with these arrays; labels count up by default."""
    file = folder / "data.npz"
    if labels is None:
        labels = np.arange(len(images)) % CLASSES
    np.savez_compressed(file, images=images, labels=labels, **more)
    return file


def errors_of(caught: pytest.ExceptionInfo[ApproxError]) -> list[ApproxError]:
    error = caught.value
    return list(error.errors) if isinstance(error, ErrorGroup) else [error]


def fail(file: Path, into: Tensor, **options: Any) -> list[tuple[str, str]]:
    """(field that is to be mended, message) of every mistake."""
    with pytest.raises(ApproxError) as caught:
        load(file, into, **options)
    found = []
    for error in errors_of(caught):
        assert isinstance(error, DataError)
        assert isinstance(error.where, Location)
        assert error.hint, str(error)
        assert error.what.startswith("exploration: ")
        found.append((["file", "images", "labels", "start", "count"][error.where.line - 1], str(error)))
    return found


RNG = np.random.RandomState(1)
PIXELS = RNG.randint(0, 256, (7, 4, 5, 3)).astype(np.uint8)


def test_uint8_pixels(tmp_path: Path) -> None:
    data = load(stored(tmp_path, PIXELS), tensor())
    assert data.name == "exploration"
    assert data.inputs.dtype == np.int8
    assert np.array_equal(data.inputs, PIXELS.astype(int) - 128)
    assert data.labels.dtype == np.int64
    assert list(data.labels) == [0, 1, 2, 3, 4, 5, 6]
    assert len(data) == 7


def test_int8_is_the_input_itself(tmp_path: Path) -> None:
    raw = PIXELS.view(np.int8)
    assert np.array_equal(load(stored(tmp_path, raw), tensor(zero_point=83, scale=0.5)).inputs, raw)


@pytest.mark.parametrize("dtype", ["<f4", "<f8", ">f4", "f2"])
def test_floats_of_pixels_give_the_same_bytes_as_pixels(tmp_path: Path, dtype: str) -> None:
    # half precision is exact for k / 256 only, so that is the scale
    data = load(stored(tmp_path, (PIXELS / 256).astype(dtype)), tensor(scale=1 / 256))
    assert np.array_equal(data.inputs, PIXELS.astype(int) - 128)


def test_slice(tmp_path: Path) -> None:
    file = stored(tmp_path, PIXELS)
    data = load(file, tensor(), start=2, count=3)
    assert np.array_equal(data.inputs, PIXELS[2:5].astype(int) - 128)
    assert list(data.labels) == [2, 3, 4]
    assert len(load(file, tensor(), start=6)) == 1
    assert len(load(file, tensor(), start=0, count=7)) == 7


@pytest.mark.parametrize(
    ("shape", "into"),
    [
        ((6, 4, 5), (1, 4, 5, 1)),
        ((6, 4, 5, 1), (1, 4, 5, 1)),
        ((6, 20), (1, 20)),
        ((6, 4, 5), (1, 4, 5)),
        ((6,), (1, 1)),
        ((6,), (1,)),
        ((6, 1), (1, 1)),
    ],
)
def test_accepted_shapes(tmp_path: Path, shape: tuple[int, ...], into: tuple[int, ...]) -> None:
    images = RNG.randint(-128, 128, shape).astype(np.int8)
    data = load(stored(tmp_path, images), tensor(into))
    assert data.inputs.shape == (6, *into[1:])
    assert np.array_equal(data.inputs.reshape(-1), images.reshape(-1))


@pytest.mark.parametrize("into", [(1,), (1, 1), (1, 4, 5, 3)])
@pytest.mark.parametrize("value", [np.int8(3), np.uint8(3), np.float32(0.5)])
def test_a_number_in_the_place_of_images(tmp_path: Path, value: Any, into: tuple[int, ...]) -> None:
    """An array of rank 0 has no length, and is no set of anything."""
    expected = ", ".join(["N", *map(str, into[1:])])
    ((field, message),) = fail(stored(tmp_path, value, np.zeros(1, int)), tensor(into))
    assert field == "images"
    assert f"has the shape [], but the network needs [{expected}]" in message


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    shape=st.lists(st.integers(0, 3), max_size=4),
    label_shape=st.lists(st.integers(0, 3), max_size=3),
    dtype=st.sampled_from(["i1", "u1", "f2", "f4", ">f8", "i8", "c8", "?", "S3", "M8[s]"]),
    label_dtype=st.sampled_from(["i8", "u1", "f4", "?", "S3", "m8[s]"]),
    into=st.sampled_from([(1,), (1, 1), (1, 2), (1, 2, 1), (1, 2, 2, 1)]),
)
def test_arrays_of_any_kind(
    tmp_path: Path, shape: list[int], label_shape: list[int], dtype: str, label_dtype: str, into: tuple[int, ...]
) -> None:
    """A data set of the network's shape, or a message."""
    file = stored(tmp_path, np.zeros(shape, dtype), np.zeros(label_shape, label_dtype))
    try:
        made = load(file, tensor(into))
    except ApproxError:
        return
    assert made.inputs.shape == (len(made), *into[1:])
    assert len(made) == len(made.labels) == shape[0] > 0


@pytest.mark.parametrize("labels", [np.arange(7, dtype=np.uint8), np.arange(7)[:, None], np.arange(7, dtype=">i8")])
def test_accepted_labels(tmp_path: Path, labels: Any) -> None:
    data = load(stored(tmp_path, PIXELS, labels), tensor())
    assert list(data.labels) == list(range(7))
    assert data.labels.dtype == np.int64


def test_fortran_order(tmp_path: Path) -> None:
    data = load(stored(tmp_path, np.asfortranarray(PIXELS)), tensor())
    assert data.inputs.flags.c_contiguous
    assert np.array_equal(data.inputs, PIXELS.astype(int) - 128)


@pytest.mark.parametrize(
    ("real", "scale", "zero_point", "expected"),
    [
        (0.5, 1.0, 0, 1),
        (-0.5, 1.0, 0, -1),
        (1.5, 1.0, 0, 2),
        (2.5, 1.0, 0, 3),
        (-2.5, 1.0, 0, -3),
        (0.49999997, 1.0, 0, 0),  # adding a half in single precision would round this one up
        (-0.49999997, 1.0, 0, 0),
        (127.5, 1.0, 0, 127),
        (-128.5, 1.0, 0, -128),
        (3e38, 1e-6, 0, 127),
        (-3e38, 1e-6, 0, -128),
        (1.0, 1 / 255, -128, 127),
        (0.0, 0.5847, 83, 83),
    ],
)
def test_quantize(real: float, scale: float, zero_point: int, expected: int) -> None:
    assert quantize(np.array([real], np.float32), scale, zero_point)[0] == expected


def float_network(folder: Path) -> Path:
    """A model that takes 32x32x3 real numbers and quantises them as networks of pixels / 255 do."""
    builder = ModelBuilder()
    inside = builder.quantize(builder.input((1, 32, 32, 3), dtype="float32"), scale=1 / 255, zero_point=-128)
    builder.output(builder.dequantize(builder.max_pool2d(inside, (2, 2))))
    path = folder / "float.tflite"
    path.write_bytes(builder.build())
    return path


def test_quantize_is_what_the_interpreter_does(tmp_path: Path) -> None:
    runtime = pytest.importorskip("tflite_runtime.interpreter")
    path = float_network(tmp_path)
    graph = read_graph(path)
    assert graph.float_input
    interpreter = runtime.Interpreter(
        str(path),
        experimental_op_resolver_type=runtime.OpResolverType.BUILTIN_REF,
        experimental_preserve_all_tensors=True,
    )
    interpreter.allocate_tensors()
    scale, zero_point = graph.input_tensor.scale, graph.input_tensor.zero_point
    ties = (np.arange(-300, 300) + 0.5) * scale
    values = np.concatenate([ties, np.nextafter(ties, -9), RNG.uniform(-0.2, 1.2, 3072 - 2 * len(ties))]).astype(
        np.float32
    )
    image = values.reshape(1, 32, 32, 3)
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image)
    interpreter.invoke()
    assert np.array_equal(interpreter.get_tensor(graph.input), quantize(image, scale, zero_point))


def test_pixels_of_a_float_network_give_its_bytes(tmp_path: Path) -> None:
    """The network takes pixel / 255 as float: uint8 pixels must mean the same."""
    graph = read_graph(float_network(tmp_path))
    images = RNG.randint(0, 256, (20, 32, 32, 3)).astype(np.uint8)
    data = load(stored(tmp_path, images), graph.input_tensor)
    real = images.astype(np.float32) / np.float32(255)
    assert np.array_equal(data.inputs, quantize(real, graph.input_tensor.scale, graph.input_tensor.zero_point))
    assert np.array_equal(data.inputs, (images.astype(np.int16) - 128).astype(np.int8))


BAD_ARRAYS: list[tuple[str, dict[str, Any], Tensor, str, list[str]]] = [
    ("int64", {"images": PIXELS.astype(np.int64)}, tensor(), "images", ["is int64", "store int8"]),
    ("bool", {"images": PIXELS > 9}, tensor(), "images", ["is bool"]),
    ("complex", {"images": PIXELS.astype(complex)}, tensor(), "images", ["is complex128"]),
    ("text", {"images": np.array(["a"] * 7)}, tensor(), "images", ["no image"]),
    ("objects", {"images": np.array([{}] * 7)}, tensor(), "images", ["cannot be read", "Python objects"]),
    ("zero point", {"images": PIXELS}, tensor(zero_point=83), "images", ["is uint8", "has 83", "float32"]),
    ("scalar", {"images": np.int8(3)}, tensor(), "images", ["shape []"]),
    ("one image", {"images": PIXELS[0]}, tensor(), "images", ["[4, 5, 3]", "[N, 4, 5, 3]", "images[None]"]),
    ("channels first", {"images": PIXELS.transpose(0, 3, 1, 2)}, tensor(), "images", ["transpose(0, 2, 3, 1)"]),
    ("flat", {"images": PIXELS.reshape(7, -1)}, tensor(), "images", ["[7, 60]", "images.reshape(-1, 4, 5, 3)"]),
    ("size", {"images": PIXELS[:, 1:]}, tensor(), "images", ["[7, 3, 5, 3]", "input size"]),
    ("three channels without", {"images": PIXELS[..., 0]}, tensor(), "images", ["[7, 4, 5]"]),
    ("length", {"labels": np.arange(6)}, tensor(), "labels", ["has 7 'images', but 6 'labels'"]),
    ("one hot", {"labels": np.eye(7, CLASSES)}, tensor(), "labels", ["argmax(axis=1)"]),
    ("float labels", {"labels": np.arange(7.0)}, tensor(), "labels", ["is float64, but labels are integers"]),
    ("2-D labels", {"labels": np.zeros((7, 2), int)}, tensor(), "labels", ["[7, 2]"]),
    ("0-D labels", {"labels": np.int64(1)}, tensor(), "labels", ["shape []"]),
    ("too large", {"labels": np.array([0, 1, 10, 3, 4, 11, 6])}, tensor(), "labels", ["label 10 of image 2", "0 to 9"]),
    ("negative", {"labels": np.array([0, 1, 2, 3, 4, 5, -1])}, tensor(), "labels", ["label -1 of image 6"]),
    ("huge", {"labels": np.full(7, 2**64 - 1, np.uint64)}, tensor(), "labels", [f"label {2**64 - 1} of image 0"]),
    ("from 1", {"labels": np.arange(1, 11)[[0, 1, 2, 3, 4, 5, 9]]}, tensor(), "labels", ["subtract the smallest"]),
    ("NaN", {"images": np.where(PIXELS < 0, 0, np.nan)}, tensor(), "images", ["NaN or infinite values in 7 images"]),
    ("0 to 255", {"images": PIXELS.astype(np.float32)}, tensor(), "images", ["far outside", "0 to 1", "images / 255"]),
    ("no images", {"images": PIXELS[:0], "labels": np.arange(0)}, tensor(), "start", ["holds 0 images"]),
]


@pytest.mark.parametrize("case", BAD_ARRAYS, ids=[case[0] for case in BAD_ARRAYS])
def test_bad_arrays(tmp_path: Path, case: tuple[str, dict[str, Any], Tensor, str, list[str]]) -> None:
    _, arrays, into, field, fragments = case
    [(place, message)] = fail(stored(tmp_path, **{"images": PIXELS, "labels": np.arange(7), **arrays}), into)
    assert place == field, message
    for fragment in fragments:
        assert fragment in message


def test_infinite_value_names_the_image_by_its_number_in_the_file(tmp_path: Path) -> None:
    images = np.zeros((7, 4, 5, 3), np.float32)
    images[5, 0, 0, 0] = np.inf
    file = stored(tmp_path, images)
    [(_, message)] = fail(file, tensor(), start=2)
    assert "in 1 images, first in image 5" in message
    assert len(load(file, tensor(), count=5)) == 5, "outside of the slice it does no harm"


def test_label_outside_of_the_slice_does_no_harm(tmp_path: Path) -> None:
    file = stored(tmp_path, PIXELS, np.array([99, 1, 2, 3, 4, 5, 6]))
    assert len(load(file, tensor(), start=1)) == 6
    [(_, message)] = fail(file, tensor())
    assert "label 99 of image 0" in message


@pytest.mark.parametrize(
    ("start", "count", "field", "fragment"),
    [
        (7, None, "start", "starts at image 7, but 'images' of data.npz holds 7 images"),
        (700, 1, "start", "write a start below 7"),
        (0, 8, "count", "images 0 to 7, but the last one of 'images' of data.npz is 6"),
        (5, 3, "count", "write count: 2 or less"),
    ],
)
def test_bad_slice(tmp_path: Path, start: int, count: int | None, field: str, fragment: str) -> None:
    [(place, message)] = fail(stored(tmp_path, PIXELS), tensor(), start=start, count=count)
    assert place == field
    assert fragment in message


def test_keys_are_listed(tmp_path: Path) -> None:
    file = stored(tmp_path, PIXELS, extra=np.arange(3))
    found = fail(file, tensor(), images="imges", labels="y")
    assert [place for place, _ in found] == ["images", "labels"]
    assert "has no array 'imges'" in found[0][1]
    assert "Did you mean 'images'?" in found[0][1]
    assert "its arrays are 'images', 'labels' and 'extra'" in found[1][1]


def test_mistakes_of_images_and_labels_are_reported_together(tmp_path: Path) -> None:
    file = stored(tmp_path, PIXELS.astype(np.int32), np.arange(7.0))
    assert [place for place, _ in fail(file, tensor())] == ["images", "labels"]


def npz_bytes(**arrays: Any) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def zip_bytes(members: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)  # without the time of day
    return buffer.getvalue()


def npy_bytes(array: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


GOOD_NPZ = npz_bytes(images=PIXELS, labels=np.arange(7))
NEWER_ZIP = bytearray(GOOD_NPZ)
NEWER_ZIP[GOOD_NPZ.index(b"PK\x01\x02") + 6] = 255  # "version needed to extract" of the first entry
HUGE = (
    b"\x93NUMPY\x01\x00\x76\x00{'descr': '|u1', 'fortran_order': False, 'shape': (900000000000000, 4, 5, 3), }".ljust(
        128
    )
)


BAD_ARCHIVES: dict[str, tuple[bytes, list[str]]] = {
    "empty file": (b"", ["is no .npz file", "no zip archive"]),
    "text": (b"hello", ["is no .npz file"]),
    "single array": (npy_bytes(PIXELS), ["is no .npz file", "a single array (.npy)", "numpy.savez_compressed"]),
    "end is missing": (GOOD_NPZ[:-30], ["is damaged", "end of the archive is missing"]),
    "half": (GOOD_NPZ[: len(GOOD_NPZ) // 2], ["is damaged"]),
    "newer zip": (bytes(NEWER_ZIP), ["cannot be read", "zip file version 25.5"]),
    "no arrays": (zip_bytes({}), ["has no array 'images'", "it is empty"]),
    "not an array": (
        zip_bytes({"images": b"\x80\x04N.", "labels.npy": npy_bytes(np.arange(7))}),
        ["'images' in data.npz is no array"],
    ),
    "cut header": (
        zip_bytes({"images.npy": npy_bytes(PIXELS)[:90], "labels.npy": npy_bytes(np.arange(7))}),
        ["cannot be read"],
    ),
    "cut array": (
        zip_bytes({"images.npy": npy_bytes(PIXELS)[:300], "labels.npy": npy_bytes(np.arange(7))}),
        ["cannot be read"],
    ),
    "huge": (zip_bytes({"images.npy": HUGE, "labels.npy": npy_bytes(np.arange(7))}), ["cannot be read"]),
}


@pytest.mark.parametrize(("content", "fragments"), BAD_ARCHIVES.values(), ids=BAD_ARCHIVES)
def test_bad_archive(tmp_path: Path, content: bytes, fragments: list[str]) -> None:
    file = tmp_path / "data.npz"
    file.write_bytes(content)
    message = fail(file, tensor())[0][1]
    for fragment in fragments:
        assert fragment in message


@pytest.mark.parametrize("into", [tensor((1, 1)), tensor((1,)), tensor()])
def test_an_array_without_dimensions_holds_no_images(tmp_path: Path, into: Tensor) -> None:
    (found,) = fail(stored(tmp_path, np.float32(0.5), np.zeros(1, np.int64)), into)
    assert found[0] == "images"
    assert "has the shape []" in found[1] and "images[None]" in found[1]


def test_what_is_no_regular_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "data.npz")
    (tmp_path / "devices.npz").symlink_to("/dev/zero")
    for name, kind in (("data.npz", "a pipe"), ("devices.npz", "a device")):
        ((field, message),) = fail(tmp_path / name, tensor())
        assert field == "file"
        assert f"{name} cannot be read" in message and f"it is {kind}, not a regular file" in message


def test_an_array_that_no_memory_holds_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = stored(tmp_path, PIXELS)
    size = PIXELS.nbytes + 128  # with the header of the .npy
    monkeypatch.setattr("approx_plugin.archive.MAX_ARRAY_BYTES", size)
    assert len(load(file, tensor())) == len(PIXELS)
    monkeypatch.setattr("approx_plugin.archive.MAX_ARRAY_BYTES", size - 1)
    ((field, message),) = fail(file, tensor())
    assert field == "images"
    assert f"the array 'images' of data.npz has {size} bytes, but {size - 1} bytes is the most" in message


def test_file_that_went_away(tmp_path: Path) -> None:
    assert "cannot be read" in fail(tmp_path / "none.npz", tensor())[0][1]
    assert "holds no pictures" in fail(tmp_path, tensor())[0][1]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    damage=st.lists(st.tuples(st.integers(0, len(GOOD_NPZ) - 1), st.integers(0, 255)), min_size=1, max_size=4),
    cut=st.integers(0, len(GOOD_NPZ)),
)
def test_damaged_archive_is_an_error_or_still_right(tmp_path: Path, damage: list[tuple[int, int]], cut: int) -> None:
    content = bytearray(GOOD_NPZ)
    for position, value in damage:
        content[position] = value
    file = tmp_path / "data.npz"
    file.write_bytes(content[:cut] if cut % 3 == 0 else content)
    try:
        data = load(file, tensor())
    except ApproxError as error:
        assert str(error)
    else:
        # The checksums of a zip guard the arrays: what is read at all is what was written.
        assert np.array_equal(data.inputs, PIXELS.astype(int) - 128)


def three_sets(folder: Path, sets: Mapping[str, Any], into: Tensor, text: str = "") -> Any:
    """`load_datasets` of an approx.yaml whose three sets are the files of these images."""
    (folder / "net.tflite").write_bytes(b"\x1c\x00\x00\x00TFL3")
    lines = ["model: net.tflite", "board: x", "target: {accuracy: 90}", "data:"]
    for name, images in sets.items():
        np.savez_compressed(folder / f"{name}.npz", images=images, labels=np.zeros(len(images), np.uint8))
        lines.append(f"  {name}: {{file: {name}.npz{text}}}")
    path = folder / "approx.yaml"
    path.write_text("\n".join(lines))
    return load_datasets(load_spec(path), into, CLASSES)


def random_pixels(count: int, seed: int) -> Any:
    return np.random.RandomState(seed).randint(0, 256, (count, 4, 5, 3)).astype(np.uint8)


def test_three_disjoint_sets(tmp_path: Path) -> None:
    sets = {"calibration": random_pixels(5, 1), "exploration": random_pixels(6, 2), "confirmation": random_pixels(7, 3)}
    data = three_sets(tmp_path, sets, tensor())
    for name, images in sets.items():
        dataset = getattr(data, name)
        assert dataset.name == name
        assert np.array_equal(dataset.inputs, images.astype(int) - 128)
    assert dict(data.shared) == {
        ("calibration", "exploration"): 0,
        ("calibration", "confirmation"): 0,
        ("exploration", "confirmation"): 0,
    }


def test_images_in_two_sets(tmp_path: Path) -> None:
    first, second = random_pixels(300, 1), random_pixels(250, 2)
    second[100:103] = first[7:10]  # 3 of 250: more than 1 %
    with pytest.raises(DataError) as caught:
        three_sets(
            tmp_path, {"calibration": random_pixels(9, 3), "exploration": first, "confirmation": second}, tensor()
        )
    message = str(caught.value)
    assert "exploration and confirmation have 3 images in common; the smaller set has 250" in message
    assert message.startswith(f"{tmp_path}/approx.yaml:7:3: ")


def test_accidental_duplicates_are_counted(tmp_path: Path) -> None:
    first, second = random_pixels(300, 1), random_pixels(250, 2)
    second[100:102] = first[7:9]  # 2 of 250: less than 1 %
    sets = {"calibration": random_pixels(9, 3), "exploration": first, "confirmation": second}
    data = three_sets(tmp_path, sets, tensor())
    assert data.shared["exploration", "confirmation"] == 2
    assert len(data.confirmation) == 250


def test_mistakes_of_all_sets_are_reported_together(tmp_path: Path) -> None:
    same = random_pixels(5, 1)
    sets = {"calibration": same, "exploration": same.astype(int), "confirmation": same}
    with pytest.raises(ErrorGroup) as caught:
        three_sets(tmp_path, sets, tensor())
    text = str(caught.value)
    assert "exploration: 'images' of exploration.npz is int64" in text
    assert "calibration and confirmation have 5 images in common" in text
    assert text.endswith("2 errors.")


def test_where__the_key_itself_or_the_set(tmp_path: Path) -> None:
    sets = {name: random_pixels(5, seed) for seed, name in enumerate(("calibration", "exploration", "confirmation"))}
    with pytest.raises(ErrorGroup) as caught:
        three_sets(tmp_path, sets, tensor(), ", count: 6")
    text = (tmp_path / "approx.yaml").read_text().splitlines()
    for error, line in zip(caught.value.errors, (5, 6, 7)):
        assert error.where == Location(str(tmp_path / "approx.yaml"), line, text[line - 1].index("6") + 1)


def test_real_digits(root: Path, tmp_path: Path) -> None:
    graph = read_graph(root / "models" / "digits_cnn.tflite")
    npz = root / "models" / "digits.npz"
    path = tmp_path / "approx.yaml"
    path.write_text(
        f"model: {root}/models/digits_cnn.tflite\nboard: x\ntarget: {{max_accuracy_drop: 1}}\ndata:\n"
        f"  calibration: {{file: {npz}, images: calibration_images, labels: calibration_labels}}\n"
        f"  exploration: {{file: {npz}, images: exploration_images, labels: exploration_labels, count: 250}}\n"
        f"  confirmation: {{file: {npz}, images: exploration_images, labels: exploration_labels, start: 250}}\n"
    )
    data = load_datasets(load_spec(path), graph.input_tensor, graph.output_tensor.elements)
    assert [len(data.calibration), len(data.exploration), len(data.confirmation)] == [200, 250, 150]
    assert set(data.shared.values()) == {0}
    with np.load(npz) as archive:
        assert np.array_equal(data.confirmation.inputs, archive["exploration_images"][250:])
        assert np.array_equal(data.confirmation.labels, archive["exploration_labels"][250:])


def test_random_inputs() -> None:
    inputs = random_inputs(tensor().shape[1:], 40, seed=1)
    assert inputs.shape == (40, 4, 5, 3)
    assert inputs.dtype == np.int8
    assert np.array_equal(inputs, random_inputs(tensor().shape[1:], 40, seed=1))
    assert np.array_equal(inputs[:3], random_inputs(tensor().shape[1:], 3, seed=1))
    assert not np.array_equal(inputs, random_inputs(tensor().shape[1:], 40, seed=2))
    assert len(np.unique(inputs)) == 256
    # Expected outputs depend on these bytes. From: printf 'inputs 1' | openssl dgst -shake128 -xoflen 8
    assert inputs.reshape(-1)[:8].tolist() == [11, 90, -106, -114, -37, -46, -121, -60]
