"""A network on its way into a person's project: what there is room for, what it brings, and whether that builds."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from approx_plugin.boards.board import Board
from approx_plugin.build.overflow import OverflowedError
from approx_plugin.errors import ApproxError, ProjectError
from approx_plugin.kernels.needs import Bytes
from approx_plugin.kernels.program import Program
from approx_plugin.library.provider import CmsisNn
from approx_plugin.merging import cmake
from approx_plugin.merging.application import Application, application, left
from approx_plugin.merging.board import OF_PROJECT, board_for
from approx_plugin.merging.contents import PRIVATE_NAMES, contents, exported, include_dirs
from approx_plugin.merging.cproject import Addition
from approx_plugin.merging.foreign import SINGLE_ROUNDING, clashes, has_cube_ai, own_library
from approx_plugin.merging.host import Host, check_toolchain, read_host
from approx_plugin.merging.ledger import read_ledger
from approx_plugin.merging.merge import MergeResult, Wish, check_place, put, take_out
from approx_plugin.packs.lookup import find_board
from approx_plugin.spec.order import Order, board_place, project_place, store_of
from approx_plugin.workplace import Workplace

Say = Callable[[str], None]


@dataclass(frozen=True)
class Measured:
    """left: bytes by kind of memory for a network; application: None where it could not be built here."""

    left: Bytes
    application: Application | None


def host_of(order: Order) -> Host | None:
    """The project that the network moves into, None for none. Raises ProjectError for what cannot take one."""
    if order.into is None:
        return None
    place = project_place(order.request, order.spec)
    host = read_host(order.into, place)
    check_toolchain(host)
    check_place(host, order.spec.project.name)
    inside = host.directory in (order.directory, *order.directory.parents)
    if inside and _is_compiled(host, order.directory):
        raise ProjectError(
            f"{order.directory} lies in a source folder of {host.name}",
            where=order.spec.where("project.directory"),
            why="the IDE would compile the project that is made for tests into yours",
            hint="choose a directory outside of it: project: {directory: ../build/...}",
        )
    return host


def _is_compiled(host: Host, directory: Path) -> bool:
    from approx_plugin.cubeide.managed import read_managed

    if not host.is_managed:
        return False
    path = directory.resolve().relative_to(host.directory).as_posix()
    entries = [entry for c in read_managed(host.directory).configurations for entry in c.entries or (None,)]
    return any(e is None or (path == e.name or path.startswith(f"{e.name}/" if e.name else "")) for e in entries)


def board_of(order: Order, host: Host | None) -> Board:
    """The board whose costs and emulator are used. Raises as `find_board` and `board_for`."""
    name, place = order.request.board or order.spec.board, board_place(order.request, order.spec)
    if host is not None:
        store = store_of(order.spec)
        return board_for(host, name, place, lambda wanted: find_board(wanted, place, order.spec.pdsc, store))
    if name == OF_PROJECT:
        raise ProjectError(
            "there is no project whose board it could be",
            where=place,
            why="`board: project` stands for the part of the project that the network moves into",
            hint="name a board, or a project of yours: project: {into: ../firmware}",
        )
    return order.board


def measure(host: Host, place: Workplace, workers: int | None, say: Say) -> Measured:
    """What the application leaves, told and kept for `known_left`.

    Where it cannot be built here, as it could the last time; before that, all that the part has.
    """
    try:
        taken = application(host, place.application, workers)
    except ApproxError as error:
        say(f"{host.name} cannot be measured: {error}")
        return Measured(known_left(host, place), None)
    say(f"{host.name} takes {taken.flash:,} B flash, {taken.ram:,} B RAM ({taken.built.compiler})")
    found = left(host, taken)
    place.root.mkdir(parents=True, exist_ok=True)
    place.left.write_text(json.dumps(dict(found)) + "\n", encoding="utf-8")
    return Measured(found, taken)


def known_left(host: Host, place: Workplace) -> Bytes:
    """What `measure` has found last; without it, what the part has."""
    try:
        found = json.loads(place.left.read_text(encoding="utf-8"))
        return {str(kind): int(size) for kind, size in found.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return left(host, None)


def wish_of(host: Host, program: Program, provider: CmsisNn, owner: str, say: Say) -> Wish:
    """What the project is to get."""
    own = own_library(host, provider)
    library, hidden = dict(provider.files), frozenset[str]()
    if own is not None:
        say(f"the network uses the CMSIS-NN of {host.name} ({own}), compiled with the settings of that folder")
        library = {}
    elif clashes(host, exported(provider)):
        say(f"{host.name} has a CMSIS-NN of another version: the network's own gets private names")
        hidden = exported(provider)
    if has_cube_ai(host):
        say(f"{host.name} has a network of X-CUBE-AI as well, which stays as long as your program calls it")
    flags = (
        *((f"-include {PRIVATE_NAMES}",) if hidden else ()),
        *(f"-U{d}" for d in host.definitions if d == SINGLE_ROUNDING),
    )
    files = dict(contents(program, library, hidden))
    includes = (f"{host.folder}/Inc", own) if own else include_dirs(host.folder, provider)
    if host.has_cmake:
        main = host.directory / cmake.FILE
        text = cmake.fragment(
            files,
            [path.removeprefix(f"{host.folder}/") for path in includes],
            host.machine,
            cmake.application_of(main.read_text(encoding="utf-8", errors="replace"), main),
            flags,
        )
        files[cmake.FILE] = text.encode()
    addition = Addition(host.folder, f"{host.folder}/Inc", includes, flags)
    return Wish(addition, files, owner)


def move_in(
    host: Host, wish: Wish, before: Measured, place: Workplace, *, force: bool, dry: bool, workers: int | None, say: Say
) -> MergeResult:
    """Put the network into the project, and build that. before: of the project without it.

    dry: say what would be changed, and change nothing.

    Raises ProjectError, with the project as it was, where only the network keeps it from being built.
    """
    was_there = read_ledger(host.directory, host.folder) is not None
    if dry:
        made = put(host, wish, force, dry=True)
        say(f"{made.differences}{host.directory / host.folder}: {len(made.written)} files would be written")
        return made
    made = put(host, wish, force)
    if made.is_nothing:
        say(f"{host.directory / host.folder} is up to date")
    else:
        say(
            f"{host.directory / host.folder}: {len(made.written)} files written, {len(made.removed)} removed; "
            f"settings in {', '.join(made.edited) or 'no file'}"
        )
    if not host.is_managed:
        return made
    try:
        now = application(host, place.application, workers)
    except ApproxError as error:
        if before.application is None and not isinstance(error, OverflowedError):
            say(f"{host.name} could not be built here before, and cannot now: {error.what}")
            return made
        if not was_there:
            take_out(host)
        raise ProjectError(
            f"{host.name} does not build with the network" + ("" if was_there else "; it is as it was before"),
            where=host.directory,
            why=str(error),
            hint="allow the network less (budget: {flash: ..., ram: ...}), or mend what the message says",
        ) from error
    size = now.built.size
    say(
        f"{host.name} with the network, {host.configuration}: {size.flash_bytes:,} B flash, {size.ram_bytes:,} B RAM "
        f"({now.network_flash:,} and {now.network_ram:,} B of them are the network's)"
    )
    return made
