"""Turns the public CIFAR-10 archive into the .npz files that the examples and train_cifar10.py read.

    python models/prepare_cifar10.py cifar-10-python.tar.gz --output examples/cifar10_data

Download the archive (the "python version", 163 MB) from https://www.cs.toronto.edu/~kriz/cifar.html; it need not be
unpacked. Written are, with `images` uint8 [count, 32, 32, 3] and `labels` uint8 [count]:

    cifar10_train.npz         all 50000 training images
    cifar10_calibration.npz   the first 200 training images of every class
    cifar10_exploration.npz   test images 0 to 2999
    cifar10_confirmation.npz  test images 3000 to 5999

Images stay in the archive's order, so that any beginning of a file is close to balanced.
"""

from __future__ import annotations

import argparse
import io
import pickle
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from approx_plugin.errors import ApproxError, DataError

CLASSES = 10
_FOLDER = "cifar-10-batches-py"
_HINT = "download cifar-10-python.tar.gz again from https://www.cs.toronto.edu/~kriz/cifar.html"
_NEEDED_BY_ARRAYS = {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("_codecs", "encode"),
}


@dataclass(frozen=True)
class Sizes:
    """How many images there are and where they go.

    batch:       images in each of the archive's six files (five for training, one for testing).
    calibration: training images of every class that calibrate.
    exploration: test images from the first on; confirmation: behind them.
    """

    batch: int = 10000
    calibration: int = 200
    exploration: int = 3000
    confirmation: int = 3000


@dataclass(frozen=True, eq=False)
class Images:
    """images: uint8 [count, 32, 32, 3]; labels: uint8 [count]."""

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.uint8]

    def pick(self, chosen: slice | npt.NDArray[np.int64]) -> Images:
        """Some of them."""
        return Images(self.images[chosen], self.labels[chosen])


class _ArrayUnpickler(pickle.Unpickler):
    """The archive's files are pickles, and a pickle may name any function to call: only arrays are let through."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _NEEDED_BY_ARRAYS:
            raise pickle.UnpicklingError(f"{module}.{name} has no business in an array")
        return super().find_class(module, name)


def read_archive(path: Path, sizes: Sizes) -> tuple[Images, Images]:
    """Training and test images of cifar-10-python.tar.gz. Raises DataError."""
    try:
        with tarfile.open(path) as archive:
            batches = [_read_batch(archive, f"data_batch_{number}", path, sizes) for number in range(1, 6)]
            test = _read_batch(archive, "test_batch", path, sizes)
    except FileNotFoundError:
        raise DataError("there is no such file", where=path, hint=_HINT) from None
    except (tarfile.TarError, EOFError, OSError) as error:
        raise DataError(f"this is no readable tar archive: {error}", where=path, hint=_HINT) from error
    training = Images(np.concatenate([b.images for b in batches]), np.concatenate([b.labels for b in batches]))
    return training, test


def _read_batch(archive: tarfile.TarFile, name: str, path: Path, sizes: Sizes) -> Images:
    try:
        member = archive.extractfile(f"{_FOLDER}/{name}")
    except KeyError:
        member = None
    if member is None:
        raise DataError(
            f"the archive has no file {_FOLDER}/{name}",
            where=path,
            why="the python version of CIFAR-10 has it; the binary and Matlab versions, and CIFAR-100, do not",
            hint=_HINT,
        )
    try:
        content = _ArrayUnpickler(io.BytesIO(member.read()), encoding="bytes").load()
        pixels, labels = np.asarray(content[b"data"]), np.asarray(content[b"labels"])
    except (pickle.UnpicklingError, KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise DataError(f"{name} cannot be read: {error}", where=path, hint=_HINT) from error
    expected = (sizes.batch, 3 * 32 * 32)
    if pixels.shape != expected or pixels.dtype != np.uint8 or labels.shape != expected[:1]:
        what = f"{name} has data {pixels.dtype} {pixels.shape} and labels {labels.shape}"
        why = f"expected are uint8 {expected} and {expected[:1]}"
        raise DataError(what, where=path, why=why, hint=_HINT)
    if labels.min() < 0 or labels.max() >= CLASSES:
        what = f"{name} has labels from {labels.min()} to {labels.max()}"
        raise DataError(what, where=path, why="CIFAR-10 has the classes 0 to 9", hint=_HINT)
    # An image is stored as its red plane, its green plane and its blue plane.
    planes = pixels.reshape(-1, 3, 32, 32)
    return Images(np.ascontiguousarray(planes.transpose(0, 2, 3, 1)), labels.astype(np.uint8))


def split(training: Images, test: Images, sizes: Sizes) -> dict[str, Images]:
    """The sets by the names of their files. Raises DataError if there are too few images."""
    wanted = sizes.exploration + sizes.confirmation
    if len(test.labels) < wanted:
        raise DataError(f"there are {len(test.labels)} test images", why=f"{wanted} are needed", hint=_HINT)
    chosen = []
    for number in range(CLASSES):
        found = np.flatnonzero(training.labels == number)[: sizes.calibration]
        if len(found) < sizes.calibration:
            what = f"class {number} has {len(found)} training images"
            raise DataError(what, why=f"{sizes.calibration} are needed", hint=_HINT)
        chosen.append(found)
    return {
        "cifar10_train": training,
        "cifar10_calibration": training.pick(np.sort(np.concatenate(chosen))),
        "cifar10_exploration": test.pick(slice(0, sizes.exploration)),
        "cifar10_confirmation": test.pick(slice(sizes.exploration, wanted)),
    }


def main(arguments: list[str] | None = None, sizes: Sizes | None = None) -> int:
    """Read everything, then write everything. Returns the exit status: 0, or 2 for a mistake of the user."""
    parser = argparse.ArgumentParser(description="Turns cifar-10-python.tar.gz into the .npz files of the examples.")
    parser.add_argument("archive", type=Path, help="cifar-10-python.tar.gz as it was downloaded")
    parser.add_argument(
        "--output",
        type=Path,
        default=Path(__file__).resolve().parent.parent / "examples" / "cifar10_data",
        help="folder of the .npz files (default: examples/cifar10_data)",
    )
    options = parser.parse_args(arguments)
    sizes = sizes or Sizes()
    try:
        _write(split(*read_archive(options.archive, sizes), sizes), options.output)
    except ApproxError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _write(sets: dict[str, Images], folder: Path) -> None:
    """One .npz a set, each of which appears under its name only when it is complete. Raises DataError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, images in sets.items():
            path, part = folder / f"{name}.npz", folder / f"{name}.npz.part"
            with part.open("wb") as file:
                np.savez_compressed(file, images=images.images, labels=images.labels)
            part.replace(path)
            print(f"{path}: {len(images.labels)} images")
    except OSError as error:
        raise DataError(f"the files cannot be written: {error.strerror}", where=folder) from error


if __name__ == "__main__":
    raise SystemExit(main())
