"""The command line on the digits example: every verb, its exit status, and what a person sees."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from digits_project import MODEL, ROOT, command_line, environment, exact, report, run, spec, tree, write_spec
from slow_program import SlowProgram

from approx_plugin.cli import HELP, WITHOUT_SPEC, main
from approx_plugin.hashes import sha256
from approx_plugin.verbs import VERBS

BOARDS = sorted(folder.parent.name for folder in (ROOT / "board").glob("*/board.yaml") if "nucleo" in str(folder))


@pytest.fixture(autouse=True)
def _no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CMSIS_NN_PATH", raising=False)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an approx.yaml whose project has been generated."""
    folder = tmp_path_factory.mktemp("cli")
    done = command_line("generate", cwd=write_spec(folder, spec()).parent)
    assert done.status == 0, done.text
    return folder


def told(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """What a verb that has to succeed prints to standard output."""
    capsys.readouterr()
    status = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    assert status == 0, captured
    assert "Traceback" not in captured.err
    return captured.out


# ---- help and arguments


def test_every_verb_has_a_function_and_a_line_of_help() -> None:
    assert [verb for verb in HELP if verb not in WITHOUT_SPEC] == list(VERBS)
    assert set(HELP) >= WITHOUT_SPEC


def test_help_names_every_verb_and_loads_nothing_slow(tmp_path: Path) -> None:
    done = run(
        [sys.executable, "-X", "importtime", "-m", "approx_plugin", "--help"], tmp_path, environment(COLUMNS="120")
    )
    assert done.status == 0
    for verb, text in HELP.items():
        assert f"\n  {verb:<9} {text}\n" in done.out.replace("\n            ", " ")
    options = ("--spec", "--board", "--out", "--cmsis-nn", "--force", "--workers", "--version")
    for option in (*options, "--console", "--port", "--note"):
        assert option in done.out
    loaded = {line.rsplit("|", 1)[-1].strip() for line in done.err.splitlines()}
    assert "argparse" in loaded
    assert not loaded & {"numpy", "yaml", "jsonschema", "tflite", "elftools"}


@pytest.mark.parametrize(
    ("arguments", "fragment"),
    [
        (["generat"], "invalid choice: 'generat'"),
        (["--sepc=approx.yaml"], "unrecognized arguments: --sepc=approx.yaml"),
        (["--workers", "0"], "a whole number above 0, not '0'"),
        (["--workers", "two"], "a whole number above 0, not 'two'"),
        (["--spec"], "expected one argument"),
    ],
)
def test_wrong_arguments(arguments: list[str], fragment: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert fragment in capsys.readouterr().err


# ---- the verbs


def test_generate_twice__up_to_date(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "--spec", project / "approx.yaml") == f"{project / 'out'} is up to date\n"


def test_generate_tells_its_steps(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = told(capsys, "generate", "--spec", write_spec(tmp_path, exact())).splitlines()
    assert lines[0] == "digits_cnn: 6 layers, 23,680 MACs; NUCLEO-U575ZI-Q"
    assert lines[1].startswith("arena ") and "CMSIS-NN: portable subset" in lines[1]
    assert lines[2].startswith("Release: ")
    assert lines[3].endswith(f"{len(tree(tmp_path / 'out')) - 1} files written, 0 unchanged, 0 removed")


def test_verify(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = told(capsys, "verify", "--spec", project / "approx.yaml").splitlines()
    assert lines == ["verified: 10 of 10 inputs bit-exact, output and all 6 layers, in QEMU (mps2-an505, cortex-m33)"]


def test_verify_below_a_folder_with_an_odd_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every program that is started gets along with it, the project is the same, and changed inputs are noticed."""
    path = write_spec(tmp_path / 'Models, 2024 %d "ü" $HOME\\ #\'[{1}]', exact())
    (tmp_path / "Models").write_text("mine", encoding="utf-8")
    assert "verified: 5 of 5" in told(capsys, "verify", "--spec", path)
    assert "approx: PASS 4/4" in told(capsys, "run", "--spec", path)
    assert "verified: 5 of 5" in told(capsys, "verify", "--spec", path)
    assert "project files: no finding" in told(capsys, "check", "--spec", path)
    assert "approx_layer_00" in told(capsys, "size", "--spec", path)
    told(capsys, "--spec", write_spec(tmp_path / "plain", exact()))
    assert tree(path.parent / "out") == tree(tmp_path / "plain/out")
    assert (tmp_path / "Models").read_text(encoding="utf-8") == "mine"


def test_run_shows_the_console(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = told(capsys, "run", "--spec", project / "approx.yaml").splitlines()
    assert lines[0].startswith('approx: network "digits_cnn" on ')
    assert "approx: layer 5 fully_connected_5 cycles n/a" in lines
    assert [line for line in lines if line.startswith("approx: vector")] == [f"approx: vector {i} ok" for i in range(4)]
    assert lines[-1] == "approx: PASS 4/4"


def test_report_prints_the_projects_report(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    printed = told(capsys, "report", "--spec", project / "approx.yaml")
    assert printed.strip() == (project / "out" / "report.txt").read_text(encoding="utf-8").strip()


def test_size_agrees_with_the_report(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    printed = told(capsys, "size", "--spec", project / "approx.yaml")
    made = report(project / "out")
    assert f"Program (flash) : {made['flash_bytes']:>10,} B of  2,097,152 B" in printed
    assert f"Data (RAM)      : {made['ram_bytes']:>10,} B of    786,432 B" in printed
    assert "Middlewares/Approx/Src/approx_layer_02.s" in printed


def test_check_finds_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = told(capsys, "check", "--spec", project / "approx.yaml").splitlines()
    assert lines[0] == "project files: no finding"
    assert [line.split(":")[0] for line in lines[1:]] == ["Debug", "Release"]
    assert all(line.endswith(", 0 warnings") for line in lines[1:])


def test_check_finds_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The IDE's own files may be edited; an edit that breaks the project is found."""
    path = write_spec(tmp_path, exact())
    told(capsys, "--spec", path)
    description = tmp_path / "out" / ".cproject"
    broken = description.read_text(encoding="utf-8").replace("U575ZITXQ_FLASH.ld", "U575_FLASH.ld")
    description.write_text(broken, encoding="utf-8")
    assert main(["check", "--spec", str(path)]) == 2
    assert f"{description}: error: " in capsys.readouterr().err


def test_cubeide_without_the_ide(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("approx_plugin.build.headless.find_cubeide", lambda: None)
    assert main(["cubeide", "--spec", str(project / "approx.yaml")]) == 2
    assert "error: STM32CubeIDE was not found" in capsys.readouterr().err


def test_clean_takes_everything_back_that_was_generated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_spec(tmp_path, exact())
    told(capsys, "--spec", path)
    count = len(tree(tmp_path / "out"))
    assert told(capsys, "clean", "--spec", path) == f"{tmp_path / 'out'}: {count} generated files removed\n"
    assert not (tmp_path / "out").exists()
    assert told(capsys, "clean", "--spec", path).endswith(": 0 generated files removed\n")


def test_clean_says_that_it_leaves_a_link_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_spec(tmp_path, exact())
    told(capsys, "--spec", path)
    (tmp_path / "out").rename(tmp_path / "moved")
    (tmp_path / "out").symlink_to(tmp_path / "moved")
    before = tree(tmp_path / "moved")
    printed = told(capsys, "clean", "--spec", path)
    assert printed == f"{tmp_path / 'out'} is a link: what lies behind it is left alone\n"
    assert tree(tmp_path / "moved") == before


def test_every_verb_generates_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    printed = told(capsys, "verify", "--spec", write_spec(tmp_path, exact()))
    assert "files written" in printed
    assert "verified: 5 of 5" in printed


def test_lost_test_vectors_are_made_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_spec(tmp_path, exact())
    told(capsys, "--spec", path)
    (stored,) = tmp_path.glob(".approx_cache/*/vectors.npz")
    for content in (None, stored.read_bytes()[:100], b""):
        if content is None:
            stored.unlink()
        else:
            stored.write_bytes(content)
        assert "verified: 5 of 5" in told(capsys, "verify", "--spec", path)


def mounted_read_only(folder: Path) -> list[str]:
    """The beginning of a command that sees `folder` as a file system without writing, whoever runs it."""
    script = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'
    command = ["unshare", "-rm", "sh", "-c", script, str(folder)]
    if (
        shutil.which("unshare") is None
        or subprocess.run([*command, "true"], capture_output=True, check=False).returncode
    ):
        pytest.skip("needs the right to mount")
    return command


@pytest.mark.parametrize("beside_the_output", [True, False])
def test_a_spec_in_a_folder_that_cannot_be_written(beside_the_output: bool, tmp_path: Path) -> None:
    """Every verb works with an output elsewhere; the cache goes where it can, which is said."""
    folder, out, home = tmp_path / "sources", tmp_path / "elsewhere/out", tmp_path / "home"
    write_spec(folder, exact())
    before = tree(folder)
    prefix = mounted_read_only(folder)
    if not beside_the_output:
        out.mkdir(parents=True)
        (out.parent / ".approx_cache").mkdir()
        prefix += mounted_read_only(out.parent / ".approx_cache")
    cache = out.parent / ".approx_cache" if beside_the_output else home / "approx-plugin"
    for verb, wanted in (
        ("generate", "files written"),
        ("verify", "verified: 5 of 5"),
        ("report", "generation report"),
        ("size", "Program (flash) :"),
        ("check", "project files: no finding"),
        ("clean", "generated files removed"),
    ):
        command = [*prefix, sys.executable, "-m", "approx_plugin", verb, "--out", str(out)]
        done = run(command, folder, environment(XDG_CACHE_HOME=str(home)))
        assert done.status == 0, done.text
        assert f"{folder} cannot be written to: working in {cache}\n" in done.out
        assert wanted in done.out
        assert (verb == "clean") == (not out.exists())
    assert {path.name for path in cache.iterdir()} <= {".gitignore", "evaluations", "native"}
    assert tree(folder) == before


# ---- where things come from


def test_spec_of_the_working_directory_is_the_default(project: Path, tmp_path: Path) -> None:
    assert command_line(cwd=project).out == f"{project / 'out'} is up to date\n"
    done = command_line(cwd=tmp_path)
    assert done.status == 2
    assert done.err.startswith("approx.yaml: error: ")


def test_relative_paths_are_those_of_the_working_directory(project: Path) -> None:
    """The relative spec names the same project; a relative --out lies below the working directory."""
    done = command_line("--spec", f"{project.name}/approx.yaml", cwd=project.parent)
    assert done.out == f"{project / 'out'} is up to date\n"
    done = command_line("--spec", f"{project.name}/approx.yaml", "--out", f"{project.name}/other", cwd=project.parent)
    assert done.status == 0, done.text
    assert tree(project / "other") == tree(project / "out")


@pytest.mark.parametrize("board", BOARDS)
def test_verify_on_every_board(board: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_spec(tmp_path, exact(kernels={"convolution": "unpacked"}))
    out = tmp_path / "other"
    printed = told(capsys, "verify", "--spec", path, "--board", board, "--out", out)
    machines = {"4": "mps2-an386, cortex-m4", "5": "mps2-an505, cortex-m33", "7": "mps2-an500, cortex-m7"}
    core = {"f4": "4", "l4": "4", "u5": "5", "f7": "7", "h7": "7"}[board.removeprefix("nucleo-")[:2]]
    assert f"verified: 5 of 5 inputs bit-exact, output and all 6 layers, in QEMU ({machines[core]})" in printed
    assert report(out)["board"].lower().replace("_", "-") == board
    assert not (tmp_path / "out").exists()


def test_a_board_in_another_setting_has_a_project_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its README says what to do to the board; what the IDE and the firmware call it is printed on the board."""
    path = write_spec(tmp_path, exact(board="nucleo-l4r5zi-single-bank", kernels={"convolution": "cmsis_nn"}))
    assert "project files: no finding" in told(capsys, "check", "--spec", path)
    told(capsys, "--spec", path, "--board", "nucleo-l4r5zi", "--out", tmp_path / "base")
    mine, base = tree(tmp_path / "out"), tree(tmp_path / "base")
    assert report(tmp_path / "out")["board"] == "NUCLEO-L4R5ZI-SINGLE-BANK"
    readme, other = mine["README.md"].decode(), base["README.md"].decode()
    assert "for NUCLEO-L4R5ZI-SINGLE-BANK (STM32L4R5ZITx)" in readme
    assert readme.index("## Prepare the board") < readme.index("DBANK") < readme.index("## Import and run")
    assert "Prepare" not in other and "DBANK" not in other
    assert b'value="NUCLEO-L4R5ZI"' in mine[".cproject"] and b"SINGLE-BANK" not in mine[".cproject"]
    code = [name for name in base if name.endswith((".c", ".h", ".cproject"))]
    assert len(code) > 20
    assert [name for name in code if mine[name] != base[name]] == []


def test_two_boards_beside_each_other_stay_up_to_date(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_spec(tmp_path, exact())
    other = ("--board", "nucleo-l4r5zi", "--out", tmp_path / "l4")
    told(capsys, "--spec", path)
    told(capsys, "--spec", path, *other)
    assert "up to date" in told(capsys, "--spec", path)
    assert "up to date" in told(capsys, "--spec", path, *other)


@pytest.mark.parametrize(
    ("kernels", "expected"),
    [
        ({"backend": "c", "convolution": "unpacked"}, {"unpacked"}),
        ({"backend": "assembly", "convolution": "unpacked"}, {"unpacked"}),
        ({"convolution": "cmsis_nn"}, {"cmsis_nn"}),
    ],
)
def test_kernels(
    kernels: dict[str, str], expected: set[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = told(capsys, "verify", "--spec", write_spec(tmp_path, spec(kernels=kernels)))
    assert "verified: 10 of 10" in printed
    made = report(tmp_path / "out")
    assert {layer["kernel"] for layer in made["layers"] if layer["op"] == "CONV_2D"} == expected
    suffixes = {name[-2:] for name in tree(tmp_path / "out") if "approx_layer" in name}
    unpacked = {".c"} if kernels.get("backend") == "c" else {".s"}
    assert suffixes == (unpacked if expected == {"unpacked"} else set())


def test_a_network_with_a_name_and_two_more_interfaces(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_spec(tmp_path, exact(name="kws", api=["stai", "ai"]))
    assert "verified: 5 of 5" in told(capsys, "verify", "--spec", path)
    made = tree(tmp_path / "out")
    assert {"ai_kws.c", "approx_kws.c", "kws.h", "stai_kws.h"} <= {name.rsplit("/", 1)[-1] for name in made}
    assert "approx_kws_run(" in made["Core/Src/inference.c"].decode()
    assert "`Inc/approx_kws.h`" in made["README.md"].decode()
    ours = {
        name: content for name, content in made.items() if name.endswith((".c", ".h", ".s")) and "CMSIS" not in name
    }
    assert [
        name for name, content in ours.items() if b"approx_network" in content and "/approx_profile" not in name
    ] == []


def test_a_real_library(cmsis_nn: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_spec(tmp_path, exact(kernels={"convolution": "cmsis_nn"}))
    assert "verified: 5 of 5" in told(capsys, "verify", "--spec", path, "--cmsis-nn", cmsis_nn)
    made = report(tmp_path / "out")["cmsis_nn"]
    assert made["provider"] == "CMSIS-NN"
    assert made["version"] not in {"", "unknown"}


def test_the_library_of_the_environment(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_spec(tmp_path, exact())
    monkeypatch.setenv("CMSIS_NN_PATH", str(tmp_path / "nowhere"))
    assert main(["--spec", str(path)]) == 2
    assert "CMSIS_NN_PATH / cmsis_nn=: error: " in capsys.readouterr().err
    subset = ROOT / "Middlewares" / "CMSIS-NN"
    assert "portable subset unknown" in told(capsys, "--spec", path, "--cmsis-nn", subset)


def test_names_that_the_terminal_cannot_show(tmp_path: Path) -> None:
    model = tmp_path / "ziffern_größe.tflite"
    model.write_bytes(MODEL.read_bytes())
    write_spec(tmp_path, exact(model=model.name))
    done = command_line("report", cwd=tmp_path, PYTHONIOENCODING="ascii")
    assert done.status == 0, done.text
    assert "ziffern_gr\\xf6\\xdfe.tflite" in done.out


# ---- the ends that are not the usual ones


def test_interrupt_leaves_nothing_and_the_search_goes_on(tmp_path: Path) -> None:
    write_spec(tmp_path, spec(search={"seed": 1, "evaluations": 100000, "workers": 1}))
    command = [sys.executable, "-u", "-m", "approx_plugin"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment(), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        assert line.startswith("search: 1 of 100000 designs measured")
        process.send_signal(signal.SIGINT)
        _, rest = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "interrupted" in rest
    assert "Traceback" not in rest
    assert not (tmp_path / "out").exists()
    assert list((tmp_path / ".approx_cache" / "evaluations").iterdir())
    write_spec(tmp_path, spec())
    assert command_line(cwd=tmp_path).status == 0


def test_reader_that_has_seen_enough(project: Path) -> None:
    command = [sys.executable, "-m", "approx_plugin", "report"]
    with subprocess.Popen(
        command, cwd=project, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        err = process.stderr.read()
    assert process.returncode == 1
    assert err == ""


def test_two_specs_with_one_output_are_kept_apart(tmp_path: Path) -> None:
    """The second run waits, says so, and finds the first one's project whole."""
    compiler = SlowProgram(tmp_path / "bin")
    out = tmp_path / "out"
    first = write_spec(tmp_path / "first", exact(board="nucleo-l4r5zi"))
    second = write_spec(tmp_path / "second", exact(project={"name": "other", "directory": "nowhere"}))
    command = [sys.executable, "-u", "-m", "approx_plugin", "--out", str(out), "--spec"]
    options: dict[str, Any] = {
        "env": environment(PATH=compiler.path),
        "text": True,
        "stdout": subprocess.PIPE,
        "cwd": tmp_path,
    }
    with subprocess.Popen([*command, str(first)], **options) as one:
        compiler.started()
        with subprocess.Popen([*command, str(second)], **options) as other:
            assert other.stdout is not None
            assert other.stdout.readline() == f"waiting for another run on {out}\n"
            compiler.go()
            assert " files written, 0 unchanged, 0 removed" in one.communicate(timeout=300)[0]
            assert one.returncode == 0
            assert "files written" in other.communicate(timeout=300)[0]
            assert other.returncode == 0
    assert report(out)["board"] == "NUCLEO-U575ZI-Q"
    listed = json.loads((out / "approx_manifest.json").read_text(encoding="utf-8"))["files"]
    assert {path: sha256(content) for path, content in tree(out).items() if path in listed} == listed
    assert set(tree(out)) == {*listed, "approx_manifest.json"}
    assert command_line("--out", out, "--spec", second, cwd=tmp_path).out == f"{out} is up to date\n"
