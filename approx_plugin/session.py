"""What all verbs share: the order, its folders, where notes and results go, and a project that is up to date."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from approx_plugin import digest
from approx_plugin.boards.board import Board
from approx_plugin.errors import ApproxError, ToolError
from approx_plugin.exploration.measurement import Progress, silent
from approx_plugin.legible import check_paths
from approx_plugin.merging.host import read_host
from approx_plugin.merging.merge import missing, reinsert
from approx_plugin.merging.moving import board_of, host_of
from approx_plugin.pipeline.generate import generate
from approx_plugin.pipeline.saying import Say
from approx_plugin.reference.vectors import TestVectors
from approx_plugin.request import Request
from approx_plugin.requirements import require as missing_for
from approx_plugin.spec.order import Order, project_place
from approx_plugin.spec.spec import Spec
from approx_plugin.vectors import load
from approx_plugin.workplace import Workplace

Show = Callable[[str, Any], None]
"""Told a result: its text, and the same as plain values."""


@dataclass(frozen=True)
class Session:
    """An order with what every verb needs of it. say: told notes on what is being done; show: told results, in words
    and as plain values.
    """

    order: Order
    place: Workplace
    say: Say
    show: Show
    progress: Progress = silent

    @classmethod
    def of(cls, request: Request, say: Say, progress: Progress = silent, show: Show | None = None) -> Session:
        """Reads the spec. show: None to say results as notes are."""
        check_paths(request)
        order = Order.of(request)
        check_paths(request, order.spec)
        place = Workplace.of(order.spec.file, order.spec.project.name, order.directory)
        if not place.is_beside(order.spec.file):
            say(f"{order.spec.file.parent} cannot be written to: working in {place.root.parent}")
        return cls(order, place, say, show or (lambda text, _: say(text)), progress)

    @property
    def request(self) -> Request:
        """What the command line asks for."""
        return self.order.request

    @property
    def spec(self) -> Spec:
        """The approx.yaml."""
        return self.order.spec

    @property
    def board(self) -> Board:
        """The board; its mistakes are told when the project is brought up to date, with those of the other inputs."""
        return board_of(self.order, host_of(self.order))

    @property
    def directory(self) -> Path:
        """The project."""
        return self.order.directory

    def is_current(self) -> bool:
        """Whether the project is what its inputs make of it, and the network is in the user's own if it has to be."""
        inputs = digest.of_inputs(self.request, self.spec)
        if not digest.is_current(self.place.stamp, inputs, self.directory, strict=self.request.force):
            return False
        return self.order.into is None or not missing(read_host(self.order.into))

    def repair(self) -> None:
        """Give the user's build files back what a regeneration took from them: nothing has to be chosen for that."""
        if self.order.into is not None and not self.request.dry:
            for name in reinsert(read_host(self.order.into, project_place(self.request, self.spec))):
                self.say(f"{self.order.into}: settings of the network in {name} put back")

    def up_to_date(self) -> None:
        """Generate the project unless it is current."""
        self.repair()
        if not self.is_current():
            generate_project(self)

    def vectors(self) -> TestVectors:
        """Inputs and expected answers of the project, which is brought up to date first."""
        self.up_to_date()
        try:
            return load(self.place)
        except ToolError:
            generate_project(self)
            return load(self.place)


def require(verb: str, session: Session) -> None:
    """Raise what a verb will need and will not find, before anything is done."""
    try:
        board = session.board
    except ApproxError:
        return  # told with the mistakes of the other inputs
    missing_for(verb, board, session.request.probe)


def generate_project(session: Session) -> None:
    """Make the project in any case; say what changed."""
    made = generate(session.order, session.say, session.progress)
    written = made.written
    session.say(
        f"{made.directory}: {len(written.written)} files written, {len(written.unchanged)} unchanged, "
        f"{len(written.removed)} removed"
    )
