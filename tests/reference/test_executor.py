"""The executor against TensorFlow Lite's reference kernels, layer by layer, and its ways to run a part of a network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tflite_oracle
from tflite_writer import ModelBuilder

from approx_plugin.dataset import Dataset
from approx_plugin.model.graph import Graph
from approx_plugin.operators.conv2d import Conv2D
from approx_plugin.reference.executor import (
    accuracy,
    advance,
    classes,
    enter,
    finish,
    layers,
    predictions,
    run,
    run_layers,
)
from approx_plugin.tflite.reader import read_graph

CIFAR = "cifar10_exploration.npz"
MODELS = {
    "digits_cnn": None,
    "cifar10_lenet": CIFAR,
    "cifar10_lenet_plain": CIFAR,
    "cifar10_alexnet": CIFAR,
    "cifar10_alexnet_plain": CIFAR,
    "cifar10_dscnn": CIFAR,
    "published_lenet_cifar10": "cifar10_original_test.npz",
    "mlperf_tiny_ic_resnet8": "cifar10_original_test.npz",
    "mlperf_tiny_kws_dscnn": None,
    "mlperf_tiny_vww_mobilenet": None,
    "mlperf_tiny_ad_autoencoder": None,
}
"""Model -> file of the shared data with real inputs, None where there is none. The digits' lie in the repository."""


def real_inputs(root: Path, name: str) -> Any:
    """int8 [many, ...], None where there are none at hand."""
    if name == "digits_cnn":
        with np.load(root / "models" / "digits.npz") as file:
            return file["confirmation_images"]
    data = root.parent / "shared" / "data" / (MODELS[name] or "nothing")
    if not data.is_file():
        return None
    with np.load(data) as file:
        return file["inputs"] if "inputs" in file else (file["images"] ^ 0x80).view(np.int8)


def inputs_of(root: Path, graph: Graph, name: str, count: int) -> Any:
    """int8 [count, ...]: real inputs, to which random ones are added because those reach more of the range."""
    random = np.random.RandomState(7).randint(-128, 128, (count, *graph.input_tensor.shape[1:])).astype(np.int8)
    real = real_inputs(root, name)
    return random if real is None else np.concatenate([real[: count - 1], random[:1]])


def as_the_file_wants(graph: Graph, inputs: Any) -> Any:
    """Real numbers for a model whose QUANTIZE was taken off."""
    if not graph.float_input:
        return inputs
    tensor = graph.input_tensor
    return (inputs.astype(np.float32) - tensor.zero_point) * np.float32(tensor.scale)


@pytest.mark.parametrize("name", list(MODELS))
def test_every_layer_equals_tflite_reference_kernels(root: Path, model_file: Callable[[str], Path], name: str) -> None:
    path = model_file(name)
    content, graph = path.read_bytes(), read_graph(path)
    inputs = inputs_of(root, graph, name, 4)
    fed = as_the_file_wants(graph, inputs)
    results = run_layers(graph, inputs)
    assert len(results) == len(graph.operators) > 0
    for operator, found in zip(graph.operators, results):
        wanted = tflite_oracle.outputs(content, fed, operator.output.index)
        np.testing.assert_array_equal(found, wanted, err_msg=operator.name)


@pytest.mark.parametrize("name", ["digits_cnn", "published_lenet_cifar10", "mlperf_tiny_ic_resnet8"])
def test_outputs_of_many_real_images_equal_tflite_reference_kernels(
    root: Path, model_file: Callable[[str], Path], name: str
) -> None:
    path = model_file(name)
    content, graph = path.read_bytes(), read_graph(path)
    if real_inputs(root, name) is None:
        pytest.skip("needs the shared data beside the repository")
    inputs = inputs_of(root, graph, name, 150)
    wanted = tflite_oracle.outputs(content, as_the_file_wants(graph, inputs))
    found: Any = run(graph, inputs)
    if graph.float_output:
        found = (found.astype(np.float32) - graph.output_tensor.zero_point) * np.float32(graph.output_tensor.scale)
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize(("name", "percent"), [("cifar10_lenet", 82.4), ("cifar10_lenet_plain", 68.2)])
def test_accuracy_is_the_known_one(shared: Path, model_file: Callable[[str], Path], name: str, percent: float) -> None:
    with np.load(shared / "data" / CIFAR) as file:
        inputs = (file["images"] ^ 0x80).view(np.int8)
        dataset = Dataset("exploration", inputs, file["labels"].astype(np.int64))
    assert len(dataset) == 3000
    assert accuracy(read_graph(model_file(name)), dataset) == pytest.approx(percent, abs=0.05)


@pytest.mark.parametrize(("part", "right", "count"), [("exploration", 397, 400), ("confirmation", 396, 397)])
def test_accuracy_on_the_digits_is_the_known_one(root: Path, part: str, right: int, count: int) -> None:
    """99.3 and 99.7 % in models/README.md."""
    with np.load(root / "models" / "digits.npz") as file:
        dataset = Dataset(part, file[f"{part}_images"], file[f"{part}_labels"].astype(np.int64))
    assert len(dataset) == count
    assert accuracy(read_graph(root / "models" / "digits_cnn.tflite"), dataset) == pytest.approx(100 * right / count)


@pytest.fixture(scope="module")
def skip_network(tmp_path_factory: pytest.TempPathFactory) -> Graph:
    """Two nested residual connections, one of them over the whole network: several tensors live at once."""
    rng = np.random.RandomState(5)

    def weights(*shape: int) -> Any:
        return rng.randint(-127, 128, shape).astype(np.int8)

    builder = ModelBuilder()
    x = builder.input((1, 6, 5, 3), scale=0.05, zero_point=4)
    a = builder.conv2d(x, weights(3, 3, 3, 3), 0.004, None, scale=0.06, zero_point=-7)
    b = builder.conv2d(a, weights(3, 1, 1, 3), 0.01, None, scale=0.05, zero_point=2, activation="RELU")
    c = builder.add(a, b, scale=0.08, zero_point=-1)
    d = builder.conv2d(c, weights(3, 3, 3, 3), 0.004, None, scale=0.07)
    e = builder.add(d, x, scale=0.1)
    f = builder.add(builder.reshape(e, (1, 90)), builder.reshape(c, (1, 90)), scale=0.2)
    builder.output(builder.fully_connected(f, weights(7, 90), 0.01, scale=0.5))
    path = tmp_path_factory.mktemp("skip") / "skip.tflite"
    path.write_bytes(builder.build())
    return read_graph(path)


def some_inputs(graph: Graph, count: int) -> Any:
    return np.random.RandomState(11).randint(-128, 128, (count, *graph.input_tensor.shape[1:])).astype(np.int8)


@pytest.mark.parametrize("batch", [1, 4, 64])
def test_resuming_anywhere_gives_the_same_outputs(skip_network: Graph, batch: int) -> None:
    inputs = some_inputs(skip_network, 9)
    outputs = run(skip_network, inputs)
    assert len(np.unique(outputs)) > 10
    state = enter(skip_network, inputs)
    for position in range(len(skip_network.operators) + 1):
        state = advance(skip_network, state, position, batch=batch)
        assert state.position == position and state.count == 9
        np.testing.assert_array_equal(finish(skip_network, state, batch=batch), outputs)


def test_a_state_holds_what_is_needed_and_no_more(skip_network: Graph) -> None:
    names = []
    for position in range(len(skip_network.operators) + 1):
        state = advance(skip_network, enter(skip_network, some_inputs(skip_network, 2)), position)
        names.append({skip_network.tensors[number].name for number in state.values})
        assert state.nbytes == sum(2 * skip_network.tensors[number].elements for number in state.values)
    assert names[:5] == [
        {"input"},
        {"input", "conv2d_0"},
        {"input", "conv2d_0", "conv2d_1"},
        {"input", "add_2"},
        {"input", "add_2", "conv2d_3"},
    ]
    assert names[-1] == {"fully_connected_8"}


def test_resuming_with_changed_layers(skip_network: Graph) -> None:
    """The search's use: the state in front of the first changed layer serves all variants of it."""
    inputs = some_inputs(skip_network, 5)
    conv = skip_network.operators[3]
    assert isinstance(conv, Conv2D)
    changed = skip_network.with_operators({3: conv.with_constants(np.zeros_like(conv.weights), conv.bias + 500)})
    resumed = finish(changed, advance(skip_network, enter(skip_network, inputs), 3))
    np.testing.assert_array_equal(resumed, run(changed, inputs))
    assert not np.array_equal(resumed, run(skip_network, inputs))


def test_layers_give_every_output_in_order(skip_network: Graph) -> None:
    inputs = some_inputs(skip_network, 3)
    outputs = list(layers(skip_network, inputs))
    assert [values.shape[1:] for values in outputs] == [op.output.shape[1:] for op in skip_network.operators]
    assert all(values.dtype == np.int8 for values in outputs)
    np.testing.assert_array_equal(outputs[-1], run(skip_network, inputs))
    assert len(run_layers(skip_network, inputs)) == len(skip_network.operators)


def test_inputs_are_not_changed(skip_network: Graph) -> None:
    inputs = some_inputs(skip_network, 3)
    before = inputs.copy()
    inputs.flags.writeable = False
    run_layers(skip_network, inputs)
    np.testing.assert_array_equal(inputs, before)


def test_the_first_of_equal_outputs_is_the_class() -> None:
    outputs = np.array([[1, 5, 5], [-3, -3, -4], [0, 1, 2]], dtype=np.int8)
    assert classes(outputs).tolist() == [1, 0, 2]
    assert classes(outputs.reshape(3, 1, 1, 3)).tolist() == [1, 0, 2]
    assert classes(outputs).dtype == np.int64


def test_predictions_and_accuracy(skip_network: Graph) -> None:
    inputs = some_inputs(skip_network, 20)
    found = predictions(skip_network, inputs)
    np.testing.assert_array_equal(found, run(skip_network, inputs).argmax(axis=1))
    labels = found.copy()
    labels[:5] = (labels[:5] + 1) % 7
    assert accuracy(skip_network, Dataset("some", inputs, labels)) == 75.0


def test_wrong_use_is_refused(skip_network: Graph) -> None:
    inputs = some_inputs(skip_network, 2)
    with pytest.raises(ValueError, match="expected int8"):
        enter(skip_network, inputs.astype(np.float32))
    with pytest.raises(ValueError, match="expected int8"):
        enter(skip_network, inputs[:, 1:])
    state = advance(skip_network, enter(skip_network, inputs), 3)
    with pytest.raises(ValueError, match="cannot go from operator 3 to 2"):
        advance(skip_network, state, 2)
    with pytest.raises(ValueError, match="cannot go from operator 3 to 99"):
        advance(skip_network, state, 99)
