from __future__ import annotations

import shutil
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fake_project import L4R5

from approx_plugin.boards.board import Board
from approx_plugin.boards.linker import linker_script_name
from approx_plugin.boards.loader import load_board
from approx_plugin.boards.startup import startup_name
from approx_plugin.build.build import build
from approx_plugin.build.check import check_project
from approx_plugin.build.emulator import run_elf, run_in_emulator, verify
from approx_plugin.errors import BoardError, Location, ProjectError, ToolError, VerificationError
from approx_plugin.hashes import sha256
from approx_plugin.kernels.program import MemoryPlan, Program
from approx_plugin.library.provider import resolve
from approx_plugin.model.graph import Graph
from approx_plugin.project.tree import collect
from approx_plugin.project.writer import write
from approx_plugin.provenance import generated_by
from approx_plugin.reference.vectors import TestVectors, vectors_text

needs_compiler = pytest.mark.skipif(
    shutil.which("arm-none-eabi-gcc") is None, reason="needs arm-none-eabi-gcc (Debian: gcc-arm-none-eabi)"
)
needs_qemu = pytest.mark.skipif(
    shutil.which("qemu-system-arm") is None, reason="needs qemu-system-arm (Debian: qemu-system-arm)"
)
BOARD_IDS = ("nucleo-l4r5zi", "nucleo-u575zi-q")
INPUTS, OUTPUTS = 12, 4

HEADER = f"""\
#ifndef APPROX_NETWORK_H
#define APPROX_NETWORK_H
#include <stdint.h>
#define APPROX_NETWORK_MODEL_NAME "tiny"
#define APPROX_NETWORK_LAYERS 2
#define APPROX_NETWORK_STEPS 2
#define APPROX_NETWORK_MACC_EXACT 24u
#define APPROX_NETWORK_MACC_KEPT 24u
#define APPROX_NETWORK_IN_SIZE_BYTES {INPUTS}u
#define APPROX_NETWORK_OUT_SIZE_BYTES {OUTPUTS}u
#define APPROX_NETWORK_ACTIVATIONS_SIZE {INPUTS}u
#define APPROX_NETWORK_ACTIVATIONS_ALIGNMENT 8
typedef void (*approx_observer)(void *user, int32_t layer, const int8_t *output, uint32_t bytes);
extern const char *const approx_network_layer_names[APPROX_NETWORK_LAYERS];
int32_t approx_network_run(void *activations, const int8_t *input, int8_t *output);
void approx_network_set_observer(approx_observer observer, void *user);
void approx_network_reset(void);
int32_t approx_network_check_scratch(void);
#endif
"""
NETWORK = f"""\
#include "approx_network.h"
#include <stddef.h>
const char *const approx_network_layer_names[APPROX_NETWORK_LAYERS] = {{"flip_0", "differences_1"}};
static approx_observer told;
static void *who;
void approx_network_reset(void) {{}}
void approx_network_set_observer(approx_observer observer, void *user) {{ told = observer; who = user; }}
int32_t approx_network_check_scratch(void) {{ return 0; }}
void approx_tiny_flip(int8_t *output, const int8_t *input, uint32_t count);
int32_t approx_network_run(void *activations, const int8_t *input, int8_t *output)
{{
    int8_t *between = activations;
    approx_tiny_flip(between, input, {INPUTS});
    if (told != NULL) {{ told(who, 0, between, {INPUTS}); }}
    for (int32_t i = 0; i < {OUTPUTS}; i++) {{ output[i] = (int8_t)(between[3 * i] - between[3 * i + 2]); }}
    if (told != NULL) {{ told(who, 1, output, {OUTPUTS}); }}
    return 0;
}}
"""
FLIP = """\
  .syntax unified
  .thumb
  .section .text.approx_tiny_flip,"ax",%progbits
  .global approx_tiny_flip
  .type approx_tiny_flip, %function
approx_tiny_flip:
  ldrb r3, [r1], #1
  mvns r3, r3
  strb r3, [r0], #1
  subs r2, #1
  bne approx_tiny_flip
  bx lr
  .size approx_tiny_flip, .-approx_tiny_flip
"""
SOURCES = {"Inc/approx_network.h": HEADER, "Src/approx_network.c": NETWORK, "Src/approx_layer_00.s": FLIP}
PROGRAM = Program(Graph("tiny", {}, (), 0, 0, ""), (), MemoryPlan(INPUTS, 8, {}, {}, {}), SOURCES)


def vectors(count: int, seed: int = 1) -> TestVectors:
    """What the network above answers, computed without it."""
    inputs = np.random.default_rng(seed).integers(-128, 128, (count, INPUTS), dtype=np.int8)
    flipped = ~inputs
    outputs = (flipped[:, 0::3].astype(np.int16) - flipped[:, 2::3]).astype(np.int8)
    checksums = [[zlib.crc32(flipped[i].tobytes()), zlib.crc32(outputs[i].tobytes())] for i in range(count)]
    return TestVectors(inputs, outputs, np.array(checksums, dtype=np.uint32))


def project(board: Board, directory: Path, stored: TestVectors) -> Path:
    provider = resolve(["arm_softmax_s8"], None, Location("test"))
    write(collect(PROGRAM, board, provider, stored, "tiny", extra={"report.txt": "nothing\n"}), directory)
    return directory


@pytest.fixture(scope="module", params=BOARD_IDS)
def board(request: pytest.FixtureRequest) -> Board:
    return load_board(request.param)


@pytest.fixture(scope="module")
def tree(board: Board, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return project(board, tmp_path_factory.mktemp(board.id) / "project", vectors(2))


@pytest.fixture(scope="module")
def built(board: Board, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build folder that the tests of a board share, as a user's runs do."""
    return tmp_path_factory.mktemp(f"{board.id}-build")


def test_a_collected_project_passes_the_checklist(board: Board, tree: Path) -> None:
    assert [str(finding) for finding in check_project(tree)] == []
    present = {p.relative_to(tree).as_posix() for p in tree.rglob("*") if p.is_file()}
    upper, lower = board.mcu.upper(), board.mcu.lower()
    assert present >= {
        ".project",
        ".cproject",
        ".settings/org.eclipse.core.resources.prefs",
        f"{upper}_FLASH.ld",
        f"Core/Startup/startup_{lower}.s",
        "Core/Inc/test_vectors.h",
        "Core/Src/main.c",
        "Core/Src/test_vectors.c",
        "Drivers/BSP/board.c",
        "Drivers/BSP/board.h",
        "Middlewares/Approx/Inc/approx_network.h",
        "Middlewares/Approx/Inc/approx_runtime.h",
        "Middlewares/Approx/Src/approx_layer_00.s",
        "Middlewares/Approx/Src/approx_runtime.c",
        "Middlewares/Approx/Src/approx_softmax.c",
        "Middlewares/CMSIS-NN/Include/arm_nnfunctions.h",
        "README.md",
        "approx_manifest.json",
        "report.txt",
    }
    readme = (tree / "README.md").read_text()
    assert board.name in readme and f"{upper}_FLASH.ld" in readme and "portable subset" in readme


def test_generated_files_say_so_in_the_same_words(board: Board, tree: Path) -> None:
    name, mcu = board.name, board.mcu
    generated = {
        "README.md": f'an STM32CubeIDE project for {name} ({mcu}) that runs the int8 network "tiny"',
        linker_script_name(board): f"linker script for {mcu} on {name}, program in FLASH, data and stack in RAM",
        f"Core/Startup/{startup_name(board)}": f"vector table of {mcu} on {name}, and the code that runs after a reset",
        "Core/Src/test_vectors.c": "inputs, expected outputs and the CRC-32 of every layer's expected output",
    }
    for path, what in generated.items():
        text = " ".join((tree / path).read_text(encoding="utf-8").split())
        assert text.count("Generated by") == 1
        assert generated_by(what) in text


def test_no_file_names_a_directory_of_this_machine(board: Board) -> None:
    provider = resolve(["arm_softmax_s8"], None, Location("test"))
    collected = collect(PROGRAM, board, provider, vectors(3), "tiny", extra={})
    assert list(collected) == sorted(collected)
    for path, content in collected.items():
        assert str(Path.cwd()).encode() not in content, f"{path} names a directory of this machine"


@pytest.mark.parametrize("name", ["", "a b", "a/b", "ä", "1st", "a:b", "..", 'x"'])
def test_bad_project_names(board: Board, name: str) -> None:
    provider = resolve(["arm_softmax_s8"], None, Location("test"))
    with pytest.raises(ProjectError, match="cannot be the name of a project"):
        collect(PROGRAM, board, provider, vectors(1), name, extra={})


def test_two_files_for_one_path(board: Board) -> None:
    provider = resolve(["arm_softmax_s8"], None, Location("test"))
    with pytest.raises(ValueError, match="two files for one path"):
        collect(PROGRAM, board, provider, vectors(1), "tiny", extra={"readme.md": "x"})


@needs_compiler
@pytest.mark.parametrize("configuration", ["Debug", "Release"])
def test_a_collected_project_builds_without_warnings(board: Board, tree: Path, built: Path, configuration: str) -> None:
    result = build(tree, configuration, built, workers=2)
    assert result.warnings == ()
    assert result.size.flash_bytes < 32 << 10
    layer = result.size.flash_by_source["Middlewares/Approx/Src/approx_layer_00.s"]
    assert layer == result.size.symbols["approx_tiny_flip"] == 18
    assert sum(result.size.flash_by_source.values()) == result.size.text + result.size.data


@needs_compiler
@needs_qemu
@pytest.mark.parametrize("configuration", ["Debug", "Release"])
def test_the_firmware_agrees_in_the_emulator(board: Board, tree: Path, built: Path, configuration: str) -> None:
    wanted = vectors(20, seed=7)
    result = run_in_emulator(tree, board, wanted, built, configuration=configuration, workers=2, timeout=60)
    verify(result, wanted)
    assert (result.network, result.vectors, result.passed) == ("tiny", 20, 20)
    assert [(layer.index, layer.name, layer.cycles) for layer in result.layers] == [
        (0, "flip_0", None),
        (1, "differences_1", None),
    ]
    assert {"duration", "CPU cycles", "CPU Workload", "cycles/MACC"} <= set(dict(result.performance))


@needs_compiler
@needs_qemu
def test_a_wrong_expectation_is_found_with_its_layer(board: Board, tree: Path, built: Path) -> None:
    right = vectors(5)
    checksums = right.checksums.copy()
    checksums[3, 1] ^= 1
    wrong = TestVectors(right.inputs, right.outputs, checksums)
    result = run_in_emulator(tree, board, wrong, built, workers=2, timeout=60)
    with pytest.raises(VerificationError, match=r"4 of 5 vectors; the first wrong layer is 1") as caught:
        verify(result, wrong)
    assert "vector 3" in str(caught.value) and "differences_1" in str(caught.value)
    assert f"0x{right.checksums[3, 1]:08x}" in str(caught.value)


@needs_compiler
@needs_qemu
def test_vectors_that_do_not_fit_are_run_in_parts(board: Board, tree: Path, built: Path) -> None:
    wanted = vectors(7)
    assert board.emulator is not None
    data = board.emulator.data
    # A quarter of the emulated memory is for vectors: make that three of them.
    monkeyed = replace(board, emulator=replace(board.emulator, data=replace(data, length=4 * 3 * (wanted.bytes // 7))))
    with pytest.MonkeyPatch.context() as monkeypatch:
        script = "approx_plugin.build.emulator.emulator_linker_script"
        from approx_plugin.boards.linker import emulator_linker_script

        monkeypatch.setattr(script, lambda _: emulator_linker_script(board))
        result = run_in_emulator(tree, monkeyed, wanted, built, workers=2, timeout=60)
    verify(result, wanted)
    assert result.raw.count("approx: PASS") == 3


@needs_compiler
@needs_qemu
def test_the_board_and_the_emulator_share_objects(board: Board, tree: Path, tmp_path: Path) -> None:
    built = build(tree, "Release", tmp_path, workers=2)
    stamps = {p: p.stat().st_mtime_ns for p in (tmp_path / "Release").rglob("*.o")}
    run_in_emulator(tree, board, vectors(1), tmp_path, workers=2, timeout=60)
    assert {p: p.stat().st_mtime_ns for p in stamps} == stamps
    assert sha256(built.elf.read_bytes()) == sha256(build(tree, "Release", tmp_path).elf.read_bytes())


@needs_compiler
@needs_qemu
def test_a_crash_and_a_hang_are_told_with_the_last_lines(tmp_path: Path) -> None:
    board = load_board("nucleo-l4r5zi")
    assert board.emulator is not None
    endings = (
        ("crash", "((void (*)(void))0xF0000001u)();", "without a result"),
        ("hang", "for (;;) { }", "did not end"),
    )
    for name, body, message in endings:
        files = dict(collect(PROGRAM, board, resolve([], None, Location("t")), vectors(1), "tiny", extra={}))
        text = files["Middlewares/Approx/Src/approx_network.c"].decode()
        text = text.replace("int8_t *between", f"{body} int8_t *between")
        files["Middlewares/Approx/Src/approx_network.c"] = text.encode()
        write(files, tmp_path / name)
        with pytest.raises(ToolError, match=message) as caught:
            run_in_emulator(tmp_path / name, board, vectors(1), tmp_path / "out", workers=2, timeout=3)
        assert 'approx: network "tiny"' in str(caught.value)


@needs_qemu
def test_a_file_that_is_no_program(tmp_path: Path) -> None:
    (tmp_path / "x.elf").write_bytes(b"no ELF")
    with pytest.raises(ToolError):
        run_elf(tmp_path / "x.elf", "mps2-an386", timeout=5)
    with pytest.raises(ToolError, match="without a result"):
        run_elf(tmp_path / "x.elf", "no-such-machine", timeout=5)


def test_a_missing_emulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match="qemu-system-arm was not found") as caught:
        run_elf(tmp_path / "x.elf", "mps2-an386")
    assert "apt-get install qemu-system-arm" in str(caught.value)
    with pytest.raises(BoardError, match="no emulator"):
        run_in_emulator(tmp_path, L4R5, vectors(1), tmp_path)


def test_text_of_vectors() -> None:
    text = vectors_text(
        TestVectors(
            np.array([[-128, 127], [0, 1]], np.int8),
            np.array([[5], [-6]], np.int8),
            np.array([[7], [0xFFFFFFFF]], np.uint32),
        )
    )
    assert "test_vector_count = 2u;" in text
    assert "test_vector_inputs[] = {\n    -128, 127, 0, 1\n};" in text
    assert "test_vector_outputs[] = {\n    5, -6\n};" in text
    assert "test_vector_checksums[] = {\n    0x00000007u, 0xffffffffu\n};" in text
