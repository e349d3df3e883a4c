"""A folder with a good approx.yaml and the files that it names, for the tests of its loading."""

from __future__ import annotations

from pathlib import Path

from approx_plugin.errors import ApproxError, ErrorGroup

TFLITE = b"\x1c\x00\x00\x00TFL3" + bytes(24)
"""The first bytes of a .tflite: the loader looks at no more than its identifier."""

GOOD = """\
# yaml-language-server: $schema=schemas/approx.schema.json
version: 1
model: models/digits_cnn.tflite
board: nucleo-u575zi-q
target:
  max_accuracy_drop: 1.0
data:
  calibration:  {file: models/digits.npz, images: calib, labels: calib_labels, start: 0, count: 200}
  exploration:  {file: models/digits.npz, count: 250}
  confirmation: {file: models/digits.npz, start: 250, count: 250}
method: {name: significance, layers: [conv2d_2, 3], exclude: [conv2d_0]}
search: {seed: 7, evaluations: 60, workers: 2}
kernels: {backend: c, convolution: unpacked}
cmsis_nn: ../CMSIS-NN
project: {name: digits, directory: build/digits, test_vectors: 5}
verify: {images: 30}
"""


def write_folder(folder: Path, text: str | bytes = GOOD) -> Path:
    """approx.yaml with `text`, the model and the data that GOOD names; the path of approx.yaml."""
    models = folder / "models"
    models.mkdir(parents=True, exist_ok=True)
    (models / "digits_cnn.tflite").write_bytes(TFLITE)
    (models / "digits.npz").write_bytes(b"PK\x05\x06" + bytes(18))
    path = folder / "approx.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def changed(old: str, new: str) -> str:
    """GOOD with one place changed."""
    assert GOOD.count(old) == 1, old
    return GOOD.replace(old, new)


def single(error: ApproxError) -> list[ApproxError]:
    """The errors of a group, or the error itself."""
    return list(error.errors) if isinstance(error, ErrorGroup) else [error]
