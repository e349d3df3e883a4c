"""The crash campaign: a few points of it, and whether it notices what is lost and what is left."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.crashes import shim
from tests.crashes.point import Stand, examine
from tests.crashes.scenario import SCENARIOS, Scenario
from tests.crashes.shim import Crash

CLEAN = SCENARIOS["clean"]
SMALL = SCENARIOS["generate, no compiler"]


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    folder = tmp_path_factory.mktemp("crashes")
    library = shim.build(folder)
    if library is None or not sys.platform.startswith("linux"):
        pytest.skip("needs gcc and Linux, for the library that counts operations")
    yield Stand(folder, library, os.environ["PATH"])


@pytest.mark.parametrize(
    ("action", "share"), [("kill", 0.6), ("Ctrl-C", 0.4), ("full disk", 0.5), ("read-only disk", 0.8)]
)
def test_the_next_run_mends_it(action: str, share: float, stand: Stand) -> None:
    name = "generate, no compiler"
    operations = stand.unharmed(name, SMALL)
    assert operations > 50
    assert examine(stand, name, SMALL, Crash(action, int(operations * share))) == []


def planted(script: str, again: str = "pass") -> Scenario:
    """A tool of a few lines."""
    run, following = (sys.executable, "-c", script), (sys.executable, "-c", again)
    return replace(SMALL, run=run, again=following, users=True)


WRITES = "open('out/made.txt', 'w').write('whole'); "


def test_what_is_lost_is_told(stand: Stand) -> None:
    scenario = planted("import os; os.remove('out/mine.txt'); " + WRITES)
    stand.unharmed("loses", scenario)
    faults = examine(stand, "loses", scenario, Crash("full disk", 2))
    assert any("out/mine.txt is lost or changed right after the crash" in fault for fault in faults)
    assert any("a traceback" in fault for fault in faults)


def test_what_is_half_made_is_told(stand: Stand) -> None:
    scenario = planted(WRITES)
    stand.unharmed("half", scenario)
    faults = examine(stand, "half", scenario, Crash("kill", 1))
    assert any("1 files are not as without the crash: ['out/made.txt']" in fault for fault in faults)


def test_what_still_runs_is_told(stand: Stand) -> None:
    """A program; helpers in Python, which notice the end of the tool a moment later, get that moment."""
    sleeping = f"subprocess.Popen([{shutil.which('sleep')!r}, '3'], start_new_session=True, stdout=-3, stderr=-3)"
    scenario = planted(f"import subprocess; {sleeping}; {WRITES}", WRITES)
    stand.unharmed("leaves", scenario)
    faults = examine(stand, "leaves", scenario, Crash("Ctrl-C", 1))
    assert any("still runs: sleep" in fault for fault in faults)
