"""All kernels, by name. They compete: which one computes an operator is the exploration's choice.

To add a kernel:
1. Write `kernels/<name>/` (or one file) with a `Plan` and a `Kernel`; TEMPLATE.py beside this file is one to copy.
2. Add it to `_KERNELS` below.
3. Try it: `python -m approx_plugin.laboratory --kernel <name>`, then `python -m approx_plugin.calibration`.
The choice, lowering, the cost model's calibration and the laboratory's tests take it from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from approx_plugin.kernels.added.kernel import Added
from approx_plugin.kernels.cmsis_nn.kernel import CmsisNn
from approx_plugin.kernels.gemm.kernel import Gemm
from approx_plugin.kernels.kernel import Kernel
from approx_plugin.kernels.packed.kernel import Packed
from approx_plugin.kernels.planes.kernel import Planes
from approx_plugin.kernels.pooled.kernel import Pooled
from approx_plugin.kernels.portable.kernel import Runtime
from approx_plugin.kernels.unpacked.kernel import Unpacked
from approx_plugin.kernels.winograd.kernel import Winograd

_KERNELS: tuple[Kernel, ...] = (
    CmsisNn(),
    Unpacked(),
    Gemm(),
    Planes(),
    Winograd(),
    Packed(),
    Added(),
    Pooled(),
    Runtime(),
)

KERNELS: Mapping[str, Kernel] = MappingProxyType({kernel.name: kernel for kernel in _KERNELS})
"""The order is that of equally good plans: the first one is taken."""

BASELINE = CmsisNn.name
"""What everything is compared with: the library, everywhere."""
