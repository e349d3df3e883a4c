"""All schedules, by name. A layer without an obstacle may take any of them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from approx_plugin.kernels.schedule import Schedule
from approx_plugin.kernels.schedules.cmsis_nn import CmsisNn
from approx_plugin.kernels.schedules.unpacked.schedule import Unpacked

SCHEDULES: Mapping[str, Schedule] = MappingProxyType({s.name: s for s in (CmsisNn(), Unpacked())})
