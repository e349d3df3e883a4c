"""compile_commands.json: how every source of a project is compiled, for clangd and other tools.

The format asks for absolute directories, so the file belongs to one place on one machine: it is not in the manifest.
"""

from __future__ import annotations

import json
from pathlib import Path

from approx_plugin.build.build import load_replay
from approx_plugin.build.toolchain import COMPILER

FILE_NAME = "compile_commands.json"


def compile_commands(directory: Path, configuration: str = "Release") -> str:
    """The text for the project in `directory`, absolute. Raises ProjectError if its files cannot be read."""
    replay = load_replay(directory, configuration)
    entries = [
        {
            "directory": str(directory),
            "file": compilation.source,
            "arguments": [
                COMPILER,
                *filter(_decides, compilation.arguments),
                "-o",
                f"{compilation.source}.o",
                compilation.source,
            ],
        }
        for compilation in replay.compilations
    ]
    return json.dumps(entries, indent=1, ensure_ascii=False) + "\n"


def _decides(argument: str) -> bool:
    """Whether an argument is about the code, not about further files that are written beside the object."""
    return argument not in ("-MMD", "-MP", "-fstack-usage")


def is_ours(file: Path, directory: Path) -> bool:
    """Whether a file is one that was written for the project in `directory`."""
    try:
        entries = json.loads(file.read_text(encoding="utf-8"))
        return bool(entries) and all(
            entry["directory"] == str(directory) and entry["arguments"][0] == COMPILER for entry in entries
        )
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return False
