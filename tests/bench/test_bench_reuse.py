"""A bench after a generation does not search again: it takes the design that the project has."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from digits_project import spec, write_spec

from approx_plugin.bench.variants import APPROXIMATED, VARIANTS, Workshop
from approx_plugin.exploration.measurement import silent
from approx_plugin.pipeline import designed
from approx_plugin.pipeline.designed import made_before
from approx_plugin.pipeline.generate import generate
from approx_plugin.pipeline.inputs import read
from approx_plugin.request import Request
from approx_plugin.spec.order import Order


def test_the_design_of_the_project_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order = Order.of(Request(write_spec(tmp_path, spec(search={"seed": 1, "evaluations": 8, "confidence": "point"}))))
    inputs, lines = read(order), list[str]()
    assert made_before(inputs, order.directory) is None
    generate(order, lines.append)
    place = Workshop(tmp_path / "memo", 1, silent)
    _, searched = VARIANTS[APPROXIMATED].prepare(inputs, place)
    monkeypatch.setattr(designed, "explore", None)
    _, taken = VARIANTS[APPROXIMATED].prepare(inputs, replace(place, made=order.directory, made_for=inputs.board.id))
    assert taken.title == searched.title != "exact"
    assert [(c.layer, c.level) for c in taken.candidates] == [(c.layer, c.level) for c in searched.candidates]
    assert taken.accuracy is not None and searched.accuracy is not None
    assert taken.accuracy.interval == searched.accuracy.interval
    assert (taken.accuracy.exact, taken.accuracy.approximated) == (
        searched.accuracy.exact,
        searched.accuracy.approximated,
    )
    with pytest.raises(TypeError):  # another board's design has to be searched for
        VARIANTS[APPROXIMATED].prepare(inputs, replace(place, made=order.directory, made_for="nucleo-f446re"))
