"""What the runtime's functions are assumed to cost where a board's costs.yaml has no figures for them.

Cycles for each count, read off the instructions that gcc -O2 makes for Cortex-M4 without wait states. They rank nothing
(no other kernel computes these operators), they only tell how much of an inference such an operator takes; reports mark
them as assumed.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

ASSUMED: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "runtime table": MappingProxyType({"call": 20.0, "elements": 6.0}),
        "runtime select": MappingProxyType({"call": 30.0, "runs": 25.0, "bytes": 1.5}),
        "runtime copy": MappingProxyType({"call": 20.0, "runs": 20.0, "bytes": 1.5}),
        "runtime sum": MappingProxyType({"call": 40.0, "rows": 25.0, "elements": 62.0}),
        "runtime product": MappingProxyType({"call": 40.0, "rows": 25.0, "elements": 32.0}),
        "runtime extremum": MappingProxyType({"call": 40.0, "rows": 25.0, "elements": 10.0}),
        "runtime slopes": MappingProxyType({"call": 40.0, "rows": 25.0, "elements": 36.0}),
        "runtime mean": MappingProxyType({"call": 40.0, "results": 40.0, "steps": 9.0}),
        "runtime reduced extremum": MappingProxyType({"call": 40.0, "results": 30.0, "steps": 20.0}),
        "runtime transposed convolution": MappingProxyType({"call": 60.0, "outputs": 60.0, "products": 6.0}),
        "runtime matrix product": MappingProxyType({"call": 60.0, "outputs": 40.0, "products": 8.0}),
        "runtime normalization": MappingProxyType({"call": 20.0, "rows": 400.0, "elements": 30.0}),
        "runtime log softmax": MappingProxyType({"call": 20.0, "rows": 300.0, "elements": 30.0}),
        "runtime index": MappingProxyType({"call": 20.0, "results": 15.0, "elements": 8.0}),
        "runtime wide softmax": MappingProxyType({"call": 20.0, "rows": 200.0, "elements": 30.0}),
        "runtime lstm": MappingProxyType({"call": 60.0, "results": 900.0, "products": 3.0}),
        "runtime svdf": MappingProxyType({"call": 60.0, "results": 40.0, "products": 6.0, "bytes": 0.5}),
        "runtime bilinear": MappingProxyType({"call": 40.0, "pixels": 40.0, "elements": 22.0}),
    }
)
"""Kind of work -> name of a count -> cycles for each."""
