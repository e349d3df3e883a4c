"""The one way in which files that a user names are read: regular ones only, and no further than a limit; and written.

A device has no end, a pipe may never begin, and what /proc shows as a file may be either. Everything that goes wrong is
an OSError whose `strerror` completes the sentence "the file cannot be read: ...".
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

BLOCK_BYTES = 1 << 20
"""What is hashed at a time."""

KINDS = {
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
}
"""What else may have the name of a file."""


class NotRegularError(OSError):
    """There is something, but no file that could be read from its beginning to its end."""


class TooLargeError(OSError):
    """The file has more bytes than anybody means to read."""


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """A regular file, open for reading.

    Raises FileNotFoundError, IsADirectoryError and NotRegularError for what else the name may stand for, other OSErrors
    as the system does, ValueError for a path that cannot exist (one with a NUL in it).
    """
    _check_kind(path, path.stat())
    # What has the name may have changed by now: without O_NONBLOCK, opening a pipe waits for somebody to write into it.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        _check_kind(path, os.fstat(descriptor))
        stream = os.fdopen(descriptor, "rb")
    except OSError:
        os.close(descriptor)
        raise
    with stream:
        yield stream


def _check_kind(path: Path, status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(status.st_mode):
        kind = KINDS.get(stat.S_IFMT(status.st_mode), "something else")
        raise NotRegularError(errno.EINVAL, f"it is {kind}, not a regular file", str(path))


def read_bytes(path: Path, limit: int) -> bytes:
    """The content of a regular file of at most `limit` bytes. Raises as `opened`, and TooLargeError."""
    with opened(path) as stream:
        # The size is known before anything is read, but no promise: files of /proc say 0.
        size = os.fstat(stream.fileno()).st_size
        content = stream.read(limit + 1) if size <= limit else b""
    if content is None:
        raise NotRegularError(errno.EAGAIN, "it has no content yet", str(path))
    if max(size, len(content)) > limit:
        raise TooLargeError(errno.EFBIG, f"it is larger than {size_text(limit)}", str(path))
    return content


def write_whole(path: Path, content: bytes) -> None:
    """Write a file, in the place of another one perhaps: whoever looks sees the old content or all of the new.

    Behind a link, the file that it names is written. Raises OSError, which names the file; nothing has changed then.
    """
    target = path.resolve()
    draft = target.with_name(f".{target.name}.new")  # one name: what a killed run has left, the next one replaces
    try:
        draft.write_bytes(content)
        if target.exists():
            draft.chmod(stat.S_IMODE(target.stat().st_mode))
        draft.replace(target)
    except BaseException as failure:
        with suppress(OSError):
            draft.unlink()
        if isinstance(failure, OSError):
            raise OSError(failure.errno, failure.strerror, str(path)) from failure
        raise


def sha256_of(path: Path) -> bytes:
    """The sha256 of a regular file, which is read in blocks. Raises as `opened`."""
    digest = hashlib.sha256()
    with opened(path) as stream:
        for block in iter(lambda: stream.read(BLOCK_BYTES), b""):
            digest.update(block)
    return digest.digest()


def size_text(count: int) -> str:
    """Bytes in the largest unit that divides them: "256 KiB", "64 MiB"."""
    for shift, unit in ((30, "GiB"), (20, "MiB"), (10, "KiB")):
        if count >= 1 << shift and count % (1 << shift) == 0:
            return f"{count >> shift} {unit}"
    return f"{count} bytes"


def is_real_folder(path: Path) -> bool:
    """Whether `path` is a folder, and not by a link."""
    return path.is_dir() and not path.is_symlink()
