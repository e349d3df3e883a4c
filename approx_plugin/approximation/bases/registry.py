"""All bases, by name: what design.json names is found here again."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from approx_plugin.approximation.bases.taps import TAPS
from approx_plugin.approximation.bases.transformed import POINTS_T22, POINTS_T42
from approx_plugin.approximation.basis import Basis

BASES: Mapping[str, Basis] = MappingProxyType({basis.name: basis for basis in (TAPS, POINTS_T22, POINTS_T42)})
