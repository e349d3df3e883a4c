"""SCons tool: `env.ApproxProject("approx.yaml")` makes an STM32CubeIDE project and the verbs around it.

    env = Environment(tools=["approx"])
    project = env.ApproxProject("approx.yaml", board="nucleo-l4r5zi", out="build/l4", cmsis_nn="../CMSIS-NN")

The nodes that come back are the project's manifest and reports; it is made again when approx.yaml, the model, the data,
the CMSIS-NN, the compiler or the tool itself changes. The aliases of VERBS act on it; bench compares variants of it on
virtual boards, explore searches, inspect looks at the model, status and remove at the user's own project, measure
compares a board's console with a virtual board, selftest makes a project beside it, packs fetches what the others need:
they need none of the nodes. Everything, `-c` too, is done by `python -m approx_plugin <verb>`; nothing here knows how.

SCons expands `$` in every text that it takes for a path or a message: for paths it gets nodes, made by `_file`.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import SCons.Environment
import SCons.Errors
import SCons.Node.Alias
import SCons.Node.FS
import SCons.Script

VERBS = ("run", "verify", "report", "size", "check", "prove", "cubeide", "explain", "program", "compiledb")
"""They act on the project."""

MADE = ("approx_manifest.json", "report.json", "report.txt")
"""What stands for all files of a project: the manifest has their hashes."""

OTHERS = ("bench", "explore", "inspect", "doctor", "status", "remove", "measure", "selftest", "packs")
"""They need none of its files."""


def generate(env: Any, **_: Any) -> None:
    """Add `ApproxProject` to an environment."""
    env.AddMethod(approx_project, "ApproxProject")
    env.AddMethod(approx_help, "ApproxHelp")


def exists(env: Any) -> bool:
    """The tool needs nothing but its package."""
    return True


def approx_help(env: Any) -> str:
    """The targets and what they do, for a SConstruct's Help()."""
    from approx_plugin.cli import verb_lines

    return "\n".join(["Targets of ApproxProject (it is made by default)", *verb_lines((*VERBS, *OTHERS)), ""])


def approx_project(
    env: Any,
    spec: str = "approx.yaml",
    board: str | None = None,
    out: str | None = None,
    cmsis_nn: str | None = None,
    force: bool = False,
    workers: int | None = None,
    boards: str | None = None,
    layer: str | None = None,
    probe: str | None = None,
    into: str | None = None,
    console: str | None = None,
    port: str | None = None,
    note: str = "",
    point: int | None = None,
) -> Any:
    """The nodes of the project that `spec` describes; the other arguments take the place of the file's own entries.

    boards: for the alias bench, "a,b,c" or "all". layer: for explain; probe: for program; console, port, note: for the
    alias measure; point: of the front that the alias explore has left. into: a project of the user's that the network
    moves into. cmsis_nn falls back to CMSIS_NN_PATH.
    Paths are relative to the SConscript. Raises UserError for mistakes.
    """
    if env.GetOption("help"):
        if SCons.Script.help_text is None:
            # The SConscript has said nothing so far: `scons -h` is to list what can be done.
            env.Help(approx_help(env))
        # As many nodes as there are otherwise, for whoever names one of them; nothing is built.
        return list(env.Alias("the project of approx.yaml")) * len(MADE)
    from approx_plugin import digest
    from approx_plugin.errors import ApproxError
    from approx_plugin.legible import check_paths
    from approx_plugin.project.clean import is_intact
    from approx_plugin.request import Request
    from approx_plugin.spec.order import library_directory, spec_of

    library = cmsis_nn or os.environ.get("CMSIS_NN_PATH", "")
    request = Request(
        spec=_path(env, spec),
        board=board,
        out=_path(env, out) if out else None,
        cmsis_nn=_path(env, library) if library else None,
        force=force,
        workers=workers,
        boards=(boards,) if boards else (),
        layer=layer,
        probe=probe,
        into=_path(env, into) if into else None,
        console=(Path(console) if console == "-" else _path(env, console)) if console else None,
        port=port,
        note=note,
        point=point,
    )
    if SCons.Script.COMMAND_LINE_TARGETS == ["packs"]:
        # Nothing may ask for what is yet to be fetched.
        env.AlwaysBuild(env.Alias("packs", [], SCons.Script.Action(_verb("packs", request), None)))
        return list(env.Alias("the project of approx.yaml")) * len(MADE)
    try:
        check_paths(request)
        loaded = spec_of(request)
        check_paths(request, loaded)
        settings = digest.settings(request, loaded)
        library_files = digest.library_files(library_directory(request, loaded))
    except ApproxError as error:
        raise SCons.Errors.UserError(f"\n{error}") from None
    directory = request.out or loaded.project.directory
    sources = [*digest.input_files(loaded), *digest.tool_files(), *library_files]
    if any(place.exists() and not place.is_dir() for place in (directory, *directory.parents)):
        raise SCons.Errors.UserError(f"\n{directory}: error: the output cannot be a directory: a file is in its place")
    made = [directory / name for name in MADE]
    for file in filter(Path.is_dir, made):
        raise SCons.Errors.UserError(f"\n{file}: error: a folder is in the place of a generated file")
    nodes = env.Command(
        [_file(file) for file in made],
        [*(_file(source) for source in sources), env.Value(settings)],
        SCons.Script.Action(_verb("generate", request), f"Generating {directory}".replace("$", "$$")),
    )
    # The tool replaces its files itself, atomically, and knows which ones the user has edited.
    env.Precious(nodes)
    env.NoClean(nodes)
    # SCons looks at the sources only: whether somebody has touched what was generated is seen here.
    if not is_intact(directory, strict=force) or not _is_moved_in(request.into or loaded.project.into):
        env.AlwaysBuild(nodes)
    if env.GetOption("clean"):
        env.Depends(nodes, _Cleaning(directory, _verb("clean", request)))
    for name in VERBS:
        env.AlwaysBuild(env.Alias(name, nodes, SCons.Script.Action(_verb(name, request), None)))
    for name in OTHERS:
        env.AlwaysBuild(env.Alias(name, [], SCons.Script.Action(_verb(name, request), None)))
    return nodes


def _is_moved_in(into: Path | None) -> bool:
    """Whether the user's project, if there is one, still has all of the network."""
    if into is None:
        return True
    from approx_plugin.errors import ApproxError
    from approx_plugin.merging.host import read_host
    from approx_plugin.merging.merge import missing

    try:
        return not missing(read_host(into))
    except ApproxError:
        return False  # generating says what is wrong


def _path(env: Any, text: str) -> Path:
    """An absolute path of what a SConscript names: relative to its folder, or to the SConstruct's behind a #.

    Not by SCons's own nodes: they take a file for a folder, or the other way round, as a defect of the SConscript.
    """
    base, rest = (env.Dir("#"), text[1:].lstrip("/")) if text.startswith("#") else (env.Dir(".").srcnode(), text)
    return Path(os.path.abspath(Path(base.get_abspath()) / rest))  # noqa: PTH100 (links stay as they are)


def _file(path: Path) -> Any:
    """The node of a file, by an absolute path that is taken as it is.

    `env.File` expands `$` and, where there is one, even joins several spaces to one: no escaping is of help.
    """
    return SCons.Node.FS.get_default_fs().File(str(path))


class _Cleaning(SCons.Node.Alias.Alias):
    """What `scons -c` removes of one project: by the verb, which knows what is ours.

    Not by `env.Clean`: that takes paths while SConscripts are read, and deletes a folder with all that lies in it when
    their turn comes. Whatever the verb complains of, SCons's status is 0, as it is for files that it cannot remove.
    """

    def __init__(self, directory: Path, verb: Any) -> None:
        super().__init__(f"what was generated into {directory}")
        self._verb = verb
        self.builder_set(SCons.Environment.AliasBuilder)  # without a builder, a node is nothing to clean

    def remove(self) -> bool:
        """SCons removes the node. False: the verb has said what it did."""
        self._verb([], [], None)
        return False

    def isdir(self) -> bool:
        """With -n, SCons shows what is no folder."""
        return False


def _verb(name: str, request: Any) -> Any:
    """An action that runs one verb of the command line and fails with it."""

    def act(target: Any, source: Any, env: Any) -> int:
        command = [sys.executable, "-m", "approx_plugin", name, "--spec", str(request.spec)]
        command += [request.layer or ""] if name == "explain" else []
        options = {"--board": request.board, "--out": request.out, "--cmsis-nn": request.cmsis_nn}
        options["--into"] = request.into
        options["--workers"] = request.workers
        options["--boards"], options["--probe"] = ",".join(request.boards), request.probe
        options.update({"--console": request.console, "--port": request.port, "--note": request.note})
        options["--point"] = "" if request.point is None else str(request.point)
        for option, value in options.items():
            command += [option, str(value)] if value else []
        command += ["--force"] if request.force else []
        package = Path(sys.modules["approx_plugin"].__file__ or "").resolve().parent.parent
        path = os.pathsep.join(filter(None, (str(package), os.environ.get("PYTHONPATH", ""))))
        status = subprocess.call(command, env={**os.environ, "PYTHONPATH": path})
        if status and name == "generate":
            # SCons makes the folder of its targets before it acts: nothing is left behind by a run that failed.
            with contextlib.suppress(OSError):
                Path(target[0].get_abspath()).parent.rmdir()
        return status

    return act
