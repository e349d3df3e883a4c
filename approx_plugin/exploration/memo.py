"""Results of evaluations on disk, by the content that they depend on: an interrupted search goes on where it was."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

from approx_plugin.errors import ProjectError

BoolArray = npt.NDArray[np.bool_]

_DIGEST_BYTES = 32


class Memo:
    """key (hexadecimal sha256) -> bool [images]. One small file each, in `directory`; None keeps nothing.

    A file holds the bits of the array behind a sha256 of the key and the bits. Whatever does not fit (truncated,
    damaged, of another key) counts as absent and is written anew.
    """

    def __init__(self, directory: Path | None) -> None:
        """The directory is made when the first result is stored."""
        self._directory = directory

    @property
    def directory(self) -> Path | None:
        """Where the results are."""
        return self._directory

    def get(self, key: str, images: int) -> BoolArray | None:
        """The result of `images` bits that was stored under `key`, None if there is none that can be trusted."""
        if self._directory is None:
            return None
        try:
            content = (self._directory / key).read_bytes()
        except OSError:
            return None
        digest, bits = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
        if digest != _digest(key, images, bits) or len(bits) != (images + 7) // 8:
            return None
        return np.unpackbits(np.frombuffer(bits, np.uint8), count=images).astype(np.bool_)

    def put(self, key: str, correct: BoolArray) -> None:
        """Store a result; readers see all of it or nothing. Raises ProjectError if the directory cannot be written."""
        if self._directory is None:
            return
        bits = np.packbits(correct).tobytes()
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._directory, prefix=".")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(_digest(key, len(correct), bits) + bits)
                Path(name).replace(self._directory / key)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise ProjectError(
                f"results of the search cannot be stored: {error.strerror}",
                where=self._directory,
                why="they are kept so that an interrupted search can go on where it was",
                hint="make the directory writable, or choose another output directory",
            ) from error


def _digest(key: str, images: int, bits: bytes) -> bytes:
    return hashlib.sha256(f"{key} {images}\n".encode() + bits).digest()
