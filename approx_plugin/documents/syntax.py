"""What PyYAML says about text that is no YAML, in words that help."""

from __future__ import annotations

from typing import NamedTuple

import yaml
from yaml.reader import ReaderError

from approx_plugin.errors import ApproxError, Location


class _Rule(NamedTuple):
    """problem: part of PyYAML's text; at_context: whether what it started to read is the better place."""

    problem: str
    at_context: bool
    what: str
    hint: str


RULES = (
    _Rule(
        "'\\t' that cannot start",
        False,
        "a tab stands where only spaces may stand",
        "replace the tab by spaces",
    ),
    _Rule(
        "cannot start any token",
        False,
        "a value cannot start with this character",
        "write quotes around the value",
    ),
    _Rule(
        "mapping values are not allowed",
        False,
        "this ':' is one too many, or this line is not aligned with the one above",
        "align the keys of one map in one column, and write quotes around text that has a ': ' in it",
    ),
    _Rule(
        "sequence entries are not allowed",
        False,
        "a list cannot start here",
        "write [a, b], or start every '- ' item on a line of its own below the key",
    ),
    _Rule(
        "could not find expected ':'",
        True,
        "this line is no 'key: value'",
        "write a ':' and a space after the key",
    ),
    _Rule(
        "expected <block end>",
        False,
        "this line does not fit the lines above it",
        "align the keys of one map in one column, and do not mix them with '- ' items",
    ),
    _Rule(
        "found unexpected end of stream",
        True,
        "the quotes that open here are never closed",
        "close the quotes",
    ),
    _Rule(
        "expected ',' or",
        True,
        "the bracket that opens here is not closed, or a ',' is missing in it",
        "close the bracket and write a ',' between its items",
    ),
    _Rule(
        "expected the node content",
        False,
        "a value is missing here",
        "write the value, and close every bracket that was opened",
    ),
    _Rule(
        "unknown escape character",
        False,
        "this escape sequence does not exist",
        "write single quotes around the text: they leave every \\ as it is",
    ),
)


def syntax_error(file: str, text: str, found: Exception, error: type[ApproxError]) -> ApproxError:
    """The mistake behind an exception that was raised while `text` was parsed, as an `error`."""
    if isinstance(found, ReaderError):
        before = text[: found.position]
        place = Location(file, before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)
        code = found.character if isinstance(found.character, int) else ord(found.character)
        return error(
            f"the file holds a control character (U+{code:04X})", where=place, hint="remove it; the file is plain text"
        )
    if not isinstance(found, yaml.MarkedYAMLError):
        return error("the file is no YAML", where=file, why=str(found), hint="check its escape sequences")
    problem = found.problem or ""
    mark = found.problem_mark or found.context_mark
    for rule in RULES:
        if rule.problem in problem:
            mark = (rule.at_context and found.context_mark) or mark
            what, why, hint = rule.what, "", rule.hint
            break
    else:
        what, why, hint = "this is no YAML", problem, "compare it with the example in the README"
    where = Location(file, mark.line + 1, mark.column + 1) if mark else Location(file)
    return error(what, where=where, why=why, hint=hint)
