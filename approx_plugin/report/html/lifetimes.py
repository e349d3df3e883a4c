"""The arena over time: each buffer a rectangle, its bytes upwards, the layers during which it lives to the right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from approx_plugin.report.detail import ArenaPiece
from approx_plugin.report.html.scale import Scale, Tick, percent, short, step_of


@dataclass(frozen=True)
class Box:
    """x, y, width, height: percent from the upper left corner. number: of the piece in the table, from 1; labelled:
    whether there is room for it in the box.
    """

    piece: ArenaPiece
    number: int
    x: float
    y: float
    width: float
    height: float
    labelled: bool


@dataclass(frozen=True)
class Lifetimes:
    """x_ticks: layers' indexes; y_ticks: bytes."""

    boxes: tuple[Box, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]


def lifetimes(pieces: Sequence[ArenaPiece], size: int, layers: int) -> Lifetimes:
    """size: of the arena in bytes, > 0; layers: how many there are, > 0."""
    end = max([layers, *(piece.last + 1 for piece in pieces)])
    time, space = Scale(0, end), Scale(0, size)
    boxes = []
    for number, piece in enumerate(pieces, 1):
        left, right = time.at(piece.first), time.at(piece.last + 1)
        low, high = space.at(piece.offset), space.at(piece.offset + piece.size)
        box = (left, round(100.0 - high, 2), round(right - left, 2), round(high - low, 2))
        boxes.append(Box(piece, number, *box, labelled=box[2] >= 3.5 and box[3] >= 6.0))
    step = max(1, -(-layers // 12))
    byte_step = step_of(size, 4)
    marks = [byte_step * k for k in range(int(size / byte_step) + 1)]
    return Lifetimes(
        tuple(boxes),
        tuple(Tick(percent((index + 0.5) / end), str(index)) for index in range(0, layers, step)),
        tuple(Tick(round(100.0 - space.at(mark), 2), short(mark)) for mark in marks),
    )
