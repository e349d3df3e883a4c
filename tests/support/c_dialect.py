"""The C of this repository: the language standard, and the warnings that none of it gives."""

from __future__ import annotations

C11 = "-std=c11"
WARNINGS = (
    "-Wall",
    "-Wextra",
    "-Wpedantic",
    "-Wconversion",
    "-Wshadow",
    "-Wstrict-prototypes",
    "-Wmissing-prototypes",
    "-Werror",
)
