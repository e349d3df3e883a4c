"""Where the arrays of a data set are: an .npz file, or a folder of pictures."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Union

import numpy as np
import numpy.typing as npt
from numpy.lib.npyio import NpzFile

from approx_plugin.documents.wording import did_you_mean, enumeration
from approx_plugin.files import opened, size_text
from approx_plugin.model.tensor import Tensor
from approx_plugin.pictures import PictureError, Pictures, read_pictures
from approx_plugin.spec.spec import DataSource

Array = npt.NDArray[Any]
Archive = Union[NpzFile, Pictures]

MAX_ARRAY_BYTES = 1 << 32
"""Of an array, unpacked: a set takes twice as much memory, and a few thousand images settle what three sets are for."""


class MistakeError(Exception):
    """A mistake of a set: `field` says which key of approx.yaml is to be mended."""

    def __init__(self, field: str, what: str, why: str = "", hint: str = "") -> None:
        """See the class; the others are as of ApproxError."""
        super().__init__(what)
        self.field, self.what, self.why, self.hint = field, what, why, hint


def open_source(source: DataSource, tensors: Sequence[Tensor], stack: ExitStack) -> Archive:
    """The arrays of a set. tensors: the network's inputs, for whose one pictures are made. Raises MistakeError."""
    if not source.file.is_dir():
        return open_archive(source.file, stack)
    if len(tensors) != 1 or len(tensors[0].shape) != 4:
        raise MistakeError("file", "pictures are for networks with one input of height, width and channels")
    try:
        return read_pictures(source.file, tensors[0].shape[1:], source.start, source.count)
    except PictureError as error:
        raise MistakeError("file", error.what, error.why, error.hint) from None


def has_classes(archive: Archive, key: str) -> bool:
    """Whether there is an array of whole numbers of that name: one that cannot be read is told where it is read."""
    if not isinstance(archive, NpzFile):
        return True
    if key not in archive.files:
        return False
    try:
        return bool(archive[key].dtype.kind in "iu")
    except Exception:
        return True


def open_archive(file: Path, stack: ExitStack) -> NpzFile:
    """An .npz file, nothing read yet; `stack` closes it. Raises MistakeError."""
    hint = "write it again with numpy.savez_compressed(file, images=..., labels=...)"
    try:
        stream = stack.enter_context(opened(file))
        if not zipfile.is_zipfile(stream):
            stream.seek(0)
            head = stream.read(6)
            if head.startswith(b"PK"):
                raise MistakeError("file", f"{file.name} is damaged", "the end of the archive is missing", hint)
            why = "it holds a single array (.npy)" if head == b"\x93NUMPY" else "it is no zip archive"
            raise MistakeError("file", f"{file.name} is no .npz file", why, hint)
        stream.seek(0)
        archive = np.load(stream, allow_pickle=False)
    except MistakeError:
        raise
    except Exception as error:  # beside the obvious ones NotImplementedError and others, for a damaged directory
        raise MistakeError("file", f"{file.name} cannot be read", str(error), hint) from None
    assert isinstance(archive, NpzFile)
    stack.enter_context(archive)
    return archive


def read_array(archive: Archive, file: Path, field: str, key: str) -> Array:
    """One array of the archive, whole. Raises MistakeError."""
    if not isinstance(archive, NpzFile):
        return archive.arrays[field]
    if key not in archive.files:
        hint = did_you_mean(key, archive.files)
        if not hint:
            hint = f"its arrays are {enumeration(archive.files, 'and')}" if archive.files else "it is empty"
        raise MistakeError(field, f"{file.name} has no array '{key}'", hint=hint)
    size = max(entry.file_size for entry in archive.zip.infolist() if entry.filename in (key, f"{key}.npy"))
    if size > MAX_ARRAY_BYTES:
        what = f"the array '{key}' of {file.name} has {size:,} bytes, but {size_text(MAX_ARRAY_BYTES)} is the most"
        raise MistakeError(field, what, hint="store fewer images, or pixels as uint8")
    try:
        array = archive[key]
    except Exception as error:  # zlib, zipfile and numpy raise more than a dozen kinds for damaged archives
        if "allow_pickle" in str(error):
            why, hint = "it holds Python objects, which are not loaded", "store numbers: an array with one dtype"
        else:
            why, hint = f"{type(error).__name__}: {error}", "the file is damaged; make or copy it again"
        raise MistakeError(field, f"the array '{key}' of {file.name} cannot be read", why, hint) from None
    if not isinstance(array, np.ndarray):
        raise MistakeError(field, f"'{key}' in {file.name} is no array", hint="write it with numpy.savez_compressed")
    return array
