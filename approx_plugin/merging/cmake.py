"""How CMake builds the network: a file of our own in the folder, and one line in the project's CMakeLists.txt."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from approx_plugin.errors import Location, ProjectError
from approx_plugin.merging.edits import line_end
from approx_plugin.merging.host import Machine
from approx_plugin.provenance import generated_by

FILE = "CMakeLists.txt"
TARGET = "approx_network"
_MARK = "# the network of approx.yaml; `approx remove` takes this line out"
_EXECUTABLE = re.compile(r"(?im)^[ \t]*add_executable[ \t\r\n]*\([ \t\r\n]*([^\s()]+)")
_CONFLICT = re.compile(rb"(?m)^(?:<{7}|>{7}) ")


def project_line(folder: str) -> str:
    """The one line."""
    return f"add_subdirectory({folder}) {_MARK}"


def with_line(content: bytes, folder: str, file: Path) -> bytes:
    """The project's file with the line at its end. Raises ProjectError for a file with a conflict of a merge in it."""
    if _CONFLICT.search(content):
        raise ProjectError("it holds an unresolved merge conflict", where=file, hint="resolve it, and run again")
    plain = without_line(content, folder)
    end = line_end(plain)
    line = project_line(folder).encode()
    return plain + line + end if not plain or plain.endswith(b"\n") else plain + end + line


def without_line(content: bytes, folder: str) -> bytes:
    """The file as it was before: without the line, and without the line end that it stood behind or in front of."""
    line = re.escape(project_line(folder).encode())
    return re.sub(rb"(?m)\r?\n" + line + rb"\Z|^" + line + rb"(?:\r?\n)?", b"", content)


def application_of(text: str, file: Path) -> str:
    """The target of the project's program, as its CMakeLists.txt spells it. Raises ProjectError for several."""
    found: list[str] = list(dict.fromkeys(_EXECUTABLE.findall(re.sub(r"#[^\n]*", "", text))))
    if len(found) != 1:
        raise ProjectError(
            f"it makes {len(found)} programs: {', '.join(found)}",
            where=Location(str(file)),
            why="the network is added to one of them",
            hint="let one CMakeLists.txt make one program",
        )
    return found[0].strip('"')


def fragment(
    sources: Iterable[str], includes: Sequence[str], machine: Machine, application: str, flags: Sequence[str] = ()
) -> str:
    """The CMakeLists.txt of the folder.

    sources, includes: below the folder. application: the target that gets the objects. flags: further ones.
    An OBJECT library: its sources have flags of their own, whatever those of the application are, and no archive can
    leave any of them out.
    """
    compiled = sorted(path for path in sources if path.endswith((".c", ".s", ".S")))
    listed = "\n".join(f"    {path}" for path in compiled)
    folders = "\n".join(f"    ${{CMAKE_CURRENT_LIST_DIR}}/{path}" for path in includes)
    options = "\n".join(f"    {flag}" for flag in machine.flags)
    more = "".join(f"\n    $<$<COMPILE_LANGUAGE:C>:{flag}>" for flag in flags)
    return f"""\
# {generated_by("how CMake builds the network")}
enable_language(C ASM)

add_library({TARGET} OBJECT
{listed}
)
target_include_directories({TARGET} PRIVATE
{folders}
)
# Behind the flags of the build type, so that the kernels are quick in every one of them.
target_compile_options({TARGET} PRIVATE
{options}
    -ffunction-sections
    -fdata-sections
    $<$<COMPILE_LANGUAGE:C>:-O3>{more}
)

target_sources({application} PRIVATE $<TARGET_OBJECTS:{TARGET}>)
target_include_directories({application} PRIVATE ${{CMAKE_CURRENT_LIST_DIR}}/Inc)
"""
