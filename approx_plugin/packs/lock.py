"""packs.lock: which releases of packs a project uses, each with the sha256 of its file. It lies beside approx.yaml and
belongs into version control: everybody who has it builds with the same bytes, or is told that they differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from approx_plugin.documents.checked import load
from approx_plugin.documents.schema import load_schema
from approx_plugin.errors import BoardError
from approx_plugin.packs.store import Reference

LOCK = "packs.lock"
REMEDY = "delete the file and fetch the packs again: python -m approx_plugin packs"
HEAD = """\
# The packs of this project; written by `scons packs` (python -m approx_plugin packs). Keep it under version control.
# Without a pack's entry, its newest release is fetched.
"""


@dataclass(frozen=True)
class Locked:
    """A release with the sha256 of its .pack, in hexadecimal, and the parts of it that the project was for."""

    reference: Reference
    sha256: str
    devices: tuple[str, ...] = ()


def read_lock(path: Path) -> tuple[Locked, ...]:
    """The entries of a lock file, sorted; none where there is no such file.

    Raises BoardError, or several, for a file that is not what the verb packs writes.
    """
    if not path.exists():
        return ()
    checked = load(path, load_schema("packs_lock"), BoardError, REMEDY)
    checked.raise_mistakes()
    entries: Mapping[str, Mapping[str, object]] = checked.values["packs"]
    found = []
    for title, values in entries.items():
        vendor, name = title.split("::")
        devices = values.get("devices", ())
        assert isinstance(devices, (list, tuple))
        reference = Reference(vendor, name, str(values["version"]))
        found.append(Locked(reference, str(values["sha256"]), tuple(map(str, devices))))
    return tuple(sorted(found, key=lambda one: one.reference))


def lock_text(entries: tuple[Locked, ...]) -> str:
    """The file of these entries. The same entries give the same bytes."""
    lines = [HEAD + "packs:"]
    for one in sorted(entries, key=lambda one: one.reference):
        lines.append(f"  {one.reference.vendor}::{one.reference.name}:")
        lines.append(f'    version: "{one.reference.version}"')
        lines.append(f'    sha256: "{one.sha256}"')
        lines += [f"    devices: [{', '.join(one.devices)}]"] if one.devices else []
    return "\n".join(lines) + "\n"
