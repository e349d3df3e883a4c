"""TensorFlow Lite's reference kernels as an oracle: any tensor of a .tflite, one inference at a time.

`experimental_preserve_all_tensors` of tflite_runtime 2.14 does not keep the input of an in-place ADD, so any other
tensor is read by making it the output: the number in the file's vector of outputs is overwritten.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tflite


def interpreter(content: bytes, tensor: int | None = None, *, reference: bool = True) -> Any:
    """An interpreter with the reference kernels whose output is `tensor` (None: the model's own output).

    reference: False for the optimised kernels, for an operator that the set of reference kernels does not have.
    """
    runtime = pytest.importorskip("tflite_runtime.interpreter", reason="needs tflite_runtime for the cross-check")
    if tensor is not None:
        content = with_output(content, tensor)
    resolvers = runtime.OpResolverType
    kernels = resolvers.BUILTIN_REF if reference else resolvers.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    made = runtime.Interpreter(model_content=content, experimental_op_resolver_type=kernels, num_threads=1)
    made.allocate_tensors()
    return made


def sequence(content: bytes, inputs: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    """Networks with several int8 inputs or outputs, or with states: one inference after the other.

    inputs: int8 [count, elements of all inputs]; int8 [count, elements of all outputs].
    """
    made = interpreter(content)
    order = sorted(made.get_input_details(), key=lambda detail: _place(content, detail["index"]))
    ends = np.cumsum([int(np.prod(detail["shape"])) for detail in order])
    found = []
    for row in inputs.reshape(len(inputs), -1):
        for detail, values in zip(order, np.split(row, ends[:-1])):
            made.set_tensor(detail["index"], values.reshape(detail["shape"]))
        made.invoke()
        subgraph = tflite.Model.GetRootAs(content, 0).Subgraphs(0)
        results = [made.get_tensor(int(index)) for index in subgraph.OutputsAsNumpy()]
        found.append(np.concatenate([result.reshape(-1) for result in results]))
    return np.stack(found)


def _place(content: bytes, index: int) -> int:
    return int(tflite.Model.GetRootAs(content, 0).Subgraphs(0).InputsAsNumpy().tolist().index(index))


def with_output(content: bytes, tensor: int) -> bytes:
    """`content` with `tensor` as the first output of the first subgraph."""
    table = tflite.Model.GetRootAs(content, 0).Subgraphs(0)._tab
    outputs_field = 8  # Third field of the SubGraph table: 4 bytes of header, 2 bytes a field.
    position = table.Vector(table.Offset(outputs_field))
    changed = bytearray(content)
    struct.pack_into("<i", changed, position, tensor)
    return bytes(changed)


def outputs(
    content: bytes, inputs: npt.NDArray[Any], tensor: int | None = None, *, reference: bool = True
) -> npt.NDArray[Any]:
    """[count, ...] of inputs [count, ...], fed one at a time in the input's own type; else as `interpreter`."""
    made = interpreter(content, tensor, reference=reference)
    (source,), (result,) = made.get_input_details(), made.get_output_details()
    found = []
    for values in inputs:
        made.set_tensor(source["index"], values[np.newaxis].reshape(source["shape"]))
        made.invoke()
        answer = made.get_tensor(result["index"])
        found.append(answer[0] if answer.ndim else answer)
    return np.stack(found)
