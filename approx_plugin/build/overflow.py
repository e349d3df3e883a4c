"""A program that does not fit: what the linker says of it."""

from __future__ import annotations

import re

from approx_plugin.errors import ToolError

_REGION = re.compile(r"region [`'](\w+)' overflowed by (\d+) bytes")


class OverflowedError(ToolError):
    """The linker's regions that are too small, by how many bytes: {"FLASH": 14204}."""

    def __init__(self, regions: dict[str, int], elf: str) -> None:
        """elf: the program's name."""
        self.regions, self._elf = regions, elf
        short = ", ".join(f"{name} by {count:,} bytes" for name, count in regions.items())
        super().__init__(
            f"{elf} does not fit the board: it overflows {short}",
            why="what is linked beside the layers is estimated before it is linked",
            hint="take a board with more memory, `kernels: {convolution: cmsis_nn}`, which takes least flash, "
            "`project: {test_vectors: 0}`, or a smaller `budget`",
        )

    def __reduce__(self) -> tuple[type[OverflowedError], tuple[dict[str, int], str]]:
        """It can come from another process."""
        return type(self), (self.regions, self._elf)


def overflowed(output: str, elf: str) -> OverflowedError | None:
    """From the linker's messages; None if it complains of something else."""
    found = {name: int(count) for name, count in _REGION.findall(output)}
    return OverflowedError(found, elf) if found else None
