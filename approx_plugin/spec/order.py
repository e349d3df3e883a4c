"""What is to be made: what the command line asks for, and the approx.yaml that it names, read once per command."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from approx_plugin.boards.board import Board
from approx_plugin.errors import Location, SpecError
from approx_plugin.packs.library import LIBRARY, locked_library, unpacked
from approx_plugin.packs.lock import LOCK
from approx_plugin.packs.lookup import find_board
from approx_plugin.packs.store import Store
from approx_plugin.request import Request
from approx_plugin.spec.loader import load_spec
from approx_plugin.spec.spec import Spec


@dataclass(frozen=True, eq=False)
class Order:
    """A request with the spec that it names."""

    request: Request
    spec: Spec

    @classmethod
    def of(cls, request: Request) -> Order:
        """Reads the spec. Raises as `load_spec`, and SpecError for a point that is not on the front."""
        return cls(request, spec_of(request))

    @cached_property
    def board(self) -> Board:
        """The board, which is read when it is asked for first, so that its mistakes are told with those of other files.

        Raises as `find_board`.
        """
        name, where = self.request.board or self.spec.board, board_place(self.request, self.spec)
        return find_board(name, where, self.spec.pdsc, store_of(self.spec))

    @property
    def directory(self) -> Path:
        """Where the project goes, absolute."""
        return (self.request.out or self.spec.project.directory).absolute()

    @property
    def into(self) -> Path | None:
        """The user's project that the network moves into, absolute; None for none."""
        found = self.request.into or self.spec.project.into
        return found.absolute() if found else None

    @property
    def cmsis_nn(self) -> Path | None:
        """Directory of a CMSIS-NN, None for the portable subset. Raises as `library_directory`."""
        return library_directory(self.request, self.spec)


def spec_of(request: Request) -> Spec:
    """The approx.yaml, with the design of the point that the request names."""
    spec = load_spec(request.spec)
    if request.point is None:
        return spec
    folder = front_folder((request.out or spec.project.directory).absolute())
    file = folder / recipe_name(request.point)
    if file.is_file():
        return replace(spec, design=file)
    numbers = sorted(int(one.stem[len(RECIPE) :]) for one in folder.glob(f"{RECIPE}*.json"))
    there = f"the front has {', '.join(map(str, numbers))}" if numbers else f"{folder} holds no front"
    raise SpecError(
        f"there is no point {request.point}",
        where=Location("point="),
        why=there,
        hint="take one of these numbers" if numbers else "run the verb `explore` first",
    )


RECIPE = "point_"


def front_folder(project: Path) -> Path:
    """Where `explore` leaves a project's front: `build/digits` -> `build/digits_front`."""
    return project.with_name(f"{project.name}_front")


def recipe_name(point: int) -> str:
    """The file of a point's design."""
    return f"{RECIPE}{point}.json"


def board_place(request: Request, spec: Spec) -> Location:
    """Where the board was named, for messages."""
    return Location("board=") if request.board else spec.where("board")


def project_place(request: Request, spec: Spec) -> Location:
    """Where the user's project was named, for messages."""
    return Location("into=") if request.into else spec.where("project.into")


def library_place(request: Request, spec: Spec) -> Location:
    """Where the CMSIS-NN was named, for messages."""
    if request.cmsis_nn:
        return Location("CMSIS_NN_PATH / cmsis_nn=")
    return spec.where("cmsis_nn") if spec.cmsis_nn else Location(str(store_of(spec).lock))


def library_directory(request: Request, spec: Spec) -> Path | None:
    """Directory of a CMSIS-NN: the one that is named, a named .pack unpacked, or what the verb packs has fetched.

    None where there is none of these. Raises BoardError for a .pack that is none, and where the lock file names what is
    not on this computer.
    """
    named = request.cmsis_nn or spec.cmsis_nn
    if named is None:
        return locked_library(store_of(spec))
    if named.suffix == ".pack" and named.is_file():
        return unpacked(named, LIBRARY, store_of(spec), library_place(request, spec))
    return named


def store_of(spec: Spec) -> Store:
    """Where the spec's packs are kept, and its lock file."""
    return Store.of(spec.packs.folder, spec.file.parent / LOCK)
