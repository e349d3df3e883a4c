"""Whole networks on emulated cores, bit for bit against the integer reference."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from arm_call import CmsisNnTree, portable_subset, run_program
from networks import preferring

from approx_plugin.errors import Location
from approx_plugin.library.provider import resolve
from approx_plugin.model.graph import Graph
from approx_plugin.reference import executor
from approx_plugin.tflite.reader import read_graph

MODELS = (
    "cifar10_alexnet",
    "cifar10_dscnn",
    "cifar10_lenet",
    "digits_cnn",
    "mlperf_tiny_ad_autoencoder",
    "mlperf_tiny_ic_resnet8",
    "mlperf_tiny_kws_dscnn",
    "mlperf_tiny_vww_mobilenet",
    "published_lenet_cifar10",
)
WITHOUT_CONVOLUTION = ("mlperf_tiny_ad_autoencoder",)


def some_inputs(graph: Graph, count: int = 2) -> np.ndarray:
    rng = np.random.default_rng(7)
    return rng.integers(-128, 128, (count, *graph.input_tensor.shape[1:]), dtype=np.int8)


@pytest.mark.parametrize("model", [model for model in MODELS if model not in WITHOUT_CONVOLUTION])
def test_models_with_unpacked_convolutions(model: str, model_file: Callable[[str], Path], tmp_path: Path) -> None:
    graph = read_graph(model_file(model))
    program = preferring(graph, "unpacked", "cortex-m33")
    kernels = [step.kernel for step in program.steps if step.last.kind == "CONV_2D"]
    assert kernels and set(kernels) == {"unpacked"}
    inputs = some_inputs(graph)
    answers = run_program(program, tmp_path, "cortex-m33", inputs, portable_subset())
    np.testing.assert_array_equal(answers, executor.run(graph, inputs))


@pytest.mark.parametrize("model", MODELS)
def test_models_through_the_library_alone(
    model: str, model_file: Callable[[str], Path], cmsis_nn: Path, tmp_path: Path
) -> None:
    graph = read_graph(model_file(model))
    program = preferring(graph, "cmsis_nn", "cortex-m4")
    assert program.cmsis_nn_functions and {step.kernel for step in program.steps} == {"cmsis_nn"}
    library = resolve(program.cmsis_nn_functions, cmsis_nn, Location("test"))
    tree = CmsisNnTree(cmsis_nn / "Include", tuple(file for name, file in library.files.items() if name.endswith(".c")))
    inputs = some_inputs(graph)
    answers = run_program(program, tmp_path, "cortex-m4", inputs, tree)
    np.testing.assert_array_equal(answers, executor.run(graph, inputs))
