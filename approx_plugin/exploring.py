"""The verb `explore`: a search whose front is shown as it grows and left beside the project.

front.json has the figures of every point of the front, front.svg a picture of it, and point_K.json the design of the
point with the number K: with `point=K` the project is generated from it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from approx_plugin import __version__
from approx_plugin.errors import SpecError
from approx_plugin.exploration.design import Design
from approx_plugin.exploration.design_file import measured, recipe_text
from approx_plugin.exploration.front import Front, Point
from approx_plugin.exploration.front_picture import svg_text
from approx_plugin.exploration.measurement import Progress, silent
from approx_plugin.pipeline.designed import Designed, design, outlook
from approx_plugin.pipeline.inputs import Inputs, read
from approx_plugin.pipeline.saying import Say
from approx_plugin.project.writer import write
from approx_plugin.spec.order import Order, front_folder, recipe_name
from approx_plugin.workplace import Workplace

FORMAT = 1
"""Version of front.json."""


class LiveFront:
    """What has been measured so far: a line for each point that joins the front. Also a `Watch`."""

    def __init__(self, say: Say) -> None:
        """Nothing yet."""
        self._say = say
        self.designs: list[Design] = []

    def __call__(self, design: Design) -> None:
        """See `exploration.measurement.Watch`."""
        self.designs.append(design)
        point = design.point
        if point in self.front.points:
            exact = self.designs[0].point
            cycles = f"{point.cycles:,.0f} cycles (estimated, {100 * (point.cycles / exact.cycles - 1):+.1f} %)"
            lost = point.accuracy - exact.accuracy
            number = len(self.designs) - 1
            self._say(f"point {number}: {point.accuracy:.2f} % ({lost:+.2f}), {cycles}, {point.flash_bytes:,} B flash")

    @property
    def front(self) -> Front:
        """Of all that was measured."""
        return Front.of(one.point for one in self.designs)

    def numbered(self) -> Iterator[tuple[int, Design]]:
        """The front's designs with their numbers, by ascending cycles."""
        places: dict[Point, int] = {}
        for number, one in enumerate(self.designs):
            places.setdefault(one.point, number)
        for point in self.front.points:
            yield places[point], self.designs[places[point]]


@dataclass(frozen=True, eq=False)
class Explored:
    """text: what to tell; document: front.json."""

    text: str
    document: Mapping[str, Any]


def explore(order: Order, say: Say, progress: Progress = silent) -> Explored:
    """Search and leave the front. An interrupted search leaves what it has found; run again, it goes on from there.

    Raises what `pipeline.design` raises, and SpecError where there is nothing to search.
    """
    inputs = read(order)
    spec = order.spec
    if inputs.design or spec.method.name == "none":
        raise SpecError(
            "there is nothing to explore",
            where=spec.where("design" if inputs.design else "method"),
            why="the design is given" if inputs.design else "the method is none",
            hint="name a method such as `method: reconstruction`",
        )
    place = Workplace.of(spec.file, spec.project.name, inputs.directory)
    place.prepare()
    warning = outlook(inputs)
    if warning is not None:
        say(f"warning: {warning}")
    live = LiveFront(say)
    try:
        designed = design(inputs, place.evaluations, order.request.workers or spec.search.workers, progress, live)
    except KeyboardInterrupt:
        _save(inputs, live, None)
        raise
    assert designed.exploration is not None
    document = _save(inputs, live, designed)
    count = len(live.front.points)
    where = f"{front_folder(inputs.directory)}: front.json, front.svg, and the designs of {count} points"
    return Explored(f"{designed.exploration.message}\n{where}; point=K takes one of them", document)


def _save(inputs: Inputs, live: LiveFront, designed: Designed | None) -> Mapping[str, Any]:
    """Write the files; those of an earlier search are replaced. Same search, same bytes."""
    if not live.designs:
        return {}
    spec, graph = inputs.spec, inputs.graph
    texts: dict[str, str] = {}
    entries = []
    for number, one in live.numbered():
        choice = inputs.plans.choice(one.candidates)
        texts[recipe_name(number)] = recipe_text(spec, graph, choice, inputs.method, one, number)
        entries.append({**measured(number, one.point), "recipe": recipe_name(number)})
    found = designed.exploration if designed else None
    chosen = None if found is None else next(n for n, d in enumerate(live.designs) if d.point == found.chosen.point)
    head: dict[str, Any] = {
        "format": FORMAT,
        "tool": __version__,
        "model": {"file": spec.model.name, "sha256": graph.sha256},
        "board": inputs.board.id,
        "method": inputs.method,
        "complete": designed is not None,
        "measured": len(live.designs),
        "chosen": chosen,
        "cycles": "estimated",
        "exact": measured(0, live.designs[0].point),
        "points": entries,
    }
    texts["front.json"] = json.dumps(head, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    points = [one.point for one in live.designs]
    texts["front.svg"] = svg_text(points, live.front, None if chosen is None else points[chosen])
    write({name: text.encode() for name, text in texts.items()}, front_folder(inputs.directory), force=True)
    return head
