"""The verb `explore`: the live front, its files, an interruption that is made up for, and a project from a point."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from digits_project import spec, tree, write_spec

from approx_plugin.cli import main
from approx_plugin.errors import SpecError
from approx_plugin.exploration.front import Point
from approx_plugin.exploration.measurement import silent
from approx_plugin.exploring import explore
from approx_plugin.pipeline.designed import design
from approx_plugin.pipeline.inputs import read
from approx_plugin.request import Request
from approx_plugin.spec.order import Order

SEARCH = {"seed": 1, "evaluations": 12, "confidence": "point"}


def order(folder: Path, **request: Any) -> Order:
    return Order.of(Request(spec=folder / "approx.yaml", **request))


@pytest.fixture(scope="module")
def explored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The folder, and what was said."""
    folder = tmp_path_factory.mktemp("explored")
    write_spec(folder, spec(method="reconstruction", search=SEARCH))
    said: list[str] = []
    said.append(explore(order(folder), said.append, silent).text)
    return folder, said


def front(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "out_front" / "front.json").read_text(encoding="utf-8"))
    return content


def test_the_front_is_told_as_it_grows_and_left_with_a_design_for_every_point(
    explored: tuple[Path, list[str]],
) -> None:
    folder, said = explored
    found = front(folder)
    told = {int(line.split(":")[0].split()[1]) for line in said if line.startswith("point ")}
    numbers = [point["design"] for point in found["points"]]
    assert len(numbers) > 2 and set(numbers) <= told and 0 in told
    assert found["complete"] and found["chosen"] in numbers and found["measured"] <= 12
    cycles = [point["cycles"] for point in found["points"]]
    assert cycles == sorted(cycles) and found["exact"]["cycles"] >= cycles[-1]
    recipes = {path.name for path in (folder / "out_front").glob("point_*.json")}
    assert recipes == {point["recipe"] for point in found["points"]}
    picture = ElementTree.parse(folder / "out_front" / "front.svg")
    assert len(picture.findall(".//{http://www.w3.org/2000/svg}circle")) > len(numbers)
    assert re.search(r"target is met|NOTHING IS APPROXIMATED", "\n".join(said))


def test_a_point_s_design_is_the_one_that_was_measured(explored: tuple[Path, list[str]]) -> None:
    folder, _ = explored
    point = front(folder)["points"][0]
    inputs = read(order(folder, point=point["design"]))
    assert inputs.design is not None and f"point {point['design']} of the front" in inputs.method
    made = design(inputs, folder / "memo", 1)
    assert {str(c.layer): c.level for c in made.candidates} == point["levels"]
    assert inputs.plans.total(made.candidates).cycles == point["cycles"]
    assert inputs.plans.total(made.candidates).macs == point["macs_kept"]


def test_a_project_is_generated_from_a_point(
    explored: tuple[Path, list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, _ = explored
    point = front(folder)["points"][0]
    assert main(["--spec", str(folder / "approx.yaml"), "--point", str(point["design"])]) == 0
    made = json.loads((folder / "out" / "design.json").read_text(encoding="utf-8"))
    assert made["measured"][0]["cycles"] == point["cycles"]
    assert "is up to date" not in capsys.readouterr().out
    assert main(["--spec", str(folder / "approx.yaml"), "--point", str(point["design"])]) == 0
    assert "is up to date" in capsys.readouterr().out


def test_an_interrupted_search_leaves_its_front_and_goes_on(explored: tuple[Path, list[str]], tmp_path: Path) -> None:
    folder, _ = explored
    write_spec(tmp_path, spec(method="reconstruction", search=SEARCH))

    def interrupting(done: int, total: int, best: Point | None) -> None:
        if done >= 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        explore(order(tmp_path), lambda _: None, interrupting)
    first = front(tmp_path)
    assert not first["complete"] and first["chosen"] is None and first["points"]
    explore(order(tmp_path), lambda _: None, silent)
    assert tree(tmp_path / "out_front") == tree(folder / "out_front")


def test_what_is_not_there_is_said(tmp_path: Path, explored: tuple[Path, list[str]]) -> None:
    write_spec(tmp_path, spec(method="none", target=None, search=None))
    with pytest.raises(SpecError, match="nothing to explore"):
        explore(order(tmp_path), lambda _: None, silent)
    with pytest.raises(SpecError, match="there is no point 3") as caught:
        order(tmp_path, point=3)
    assert "explore" in str(caught.value)
    with pytest.raises(SpecError, match="there is no point 999") as caught:
        order(explored[0], point=999)
    assert "the front has" in str(caught.value)
