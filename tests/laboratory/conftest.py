"""What the laboratory's tests need: a compiler, an emulator, and folders whose objects several of them share."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from approx_plugin.build.toolchain import COMPILER


@pytest.fixture(scope="session")
def objects(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder below which firmware can be made."""
    pytest.importorskip("unicorn")
    if shutil.which(COMPILER) is None:
        pytest.skip(f"needs {COMPILER}")
    return tmp_path_factory.mktemp("laboratory")
