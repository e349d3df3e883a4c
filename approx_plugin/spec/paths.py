"""Paths of approx.yaml: relative to its folder, absolute in the Spec; and what can be wrong with the files."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import NamedTuple

from approx_plugin.files import NotRegularError, opened

NAME_LENGTH = 100
"""Of a project: `maxLength` of the schema."""


class Problem(NamedTuple):
    """What is wrong with a file, why that is wrong, and what to do."""

    what: str
    why: str
    hint: str


FOREIGN = {
    b"\x89HDF": Problem("is a Keras or HDF5 file", "", "convert it with tf.lite.TFLiteConverter to an int8 .tflite"),
    b"PK\x03\x04": Problem("is a zip file (.keras, .npz, ...)", "", "give the int8 .tflite itself"),
    b"version https://git-lfs": Problem("is a Git LFS pointer, not the model itself", "", "run: git lfs pull"),
}
"""By their first bytes: what people give instead of a .tflite."""


def absolute_file(folder: Path, text: str) -> Path:
    """A file's path; its folder is resolved, but not its last name: the model's name names the network."""
    joined = folder / text
    return resolved(joined.parent) / joined.name if joined.name != ".." else resolved(joined)


def resolved(path: Path) -> Path:
    """The path without symbolic links and `..`; as it is where they go in circles (it does not exist then)."""
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        return path


def project_name(model: Path) -> str:
    """The project's default name: the model's file name as far as it can name a project of the IDE: "1d_cnn" gives
    "network_1d_cnn", as for the network in C.
    """
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", model.stem).strip("_-")
    if not name[:1].isalpha():
        name = f"network_{name}" if name else "network"
    return name[:NAME_LENGTH]


def occupied(directory: Path) -> bool:
    """Whether something that is no directory has this name already."""
    try:
        return directory.exists() and not directory.is_dir()
    except OSError:
        return False


def file_problem(folder: Path, text: str) -> Problem | None:
    """Whether a file that approx.yaml names is no readable file."""
    path = absolute_file(folder, text)
    why = f"paths are relative to the folder of approx.yaml, {folder}"
    try:
        with opened(path) as stream:
            stream.read(1)  # some files of /proc can be opened, but not read
    except IsADirectoryError:
        return Problem(f"'{text}' is a directory, but has to be a file", "", _suggestion(text, path))
    except FileNotFoundError:
        return Problem(f"there is no file '{text}'", why, _suggestion(text, path))
    except NotRegularError as error:
        return Problem(f"'{text}' cannot be read: {error.strerror}", "", "name a file on a disk")
    except (OSError, ValueError) as error:
        return Problem(f"'{text}' cannot be read: {getattr(error, 'strerror', None) or error}", why, "check the path")
    return None


def model_problem(folder: Path, text: str) -> Problem | None:
    """Whether a model is no .tflite: those have the identifier TFL3 in bytes 4 to 7 (schema.fbs of TensorFlow Lite)."""
    missing = file_problem(folder, text)
    if missing:
        return missing
    with opened(absolute_file(folder, text)) as file:
        head = file.read(32)
    if head[4:8] == b"TFL3":
        return None
    for start, problem in FOREIGN.items():
        if head.startswith(start):
            return problem._replace(what=f"'{text}' {problem.what}")
    found = "it is empty" if not head else "bytes 4 to 7 are not 'TFL3'"
    return Problem(f"'{text}' is no .tflite file", found, "give an int8 model in TensorFlow Lite's format")


def _suggestion(text: str, path: Path) -> str:
    """Which file was meant: the nearest name in the same folder."""
    if "\\" in text:
        return "write / between folders instead of \\"
    if text.startswith("~"):
        return "write the path out; ~ is not expanded here"
    folder = path if path.is_dir() else path.parent
    try:
        names = sorted(entry.name for entry in folder.iterdir() if entry.is_file())
    except OSError:
        return f"the folder {folder} does not exist; check the path"
    near = difflib.get_close_matches(path.name, names, n=1)
    return f"Did you mean '{near[0]}'?" if near else "check the path"
