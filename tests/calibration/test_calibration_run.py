"""Firmwares of many layers on the virtual board, and the files that a calibration writes."""

from __future__ import annotations

import shutil
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np
import pytest
import yaml
from toy_kernels import Fault, Faulty

from approx_plugin.boards.loader import known_boards, load_board
from approx_plugin.calibration import __main__ as command
from approx_plugin.calibration import simulation
from approx_plugin.calibration.__main__ import Job, calibrate_board, check, main
from approx_plugin.calibration.document import PARTS, Earlier, table
from approx_plugin.calibration.run import BACKEND, Simulated, board_text, calibrate
from approx_plugin.errors import ToolError, VerificationError
from approx_plugin.kernels.costs.loader import FILE, load_costs
from approx_plugin.kernels.costs.model import CostModel
from approx_plugin.kernels.registry import BASELINE, KERNELS
from approx_plugin.laboratory.drawing import Drawn, draw_layers, unpriced
from approx_plugin.laboratory.operators import NO_LIMITS, activation, pool
from approx_plugin.operators.conv2d import Conv2D
from approx_plugin.operators.geometry import VALID, Window
from approx_plugin.operators.max_pool2d import MaxPool2D
from approx_plugin.virtual_board.fingerprint import fingerprint

BOARD = load_board("nucleo-u575zi-q")
PLATFORM = unpriced(BOARD, BACKEND)


def small_layers(count: int) -> list[Drawn]:
    """Quick ones, unpacked and through the library."""
    drawn = sorted(draw_layers(9, 0.2, PLATFORM), key=lambda d: d.operators[0].macs)
    unpacked = [d for d in drawn if d.kernel.name == "unpacked"][:count]
    return [*unpacked, *(Drawn(d.operators, KERNELS[BASELINE], "") for d in unpacked)]


def error_sizes(model: CostModel, samples: list[simulation.Sample]) -> dict[str, list[float]]:
    """|predicted / simulated - 1| of every sample, by kind."""
    sizes = defaultdict(list)
    for sample in samples:
        work = sample.work(model.memories)
        predicted = sum(model.kinds[work.kind][name] * count for name, count in work.counts.items())
        sizes[work.kind].append(abs(predicted - sample.cycles) / sample.cycles)
    return sizes


def test_cycles_of_a_firmware(root: Path, tmp_path: Path) -> None:
    pytest.importorskip("unicorn")
    if shutil.which("arm-none-eabi-gcc") is None:
        pytest.skip("needs arm-none-eabi-gcc")
    drawn = small_layers(5)
    subset = root / "Middlewares" / "CMSIS-NN"
    samples = simulation.run(drawn, BOARD, PLATFORM, subset, tmp_path, 2)
    kinds = [(d.operators[0].output.shape, d.kernel.name) for d in drawn]
    assert [(sample.operator.output.shape, sample.plan.kernel) for sample in samples] == kinds
    for unpacked, library in zip(samples[:5], samples[5:]):
        assert isinstance(unpacked.operator, Conv2D)
        assert 0 < unpacked.cycles < library.cycles
    # The same firmware again: objects are reused, and so are the figures.
    again = simulation.run(drawn, BOARD, PLATFORM, subset, tmp_path, 2)
    assert [sample.cycles for sample in again] == [sample.cycles for sample in samples]

    fitted, held_out = [*samples[:3], *samples[5:8]], [*samples[3:5], *samples[8:]]
    calibration = calibrate(Simulated(BOARD, fitted, held_out, ()))
    assert calibration.errors["fitted"]["unpacked"].worst < 0.01  # three layers, many coefficients
    for part, used in (("fitted", fitted), ("held_out", held_out)):
        sizes = error_sizes(calibration.model, used)
        assert sizes.keys() == calibration.errors[part].keys() >= {"unpacked"}
        for kind, found in calibration.errors[part].items():
            assert found.layers == len(sizes[kind])
            assert (found.worst, found.median) == pytest.approx((max(sizes[kind]), median(sizes[kind])))
    assert calibration.errors["held_out"]["unpacked"].worst > 2 * calibration.errors["fitted"]["unpacked"].worst

    (tmp_path / FILE).write_text(board_text(calibration, BOARD, subset))
    counts = {kind: tuple(coefficients) for kind, coefficients in calibration.model.kinds.items()}
    assert load_costs(tmp_path / FILE, BOARD.name, counts) == calibration.model
    text = table([("a board", tmp_path / FILE)])
    assert "| unpacked | 3: 0.0 / " in text
    assert "nothing was measured on hardware" in text

    # One kernel anew: what the file says of the others stays as it is.
    earlier = Earlier.read(tmp_path / FILE)
    anew = calibrate(Simulated(BOARD, samples[:4], samples[4:5], ()), earlier.kinds)
    assert {kind: anew.model.kinds[kind] for kind in counts if kind != "unpacked"} == {
        kind: calibration.model.kinds[kind] for kind in counts if kind != "unpacked"
    }
    tree = yaml.safe_load(board_text(anew, BOARD, subset, earlier))
    before = yaml.safe_load((tmp_path / FILE).read_text())
    assert tree["kinds"].keys() == before["kinds"].keys()
    assert tree["kinds"]["unpacked"]["fitted"]["layers"] == 4
    assert all(tree["kinds"][kind] == before["kinds"][kind] for kind in counts if kind != "unpacked")


def wrong_pool() -> Drawn:
    source = activation(0, (8, 8, 4), 0.02, -7)
    layer = pool(MaxPool2D, source, Window.resolve(VALID, (8, 8), (2, 2), (2, 2)), NO_LIMITS)
    return Drawn((layer,), Faulty(Fault("wrong", after="output[5] ^= 1;")), "wrong")


def test_wrong_bytes_are_no_sample(root: Path, tmp_path: Path) -> None:
    pytest.importorskip("unicorn")
    if shutil.which("arm-none-eabi-gcc") is None:
        pytest.skip("needs arm-none-eabi-gcc")
    subset = root / "Middlewares" / "CMSIS-NN"
    with pytest.raises(VerificationError, match="differs from the integer reference") as caught:
        simulation.run([*small_layers(1), wrong_pool()], BOARD, PLATFORM, subset, tmp_path, 2)
    assert "max_pool2d_2 (MAX_POOL_2D), 8x8x4 -> 4x4x4: template, wrong. output[5] is" in caught.value.why
    assert ";" not in caught.value.why  # nothing else is wrong


def test_work_that_no_drawn_layer_does_is_told() -> None:
    sample = simulation.Sample("a network", wrong_pool().plan(PLATFORM), 1000)
    with pytest.raises(ToolError, match="no drawn layer tells what costs template"):
        calibrate(Simulated(BOARD, (), (), (sample,)))


@pytest.mark.parametrize("name", known_boards())
def test_a_file_says_where_it_comes_from_and_how_good_it_is(name: str) -> None:
    text = (load_board(name).folder / FILE).read_text(encoding="utf-8")
    assert "simulated" in text.split("\ntools:")[0]
    tree = yaml.safe_load(text)
    assert set(tree["tools"]) == {"gcc", "CMSIS-NN", "approx-plugin", "virtual_board"}
    for kind, entry in tree["kinds"].items():
        # 3x3 layers with stride 1 whose channels come in fours are rarely drawn.
        assert entry["fitted"]["layers"] >= (5 if kind == "winograd" else 10)
        for part in PARTS:
            if part in entry:
                assert 0 <= entry[part]["median"] <= entry[part]["worst"]
    assert tree["kinds"]["unpacked"]["networks"]["layers"] >= 30
    assert np.median(np.abs([*tree["totals"].values()])) <= 0.05


def test_the_document_is_that_of_the_files(root: Path) -> None:
    text = (root / "docs" / "costs.md").read_text(encoding="utf-8")
    named = [(load_board(name).name, load_board(name).folder / FILE) for name in known_boards()]
    assert text == table(named)


def test_a_changed_virtual_board_is_noticed() -> None:
    timing = BOARD.timing
    assert timing is not None
    flash, *others = timing.memories
    slower = replace(timing, memories=(replace(flash, wait_states=flash.wait_states + 1), *others))
    assert fingerprint(replace(BOARD, timing=slower)) != fingerprint(BOARD)
    (name, cache), *_ = timing.caches.items()
    larger = replace(timing, caches={**timing.caches, name: replace(cache, ways=2 * cache.ways)})
    assert fingerprint(replace(BOARD, timing=larger)) != fingerprint(BOARD)
    sources = {**timing.references, "FLASH wait_states": "another manual"}
    assert fingerprint(replace(BOARD, timing=replace(timing, references=sources))) == fingerprint(BOARD)
    marks = [fingerprint(load_board(name)) for name in known_boards()]
    assert len(set(marks)) == len(marks)


def test_the_costs_of_a_board_that_is_based_on_another_are_its_own(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The firmwares, which take minutes, are left out."""
    shutil.copytree(root / "board", tmp_path / "board")
    base, single = (load_board(name, root=tmp_path) for name in ("nucleo-l4r5zi", "nucleo-l4r5zi-single-bank"))
    (single.folder / FILE).unlink(missing_ok=True)
    before = (base.folder / FILE).read_bytes()
    monkeypatch.setattr(command, "load_board", lambda name: load_board(name, root=tmp_path))
    monkeypatch.setattr(command, "simulate_board", lambda board, *_, **__: Simulated(board, (), (), ()))
    monkeypatch.setattr(command, "board_text", lambda found, board, *_: f"# {board.name}, {found.model.origin}\n")
    assert check(["nucleo-l4r5zi-single-bank"]) == 1
    assert "nucleo-l4r5zi-single-bank: no costs.yaml" in capsys.readouterr().out
    said = calibrate_board(Job("nucleo-l4r5zi-single-bank", (), tmp_path, (), tmp_path, None))
    assert said == "NUCLEO-L4R5ZI-SINGLE-BANK"
    text = (tmp_path / "board" / "nucleo-l4r5zi-single-bank" / FILE).read_text(encoding="utf-8")
    assert text == "# NUCLEO-L4R5ZI-SINGLE-BANK, NUCLEO-L4R5ZI-SINGLE-BANK\n"
    assert (base.folder / FILE).read_bytes() == before


def test_the_command_says_what_is_missing(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CMSIS_NN_PATH", raising=False)
    assert main(["--board", "nucleo-u575zi-q"]) == 2
    assert "--cmsis-nn" in capsys.readouterr().err
    assert main(["--check", "--board", "nucleo-u575"]) == 2
    assert "Did you mean 'nucleo-u575zi-q'?" in capsys.readouterr().err
