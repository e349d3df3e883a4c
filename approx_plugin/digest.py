"""Whether a project is still what its inputs make of it.

The digest covers every byte that generation reads: approx.yaml, what overrides it, the model, the data, the CMSIS-NN
directory, the tool's own code and resources, and the compiler's version.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable
from pathlib import Path

from approx_plugin.build.toolchain import COMPILER, compiler_version
from approx_plugin.errors import ApproxError
from approx_plugin.files import sha256_of, write_whole
from approx_plugin.hashes import sha256
from approx_plugin.pictures import picture_files
from approx_plugin.project.clean import is_intact
from approx_plugin.project.manifest import FILE_NAME
from approx_plugin.request import Request
from approx_plugin.resources import resource_root
from approx_plugin.spec.order import library_directory, store_of
from approx_plugin.spec.spec import Spec

RESOURCE_FOLDERS = ("board", "Core", "Middlewares", "schemas")
CODE = frozenset({".py", ".c", ".h", ".yaml", ".j2", ".css"})
"""Suffixes of the package's own files that decide what is generated."""

LIBRARY_DEPTH = 3
"""Folders that may lie between what the user names and CMSIS-NN itself, as in Drivers/CMSIS/NN."""


def tool_files() -> list[Path]:
    """The tool's own code and resources, sorted."""
    root = resource_root()
    package = Path(__file__).resolve().parent
    found = [p for p in package.rglob("*") if p.is_file() and p.suffix in CODE]
    for folder in RESOURCE_FOLDERS:
        found += [p for p in (root / folder).rglob("*") if p.is_file()]
    return sorted(set(found))


def library_files(directory: Path | None) -> list[Path]:
    """What may be taken from a CMSIS-NN directory, sorted."""
    if directory is None:
        return []
    places = ["*/" * depth + "Include/arm_nnfunctions.h" for depth in range(LIBRARY_DEPTH + 1)]
    roots = [header.parent.parent for place in places for header in directory.glob(place)]
    found = {p for root in roots for name in ("Include", "Source") for p in (root / name).rglob("*.[ch]")}
    # The pack's description tells the version; the licence goes into the project.
    found |= {p for root in (directory, *roots) for name in ("*.pdsc", "L[iI][cC]*") for p in root.glob(name)}
    return sorted(p for p in found if p.is_file())


def input_files(spec: Spec) -> list[Path]:
    """What approx.yaml names, and itself."""
    named = [source.file for source in spec.data.sources.values()] if spec.data else []
    data = [file for path in named for file in ([f for f, _ in picture_files(path)[0]] if path.is_dir() else [path])]
    design = [spec.design] if spec.design else []
    return sorted({spec.file, spec.model, *design, *data, *_pack_files(spec)})


def _pack_files(spec: Spec) -> list[Path]:
    """The description of a part's pack, and the lock file, which says what was fetched."""
    named = [] if spec.pdsc is None else sorted(spec.pdsc.glob("*.pdsc")) if spec.pdsc.is_dir() else [spec.pdsc]
    lock = store_of(spec).lock
    return [*named, lock] if lock.is_file() else named


def settings(request: Request, spec: Spec) -> str:
    """What decides the result beside the content of files, as one text."""
    compiler = shutil.which(COMPILER)
    version = compiler_version(Path(compiler)) if compiler else "no compiler"
    return repr(
        (request.board, str(request.out), str(library_directory(request, spec)), version, *_home(request, spec))
    )


def _home(request: Request, spec: Spec) -> tuple[str, ...]:
    """What of the user's project decides the network: its part, its compiler's flags, its memories.

    Not how large its program is: that changes daily, and a network that fits goes on fitting until it does not.
    """
    into = request.into or spec.project.into
    if into is None:
        return ()
    from approx_plugin.merging.host import read_host  # late: few need it

    try:
        host = read_host(into)
    except ApproxError as error:
        return (str(error),)
    return (repr(host),)


def of_inputs(request: Request, spec: Spec) -> str:
    """sha256 over all inputs of a generation."""
    digest = hashlib.sha256(settings(request, spec).encode())
    for group in (input_files(spec), tool_files(), library_files(library_directory(request, spec))):
        _add(digest, group)
    return digest.hexdigest()


def _add(digest: hashlib._Hash, files: Iterable[Path]) -> None:
    for file in files:
        digest.update(f"\n{file}\n".encode())
        digest.update(sha256_of(file))


def save_stamp(stamp: Path, inputs: str, directory: Path) -> None:
    """Note what the project in `directory` was made of."""
    content = {"inputs": inputs, "directory": str(directory), "manifest": sha256((directory / FILE_NAME).read_bytes())}
    write_whole(stamp, (json.dumps(content, indent=2) + "\n").encode())


def is_current(stamp: Path, inputs: str, directory: Path, strict: bool = False) -> bool:
    """Whether the project in `directory` was made of these inputs and none of its generated files was touched since.

    strict: nor has the IDE edited its own.
    """
    try:
        noted = json.loads(stamp.read_text(encoding="utf-8"))
        manifest = sha256((directory / FILE_NAME).read_bytes())
    except (OSError, ValueError):
        return False
    same = {"inputs": inputs, "directory": str(directory), "manifest": manifest}
    return bool(noted == same) and is_intact(directory, strict)
