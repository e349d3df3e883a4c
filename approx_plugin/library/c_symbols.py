"""What C files define and mention, found in their text, for choosing which files of a library to compile.

No preprocessing takes place: every branch of a conditional counts, so that the answer holds for all cores and all
configurations. The text has to be laid out as usual, with definitions and their closing braces at the start of a line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_NOISE = re.compile(r"""//[^\n]*|/\*.*?(?:\*/|\Z)|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.DOTALL)
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', re.MULTILINE)
_MACRO = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(\w+)(.*)$", re.MULTILINE)
_DIRECTIVE = re.compile(r"^[ \t]*#.*$", re.MULTILINE)
_IDENTIFIER = re.compile(r"\b[A-Za-z_]\w*")
_HEAD = r"^(?!typedef\b)(?P<head>[A-Za-z_][\w\s*]*?)\b(?P<name>[A-Za-z_]\w*)\s*"
_FUNCTION = re.compile(_HEAD + r"\((?P<parameters>[^;{}]*)\)\s*\{(?P<body>.*?)^\}", re.MULTILINE | re.DOTALL)
_OBJECT = re.compile(_HEAD + r"(?:\[[^\]]*\]\s*)*=", re.MULTILINE)
_PROTOTYPE = re.compile(_HEAD + r"\([^;{}]*\)\s*;", re.MULTILINE)


@dataclass(frozen=True)
class CFile:
    """One file.

    includes:    names in `#include "..."`.
    identifiers: everything that it mentions.
    exported:    functions and objects with external linkage that it defines.
    inline:      macros and functions with internal linkage: name -> what the definition mentions.
    declared:    functions that it declares without defining them.
    """

    includes: tuple[str, ...]
    identifiers: frozenset[str]
    exported: frozenset[str]
    inline: Mapping[str, frozenset[str]]
    declared: frozenset[str]


def read_c(text: str) -> CFile:
    """The facts about one file, from its text."""
    includes = tuple(_INCLUDE.findall(text))
    plain = _NOISE.sub(" ", text).replace("\\\n", " ")
    inline = {name: _identifiers(rest) for name, rest in _MACRO.findall(plain)}
    code = _DIRECTIVE.sub("", plain)
    exported = set()
    for match in _FUNCTION.finditer(code):
        if _is_internal(match["head"]):
            inline[match["name"]] = _identifiers(match["body"])
        else:
            exported.add(match["name"])
    exported.update(m["name"] for m in _OBJECT.finditer(code) if not _is_internal(m["head"]))
    return CFile(
        includes=includes,
        identifiers=_identifiers(plain),
        exported=frozenset(exported),
        inline=inline,
        declared=frozenset(m["name"] for m in _PROTOTYPE.finditer(code)),
    )


def _identifiers(text: str) -> frozenset[str]:
    return frozenset(_IDENTIFIER.findall(text))


def _is_internal(head: str) -> bool:
    """Whether a definition starts with `static` or `inline`, or with a macro that stands for them."""
    return any("static" in word.lower() or "inline" in word.lower() for word in head.split())
