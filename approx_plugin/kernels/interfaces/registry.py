"""The interfaces, by the name that they have in approx.yaml.

To add one: a function from a Program to its sources in a file of this folder, and a line in `INTERFACES`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from approx_plugin.kernels.emission import Sources
from approx_plugin.kernels.interfaces.ai import ai_sources
from approx_plugin.kernels.interfaces.shared import umbrella
from approx_plugin.kernels.interfaces.stai import stai_sources
from approx_plugin.kernels.program import Program

INTERFACES: Mapping[str, Callable[[Program], Sources]] = MappingProxyType({"ai": ai_sources, "stai": stai_sources})


def with_interfaces(program: Program, names: Iterable[str]) -> Program:
    """The program with the sources of some interfaces beside its own."""
    wanted = sorted(set(names))
    if not wanted:
        return program
    added = [INTERFACES[name](program) for name in wanted]
    sources = {path: text for part in (program.sources, *added) for path, text in part.items()}
    return replace(program, sources={**sources, **umbrella(program, wanted)})
