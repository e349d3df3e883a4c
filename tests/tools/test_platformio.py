"""PlatformIO's script, run by SCons with the few methods of PlatformIO that it uses, without any platform package."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
from digits_project import ROOT, Done, environment, exact, run, write_spec
from host_projects import CALLING_MAIN, LINKER, common, put

from approx_plugin import __version__

SCONSTRUCT = """\
import os
import sys
from pathlib import Path
import SCons.Script
flags = ["-mcpu=cortex-m4", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard", "-mthumb"]
gcc = "arm-none-eabi-gcc"
keys = {keys!r}
objects = []


def build_sources(env, variant_dir, src_dir):
    sources = [p for p in sorted(Path(src_dir).rglob("*")) if p.suffix in (".c", ".s")]
    for source in sources:
        objects.append(env.Object(os.path.join(env.subst(variant_dir), source.stem), str(source)))


def environment():
    env = Environment(
        tools=["gcc", "gnulink", "gas"], ENV=os.environ, CC=gcc, AS=gcc, LINK=gcc, CPPPATH=["Core/Inc", "Drivers/BSP"],
        PROJECT_DIR={project!r}, BUILD_DIR={build!r}, OBJSUFFIX=".o", CCFLAGS=[*flags, "-Os", "-ffunction-sections"],
        ASFLAGS=[*flags, "-c"], LINKFLAGS=[*flags, "-TAPP_FLASH.ld", "--specs=nosys.specs", "-Wl,--gc-sections"])
    env.AddMethod(lambda env, name, default="": keys.get(name, default), "GetProjectOption")
    env.AddMethod(build_sources, "BuildSources")
    return env


program = environment()
scripts = sys.modules["SCons.Script.SConscript"]
scripts.BuildDefaultGlobals()
scripts.GlobalDict["DefaultEnvironment"] = lambda: program
library = environment()
SConscript({script!r}, exports={{"env": library}}, must_exist=True)
own = [program.Object(name) for name in ("Core/Src/main.c", "Drivers/BSP/hal.c", "Core/Startup/startup.s")]
Default(program.Program("app.elf", [*own, *objects]))
"""


def build(folder: Path, **keys: str) -> Done:
    """What `pio run` would do."""
    named = {f"custom_approx_{key}": value for key, value in keys.items()}
    script = ROOT / "platformio" / "approx.py"
    text = SCONSTRUCT.format(keys=named, project=str(folder), build=str(folder / ".pio"), script=str(script))
    put({**common(), "Core/Src/main.c": CALLING_MAIN.encode(), "SConstruct": text.encode()}, folder)
    (folder / "APP_FLASH.ld").write_text(LINKER)
    return run([sys.executable, "-m", "SCons", "-Q"], folder, environment())


def test_a_program_with_the_network(tmp_path: Path) -> None:
    if shutil.which("arm-none-eabi-gcc") is None:
        pytest.skip("needs arm-none-eabi-gcc")
    folder = tmp_path / "my program"
    write_spec(folder, exact(board="nucleo-f446re"))
    done = build(folder, spec="approx.yaml", python=sys.executable, board="nucleo-l4r5zi")
    assert done.status == 0, done.text[-3000:]
    symbols = run(["arm-none-eabi-nm", str(folder / "app.elf")], folder, environment()).out
    assert " T MX_APPROX_Process" in symbols and " T approx_network_run" in symbols
    compiled = [line for line in done.out.splitlines() if "-Os" in line and ".c" in line]
    ours = [line for line in compiled if "approx-objects" in line]
    assert ours and all("-O3" in line for line in ours) and any("-O3" not in line for line in compiled)
    assert "NUCLEO-L4R5ZI" in done.out


def test_without_a_spec_it_says_what_to_write(tmp_path: Path) -> None:
    done = build(tmp_path)
    assert done.status == 2 and "custom_approx_spec = approx.yaml" in done.err, done.text


def test_the_description_names_what_there_is() -> None:
    described = json.loads((ROOT / "library.json").read_text(encoding="utf-8"))
    assert described["version"] == __version__
    assert (ROOT / described["build"]["extraScript"]).is_file()
    assert all(list(ROOT.glob(f"Middlewares/*/Inc/{name}")) for name in described["headers"][:1])
