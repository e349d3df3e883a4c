"""The inner loop in C: built with the host's compiler at first use, kept in the user's cache folder.

There is no slower substitute in Python: two implementations of one model would have to be kept in step for a case that
one `pip install` mends (the package `ziglang` is a complete C compiler).
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from approx_plugin.errors import ToolError
from approx_plugin.process import run
from approx_plugin.virtual_board import layout
from approx_plugin.workplace import user_cache

NATIVE = Path(__file__).resolve().parent / "native"
FLAGS = ("-std=c11", "-O2", "-fPIC", "-shared", "-fno-strict-aliasing")
COMPILERS = ("cc", "gcc", "clang")
COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)|//[^\n]*", re.DOTALL)
TOKEN = re.compile(r"\w+|[^\w\s]")


def find_compiler(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The command of a C compiler for this machine: $CC, cc, gcc, clang, or zig from PyPI. Raises ToolError."""
    chosen = environment.get("CC", "").split()
    if chosen and shutil.which(chosen[0], path=environment.get("PATH")):
        return tuple(chosen)
    for name in COMPILERS:
        found = shutil.which(name, path=environment.get("PATH"))
        if found:
            return (found,)
    if importlib.util.find_spec("ziglang"):
        return (sys.executable, "-m", "ziglang", "cc")
    raise ToolError(
        "no C compiler for this machine was found",
        why="the cycle model is written in C and built at first use; $CC, " + ", ".join(COMPILERS) + " were tried",
        hint="install gcc or clang, or 'pip install ziglang'",
    )


def cache_folder(environment: Mapping[str, str]) -> Path:
    """Where built libraries are kept."""
    return user_cache(environment) / "virtual-board"


def source_key() -> str:
    """A digest of the sources, the flags and the machine: a library of this name needs no rebuilding."""
    digest = hashlib.sha256()
    for part in (*FLAGS, platform.system(), platform.machine()):
        digest.update(part.encode() + b"\0")
    for file in sorted(NATIVE.glob("*.[ch]")):
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:32]


def model_key() -> str:
    """A digest of what the sources compute: of their tokens, without comments and layout, on whatever machine."""
    digest = hashlib.sha256()
    for file in sorted(NATIVE.glob("*.[ch]")):
        code = COMMENT.sub(" ", file.read_text(encoding="utf-8"))
        digest.update(f"{file.name} {' '.join(TOKEN.findall(code))}\0".encode())
    return digest.hexdigest()[:32]


def build(folder: Path, environment: Mapping[str, str]) -> Path:
    """Compile the library into `folder` under its key. Several processes may do so at once. Raises ToolError."""
    target = folder / f"{source_key()}.so"
    compiler = find_compiler(environment)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix="build-") as scratch:
            output = Path(scratch) / "library.so"
            command = [*compiler, *FLAGS, "-o", str(output), *(str(f) for f in sorted(NATIVE.glob("*.c")))]
            done = run(command, timeout=300)
            if done.status or not output.is_file():
                raise ToolError(
                    f"the host's C compiler failed on the cycle model (status {done.status})",
                    where=" ".join(compiler),
                    why=done.output.strip()[-2000:],
                    hint="set CC to a C11 compiler of this machine",
                )
            output.replace(target)
    except subprocess.TimeoutExpired:
        raise ToolError("the host's C compiler did not end within 300 s", where=" ".join(compiler)) from None
    except OSError as error:
        raise ToolError(
            f"the cycle model cannot be built: {error.strerror}",
            where=folder,
            hint="set XDG_CACHE_HOME to a folder that can be written",
        ) from error
    return target


def load(environment: Mapping[str, str] | None = None) -> ctypes.CDLL:
    """The library with all prototypes set; built if it is not there or cannot be loaded. Raises ToolError."""
    environment = os.environ if environment is None else environment
    folder = cache_folder(environment)
    path = folder / f"{source_key()}.so"
    if path.is_file():
        try:
            return layout.declare(ctypes.CDLL(str(path)))
        except (OSError, AttributeError):
            path.unlink(missing_ok=True)
    path = build(folder, environment)
    try:
        return layout.declare(ctypes.CDLL(str(path)))
    except (OSError, AttributeError) as error:
        raise ToolError(
            "the library that the host's C compiler built cannot be loaded",
            where=path,
            why=str(error),
            hint="set CC to a compiler for the machine that Python runs on",
        ) from error
