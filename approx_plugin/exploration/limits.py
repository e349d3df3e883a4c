"""The target's costs: what the network may take, as far as that can be had."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from approx_plugin.kernels.needs import FLASH, RAM, Bytes
from approx_plugin.spec.spec import Target


class Cost(Protocol):
    """What a design takes: a price, or a measured point."""

    @property
    def cycles(self) -> float:
        """Of one inference."""
        ...

    @property
    def flash_bytes(self) -> int:
        """Of the steps."""
        ...

    @property
    def ram_bytes(self) -> int:
        """Of the arena."""
        ...


@dataclass(frozen=True)
class Limits:
    """flash, ram: bytes; cycles: of one inference. None: not limited."""

    flash: int | None = None
    ram: int | None = None
    cycles: float | None = None

    @classmethod
    def of(cls, target: Target | None, clock_hz: int) -> Limits:
        """The target's on a board with this clock."""
        if target is None:
            return cls()
        cycles = target.max_cycles
        if target.max_latency is not None:
            cycles = target.max_latency * clock_hz
        return cls(target.max_flash, target.max_ram, cycles)

    def __bool__(self) -> bool:
        """Whether anything is limited."""
        return self != Limits()

    def met(self, cost: Cost) -> bool:
        """Whether a design keeps all of them."""
        found = ((self.flash, cost.flash_bytes), (self.ram, cost.ram_bytes), (self.cycles, cost.cycles))
        return all(limit is None or value <= limit for limit, value in found)

    def tightened(self, budgets: Bytes) -> Bytes:
        """The budgets, or less where the limits ask for less."""
        own = {FLASH: self.flash, RAM: self.ram}
        return {m: size if own.get(m) is None else min(size, own[m] or 0) for m, size in budgets.items()}
