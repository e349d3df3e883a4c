from __future__ import annotations

import re

from bench_cases import bench, published

from approx_plugin.bench.text import render


def tables(text: str) -> dict[str, list[str]]:
    """Title -> rows, of all tables."""
    found = {}
    for part in text.split("\n\n"):
        lines = part.splitlines() if not part.startswith("Approximate") else []
        for at, line in enumerate(lines):
            if at >= 2 and line.startswith("---") and lines[at - 2].strip():
                found[lines[at - 2]] = lines[at + 1 :]
    return found


def test_layers_add_up_to_the_total_line() -> None:
    text = render(bench(), published())
    found = {title: rows for title, rows in tables(text).items() if title.endswith("where the cycles go (simulated)")}
    assert len(found) == 11
    for rows in found.values():
        numbers = [[int(n.replace(",", "")) for n in re.findall(r"(?<![\w.])\d[\d,]*(?![\w.])", row)] for row in rows]
        layers, total = [row[1:] for row in numbers if len(row) > len(numbers[-1])], numbers[-1]
        assert len(layers) == 3
        # MACs computed, cycles, ideal cycles, instructions and five kinds of stalls.
        assert [sum(column) for column in zip(*(row[:9] for row in layers))] == total[:9]


def test_every_board_and_variant_has_a_line_with_its_figures() -> None:
    text = render(bench(), published(), details=False)
    line = next(line for line in text.splitlines() if line.startswith("NUCLEO-L4R5ZI, 120 MHz") and "our" in line)
    cycles = 620_361 + 3_283_318 + 552_416
    for figure in (f"{cycles:,}", f"{cycles / 2_801_664:.2f}", f"{cycles / 120_000:.3f}", "2.37x", "113,768", "896"):
        assert figure in line.split(), figure
    assert "NUCLEO-L4R5ZI-SINGLE-BANK, 120 MHz" in text
    plain = " ".join(text.split())
    assert "top-1 80.95 % (exact: 81.80 %) on 2,000 confirmation images" in plain
    told = "NUCLEO-L4R5ZI, approximated: design #17, 1,400,832 MACs computed, "
    assert told + "3,052,410 cycles estimated by the cost model of the search" in plain
    assert "NUCLEO-L4R5ZI, exact, our kernels: design exact, 2,801,664 MACs computed" in plain


def test_every_table_of_cycles_says_that_they_are_simulated() -> None:
    text = render(bench(), published())
    assert "SIMULATED" in text.splitlines()[0]
    found = {title: rows for title, rows in tables(text).items() if not title.startswith("Published")}
    assert len(found) > 11  # one for each of eleven variants, and those that compare them
    for title, rows in found.items():
        assert "simulated" in title or "(sim.)" in text[: text.index(rows[0])].splitlines()[-2], title
    for core in ("cortex-m4", "cortex-m33", "cortex-m7"):
        assert f"model of the {core} & <its> error" in text


def test_the_portable_subset_is_loudly_no_baseline() -> None:
    text = render(bench(is_baseline=False), published())
    lines = text.splitlines()
    assert lines[0].startswith("WARNING") and "NO BASELINE" in lines[0]
    assert "exact, CMSIS-NN" not in text
    assert not re.search(r"\d\.\d\dx", text)
    assert "NO BASELINE" not in render(bench(), published())


def test_what_does_not_fit_is_said_with_the_reason() -> None:
    text = render(bench(), published())
    assert "NUCLEO-H743ZI2 cannot hold 'exact, our kernels': the network needs 98,765 bytes of RAM" in text


def test_published_figures_stand_beside_the_board_as_delivered_with_the_deviation() -> None:
    text = render(bench(), published())
    rows = next(rows for title, rows in tables(text).items() if title.startswith("Published"))
    assert [row.split("  ")[0] for row in rows[:4]] == ["NUCLEO-L4R5ZI"] * 3 + ["NUCLEO-U575ZI-Q"]
    simulated = (2_883_213 + 7_122_590 + 552_432) / 2_801_664
    low, high = 100 * (simulated / 4.4 - 1), 100 * (simulated / 3.9 - 1)
    assert rows[0].endswith(f"{low:+.1f} ... {high:+.1f} %")
    assert not rows[1].endswith("%")
    assert "%" not in "".join(
        next(r for t, r in tables(render(bench(is_baseline=False), published())).items() if t.startswith("Published"))
    )
