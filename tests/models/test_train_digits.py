"""The digits example: the script's training is right, and the committed files are what it makes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from evaluate import float_accuracy, int8_accuracy
from train_digits import SETS, arrays, gradients, initial_parameters, load_sets, make, network

from approx_plugin.tflite.reader import read_graph


@pytest.fixture(scope="module")
def sets():  # type: ignore[no-untyped-def]
    pytest.importorskip("sklearn", reason="needs scikit-learn, which has the digits")
    return load_sets()


def test_gradients_against_differences() -> None:
    rng = np.random.RandomState(0)
    parameters = initial_parameters(rng)
    images, labels = rng.uniform(0, 1, (6, 8, 8, 1)), np.arange(6)

    def loss(name: str, place: tuple[int, ...], step: float) -> float:
        changed = {**parameters, name: parameters[name].copy()}
        changed[name][place] += step
        logits = network(changed).predict(images)
        return float(np.mean(np.log(np.exp(logits).sum(axis=1)) - logits[labels, labels]))

    found = gradients(parameters, images, labels)
    assert set(found) == set(parameters)
    for name, gradient in found.items():
        assert gradient.shape == parameters[name].shape
        for _ in range(5):
            place = tuple(int(rng.randint(extent)) for extent in gradient.shape)
            difference = (loss(name, place, 1e-6) - loss(name, place, -1e-6)) / 2e-6
            assert gradient[place] == pytest.approx(difference, rel=1e-4, abs=1e-7), name


def test_training_again_gives_the_committed_network(sets, root: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """Numbers, not bytes: versions of flatbuffers lay the same tables out differently."""
    trained, content = make(sets)
    path = tmp_path / "digits_cnn.tflite"
    path.write_bytes(content)
    made, committed = read_graph(path), read_graph(root / "models" / "digits_cnn.tflite")
    assert [operator.kind for operator in made.operators] == [operator.kind for operator in committed.operators]
    assert made.tensors.keys() == committed.tensors.keys()
    for index, tensor in made.tensors.items():
        other = committed.tensors[index]
        assert (tensor.name, tensor.shape, tensor.dtype) == (other.name, other.shape, other.dtype)
        assert tensor.quantization == other.quantization
        assert (tensor.data is None) == (other.data is None)
        np.testing.assert_array_equal(np.asarray(tensor.data), np.asarray(other.data))
    split = sets["confirmation"]
    assert float_accuracy(trained, split.images, split.labels) >= 97.5


def test_committed_images_are_the_scripts(sets, root: Path) -> None:  # type: ignore[no-untyped-def]
    expected = arrays(sets)
    with np.load(root / "models" / "digits.npz") as file:
        assert set(file) == set(expected)
        for name, values in expected.items():
            assert file[name].dtype == values.dtype
            np.testing.assert_array_equal(file[name], values)


def test_committed_network_is_accurate_and_as_described(root: Path) -> None:
    graph = read_graph(root / "models" / "digits_cnn.tflite")
    assert graph.macs == 8 * 8 * 8 * 9 + 4 * 4 * 16 * 72 + 640 == 23680
    assert (graph.input_tensor.shape, graph.output_tensor.shape) == ((1, 8, 8, 1), (1, 10))
    seen: set[bytes] = set()
    with np.load(root / "models" / "digits.npz") as file:
        for name in ("calibration", "exploration", "confirmation"):
            images, labels = file[f"{name}_images"], file[f"{name}_labels"]
            assert len(images) == len(labels) == SETS[name]
            assert int8_accuracy(root / "models" / "digits_cnn.tflite", images, labels) >= 97.5
            found = {image.tobytes() for image in images}
            assert not found & seen
            seen |= found
