"""`scons`: its help, what is rebuilt when, the verbs, cleaning, a fresh clone, and another repository's SConstruct."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import SCons.Environment
from digits_project import (
    IMAGES,
    MODEL,
    ROOT,
    Done,
    data,
    environment,
    exact,
    report,
    run,
    spec,
    times,
    tree,
    write_spec,
)

from approx_plugin.cli import HELP

VERBS = [verb for verb in HELP if verb not in {"generate", "clean", "init"}]
"""What has an alias; the others are the default and `-c`."""


def program() -> list[str]:
    """The scons beside this Python, which is where a virtual environment has it."""
    script = Path(sys.executable).with_name("scons")
    return [sys.executable, str(script)] if script.is_file() else [sys.executable, "-m", "SCons"]


def scons(folder: Path, *arguments: object, **changes: str) -> Done:
    """Run scons in a folder. The package is found through site_scons, not through PYTHONPATH."""
    env = environment(**changes)
    if "PYTHONPATH" not in changes:
        del env["PYTHONPATH"]
    done = run([*program(), "-Q", *map(str, arguments)], folder, env)
    assert "Traceback" not in done.text, done.text
    return done


def copy_of_repository(target: Path) -> Path:
    """What a clone would hold: every file that is not ignored."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        names = subprocess.run(listing, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"needs git and a repository to list its files: {error}")
    for name in filter(None, names):
        source = ROOT / name
        if source.is_file() and not name.startswith("tests/"):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target / name)
    return target


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository in which tests may build."""
    return copy_of_repository(tmp_path_factory.mktemp("clone"))


# ---- help and variables


def test_help_is_complete_and_loads_nothing_slow(clone: Path) -> None:
    env = environment()
    del env["PYTHONPATH"]
    python, *script = program()
    done = run([python, "-X", "importtime", *script, "-h"], clone, env)
    assert done.status == 0, done.text
    for word in ("approx", "spec", "board", "console", "port", "note", "out", "cmsis_nn", "force", "workers"):
        assert f"\n{word}: " in done.out
    for word in VERBS:
        assert f"\n  {word:<8} " in done.out
    loaded = {line.rsplit("|", 1)[-1].strip() for line in done.err.splitlines()}
    assert "SCons.Script" in loaded
    assert not loaded & {"numpy", "yaml", "jsonschema", "tflite", "elftools"}


def test_nothing_asked_for(clone: Path) -> None:
    before = tree(clone)
    done = scons(clone)
    assert done.status == 0
    assert "approx=1 generates the project of approx.yaml" in done.out
    assert set(tree(clone)) - set(before) <= {".sconsign.dblite"} | {p for p in tree(clone) if "__pycache__" in p}


@pytest.mark.parametrize(
    ("arguments", "fragments"),
    [
        (["aprox=1"], ["error: unknown variable 'aprox'. Did you mean 'approx'?", "scons -h"]),
        (["approx=1", "bord=x", "Out=y"], ["'bord'. Did you mean 'board'?", "'Out'. Did you mean 'out'?"]),
        (["approx=maybe"], ["approx"]),
        (["approx=1", "workers=0"], ["workers=0 is not a whole number above 0"]),
        (["verify"], ["nothing to verify without approx=1"]),
        (["approx=1", "verfy"], ["verfy"]),
        (["approx=1", "spec=nowhere.yaml"], ["nowhere.yaml: error: "]),
        (["approx=1", "board=uno"], ["board=: error: there is no board 'uno'"]),
        (["approx=1", "cmsis_nn=board"], ["holds no CMSIS-NN"]),
    ],
)
def test_mistakes(arguments: list[str], fragments: list[str], clone: Path, tmp_path: Path) -> None:
    done = scons(clone, *arguments, *([f"out={tmp_path / 'out'}"] if "approx=1" in arguments else []))
    assert done.status == 2, done.text
    for fragment in fragments:
        assert fragment in done.text
    assert not (tmp_path / "out").exists()


def test_a_folder_in_the_place_of_a_file(clone: Path, tmp_path: Path) -> None:
    (tmp_path / "out/report.txt").mkdir(parents=True)
    done = scons(clone, "approx=1", f"spec={write_spec(tmp_path, exact())}")
    assert done.status == 2
    assert f"{tmp_path / 'out/report.txt'}: error: a folder is in the place of a generated file" in done.err


def test_mistakes_of_the_spec_are_told_before_anything_is_built(clone: Path, tmp_path: Path) -> None:
    path = write_spec(tmp_path, spec(method="magic", board=7))
    done = scons(clone, "approx=1", f"spec={path}")
    assert done.status == 2
    assert "2 errors." in done.err
    assert f"{path}:3:8: error: board is the number 7" in done.err
    assert "Generating" not in done.out


def test_compiler_that_does_not_start(clone: Path, tmp_path: Path) -> None:
    shell = shutil.which("sh")
    compiler = tmp_path / "bin/arm-none-eabi-gcc"
    compiler.parent.mkdir()
    compiler.write_text(f"#!{shell}\nexit 3\n", encoding="utf-8")
    compiler.chmod(0o755)
    path = write_spec(tmp_path, exact())
    done = scons(clone, "approx=1", f"spec={path}", PATH=f"{compiler.parent}{os.pathsep}{os.environ['PATH']}")
    assert done.status == 2
    assert "does not say its version" in done.err


# ---- what is rebuilt


def test_what_is_rebuilt(clone: Path, tmp_path: Path) -> None:
    """One project through its life: planned, made, current, changed in every input, damaged, edited, cleaned."""
    shutil.copy(MODEL, tmp_path / "digits.tflite")
    shutil.copy(IMAGES, tmp_path / "digits.npz")
    values = exact(model="digits.tflite", data=data(Path("digits.npz")))
    path, out = write_spec(tmp_path, values), tmp_path / "out"
    line = ["approx=1", f"spec={path}"]

    def made() -> bool:
        """Whether a run had anything to do; another run right behind it must not."""
        done = scons(clone, *line)
        assert done.status == 0, done.text
        assert f"`{out / 'approx_manifest.json'}' is up to date" in scons(clone, *line).out
        return "Generating" in done.out

    before = tree(tmp_path)
    assert f"Generating {out}" in scons(clone, "-n", *line).out
    assert tree(tmp_path) == before, "-n writes nothing"

    assert made()
    first = times(out)
    for file in ("approx.yaml", "digits.tflite", "digits.npz"):
        os.utime(tmp_path / file)
    assert not made(), "other times, the same content"
    assert times(out) == first

    values["project"]["test_vectors"] = 3
    write_spec(tmp_path, values)
    assert made()
    assert "test_vector_count = 3u" in (out / "Core/Src/test_vectors.c").read_text(encoding="utf-8")

    arrays = dict(np.load(tmp_path / "digits.npz"))
    arrays["confirmation_labels"][:40] = (arrays["confirmation_labels"][:40] + 1) % 10
    accuracy = report(out)["accuracy"]["exact"]
    np.savez(tmp_path / "digits.npz", **arrays)
    assert made()
    assert report(out)["accuracy"]["exact"] < accuracy - 5

    # The same network with a zero behind it: another file, and the report says which one was read.
    (tmp_path / "digits.tflite").write_bytes(MODEL.read_bytes() + bytes(4))
    sha256 = report(out)["model"]["sha256"]
    assert made()
    assert report(out)["model"]["sha256"] != sha256

    (out / "Core/Src/main.c").unlink()
    assert made()
    main_c = out / "Core/Src/main.c"
    generated = main_c.read_bytes()

    main_c.write_bytes(generated + b"/* mine */\n")
    (out / "Core/Src/app.c").write_text("/* mine */\n", encoding="utf-8")
    refused = scons(clone, *line)
    assert refused.status == 2
    assert "1 generated file(s) were edited since: Core/Src/main.c" in refused.err
    assert main_c.read_bytes() != generated
    assert scons(clone, *line, "force=1").status == 0
    assert main_c.read_bytes() == generated

    main_c.write_bytes(generated + b"/* mine */\n")
    cleaned = scons(clone, *line, "-c")
    assert cleaned.status == 0, cleaned.text
    assert set(tree(out)) == {"Core/Src/main.c", "Core/Src/app.c", "approx_manifest.json"}
    main_c.write_bytes(generated)
    (out / "Core/Src/app.c").unlink()
    assert scons(clone, *line, "-c").status == 0
    assert not out.exists()
    assert {p.name for p in (tmp_path / ".approx_cache").iterdir()} <= {".gitignore", "evaluations"}
    assert (tmp_path / "digits.tflite").exists()
    assert made()


ODD = ("a$b", 'it\'s $b  ${out}, 100% "ü" #$$ [x]', "$(a$)")
"""Names of folders in which SCons, a shell, make or a compiler might see more than a name."""


def what_scons_would_make_of(path: Path) -> list[Path]:
    """The paths that SCons takes a text for if it is not kept from expanding it."""
    texts = [SCons.Environment.Environment().subst(str(path), raw=raw) for raw in (0, 1)]
    return [Path(text) for text in texts if text != str(path)]


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("place", ["out", "directory", "above", "sconstruct"])
def test_folders_with_odd_names(name: str, place: str, clone: Path, tmp_path: Path) -> None:
    """Whatever a folder's name: what is generated lies there, and nothing else is ever removed."""
    inside = place in ("above", "sconstruct")
    folder = tmp_path / name if inside else tmp_path
    out = folder / "out" if inside else folder / "build" / name
    directory = str(out.relative_to(folder)) if place == "directory" else "out"
    path = write_spec(folder, exact(project={"name": "digits", "directory": directory}))
    line = ["approx=1", f"spec={path}", *([f"out={out}"] if place == "out" else [])]
    if place == "sconstruct":
        tools = str(ROOT / "site_scons" / "site_tools")
        text = f'Environment(tools=["approx"], toolpath=[{tools!r}]).ApproxProject("approx.yaml")\n'
        (folder / "SConstruct").write_text(text, encoding="utf-8")
        line = []
    (tmp_path / "bin").mkdir()

    def call(*arguments: str) -> Done:
        """Without a compiler, which is quicker."""
        where, package = (folder, {"PYTHONPATH": str(ROOT)}) if place == "sconstruct" else (clone, {})
        done = scons(where, *line, *arguments, PATH=str(tmp_path / "bin"), **package)
        assert done.status == 0, done.text
        return done

    strangers = [*what_scons_would_make_of(out), *what_scons_would_make_of(folder / ".approx_cache/digits")]
    assert strangers, "the name has to be one that SCons expands"
    for stranger in strangers:
        stranger.mkdir(parents=True, exist_ok=True)
        (stranger / "mine.txt").write_text("mine\n", encoding="utf-8")
    before = tree(tmp_path)

    assert f"Generating {out}\n" in call().out
    assert "approx_manifest.json" in tree(out)
    assert "is up to date" in call().out
    made = tree(tmp_path)
    assert f"Removed what was generated into {out}\n" in call("-c", "-n").out
    assert tree(tmp_path) == made, "-n removes nothing"

    (out / "mine").mkdir()
    (out / "mine/app.c").write_text("/* mine */\n", encoding="utf-8")
    call("-c")
    assert set(tree(out)) == {"mine/app.c", "approx_manifest.json"}
    (out / "mine/app.c").unlink()
    (out / "mine").rmdir()
    call("-c")
    assert not out.exists()
    after = tree(tmp_path)
    assert {file: after.get(file) for file in before} == before
    left = {Path(file).name for file in set(after) - set(before)}
    assert left <= {".gitignore", ".sconsign.dblite"}


def test_the_tools_own_code_is_a_source(clone: Path, tmp_path: Path) -> None:
    line = ["approx=1", f"spec={write_spec(tmp_path, exact())}"]
    assert scons(clone, *line).status == 0
    with (clone / "board/nucleo-u575zi-q/board.c").open("a", encoding="utf-8") as file:
        file.write("/* mended */\n")
    done = scons(clone, *line)
    assert "Generating" in done.out
    assert "1 files written" in done.out or "2 files written" in done.out, done.text
    assert "mended" in (tmp_path / "out/Drivers/BSP/board.c").read_text(encoding="utf-8")


def test_another_compiler_is_another_project(clone: Path, tmp_path: Path) -> None:
    """Made without a compiler, then with one: the report changes."""
    line = ["approx=1", f"spec={write_spec(tmp_path, exact())}"]
    (tmp_path / "bin").mkdir()
    assert "was not found: the project is written" in scons(clone, *line, PATH=str(tmp_path / "bin")).out
    assert report(tmp_path / "out")["flash_bytes"] is None
    assert "Release: " in scons(clone, *line).out
    assert report(tmp_path / "out")["flash_bytes"] > 10000


# ---- verbs


def test_verbs(clone: Path, tmp_path: Path) -> None:
    line = ["approx=1", f"spec={write_spec(tmp_path, exact())}", f"out={tmp_path / 'l4'}", "board=nucleo-l4r5zi"]
    done = scons(clone, *line, "run", "verify", "report", "size", "check")
    assert done.status == 0, done.text
    assert "approx: PASS 4/4" in done.out
    assert "verified: 5 of 5" in done.out
    assert "mps2-an386, cortex-m4" in done.out
    assert "generation report" in done.out
    assert "Program (flash) :" in done.out
    assert "project files: no finding" in done.out
    assert not (tmp_path / "out").exists()
    again = scons(clone, *line, "verify")
    assert "Generating" not in again.out
    assert "verified: 5 of 5" in again.out


def test_failing_verb(clone: Path, tmp_path: Path) -> None:
    path = write_spec(tmp_path, exact())
    (tmp_path / "bin").mkdir()
    done = scons(clone, "approx=1", f"spec={path}", "verify", PATH=str(tmp_path / "bin"))
    assert done.status == 2
    assert "error: arm-none-eabi-gcc was not found" in done.err


# ---- elsewhere

SCONSTRUCT = """\
env = Environment(tools=["approx"], toolpath=[{tools!r}])
env.ApproxProject("network/approx.yaml")
env.ApproxProject("network/approx.yaml", board="nucleo-l4r5zi", out="build/l4")
"""


def test_two_projects_of_another_repository(tmp_path: Path) -> None:
    """One approx.yaml for two boards, both at once; relative paths are those of the SConstruct."""
    write_spec(tmp_path / "network", exact())
    tools = str(ROOT / "site_scons" / "site_tools")
    (tmp_path / "SConstruct").write_text(SCONSTRUCT.format(tools=tools), encoding="utf-8")
    done = scons(tmp_path, "-j2", "verify", PYTHONPATH=str(ROOT))
    assert done.status == 0, done.text
    assert done.out.count("verified: 5 of 5") == 2
    assert report(tmp_path / "network/out")["board"] == "NUCLEO-U575ZI-Q"
    assert report(tmp_path / "build/l4")["board"] == "NUCLEO-L4R5ZI"
    assert "Generating" not in scons(tmp_path, PYTHONPATH=str(ROOT)).out
    assert scons(tmp_path, "-c", PYTHONPATH=str(ROOT)).status == 0
    assert not (tmp_path / "network/out").exists()
    assert not (tmp_path / "build/l4").exists()


def test_fresh_clone(tmp_path: Path) -> None:
    """The README's command in a copy of the repository, and nothing left behind that git would show."""
    folder = copy_of_repository(tmp_path / "clone")
    before = set(tree(folder))
    done = scons(folder, "approx=1", "verify", "report")
    assert done.status == 0, done.text
    assert "verified: 20 of 20 inputs bit-exact, output and all 6 layers" in done.out
    made = report(folder / "build/digits")
    assert made["macs"]["kept"] < made["macs"]["exact"]
    assert made["accuracy"]["exact"] - made["accuracy"]["approximated"] <= 1.0
    run(["git", "init", "-q"], folder, environment())
    shown = run(["git", "ls-files", "--others", "--exclude-standard"], folder, environment()).out.split("\n")
    assert set(filter(None, shown)) <= before
    assert scons(folder, "approx=1").out.endswith("is up to date.\n")
