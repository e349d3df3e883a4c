"""Builds firmware of the repository's static C, a board, and a small network that this file also computes in Python."""

from __future__ import annotations

import random
import subprocess
import zlib
from collections.abc import Sequence
from pathlib import Path

from c_dialect import C11, WARNINGS

from approx_plugin.boards.board import Board
from approx_plugin.boards.linker import emulator_linker_script, linker_script
from approx_plugin.boards.sources import board_sources, core_sources, emulator_sources
from approx_plugin.boards.startup import startup

NETWORK = Path(__file__).resolve().parent / "fake_network"
LAYERS = ("halve_0", "mirror_1", "sum_2")


def truncated(value: int, divisor: int) -> int:
    """Division as C does it."""
    return abs(value) // divisor * (1 if value >= 0 else -1)


def layer_outputs(image: Sequence[int]) -> list[list[int]]:
    """What the three layers of the network put out."""
    half = [truncated(value, 2) for value in image]
    mirrored = [half[i] - half[63 - i] for i in range(64)]
    return [half, mirrored, [truncated(sum(mirrored[i::10]), 8) for i in range(10)]]


def as_bytes(values: Sequence[int]) -> bytes:
    return bytes(value & 0xFF for value in values)


class Vectors:
    """Test vectors and the checksums of their layers; a test may spoil some of them."""

    def __init__(self, count: int, seed: int = 1) -> None:
        rng = random.Random(seed)
        self.images = [[rng.randint(-128, 127) for _ in range(64)] for _ in range(count)]
        layers = [layer_outputs(image) for image in self.images]
        self.outputs = [outputs[-1] for outputs in layers]
        self.checksums = [[zlib.crc32(as_bytes(output)) for output in outputs] for outputs in layers]

    def source(self) -> str:
        """test_vectors.c"""

        def joined(rows: Sequence[Sequence[int]], suffix: str = "") -> str:
            return ", ".join(f"{value}{suffix}" for row in rows for value in row) or "0"

        return (
            '#include "test_vectors.h"\n'
            f"const uint32_t test_vector_count = {len(self.images)}u;\n"
            f"const int8_t test_vector_inputs[] = {{{joined(self.images)}}};\n"
            f"const int8_t test_vector_outputs[] = {{{joined(self.outputs)}}};\n"
            f"const uint32_t test_vector_checksums[] = {{{joined(self.checksums, 'u')}}};\n"
        )


def build(
    board: Board,
    folder: Path,
    *,
    vectors: Vectors,
    emulator: bool = False,
    defines: Sequence[str] = (),
    extra: Sequence[Path] = (),
    flags: Sequence[str] = ("-Os", C11),
) -> Path:
    """Compile and link; the ELF. Raises AssertionError with the compiler's words."""
    script = folder / "script.ld"
    script.write_text(emulator_linker_script(board) if emulator else linker_script(board))
    (folder / "startup.s").write_text(startup(board))
    (folder / "test_vectors.c").write_text(vectors.source())
    files = {**core_sources(), **(emulator_sources() if emulator else board_sources(board))}
    includes = {NETWORK, *(path.parent for path in files.values() if path.suffix == ".h")}
    elf = folder / "firmware.elf"
    machine = [f"-mcpu={board.core}", f"-mfpu={board.fpu}", f"-mfloat-abi={board.float_abi}", "-mthumb"]
    command = [
        "arm-none-eabi-gcc",
        *machine,
        *flags,
        *WARNINGS,
        "-ffunction-sections",
        "-fdata-sections",
        f"-D{board.define}",
        *(f"-D{define}" for define in defines),
        *(f"-I{path}" for path in sorted(includes)),
        *(str(path) for path in files.values() if path.suffix == ".c"),
        str(NETWORK / "approx_network.c"),
        str(folder / "test_vectors.c"),
        str(folder / "startup.s"),
        *map(str, extra),
        "--specs=nano.specs",
        "-static",
        f"-T{script}",
        "-Wl,--gc-sections,--fatal-warnings",
        f"-Wl,-Map={folder / 'firmware.map'}",
        "-o",
        str(elf),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return elf


def qemu(board: Board, elf: Path) -> tuple[int, list[str]]:
    """Exit status and console lines of an emulator build."""
    assert board.emulator
    command = f"qemu-system-arm -M {board.emulator.machine} -display none -monitor none -serial none"
    console = "-chardev stdio,id=console -semihosting-config enable=on,target=native,chardev=console"
    done = subprocess.run(
        [*command.split(), *console.split(), "-kernel", str(elf)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert not done.stderr, done.stderr
    return done.returncode, done.stdout.splitlines()
