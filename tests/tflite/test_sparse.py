"""Sparse constants: whatever order, blocks and formats they are stored in, the dense array comes back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from approx_plugin.tflite.reader import read_graph
from approx_plugin.tflite.sparse import Compressed, Dense, Level, Sparsity, densified


def stored(array: Any, order: tuple[int, ...], blocks: dict[int, int], compressed: set[int]) -> tuple[Any, Sparsity]:
    """The array as TensorFlow Lite's FormatConverter would lay it out, by brute force over all its elements.

    blocks: dimension -> size, in the order of the further dimensions. compressed: levels that are not dense.
    """
    rank = array.ndim
    split = list(array.shape)
    for dimension, size in blocks.items():
        split[dimension] //= size
    sizes = [*split, *blocks.values()]

    def value(coordinates: dict[int, int]) -> int:
        place = [coordinates[d] for d in range(rank)]
        for number, (dimension, size) in enumerate(blocks.items()):
            place[dimension] = place[dimension] * size + coordinates[rank + number]
        return int(array[tuple(place)])

    def used(fixed: dict[int, int]) -> bool:
        """Whether anything below is not 0."""
        free = [d for d in range(len(sizes)) if d not in fixed]
        return any(value({**fixed, **dict(zip(free, index))}) for index in np.ndindex(*(sizes[d] for d in free)))

    parents: list[dict[int, int]] = [{}]
    levels: list[Level] = []
    for number, dimension in enumerate(order):
        if number not in compressed:
            levels.append(Dense(sizes[dimension]))
            parents = [{**p, dimension: i} for p in parents for i in range(sizes[dimension])]
            continue
        children = [
            [{**p, dimension: i} for i in range(sizes[dimension]) if used({**p, dimension: i})] for p in parents
        ]
        segments = np.cumsum([0, *map(len, children)])
        levels.append(Compressed(segments, np.array([c[dimension] for some in children for c in some], np.int64)))
        parents = [child for some in children for child in some]
    return np.array([value(p) for p in parents], np.int8), Sparsity(order, tuple(blocks), tuple(levels))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.data())
def test_every_way_of_storing(data: st.DataObject) -> None:
    shape = tuple(2 * data.draw(st.integers(1, 3)) for _ in range(data.draw(st.integers(1, 3))))
    cut = data.draw(st.sets(st.integers(0, len(shape) - 1)))
    blocks = dict.fromkeys(sorted(cut), 2)
    order = (*data.draw(st.permutations(range(len(shape)))), *range(len(shape), len(shape) + len(blocks)))
    compressed = data.draw(st.sets(st.integers(0, len(shape) - 1)))
    rng = np.random.default_rng(data.draw(st.integers(0, 999)))
    array = rng.integers(-9, 9, shape, dtype=np.int8) * rng.integers(0, 2, shape, dtype=np.int8)
    values, sparsity = stored(array, order, blocks, compressed)
    np.testing.assert_array_equal(densified(values, shape, sparsity), array)


ROW = Compressed(np.array([0, 1, 3]), np.array([1, 0, 2]))


@pytest.mark.parametrize(
    ("sparsity", "message"),
    [
        (Sparsity((0, 1), (), (Dense(2),)), "order of its dimensions"),
        (Sparsity((0, 2), (), (Dense(2), ROW)), "order of its dimensions"),
        (Sparsity((0, 1, 2), (5,), (Dense(2), ROW, Dense(1))), "dimensions that it does not have"),
        (Sparsity((0, 1, 2), (1,), (Dense(2), Dense(3), Compressed(np.arange(7), np.zeros(6, int)))), "not dense"),
        (Sparsity((0, 1), (), (Dense(3), ROW)), "segments do not fit"),
        (Sparsity((0, 1), (), (Dense(2), Compressed(np.array([0, 2, 9]), ROW.indices))), "do not fit its indices"),
        (Sparsity((0, 1), (), (Dense(2), Compressed(np.array([0, 2, 1]), ROW.indices))), "segments do not fit"),
        (Sparsity((0, 1), (), (Dense(2), Compressed(ROW.segments, np.array([1, 0, 7])))), "values do not fit"),
        (Sparsity((0, 1), (), (Dense(2), Dense(3))), "values do not fit"),
        (Sparsity((0, 1), (), (Dense(0), Dense(3))), "a level of 0 elements"),
    ],
)
def test_nonsense_is_refused(sparsity: Sparsity, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        densified(np.array([1, 2, 3], np.int8), (2, 3), sparsity)


def test_a_public_model_with_sparse_weights(shared: Any) -> None:
    path = shared / "models/public/ee446_lab3_distilled_stripped_sparse_int8.tflite"
    if not path.is_file():
        pytest.skip("needs the public models beside the repository")
    graph = read_graph(path)
    assert [operator.kind for operator in graph.operators] == ["FULLY_CONNECTED"] * 3 + ["SOFTMAX"]
