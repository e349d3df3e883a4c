"""A network on this computer: our integer reference against TensorFlow Lite's reference kernels, tensor by tensor."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tflite_oracle

from approx_plugin.errors import ApproxError
from approx_plugin.model.graph import Graph
from approx_plugin.reference.executor import layers
from approx_plugin.tflite.reader import read_graph
from tests.campaign.drawing import Network
from tests.campaign.grower import Int8

REFUSED = "no_integer_overflow_from_quantization"
"""What the interpreter says of factors between two scales that only our fixed point reaches."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """graph: None where the reader refused the network, and why. compared: tensors; faults: what differs."""

    graph: Graph | None
    why: str
    compared: int
    faults: tuple[str, ...]


def compare(network: Network) -> Comparison:
    """Every activation, for every input. Without tflite_runtime nothing is compared."""
    try:
        graph = _read(network.content)
    except ApproxError as error:
        return Comparison(None, str(error), 0, ())
    compared, faults, why = 0, list[str](), ""
    for operator, ours in zip(graph.operators, layers(graph, network.inputs)):
        try:
            theirs = _theirs(network, operator.output.index)
        except RuntimeError as error:
            if REFUSED not in str(error):
                faults.append(f"TensorFlow Lite refuses what we read: {error}")
            why = str(error)
            break
        compared += 1
        flat = ours.reshape(len(ours), -1)
        different = np.argwhere(flat != theirs)
        if len(different):
            vector, place = different[0]
            faults.append(
                f"operator {operator.index} {operator.kind}: {len(different)} outputs differ from TensorFlow Lite; "
                f"vector {vector}, element {place}: {flat[vector, place]}, not {theirs[vector, place]}"
            )
            break
    return Comparison(graph, why, compared, tuple(faults))


def _theirs(network: Network, tensor: int) -> Int8:
    """int8 [inputs, elements] of a tensor by TensorFlow Lite."""
    made = tflite_oracle.interpreter(network.content, tensor)
    (source,), (result,) = made.get_input_details(), made.get_output_details()
    found = []
    for values in network.inputs:
        made.set_tensor(source["index"], values.reshape(source["shape"]))
        made.invoke()
        found.append(made.get_tensor(result["index"]).reshape(-1))
    return np.stack(found)


def _read(content: bytes) -> Graph:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.tflite"
        path.write_bytes(content)
        return read_graph(path)
