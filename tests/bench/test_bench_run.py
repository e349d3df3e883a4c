"""The bench on the digits example: built, simulated and checked."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("unicorn")

from approx_plugin.bench import run as bench_run
from approx_plugin.bench.firmware import make
from approx_plugin.bench.measure import result
from approx_plugin.bench.results import VariantResult
from approx_plugin.bench.run import bench, chosen_boards
from approx_plugin.bench.variants import VARIANTS, Workshop
from approx_plugin.boards.board import Board
from approx_plugin.boards.loader import known_boards, load_board
from approx_plugin.build.toolchain import COMPILER
from approx_plugin.cli import main
from approx_plugin.errors import BoardError, CapacityError, ErrorGroup, ToolError, VerificationError
from approx_plugin.exploration.measurement import silent
from approx_plugin.laboratory.firmware import Firmware, step_functions
from approx_plugin.laboratory.measurement import run
from approx_plugin.pipeline.designed import Designed
from approx_plugin.pipeline.generate import generate
from approx_plugin.pipeline.inputs import read
from approx_plugin.request import Request
from approx_plugin.spec.order import Order
from approx_plugin.virtual_board.results import Simulation

pytestmark = pytest.mark.skipif(shutil.which(COMPILER) is None, reason=f"needs {COMPILER}")

SPEC = """\
version: 1
model: {model}
board: nucleo-l4r5zi
method: none
kernels: {{convolution: {convolution}}}
project: {{name: digits, directory: out/digits, test_vectors: 3}}
"""


def spec(folder: Path, root: Path, convolution: str = "auto") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "approx.yaml"
    model = json.dumps(str(root / "models" / "digits_cnn.tflite"))
    path.write_text(SPEC.format(model=model, convolution=convolution))
    return path


def quiet(_: str) -> None:
    """Nobody listens."""


@pytest.fixture(scope="module")
def built(root: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Firmware, Designed, Simulation]:
    """Our exact kernels for the spec's board, and their simulation."""
    folder = tmp_path_factory.mktemp("bench")
    inputs, designed = VARIANTS["exact"].prepare(
        read(Order.of(Request(spec(folder, root)))), Workshop(folder, 1, silent)
    )
    firmware = make(inputs, designed, folder / "place", "exact", 2)
    return firmware, designed, run(firmware)


def test_every_variant_on_every_board_is_measured_and_saved(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CMSIS_NN_PATH", raising=False)
    file = spec(tmp_path, root)
    boards = "nucleo-l4r5zi,nucleo-l4r5zi-single-bank,NUCLEO-U575ZI-Q"
    arguments = ["bench", "--spec", str(file), "--boards", boards, "--workers", "2"]
    assert main(arguments) == 0
    console = capsys.readouterr().out
    assert "NO BASELINE" in console and "SIMULATED" in console
    folder = tmp_path / "out" / "digits_bench"
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    document = json.loads(first["bench.json"])
    assert [board["board"] for board in document["boards"]] == boards.lower().split(",")
    assert [board["name"] for board in document["boards"]] == boards.upper().split(",")
    for board in document["boards"]:
        library, ours = board["variants"]["cmsis_nn"], board["variants"]["exact"]
        assert list(board["variants"]) == ["cmsis_nn", "exact"]
        assert {layer["kernel"] for layer in library["layers"]} == {"cmsis_nn"}
        assert {layer["kernel"] for layer in ours["layers"]} & {"unpacked", "gemm", "winograd"}
        assert ours["total"]["cycles"] < library["total"]["cycles"]
        for variant in (library, ours):
            total = variant["total"]
            assert total["ideal_cycles"] <= total["cycles"]
            # The firmware's own count covers the calls between the layers, too, and its caches are warmer.
            assert variant["printed_cycles"] == pytest.approx(total["cycles"], rel=0.03)
    # The library's firmware is the same in both settings of the L4R5; our kernels are chosen for each.
    delivered, single = (board["variants"]["cmsis_nn"] for board in document["boards"][:2])
    assert delivered["total"]["instructions"] == single["total"]["instructions"]
    assert delivered["total"]["stalls"]["fetch"] > single["total"]["stalls"]["fetch"]
    assert main([*arguments[:-1], "1"]) == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == first
    assert main(["clean", "--spec", str(file)]) == 0
    assert not folder.exists()


def test_the_firmware_is_the_users_but_for_the_number_of_test_vectors(
    root: Path, tmp_path: Path, built: tuple[Firmware, Designed, Simulation]
) -> None:
    project = generate(Order.of(Request(spec(tmp_path, root))), quiet).directory
    bench_tree = built[0].elf.with_suffix("")
    mine = {path.relative_to(bench_tree).as_posix(): path for path in bench_tree.rglob("*") if path.is_file()}
    users = {path.relative_to(project).as_posix() for path in project.rglob("*") if path.is_file()}
    differing = {name for name in mine if (project / name).read_bytes() != mine[name].read_bytes()}
    programs = {f"Release/digits.{end}" for end in ("elf", "hex", "bin", "map")}
    assert users - set(mine) == {"report.html", "report.json", "report.txt", *programs}
    assert differing == {"Core/Src/test_vectors.c", "README.md", "approx_manifest.json"}


def test_layers_have_the_functions_figures(built: tuple[Firmware, Designed, Simulation]) -> None:
    firmware, designed, simulation = built
    found: VariantResult = result("exact", firmware, designed, simulation)
    costs = {cost.name: cost for cost in simulation.layers}
    whole = costs["approx_network_run"]
    assert [layer.index for layer in found.layers] == [0, 1, 2, 3, 5]  # 4 is a reshape
    assert sum(layer.macs for layer in found.layers) == designed.graph.macs
    for layer in found.layers:
        cost = costs[firmware.functions[layer.index]]
        assert cost.calls == whole.calls
        assert layer.figures.cycles == round(cost.cost.board.cycles / cost.calls)
    assert found.total.cycles * whole.calls <= whole.cost.board.cycles
    assert found.stack_bytes == simulation.stack_bytes


def test_a_wrong_answer_is_no_result(built: tuple[Firmware, Designed, Simulation]) -> None:
    firmware, designed, simulation = built
    lied = simulation.console.replace("vector 0 ok", "vector 0 MISMATCH layer 2 conv2d_2 crc 0x1 expected 0x2")
    lied = lied.replace("PASS 1/1", "FAIL 0/1")
    with pytest.raises(VerificationError, match="0 of 1 vectors"):
        result("exact", firmware, designed, replace(simulation, console=lied))


def test_a_firmware_that_stops_is_no_result(built: tuple[Firmware, Designed, Simulation]) -> None:
    firmware, designed, simulation = built
    short = simulation.console[: simulation.console.index("approx: PASS")]
    with pytest.raises(ToolError, match="without a result"):
        result("exact", firmware, designed, replace(simulation, console=short))


def test_a_layer_that_was_merged_with_another_is_noticed(built: tuple[Firmware, Designed, Simulation]) -> None:
    firmware, designed, simulation = built
    layers = tuple(replace(c, calls=2 * c.calls) if "layer_01" in c.name else c for c in simulation.layers)
    with pytest.raises(ToolError, match=r"approx_layer_01.* its cycles are not known"):
        result("exact", firmware, designed, replace(simulation, layers=layers))


def test_functions_are_found_under_the_names_that_the_compiler_gives(
    built: tuple[Firmware, Designed, Simulation],
) -> None:
    symbols = {"approx_layer_00": 4, "approx_layer_01.constprop.0": 4, "approx_layer_01_group_000": 4}
    found = step_functions(built[0].program, symbols)
    assert found[0] == "approx_layer_00"
    assert found[1] == "approx_layer_01.constprop.0"
    assert found[2] == "approx_layer_02"


def test_a_variant_that_the_board_cannot_hold_is_told_and_the_others_go_on(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench_run, "chosen_boards", lambda names, default: (with_flash(default, 38),))
    made = bench(Order.of(Request(spec(tmp_path, root, "unpacked"), workers=1)), quiet)
    assert {board.board: [v.variant for v in board.variants] for board in made.boards} == {
        "nucleo-l4r5zi": ["cmsis_nn"]
    }
    ((name, why),) = made.boards[0].missing
    assert name == "exact" and "bytes of flash" in why


def test_a_board_that_holds_nothing_is_an_error(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_run, "chosen_boards", lambda names, default: (with_flash(default, 32),))
    with pytest.raises(ErrorGroup) as caught:
        bench(Order.of(Request(spec(tmp_path, root), workers=1)), quiet)
    assert len(caught.value.errors) == 2
    assert all(isinstance(error, CapacityError) for error in caught.value.errors)


def with_flash(board: Board, kib: int) -> Board:
    memories = tuple(replace(m, length=kib << 10) if m.kind == "flash" else m for m in board.memories)
    return replace(board, memories=memories)


def test_boards_are_chosen_by_name() -> None:
    default = load_board("nucleo-l4r5zi")
    assert chosen_boards((), default) == (default,)
    everything = [board.id for board in chosen_boards(("all",), default)]
    assert everything == list(known_boards())
    assert {"nucleo-l4r5zi-single-bank", "ideal-cortex-m4"} < set(everything)
    twice = chosen_boards(("nucleo-u575zi-q", "NUCLEO-L4R5ZI", "NUCLEO-U575ZI-Q"), default)
    assert [board.id for board in twice] == ["nucleo-u575zi-q", "nucleo-l4r5zi"]
    with pytest.raises(ErrorGroup) as caught:
        chosen_boards(("nucleo-u575", "nucleo-l4r5zi", "arduino"), default)
    assert [error.what for error in caught.value.errors] == [
        "there is no board 'nucleo-u575'",
        "there is no board 'arduino'",
    ]


def test_a_board_without_timing_is_told_before_anything_is_built(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench_run, "chosen_boards", lambda names, default: (default, replace(default, timing=None)))
    with pytest.raises(BoardError, match="NUCLEO-L4R5ZI has no timing"):
        bench(Order.of(Request(spec(tmp_path, root), workers=1)), quiet)
    assert not list(tmp_path.rglob("*.elf"))
