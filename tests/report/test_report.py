"""report.json and report.txt from given figures: fields, totals, bars, and what is not known."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from report_cases import BARE, CONV, DENSE, FULL

from approx_plugin.boards.board import Board
from approx_plugin.boards.memory import Memory
from approx_plugin.build.elf_size import Size
from approx_plugin.report.data import NO_MACS, Border, Macs, Tried
from approx_plugin.report.document import as_json
from approx_plugin.report.layout import WIDTH, kib, share, table
from approx_plugin.report.size import SHOWN, size_text
from approx_plugin.report.target import target_title
from approx_plugin.report.text import render
from approx_plugin.spec.spec import Target

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
        {"cmsis_nn": {"provider": None, "version": None}},
    ):
        assert {key: names[key] for key in promised} == promised
    assert {"exact", "kept", "computed", "skipped", "zero", "constant", "spared"} == set(names["macs"])
    assert {"exact", "approximated", "images", "set"} <= set(names["accuracy"])
    assert {"index", "name", "op", "kernel", "variant", "macs", "macs_kept", "flash_bytes"} <= set(names["layers"][0])
    assert {"accuracy", "macs_kept", "chosen", "title"} <= set(names["front"][0])


def test_json_has_the_figures() -> None:
    made = json.loads(json.dumps(as_json(FULL)))
    assert made["format"] == 2
    assert (made["ram_bytes"], made["flash_bytes"]) == (8192, 30000)
    wanted = {"exact": 2500, "skipped": 500, "zero": 60, "constant": 40, "computed": 1900, "spared": 0, "kept": 2000}
    assert made["macs"] == wanted
    assert made["accuracy"]["interval"] == [-1.5, 0.125]
    assert made["input"]["size_bytes"] == 64
    assert made["output"]["size_bytes"] == 10
    assert [(point["title"], point["chosen"]) for point in made["front"]] == [
        ("#7", False),
        ("#5", True),
        ("exact", False),
    ]
    assert made["layers"][1]["note"] == DENSE.note
    assert made["layers"][0]["macs"] == 2000 and made["layers"][0]["macs_constant"] == 40
    assert made["layers"][0]["approximation"]["share"] == 0.25
    assert made["layers"][0]["considered"][1]["kernel"] == "cmsis_nn"
    assert made["totals"]["saved"] == {"cycles": 1000.0, "flash_bytes": 1000, "arena_bytes": 0, "macs_computed": 540}
    assert made["totals"]["exact"]["cycles_per_mac"] == 2.4 and made["totals"]["exact"]["fits"]
    assert made["design"]["looks"][0] == {
        "design": 7,
        "accuracy": 97.0,
        "met": False,
        "bound": None,
        "images_needed": None,
    }


def test_json_of_what_is_not_known() -> None:
    made = json.loads(json.dumps(as_json(BARE), allow_nan=False))
    assert made["ram_bytes"] is made["flash_bytes"] is made["accuracy"]["exact"] is None
    assert made["layers"][0]["flash_bytes"] is made["layers"][0]["approximation"] is None
    assert made["front"] == made["remarks"] == made["design"]["looks"] == []


# ---- both say the same


ONLY_IN_PICTURES = {"considered", "map", "significance", "dominated", "flash_by_source", "ram_by_source", "seed"}
"""Of the JSON: what the text has no room for. The page shows it."""


def figures_of(value: Any) -> list[float]:
    """All numbers of the kind that text shows."""
    if isinstance(value, dict):
        return [n for key, inner in value.items() if key not in ONLY_IN_PICTURES for n in figures_of(inner)]
    if isinstance(value, list):
        return [n for inner in value for n in figures_of(inner)]
    return [] if isinstance(value, bool) or not isinstance(value, (int, float)) else [value]


def shown(text: str) -> set[str]:
    """Every number of a text, without signs and separators."""
    return {number.replace(",", "") for number in re.findall(r"\d[\d,]*(?:\.\d+)?", text)}


def test_text_and_json_say_the_same_numbers() -> None:
    """Every count and every cycle of the JSON is in the text, rounded as the text rounds."""
    text = shown(render(FULL))
    made = as_json(FULL)
    left_out = {"format", "clock_hz", "input", "output", "inputs", "outputs"}
    for number in figures_of({key: value for key, value in made.items() if key not in left_out}):
        forms = {f"{abs(number):.{digits}f}" for digits in range(3)} | {f"{abs(number):g}", f"{100 * number:.1f}"}
        assert forms & text, number


def test_macs_add_up_with_named_differences() -> None:
    for layer in FULL.layers:
        assert layer.macs.exact - layer.macs.skipped == layer.macs.kept
        assert layer.macs.kept - layer.macs.zero - layer.macs.constant - layer.macs.spared == layer.macs.computed
    text = render(FULL).split("Products (multiply-accumulates of one inference)")[1].split("skipped: by")[0]
    rows = [
        [int(n.replace(",", "")) for n in re.findall(r"(?<![\d.])\d[\d,]*(?![\d.]| %)", line)]
        for line in text.splitlines()
    ]
    first, second, total = (row[-6:] for row in rows if len(row) >= 6)
    assert [a + b for a, b in zip(first, second)] == total
    assert first == [2000, 500, 1500, 60, 40, 1400] and total == [2500, 500, 2000, 60, 40, 1900]


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
    assert " macc             :  2,500 exact -> 2,000 kept (-20.0 %); 1,900 computed" in text
    assert " flash (total)    :  30,000 B (29.30 KiB) / 2,097,152 B (2048.00 KiB) (1.4 % used)" in text
    assert " input 1/1        :  'in', int8(1x8x8x1), 64 B, QLinear(0.00392156863,-128,int8)" in text


def test_all_inputs_and_outputs() -> None:
    """One of them is made of several bytes a number."""
    more = Border("boxes", (1, 5, 4), 1.0, 0, "int32")
    report = replace(FULL, more_inputs=(replace(FULL.input, name="other"),), more_outputs=(more,))
    text, made = render(report), as_json(report)
    assert " input 1/2        :  'in', int8(1x8x8x1), 64 B" in text
    assert " input 2/2        :  'other', int8(1x8x8x1), 64 B" in text
    assert " output 2/2       :  'boxes', int32(1x5), 20 B, QLinear(1,0,int32)" in text
    assert [border["name"] for border in made["inputs"]] == ["in", "other"]
    assert made["outputs"][1]["size_bytes"] == 20 and made["outputs"][0] == made["output"]


def test_accuracy_table() -> None:
    text = render(FULL)
    confirmed = "confirmation 400 99.00 % 98.25 % -0.75 [-1.50, +0.12] (paired, adjusted Wald)"
    table_of = text[text.index("accuracy (top-1) on") :]
    assert row(table_of, "confirmation").split() == confirmed.split()
    assert row(text, "exploration").split()[1:] == ["300", "98.00", "%", "97.50", "%", "-0.50"]
    tried = "2 designs were tried on the confirmation images, the cheapest first, until one met the target: "
    assert tried + "#7 97.00 % (missed), #5 98.25 %." in " ".join(text.split())
    assert "single look" in text
    once = replace(FULL, looks=FULL.looks[1:])
    assert "1 design was tried" in render(once)
    assert "tried" not in render(replace(FULL, looks=()))
    sure = replace(FULL, confidence=95.0, looks=(Tried(7, 97.0, True, -0.625), Tried(5, 96.0, False, -1.5, 4000)))
    told = " ".join(render(sure).split())
    assert "the mildest first, as long as they kept the target with 95 % confidence" in told
    assert "#7 97.00 % [-0.62 or better], #5 96.00 % [-1.50 or better] (missed)." in told
    assert "#7 97.00 % [97.50 or better]," in " ".join(
        render(replace(sure, allowed_drop=None, looks=(Tried(7, 97.0, True, 97.5), *sure.looks))).split()
    )


def test_totals() -> None:
    text = render(FULL)
    assert row(text, "est. cycles  ").split()[2:] == ["6,000", "5,000", "1,000", "(-16.7", "%)"]
    assert row(text, "est. cycles/MAC").split()[2:] == ["2.40", "2.00", "0.40", "(-16.7", "%)"]
    assert row(text, "est. ms").split()[2:5] == ["0.037", "0.031", "0.006"]
    assert row(text, "MACs computed").split()[2:5] == ["2,440", "1,900", "540"]
    assert row(text, "activations (arena), B").split()[3:] == ["2,048", "2,048", "0", "(+0.0", "%)"]
    plain = " ".join(text.split())
    assert "estimated by a cost model that was fitted to the virtual board of NUCLEO-U575ZI-Q (simulated)" in plain
    assert "2,000,000 B for them and 700,000 B of RAM" in plain


def test_an_exact_network_that_does_not_fit_says_so() -> None:
    short = replace(FULL, exact=replace(FULL.exact, shortages=("the exact network needs 5,000 bytes of flash",)))
    text = render(short)
    assert row(text, "est. cycles  ").split()[2:] == ["does", "not", "fit", "5,000"]
    assert row(text, "est. flash of the steps").split()[6:] == ["5,000", "4,000"]
    made = as_json(short)["totals"]
    assert made["saved"]["cycles"] is None and not made["exact"]["fits"]


def test_layer_table() -> None:
    text = render(FULL)
    expected = "0 conv2d_0 (CONV_2D) 8x8x4 104 input unpacked 3,000 4,321 2.16"
    assert row(text, "0  conv2d_0 (CONV_2D)").split() == expected.split()
    exact = row(text, "1  fully_connected_1 (")
    assert exact.split()[-3:] == ["1,000", "679", "1.36"]
    assert row(text.split("est. cycles of")[0], "total   ").split() == ["total", "4,000", "5,000", "2.00"]
    assert "nothing was measured" in text


def test_what_was_dropped() -> None:
    text = render(FULL)
    dropped = row(text, "0  conv2d_0      0.0125")
    assert dropped.split()[2:8] == ["0.0125", "25", "of", "100", "25.0", "%"]
    assert "12 of 60 pairs of input channels" in dropped and "2x2 pixels by 2 channels" in dropped
    assert "weights dropped" not in render(BARE)


def test_no_line_is_wider_than_the_report() -> None:
    long = replace(
        CONV, name="depthwise_conv2d_101", op="DEPTHWISE_CONV_2D", shape=(1, 112, 112, 1024), variant="x" * 80,
        inputs=("depthwise_conv2d_99", "average_pool2d_100"), parameter_bytes=10**8, flash_bytes=10**7,
        estimated_cycles=1e9, macs=Macs(2 * 10**9, 10**9, 10**8, 10**8, 8 * 10**8), note="unpacked: " + "y z " * 60,
    )  # fmt: skip
    for report in (FULL, BARE, replace(FULL, layers=(long, DENSE), looks=FULL.looks * 8)):
        assert max(map(len, render(report).splitlines())) <= WIDTH
    assert "1,000,000,000" in render(replace(FULL, layers=(long, DENSE))), "figures are never cut"


def test_complexity_adds_up() -> None:
    text = render(FULL).split("Complexity report (model)")[1].split("Pareto")[0]
    shares = [[float(x) for x in re.findall(r"([\d.]+) %", line)] for line in text.splitlines() if "%" in line]
    assert shares == [[75.0, 75.0], [25.0, 25.0]]
    assert "||||||||||||||||||  " in text


def test_front() -> None:
    text = render(FULL)
    assert "Pareto front (3 points of 9 designs that were measured, on 300 exploration images)" in text
    taken = row(text, "*  #")
    assert taken.split()[:4] == ["*", "#5", "97.50", "%"] and "not on the front" not in text
    assert row(text.split("Pareto")[1], "exact  ").split()[3] == "2,500"


def test_a_design_that_was_taken_is_marked_even_if_it_is_not_on_the_front() -> None:
    beside = replace(FULL.front[1], on_front=False)
    text = render(replace(FULL, front=(FULL.front[0], beside, FULL.front[2])))
    assert "Pareto front (2 points of" in text
    assert re.search(r"^\*  #5 .* not on the front$", text, re.MULTILINE)
    one = render(replace(FULL, front=(replace(FULL.front[2], chosen=True),)))
    assert "Pareto front (1 point of" in one


def test_remarks_name_what_stands_against_a_kernel() -> None:
    text = render(FULL)
    assert "- One remark." in text
    assert f"- fully_connected_1 (cmsis_nn): {DENSE.note}" in text


@pytest.mark.parametrize(
    ("target", "title"),
    [
        (Target(1.0, None), "at most 1 point below the exact network"),
        (Target(2.0, None), "at most 2 points below the exact network"),
        (Target(0.5, None), "at most 0.5 points below the exact network"),
        (Target(0.0, None), "at most 0 points below the exact network"),
        (Target(None, 97.5), "at least 97.5 %"),
        (Target(None, None, 4096, 512, None, 0.05), "at most 4,096 B of flash; at most 512 B of RAM; at most 50 ms"),
        (Target(1.0, None, max_cycles=8e6), "at most 1 point below the exact network; at most 8,000,000 cycles"),
        (None, "none"),
    ],
)
def test_targets_in_words(target: Target | None, title: str) -> None:
    assert target_title(target) == title


def test_text_of_what_is_not_known() -> None:
    text = render(BARE)
    assert "Accuracy: not measured (the spec names no data)." in text
    assert " ram (total)      :  not linked (no compiler) / 786,432 B (768.00 KiB)" in text
    assert "Pareto" not in text
    assert "Remarks" not in text
    assert "None" not in text
    assert row(text, "0  conv2d_0 (").split()[-3] == "-"


def test_network_without_a_single_mac() -> None:
    layer = replace(CONV, op="RESHAPE", macs=NO_MACS, flash_bytes=0, kernel="none", approximation=None)
    assert "macc             :  0 exact -> 0 kept (0.0 %)" in render(replace(BARE, layers=(layer,)))


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
