"""Building the C library: cached, rebuilt when damaged, and said in words when there is no compiler."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from approx_plugin.errors import ToolError
from approx_plugin.virtual_board import library
from approx_plugin.virtual_board.library import build, cache_folder, find_compiler, load, model_key, source_key

Environment = dict[str, str]


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    return {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}


@pytest.fixture
def only(tmp_path: Path, environment: Environment) -> Callable[[str, str], Environment]:
    """only(name, script) -> an environment whose only program is that shell script."""

    def make(name: str, script: str) -> Environment:
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        program = folder / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        return {"PATH": str(folder), "XDG_CACHE_HOME": environment["XDG_CACHE_HOME"]}

    return make


def test_it_is_built_once(environment: Environment) -> None:
    load(environment)
    built = cache_folder(environment) / f"{source_key()}.so"
    before = built.stat().st_mtime_ns
    # Nothing but the library is left, and a second load needs no compiler.
    assert [path.name for path in built.parent.iterdir()] == [built.name]
    load({"XDG_CACHE_HOME": environment["XDG_CACHE_HOME"], "PATH": ""})
    assert built.stat().st_mtime_ns == before


def test_a_damaged_library_is_built_again(environment: Environment) -> None:
    path = cache_folder(environment) / f"{source_key()}.so"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"\x7fELF and then nothing")
    assert load(environment).trace_pattern(0x4801, 0, 2) == 0x4800
    assert path.stat().st_size > 1000


def test_several_at_once(environment: Environment) -> None:
    folder = cache_folder(environment)
    with ThreadPoolExecutor(2) as pool:
        paths = list(pool.map(lambda _: build(folder, environment), range(3)))
    assert set(paths) == {folder / f"{source_key()}.so"}
    assert [path.name for path in folder.iterdir()] == [paths[0].name]


def test_without_a_compiler(tmp_path: Path, environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ToolError, match="no C compiler") as caught:
        load({"PATH": str(tmp_path), "XDG_CACHE_HOME": environment["XDG_CACHE_HOME"]})
    assert "pip install ziglang" in caught.value.hint


def test_which_compiler(only: Callable[[str, str], Environment], monkeypatch: pytest.MonkeyPatch) -> None:
    environment = only("clang", "exit 0")
    assert find_compiler(environment) == (str(Path(environment["PATH"]) / "clang"),)
    only("mycc", "exit 0")
    assert find_compiler({**environment, "CC": "mycc -m64"}) == ("mycc", "-m64")
    assert find_compiler({**environment, "CC": "missing"}) == find_compiler(environment)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object() if name == "ziglang" else None)
    assert find_compiler({"PATH": ""})[1:] == ("-m", "ziglang", "cc")


def test_a_compiler_that_fails(only: Callable[[str, str], Environment]) -> None:
    environment = only("cc", "echo 'out of ideas' >&2; exit 3")
    with pytest.raises(ToolError, match=r"failed on the cycle model \(status 3\)") as caught:
        load(environment)
    assert "out of ideas" in caught.value.why
    assert not list(cache_folder(environment).iterdir())


def test_a_compiler_for_another_machine(only: Callable[[str, str], Environment]) -> None:
    environment = only("cc", 'while [ "$1" != -o ]; do shift; done; echo nonsense > "$2"')
    with pytest.raises(ToolError, match="cannot be loaded"):
        load(environment)


def test_a_folder_that_cannot_be_written(tmp_path: Path, environment: Environment) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ToolError, match="cannot be built") as caught:
        load({**environment, "XDG_CACHE_HOME": str(tmp_path / "file")})
    assert "XDG_CACHE_HOME" in caught.value.hint


def test_the_cache_folder(tmp_path: Path) -> None:
    assert cache_folder({"XDG_CACHE_HOME": str(tmp_path)}) == tmp_path / "approx-plugin" / "virtual-board"
    # A relative path is to be ignored (XDG Base Directory Specification).
    assert cache_folder({"XDG_CACHE_HOME": "relative"}) == cache_folder({})


def test_the_key_follows_the_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = source_key()
    copy = tmp_path / "native"
    shutil.copytree(library.NATIVE, copy)
    monkeypatch.setattr(library, "NATIVE", copy)
    assert source_key() == before
    (copy / "memory.c").write_text((copy / "memory.c").read_text() + "\n")
    assert source_key() != before


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("/* 0, or -1", "/* nought, or -1", True),
        ("int cache_init(cache *c,", "int\ncache_init(cache* c,", True),
        ("#define MEMORY_REGIONS 16", "#define MEMORY_REGIONS  16 // of the board", True),
        ("#define MEMORY_REGIONS 16", "#define MEMORY_REGIONS 17", False),
        ("int64_t busy_until;", "int64_t busyuntil;", False),
    ],
)
def test_the_key_of_the_model_is_that_of_its_code(
    old: str, new: str, same: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Costs are not out of date because somebody mended a comment, laid the code out anew, or has another machine."""
    before = model_key()
    folder = tmp_path / "native"
    shutil.copytree(library.NATIVE, folder)
    monkeypatch.setattr(library, "NATIVE", folder)
    monkeypatch.setattr("platform.machine", lambda: "another")
    assert model_key() == before
    text = (folder / "memory.h").read_text(encoding="utf-8")
    assert text.count(old) == 1
    (folder / "memory.h").write_text(text.replace(old, new), encoding="utf-8")
    assert (model_key() == before) == same
