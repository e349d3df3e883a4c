"""A measurement on the virtual board, and the document that comes of it."""

from __future__ import annotations

import re
import shutil
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from approx_plugin.bench.published import load_published
from approx_plugin.boards.loader import load_board
from approx_plugin.errors import ToolError
from approx_plugin.measured.comparison import Row
from approx_plugin.measured.record import Record
from approx_plugin.validation.__main__ import main
from approx_plugin.validation.document import STRAIGHT, by_code, document, kernels_section, measured_section, versions
from approx_plugin.validation.firmware import parse_libraries, with_headers
from approx_plugin.validation.kernels import load_kernels
from approx_plugin.validation.measurements import CONNECTED, DENSE, Measurement, Network, load_measurements
from approx_plugin.validation.run import Comparison, Simulated, band, compare
from approx_plugin.virtual_board.fingerprint import fingerprint

MEASUREMENTS = load_measurements()
ONE = MEASUREMENTS[0]
TINY = Network(
    "tiny", "a tiny network", input=(6, 6, 3), layers=("conv 5 3 2", "max 2 2", "mean", "dense 4", "softmax")
)


def tiny(stack_version: str, optimization: str = "o3") -> Measurement:
    """A network that takes a millisecond, through the subset."""
    stack = replace(ONE.stack, version=stack_version, optimization=optimization, copies=10)
    return replace(ONE, stack=stack, network=TINY, seconds=0.001)


def compared(measurement: Measurement, root: Path, folder: Path) -> tuple[Comparison, ...]:
    pytest.importorskip("unicorn")
    if shutil.which("arm-none-eabi-gcc") is None:
        pytest.skip("needs arm-none-eabi-gcc")
    library = {measurement.stack.id: (root / "Middlewares" / "CMSIS-NN", None)}
    said: list[str] = []
    with ProcessPoolExecutor(1) as pool:
        found = compare([measurement, MEASUREMENTS[4]], library, None, folder, pool, said.append)
    assert len(said) == len(found)
    return found


def test_a_measurement_and_its_simulation(root: Path, tmp_path: Path) -> None:
    (found,) = compared(tiny("unknown"), root, tmp_path)
    # 120,000 cycles in a millisecond, 10 for each of 108 inputs and 4 outputs.
    assert found.expected == 120_000 - 10 * 112
    assert found.macs == 9 * 27 * 5 + 5 * 4
    assert 0 < found.simulated.ideal < found.simulated.cycles
    assert found.error == found.simulated.cycles / found.expected - 1
    # The optimization level reaches the library.
    (slower,) = compared(tiny("unknown", "o0"), root, tmp_path)
    assert slower.simulated.instructions > 2 * found.simulated.instructions


def test_another_version_of_the_library_is_refused(root: Path, tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="measured with another version") as caught:
        compared(tiny("7.0.0"), root, tmp_path)
    assert "unknown, not 7.0.0" in str(caught.value)


def test_headers_are_added_but_none_is_replaced(tmp_path: Path) -> None:
    library, core = tmp_path / "nn", tmp_path / "core"
    for folder in (library / "Include", library / "Source" / "A", core):
        folder.mkdir(parents=True)
    (library / "Include" / "both.h").write_text("library")
    (library / "Source" / "A" / "a.c").write_text("a")
    (core / "both.h").write_text("core")
    (core / "cmsis_gcc.h").write_text("core")
    assert with_headers(library, None, tmp_path / "out") == library
    merged = with_headers(library, core, tmp_path / "out")
    texts = {path.relative_to(merged).as_posix(): path.read_text() for path in merged.rglob("*") if path.is_file()}
    assert texts == {"Include/both.h": "library", "Include/cmsis_gcc.h": "core", "Source/A/a.c": "a"}
    # Nothing of an earlier run stays behind.
    (core / "cmsis_gcc.h").write_text("newer")
    (library / "Source" / "A" / "a.c").unlink()
    with_headers(library, core, tmp_path / "out")
    assert (merged / "Include" / "cmsis_gcc.h").read_text() == "newer"
    assert not (merged / "Source" / "A" / "a.c").exists()
    shutil.rmtree(library / "Include")
    with pytest.raises(ToolError, match="it has no Include/"):
        with_headers(library, core, tmp_path / "out")


def test_libraries_of_the_command_line(tmp_path: Path) -> None:
    stacks = ("tflm", "microtvm")
    assert parse_libraries([f"tflm={tmp_path}", f"microtvm={tmp_path},{tmp_path}"], stacks) == {
        "tflm": (tmp_path, None),
        "microtvm": (tmp_path, tmp_path),
    }
    for text in ("tflm", "=x", "tflm="):
        with pytest.raises(ToolError, match="is not STACK=DIR"):
            parse_libraries([text], stacks)
    with pytest.raises(ToolError, match="no directory"):
        parse_libraries([f"tflm={tmp_path / 'nowhere'}"], stacks)
    with pytest.raises(ToolError, match="'glow' was not measured") as caught:
        parse_libraries([f"glow={tmp_path}"], stacks)
    assert "tflm, microtvm" in str(caught.value)
    with pytest.raises(ToolError, match="'tflm' is given twice"):
        parse_libraries([f"tflm={tmp_path}"] * 2, stacks)


def test_nothing_is_written_without_all_libraries(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert main(["--library", f"tflm={tmp_path}", "--write"]) == 2
    said = capsys.readouterr().err
    assert "not compared: microtvm" in said and "not compared: tflm" in said
    assert main(["--library", "tflm=nowhere"]) == 2
    assert "there is no directory nowhere" in capsys.readouterr().err
    for wrong in (["--jobs", "0"], ["--date", "yesterday"]):
        with pytest.raises(SystemExit) as caught:
            main(wrong)
        assert caught.value.code == 2


def made_up(error: float, measurement: Measurement = ONE) -> Comparison:
    return Comparison(measurement, 1000, 2e6, Simulated(round(2e6 * (1 + error)), 10**6, 900_000, "12.2.1"))


def test_the_document_says_how_far_it_is_off() -> None:
    other = next(one for one in MEASUREMENTS if one.chip != ONE.chip)
    comparisons = [made_up(-0.05), made_up(0.031), made_up(-0.2, other)]
    assert band(comparisons[:2]) == pytest.approx((-0.05, 0.031))
    text = document(comparisons, "2026-01-02")
    assert "Date: 2026-01-02." in text
    assert "| NUCLEO-L4R5ZI, in sight when numbers were fitted | 2 | -5.0 to +3.1 % |" in text
    assert f"| {other.chip.title}, not used for fitting | 1 | -20.0 to -20.0 % |" in text
    assert "| ResNet8 | 1,000 | 48.929 | 2.000 | 1.900 | -5.0 % | 1.000 | 1900.00 | yes |" in text
    assert "NUCLEO-L4R5ZI, instruction ways: fitted" in text
    with pytest.raises(ValueError, match="nothing was compared"):
        document([], "2026-01-02")


def test_what_users_have_measured_is_in_the_document() -> None:
    board = load_board("nucleo-l4r5zi")
    rows = (Row("conv2d_0", "gemm", 2000, 1900), Row("dense_1", "cmsis_nn", 1000, 1100), Row("empty", "", 0, 3))
    record = Record("digits", "", "cd", "12.2.1", fingerprint(board), 120_000_000, "A | mine", rows)
    found = measured_section([(board, record), (board, replace(record, virtual_board="another", rows=rows[2:]))])
    assert (
        found[-3] == "| NUCLEO-L4R5ZI | digits | 3 | 3,000 | 3,003 | +0.1 % | -5.0 to +10.0 % | the same | A / mine |"
    )
    assert found[-2] == "| NUCLEO-L4R5ZI | digits | 1 | 0 | 3 | n/a | n/a | another | A / mine |"
    assert measured_section([]) == []


@pytest.mark.parametrize(("core", "chip"), [("cortex-m4", "NUCLEO-L4R5ZI"), ("cortex-m33", "nRF5340")])
def test_the_bench_says_what_the_document_says(root: Path, core: str, chip: str) -> None:
    text = (root / "docs" / "validation.md").read_text(encoding="utf-8")
    (section,) = [part for part in text.split("\n## ") if part.startswith(chip)]
    errors = [float(found) for found in re.findall(r"\| ([+-]\d+\.\d) % \|", section)]
    said = load_published().model_error(core)
    assert f"{min(errors):+.1f} to {max(errors):+.1f} % from {len(errors)} published totals" in said


def test_the_bench_says_the_bands_of_the_document(root: Path) -> None:
    """By kind of code, from the document's own rows."""
    text = (root / "docs" / "validation.md").read_text(encoding="utf-8")
    kinds = {one.network.title: one.network.code for one in MEASUREMENTS}
    for chip, core in (("NUCLEO-L4R5ZI", "cortex-m4"), ("nRF5340", "cortex-m33")):
        (section,) = [
            part for part in text.split("\n## ") if part.startswith(f"{chip},") or part.startswith(f"{chip} (")
        ]
        rows = re.findall(r"^\| ([^|]+) \| [\d,]+ \|.* ([+-][\d.]+) % \|.*(?:yes|no) \|$", section, re.MULTILINE)
        assert len(rows) == sum(one.chip.title.startswith(chip) for one in MEASUREMENTS)
        for code in (DENSE, CONNECTED):
            errors = [float(error) for title, error in rows if kinds[title] == code]
            band = f"{min(errors):+.1f} to {max(errors):+.1f} %" if len(errors) > 1 else f"{errors[0]:+.1f} %"
            assert f"{code} {band} ({len(errors)} total" in load_published().model_error(core)


def test_recorded_kernels() -> None:
    recorded = load_kernels()
    kernels = recorded.kernels
    assert len(kernels) == len({(k.scheme, k.implementation, k.operation) for k in kernels}) > 30
    assert all(kernel.published > 0 and kernel.simulated > 0 for kernel in kernels)
    errors = [100 * kernel.error for kernel in kernels]
    band = f"{min(errors):+.1f} to {max(errors):+.1f} % ({len(kernels)} kernels)"
    assert f"{STRAIGHT} {band}" in load_published().model_error("cortex-m4")
    table = kernels_section(recorded)
    assert len(table) == 6 + len(kernels) + 1
    first = kernels[0]
    assert f"| {first.scheme} | {first.implementation} | {first.operation} | {first.published:,} |" in table[6]


def test_bands_by_kind_of_code() -> None:
    connected = next(one for one in MEASUREMENTS if one.network.code == CONNECTED)
    comparisons = [made_up(0.05, ONE), made_up(-0.03, ONE), made_up(-0.2, connected)]
    rows = by_code(comparisons, load_kernels())
    assert rows[2] == "| NUCLEO-L4R5ZI, dense loops | 2 | 4.0 % | -3.0 to +5.0 % |"
    assert rows[3] == "| NUCLEO-L4R5ZI, fully connected | 1 | 20.0 % | -20.0 to -20.0 % |"
    assert {one.network.title for one in MEASUREMENTS if one.network.code == CONNECTED} == {
        "autoencoder",
        *(f"FC_{index}" for index in range(3, 11)),
    }


def test_the_document_in_the_repository_is_of_these_virtual_boards(root: Path) -> None:
    text = (root / "docs" / "validation.md").read_text(encoding="utf-8")
    assert versions([made_up(0.0, one) for one in MEASUREMENTS]) in text
    for one in MEASUREMENTS:
        assert f"| {one.network.title} | " in text
    assert text.count("| yes |") + text.count("| no |") == len(MEASUREMENTS)
