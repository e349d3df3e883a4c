"""What a merge has left in a project: its files, and what the build files were before. Kept in the folder itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from approx_plugin.errors import ProjectError
from approx_plugin.merging.cproject import Addition
from approx_plugin.project.manifest import FILE_NAME, read_manifest

FORMAT = 1
_GENERATOR = "approx-plugin"


@dataclass(frozen=True)
class EditedFile:
    """A build file of the project. before, after: sha256 of it; expanded: see `cproject.Merged`."""

    before: str
    after: str
    expanded: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Ledger:
    """owner: whose network it is, the name of the approx.yaml's project.

    files: path below the project's root -> sha256; the ledger is not in it. edited: build files by the same paths.
    addition: what the build files were given.
    """

    owner: str
    addition: Addition
    files: Mapping[str, str]
    edited: Mapping[str, EditedFile]


def path_of(folder: str) -> str:
    """Where the ledger of a folder lies, below the project's root."""
    return f"{folder}/{FILE_NAME}"


def ledger_text(ledger: Ledger) -> bytes:
    """The file's content: the form of every manifest, and what a merge needs beside."""
    record = {
        "format": FORMAT,
        "generator": _GENERATOR,
        "owner": ledger.owner,
        "addition": asdict(ledger.addition),
        "edited": {
            path: {"before": e.before, "after": e.after, "expanded": dict(sorted(e.expanded.items()))}
            for path, e in sorted(ledger.edited.items())
        },
        "files": dict(sorted(ledger.files.items())),
    }
    return (json.dumps(record, indent=2, ensure_ascii=True) + "\n").encode()


def read_ledger(root: Path, folder: str) -> Ledger | None:
    """The ledger of the network in a project; None where there is none. Raises ProjectError for a damaged one."""
    file = root / path_of(folder)
    files = read_manifest(file)
    if files is None:
        return None
    record: Any = json.loads(file.read_bytes())
    try:
        edited = {
            path: EditedFile(str(e["before"]), str(e["after"]), {str(k): str(v) for k, v in e["expanded"].items()})
            for path, e in record["edited"].items()
        }
        given: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in record["addition"].items()
        }
        return Ledger(str(record["owner"]), Addition(**given), files, edited)
    except (KeyError, TypeError, AttributeError) as error:
        raise ProjectError(
            "the manifest is damaged",
            where=file,
            why=f"it does not say what a merge has changed ({error})",
            hint="restore it from version control, or delete it together with the folder that it lies in",
        ) from error
