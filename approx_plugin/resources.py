"""Where the files are that belong to the tool and are no Python: boards, C sources, schemas."""

from __future__ import annotations

from pathlib import Path


def resource_root() -> Path:
    """The folder that holds `board/`, `Core/`, `Middlewares/` and `schemas/`.

    An installed package carries them in `approx_plugin/_resources`; a checkout has them at its root.
    """
    package = Path(__file__).resolve().parent
    installed = package / "_resources"
    return installed if installed.is_dir() else package.parent
