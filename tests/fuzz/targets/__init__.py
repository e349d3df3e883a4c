"""The targets by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from tests.fuzz.target import Target
from tests.fuzz.targets.cproject import CPROJECT
from tests.fuzz.targets.data import DATA
from tests.fuzz.targets.model import MODEL
from tests.fuzz.targets.spec import SPEC
from tests.fuzz.targets.uart import UART

TARGETS: Mapping[str, Target] = MappingProxyType(
    {target.name: target for target in (SPEC, MODEL, DATA, CPROJECT, UART)}
)
