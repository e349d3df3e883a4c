"""Names the packages, and puts what is no Python into the wheel: boards, C sources and schemas go to `_resources`.

Everything else is in pyproject.toml. A checkout (and an editable install of it) uses the folders where they are.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

RESOURCES = ("board", "Core", "Middlewares", "schemas")


class BuildWithResources(build_py):
    """`build_py`, and the resources behind it."""

    def run(self) -> None:
        """Copy the folders into the build, unless this is an editable install."""
        super().run()
        if getattr(self, "editable_mode", False):
            return
        target = Path(self.build_lib) / "approx_plugin" / "_resources"
        for folder in RESOURCES:
            shutil.copytree(folder, target / folder, dirs_exist_ok=True)


setup(
    packages=[*find_packages(include=["approx_plugin", "approx_plugin.*"]), "SCons.Tool.approx"],
    cmdclass={"build_py": BuildWithResources},
)
