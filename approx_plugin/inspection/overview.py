"""What a file holds when it is only decoded: also of a model that is refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from approx_plugin.documents.wording import counted
from approx_plugin.operators.registry import OPERATORS
from approx_plugin.tflite.file import FileModel, FileTensor

_ELSEWHERE = frozenset(
    {"QUANTIZE", "DEQUANTIZE", "SHAPE", "CALL_ONCE", "VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE"}
)
"""Kinds that are read although they are no operators of the network."""


def overview(file: FileModel) -> Iterator[str]:
    """Lines: borders, operators by kind, types of the activations, size of the constants."""
    for way, numbers in (("input", file.inputs), ("output", file.outputs)):
        for place, number in enumerate(numbers, 1):
            yield f"{way} {place}/{len(numbers)}: {_border(file.tensors[number])}"
    kinds = Counter(operator.builtin for operator in file.operators)
    listed = [f"{count} {kind}{'' if _is_known(kind) else ' (not supported)'}" for kind, count in sorted(kinds.items())]
    yield f"{counted(len(file.operators), 'operator')}: {', '.join(listed)}"
    used = {number for operator in file.operators for number in (*operator.inputs, *operator.outputs) if number >= 0}
    activations = Counter(file.tensors[n].dtype for n in used if file.tensors[n].data is None)
    yield "activations: " + ", ".join(f"{count} {kind}" for kind, count in sorted(activations.items()))
    constants = Counter[str]()
    for number in used:
        tensor = file.tensors[number]
        if tensor.data is not None:
            constants[tensor.dtype] += tensor.data.size
    yield "constants: " + (", ".join(f"{size:,} bytes of {kind}" for kind, size in sorted(constants.items())) or "none")


def _is_known(kind: str) -> bool:
    return kind in OPERATORS or kind in _ELSEWHERE


def _border(tensor: FileTensor) -> str:
    shape = "x".join(map(str, tensor.shape)) or "scalar"
    quantization = tensor.quantization
    scale = ""
    if quantization is not None and len(quantization.scale) == 1:
        scale = f", real = {quantization.scale[0]:.6g} * (q - {quantization.zero_point[0]})"
    return f'"{tensor.name}" {tensor.dtype} {shape}{scale}'
