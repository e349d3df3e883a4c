"""What a board has measured, beside what the virtual board has simulated for the same firmware, layer by layer."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from approx_plugin.build.console import RunResult
from approx_plugin.report.text import table

SAME_NAME = "exact"


@dataclass(frozen=True)
class Row:
    """Cycles of a layer. simulated: None where the bench has no such layer."""

    layer: str
    measured: int | None
    simulated: int | None

    @property
    def deviation(self) -> float | None:
        """Simulated against measured, in percent."""
        if not self.measured or self.simulated is None:
            return None
        return 100.0 * (self.simulated / self.measured - 1)


@dataclass(frozen=True)
class Measured:
    """machine: as the firmware calls it. variant: of the bench that was compared, "" for none."""

    machine: str
    vectors: int
    passed: int
    variant: str
    rows: tuple[Row, ...]
    performance: tuple[tuple[str, str], ...]


def measured(result: RunResult, bench: Path | None, board: str) -> Measured:
    """bench: a bench.json, None without one; board: its id there."""
    variant, simulated = _simulated(bench, board) if bench else ("", {})
    rows = tuple(Row(line.name, line.cycles, simulated.get(line.name)) for line in result.layers)
    return Measured(
        result.machine or "", result.vectors or 0, result.passed or 0, variant, rows, tuple(result.performance)
    )


def _simulated(bench: Path, board: str) -> tuple[str, dict[str, int]]:
    """The variant that is in the project, the approximated one if there is one, and its cycles by layer."""
    document = json.loads(bench.read_text(encoding="utf-8"))
    for entry in document["boards"]:
        if entry["board"] == board:
            for variant in ("approximated", SAME_NAME):
                if variant in entry["variants"]:
                    layers = entry["variants"][variant]["layers"]
                    return variant, {layer["name"]: layer["cycles"] for layer in layers}
    return "", {}


def text(found: Measured) -> str:
    """The comparison; "measured" is what the board's own cycle counter has counted."""
    rows = [
        [
            row.layer,
            "n/a" if row.measured is None else f"{row.measured:,}",
            "-" if row.simulated is None else f"{row.simulated:,}",
            "-" if row.deviation is None else f"{row.deviation:+.1f} %",
        ]
        for row in found.rows
    ]
    lines = [f"{found.machine}: {found.passed} of {found.vectors} vectors right"]
    if rows:
        lines += ["", *table(["layer", "measured", "simulated", "simulated against it"], rows, right=(1, 2, 3))]
    if not found.variant:
        lines.append("nothing simulated to compare with: run bench for this board first")
    return "\n".join(lines)


def document(found: Measured) -> dict[str, Any]:
    """The same as plain values, as it is stored."""
    layers = [{**asdict(row), "deviation_percent": row.deviation} for row in found.rows]
    return {**asdict(found), "rows": layers, "performance": dict(found.performance)}
