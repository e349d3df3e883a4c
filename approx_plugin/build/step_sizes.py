"""What each step of a linked program takes of its flash."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def step_sizes(symbols: Mapping[str, int], steps: Iterable[str]) -> dict[str, int]:
    """C name of a step -> bytes of code and constants that only this step has.

    symbols: those of the program, name -> bytes. Every symbol of a step begins with the step's name; a compiler marks
    functions that it has specialised: approx_layer_03.constprop.0.
    """
    return {
        step: sum(size for name, size in symbols.items() if name == step or name.startswith((f"{step}_", f"{step}.")))
        for step in steps
    }
