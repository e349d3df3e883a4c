"""The virtual board's library for the tests of this room, in a cache folder of their own."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator

import pytest

from approx_plugin.virtual_board.library import load


@pytest.fixture(scope="session")
def native(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ctypes.CDLL]:
    """The cycle model's C functions."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield load()
