"""The published measurements as data, and the networks that are made from a description."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from approx_plugin.errors import SpecError
from approx_plugin.reference.executor import layers
from approx_plugin.validation.measurements import Network, load_measurements, parse
from approx_plugin.validation.networks import described, network_graph

MEASUREMENTS = load_measurements()
NETWORKS = {one.network.id: one.network for one in MEASUREMENTS}


def test_figures_are_those_that_were_published() -> None:
    found = {(one.stack.id, one.chip.id, one.network.id): one for one in MEASUREMENTS}
    assert len(found) == len(MEASUREMENTS)
    # 407.7457 ms at 120 MHz; 3.163 inferences a second at 128 MHz.
    assert found["tflm", "l4r5", "resnet8"].cycles == pytest.approx(48.929e6, rel=1e-4)
    assert found["microtvm", "nrf5340", "resnet8"].cycles == pytest.approx(40.468e6, rel=1e-4)
    assert {one.chip.id for one in MEASUREMENTS if one.fitted} == {"l4r5"}
    for one in MEASUREMENTS:
        assert one.stack.source and one.stack.copies_source and one.chip.differences


def test_a_wrong_file_is_noticed() -> None:
    with pytest.raises(KeyError):
        parse({"stacks": [], "chips": [], "networks": [], "measurements": [{"stack": "nobody's"}]})


@pytest.mark.parametrize(
    ("name", "macs"),
    [
        # 14*14*9*6 + 7*7*54*8 + 4*4*72*8 + 2*2*72*10 + 40*10
        ("cnn_2", 10_584 + 21_168 + 9_216 + 2_880 + 400),
        # 32*32*27*16 + 32*32*144*16 + 8*8*144*32 + 8*8*288*32 + 32*64 + 64*32 + 32*10
        ("cnn_5", 442_368 + 2_359_296 + 294_912 + 589_824 + 2_048 + 2_048 + 320),
        ("fc_10", 3072 * 64 + 64 * 32 + 32 * 16 + 16 * 10),
    ],
)
def test_products_of_a_described_network(name: str, macs: int) -> None:
    assert described(NETWORKS[name]).macs == macs


@pytest.mark.parametrize("name", [n.id for n in NETWORKS.values() if not n.file])
def test_a_described_network_computes_something(name: str) -> None:
    graph = described(NETWORKS[name])
    inputs = np.random.default_rng(0).integers(-128, 128, (2, *graph.input_tensor.shape[1:])).astype(np.int8)
    results = list(layers(graph, inputs))
    for operator, result in zip(graph.operators, results):
        assert result.shape[1:] == operator.output.shape[1:]
    # Requantisation neither saturates everything nor rounds everything away.
    hidden = [result for operator, result in zip(graph.operators, results) if operator.kind == "CONV_2D"]
    assert all(len(np.unique(result)) > 10 for result in hidden)
    assert described(NETWORKS[name]).sha256 == graph.sha256


def test_a_layer_that_is_none() -> None:
    with pytest.raises(ValueError, match="no layer 'lstm'"):
        described(Network("x", "X", input=(4,), layers=("lstm 3",)))


def test_only_the_measured_model_will_do(tmp_path: Path) -> None:
    network = NETWORKS["resnet8"]
    with pytest.raises(SpecError, match="--models"):
        network_graph(network, None)
    with pytest.raises(SpecError, match="is not there"):
        network_graph(network, tmp_path)
    (tmp_path / network.file).write_bytes(b"another model")
    with pytest.raises(SpecError, match="not the model that was measured"):
        network_graph(network, tmp_path)


def test_the_measured_models(shared: Path) -> None:
    for network in NETWORKS.values():
        if network.file:
            assert network_graph(network, shared / "models").macs > 200_000
