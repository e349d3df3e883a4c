"""The network with some layers approximated: what the search measures and what it chooses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from approx_plugin.approximation.candidate import Candidate
from approx_plugin.exploration.front import Point

Candidates = tuple[Candidate, ...]
"""One for each approximated layer, by ascending layer; the other layers stay exact."""


@dataclass(frozen=True, eq=False)
class Design:
    """candidates: what to do with the approximated layers; point: what was measured of it."""

    candidates: Candidates
    point: Point


def ordered(candidates: Iterable[Candidate]) -> Candidates:
    """By ascending layer. Raises ValueError if a layer is named twice."""
    result = tuple(sorted(candidates, key=lambda candidate: candidate.layer))
    if len({candidate.layer for candidate in result}) != len(result):
        raise ValueError("a design has at most one candidate per layer")
    return result


def levels(candidates: Candidates) -> tuple[tuple[int, float], ...]:
    """(layer, level) of every approximated layer."""
    return tuple((candidate.layer, candidate.level) for candidate in candidates)


def fingerprint(candidate: Candidate) -> bytes:
    """sha256 of all that a candidate changes about the network: equal for equal arithmetic."""
    return candidate.operator.fingerprint
