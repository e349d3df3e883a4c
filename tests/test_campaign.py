"""The campaign of random networks: a few of them, and whether it notices what is wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from approx_plugin.operators.conv2d import Conv2D
from approx_plugin.reference.vectors import make_vectors
from tests.campaign import firmware
from tests.campaign.drawing import Network, draw_network
from tests.campaign.firmware import Bench
from tests.campaign.host import compare


def test_a_seed_and_a_number_name_a_network() -> None:
    assert draw_network(3, 4).content == draw_network(3, 4).content
    assert len({draw_network(3, number).content for number in range(20)}) == 20


def test_networks_equal_tflite_and_say_something() -> None:
    pytest.importorskip("tflite_runtime.interpreter", reason="needs tflite_runtime for the cross-check")
    kinds, values, compared = set[str](), set[int](), 0
    for number in range(70):
        network = draw_network(5, number)
        found = compare(network)
        assert not found.faults, (number, found.faults)
        compared += found.compared
        if found.graph is not None:
            kinds |= {operator.kind for operator in found.graph.operators}
            values |= {int(value) for value in np.unique(network.inputs)}
    assert compared > 250
    assert len(kinds) > 25
    assert len(values) == 256


def test_a_difference_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reference that is off by one in one kind of operator."""
    pytest.importorskip("tflite_runtime.interpreter", reason="needs tflite_runtime for the cross-check")
    right = Conv2D.compute
    monkeypatch.setattr(Conv2D, "compute", lambda self, *given: np.minimum(right(self, *given), 126))
    told = [fault for number in range(12) for fault in compare(draw_network(5, number)).faults]
    assert told and all("CONV_2D" in fault and "not 127" in fault for fault in told)


@pytest.mark.parametrize("backend", firmware.BACKENDS)
def test_firmware(backend: str, tmp_path: Path) -> None:
    bench = Bench.of("cortex-m4", backend, None, tmp_path)
    for number in range(2):
        network = draw_network(6, number)
        graph = compare(network).graph
        assert graph is not None
        ran = firmware.run(graph, network.inputs, bench, firmware.generator(6, number, bench))
        assert ran.steps and not ran.left_out
        assert not ran.faults, ran.faults


def test_wrong_firmware_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Vectors that expect something else."""
    right = make_vectors
    monkeypatch.setattr(
        firmware,
        "make_vectors",
        lambda *given: replace(right(*given), checksums=right(*given).checksums ^ np.uint32(1)),
    )
    network: Network = draw_network(6, 0)
    graph = compare(network).graph
    assert graph is not None
    bench = Bench.of("cortex-m4", "c", None, tmp_path)
    (fault,) = firmware.run(graph, network.inputs, bench, firmware.generator(6, 0, bench)).faults
    assert "agrees with the integer reference on 0 of 4 vectors" in fault and "steps: " in fault
