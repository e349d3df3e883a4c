"""Trains the small digits network on scikit-learn's digits and writes digits_cnn.tflite and digits.npz.

    pip install -e ".[training]"
    python models/train_digits.py

8x8x1 -> conv 3x3x8 SAME, ReLU -> max pool 2 -> conv 3x3x16 SAME, ReLU -> max pool 2 -> fully connected 10.

Plain numpy, float64, one seed: a run takes some seconds. Trained weights are rounded to a grid of 2**-12, far coarser
than the rounding differences between two machines' linear algebra and far finer than int8 needs, so that the same
numbers come out everywhere. scikit-learn gives the data, nothing else.
"""

from __future__ import annotations

import argparse
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from evaluate import float_accuracy, int8_accuracy
from float_network import Array, Conv2D, FloatNetwork, FullyConnected, MaxPool2D, Reshape, windows
from quantise import Quantization, quantise, quantise_values

SEED = 2
SETS = {"train": 800, "calibration": 200, "exploration": 400, "confirmation": 397}
INPUT: Quantization = (1 / 255, -128)
"""The pixel 0 to 16 counts as 0 to 1, in 255 steps."""

_EPOCHS = 150
_BATCH = 40
_LEARNING_RATE = 4e-3
_WEIGHT_DECAY = 0.3
_MOVED = 0.3  # share of the training images that are moved
_GRID = 2.0**-12

Labels = npt.NDArray[np.int64]
Parameters = dict[str, Array]


@dataclass(frozen=True, eq=False)
class Split:
    """One of the disjoint sets. images: [count, 8, 8, 1] in 0 to 1; labels: [count]."""

    images: Array
    labels: Labels


def load_sets(seed: int = SEED) -> dict[str, Split]:
    """scikit-learn's 1797 digits in a random order, cut into `SETS`."""
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise SystemExit(
            "error: scikit-learn is missing, which has the digits. Run: pip install scikit-learn"
        ) from None

    digits = load_digits()
    order = np.random.RandomState(seed).permutation(len(digits.target))
    images = digits.images[order].reshape(-1, 8, 8, 1) / 16.0
    labels = digits.target[order].astype(np.int64)
    sets, start = {}, 0
    for name, count in SETS.items():
        sets[name] = Split(images[start : start + count], labels[start : start + count])
        start += count
    return sets


def initial_parameters(rng: np.random.RandomState) -> Parameters:
    """He's initialisation."""
    shapes = {"conv1": (8, 3, 3, 1), "conv2": (16, 3, 3, 8), "dense": (10, 64)}
    parameters = {}
    for name, shape in shapes.items():
        parameters[name] = rng.standard_normal(shape) * np.sqrt(2.0 / np.prod(shape[1:]))
        parameters[f"{name}_bias"] = np.zeros(shape[0])
    return parameters


def gradients(parameters: Parameters, images: Array, labels: Labels) -> Parameters:
    """Of the mean cross entropy over a batch, by backpropagation."""
    # Forward, keeping what the way back needs.
    seen1, conv1 = _convolve(images, parameters["conv1"], parameters["conv1_bias"])
    pooled1 = _pool(conv1)
    seen2, conv2 = _convolve(pooled1, parameters["conv2"], parameters["conv2_bias"])
    pooled2 = _pool(conv2)
    features = pooled2.reshape(len(images), -1)
    logits = features @ parameters["dense"].T + parameters["dense_bias"]
    # Backward.
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    error = powers / powers.sum(axis=1, keepdims=True)
    error[np.arange(len(labels)), labels] -= 1.0
    error /= len(labels)
    result = {"dense": error.T @ features, "dense_bias": error.sum(axis=0)}
    error = _unpool((error @ parameters["dense"]).reshape(pooled2.shape), conv2, pooled2)
    result["conv2"], result["conv2_bias"] = _weight_gradient(seen2, error), error.sum(axis=(0, 1, 2))
    # The gradient of a SAME convolution's input is a SAME convolution with the kernel turned by 180 degrees.
    turned = parameters["conv2"][:, ::-1, ::-1, :].transpose(3, 1, 2, 0)
    error = np.tensordot(windows(error, (3, 3), (1, 1), (1, 1), "SAME"), turned, ([3, 4, 5], [3, 1, 2]))
    error = _unpool(error, conv1, pooled1)
    result["conv1"], result["conv1_bias"] = _weight_gradient(seen1, error), error.sum(axis=(0, 1, 2))
    return result


def _convolve(x: Array, weights: Array, bias: Array) -> tuple[Array, Array]:
    seen = windows(x, (3, 3), (1, 1), (1, 1), "SAME")
    return seen, np.maximum(np.tensordot(seen, weights, ([3, 4, 5], [3, 1, 2])) + bias, 0.0)


def _weight_gradient(seen: Array, error: Array) -> Array:
    return np.tensordot(error, seen, ([0, 1, 2], [0, 1, 2])).transpose(0, 2, 3, 1)


def _quarters(x: Array) -> Array:
    """[batch, height / 2, 2, width / 2, 2, channels]."""
    batch, height, width, channels = x.shape
    return x.reshape(batch, height // 2, 2, width // 2, 2, channels)


def _pool(x: Array) -> Array:
    return np.asarray(_quarters(x).max(axis=(2, 4)))


def _unpool(error: Array, x: Array, pooled: Array) -> Array:
    """The error in front of a 2x2 maximum and the ReLU before it: to the maxima that are above 0."""
    wins = (_quarters(x) == pooled[:, :, None, :, None, :]) & (_quarters(x) > 0.0)
    return np.asarray((wins * error[:, :, None, :, None, :]).reshape(x.shape))


def train(split: Split, seed: int = SEED, epochs: int = _EPOCHS) -> FloatNetwork:
    """AdamW with a cosine schedule, on images some of which are moved by up to one pixel."""
    rng = np.random.RandomState(seed)
    parameters = initial_parameters(rng)
    first = {name: np.zeros_like(value) for name, value in parameters.items()}
    second = {name: np.zeros_like(value) for name, value in parameters.items()}
    batches = len(split.labels) // _BATCH
    for step in range(epochs * batches):
        if step % batches == 0:
            order = rng.permutation(len(split.labels))
        chosen = order[step % batches * _BATCH :][:_BATCH]
        moved = _moved(split.images[chosen], rng)
        rate = _LEARNING_RATE * 0.5 * (1.0 + np.cos(np.pi * step / (epochs * batches)))
        for name, gradient in gradients(parameters, moved, split.labels[chosen]).items():
            first[name] = 0.9 * first[name] + 0.1 * gradient
            second[name] = 0.999 * second[name] + 0.001 * gradient**2
            mean, variance = first[name] / (1.0 - 0.9 ** (step + 1)), second[name] / (1.0 - 0.999 ** (step + 1))
            decay = 0.0 if name.endswith("_bias") else _WEIGHT_DECAY
            parameters[name] = parameters[name] - rate * (mean / (np.sqrt(variance) + 1e-8) + decay * parameters[name])
    return network({name: np.rint(value / _GRID) * _GRID for name, value in parameters.items()})


def _moved(images: Array, rng: np.random.RandomState) -> Array:
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)))
    corners = rng.randint(0, 3, (len(images), 2))
    corners[rng.uniform(size=len(images)) >= _MOVED] = 1
    return np.stack([image[y : y + 8, x : x + 8] for image, (y, x) in zip(padded, corners)])


def network(parameters: Parameters) -> FloatNetwork:
    """The layers with these weights."""
    return FloatNetwork.chain(
        (8, 8, 1),
        [
            Conv2D(parameters["conv1"], parameters["conv1_bias"], activation="RELU"),
            MaxPool2D((2, 2), (2, 2)),
            Conv2D(parameters["conv2"], parameters["conv2_bias"], activation="RELU"),
            MaxPool2D((2, 2), (2, 2)),
            Reshape((64,)),
            FullyConnected(parameters["dense"], parameters["dense_bias"]),
        ],
    )


def arrays(sets: dict[str, Split]) -> dict[str, npt.NDArray[np.generic]]:
    """What goes into digits.npz: int8 images and uint8 labels of every set but the training set."""
    result: dict[str, npt.NDArray[np.generic]] = {}
    for name, split in sets.items():
        if name != "train":
            result[f"{name}_images"] = quantise_values(split.images, INPUT)
            result[f"{name}_labels"] = split.labels.astype(np.uint8)
    return result


def make(sets: dict[str, Split], epochs: int = _EPOCHS) -> tuple[FloatNetwork, bytes]:
    """The trained network and its .tflite."""
    trained = train(sets["train"], epochs=epochs)
    return trained, quantise(trained, sets["calibration"].images, INPUT, description="digits_cnn")


def main() -> None:
    """Train, write the two files, print the accuracy on every set."""
    parser = argparse.ArgumentParser(description="Trains the digits network; writes digits_cnn.tflite and digits.npz.")
    parser.add_argument("--output", type=Path, default=Path(__file__).resolve().parent, help="folder of the two files")
    folder: Path = parser.parse_args().output
    sets = load_sets()
    trained, model = make(sets)
    packed = io.BytesIO()
    np.savez_compressed(packed, **arrays(sets))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "digits_cnn.tflite").write_bytes(model)
    (folder / "digits.npz").write_bytes(packed.getvalue())
    print(f"digits_cnn.tflite: {len(model)} bytes; digits.npz: {len(packed.getvalue())} bytes")
    print("set            images   float    int8")
    for name, split in sets.items():
        real = float_accuracy(trained, split.images, split.labels)
        quantised = int8_accuracy(folder / "digits_cnn.tflite", quantise_values(split.images, INPUT), split.labels)
        print(f"{name:<14} {len(split.labels):>6} {real:>6.2f}% {quantised:>6.2f}%")


if __name__ == "__main__":
    main()
