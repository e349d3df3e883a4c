"""The gates' functions in C, for every number of 16 bits, against the tables of the integer reference."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from approx_plugin.operators.sixteen_bits import sigmoid, tanh

DRIVER = """
#include "approx_lstm.c"
#include <stdio.h>
int main(void)
{
    for (int32_t value = INT16_MIN; value <= INT16_MAX; value++) {
        int16_t all[8] = {(int16_t)sigmoid(value)};
        for (int32_t bits = 0; bits <= 6; bits++) {
            all[1 + bits] = (int16_t)hyperbolic_tangent(value, bits);
        }
        fwrite(all, sizeof all, 1, stdout);
    }
    return 0;
}
"""


def test_every_number(tmp_path: Path, root: Path) -> None:
    if shutil.which("gcc") is None:
        pytest.skip("needs gcc")
    source, program = tmp_path / "driver.c", tmp_path / "driver"
    source.write_text(DRIVER)
    folders = [f"-I{root / 'Middlewares/Approx' / name}" for name in ("Src", "Inc")]
    subprocess.run(["gcc", "-O1", "-fsanitize=undefined", *folders, str(source), "-o", str(program)], check=True)
    answers = np.frombuffer(subprocess.run([str(program)], capture_output=True, check=True).stdout, np.int16)
    every = np.arange(-32768, 32768)
    expected = [sigmoid(every), *(tanh(every, bits) for bits in range(7))]
    np.testing.assert_array_equal(answers.reshape(-1, 8), np.stack(expected, axis=1))
