"""Stored results: whole, or not there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from approx_plugin.errors import ProjectError
from approx_plugin.exploration.memo import Memo

KEY = "0" * 64


@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_what_is_stored_comes_back(tmp_path_factory: pytest.TempPathFactory, bits: list[bool]) -> None:
    memo = Memo(tmp_path_factory.mktemp("memo") / "deeper")
    memo.put(KEY, np.array(bits))
    found = memo.get(KEY, len(bits))
    assert found is not None and found.dtype == np.bool_ and found.tolist() == bits
    assert memo.get("1" * 64, len(bits)) is None


@pytest.mark.parametrize("kind", ["empty", "truncated", "longer", "flipped", "another key", "another count"])
def test_damaged_files_count_as_absent_and_are_written_anew(tmp_path: Path, kind: str) -> None:
    memo = Memo(tmp_path)
    bits = np.arange(21) % 3 == 0
    memo.put(KEY, bits)
    file = tmp_path / KEY
    content = bytearray(file.read_bytes())
    images = 21
    if kind == "empty":
        file.write_bytes(b"")
    elif kind == "truncated":
        file.write_bytes(content[:-1])
    elif kind == "longer":
        file.write_bytes(bytes(content) + b"x")
    elif kind == "flipped":
        content[-1] ^= 0x10
        file.write_bytes(content)
    elif kind == "another key":
        memo.put("1" * 64, bits)
        file.write_bytes((tmp_path / ("1" * 64)).read_bytes())
    else:
        images = 22
    assert memo.get(KEY, images) is None
    memo.put(KEY, bits)
    found = memo.get(KEY, 21)
    assert found is not None and found.tolist() == bits.tolist()


def test_a_folder_in_the_place_of_a_result_is_a_message(tmp_path: Path) -> None:
    memo = Memo(tmp_path)
    (tmp_path / KEY).mkdir()
    assert memo.get(KEY, 1) is None
    with pytest.raises(ProjectError, match="cannot be stored"):
        memo.put(KEY, np.array([True]))
    assert [path.name for path in tmp_path.iterdir()] == [KEY]


def test_no_files_are_left_beside_the_results(tmp_path: Path) -> None:
    memo = Memo(tmp_path)
    memo.put(KEY, np.array([True]))
    memo.put(KEY, np.array([True]))
    assert [path.name for path in tmp_path.iterdir()] == [KEY]


def test_without_a_directory_nothing_is_kept() -> None:
    memo = Memo(None)
    memo.put(KEY, np.array([True]))
    assert memo.get(KEY, 1) is None


def test_a_directory_that_cannot_be_made_is_a_message(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ProjectError, match="cannot be stored") as caught:
        Memo(tmp_path / "file").put(KEY, np.array([True]))
    assert caught.value.hint
