"""What code is generated for: the core and the back end."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """core: gcc's -mcpu; dsp: the core has SMLAD and its kin; backend: "assembly" or "c" for unpacked kernels."""

    core: str
    dsp: bool
    backend: str
