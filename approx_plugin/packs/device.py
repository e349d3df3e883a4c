"""A part as its pack describes it: plain values, nothing of the XML is left in them."""

from __future__ import annotations

from dataclasses import dataclass

FLASH = "flash"
RAM = "ram"


@dataclass(frozen=True)
class Region:
    """A memory. name: the pack's; kind: FLASH or RAM; origin: address; length: bytes.

    startup: the core begins there.
    """

    name: str
    kind: str
    origin: int
    length: int
    startup: bool = False

    @property
    def end(self) -> int:
        """The address behind it."""
        return self.origin + self.length


@dataclass(frozen=True)
class Device:
    """One part and, where it has several cores, one of them.

    name:      as the pack spells it, e.g. "STM32G474RETx": the name of a variant where it was asked for.
    pack:      "Keil::STM32G4xx_DFP 2.0.0".
    core:      the pack's Dcore, e.g. "Cortex-M4"; processor: its name on a part with several cores, "" otherwise.
    others:    the names of the part's other processors.
    fpu:       "", "single" or "double".
    dsp:       whether the core has the DSP extension; None where the pack does not say so.
    clock_hz:  the highest core clock, None where the pack does not say so.
    define:    the device macro ("STM32G474xx"), "" where the pack names none.
    svd:       path of the description of its registers within the pack, "" for none.
    """

    name: str
    pack: str
    core: str
    processor: str
    others: tuple[str, ...]
    fpu: str
    dsp: bool | None
    clock_hz: int | None
    define: str
    svd: str
    regions: tuple[Region, ...]
