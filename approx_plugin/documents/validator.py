"""What a validator finds wrong with a value, as plain values. Only this module knows jsonschema."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from approx_plugin.documents.document import Keys
from approx_plugin.documents.schema import Schema

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError


class Failure(NamedTuple):
    """What the validator reports, as plain values.

    keys:     the value that fails.
    keyword:  the schema's keyword that it fails, expected: that keyword's value, schema: where it stands.
    instance: the failing value itself.
    form:     within the failure of a `oneOf`: which of the alternatives it belongs to.
    causes:   of a `oneOf`: what is wrong with each alternative.
    """

    keys: Keys
    keyword: str
    expected: Any
    instance: Any
    schema: Schema
    form: object
    causes: tuple[Any, ...]


def _failure(error: ValidationError) -> Failure:
    """The validator's error as plain values."""
    schema: Any = error.schema
    return Failure(
        keys=tuple(error.absolute_path),
        keyword=str(error.validator),
        expected=error.validator_value,
        instance=error.instance,
        schema=schema,
        form=error.relative_schema_path[0],
        causes=tuple(_failure(cause) for cause in error.context),
    )


def failures(root: Schema, value: Any) -> Iterator[Failure]:
    """Everything in which `value` fails the schema `root`, in the validator's order."""
    return map(_failure, _validator()(root).iter_errors(value))


def repeated(items: list[Any]) -> int | None:
    """The index of the first item that stands in the list already; None without one.

    As JSON Schema compares: 3 and 3.0 are the same, 1 and true are not. Each item is looked at once.
    """
    seen: set[str] = set()
    for index, item in enumerate(items):
        whole = isinstance(item, float) and item.is_integer()
        text = json.dumps(int(item) if whole else item, sort_keys=True)
        if text in seen:
            return index
        seen.add(text)
    return None


@functools.cache
def _validator() -> Any:
    """The class of validators: jsonschema's, but it compares the items of a list with each other in linear time."""
    # Imported here: it costs more time than all the rest, and a start without a spec (scons -h) need not pay for it.
    from jsonschema import Draft7Validator
    from jsonschema.exceptions import ValidationError
    from jsonschema.validators import extend

    def unique_items(_: Any, wanted: bool, instance: Any, __: Schema) -> Iterator[ValidationError]:
        if wanted and isinstance(instance, list) and repeated(instance) is not None:
            yield ValidationError("an item stands there twice")

    return extend(Draft7Validator, {"uniqueItems": unique_items})  # type: ignore[no-untyped-call]
