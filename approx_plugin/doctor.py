"""`doctor`: what is installed of what the tool can use, what is missing, what for, and how to get it."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from approx_plugin import __version__
from approx_plugin.build.emulator import QEMU
from approx_plugin.build.flashing import PROGRAMMERS
from approx_plugin.build.headless import find_cubeide
from approx_plugin.build.toolchain import COMPILER, PACKAGES, compiler_version
from approx_plugin.errors import ApproxError
from approx_plugin.process import run
from approx_plugin.resources import resource_root

PRESENT, MISSING, UNFIT = "ok", "missing", "unfit"
OLDEST_GCC = 10

_REQUIRED = ("PyYAML", "jsonschema", "numpy", "tflite", "flatbuffers", "scons", "pyelftools")
_OPTIONAL = {
    "unicorn": ("bench: the virtual board", "virtual-board"),
    "capstone": ("bench and prove: instructions", "virtual-board"),
    "rich": ("colours and a progress bar", "terminal"),
    "cmsis-pack-manager": ("packs: CMSIS-NN and device families", "packs"),
    "tflite-runtime": ("the tests' oracle", "tflite"),
}


@dataclass(frozen=True)
class Finding:
    """One thing. state: "ok", "missing" or "unfit"; found: version or place; needed: whether nothing works without."""

    name: str
    state: str
    found: str
    use: str
    get: str
    needed: bool = False


def findings() -> tuple[Finding, ...]:
    """Everything, in the order in which it is needed. Raises nothing: what is broken is a finding."""
    return (*_python(), *_programs(), *_flashing(), *_places())


def _python() -> Iterator[Finding]:
    yield Finding("Python", PRESENT, platform.python_version(), "everything", "", True)
    for name in _REQUIRED:
        yield _package(name, "everything", f"pip install {name}", needed=True)
    for name, (use, extra) in _OPTIONAL.items():
        yield _package(name, use, f"pip install 'approx-plugin[{extra}]'", needed=False)


def _package(name: str, use: str, get: str, needed: bool) -> Finding:
    try:
        return Finding(name, PRESENT, importlib.metadata.version(name), use, get, needed)
    except importlib.metadata.PackageNotFoundError:
        return Finding(name, MISSING, "", use, get, needed)


def _programs() -> Iterator[Finding]:
    get = f"sudo apt-get install {PACKAGES[COMPILER]}; STM32CubeIDE has one too"
    yield _compiler(get)
    yield _newlib(get)
    yield _program("cc", "bench: the virtual board's timing", "sudo apt-get install gcc", ("gcc", "clang"))
    yield _program(QEMU, "run and verify", f"sudo apt-get install {PACKAGES[QEMU]}")


def _compiler(get: str) -> Finding:
    place, use = shutil.which(COMPILER), "building, size, check, run, verify, prove, bench"
    if place is None:
        return Finding(COMPILER, MISSING, "", use, get)
    try:
        version = compiler_version(Path(place))
    except ApproxError as error:
        return Finding(COMPILER, UNFIT, error.what, use, get)
    first = version.split(".")[0]
    if not first.isdigit() or int(first) < OLDEST_GCC:
        return Finding(COMPILER, UNFIT, f"{version}, older than {OLDEST_GCC}", use, get)
    return Finding(COMPILER, PRESENT, f"{version}, {place}", use, get)


def _newlib(get: str) -> Finding:
    name, use = "newlib-nano", "the C library of a firmware"
    place = shutil.which(COMPILER)
    if place is None:
        return Finding(name, MISSING, "", use, get)
    try:
        said = run([place, "-print-file-name=nano.specs"], timeout=30).output.strip()
    except (ApproxError, subprocess.TimeoutExpired):
        said = ""
    # gcc answers with the bare name where it has no such file.
    return Finding(name, PRESENT, said, use, get) if Path(said).is_absolute() else Finding(name, MISSING, "", use, get)


def _program(name: str, use: str, get: str, others: tuple[str, ...] = ()) -> Finding:
    for candidate in (name, *others):
        place = shutil.which(candidate)
        if place:
            return Finding(name, PRESENT, place, use, get)
    return Finding(name, MISSING, "", use, get)


def _flashing() -> Iterator[Finding]:
    for programmer in PROGRAMMERS.values():
        yield _program(programmer.program, "program (one of them is enough)", programmer.get)


def _places() -> Iterator[Finding]:
    ide = find_cubeide()
    get = "from st.com; put it on the PATH, or set STM32CUBEIDE to its program"
    yield Finding("STM32CubeIDE", PRESENT if ide else MISSING, str(ide or ""), "cubeide", get)
    use = "speed of what our kernels leave to the library"
    get = "approx packs gets one; or set it, or name one in approx.yaml"
    library = os.environ.get("CMSIS_NN_PATH", "")
    if not library:
        yield Finding("CMSIS_NN_PATH", MISSING, "", use, get)
    elif any(Path(library).glob("**/Include/arm_nnfunctions.h")):
        yield Finding("CMSIS_NN_PATH", PRESENT, library, use, get)
    else:
        yield Finding("CMSIS_NN_PATH", UNFIT, f"{library} holds no CMSIS-NN", use, get)
    schema = resource_root() / "schemas" / "approx.schema.json"
    yield Finding("schema", PRESENT, str(schema), "completion of approx.yaml in editors", "")


def text(found: tuple[Finding, ...]) -> str:
    """A line for each, and how to get what is not there below it; within 80 columns as far as names allow."""
    width = max(len(one.name) for one in found)
    lines = [f"approx-plugin {__version__}"]
    for one in found:
        lines.append(f"{one.state:<7}  {one.name:<{width}}  {one.found or one.use}")
        if one.state != PRESENT:
            if one.found:
                lines.append(f"{'':<7}  {'':<{width}}  for {one.use}")
            lines.append(f"{'':<7}  {'':<{width}}  get it: {one.get}")
    return "\n".join(lines)


def document(found: tuple[Finding, ...]) -> dict[str, Any]:
    """The same as plain values."""
    return {"approx_plugin": __version__, "findings": [asdict(one) for one in found]}


def is_well(found: tuple[Finding, ...]) -> bool:
    """Whether all is there without which nothing works."""
    return all(one.state == PRESENT for one in found if one.needed)
