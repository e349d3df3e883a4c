"""Calls a generated network in C on this computer, with the sanitizers: whatever C leaves undefined ends the test."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from arm_call import ROOT, portable_subset

from approx_plugin.kernels.program import Program

SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer")
_MAIN = """\
#include <stdio.h>
#include <stdlib.h>
#include "approx_network.h"

/* Every buffer ends where its block ends, so that a stray access is seen; input and output are as badly aligned as
   bytes may be. */
int main(void)
{
    int8_t *input = malloc(INPUT_SIZE + 1);
    while (fread(input + 1, 1, INPUT_SIZE, stdin) == INPUT_SIZE) {
        uint8_t *activations = malloc(APPROX_NETWORK_ACTIVATIONS_SIZE);
        int8_t *output = malloc(OUTPUT_SIZE + 1);
        if (approx_network_check_scratch() != 0 || approx_network_run(activations, input + 1, output + 1) != 0) {
            return 1;
        }
        fwrite(output + 1, 1, OUTPUT_SIZE, stdout);
        free(output);
        free(activations);
    }
    free(input);
    return 0;
}
"""


def run_on_host(program: Program, folder: Path, inputs: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    """Outputs [count, ...] of a network lowered for the C back end, with the portable subset as its library."""
    compiler = shutil.which("gcc")
    if compiler is None:
        pytest.skip("needs gcc with its sanitizers")
    graph, library = program.graph, portable_subset()
    for path, text in {**program.sources, "main.c": _MAIN}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    sources = [folder / path for path in (*program.sources, "main.c") if path.endswith(".c")]
    sources += sorted((ROOT / "Middlewares/Approx/Src").glob("*.c"))
    command = [
        compiler, "-O0", "-std=gnu11", *SANITIZERS,
        f"-DINPUT_SIZE={graph.input_bytes}", f"-DOUTPUT_SIZE={graph.output_bytes}",
        f"-I{folder / 'Inc'}", f"-I{ROOT / 'Middlewares/Approx/Inc'}", f"-I{library.include}",
        *map(str, sources), *(map(str, library.sources) if program.cmsis_nn_functions else ()),
        "-o", str(folder / "network"),
    ]  # fmt: skip
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr[-4000:]
    data = np.ascontiguousarray(inputs).tobytes()
    done = subprocess.run([str(folder / "network")], input=data, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")[-4000:]
    return np.frombuffer(done.stdout, np.int8).reshape(len(inputs), *graph.output_shape)
