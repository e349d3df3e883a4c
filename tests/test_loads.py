"""What a command reads, it reads once: the spec, the board with its interrupts and costs, the model."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest
from digits_project import exact, write_spec

from approx_plugin import files
from approx_plugin.build.toolchain import COMPILER
from approx_plugin.cli import main
from approx_plugin.cores.core import load_core

pytestmark = pytest.mark.skipif(shutil.which(COMPILER) is None, reason=f"needs {COMPILER}")


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often which file was read, by folder and name, since it was cleared."""
    monkeypatch.delenv("CMSIS_NN_PATH", raising=False)
    counted: Counter[str] = Counter()
    read_bytes = files.read_bytes

    def counting(path: Path, limit: int) -> bytes:
        counted["/".join(path.parts[-2:])] += 1
        return read_bytes(path, limit)

    monkeypatch.setattr("approx_plugin.documents.reader.read_bytes", counting)
    monkeypatch.setattr("approx_plugin.tflite.reader.read_bytes", counting)
    return counted


BOARD = {"interrupts/stm32u575xx.yaml", "nucleo-u575zi-q/board.yaml"}
INPUTS = BOARD | {"nucleo-u575zi-q/costs.yaml", "models/digits_cnn.tflite"}


def test_every_file_is_read_once_per_command(tmp_path: Path, loads: Counter[str]) -> None:
    path = write_spec(tmp_path, exact())
    spec = f"{tmp_path.name}/approx.yaml"
    load_core("cortex-m33")  # a process remembers it

    def command(*arguments: str) -> Counter[str]:
        loads.clear()
        assert main([*arguments, "--spec", str(path)]) == 0
        return loads

    assert command() == dict.fromkeys({spec} | INPUTS, 1)
    # What is up to date needs no look at the model, and the board only where it says something.
    assert command() == {spec: 1}
    assert command("report") == {spec: 1}
    assert command("size") == dict.fromkeys({spec} | BOARD, 1)
    if shutil.which("qemu-system-arm"):
        assert command("verify") == dict.fromkeys({spec} | BOARD, 1)
    path.write_text(f"# changed\n{path.read_text(encoding='utf-8')}", encoding="utf-8")
    assert command("size") == dict.fromkeys({spec} | INPUTS, 1)


def test_the_bench_reads_every_board_once(tmp_path: Path, loads: Counter[str]) -> None:
    pytest.importorskip("unicorn")
    path = write_spec(tmp_path, exact())
    boards = "nucleo-l4r5zi,NUCLEO-U575ZI-Q,nucleo-u575zi-q,nucleo-L4R5zi"
    assert main(["bench", "--spec", str(path), "--boards", boards]) == 0
    # Tables of cores and of published figures are read once per process.
    counted = {name: count for name, count in loads.items() if not name.startswith(("cores/", "bench/"))}
    other = {"nucleo-l4r5zi/board.yaml", "nucleo-l4r5zi/costs.yaml", "interrupts/stm32l4r5xx.yaml"}
    assert counted == dict.fromkeys({f"{tmp_path.name}/approx.yaml"} | INPUTS | other, 1)
    assert max(loads.values()) == 1
