"""Which .tflite files of a folder are read, and whether the integer reference equals TensorFlow Lite's.

    python -m tests.check_models DIR [--inputs 20]

Needs tflite_runtime. One line for each file: what it lacks, or how many of the outputs for random inputs are equal.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from approx_plugin.errors import ApproxError
from approx_plugin.model.graph import Graph
from approx_plugin.reference.executor import run
from approx_plugin.tflite.reader import read_graph


def expected(content: bytes, graph: Graph, inputs: Any) -> Any:
    """What the reference kernels make of int8 `inputs`, int8 as well: borders are passed as the caller would do it."""
    import tflite_oracle

    made = tflite_oracle.interpreter(content)
    (source,), (result,) = made.get_input_details(), made.get_output_details()
    border, found = graph.input_tensor, []
    for values in inputs:
        given: Any = values
        if source["dtype"] == np.float32:
            given = (np.float32(border.scale) * (values.astype(np.int32) - border.zero_point)).astype(np.float32)
        elif source["dtype"] == np.uint8:
            given = values.view(np.uint8) ^ 0x80
        made.set_tensor(source["index"], given.reshape(source["shape"]))
        made.invoke()
        answer = made.get_tensor(result["index"])
        if answer.dtype == np.float32:
            outer = graph.output_tensor
            answer = np.rint(answer / np.float32(outer.scale)).astype(int) + outer.zero_point
        elif answer.dtype == np.uint8:
            answer = answer.astype(int) - 128
        found.append(np.asarray(answer, dtype=np.int8).reshape(graph.output_tensor.shape[1:]))
    return np.stack(found)


def verdict(path: Path, count: int) -> str:
    """One line about a file."""
    try:
        graph = read_graph(path)
    except ApproxError as error:
        return "refused: " + " ".join(str(error).split())
    rng = np.random.default_rng(7)
    inputs = rng.integers(-128, 128, (count, *graph.input_tensor.shape[1:]), dtype=np.int8)
    try:
        wanted = expected(path.read_bytes(), graph, inputs)
    except (ValueError, RuntimeError) as error:
        return f"read; tflite_runtime refuses it: {' '.join(str(error).split())[:120]}"
    got = run(graph, inputs)
    equal = sum(bool(np.array_equal(one, other)) for one, other in zip(got, wanted))
    off = int(np.abs(got.astype(int) - wanted.astype(int)).max())
    return f"read; {equal} of {count} outputs equal" + (f", others off by up to {off}" if off else "")


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--inputs", type=int, default=20)
    parser.add_argument("--width", type=int, default=400, help="columns after which a line is cut")
    arguments = parser.parse_args()
    for path in sorted(arguments.folder.rglob("*.tflite")):
        line = f"{path.relative_to(arguments.folder)}: {verdict(path, arguments.inputs)}"
        print(line[: arguments.width], flush=True)


if __name__ == "__main__":
    main()
