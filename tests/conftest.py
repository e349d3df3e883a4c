"""What many tests need: the repository's root, the shared material, a CMSIS-NN; compilers that remember."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


SHARED = ROOT.parent / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The shared models and data beside the repository."""
    if not (SHARED / "models").is_dir():
        pytest.skip("needs the shared models and data beside the repository")
    return SHARED


@pytest.fixture(scope="session")
def model_file() -> Callable[[str], Path]:
    """Name of a model -> its .tflite: the repository's, or else one of the shared models."""

    def find(name: str) -> Path:
        places = [folder / "models" / f"{name}.tflite" for folder in (ROOT, SHARED)]
        found = next((place for place in places if place.is_file()), None)
        if found is None:
            pytest.skip(f"needs {name}.tflite among shared models beside the repository")
        return found

    return find


@pytest.fixture(scope="session")
def cmsis_nn() -> Path:
    """The directory of a real CMSIS-NN."""
    named = os.environ.get("CMSIS_NN_PATH", "")
    if not named:
        pytest.skip("needs CMSIS_NN_PATH, the directory of a CMSIS-NN")
    return Path(named)


REMEMBERED = ("arm-none-eabi-gcc", "gcc", "cc")
"""Compilers that go through ccache where there is one: a hundred tests build the same project."""

_LINKS = "APPROX_TESTS_CCACHE"


def pytest_configure(config: pytest.Config) -> None:
    """Put links to ccache before the compilers on the path, for this process and those that it starts.

    A suite that was started in the background may ignore Ctrl-C and hang-ups, and so would the programs that are to be
    interrupted in tests.
    """
    for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, usual)
    program = shutil.which("ccache")
    if program is None or _LINKS in os.environ:
        return
    folder = Path(tempfile.mkdtemp(prefix="approx-tests-"))
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
    for name in REMEMBERED:
        found = shutil.which(name)
        if found is not None:
            (folder / name).symlink_to(program)
            _link_siblings(folder, Path(found))
    os.environ[_LINKS] = str(folder)
    os.environ["PATH"] = f"{folder}{os.pathsep}{os.environ['PATH']}"


def _link_siblings(folder: Path, compiler: Path) -> None:
    """The other tools of a cross compiler, which the tool looks for beside it."""
    prefix, _, last = compiler.name.rpartition("-")
    if not prefix:
        return
    for tool in compiler.parent.glob(f"{prefix}-*"):
        if tool.name != f"{prefix}-{last}" and not (folder / tool.name).exists():
            (folder / tool.name).symlink_to(tool)


def pytest_addoption(parser: pytest.Parser) -> None:
    """The switch for golden files."""
    parser.addoption("--accept-golden", action="store_true", help="write the golden files of generated code anew")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[Path, str], None]:
    """golden(file, text): the text has to be the file's; with --accept-golden it becomes so."""

    def check(file: Path, text: str) -> None:
        if request.config.getoption("--accept-golden"):
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)
        assert file.is_file(), f"{file} is missing: run pytest with --accept-golden, and read what it writes"
        assert text == file.read_text(), f"{file} differs: see --accept-golden"

    return check
