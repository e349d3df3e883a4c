"""The templates, and what they call."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from approx_plugin.report.layout import kib, number, share

TEMPLATES = Path(__file__).resolve().parent / "templates"


def count(value: float | None) -> str:
    """`12,345`, or a dash: how pages and texts write bytes, cycles and products."""
    return "-" if value is None else f"{value:,.0f}"


def percentage(value: float | None) -> str:
    """`81.25 %`, or a dash."""
    return "-" if value is None else f"{value:.2f} %"


def signed(value: float) -> str:
    """`+0.25`, `-1.00`."""
    return f"{value:+.2f}"


def render(template: str, **values: Any) -> str:
    """The text of a page. Every value is escaped; one that is missing is an error of ours."""
    return _environment().get_template(template).render(**values).rstrip() + "\n"


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES, encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(count=count, percentage=percentage, signed=signed, kib=kib, number=number)
    environment.globals.update(change=share)
    return environment
