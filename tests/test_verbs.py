"""The verbs beside the way from spec to project: doctor, explain, program, compiledb, init; quiet and JSON; needs."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from digits_project import MODEL, ROOT, exact, tree, write_spec

from approx_plugin import doctor
from approx_plugin.cli import HELP, main, parser
from approx_plugin.spec.loader import load_spec


def told(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """Standard output of a run that succeeds."""
    assert main([str(argument) for argument in arguments]) == 0, capsys.readouterr().err
    return capsys.readouterr().out


def complaint(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """Standard error of one that does not."""
    assert main([str(argument) for argument in arguments]) == 2
    return capsys.readouterr().err


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """approx.yaml of a project that is up to date, in a folder with blanks in its name."""
    path = write_spec(tmp_path_factory.mktemp("ein Projekt"), exact())
    assert main(["--spec", str(path)]) == 0
    return path


# ---- what was built


def test_what_was_built_lies_in_the_project(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    built = project.parent / "out/Release"
    assert {file.name for file in built.iterdir()} == {f"digits.{end}" for end in ("elf", "hex", "bin", "map")}
    assert (built / "digits.elf").read_bytes()[:4] == b"\x7fELF"
    for file in built.iterdir():
        assert str(project.parent).encode() not in file.read_bytes(), f"{file.name} says where it was built"
    listed = json.loads((project.parent / "out/approx_manifest.json").read_text(encoding="utf-8"))["files"]
    assert "Release/digits.hex" in listed
    (built / "digits.elf").write_bytes(b"built by the IDE")
    assert "up to date" in told(capsys, "--spec", project)
    (built / "digits.elf").unlink()
    assert "1 files written" in told(capsys, "--spec", project)


def fake_programmer(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir()
    (folder / "openocd").write_text("#!/bin/sh\nls > listed\n", encoding="utf-8")
    (folder / "openocd").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def test_program(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_programmer(tmp_path / "bin", monkeypatch)
    printed = told(capsys, "program", "--spec", project, "--probe", "openocd")
    assert printed.startswith("NUCLEO-U575ZI-Q: programmed (openocd -f interface/stlink.cfg")
    listed = project.parent / "out/Release/listed"
    assert "digits.elf" in listed.read_text(encoding="utf-8").split()
    listed.unlink()


def test_compiledb(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = project.parent / "out"
    told(capsys, "compiledb", "--spec", project)
    entries = json.loads((out / "compile_commands.json").read_text(encoding="utf-8"))
    by_file = {entry["file"]: entry for entry in entries}
    assert {"Core/Src/main.c", "Middlewares/Approx/Src/approx_network.c"} <= set(by_file)
    entry = by_file["Core/Src/main.c"]
    command = [*entry["arguments"][:-3], "-fsyntax-only", entry["arguments"][-1]]
    assert subprocess.run(command, cwd=entry["directory"], check=False).returncode == 0
    assert "up to date" in told(capsys, "--spec", project)


def test_clean_takes_what_is_ours(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_spec(tmp_path, exact())
    told(capsys, "compiledb", "--spec", path)
    told(capsys, "clean", "--spec", path)
    assert not (tmp_path / "out").exists()
    told(capsys, "--spec", path)
    foreign = tmp_path / "out/compile_commands.json"
    foreign.write_text("[]", encoding="utf-8")
    assert "somebody else's file" in complaint(capsys, "compiledb", "--spec", path)
    told(capsys, "clean", "--spec", path)
    assert foreign.read_text(encoding="utf-8") == "[]"


# ---- explain


def test_explain(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = json.loads(told(capsys, "explain", "conv2d_2", "--spec", project, "--json"))
    rows = made["considered"]
    assert [row["kernel"] for row in rows if row["verdict"] == "taken"] == [rows[0]["kernel"]]
    assert {"cmsis_nn", "unpacked"} <= {row["kernel"] for row in rows}
    assert all(row["cycles"] > 0 and row["verdict"] for row in rows)
    assert made["kind"] == "CONV_2D" and made["macs"] == 18432
    report = json.loads((project.parent / "out/report.json").read_text(encoding="utf-8"))
    kernels = {layer["name"]: layer["kernel"] for layer in report["layers"]}
    for name, kernel in kernels.items():
        text = told(capsys, "explain", name, "--spec", project)
        assert text.startswith(f"{name}: ")
        assert kernel in text or kernel == "none"
        assert max(map(len, text.split("\n"))) <= 80
    assert told(capsys, "explain", "2", "--spec", project) == told(capsys, "explain", "conv2d_2", "--spec", project)
    assert "did you mean 'conv2d_2'?" in complaint(capsys, "explain", "conv2d_1", "--spec", project)
    with pytest.raises(SystemExit):
        main(["explain", "--spec", str(project)])


# ---- doctor and what is missing


def test_doctor(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert "ok       Python" in told(capsys, "doctor")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CMSIS_NN_PATH", str(tmp_path))
    found = {one["name"]: one for one in json.loads(told(capsys, "doctor", "--json"))["findings"]}
    for name in ("arm-none-eabi-gcc", "newlib-nano", "qemu-system-arm", "openocd"):
        assert found[name]["state"] == "missing"
        assert found[name]["get"]
    assert found["CMSIS_NN_PATH"]["state"] == "unfit"
    assert Path(found["schema"]["found"]).is_file()


def test_doctor_tells_an_old_compiler(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "arm-none-eabi-gcc").write_text("#!/bin/sh\necho 9.3.1\n", encoding="utf-8")
    (tmp_path / "arm-none-eabi-gcc").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "unfit    arm-none-eabi-gcc" in told(capsys, "doctor")


def test_a_damaged_installation_is_the_status() -> None:
    good = doctor.Finding("numpy", doctor.PRESENT, "1", "all", "", True)
    bad = doctor.Finding("numpy", doctor.MISSING, "", "all", "pip install numpy", True)
    assert doctor.is_well((good, doctor.Finding("rich", doctor.MISSING, "", "", "")))
    assert not doctor.is_well((good, bad))


@pytest.mark.parametrize(
    ("verb", "missing"),
    [
        ("verify", ["arm-none-eabi-gcc", "qemu-system-arm"]),
        ("size", ["arm-none-eabi-gcc"]),
        ("program", ["arm-none-eabi-gcc", "STM32_Programmer_CLI"]),
        ("cubeide", ["STM32CubeIDE"]),
    ],
)
def test_what_is_missing_is_told_before_anything_is_done(
    verb: str, missing: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_spec(tmp_path, exact())
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    text = complaint(capsys, verb, "--spec", path)
    assert all(f"{name} was not found" in text or name in text for name in missing)
    assert not (tmp_path / "out").exists()


# ---- init


def test_init_writes_a_spec_that_works(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "approx.yaml"
    assert "written" in told(capsys, "init", MODEL, "--spec", path)
    first = path.read_text(encoding="utf-8").split("\n")[0]
    assert first == f"# yaml-language-server: $schema={(ROOT / 'schemas/approx.schema.json').as_posix()}"
    assert load_spec(path).model == MODEL
    assert "an approx.yaml is there already" in complaint(capsys, "init", MODEL, "--spec", path)
    assert "init needs a model" in complaint(capsys, "init", "--spec", path)


def test_the_commented_keys_of_a_starter_are_right(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "approx.yaml"
    told(capsys, "init", MODEL, "--spec", path)
    text = path.read_text(encoding="utf-8").replace("# budget:", "budget:").replace("# optimize:", "optimize:")
    path.write_text(text, encoding="utf-8")
    assert load_spec(path).budget == {"flash": 512 * 1024, "ram": 128 * 1024}


# ---- quiet and JSON


def test_quiet_tells_results_only(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "--spec", project, "--quiet") == ""
    (project.parent / "out/report.txt").unlink()
    assert told(capsys, "verify", "--spec", project, "--quiet").startswith("verified: 5 of 5")


@pytest.mark.parametrize(
    ("verb", "keys"),
    [
        ("report", {"model", "layers"}),
        ("size", {"text", "sections", "board"}),
        ("verify", {"inputs", "bit_exact", "layers", "machine", "core"}),
        ("run", {"vectors", "passed", "console"}),
        ("inspect", {"lines"}),
    ],
)
def test_json_is_all_of_standard_output(
    verb: str, keys: set[str], project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made: dict[str, Any] = json.loads(told(capsys, verb, "--spec", project, "--json"))
    assert keys <= set(made)


def test_help_fits_80_columns_and_tells_the_exit_statuses() -> None:
    text = parser().format_help()
    assert all(f"\n  {verb:<9} " in text for verb in HELP)
    assert "exit status: 0 done" in text
    assert max(map(len, text.split("\n"))) <= 80


def test_what_a_verb_does_not_take() -> None:
    for arguments in (["verify", "x.tflite"], ["report", "--init"]):
        with pytest.raises(SystemExit):
            main(arguments)


def test_project_is_whole(project: Path) -> None:
    """Nothing that the verbs above have done is left in the project but compile_commands.json."""
    listed = json.loads((project.parent / "out/approx_manifest.json").read_text(encoding="utf-8"))["files"]
    assert set(tree(project.parent / "out")) - {*listed, "approx_manifest.json"} <= {"compile_commands.json"}
