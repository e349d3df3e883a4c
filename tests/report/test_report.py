"""report.json and report.txt from given figures: fields, totals, bars, and what is not known."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from approx_plugin.boards.board import Board
from approx_plugin.boards.memory import Memory
from approx_plugin.build.elf_size import Size
from approx_plugin.report.data import Accuracy, Border, FrontPoint, LayerRow, MemoryUse, Report, as_json
from approx_plugin.report.size import SHOWN, size_text
from approx_plugin.report.text import WIDTH, kib, render, share, table

CONV = LayerRow(
    index=0,
    name="conv2d_0",
    op="CONV_2D",
    kernel="unpacked",
    shape=(1, 8, 8, 4),
    inputs=("input",),
    macs=2000,
    macs_kept=1500,
    parameter_bytes=104,
    flash_bytes=3000,
    estimated_cycles=4321.4,
    note="",
)
DENSE = replace(
    CONV, index=1, name="fully_connected_1", op="FULLY_CONNECTED", kernel="cmsis_nn", shape=(1, 10),
    inputs=("conv2d_0",), macs=500, macs_kept=500, flash_bytes=1000, note="no schedule but the library's computes it",
)  # fmt: skip
FULL = Report(
    network="digits",
    model_file="digits.tflite",
    model_sha256="ab" * 32,
    board="NUCLEO-U575ZI-Q",
    mcu="STM32U575ZITxQ",
    core="cortex-m33",
    clock_hz=160_000_000,
    method="significance, ratio_of_means, by weight",
    target="at most 1 points below the exact network",
    cmsis_nn_provider="CMSIS-NN",
    cmsis_nn_version="7.0.0",
    tool_version="0.1.0",
    cost_model="the virtual board of NUCLEO-U575ZI-Q",
    compiler="arm-none-eabi-gcc 12.2.1",
    input=Border("in", (1, 8, 8, 1), 1 / 255, -128),
    output=Border("out", (1, 10), 0.25, 3),
    accuracy=Accuracy(99.0, 98.25, 400, "confirmation", (-1.5, 0.125), "(paired, adjusted Wald)", 3),
    exploration_accuracy=Accuracy(98.0, 97.5, 300, "exploration"),
    macs_exact=2500,
    macs_computed=1900,
    macs_kept=2000,
    memory=MemoryUse(2048, 8192, 30000, 786432, 2097152),
    layers=(CONV, DENSE),
    front=(
        FrontPoint(97.5, 2000, 5000.0, 4000, 2048, True),
        FrontPoint(98.0, 2500, 6000.0, 5000, 2048, False),
    ),
    remarks=("One remark.",),
)
BARE = replace(
    FULL,
    compiler="none found",
    accuracy=Accuracy(None, None, 0, "confirmation"),
    exploration_accuracy=Accuracy(None, None, 0, "exploration"),
    memory=replace(FULL.memory, ram=None, flash=None),
    layers=(replace(CONV, flash_bytes=None, macs_kept=2000), replace(DENSE, flash_bytes=None, note="")),
    front=(),
    remarks=(),
)


# ---- report.json


def shape_of(value: Any) -> Any:
    """The names in nested maps, and those of the first entry of a list."""
    if isinstance(value, dict):
        return {key: shape_of(inner) for key, inner in value.items()}
    return [shape_of(value[0])] if isinstance(value, (list, tuple)) and value else None


def test_json_has_the_promised_fields() -> None:
    made = json.loads(json.dumps(as_json(FULL)))
    names = shape_of(made)
    for promised in (
        {"network": None, "board": None, "ram_bytes": None, "flash_bytes": None},
        {"cmsis_nn": {"provider": None, "version": None}, "macs": {"exact": None, "kept": None, "computed": None}},
    ):
        assert {key: names[key] for key in promised} == promised
    assert {"exact", "approximated", "images", "set"} <= set(names["accuracy"])
    assert {"index", "name", "op", "kernel", "macs", "macs_kept", "flash_bytes"} <= set(names["layers"][0])
    assert {"accuracy", "macs_kept", "chosen"} <= set(names["front"][0])


def test_json_has_the_figures() -> None:
    made = json.loads(json.dumps(as_json(FULL)))
    assert made["format"] == 1
    assert (made["ram_bytes"], made["flash_bytes"]) == (8192, 30000)
    assert made["macs"] == {"exact": 2500, "kept": 2000, "computed": 1900}
    assert made["accuracy"]["interval"] == [-1.5, 0.125]
    assert made["input"]["size_bytes"] == 64
    assert made["output"]["size_bytes"] == 10
    assert [point["chosen"] for point in made["front"]] == [True, False]
    assert made["layers"][1]["note"] == DENSE.note


def test_json_of_what_is_not_known() -> None:
    made = json.loads(json.dumps(as_json(BARE), allow_nan=False))
    assert made["ram_bytes"] is made["flash_bytes"] is made["accuracy"]["exact"] is None
    assert made["layers"][0]["flash_bytes"] is None
    assert made["front"] == made["remarks"] == []


# ---- report.txt


def row(text: str, start: str) -> str:
    """The only line that begins with `start`."""
    (found,) = (line for line in text.splitlines() if line.strip().startswith(start))
    return found


def test_header_box() -> None:
    lines = render(FULL).splitlines()
    rules = [index for index, line in enumerate(lines) if line == "-" * WIDTH]
    assert rules[0] == 1
    assert len(rules) == 3
    box = lines[rules[0] + 1 : rules[2]]
    assert all(re.match(r" \S.{16}:  \S", line) for line in box if set(line) != {"-"})
    text = "\n".join(box)
    assert " board            :  NUCLEO-U575ZI-Q (STM32U575ZITxQ, cortex-m33, 160 MHz)" in text
    assert " CMSIS-NN         :  CMSIS-NN, 7.0.0" in text
    assert " macc             :  2,500 exact -> 2,000 kept (-20.0 %)" in text
    assert " flash (total)    :  30,000 B (29.30 KiB) / 2,097,152 B (2048.00 KiB) (1.4 % used)" in text
    assert " input 1/1        :  'in', int8(1x8x8x1), 64 B, QLinear(0.00392156863,-128,int8)" in text


def test_accuracy_table() -> None:
    text = render(FULL)
    confirmed = "confirmation 400 99.00 % 98.25 % -0.75 [-1.50, +0.12] (paired, adjusted Wald)"
    assert row(text, "confirmation").split() == confirmed.split()
    assert row(text, "exploration").split()[1:] == ["300", "98.00", "%", "97.50", "%", "-0.50"]
    assert "3 designs were tried on the confirmation images." in text
    once = replace(FULL, accuracy=replace(FULL.accuracy, looks=1))
    assert "designs were tried" not in render(once)


def test_layer_table() -> None:
    text = render(FULL)
    expected = "0 conv2d_0 (CONV_2D) 8x8x4 104 2,000 1,500 -25.0 % input unpacked 3,000 4,321"
    assert row(text, "0  conv2d_0 (CONV_2D)").split() == expected.split()
    exact = row(text, "1  fully_connected_1 (")
    assert "500     500" in re.sub(r" {2,}", "     ", exact)
    assert "%" not in exact
    assert "nothing was measured" in text


def test_complexity_adds_up() -> None:
    text = render(FULL).split("Complexity report (model)")[1].split("Pareto")[0]
    shares = [[float(x) for x in re.findall(r"([\d.]+) %", line)] for line in text.splitlines() if "%" in line]
    assert shares == [[75.0, 75.0], [25.0, 25.0]]
    assert "||||||||||||||||||  " in text


@pytest.mark.parametrize(("chosen", "legend"), [(True, "* taken"), (False, "The design that was taken is not on")])
def test_front(chosen: bool, legend: str) -> None:
    text = render(replace(FULL, front=(replace(FULL.front[0], chosen=chosen), FULL.front[1])))
    assert "Pareto front (2 points, measured on 300 exploration images)" in text
    assert legend in text
    assert bool(re.search(r"^\* +97\.50 %", text, re.MULTILINE)) == chosen


def test_remarks_name_the_layers_that_stay() -> None:
    text = render(FULL)
    assert "- One remark." in text
    assert f"- fully_connected_1 stays with CMSIS-NN: {DENSE.note}" in text


def test_text_of_what_is_not_known() -> None:
    text = render(BARE)
    assert "Accuracy: not measured (the spec names no data)." in text
    assert " ram (total)      :  not linked (no compiler) / 786,432 B (768.00 KiB)" in text
    assert "Pareto" not in text
    assert "Remarks" not in text
    assert "None" not in text
    assert row(text, "0  conv2d_0 (").split()[-2] == "-"


def test_network_without_a_single_mac() -> None:
    layer = replace(CONV, op="RESHAPE", macs=0, macs_kept=0, flash_bytes=0, kernel="none")
    assert "macc             :  0 exact -> 0 kept (0.0 %)" in render(
        replace(BARE, macs_exact=0, macs_kept=0, layers=(layer,))
    )


def test_lines_end_where_they_end() -> None:
    for text in (render(FULL), render(BARE)):
        assert text.endswith("\n") and not text.endswith("\n\n\n")
        assert all(line == line.rstrip() for line in text.splitlines() if "|" not in line)


def test_parts() -> None:
    assert kib(12345) == "12,345 B (12.06 KiB)"
    assert kib(None) == "-"
    assert share(75, 100) == "-25.0 %"
    assert share(0, 0) == "0.0 %"
    assert table(["a", "bb"], [["ccc", "1"]], right=(1,)) == ["a    bb", "-------", "ccc   1"]


# ---- size


def test_size_text() -> None:
    memories = (Memory("FLASH", "flash", 0, 100_000), Memory("RAM", "ram", 0x2000_0000, 10_000))
    board = Board(
        id="b", name="B", mcu="M", series="S", define="D", core="cortex-m4", fpu="f", float_abi="hard", dsp=True,
        clock_hz=1, memories=memories, emulator=None, folder=Path("board/b"),
    )  # fmt: skip
    sources = {f"Core/Src/file_{index:02d}.c": 100 - index for index in range(SHOWN + 3)}
    size = Size(
        text=1, data=2, bss=3, sections={".text": 900, ".bss": 40}, flash_by_source=sources,
        ram_by_source={"Core/Src/main.c": 40, "none": 0}, symbols={},
    )  # fmt: skip
    text = size_text(size, board)
    total = sum(sources.values())
    assert f"Program (flash) : {total:>10,} B of    100,000 B ({total / 1000:.1f} % used)" in text
    assert "Data (RAM)      :         40 B of     10,000 B (0.4 % used)" in text
    listed = re.findall(r"^Core/Src/file_(\d\d)\.c +(\d+)$", text, re.MULTILINE)
    assert listed == [(f"{index:02d}", str(100 - index)) for index in range(SHOWN)]
    rest = re.search(r"^\(3 others\) +(\d+)$", text, re.MULTILINE)
    assert rest
    assert int(rest[1]) + sum(int(count) for _, count in listed) == total
    assert "none" not in text
