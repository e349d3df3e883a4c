"""Files that a user names: regular ones are read up to a limit, everything else is an OSError that says what it is."""

from __future__ import annotations

import errno
import hashlib
import os
import socket
import stat
from pathlib import Path

import pytest
from failing_disk import Disk

from approx_plugin import files
from approx_plugin.files import NotRegularError, TooLargeError, opened, read_bytes, sha256_of, size_text, write_whole


def reason(path: Path, limit: int = 100) -> str:
    with pytest.raises(OSError) as caught:
        read_bytes(path, limit)
    return str(caught.value.strerror)


def test_a_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    file = tmp_path / "file"
    for content in (b"", b"x" * 99, b"x" * 100):
        file.write_bytes(content)
        assert read_bytes(file, 100) == content
    file.write_bytes(b"x" * 101)
    with pytest.raises(TooLargeError):
        read_bytes(file, 100)
    assert reason(file) == "it is larger than 100 bytes"


def test_nothing_of_a_file_that_is_too_large_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sparse file of a terabyte: it would not fit into any memory."""
    file = tmp_path / "file"
    with file.open("wb") as stream:
        stream.truncate(1 << 40)
    assert reason(file, 1 << 28) == "it is larger than 256 MiB"


def test_what_says_that_it_is_empty_is_read_no_further_than_the_limit() -> None:
    file = Path("/proc/self/maps")
    if not file.exists() or file.stat().st_size:
        pytest.skip("needs /proc")
    assert len(read_bytes(file, 1 << 20)) > 0
    assert reason(file, 10) == "it is larger than 10 bytes"


def test_a_link_to_a_file_is_the_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "link").symlink_to("file")
    assert read_bytes(tmp_path / "link", 100) == b"content"


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/random", "/dev/null", "/dev/tty"])
def test_a_device_is_never_opened(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if not Path(device).exists():
        pytest.skip(f"needs {device}")
    monkeypatch.setattr(os, "open", lambda *_: pytest.fail("it was opened"))
    assert reason(Path(device)) == "it is a device, not a regular file"


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert reason(tmp_path / "pipe") == "it is a pipe, not a regular file"


def test_a_pipe_that_takes_the_place_of_a_file_is_not_waited_for_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at what it is and its opening."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").write_bytes(b"content")
    was = os.stat_result((tmp_path / "file").stat())
    monkeypatch.setattr(Path, "stat", lambda self: was)
    assert reason(tmp_path / "pipe") == "it is a pipe, not a regular file"


def test_a_socket_is_none(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(tmp_path / "s"))
        assert reason(tmp_path / "s") == "it is a socket, not a regular file"


def test_directories_and_missing_files_are_told_as_the_system_tells_them(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        read_bytes(tmp_path, 100)
    with pytest.raises(FileNotFoundError):
        read_bytes(tmp_path / "nothing", 100)
    with pytest.raises(ValueError, match="null"):
        read_bytes(Path("a\0b"), 100)


def test_memory_of_the_process_is_no_text() -> None:
    file = Path("/proc/self/mem")
    if not file.exists():
        pytest.skip("needs /proc")
    assert reason(file, 1 << 20)


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    folder = Path("/proc/self/fd")
    if not folder.exists():
        pytest.skip("needs /proc")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").write_bytes(b"x" * 200)
    before = len(list(folder.iterdir()))
    for name in ("pipe", "file", "nothing", "."):
        reason(tmp_path / name)
    with opened(tmp_path / "file") as stream:
        assert stream.read(1) == b"x"
    assert len(list(folder.iterdir())) == before


def test_a_file_is_hashed_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "BLOCK_BYTES", 7)
    for content in (b"", b"1234567", b"content of more than one block"):
        (tmp_path / "file").write_bytes(content)
        assert sha256_of(tmp_path / "file") == hashlib.sha256(content).digest()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(NotRegularError):
        sha256_of(tmp_path / "pipe")


@pytest.mark.parametrize(
    ("count", "text"),
    [(1, "1 bytes"), (1000, "1000 bytes"), (1 << 18, "256 KiB"), (3 << 20, "3 MiB"), (1 << 32, "4 GiB")],
)
def test_sizes_in_words(count: int, text: str) -> None:
    assert size_text(count) == text


def test_every_kind_of_special_file_has_a_name() -> None:
    assert set(files.KINDS) == {stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK}


# ---- writing


@pytest.mark.parametrize("before", [None, b"old"])
def test_a_file_is_whole_or_as_it_was(before: bytes | None, tmp_path: Path) -> None:
    """Whichever operation fails, whatever fails it."""
    path = tmp_path / "approx.yaml"
    for error in (None, KeyboardInterrupt()):
        for at in range(1, 4):
            path.unlink(missing_ok=True)
            if before is not None:
                path.write_bytes(before)
            with Disk(tmp_path, fail_at=at, error=error):
                try:
                    write_whole(path, b"new")
                except OSError as failure:
                    assert failure.filename == str(path) and failure.errno == errno.ENOSPC
                except KeyboardInterrupt:
                    pass
            content = path.read_bytes() if path.exists() else None
            assert content in (before, b"new")
            assert set(tmp_path.iterdir()) <= {path}
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"


def test_a_link_stays_and_so_do_permissions(tmp_path: Path) -> None:
    path, link = tmp_path / "real", tmp_path / "link"
    path.write_bytes(b"old")
    path.chmod(0o640)
    link.symlink_to(path)
    write_whole(link, b"new")
    assert link.is_symlink() and path.read_bytes() == b"new" and path.stat().st_mode & 0o777 == 0o640
