"""One crash: what it leaves, and whether the next run mends it."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from digits_project import environment, tree

from tests.crashes import shim
from tests.crashes.scenario import USERS, Scenario, change, put_inputs
from tests.crashes.shim import Crash

OURS = (".approx_cache", "site_scons", ".sconsign.dblite")
"""Beside the spec, and no comparison looks into them: they may hold whatever a run has left."""

GRACE = 20.0
"""Seconds in which helpers of a tool that was killed have to notice it."""


@dataclass(frozen=True)
class Ended:
    """status: of the tool, negative for a signal; left: processes that had not ended when it had."""

    status: int
    said: str
    operations: int
    left: tuple[str, ...]


@dataclass
class Stand:
    """Where scenarios run, each in the same folder every time. library: the shim's."""

    folder: Path
    library: Path
    path: str
    counts: dict[str, int] = field(default_factory=dict)
    after: dict[str, Mapping[str, bytes]] = field(default_factory=dict)

    @property
    def work(self) -> Path:
        """The user's folder."""
        return self.folder / "work"

    def prepare(self, name: str, scenario: Scenario) -> None:
        """The folder as it is before the crash; made once for each scenario, then copied."""
        template = self.folder / f"template {name}"
        if not template.exists():
            self._fresh(None)
            put_inputs(self.work, scenario)
            for command in scenario.prepare:
                done = self.run(command, scenario, Crash())
                assert done.status == 0, done.said
            change(self.work, scenario)
            shutil.copytree(self.work, template, symlinks=True)
        self._fresh(template)

    def _fresh(self, template: Path | None) -> None:
        if self.work.exists():
            shutil.rmtree(self.work)
        if template is None:
            self.work.mkdir(parents=True)
        else:
            # With times: the tool takes files for changed by their content, compilers' helpers may not.
            shutil.copytree(template, self.work, symlinks=True)

    def unharmed(self, name: str, scenario: Scenario) -> int:
        """How many operations the verb has; and what is there when it was let alone, see `after`."""
        if name not in self.counts:
            self.prepare(name, scenario)
            done = self.run(scenario.run, scenario, Crash())
            assert done.status == 0, done.said
            self.counts[name], self.after[name] = done.operations, users_view(self.work)
        return self.counts[name]

    def run(self, command: Sequence[str], scenario: Scenario, crash: Crash) -> Ended:
        """A command in the user's folder, with a crash."""
        state, token = self.folder / "state", uuid.uuid4().hex
        crash.start(state)
        own = {"CRASH_STATE": str(state), "CRASH_FOLDER": str(self.work), "CRASH_TOKEN": token}
        path = self.path if scenario.compilers else "/nowhere"
        env = environment(LD_PRELOAD=str(self.library), PATH=path, HOME=str(self.folder / "home"), **own)
        # A session of its own: Ctrl-C reaches the tool's whole group, as from a terminal, and not us.
        options: dict[str, Any] = {"text": True, "errors": "replace", "start_new_session": True}
        with subprocess.Popen(
            list(command), cwd=self.work, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options
        ) as process:
            shim.set_root(state, process.pid)
            said, _ = process.communicate(timeout=900)
        left = _left(token, patient=crash.action == "kill")
        return Ended(process.returncode, said, shim.count(state), left)


def users_view(folder: Path) -> dict[str, bytes]:
    """Every file but those of the tool's own folders."""
    return {path: content for path, content in tree(folder).items() if path.split("/")[0] not in OURS}


def examine(stand: Stand, name: str, scenario: Scenario, crash: Crash) -> list[str]:
    """What is wrong after a crash; empty if nothing is."""
    stand.prepare(name, scenario)
    before = users_view(stand.work)
    ended = stand.run(scenario.run, scenario, crash)
    faults = [f"still runs: {program}" for program in ended.left]
    if "Traceback (most recent call last)" in ended.said:
        faults.append("a traceback")
    if ended.status not in (0, 1, 2, 130, 143, -2, -9, -15):
        faults.append(f"status {ended.status}")
    faults += _lost(stand.work, scenario, "right after the crash", before)
    again = stand.run(scenario.again, scenario, Crash())
    if again.status != 0:
        faults.append(f"the next run ends with {again.status}: {again.said[-1500:]}")
    else:
        found = users_view(stand.work)
        wanted = stand.after[name]
        differing = sorted(path for path in {*found, *wanted} if found.get(path) != wanted.get(path))
        if differing:
            faults.append(f"after the next run {len(differing)} files are not as without the crash: {differing[:5]}")
        if again.left:
            faults.append(f"the next run leaves {again.left}")
    faults += _lost(stand.work, scenario, "after the next run", before)
    if faults:
        faults.append(f"it said: {ended.said[-1500:]}")
    return faults


def _lost(folder: Path, scenario: Scenario, when: str, before: Mapping[str, bytes]) -> list[str]:
    """The user's files that are not what they were, the inputs among them."""
    kept = [*(USERS if scenario.users else ()), "approx.yaml", "net.tflite", "SConstruct"]
    return [
        f"{path} is lost or changed {when}"
        for path in kept
        if not (folder / path).is_file() or (folder / path).read_bytes() != before[path]
    ]


def _left(token: str, patient: bool) -> tuple[str, ...]:
    """Compilers and emulators that still run; Python's helpers only if they do not end by themselves."""
    end = time.monotonic() + GRACE
    while True:
        alive = _carrying(token)
        programs = [name for name in alive if not name.startswith("python")]
        if programs and not patient:
            return tuple(programs)
        if not alive or time.monotonic() > end:
            return tuple(alive)
        time.sleep(0.05)


def _carrying(token: str) -> list[str]:
    """Names of processes with the token in their environment; zombies have none."""
    found = []
    for process in Path("/proc").iterdir():
        if not process.name.isdigit() or int(process.name) == os.getpid():
            continue
        try:
            if token.encode() in (process / "environ").read_bytes():
                found.append((process / "comm").read_text(encoding="utf-8", errors="replace").strip())
        except OSError:
            continue
    return found
