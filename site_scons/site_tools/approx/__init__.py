"""SCons tool: `env.ApproxProject("approx.yaml")` makes an STM32CubeIDE project and the verbs around it.

    env = Environment(tools=["approx"])
    project = env.ApproxProject("approx.yaml", board="nucleo-l4r5zi", out="build/l4", cmsis_nn="../CMSIS-NN")

The nodes that come back are the project's manifest and reports; it is made again when approx.yaml, the model, the data,
the CMSIS-NN, the compiler or the tool itself changes. The aliases run, verify, report, size, check and cubeide act on
it. Everything is done by `python -m approx_plugin <verb>`; nothing here knows how.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import SCons.Errors
import SCons.Script

VERBS = ("run", "verify", "report", "size", "check", "cubeide")


def generate(env: Any, **_: Any) -> None:
    """Add `ApproxProject` to an environment."""
    env.AddMethod(approx_project, "ApproxProject")


def exists(env: Any) -> bool:
    """The tool needs nothing but its package."""
    return True


def approx_project(
    env: Any,
    spec: str = "approx.yaml",
    board: str | None = None,
    out: str | None = None,
    cmsis_nn: str | None = None,
    force: bool = False,
    workers: int | None = None,
) -> Any:
    """The nodes of the project that `spec` describes; the other arguments take the place of the file's own entries.

    cmsis_nn falls back to CMSIS_NN_PATH. Paths are relative to the SConscript. Raises UserError for mistakes.
    """
    if env.GetOption("help"):
        return []
    from approx_plugin import digest
    from approx_plugin.errors import ApproxError
    from approx_plugin.project.clean import is_intact, removable
    from approx_plugin.request import Request
    from approx_plugin.spec.loader import load_spec
    from approx_plugin.workplace import Workplace

    library = cmsis_nn or os.environ.get("CMSIS_NN_PATH", "")
    request = Request(
        spec=Path(env.File(spec).get_abspath()),
        board=board,
        out=Path(env.Dir(out).get_abspath()) if out else None,
        cmsis_nn=Path(env.Dir(library).get_abspath()) if library else None,
        force=force,
        workers=workers,
    )
    try:
        loaded = load_spec(request.spec)
        settings = digest.settings(request, loaded)
    except ApproxError as error:
        raise SCons.Errors.UserError(f"\n{error}") from None
    directory = request.out or loaded.project.directory
    library_files = digest.library_files(request.cmsis_nn or loaded.cmsis_nn)
    sources = [*digest.input_files(loaded), *digest.tool_files(), *library_files]
    nodes = env.Command(
        [env.File(str(directory / name)) for name in ("approx_manifest.json", "report.json", "report.txt")],
        [env.File(str(source)) for source in sources] + [env.Value(settings)],
        SCons.Script.Action(_verb("generate", request), f"Generating {directory}"),
    )
    # The tool replaces its files itself, atomically, and knows which ones the user has edited.
    env.Precious(nodes)
    env.NoClean(nodes)
    # SCons looks at the sources only: whether somebody has touched what was generated is seen here.
    if not is_intact(directory, strict=force):
        env.AlwaysBuild(nodes)
    if env.GetOption("clean"):
        env.Clean(nodes, [str(path) for path in removable(directory)])
        env.Clean(nodes, str(Workplace.of(loaded.file, loaded.project.name, directory).root))
    for name in VERBS:
        env.AlwaysBuild(env.Alias(name, nodes, SCons.Script.Action(_verb(name, request), None)))
    return nodes


def _verb(name: str, request: Any) -> Any:
    """An action that runs one verb of the command line and fails with it."""

    def act(target: Any, source: Any, env: Any) -> int:
        command = [sys.executable, "-m", "approx_plugin", name, "--spec", str(request.spec)]
        options = {"--board": request.board, "--out": request.out, "--cmsis-nn": request.cmsis_nn}
        options["--workers"] = request.workers
        for option, value in options.items():
            command += [option, str(value)] if value else []
        command += ["--force"] if request.force else []
        package = Path(sys.modules["approx_plugin"].__file__ or "").resolve().parent.parent
        path = os.pathsep.join(filter(None, (str(package), os.environ.get("PYTHONPATH", ""))))
        return subprocess.call(command, env={**os.environ, "PYTHONPATH": path})

    return act
