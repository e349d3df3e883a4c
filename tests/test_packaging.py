"""What `pip install` brings: the wheel's content, and a project made with it from another repository."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from digits_project import ROOT, Done, environment, exact, run, tree, write_spec

FOLDERS = ("approx_plugin", "site_scons", "board", "Core", "Middlewares", "schemas")
FILES = ("setup.py", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE")


def pip(python: str, *arguments: str) -> Done:
    """pip, without anything of this environment that changes what it does."""
    env = environment(PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_NO_INPUT="1")
    del env["PYTHONPATH"]
    return run([python, "-m", "pip", "--retries", "1", "--timeout", "15", *arguments], Path.home(), env, timeout=600)


def need(done: Done) -> Done:
    """Skip where pip cannot reach packages; any other failure is one."""
    unreachable = ("No matching distribution found", "Could not find a version", "Connection", "Temporary failure")
    if done.status and any(sign in done.text for sign in unreachable):
        pytest.skip(f"pip cannot reach the packages that are needed: {done.err.strip().splitlines()[-1]}")
    assert done.status == 0, done.text
    return done


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What packaging reads, copied: builds leave folders behind."""
    target = tmp_path_factory.mktemp("sources")
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, target / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in FILES:
        shutil.copy(ROOT / file, target)
    return target


@pytest.fixture(scope="module")
def wheel(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built with what is installed if that can, else with what pip fetches."""
    target = tmp_path_factory.mktemp("wheel")
    arguments = ["--no-build-isolation"] if importlib.util.find_spec("wheel") else []
    need(pip(sys.executable, "wheel", "--quiet", "--no-deps", *arguments, "--wheel-dir", str(target), str(sources)))
    (built,) = target.glob("approx_plugin-*.whl")
    return built


def files_of(sources: Path, folder: str) -> set[str]:
    """Every file of a folder."""
    return {name for name in tree(sources) if name.startswith(f"{folder}/")}


def test_wheel_holds_all_and_nothing_else(wheel: Path, sources: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    expected = files_of(sources, "approx_plugin")
    for folder in ("board", "Core", "Middlewares", "schemas"):
        expected |= {f"approx_plugin/_resources/{name}" for name in files_of(sources, folder)}
    expected.add("SCons/Tool/approx/__init__.py")
    assert names == expected


def test_wheel_is_for_any_machine(wheel: Path) -> None:
    assert wheel.name.endswith("-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if ".dist-info/" in name:
                assert bytes(ROOT) not in archive.read(name)


def test_source_distribution_holds_what_the_wheel_needs(sources: Path, tmp_path: Path) -> None:
    code = [sys.executable, "setup.py", "-q", "sdist", "--dist-dir", str(tmp_path)]
    done = run(code, sources, environment())
    assert done.status == 0, done.text
    (archive,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        names = {name.split("/", 1)[1] for name in packed.getnames() if "/" in name}
    wanted = set().union(*(files_of(sources, folder) for folder in FOLDERS)) | set(FILES)
    assert wanted <= names


SCONSTRUCT = """\
env = Environment(tools=["approx"])
env.ApproxProject("approx.yaml")
"""


def example(folder: Path) -> Path:
    """The example of an embedded repository, copied to a place of its own, with the model beside it."""
    copy = folder / "ein Repositorium/app"
    shutil.copytree(ROOT / "examples/embedded", copy, ignore=shutil.ignore_patterns("build", ".*"))
    spec = (copy / "approx.yaml").read_text(encoding="utf-8")
    shutil.copy(ROOT / "models/digits_cnn.tflite", copy)
    (copy / "approx.yaml").write_text(spec.replace("../../models/", ""), encoding="utf-8")
    return copy


def test_installed_tool_makes_what_the_checkout_makes(wheel: Path, sources: Path, tmp_path: Path) -> None:
    """A virtual environment of its own with scons and the wheel; a repository with nothing but an SConstruct."""
    base = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(base)], check=True, timeout=300)
    python = str(base / "bin" / "python")
    need(pip(python, "install", "--quiet", "--no-compile", "--prefer-binary", str(wheel)))
    elsewhere = tmp_path / "elsewhere"
    write_spec(elsewhere, exact())
    (elsewhere / "SConstruct").write_text(SCONSTRUCT, encoding="utf-8")
    env = environment(PATH=f"{base / 'bin'}{os.pathsep}{os.environ['PATH']}")
    del env["PYTHONPATH"]
    done = run([str(base / "bin" / "scons"), "-Q", "verify"], elsewhere, env)
    assert done.status == 0, done.text
    assert "verified: 5 of 5 inputs bit-exact" in done.out
    assert "up to date" in run([str(base / "bin" / "scons"), "-Q"], elsewhere, env).out
    module = "import approx_plugin; print(approx_plugin.__file__)"
    assert run([python, "-c", module], elsewhere, env).out.startswith(str(base))
    told = run([str(base / "bin" / "approx"), "doctor"], elsewhere, env)
    assert told.status == 0 and str(base) in told.out, "the schema is where the package is"
    assert "report    print the report" in run([str(base / "bin" / "scons"), "-Q", "-h"], elsewhere, env).out
    built = run([str(base / "bin" / "scons"), "-Q", "board=nucleo-l4r5zi", "out=b/l4"], example(tmp_path), env)
    assert built.status == 0, built.text
    assert (tmp_path / "ein Repositorium/app/build/firmware.elf").read_bytes()[:4] == b"\x7fELF"
    assert (tmp_path / "ein Repositorium/app/b/l4/Release/digits.hex").is_file()
    command = [sys.executable, "-m", "approx_plugin", "--out", "checkout"]
    checkout = run(command, elsewhere, environment(PYTHONPATH=str(sources)))
    assert checkout.status == 0, checkout.text
    assert tree(elsewhere / "checkout") == tree(elsewhere / "out")


# ---- bootstrap


def test_bootstrap_knows_its_jobs() -> None:
    done = run(["bash", str(ROOT / "bootstrap"), "exmaple"], ROOT, environment())
    assert done.status == 2
    assert done.err == "usage: ./bootstrap [example | test]\n"


def test_bootstrap_says_what_is_missing(tmp_path: Path) -> None:
    """Without a package manager it names the packages and changes nothing."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("bash", "dirname", "id", "grep"):
        found = shutil.which(name)
        assert found
        (folder / name).symlink_to(found)
    shutil.copy(ROOT / "bootstrap", tmp_path)
    done = run([str(folder / "bash"), str(tmp_path / "bootstrap"), "example"], tmp_path, environment(PATH=str(folder)))
    assert done.status == 2, done.text
    assert "error: missing: python3 " in done.err
    for package in ("gcc-arm-none-eabi", "qemu-system-arm"):
        assert package in done.err
    assert not (tmp_path / ".venv").exists()
