"""The template of an operator works as it stands."""

from __future__ import annotations

import numpy as np
import pytest

from approx_plugin.model.node import Node, UnsupportedError
from approx_plugin.model.quantization import Quantization
from approx_plugin.model.tensor import Tensor
from approx_plugin.operators.registry import OPERATORS
from approx_plugin.operators.TEMPLATE import Negate


def node(options: dict[str, int]) -> Node:
    source = Tensor(0, "x", (1, 3), "int8", Quantization((0.5,), (-3,)))
    result = Tensor(1, "y", (1, 3), "int8", Quantization((0.25,), (7,)))
    return Node(0, "NEG", (source,), (result,), options)


def test_the_template_is_read_and_computes() -> None:
    operator = Negate.read(node({}), 0, "neg_0")
    inputs = np.array([[-3, -2, 100], [0, -128, 127]], dtype=np.int8)
    assert operator.compute([inputs]).tolist() == [[7, 5, -128], [1, 127, -128]]
    assert len(operator.fingerprint) == 32 and not operator.is_alias


def test_the_template_refuses_what_it_does_not_know() -> None:
    with pytest.raises(UnsupportedError, match="it has options"):
        Negate.read(node({"Some": 1}), 0, "neg_0")


def test_the_template_is_not_registered() -> None:
    assert Negate.kind not in OPERATORS
