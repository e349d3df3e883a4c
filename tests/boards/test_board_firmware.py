"""Every board's firmware: it compiles without a warning, and the ELF is what the chip expects."""

from __future__ import annotations

import re
import struct
import subprocess
from pathlib import Path

import pytest
from c_dialect import C11
from elf import section, symbols
from elftools.elf.elffile import ELFFile
from fake_firmware import Vectors, build

from approx_plugin.boards.linker import linker_script, linker_script_name
from approx_plugin.boards.loader import known_boards, load_board
from approx_plugin.boards.startup import handlers, startup_name

# Positions of the vector table behind the core's 16 (chapter NVIC of each reference manual: last position + 1), and a
# handler at its position.
INTERRUPTS = {
    "nucleo-u575zi-q": (126, 61, "USART1"),
    "nucleo-l4r5zi": (95, 70, "LPUART1"),
    "nucleo-f446re": (97, 38, "USART2"),
    "nucleo-f767zi": (110, 39, "USART3"),
    "nucleo-h743zi2": (150, 39, "USART3"),
    "nucleo-h7a3zi-q": (155, 39, "USART3"),
}
FILES = {
    "nucleo-u575zi-q": ("STM32U575ZITXQ_FLASH.ld", "startup_stm32u575zitxq.s"),
    "nucleo-l4r5zi": ("STM32L4R5ZITX_FLASH.ld", "startup_stm32l4r5zitx.s"),
    "nucleo-f446re": ("STM32F446RETX_FLASH.ld", "startup_stm32f446retx.s"),
    "nucleo-f767zi": ("STM32F767ZITX_FLASH.ld", "startup_stm32f767zitx.s"),
    "nucleo-h743zi2": ("STM32H743ZITX_FLASH.ld", "startup_stm32h743zitx.s"),
    "nucleo-h7a3zi-q": ("STM32H7A3ZITXQ_FLASH.ld", "startup_stm32h7a3zitxq.s"),
}
MAIN_MEMORIES = {
    "nucleo-u575zi-q": (2048, 0x20000000, 768),
    "nucleo-l4r5zi": (2048, 0x20000000, 640),
    "nucleo-f446re": (512, 0x20000000, 128),
    "nucleo-f767zi": (2048, 0x20000000, 512),
    "nucleo-h743zi2": (2048, 0x24000000, 512),
    "nucleo-h7a3zi-q": (2048, 0x24000000, 1024),
}


def test_every_board_is_expected_here() -> None:
    own = {name for name in known_boards() if not load_board(name).based_on}
    assert own == set(INTERRUPTS) == set(FILES) == set(MAIN_MEMORIES)


@pytest.mark.parametrize("board_id", INTERRUPTS)
@pytest.mark.parametrize("flags", [("-Os", C11), ("-O0", "-g3", "-std=gnu17")], ids=["release", "debug"])
def test_elf(board_id: str, flags: tuple[str, ...], tmp_path: Path) -> None:
    board = load_board(board_id)
    flash, ram_origin, ram = MAIN_MEMORIES[board_id]
    count, position, peripheral = INTERRUPTS[board_id]
    with build(board, tmp_path, vectors=Vectors(2), flags=flags).open("rb") as file:
        elf = ELFFile(file)
        names = symbols(elf)
        table = section(elf, ".isr_vector")
        words = struct.unpack(f"<{table['sh_size'] // 4}I", table.data())

        assert table["sh_addr"] == 0x08000000
        assert words[0] == names["_estack"] == ram_origin + 1024 * ram
        assert words[1] == names["Reset_Handler"] == elf["e_entry"] and words[1] & 1
        assert len(words) == 16 + count
        assert words[16 + position] == names[f"{peripheral}_IRQHandler"] == names["Default_Handler"]
        reserved = [i for i, name in enumerate(handlers(board)) if name is None]
        assert all((words[2 + i] == 0) == (i in reserved) for i in range(len(words) - 2))

        for segment in elf.iter_segments("PT_LOAD"):
            assert segment["p_flags"] & 3 != 3, "writable and executable"
            if segment["p_filesz"]:
                assert 0x08000000 <= segment["p_paddr"] < segment["p_paddr"] + segment["p_filesz"]
                assert segment["p_paddr"] + segment["p_filesz"] <= 0x08000000 + 1024 * flash
        assert names["_sdata"] >= ram_origin and names["_end"] >= names["_ebss"]
        assert names["_sidata"] < 0x08000000 + 1024 * flash
        assert names["_Min_Heap_Size"] == 0x200 and names["_Min_Stack_Size"] >= 0x800


@pytest.mark.parametrize("board_id", FILES)
def test_names_of_the_files(board_id: str) -> None:
    board = load_board(board_id)
    assert (linker_script_name(board), startup_name(board)) == FILES[board_id]


@pytest.mark.parametrize("board_id", FILES)
def test_linker_script_names_all_memories(board_id: str) -> None:
    board = load_board(board_id)
    regions = re.findall(r"^  (\w+) +\((\w+)\) : ORIGIN = (0x\w+), LENGTH = (\d+)K$", linker_script(board), re.M)
    found = [(name, "w" in attributes, int(origin, 16), int(size) * 1024) for name, attributes, origin, size in regions]
    assert found == [(m.name, m.kind != "flash", m.origin, m.length) for m in board.memories]


def test_a_user_handler_takes_its_place(tmp_path: Path) -> None:
    board = load_board("nucleo-u575zi-q")
    user = tmp_path / "user.c"
    user.write_text("void USART1_IRQHandler(void);\nvoid USART1_IRQHandler(void)\n{\n    for (;;) {\n    }\n}\n")
    with build(board, tmp_path, vectors=Vectors(1), extra=[user]).open("rb") as file:
        elf = ELFFile(file)
        names = symbols(elf)
        table = section(elf, ".isr_vector").data()
        assert struct.unpack_from("<I", table, 4 * (16 + 61))[0] == names["USART1_IRQHandler"]
        assert names["USART1_IRQHandler"] != names["Default_Handler"] == names["USART2_IRQHandler"]


def test_too_much_data_fails_to_link(tmp_path: Path) -> None:
    """The RAM has to hold the data and the smallest heap and stack."""
    board = load_board("nucleo-f446re")
    most = 128 * 1024 - 0x200 - 0x1000 - 1024
    build(board, tmp_path, vectors=Vectors(1), defines=[f"APPROX_NETWORK_ACTIVATIONS_SIZE={most}u"])
    with pytest.raises(AssertionError, match="region `RAM' overflowed"):
        build(board, tmp_path, vectors=Vectors(1), defines=[f"APPROX_NETWORK_ACTIVATIONS_SIZE={most + 2048}u"])


def test_static_data_and_constructors_are_initialised(tmp_path: Path) -> None:
    """.data is loaded behind the program in flash, and the linker script keeps static constructors."""
    board = load_board("nucleo-l4r5zi")
    user = tmp_path / "user.c"
    user.write_text(
        "#include <stdint.h>\nvolatile uint32_t initialised = 0x12345678u;\nstatic volatile uint32_t made;\n"
        "__attribute__((constructor)) static void make(void)\n{\n    made = initialised;\n}\n"
    )
    elf = build(board, tmp_path, vectors=Vectors(1), extra=[user])
    with elf.open("rb") as file:
        image = ELFFile(file)
        names = symbols(image)
        stored = section(image, ".data")
        data, start = stored.data(), stored["sh_addr"]
    assert names["__init_array_end"] - names["__init_array_start"] >= 4
    assert names["initialised"] >= names["_sdata"] == start
    assert names["_edata"] - names["_sdata"] == len(data)
    program = tmp_path / "program.bin"
    subprocess.run(["arm-none-eabi-objcopy", "-O", "binary", str(elf), str(program)], check=True, timeout=60)
    at = names["_sidata"] - 0x08000000
    assert program.read_bytes()[at : at + len(data)] == data
    assert data[names["initialised"] - start :][:4] == bytes.fromhex("78563412")


@pytest.mark.parametrize(("board_id", "memory"), [("nucleo-h743zi2", "DTCMRAM"), ("nucleo-u575zi-q", "RAM")])
def test_scratch_of_kernels_lies_in_the_cores_own_memory_where_there_is_one(
    board_id: str, memory: str, tmp_path: Path
) -> None:
    board = load_board(board_id)
    extra = tmp_path / "scratch.c"
    extra.write_text(
        'unsigned char own_scratch[4096] __attribute__((section(".dtcm")));\n'
        "void USART1_IRQHandler(void);\nvoid USART1_IRQHandler(void)\n{\n    own_scratch[0]++;\n}\n"
    )
    elf_path = build(board, tmp_path, vectors=Vectors(1), extra=[extra])
    with elf_path.open("rb") as file:
        elf = ELFFile(file)
        address = symbols(elf)["own_scratch"]
        loaded = sum(segment["p_filesz"] for segment in elf.iter_segments() if segment["p_type"] == "PT_LOAD")
    region = next(m for m in board.memories if m.name == memory)
    assert region.origin <= address and address + 4096 <= region.origin + region.length
    assert loaded < 64 << 10, "nothing of it is in the flash"
