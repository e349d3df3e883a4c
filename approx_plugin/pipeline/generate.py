"""The whole way in one function: read, designed, lowered, built, reported, written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from approx_plugin import digest
from approx_plugin.build.build import BuildResult
from approx_plugin.build.images import outputs
from approx_plugin.exploration.choice import Choice
from approx_plugin.exploration.design_file import FILE_NAME, design_text
from approx_plugin.exploration.measurement import Progress, silent
from approx_plugin.exploration.pricing import Price
from approx_plugin.exploration.remedies import Subject as RemedySubject
from approx_plugin.exploration.remedies import remedies
from approx_plugin.files import sha256_of
from approx_plugin.kernels.needs import NOTHING
from approx_plugin.kernels.registry import BASELINE
from approx_plugin.merging.moving import Measured, measure, move_in, wish_of
from approx_plugin.pipeline.designed import REPORT, Designed, design, exact_shortages, outlook
from approx_plugin.pipeline.inputs import Inputs, read
from approx_plugin.pipeline.linked import linked, vectors_of
from approx_plugin.pipeline.lowered import Lowered, lower_design
from approx_plugin.pipeline.saying import Say
from approx_plugin.project.writer import WriteResult, write
from approx_plugin.report.compose import Made, Rivals, Subject, compose, totals_of
from approx_plugin.report.data import DataUse, Report
from approx_plugin.report.document import as_json
from approx_plugin.report.page import html_text
from approx_plugin.report.text import render
from approx_plugin.spec.order import Order
from approx_plugin.vectors import save as save_vectors
from approx_plugin.workplace import Workplace


@dataclass(frozen=True, eq=False)
class Generated:
    """directory: the project; written: what changed there; built: None where no compiler was found."""

    directory: Path
    written: WriteResult
    built: BuildResult | None
    report: Report


def generate(order: Order, say: Say, progress: Progress = silent) -> Generated:
    """Make the project and its report. A rerun with the same inputs writes nothing."""
    inputs = read(order)
    request, spec, graph = order.request, order.spec, inputs.graph
    stamp = digest.of_inputs(request, spec)
    place = Workplace.of(spec.file, spec.project.name, inputs.directory)
    place.prepare()
    say(f"{graph.name}: {len(graph.operators)} layers, {graph.macs:,} MACs; {inputs.board.name}")
    workers, before = request.workers, Measured(NOTHING, None)
    if inputs.host is not None:
        before = measure(inputs.host, place, workers, say)
        inputs = replace(inputs, left=before.left)
    warning = outlook(inputs)
    if warning is not None:
        say(f"warning: {warning}")
    designed = design(inputs, place.evaluations, request.workers or spec.search.workers, progress)
    if designed.exploration:
        say(designed.exploration.message)
    # The vectors take long for large inputs: whether the network fits comes first.
    lower_design(inputs, designed)
    vectors = vectors_of(inputs, designed.graph)
    if len(vectors) < max(spec.verify_images, spec.project.test_vectors):
        say(f"only {len(vectors)} test vectors: the confirmation set holds no more")
    made = linked(inputs, designed, vectors, place, say)
    inputs, lowered, provider, built = made.inputs, made.lowered, made.provider, made.built
    program = lowered.program
    report = compose(
        Subject(spec, inputs.board, graph, inputs.platform.model.origin, inputs.room.budgets, inputs.market.preferred),
        Made(
            program=program,
            candidates=designed.candidates,
            considered=lowered.considered,
            notes=lowered.notes,
            exact=totals_of(inputs.plans.choice(()), [error.what for error in exact_shortages(inputs)]),
            method=inputs.method,
            exploration=designed.exploration,
            accuracy=designed.accuracy,
            provider=provider,
            built=built,
            rivals=_rivals(inputs),
            significances=designed.significances,
            remedies=_remedies(inputs, lowered.choice),
            data=tuple(_data(inputs)),
        ),
    )
    texts = {
        "report.txt": render(report),
        "report.html": html_text(report),
        REPORT: json.dumps(as_json(report), indent=2, ensure_ascii=False) + "\n",
        **_design_file(inputs, designed, lowered, report),
    }
    files = {**made.files(texts), **(outputs(built) if built else {})}
    written = write(files, inputs.directory, request.force)
    save_vectors(place, vectors)
    if inputs.host is not None:
        wish = wish_of(inputs.host, program, provider, spec.project.name, say)
        move_in(inputs.host, wish, before, place, force=request.force, dry=request.dry, workers=workers, say=say)
    digest.save_stamp(place.stamp, stamp, inputs.directory)
    return Generated(inputs.directory, written, built, report)


def _rivals(inputs: Inputs) -> Rivals:
    """What the exact network costs layer by layer, with the library and with the kernels that were chosen for it."""
    plans = inputs.plans
    library = {}
    for index, offers in plans.offers.considered.items():
        baseline = offers.get(BASELINE)
        library[index] = baseline.cost.cycles if baseline else min(offer.cost.cycles for offer in offers.values())
    return Rivals(library, {offer.last: offer.cost.cycles for offer in plans.choice(()).steps})


def _remedies(inputs: Inputs, choice: Choice) -> tuple[str, ...]:
    """What would keep to the target's costs where the network does not."""
    price = Price(choice.cycles, 0, choice.flash_bytes, choice.memory.size)
    if inputs.limits.met(price):
        return ()
    return remedies(RemedySubject(inputs.spec, inputs.board, inputs.graph, inputs.plans, inputs.market))


def _data(inputs: Inputs) -> Iterator[DataUse]:
    """The sets of images that were used."""
    if inputs.data is not None and inputs.spec.data is not None:
        for name, source in inputs.spec.data.sources.items():
            images = len(getattr(inputs.data, name))
            yield DataUse(name, source.file.name, images, sha256_of(source.file).hex())


def _design_file(inputs: Inputs, designed: Designed, lowered: Lowered, report: Report) -> dict[str, str]:
    """The file from which the same network comes again: as it was given, or of what the search has found."""
    if inputs.design:
        return {FILE_NAME: inputs.design.content.decode("utf-8")}
    found = designed.exploration
    if found is None:
        return {}
    return {FILE_NAME: design_text(inputs.spec, inputs.graph, lowered.choice, report.method, report.target, found)}
