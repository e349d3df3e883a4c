"""What is interrupted: verbs that write, in a folder with files of the user's."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from digits_project import ROOT, data, exact, spec, write_spec
from tflite_writer import ModelBuilder

TOOL = (sys.executable, "-m", "approx_plugin")
SCONS = (sys.executable, "-m", "SCons", "-Q", "approx=1", "workers=2")

USERS = {
    "thesis.tex": b"all of it",
    "approx.yaml.bak": b"an older spec",
    "out/mine.txt": b"mine",
    "out/Core/Src/app.c": b"int app(void) { return 1; }\n",
    "out/Debug/old.o": b"an object of the IDE's",
}
"""Files that nobody but the user may change or remove."""


@dataclass(frozen=True)
class Scenario:
    """prepare: commands that run first, unharmed; then the spec changes to `then`, and the user's files are put there.

    run: the command that crashes; again: what has to work after it, in the same folder. compilers: whether there are
    any. weight: how often it is drawn.
    """

    prepare: Sequence[Sequence[str]]
    run: Sequence[str]
    again: Sequence[str]
    spec: Mapping[str, Any] = field(default_factory=exact)
    then: Mapping[str, Any] = field(default_factory=dict)
    compilers: bool = True
    weight: int = 1
    users: bool = True


def _tool(*arguments: str) -> tuple[str, ...]:
    return (*TOOL, *arguments, *(() if arguments[0] in ("inspect", "clean") else ("--workers", "2")))


_OTHER = {"project": {"name": "other", "directory": "out", "test_vectors": 2}}
_GENERATE = _tool("generate")
_FORCE = _tool("generate", "--force")
_SMALL = spec(model="net.tflite", project={"name": "net", "directory": "out", "test_vectors": 3})
_PLAIN: Mapping[str, Any] = exact(model="net.tflite", project=_SMALL["project"])
_SEARCHED: Mapping[str, Any] = spec(search={"seed": 1, "evaluations": 4, "workers": 2}, verify={"images": 2})

SCENARIOS: Mapping[str, Scenario] = MappingProxyType(
    {
        "generate": Scenario((), _GENERATE, _GENERATE, _PLAIN, users=False, weight=2),
        "generate, no compiler": Scenario((), _GENERATE, _GENERATE, _PLAIN, compilers=False, users=False, weight=4),
        "generate again": Scenario((_GENERATE,), _GENERATE, _GENERATE, _PLAIN, _OTHER, weight=2),
        "generate again, no compiler": Scenario(
            (_GENERATE,), _GENERATE, _GENERATE, _PLAIN, _OTHER, compilers=False, weight=5
        ),
        "force": Scenario((_GENERATE,), _FORCE, _FORCE, _PLAIN, _OTHER, compilers=False, weight=4),
        "search": Scenario((), _GENERATE, _GENERATE, _SEARCHED, compilers=False, users=False),
        "clean": Scenario((_GENERATE,), _tool("clean"), _tool("clean"), _PLAIN, compilers=False, weight=4),
        "report": Scenario((), _tool("report"), _tool("report"), _PLAIN, compilers=False, users=False),
        "size": Scenario((), _tool("size"), _tool("size"), _PLAIN, users=False),
        "verify": Scenario((_GENERATE,), _tool("verify"), _tool("verify"), _PLAIN),
        "run": Scenario((), _tool("run"), _tool("run"), _PLAIN, users=False),
        "check": Scenario((_GENERATE,), _tool("check"), _tool("check"), _PLAIN),
        "compiledb": Scenario((_GENERATE,), _tool("compiledb"), _tool("compiledb"), _PLAIN, compilers=False),
        "prove": Scenario((), _tool("prove"), _tool("prove"), _PLAIN, users=False),
        "bench": Scenario((), _tool("bench"), _tool("bench"), _PLAIN, users=False),
        "inspect --init": Scenario(
            (),
            _tool("inspect", "net.tflite", "--init", "--spec", "new.yaml"),
            _tool("inspect", "net.tflite", "--init", "--spec", "new.yaml", "--force"),
            _PLAIN,
            compilers=False,
            weight=2,
        ),
        "scons": Scenario((), SCONS, SCONS, _PLAIN, compilers=False, users=False, weight=2),
        "scons -c": Scenario((SCONS,), (*SCONS, "-c"), (*SCONS, "-c"), _PLAIN, compilers=False, weight=2),
    }
)


def put_inputs(folder: Path, scenario: Scenario) -> None:
    """approx.yaml, the model, and what scons needs."""
    write_spec(folder, _absolute(scenario.spec))
    (folder / "net.tflite").write_bytes(network())
    shutil.copy(ROOT / "SConstruct", folder)
    site = folder / "site_scons"
    site.mkdir()
    (site / "site_tools").symlink_to(ROOT / "site_scons" / "site_tools")
    shutil.copy(ROOT / "site_scons" / "site_init.py", site)


def change(folder: Path, scenario: Scenario) -> None:
    """What the user does between the two runs."""
    write_spec(folder, _absolute({**scenario.spec, **scenario.then}))
    for path, content in USERS.items() if scenario.users else ():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


def _absolute(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: data() if key == "data" and value else value for key, value in values.items()}


def network() -> bytes:
    """One convolution and a dense layer."""
    rng = np.random.default_rng(1)
    builder = ModelBuilder()
    x = builder.input((1, 5, 5, 2), 0.02, -128)
    weights = rng.integers(-127, 128, (4, 3, 3, 2)).astype(np.int8)
    x = builder.conv2d(x, weights, 0.01, np.zeros(4, np.int32), scale=0.1, zero_point=-128)
    dense = rng.integers(-127, 128, (3, 100)).astype(np.int8)
    builder.output(builder.fully_connected(x, dense, 0.01, np.zeros(3, np.int32), scale=1.0))
    return builder.build()
