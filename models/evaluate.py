"""Accuracy of a network, in real numbers and as the int8 file that came out of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from float_network import Array, FloatNetwork

from approx_plugin.dataset import Dataset
from approx_plugin.reference.executor import accuracy
from approx_plugin.tflite.reader import read_graph


def float_accuracy(network: FloatNetwork, images: Array, labels: npt.NDArray[Any]) -> float:
    """Top-1 accuracy in percent on real images [count, height, width, channels]."""
    return 100.0 * float(np.mean(network.predict(images).argmax(axis=-1).ravel() == labels))


def int8_accuracy(model: Path, images: npt.NDArray[np.int8], labels: npt.NDArray[Any]) -> float:
    """Top-1 accuracy in percent of a .tflite on int8 images, by the integer reference."""
    return accuracy(read_graph(model), Dataset(model.stem, images, labels.astype(np.int64)))
