"""What board.c writes to the chip: the very ELF runs in unicorn, and the registers are read back as a chip would."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Callable

import pytest
from fake_firmware import Vectors, build
from plain_memory import PlainMemoryBoard

from approx_plugin.boards.board import Board, ReadyFlag
from approx_plugin.boards.loader import known_boards, load_board

MHZ = 1_000_000


def field(word: int, low: int, width: int) -> int:
    return word >> low & ((1 << width) - 1)


def u5_pll(run: PlainMemoryBoard) -> float:
    """RM0456: MSIS 4 MHz / (M + 1) * (N + 1) / (R + 1); source 1 is MSIS; the R output drives the core."""
    config, dividers = run.word(0x46020C28), run.word(0x46020C34)
    assert field(config, 0, 2) == 1 and field(config, 4, 1) == 0 and field(config, 18, 1) == 1
    return 4 * MHZ / (field(config, 8, 4) + 1) * (field(dividers, 0, 9) + 1) / (field(dividers, 24, 7) + 1)


def l4_pll(run: PlainMemoryBoard) -> float:
    """RM0432: MSI 4 MHz / (M + 1) * N / (2 * (R + 1)); source 1 is MSI; the R output drives the core."""
    config = run.word(0x4002100C)
    assert field(config, 0, 2) == 1 and field(config, 24, 1) == 1
    return 4 * MHZ / (field(config, 4, 4) + 1) * field(config, 8, 7) / (2 * (field(config, 25, 2) + 1))


def f_pll(run: PlainMemoryBoard) -> float:
    """RM0390, RM0410: HSI 16 MHz / M * N / (2 * (P + 1)); source 0 is HSI."""
    config = run.word(0x40023804)
    assert field(config, 22, 1) == 0 and 2 <= field(config, 24, 4) <= 15
    return 16 * MHZ / field(config, 0, 6) * field(config, 6, 9) / (2 * (field(config, 16, 2) + 1))


def h7_pll(run: PlainMemoryBoard) -> float:
    """RM0433, RM0455: HSI 64 MHz / M * (N + 1) / (P + 1); source 0 is HSI; the P output drives the core."""
    select, config, dividers = run.word(0x58024428), run.word(0x5802442C), run.word(0x58024430)
    assert field(select, 0, 2) == 0 and field(config, 0, 2) == 0 and field(config, 16, 1) == 1
    reference = 64 * MHZ / field(select, 4, 6)
    assert 8 * MHZ <= reference <= 16 * MHZ and field(config, 2, 2) == 3
    return reference * (field(dividers, 0, 9) + 1) / (field(dividers, 9, 7) + 1)


@dataclass(frozen=True)
class Expected:
    """What the reference manual says about the board at its full clock.

    pll: the core clock from the PLL's registers. acr, wait_states: FLASH_ACR, LATENCY. cfgr, sw: the register and the
    value that select the PLL (the field has 3 bits in the H7 series, else 2). brr: (address, kernel clock / core clock,
    1 or 256 for a LPUART). leds: (green, red): BSRR address and bit. set_bits: further bits that are set at the end.
    """

    reset_hz: int
    pll: Callable[[PlainMemoryBoard], float]
    acr: int
    wait_states: int
    cfgr: int
    sw: int
    brr: tuple[int, float, int]
    leds: tuple[tuple[int, int], ...]
    set_bits: tuple[tuple[int, int], ...]

    def selected(self, cfgr: int) -> int:
        return cfgr & (7 if self.pll is h7_pll else 3)


M7_CACHES = (0xE000ED14, 0x00030000)
EXPECTED = {
    "nucleo-u575zi-q": Expected(
        4 * MHZ,
        u5_pll,
        0x40022000,
        4,
        0x46020C1C,
        3,
        (0x4001380C, 1, 1),
        ((0x42020818, 7), (0x42021818, 2)),
        # range 1 and booster; SMPS; ICACHE; prefetch
        ((0x4602080C, 0x00070000), (0x46020808, 2), (0x40030400, 1), (0x40022000, 0x100)),
    ),
    "nucleo-l4r5zi": Expected(
        4 * MHZ,
        l4_pll,
        0x40022000,
        5,
        0x40021008,
        3,
        (0x4000800C, 1, 256),
        ((0x48000818, 7), (0x48000418, 14)),
        # VDDIO2; prefetch, instruction and data cache
        ((0x40007004, 0x200), (0x40022000, 0x700)),
    ),
    "nucleo-f446re": Expected(
        16 * MHZ,
        f_pll,
        0x40023C00,
        5,
        0x40023808,
        2,
        (0x40004408, 1 / 4, 1),
        ((0x40020018, 5),),
        # scale 1; prefetch, instruction and data cache; APB1 / 4, APB2 / 2
        ((0x40007000, 0xC000), (0x40023C00, 0x700), (0x40023808, 5 << 10 | 4 << 13)),
    ),
    "nucleo-f767zi": Expected(
        16 * MHZ,
        f_pll,
        0x40023C00,
        7,
        0x40023808,
        2,
        (0x4000480C, 1 / 4, 1),
        ((0x40020418, 0), (0x40020418, 14)),
        # scale 1 and over-drive; prefetch, ART; level 1 caches; APB1 / 4, APB2 / 2
        ((0x40007000, 0x3C000), (0x40023C00, 0x300), M7_CACHES, (0x40023808, 5 << 10 | 4 << 13)),
    ),
    "nucleo-h743zi2": Expected(
        64 * MHZ,
        h7_pll,
        0x52002000,
        4,
        0x58024410,
        3,
        (0x4000480C, 1 / 4, 1),
        ((0x58020418, 0), (0x58020418, 14)),
        # VOS1; ODEN (VOS0); AHB / 2, APB / 2; WRHIGHFREQ 2; caches
        (
            (0x58024818, 0xC000),
            (0x5800042C, 1),
            (0x58024418, 0x48),
            (0x5802441C, 0x440),
            (0x58024420, 0x40),
            (0x52002000, 0x20),
            M7_CACHES,
        ),
    ),
    "nucleo-h7a3zi-q": Expected(
        64 * MHZ,
        h7_pll,
        0x52002000,
        6,
        0x58024410,
        3,
        (0x4000480C, 1 / 2, 1),
        ((0x58020418, 0), (0x58020418, 14)),
        # VOS0; SMPS; APB / 2; WRHIGHFREQ 3; caches
        (
            (0x58024818, 0xC000),
            (0x5802480C, 0x4),
            (0x58024418, 0x40),
            (0x5802441C, 0x440),
            (0x58024420, 0x40),
            (0x52002000, 0x30),
            M7_CACHES,
        ),
    ),
}
CYCLES = 10_579_924
VECTORS = 3


@pytest.fixture(scope="module")
def firmware(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The ELF of a board, built once."""
    built: dict[str, Path] = {}

    def get(board_id: str) -> Path:
        if board_id not in built:
            board = load_board(board_id)
            built[board_id] = build(board, tmp_path_factory.mktemp(board_id), vectors=Vectors(VECTORS))
        return built[board_id]

    return get


def clock_line(board: Board, clock_hz: int) -> str:
    megahertz = clock_hz // MHZ
    return f'Results for "fake", {VECTORS} inferences @{megahertz}MHz/{megahertz}MHz (complexity: 1234 MACC)'


def check_baud(run: PlainMemoryBoard, expected: Expected, kernel_hz: float) -> None:
    address, _, samples = expected.brr
    baud = samples * kernel_hz / run.word(address)
    assert abs(baud - 115200) < 0.02 * 115200


def test_every_board_is_expected_here() -> None:
    """Those with a board.c of their own."""
    assert {name for name in known_boards() if not load_board(name).based_on} == set(EXPECTED)


@pytest.mark.parametrize("board_id", EXPECTED)
def test_runs_at_full_clock_and_prints(board_id: str, firmware: Callable[[str], Path]) -> None:
    board, expected = load_board(board_id), EXPECTED[board_id]
    run = PlainMemoryBoard(board, firmware(board_id), board.ready_flags, CYCLES)
    assert run.run() == 0

    assert expected.pll(run) == board.clock_hz
    assert run.word(expected.acr) & 15 == expected.wait_states
    assert expected.selected(run.word(expected.cfgr)) == expected.sw
    for address, mask in expected.set_bits:
        assert run.word(address) & mask == mask, f"{address:#010x}"
    check_baud(run, expected, board.clock_hz * expected.brr[1])

    lines = run.lines()
    stack = lines[-2].split()
    assert lines == [
        f'approx: network "fake" on {board.name}, 3 layers, 3 vectors',
        f"approx: layer 0 halve_0 cycles {CYCLES}",
        f"approx: layer 1 mirror_1 cycles {CYCLES}",
        f"approx: layer 2 sum_2 cycles {CYCLES}",
        "approx: vector 0 ok",
        "approx: vector 1 ok",
        "approx: vector 2 ok",
        clock_line(board, board.clock_hz),
        f"duration     : {CYCLES / board.clock_hz * 1000:.3f} ms (average)",
        f"CPU cycles   : {CYCLES} (average)",
        f"CPU Workload : {CYCLES / board.clock_hz * 100:.0f}% (duty cycle = 1s)",
        f"cycles/MACC  : {CYCLES / 1234:.2f} (average for all layers)",
        f"used stack   : {stack[3]} bytes",
        "approx: PASS 3/3",
    ]
    assert 100 < int(stack[3]) < 1000


@pytest.mark.parametrize("board_id", EXPECTED)
def test_wait_states_come_before_the_clock(board_id: str, firmware: Callable[[str], Path]) -> None:
    board, expected = load_board(board_id), EXPECTED[board_id]
    run = PlainMemoryBoard(board, firmware(board_id), board.ready_flags)
    run.run()
    latency = next(i for i, (at, value) in enumerate(run.writes) if at == expected.acr and value & 15)
    switch = next(
        i for i, (at, value) in enumerate(run.writes) if at == expected.cfgr and expected.selected(value) == expected.sw
    )
    assert latency < switch
    assert run.writes[latency][1] & 15 == expected.wait_states


def clock_flags(board: Board) -> list[ReadyFlag]:
    """The flags whose absence must keep the board at its reset clock: what PWR and RCC are waited for."""
    optional = ("PWR_SVMSR", "ICACHE_SR", "DBGMCU_IDC", "USART", "LPUART")
    return [flag for flag in board.ready_flags if not any(name in flag.note for name in optional)]


FALLBACKS = [
    pytest.param(board_id, index, id=f"{board_id}-{flag.note.split(':')[0]}")
    for board_id in EXPECTED
    for index, flag in enumerate(clock_flags(load_board(board_id)))
]


@pytest.mark.parametrize(("board_id", "index"), FALLBACKS)
def test_stays_on_the_reset_clock(board_id: str, index: int, firmware: Callable[[str], Path]) -> None:
    """One flag never comes: the program says which clock really runs, and its console has the right rate."""
    board, expected = load_board(board_id), EXPECTED[board_id]
    broken = clock_flags(board)[index]
    run = PlainMemoryBoard(board, firmware(board_id), [flag for flag in board.ready_flags if flag != broken])
    if broken.value == 0:  # plain memory reads 0
        run.uc.mem_write(broken.address, broken.mask.to_bytes(4, "little"))
    assert run.run() == 0
    lines = run.lines()
    assert clock_line(board, expected.reset_hz) in lines
    assert lines[-1] == "approx: PASS 3/3"
    assert expected.selected(run.word(expected.cfgr)) == 0
    check_baud(run, expected, expected.reset_hz)


def test_a_step_of_two_layers_has_one_line(tmp_path: Path) -> None:
    """Its cycles are those of both layers: from the end of the step before to its own."""
    board = load_board("nucleo-l4r5zi")
    elf = build(board, tmp_path, vectors=Vectors(VECTORS), defines=["FUSED_LAYER=1"])
    run = PlainMemoryBoard(board, elf, board.ready_flags, CYCLES)
    assert run.run() == 0
    assert [line for line in run.lines() if line.startswith("approx: layer")] == [
        f"approx: layer 0 halve_0 cycles {CYCLES}",
        f"approx: layer 2 sum_2 cycles {CYCLES}",
    ]


def test_h743_before_revision_v_runs_at_400_mhz(firmware: Callable[[str], Path]) -> None:
    board, expected = load_board("nucleo-h743zi2"), EXPECTED["nucleo-h743zi2"]
    old = [replace(f, value=0x10030000) if f.address == 0x5C001000 else f for f in board.ready_flags]
    run = PlainMemoryBoard(board, firmware("nucleo-h743zi2"), old)
    assert run.run() == 0
    assert h7_pll(run) == 400 * MHZ
    assert clock_line(board, 400 * MHZ) in run.lines()
    assert run.word(0x5800042C) == 0  # no VOS0
    assert run.word(0x51008108) == 1  # one read at a time from the AXI SRAM
    check_baud(run, expected, 100 * MHZ)


@pytest.mark.parametrize("board_id", EXPECTED)
@pytest.mark.parametrize("status", [0, 1])
def test_led_tells_the_end(board_id: str, status: int, tmp_path: Path) -> None:
    board, expected = load_board(board_id), EXPECTED[board_id]
    vectors = Vectors(2)
    if status:
        vectors.outputs[1][0] ^= 1
    run = PlainMemoryBoard(board, build(board, tmp_path, vectors=vectors), board.ready_flags)
    assert run.run() == status
    run.finish()
    lit = [(address, bit) for address, bit in expected.leds if (address, 1 << bit) in run.writes]
    assert lit == list(expected.leds[status : status + 1])
    for address, bit in lit:
        assert run.word(address - 0x18) >> 2 * bit & 3 == 1
