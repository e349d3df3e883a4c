"""Calls generated code on an emulated Arm core: compile, link at fixed addresses, run one function, read memory."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from elf import symbols as elf_symbols

from approx_plugin.kernels.program import Program

ROOT = Path(__file__).resolve().parents[2]
CODE, DATA, STACK = 0x0800_0000, 0x2000_0000, 0x3000_0000
FPU = {"cortex-m4": "fpv4-sp-d16", "cortex-m33": "fpv5-sp-d16", "cortex-m7": "fpv5-d16"}


def subset_sources() -> list[Path]:
    """The portable subset's C files."""
    return sorted((ROOT / "Middlewares/CMSIS-NN/Source").rglob("*.c"))


@dataclass(frozen=True)
class CmsisNnTree:
    """Sources and include directory of one CMSIS-NN."""

    include: Path
    sources: tuple[Path, ...]


def portable_subset() -> CmsisNnTree:
    """Our own."""
    return CmsisNnTree(ROOT / "Middlewares/CMSIS-NN/Include", tuple(subset_sources()))


def build(program: Program, folder: Path, core: str, library: CmsisNnTree, *others: Program) -> Path:
    """An ELF with the program (and others) at CODE and variables at DATA, entered at the program's run()."""
    compiler = shutil.which("arm-none-eabi-gcc")
    if compiler is None:
        pytest.skip("needs arm-none-eabi-gcc")
    sources = []
    programs = (program, *others)
    for path, text in (item for one in programs for item in one.sources.items()):
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        if target.suffix in {".c", ".s"}:
            sources.append(target)
    sources += sorted((ROOT / "Middlewares/Approx/Src").glob("*.c"))
    elf = folder / "network.elf"
    wanted = [function for one in programs for function in one.cmsis_nn_functions]
    command = [
        compiler, f"-mcpu={core}", "-mthumb", f"-mfpu={FPU[core]}", "-mfloat-abi=hard", "-O2", "-std=gnu11",
        "-ffunction-sections", "-fdata-sections", "-Wall", "-Wextra", "-Werror", "-Wno-error=stringop-overflow",
        f"-I{folder / 'Inc'}", f"-I{ROOT / 'Middlewares/Approx/Inc'}", f"-I{library.include}",
        *map(str, sources), *(map(str, library.sources) if wanted else ()),
        "-nostartfiles", "--specs=nano.specs", "--specs=nosys.specs", "-Wl,--gc-sections",
        f"-Wl,-e,{program.names.run}", *(f"-Wl,-u,{one.names.run}" for one in programs),
        *(f"-Wl,-u,{one.names.prefix}_check_scratch" for one in programs),
        f"-Wl,-Ttext={CODE:#x}", f"-Wl,-Tdata={DATA:#x}", "-o", str(elf),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return elf


def call_network(elf: Path, program: Program, inputs: npt.NDArray[np.int8], core: str) -> npt.NDArray[np.int8]:
    """The network's run() for each input; guards around every buffer must survive."""
    unicorn = pytest.importorskip("unicorn")
    from elftools.elf.elffile import ELFFile
    from unicorn import arm_const

    models = {"cortex-m4": "M4", "cortex-m33": "M33", "cortex-m7": "M7"}
    machine = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
    machine.ctl_set_cpu_model(getattr(arm_const, f"UC_CPU_ARM_CORTEX_{models[core]}"))
    for base in (CODE, DATA, STACK):
        machine.mem_map(base, 16 << 20)
    with elf.open("rb") as stream:
        image = ELFFile(stream)
        for segment in image.iter_segments("PT_LOAD"):
            machine.mem_write(segment["p_vaddr"], segment.data())
        symbols = elf_symbols(image)
    machine.reg_write(arm_const.UC_ARM_REG_FPEXC, 1 << 30)
    size = program.graph.output_bytes
    arena, source, target = DATA + (4 << 20), DATA + (8 << 20), DATA + (12 << 20)
    guard = bytes(range(64))

    def call(symbol: str, *arguments: int) -> int:
        for number, value in enumerate(arguments):
            machine.reg_write(arm_const.UC_ARM_REG_R0 + number, value)
        machine.reg_write(arm_const.UC_ARM_REG_SP, STACK + (1 << 20))
        machine.reg_write(arm_const.UC_ARM_REG_LR, STACK | 1)
        machine.emu_start(symbols[symbol] | 1, STACK)
        return int(machine.reg_read(arm_const.UC_ARM_REG_R0))

    assert call(f"{program.names.prefix}_check_scratch") == 0
    results = []
    for values in inputs:
        data = np.ascontiguousarray(values).tobytes()
        regions = ((arena, program.memory.size), (source, len(data)), (target, size))
        for base, length in regions:
            machine.mem_write(base - 64, guard)
            machine.mem_write(base, b"\xa5" * length)
            machine.mem_write(base + length, guard)
        machine.mem_write(source, data)
        assert call(program.names.run, arena, source, target) == 0
        for base, length in regions:
            assert machine.mem_read(base - 64, 64) == guard
            assert machine.mem_read(base + length, 64) == guard
        assert machine.mem_read(source, len(data)) == data
        results.append(np.frombuffer(bytes(machine.mem_read(target, size)), np.int8))
    return np.stack(results).reshape(len(inputs), *program.graph.output_shape)


def run_program(
    program: Program, folder: Path, core: str, inputs: npt.NDArray[np.int8], library: CmsisNnTree
) -> npt.NDArray[np.int8]:
    """Build and call in one."""
    return call_network(build(program, folder, core, library), program, inputs, core)
