"""A document held against its schema: what further checks look at, and how all mistakes are raised at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from approx_plugin.documents.document import Document, Keys, in_order
from approx_plugin.documents.reader import read
from approx_plugin.documents.schema import Schema, filled
from approx_plugin.documents.validation import schema_mistakes
from approx_plugin.documents.wording import dotted
from approx_plugin.errors import ApproxError, raise_all


@dataclass(frozen=True)
class Checked:
    """A document and what its schema says about it.

    values: the file's values with the schema's defaults filled in and whole numbers as int.
    wrong:  the values that have a message already; errors: those messages.
    remedy: what to do about a mistake where nothing better is known.
    """

    document: Document
    values: Any
    wrong: frozenset[Keys]
    errors: tuple[ApproxError, ...]
    remedy: str = ""

    @cached_property
    def spoilt(self) -> frozenset[Keys]:
        """The values in which something is wrong."""
        return frozenset(keys[:length] for keys in self.wrong for length in range(len(keys)))

    def get(self, *keys: str | int) -> Any:
        """A value; None where it is missing, or where it, something in it or something around it is wrong."""
        if keys in self.spoilt or any(keys[:length] in self.wrong for length in range(len(keys) + 1)):
            return None
        value: Any = self.values
        for key in keys:
            if isinstance(value, list) and isinstance(key, int):
                value = value[key]
            else:
                value = value.get(key) if isinstance(value, dict) else None
        return value

    def names(self, *keys: str | int) -> tuple[str, ...]:
        """The keys of a map, of one with mistakes in it too; none where there is no map."""
        value: Any = self.values
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        return tuple(value) if isinstance(value, dict) else ()

    def error(self, keys: Keys, what: str, why: str = "", hint: str = "") -> ApproxError:
        """A mistake of a value: `what` is wrong with it."""
        return self.document.error(
            f"{dotted(keys)}: {what}", where=self.document.where(keys), why=why, hint=hint or self.remedy
        )

    def raise_mistakes(self, further: Iterable[ApproxError] = ()) -> None:
        """Raise the schema's errors and the `further` ones, in the order of the file; nothing if there are none."""
        raise_all(in_order([*self.errors, *further]))


def hold(document: Document, root: Schema, value: Any, remedy: str = "") -> Checked:
    """Hold a document against the schema `root`; nothing is raised.

    value: the document's, in the form in which its defaults are to be filled in. remedy: see `Checked`.
    """
    mistakes = schema_mistakes(document, root, remedy)
    return Checked(
        document,
        filled(root, root, value),
        document.broken | {mistake.keys for mistake in mistakes},
        (*document.errors, *(mistake.error for mistake in mistakes)),
        remedy,
    )


def load(path: Path, root: Schema, error: type[ApproxError], remedy: str = "") -> Checked:
    """Read a file and hold it against the schema `root`. error: the class of its mistakes.

    Raises `error` for a file that cannot be read or is no YAML; everything else is in the result.
    """
    document = read(path, error)
    return hold(document, root, document.value, remedy)
