#!/usr/bin/env python3
"""Which .tflite files of a folder are read, and whether the integer reference equals TensorFlow Lite's kernels.

    tools/against_tflite.py FOLDER [--inputs 20]

Needs tflite_runtime, whose BUILTIN_REF kernels are compared with. One line for each file: what it lacks, or how many of
the outputs for random inputs are equal. Inputs of a network with states are one sequence.
"""

from __future__ import annotations

import argparse
import struct
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tflite

from approx_plugin.dataset import random_inputs
from approx_plugin.errors import ApproxError
from approx_plugin.model.graph import Graph
from approx_plugin.model.tensor import Int8Array, Tensor
from approx_plugin.reference.executor import run
from approx_plugin.tflite.reader import read_graph

SEED = 7

_VERSION, _DIMENSION = 8, 16
"""Of OperatorCode.version and QuantizationParameters.quantized_dimension: 4 bytes of header, 2 bytes a field."""


@dataclass(frozen=True)
class Agreement:
    """Of `count` inputs, how many give the same bytes; off: the largest difference, in steps of the output.

    refused: why the interpreter does not take the model; empty if it does.
    """

    equal: int
    count: int
    off: int
    refused: str = ""

    @property
    def text(self) -> str:
        """In words."""
        if self.refused:
            return f"TensorFlow Lite's interpreter refuses it: {self.refused}"
        return f"{self.equal} of {self.count} outputs equal" + (f", others off by up to {self.off}" if self.off else "")


def agreement(content: bytes, graph: Graph, count: int) -> Agreement:
    """How many of `count` random inputs give the bytes that BUILTIN_REF gives. Raises ImportError without it."""
    from tflite_runtime.interpreter import Interpreter, OpResolverType

    inputs = random_inputs(graph.input_shape, count, SEED)
    try:
        made = Interpreter(
            model_content=accepted(content),
            experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
            experimental_preserve_all_tensors=any(tensor.element != "int8" for tensor in graph.outputs),
            num_threads=1,
        )
        made.allocate_tensors()
        wanted = _answers(made, graph, inputs)
    except (RuntimeError, ValueError) as error:
        return Agreement(0, count, 0, " ".join(str(error).split())[:120])
    got = run(graph, inputs).reshape(count, -1)
    equal = sum(bool(np.array_equal(one, other)) for one, other in zip(got, wanted))
    return Agreement(equal, count, int(np.abs(got.astype(int) - wanted.astype(int)).max(initial=0)))


def accepted(content: bytes) -> bytes:
    """The model without what tflite_runtime 2.14 refuses although it would compute it.

    TILE of version 3, which only adds types; and one-dimensional biases whose scales are said to lie along the filter's
    dimension, as converters of 2019 and 2020 wrote it.
    """
    changed, model = bytearray(content), tflite.Model.GetRootAs(content, 0)
    for code in (model.OperatorCodes(number) for number in range(model.OperatorCodesLength())):
        place = code._tab.Offset(_VERSION)
        if place and code.BuiltinCode() == tflite.BuiltinOperator.TILE:
            struct.pack_into("<i", changed, place + code._tab.Pos, min(code.Version(), 2))
    graph = model.Subgraphs(0)
    for tensor in (graph.Tensors(number) for number in range(graph.TensorsLength())):
        quantization = tensor.Quantization()
        place = 0 if quantization is None else quantization._tab.Offset(_DIMENSION)
        if place and tensor.ShapeLength() == 1:
            struct.pack_into("<i", changed, place + quantization._tab.Pos, 0)
    return bytes(changed)


def _answers(made: Any, graph: Graph, inputs: Int8Array) -> npt.NDArray[Any]:
    """What the interpreter makes of int8 inputs, side by side: borders are passed as the caller would do it."""
    given = made.get_input_details()
    asked = [detail for detail in made.get_output_details() if detail["name"] not in graph.constant_outputs]
    ends = np.cumsum([tensor.elements for tensor in graph.inputs])[:-1]
    found = []
    for row in inputs.reshape(len(inputs), -1):
        for detail, tensor, values in zip(given, graph.inputs, np.split(row, ends)):
            made.set_tensor(detail["index"], _outer(values, tensor, detail).reshape(detail["shape"]))
        made.invoke()
        parts = [_inner(_answer(made, detail, tensor), tensor) for detail, tensor in zip(asked, graph.outputs)]
        found.append(np.concatenate(parts))
    return np.stack(found)


def _outer(values: Int8Array, tensor: Tensor, detail: Any) -> npt.NDArray[Any]:
    """int8 values as the file's input wants them."""
    kind = detail["dtype"]
    if kind == np.int8:
        return values
    if kind == np.uint8:
        return values.view(np.uint8) ^ np.uint8(0x80)
    real = (np.float32(tensor.scale) * (values.astype(np.int32) - tensor.zero_point)).astype(np.float32)
    if kind == np.float32:
        return real
    scale, zero_point = detail["quantization"]
    whole = np.rint(real.astype(np.float64) / scale) + zero_point
    limits = np.iinfo(kind)
    clipped: npt.NDArray[Any] = np.clip(whole, limits.min, limits.max).astype(kind)
    return clipped


def _answer(made: Any, detail: Any, tensor: Tensor) -> npt.NDArray[Any]:
    """An output; of one that is only rescaled at the border, what is rescaled."""
    rescaled = tensor.element not in ("int8", np.dtype(detail["dtype"]).name)
    answer: npt.NDArray[Any] = made.get_tensor(tensor.index if rescaled else detail["index"])
    return answer


def _inner(answer: npt.NDArray[Any], tensor: Tensor) -> npt.NDArray[Any]:
    """The file's output as the int8 numbers that the network gives."""
    flat = answer.reshape(-1)
    if answer.dtype == np.int8:
        return flat
    if answer.dtype == np.uint8:
        return flat.astype(int) - 128
    if answer.dtype == np.float32:
        whole: npt.NDArray[Any] = np.rint(flat / np.float32(tensor.scale)).astype(int) + tensor.zero_point
        return whole
    return np.frombuffer(flat.tobytes(), np.int8)


def verdict(path: Path, count: int) -> str:
    """One line about a file."""
    try:
        graph = read_graph(path)
    except ApproxError as error:
        return "refused: " + " ".join(str(error).split())
    return f"read; {agreement(path.read_bytes(), graph, count).text}"


def main(argv: Sequence[str] | None = None) -> int:
    """0, whatever is found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--inputs", type=int, default=20)
    parser.add_argument("--width", type=int, default=400, help="columns after which a line is cut")
    options = parser.parse_args(argv)
    for path in sorted(options.folder.rglob("*.tflite")):
        print(f"{path.relative_to(options.folder)}: {verdict(path, options.inputs)}"[: options.width], flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
