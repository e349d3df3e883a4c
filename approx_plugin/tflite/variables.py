"""Streaming networks: VAR_HANDLE, READ_VARIABLE, ASSIGN_VARIABLE and CALL_ONCE become states.

A variable that is read before anything is assigned to it holds what the last inference has left. Its first reading is
the state's source; what stands in it at the end is the next value. Readings behind an assignment are the assigned
tensor itself. The first values come from the subgraph that CALL_ONCE names: VAR_HANDLE and ASSIGN_VARIABLE of
constants.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from approx_plugin.errors import ModelError
from approx_plugin.tflite.file import FileGraph, FileModel, FileOperator, FileTensor

_KINDS = frozenset({"CALL_ONCE", "VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE"})

_HINT = "export a streaming model whose states are int8 variables that are set to constants at the start"


@dataclass(frozen=True, eq=False)
class FileState:
    """A variable: the tensors that hold its value at an inference's beginning and end, and the first value.

    initial: its bytes as they lie in memory.
    """

    name: str
    source: int
    result: int
    initial: bytes


@dataclass(frozen=True, eq=False)
class Streaming:
    """The model without operators on variables; its states; what stands against that."""

    file: FileModel
    states: tuple[FileState, ...]
    errors: tuple[ModelError, ...]


class _UnclearError(Exception):
    """Variables that are used in a way that is not understood."""


def without_variables(file: FileModel, where: str) -> Streaming:
    """The model with its variables as states. One without variables comes back as it is."""
    if not any(operator.builtin in _KINDS for operator in file.operators):
        return Streaming(file, (), ())
    try:
        initial, started = _initial_values(file)
        return _Walk(file, initial, started).result()
    except _UnclearError as error:
        told = ModelError(f"the model has variables: {error}", where=where, why="states are read as int8", hint=_HINT)
        kept = tuple(operator for operator in file.operators if operator.builtin not in _KINDS)
        handed = {o.outputs[0] for o in file.operators if o.builtin in _KINDS and o.outputs}
        left = replace(file, operators=kept, subgraphs=1, provided=tuple(sorted(handed)))
        return Streaming(left, (), (told,))


def _initial_values(file: FileModel) -> tuple[Mapping[str, FileTensor], int]:
    """What CALL_ONCE sets variables to, by their names; and how many subgraphs that takes."""
    found: dict[str, FileTensor] = {}
    numbers = sorted({_number(o) for o in file.operators if o.builtin == "CALL_ONCE"})
    for number in numbers:
        if not 1 <= number <= len(file.others):
            raise _UnclearError(f"CALL_ONCE names subgraph {number} of {1 + len(file.others)}")
        graph = file.others[number - 1]
        handles: dict[int, str] = {}
        for operator in graph.operators:
            if operator.builtin == "VAR_HANDLE":
                handles[operator.outputs[0]] = _name(operator)
            elif operator.builtin == "ASSIGN_VARIABLE" and len(operator.inputs) == 2:
                handle, value = operator.inputs
                if handle not in handles or not _holds_constant(graph, value):
                    raise _UnclearError("the subgraph that sets them does not assign constants")
                found[handles[handle]] = graph.tensors[value]
            else:
                raise _UnclearError(f"the subgraph that sets them computes {operator.builtin}")
    return found, len(numbers)


def _holds_constant(graph: FileGraph, number: int) -> bool:
    return 0 <= number < len(graph.tensors) and graph.tensors[number].data is not None


def _number(operator: FileOperator) -> int:
    return int(operator.options.get("InitSubgraphIndex", 0))


def _name(operator: FileOperator) -> str:
    return f"{operator.texts.get('Container', '')}/{operator.texts.get('SharedName', '')}"


class _Walk:
    """Follows the operators and keeps track of what each variable holds."""

    def __init__(self, file: FileModel, initial: Mapping[str, FileTensor], started: int) -> None:
        self._file, self._initial, self._started = file, initial, started
        self._handles: dict[int, str] = {}
        self._sources: dict[str, int] = {}
        self._holds: dict[str, int] = {}
        self._same: dict[int, int] = {}

    def result(self) -> Streaming:
        kept = [left for operator in self._file.operators for left in self._left(operator)]
        states = tuple(self._state(name, source) for name, source in self._sources.items())
        outputs = tuple(self._same.get(number, number) for number in self._file.outputs)
        changed = replace(
            self._file,
            operators=tuple(kept),
            outputs=outputs,
            subgraphs=self._file.subgraphs - self._started,
            provided=tuple(sorted(self._sources.values())),
        )
        _check_order(states)
        return Streaming(changed, states, ())

    def _left(self, operator: FileOperator) -> Sequence[FileOperator]:
        """What is left of an operator."""
        if operator.builtin == "CALL_ONCE":
            return ()
        if operator.builtin == "VAR_HANDLE":
            self._handles[operator.outputs[0]] = _name(operator)
            return ()
        if operator.builtin == "READ_VARIABLE":
            self._read(self._variable(operator), operator.outputs[0])
            return ()
        if operator.builtin == "ASSIGN_VARIABLE" and len(operator.inputs) == 2:
            value = operator.inputs[1]
            self._holds[self._variable(operator)] = self._same.get(value, value)
            return ()
        return (replace(operator, inputs=tuple(self._same.get(number, number) for number in operator.inputs)),)

    def _variable(self, operator: FileOperator) -> str:
        if not operator.inputs or operator.inputs[0] not in self._handles:
            raise _UnclearError(f"{operator.builtin} does not say which variable it means")
        return self._handles[operator.inputs[0]]

    def _read(self, name: str, number: int) -> None:
        if name in self._holds:
            self._same[number] = self._holds[name]
        else:
            self._sources[name] = self._holds[name] = number

    def _state(self, name: str, source: int) -> FileState:
        tensor, first, last = self._file.tensors[source], self._initial.get(name), self._holds[name]
        if first is None or first.data is None:
            raise _UnclearError(f'"{tensor.name}" has no first value')
        written = self._file.tensors[last]
        size = int(np.prod(tensor.shape, dtype=np.int64))
        same = all(t.dtype == tensor.dtype and t.shape == tensor.shape for t in (first, written))
        if tensor.dtype != "int8" or not same or first.data.size != size:
            raise _UnclearError(f'"{tensor.name}" is {tensor.dtype} {list(tensor.shape)}')
        if tensor.quantization != written.quantization:
            raise _UnclearError(f'"{tensor.name}" is read and written with different scales')
        return FileState(name.lstrip("/") or tensor.name, source, last, first.data.tobytes())


def _check_order(states: Sequence[FileState]) -> None:
    """Refuses states that exchange their values: no order of copies does that."""
    following = {state.source: state.result for state in states if state.result != state.source}
    for start, first in following.items():
        current: int | None = first
        for _ in following:
            if current == start:
                raise _UnclearError("two of them exchange their values")
            current = None if current is None else following.get(current)
