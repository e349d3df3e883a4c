"""All schedules, by name. A layer without an obstacle may take any of them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from approx_plugin.kernels.cmsis_nn.kernel import CmsisNn
from approx_plugin.kernels.kernel import Schedule
from approx_plugin.kernels.unpacked.kernel import Unpacked

SCHEDULES: Mapping[str, Schedule] = MappingProxyType({s.name: s for s in (CmsisNn(), Unpacked())})
