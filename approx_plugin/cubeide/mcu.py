"""What STM32CubeIDE knows from its MCU database and a .cproject does not say: core, macro and memories of a part.

Kept apart from `board/*/board.yaml` on purpose: a check that asked the generator's own table would agree with any
mistake in it. Sources: ST's reference manuals RM0456 (U5), RM0432 (L4+), RM0390 (F446), RM0410 (F76x), RM0433 (H743),
RM0455 (H7A3), memory maps and embedded SRAM chapters; cores by series from ST's product pages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

CORES: Mapping[str, str] = {
    "STM32C0": "cortex-m0plus",
    "STM32F0": "cortex-m0",
    "STM32F1": "cortex-m3",
    "STM32F2": "cortex-m3",
    "STM32F3": "cortex-m4",
    "STM32F4": "cortex-m4",
    "STM32F7": "cortex-m7",
    "STM32G0": "cortex-m0plus",
    "STM32G4": "cortex-m4",
    "STM32H5": "cortex-m33",
    "STM32H7": "cortex-m7",
    "STM32L0": "cortex-m0plus",
    "STM32L1": "cortex-m3",
    "STM32L4": "cortex-m4",
    "STM32L5": "cortex-m33",
    "STM32U0": "cortex-m0plus",
    "STM32U5": "cortex-m33",
    "STM32U3": "cortex-m33",
    "STM32WB": "cortex-m4",
    "STM32WB0": "cortex-m0plus",
    "STM32WBA": "cortex-m33",
    "STM32WL": "cortex-m4",
    "STM32WL3": "cortex-m0plus",
}
"""Series, or where it has several cores the start of a part's name -> gcc's -mcpu of the (first) core."""

FPUS: Mapping[str, frozenset[str]] = {
    "cortex-m0": frozenset(),
    "cortex-m0plus": frozenset(),
    "cortex-m3": frozenset(),
    "cortex-m4": frozenset({"fpv4-sp-d16"}),
    "cortex-m33": frozenset({"fpv5-sp-d16"}),
    "cortex-m7": frozenset({"fpv5-sp-d16", "fpv5-d16"}),
}
"""Core -> floating-point units that parts with it have, as gcc's -mfpu."""

FLASH_BASE = 0x0800_0000


@dataclass(frozen=True)
class Part:
    """A part: device macro, FPU, and the memories a linker script may use, as (origin, length in bytes)."""

    define: str
    fpu: str
    memories: tuple[tuple[int, int], ...]


_K = 1024
PARTS: Mapping[str, Part] = {
    "STM32U575ZITxQ": Part(
        "STM32U575xx",
        "fpv5-sp-d16",
        ((FLASH_BASE, 2048 * _K), (0x2000_0000, 768 * _K), (0x2800_0000, 16 * _K)),
    ),
    # SRAM2 answers at 0x10000000 and also behind SRAM1, so that SRAM1, SRAM2 and SRAM3 are one block of 640 K.
    "STM32L4R5ZITx": Part(
        "STM32L4R5xx",
        "fpv4-sp-d16",
        ((FLASH_BASE, 2048 * _K), (0x2000_0000, 640 * _K), (0x1000_0000, 64 * _K)),
    ),
    "STM32F446RETx": Part("STM32F446xx", "fpv4-sp-d16", ((FLASH_BASE, 512 * _K), (0x2000_0000, 128 * _K))),
    "STM32F767ZITx": Part(
        "STM32F767xx",
        "fpv5-d16",
        ((FLASH_BASE, 2048 * _K), (0x0020_0000, 2048 * _K), (0x2000_0000, 512 * _K), (0x0000_0000, 16 * _K)),
    ),
    "STM32H743ZITx": Part(
        "STM32H743xx",
        "fpv5-d16",
        (
            (FLASH_BASE, 2048 * _K),
            (0x0000_0000, 64 * _K),
            (0x2000_0000, 128 * _K),
            (0x2400_0000, 512 * _K),
            (0x3000_0000, 288 * _K),
            (0x3800_0000, 64 * _K),
        ),
    ),
    "STM32H7A3ZITxQ": Part(
        "STM32H7A3xxQ",
        "fpv5-d16",
        (
            (FLASH_BASE, 2048 * _K),
            (0x0000_0000, 64 * _K),
            (0x2000_0000, 128 * _K),
            (0x2400_0000, 1024 * _K),
            (0x3000_0000, 128 * _K),
            (0x3800_0000, 32 * _K),
        ),
    ),
}
"""Parts of the boards that the project knows, by the name that STM32CubeIDE gives them."""


def core_of(mcu: str) -> str | None:
    """gcc's -mcpu for a part ("STM32U575ZITxQ" -> "cortex-m33"); None for a series that is not in the table."""
    return CORES.get(mcu[:8]) or CORES.get(mcu[:7])


def macro_stem(mcu: str) -> str:
    """What the device macro starts with: the part's line ("STM32U575ZITxQ" -> "STM32U575")."""
    return mcu[:9]
