"""Operators of the file that are not supported: one message that lists all of them."""

from __future__ import annotations

from collections.abc import Sequence

from approx_plugin.errors import ModelError
from approx_plugin.model.node import Node, UnsupportedError
from approx_plugin.model.operator import Operator
from approx_plugin.operators.reading import FULL_INT8_HINT
from approx_plugin.operators.registry import HINTS, OPERATORS, PARTS, operator_name


def refusals(nodes: Sequence[Node], where: str, *, also_read: bool = True) -> tuple[list[Operator], list[ModelError]]:
    """All operators, and one error that lists those that are not supported.

    also_read: whether forms count as well as kinds.
    """
    found: list[Operator] = []
    refused: dict[tuple[str, str, str], list[Node]] = {}
    for index, node in enumerate(nodes):
        try:
            if also_read or node.builtin not in OPERATORS:
                found.append(read_operator(node, index))
        except UnsupportedError as error:
            refused.setdefault((node.builtin, error.reason, error.hint), []).append(node)
    if not refused:
        return found, []
    count = sum(map(len, refused.values()))
    named = [kind for kind in OPERATORS if kind not in PARTS]
    lines = [_listed(some, reason, hint) for (_, reason, hint), some in refused.items()]
    return found, [
        ModelError(
            f"{count} {'operator is' if count == 1 else 'operators are'} not supported in this form:\n"
            + "\n".join(lines),
            where=where,
            why=f"supported are {', '.join(named)}, and QUANTIZE and DEQUANTIZE at the borders",
            hint="change the model as said beside each operator, and export it again",
        )
    ]


def read_operator(node: Node, index: int) -> Operator:
    """The operator of a node, as operator `index` of the graph. Raises UnsupportedError."""
    operator = OPERATORS.get(node.builtin)
    if operator is None:
        raise UnsupportedError("this kind is not supported", _hint(node))
    return operator.read(node, index, operator_name(node.builtin, index))


def _hint(node: Node) -> str:
    if node.builtin == "CUSTOM ethos-u":
        return "the model was compiled for an Ethos-U: give the .tflite from before Vela"
    if node.builtin.startswith("CUSTOM Flex"):
        return (
            "it needs TensorFlow itself: convert with target_spec.supported_ops=[tf.lite.OpsSet.TFLITE_BUILTINS_INT8]"
        )
    if node.builtin == "DEQUANTIZE":
        return "such conversions are supported at the input and output only: " + FULL_INT8_HINT
    return HINTS.get(node.builtin, "replace it by supported operators, or leave it out")


def _listed(nodes: Sequence[Node], reason: str, hint: str) -> str:
    """One line for the nodes that are refused for one reason."""
    first = nodes[0]
    name = first.outputs[0].name if first.outputs else ""
    if len(nodes) == 1:
        return f'    operator {first.index} {first.builtin} "{name}": {reason}; {hint}'
    numbers = ", ".join(str(node.index) for node in nodes)
    return f'    operators {numbers} ({len(nodes)} times) {first.builtin}, the first one "{name}": {reason}; {hint}'
