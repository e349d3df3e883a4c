"""PlatformIO's side of the tool: one `lib_deps` line and a few `custom_approx_` keys put a network into a program.

    [env:nucleo_l476rg]
    platform = ststm32
    framework = stm32cube
    lib_deps = approx-plugin=<this repository>
    custom_approx_spec = approx.yaml
    custom_approx_python = /home/me/.venv/bin/python

PlatformIO is SCons: the library's library.json names this script, which makes the network before the library is built,
and adds its sources to it. `custom_approx_python` is a Python with the tool's packages (`pip install` of this
repository); without the key it is PlatformIO's own. `custom_approx_board` takes the place of the spec's board.
"""

import os
import subprocess
import sys
from pathlib import Path

Import("env")  # noqa: F821 (SCons gives it to its scripts)


def option(name, default=""):
    """A key of the project's environment in platformio.ini."""
    return env.GetProjectOption(f"custom_approx_{name}", default)  # noqa: F821


def main():
    """Make the network, and tell the library's environment and the program's where it is."""
    root = Path.cwd().parent  # SCons runs a script in its own folder
    project = Path(env.subst("$PROJECT_DIR"))  # noqa: F821
    made = Path(env.subst("$BUILD_DIR")) / "approx"  # noqa: F821
    spec = option("spec")
    if not spec:
        sys.stderr.write("error: platformio.ini names no approx.yaml\n    do:  custom_approx_spec = approx.yaml\n")
        env.Exit(2)  # noqa: F821
    python = option("python") or sys.executable
    command = [python, "-m", "approx_plugin", "generate", "--spec", str(project / spec), "--out", str(made)]
    board = option("board")
    command += ["--board", board] if board else []
    path = os.pathsep.join(filter(None, (str(root), os.environ.get("PYTHONPATH", ""))))
    status = subprocess.call(command, cwd=project, env={**os.environ, "PYTHONPATH": path})
    if status:
        env.Exit(status)  # noqa: F821
    network, library, hook = made / "Middlewares/Approx", made / "Middlewares/CMSIS-NN", root / "Middlewares/Hook"
    public = [str(network / "Inc"), str(hook / "Inc")]
    DefaultEnvironment().Append(CPPPATH=public)  # noqa: F821
    env.Append(CPPPATH=[*public, str(library / "Include")], CCFLAGS=["-O3"])  # noqa: F821
    folders = {"network": network / "Src", "library": library / "Source"}
    if (network / "Inc" / "approx_network.h").is_file():  # the hook is for a network without a name of its own
        folders["hook"] = hook / "Src"
    for name, folder in folders.items():
        env.BuildSources(os.path.join("$BUILD_DIR", "approx-objects", name), str(folder))  # noqa: F821, PTH118


main()
