"""The small files that Eclipse keeps beside .cproject: `.project` and the encoding of the sources."""

from __future__ import annotations

from approx_plugin.cubeide.ids import BUILDERS, NATURES, SECURITY_NATURES
from approx_plugin.cubeide.markup import element, render


def natures(series: str) -> tuple[str, ...]:
    """The natures of a project for a part of `series` ("STM32U5")."""
    found: list[str] = []
    for nature in NATURES:
        found.extend(SECURITY_NATURES.get(series, ()) if nature == "{security}" else (nature,))
    return tuple(found)


def project_text(name: str, series: str) -> str:
    """The text of `.project`: under-root, no linked resources, no device configuration."""
    builders = [
        element(
            "buildCommand",
            None,
            element("name", text=builder),
            element("triggers", text=triggers),
            element("arguments", text=""),
        )
        for builder, triggers in BUILDERS.items()
    ]
    root = element(
        "projectDescription",
        None,
        element("name", text=name),
        element("comment", text=""),
        element("projects", text=""),
        element("buildSpec", None, *builders),
        element("natures", None, *(element("nature", text=nature) for nature in natures(series))),
    )
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + render(root)


def encoding_text() -> str:
    """The text of `.settings/org.eclipse.core.resources.prefs`: without it the IDE warns of an unset encoding."""
    return "eclipse.preferences.version=1\nencoding/<project>=UTF-8\n"
