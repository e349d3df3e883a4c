"""cmsis-pack-manager from outside: started in a process of its own, watched, and ended when nothing happens any more.

It says nothing about a server that does not answer or a file that is not there, waits for ever on some input, and
crashes on some other (its 0.6.0). So the only thing that is believed is what lies on disk afterwards; `fetch` looks.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotDone
from pathlib import Path

from approx_plugin.errors import ToolError
from approx_plugin.packs.store import Reference, Store
from approx_plugin.packs.worker import MISSING
from approx_plugin.process import Outcome, Processes

PATIENCE = "APPROX_PACKS_PATIENCE"
SECONDS = 180.0
"""How long nothing may arrive before the fetching is given up, where $APPROX_PACKS_PATIENCE names no other time."""

POLL = 0.25
LOCAL = "127.0.0.1,localhost"
"""Never through a proxy: an index on this computer is nobody else's business."""


def manage(store: Store, index: str, packs: Sequence[Reference] = ()) -> str:
    """Fetch descriptions of an index, or these packs. What went wrong in words, "" for nothing that shows.

    Raises ToolError where cmsis-pack-manager is not installed.
    """
    order = {"root": str(store.root), "index": index, "packs": [[p.vendor, p.name, p.version] for p in packs]}
    command = [sys.executable, "-m", "approx_plugin.packs.worker", json.dumps(order)]
    outcome = _watched(command, store.data, patience())
    if outcome is None:
        return f"cmsis-pack-manager was ended: nothing had arrived for {patience():g} s"
    if outcome.status == MISSING:
        raise ToolError(
            "the Python package cmsis-pack-manager is missing: packs cannot be fetched",
            hint="pip install 'approx-plugin[packs]', or do without fetching: name a .pack or .pdsc by its path",
        )
    if outcome.status != 0:
        last = outcome.output.strip().splitlines()[-1:] or ["it said nothing"]
        return f"cmsis-pack-manager crashed (status {outcome.status}): {last[0][:200]}"
    return ""


def patience() -> float:
    """Seconds."""
    try:
        return max(0.1, float(os.environ.get(PATIENCE, "")))
    except ValueError:
        return SECONDS


def _watched(command: Sequence[str], folder: Path, seconds: float) -> Outcome | None:
    """Run a command until it ends, or until nothing has changed in `folder` for so long: None then."""
    processes = Processes(_environment())
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(processes.run, command)
        try:
            seen, since = _content(folder), time.monotonic()
            while True:
                try:
                    return running.result(POLL)
                except NotDone:
                    now = _content(folder)
                    if now != seen:
                        seen, since = now, time.monotonic()
                    if time.monotonic() - since > seconds:
                        return None
        finally:
            processes.stop()


def _environment() -> dict[str, str]:
    """This process's, with no proxy for this computer, and with the package that is running."""
    package = str(Path(__file__).resolve().parents[2])
    direct = {name: ",".join(filter(None, (os.environ.get(name, ""), LOCAL))) for name in ("no_proxy", "NO_PROXY")}
    path = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH", ""))))
    return {**os.environ, **direct, "PYTHONPATH": path}


def _content(folder: Path) -> tuple[int, int]:
    """How many files there are and how many bytes: more of either is a sign of life."""
    count = size = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                size += (Path(place) / name).stat().st_size
                count += 1
            except OSError:
                continue
    return count, size
