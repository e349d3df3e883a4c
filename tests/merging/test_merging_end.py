"""A network in a person's project, from approx.yaml to the answers of the program that the project makes."""

from __future__ import annotations

import io
import shutil
import subprocess
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from digits_project import MODEL, ROOT, Done, exact, tree, write_spec
from host_projects import CALLING_MAIN, MAIN, STYLES, cmake_project, cube_project, put

from approx_plugin.build.build import build
from approx_plugin.cli import main
from approx_plugin.cubeide.managed import read_managed
from approx_plugin.reference.vectors import make_vectors
from approx_plugin.tflite.reader import read_graph

pytestmark = pytest.mark.skipif(shutil.which("arm-none-eabi-gcc") is None, reason="needs arm-none-eabi-gcc")

MACHINE = "netduinoplus2"
"""QEMU's STM32F405: its flash and RAM lie where the linker script of the test's project has them."""

CONSOLE = """\
#include <stdint.h>

#include "approx_app.h"
#include "approx_network.h"

/* The person's own: one input, its answer in hexadecimal by semihosting, and an end. */
static const int8_t sample[APPROX_NETWORK_IN_SIZE_BYTES] = {SAMPLE};

static int32_t host(int32_t operation, const void *block)
{
    register int32_t r0 __asm("r0") = operation;
    register const void *r1 __asm("r1") = block;
    __asm volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

int __io_putchar(int character)
{
    char text = (char)character;
    host(3, &text);
    return character;
}

int approx_app_acquire(int8_t *input)
{
    for (uint32_t i = 0; i < sizeof sample; i++) {
        input[i] = sample[i];
    }
    return 1;
}

void approx_app_result(const int8_t *output, int32_t status, uint32_t cycles)
{
    (void)cycles;
    for (uint32_t i = 0; status == 0 && i < APPROX_NETWORK_OUT_SIZE_BYTES; i++) {
        const char text[2] = {"0123456789abcdef"[(uint8_t)output[i] >> 4], "0123456789abcdef"[output[i] & 15]};
        approx_app_write(text, 2u);
    }
    approx_app_write("\\n", 1u);
    host(0x18, (const void *)0x20026);
}
"""
SAMPLE = np.random.default_rng(5).integers(-128, 128, 64).astype(np.int8)


def command(*arguments: object) -> Done:
    """The command line, without the time that a process of its own takes to load."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.delenv("CMSIS_NN_PATH", raising=False)
        status = main(list(map(str, arguments)))
    return Done(status, out.getvalue(), err.getvalue())


@dataclass(frozen=True)
class Made:
    """app: the person's project, into which a network has moved; before: its files; done: the run that did it."""

    app: Path
    spec: Path
    before: dict[str, bytes]
    done: Done


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("into")
    app = put({**cmake_project(), **cube_project(STYLES["windows"])}, folder / "my app")
    before = tree(app)
    spec = write_spec(folder, exact(board="project", project={"name": "digits", "directory": "out", "into": "my app"}))
    return Made(app, spec, before, command("--spec", spec))


def expected() -> str:
    graph = read_graph(MODEL)
    inputs = SAMPLE.reshape((1, *graph.input_shape))
    return bytes(make_vectors(graph, inputs).outputs[0].tobytes()).hex()


def calling(made: Made) -> None:
    """The person's own code, in its USER CODE sections and in a file of its own."""
    sample = ", ".join(map(str, SAMPLE))
    (made.app / "Core/Src/main.c").write_text(CALLING_MAIN)
    (made.app / "Core/Src/my_console.c").write_text(CONSOLE.replace("SAMPLE", sample, 1))


def answer(elf: Path) -> str:
    """What the program prints in QEMU."""
    if shutil.which("qemu-system-arm") is None:
        pytest.skip("needs qemu-system-arm")
    command = ["qemu-system-arm", "-M", MACHINE, "-nographic", "-monitor", "none", "-serial", "none"]
    semihosting = ["-semihosting-config", "enable=on,target=native", "-kernel", str(elf)]
    done = subprocess.run([*command, *semihosting], capture_output=True, text=True, timeout=120, check=False)
    return (done.stdout + done.stderr).strip()


def test_it_says_what_it_did(made: Made) -> None:
    assert made.done.status == 0, made.done.text
    assert "app takes " in made.done.text and "settings in .cproject, CMakeLists.txt" in made.done.text
    after = tree(made.app)
    new = set(after) - set(made.before)
    assert new and all(path.startswith("Middlewares/Approx/") for path in new)
    changed = {path for path, content in made.before.items() if after[path] != content}
    assert changed == {".cproject", "CMakeLists.txt"}
    sources = [path for path in new if path.endswith((".c", ".s"))]
    assert not [path for path in sources if "syscalls" in path or "startup" in path or "main" in path]


def test_the_program_of_the_cproject_gives_the_right_answer(made: Made, tmp_path: Path) -> None:
    calling(made)
    for configuration in ("Debug", "Release"):
        built = build(made.app, configuration, tmp_path)
        assert not built.warnings
        assert {"MX_APPROX_Process", "approx_network_run"} <= set(built.size.symbols)
        assert answer(built.elf) == expected()


def test_the_program_of_cmake_gives_the_right_answer(made: Made, tmp_path: Path) -> None:
    if not (shutil.which("cmake") and shutil.which("ninja")):
        pytest.skip("needs cmake and ninja")
    calling(made)
    copy = tmp_path / "app"
    shutil.copytree(made.app, copy)
    file = copy / "CMakeLists.txt"
    file.write_text(file.read_text().replace("Core/Src/main.c", "Core/Src/main.c Core/Src/my_console.c"))
    options = ["-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_TOOLCHAIN_FILE=cmake/gcc-arm-none-eabi.cmake"]
    for line in (
        ["cmake", "-S", str(copy), "-B", str(tmp_path / "b"), *options],
        ["cmake", "--build", str(tmp_path / "b")],
    ):
        done = subprocess.run(line, cwd=copy, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert answer(tmp_path / "b" / "app.elf") == expected()


def test_status_a_rerun_and_a_repair(made: Made) -> None:
    calling(made)
    merged = tree(made.app)
    assert "complete" in command("status", "--spec", made.spec).out
    assert "up to date" in command("--spec", made.spec).text
    assert tree(made.app) == merged
    # What a regeneration by STM32CubeMX does at the worst.
    (made.app / ".cproject").write_bytes(made.before[".cproject"])
    told = command("status", "--spec", made.spec).out
    assert ".cproject lacks settings of the network" in told and "CMakeLists.txt" not in told
    again = command("--spec", made.spec)
    assert again.status == 0 and tree(made.app) == merged, again.text
    assert "in .cproject put back" in again.text and "is up to date" in again.text


def test_verify_runs_the_network_that_moved_in(made: Made) -> None:
    if shutil.which("qemu-system-arm") is None:
        pytest.skip("needs qemu-system-arm")
    done = command("verify", "--spec", made.spec)
    assert "bit-exact" in done.out, done.text
    ours = tree(made.spec.parent / "out")
    theirs = {
        p.removeprefix("Middlewares/Approx/"): c for p, c in tree(made.app).items() if "/Approx/Src/approx_l" in p
    }
    assert theirs and all(ours[f"Middlewares/Approx/{path}"] == content for path, content in theirs.items())


def test_a_project_of_another_core_is_refused_before_any_work(tmp_path: Path) -> None:
    put(cube_project(STYLES["U5"]), tmp_path / "app")
    spec = write_spec(tmp_path, exact(board="nucleo-l4r5zi", project={"directory": "out", "into": "app"}))
    done = command("--spec", spec)
    assert done.status == 2 and "3:8: error: NUCLEO-L4R5ZI has a cortex-m4" in done.err, done.text
    assert not (tmp_path / "out").exists() and not (tmp_path / "app/Middlewares").exists()


def test_a_budget_that_the_application_has_taken(tmp_path: Path) -> None:
    files = cube_project()
    hungry = "static volatile char taken[94 * 1024];\nvoid HAL_Init(void) { taken[0] = 1; }\n"
    files["Drivers/BSP/hal.c"] = hungry.encode()
    before = tree(put(files, tmp_path / "app"))
    spec = write_spec(tmp_path, exact(project={"name": "digits", "directory": "out"}, board="project"))
    done = command("--spec", spec, "--into", tmp_path / "app")
    assert done.status == 2 and "are left by app" in done.err and "of RAM" in done.err, done.text
    assert tree(tmp_path / "app") == before


LIBRARY = {"convolution": "cmsis_nn"}


def test_another_cmsis_nn_keeps_its_callers(tmp_path: Path) -> None:
    """One of the project's own, of another version, is neither replaced nor linked twice."""
    files = cube_project()
    own = "int arm_convolve_wrapper_s8(int x) { return x; }\nint arm_fully_connected_s8(int x) { return x; }\n"
    files["Drivers/NN/arm_own.c"] = own.encode()
    files["Drivers/BSP/arm_nnfunctions.h"] = b"int arm_convolve_wrapper_s8(int x);\n"
    files["Core/Src/main.c"] = (
        CALLING_MAIN.replace('#include "main.h"', '#include "main.h"\n#include "arm_nnfunctions.h"', 1)
        .replace("samples[0]++", "samples[0] = arm_convolve_wrapper_s8(3)")
        .encode()
    )
    app = put(files, tmp_path / "app")
    spec = write_spec(
        tmp_path, exact(project={"name": "digits", "directory": "out", "into": "app"}, board="project", kernels=LIBRARY)
    )
    done = command("--spec", spec)
    assert done.status == 0, done.text
    built = build(app, "Release", tmp_path / "b")
    assert {"arm_convolve_wrapper_s8", "approx_private_arm_convolve_wrapper_s8"} <= set(built.size.symbols)
    options = read_managed(app).configuration("Debug").options_for("Middlewares/Approx/Src/x.c")
    assert options["tool.c.compiler.option.otherflags"].items == ("-include approx_private_names.h",)


def test_the_projects_own_cmsis_nn_is_used_if_it_suits(tmp_path: Path) -> None:
    files = cube_project(
        replace(STYLES["current"], includes=("../Core/Inc", "../Drivers/BSP", "../Drivers/NN/Include"))
    )
    for file in (ROOT / "Middlewares/CMSIS-NN").glob("*/*.[ch]"):
        files[f"Drivers/NN/{file.parent.name}/{file.name}"] = file.read_bytes()
    files["Core/Src/main.c"] = CALLING_MAIN.encode()
    app = put(files, tmp_path / "app")
    spec = write_spec(
        tmp_path, exact(project={"name": "digits", "directory": "out", "into": "app"}, board="project", kernels=LIBRARY)
    )
    done = command("--spec", spec)
    assert done.status == 0 and "uses the CMSIS-NN of app (Drivers/NN/Include)" in done.text, done.text
    assert not (app / "Middlewares/Approx/CMSIS-NN").exists()
    assert not build(app, "Debug", tmp_path / "b").warnings
    # One that says something else of a type is left to its own callers.
    types = app / "Drivers/NN/Include/arm_nn_types.h"
    types.write_text(types.read_text().replace("int32_t multiplier", "int64_t multiplier", 1))
    spec.write_text(spec.read_text().replace("images: 5", "images: 6"))
    done = command("--spec", spec)
    assert "gets private names" in done.text and (app / "Middlewares/Approx/CMSIS-NN").exists(), done.text


def test_a_dry_run_says_what_would_change(tmp_path: Path) -> None:
    before = tree(put({**cube_project(), **cmake_project()}, tmp_path / "app"))
    spec = write_spec(tmp_path, exact(project={"name": "digits", "directory": "out", "into": "app"}, board="project"))
    done = command("--spec", spec, "--dry-run")
    assert done.status == 0 and tree(tmp_path / "app") == before, done.text
    assert "+add_subdirectory(Middlewares/Approx)" in done.text and "files would be written" in done.text
    assert '+\t\t\t\t\t\t<entry flags="VALUE_WORKSPACE_PATH|RESOLVED"' in done.text


def test_removing_restores_the_project(made: Made) -> None:
    """The last one: what the person wrote himself stays."""
    (made.app / "Core/Src/main.c").write_text(MAIN)
    (made.app / "Core/Src/my_console.c").unlink(missing_ok=True)
    done = command("remove", "--spec", made.spec)
    assert done.status == 0 and done.out.count("byte for byte as it was before") == 2, done.text
    assert tree(made.app) == made.before
    assert "there was none" in command("remove", "--spec", made.spec).out
