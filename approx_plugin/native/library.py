"""The C that is built with the host's compiler at first use, and kept in the user's cache folder."""

from __future__ import annotations

import ctypes
import functools
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from approx_plugin.errors import ToolError
from approx_plugin.process import run
from approx_plugin.workplace import user_cache

SOURCES = Path(__file__).resolve().parent / "src"
FLAGS = ("-std=c11", "-O3", "-fPIC", "-shared")

NATIVE = ("-march=native",)
"""For this very processor; without it where the compiler does not know it."""

COMPILERS = ("cc", "gcc", "clang")

SWITCH = "APPROX_NATIVE"
"""Of the environment. 0: NumPy computes, as where no compiler is found; portable: C for any processor of the kind."""

FUNCTIONS = {"approx_convolve": 6, "approx_depthwise": 6, "approx_transformed": 11}
"""Name -> number of arguments: an int32 after the first pointer, pointers besides."""


@functools.lru_cache(maxsize=1)
def library() -> ctypes.CDLL | None:
    """The library, built if it is not there; None where it cannot be had. Asked once in a process."""
    return load(os.environ)


def load(environment: Mapping[str, str]) -> ctypes.CDLL | None:
    """See `library`."""
    if environment.get(SWITCH) == "0":
        return None
    native = () if environment.get(SWITCH) == "portable" else NATIVE
    path = user_cache(environment) / "native" / f"{_key(native)}.so"
    if not path.is_file() and not _build(path, native, environment):
        return None
    try:
        found = ctypes.CDLL(str(path))
        for name, count in FUNCTIONS.items():
            function = getattr(found, name)
            pointer = ctypes.c_void_p
            function.argtypes = [pointer, ctypes.c_int32, *[pointer] * (count - 2)]
            function.restype = ctypes.c_int32
    except (OSError, AttributeError):
        return None
    return found


def _key(native: tuple[str, ...]) -> str:
    """A digest of sources, flags and machine."""
    digest = hashlib.sha256()
    for part in (*FLAGS, *native, platform.system(), platform.machine(), _processor()):
        digest.update(part.encode() + b"\0")
    for file in sorted(SOURCES.glob("*.[ch]")):
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:32]


def _processor() -> str:
    """What the processor can do, where the system says it: a cache folder may be shared by several machines."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor()
    return next((line for line in lines if line.startswith(("flags", "Features"))), "")


def _build(target: Path, native: tuple[str, ...], environment: Mapping[str, str]) -> bool:
    """Compile it. Several processes may do so at once. False where there is no compiler, no room, or it fails."""
    names = [environment.get("CC", ""), *COMPILERS]
    compiler = next((one for one in names if one and shutil.which(one, path=environment.get("PATH"))), None)
    if compiler is None:
        return False
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix="build-") as scratch:
            output = Path(scratch) / "library.so"
            for flags in ((*FLAGS, *native), FLAGS):
                command = [compiler, *flags, "-o", str(output), *map(str, sorted(SOURCES.glob("*.c")))]
                if run(command, timeout=300).status == 0 and output.is_file():
                    output.replace(target)
                    return True
    except (OSError, ToolError, subprocess.TimeoutExpired):
        return False
    return False
