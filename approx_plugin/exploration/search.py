"""The search for the cheapest design that fits the board and meets the target.

Designs are measured on the exploration set (`explorer.py`), each of them a point for the front; the last word has the
confirmation set, which the search does not see (`confirmation.py`). Neither depends on how many evaluations are allowed
beyond the question how far the search gets: where no confidence is asked for, more of them never end in a slower
design.
"""

from __future__ import annotations

from collections.abc import Sequence

from approx_plugin.approximation.options import Options
from approx_plugin.exploration.comparison import compare
from approx_plugin.exploration.confirmation import Look, confirm
from approx_plugin.exploration.descent import Descent, Sensitivity
from approx_plugin.exploration.design import Design
from approx_plugin.exploration.evaluation import Evaluate
from approx_plugin.exploration.explorer import Explorer
from approx_plugin.exploration.front import Front
from approx_plugin.exploration.goal import Goal
from approx_plugin.exploration.measurement import BudgetSpent, Notebook, Progress, Watch, silent, unwatched
from approx_plugin.exploration.pricing import Pricing
from approx_plugin.exploration.promise import Outlook, Promise
from approx_plugin.exploration.result import Exploration, NothingMeetsTheTarget
from approx_plugin.spec.spec import Search, Target


def explore(
    options: Options,
    prices: Pricing,
    on_exploration: Evaluate,
    on_confirmation: Evaluate,
    target: Target,
    search: Search,
    progress: Progress = silent,
    sensitivity: Sensitivity | None = None,
    watch: Watch = unwatched,
) -> Exploration:
    """Search on one set, confirm on another. The same arguments give the same result; without a confidence, a larger
    `search.evaluations` never gives one that takes more cycles.

    sensitivity: what can be known of designs without labels; with it, and where the exact network fits, the search goes
    by that (`descent.py`), else by accuracy alone. watch: told of every design that is measured.
    Uses all of `search` but the workers; at least 1 evaluation, the exact network counts as one. Raises
    SearchInterrupted, and NothingMeetsTheTarget where not even the exact network can be used.
    """
    if search.evaluations < 1:
        raise ValueError("a search needs at least one evaluation")
    notebook = Notebook(on_exploration, prices, search.evaluations, progress, watch)
    exact, exact_fits = notebook.reference(), prices.total(()).fits
    goal = Goal.on(target, exact.point.accuracy)
    (exact_confirmed,) = on_confirmation([()])
    promise = Promise(target, exact_confirmed, search.confidence)
    outlook = Outlook(target, search.confidence, promise.images)
    ended = True
    if goal.allowed >= 0 or not exact_fits:
        notebook.meets = goal.met
        try:
            if sensitivity and exact_fits:
                Descent(options, prices, notebook, goal, outlook, sensitivity).run()
            else:
                Explorer(options, prices, notebook, goal, outlook, search.seed).run()
        except BudgetSpent:
            ended = False
    designs = notebook.designs
    origin = exact.point.cycles if exact_fits else None

    def hopeful(design: Design) -> bool:
        return outlook.hopeful(notebook.correct(()), notebook.correct(design.candidates))

    found = confirm(designs, ended, origin, goal, promise, on_confirmation, hopeful)
    if found.design is None and not exact_fits:
        raise NothingMeetsTheTarget(_failure(designs, goal, found.looks))
    chosen = found.design or exact
    confirmed = exact_confirmed if found.correct is None else found.correct
    comparison = compare(exact_confirmed, confirmed)
    usable = designs if exact_fits else designs[1:]
    cheaper = any(design.point.cycles < exact.point.cycles for design in usable)
    return Exploration(
        front=Front.of(design.point for design in usable),
        points=tuple(design.point for design in designs),
        intervals=tuple(
            compare(notebook.correct(()), notebook.correct(design.candidates)).interval for design in designs
        ),
        exact_fits=exact_fits,
        chosen=chosen,
        exploration=compare(notebook.correct(()), notebook.correct(chosen.candidates)),
        confirmation=comparison,
        target_met=promise.goal.met(comparison.approximated) if found.design is None else True,
        confidence=search.confidence,
        bound=None if found.correct is None else promise.bound(found.correct),
        looks=found.looks,
        evaluations=notebook.used,
        message=_message(chosen, exact_fits, goal, promise, found.looks, cheaper),
    )


def _message(
    chosen: Design, exact_fits: bool, exploration: Goal, promise: Promise, looks: tuple[Look, ...], anything: bool
) -> str:
    confirmation, sure = promise.goal, promise.confidence
    if chosen.candidates and sure is not None:
        look = [one for one in looks if one.met][-1]
        met = f"The target is met with {sure:g} % confidence: {_certain(look, promise)}."
        return met if exact_fits else f"{met} The exact network does not fit the board."
    if chosen.candidates:
        place = [look.point for look in looks].index(chosen.point) + 1
        which = "the one design" if len(looks) == 1 else f"number {place} of the {len(looks)} designs"
        tried = "was" if len(looks) == 1 else "were"
        met = f"The target is met on the confirmation set by {which} that {tried} tried on it."
        return met if exact_fits else f"{met} The exact network does not fit the board."
    parts = ["NOTHING IS APPROXIMATED: the exact network is used."]
    if exploration.allowed < 0 or confirmation.allowed < 0:
        parts.append("THE TARGET IS NOT MET: even the exact network does not reach the accuracy that was asked for.")
    elif looks:
        tried = "The one design that was tried did not meet"
        several = f"None of the {len(looks)} designs that were tried met"
        certain = "" if sure is None else f" with {sure:g} % confidence: {_certain(looks[0], promise)}"
        parts.append(f"{tried if len(looks) == 1 else several} the target on the confirmation set{certain}.")
    elif anything:
        parts.append("No cheaper design met the target on the exploration set.")
    else:
        parts.append("No design that was measured is cheaper than the exact network.")
    return " ".join(parts)


def _certain(look: Look, promise: Promise) -> str:
    """What is known of a design that was tried, and how many images would have shown more."""
    assert look.bound is not None
    if promise.target.max_accuracy_drop is None:
        said = f"the mildest one has at least {look.bound:.2f} %" if not look.met else f"at least {look.bound:.2f} %"
    else:
        lost = f"{max(0.0, -look.bound):.2f} points"
        said = f"images of this kind lose at most {lost}" if look.met else f"the mildest one may lose {lost}"
    if look.met:
        return said
    needed = look.images_needed
    return f"{said}; about {needed:,} images would be needed to show less" if needed else said


def _failure(designs: Sequence[Design], goal: Goal, looks: tuple[Look, ...]) -> str:
    """What was tried in vain: designs that fit, the exact network at their head."""
    best = max((design.point.accuracy for design in designs[1:]), default=None)
    if best is None:
        return "no design that fits could be measured: one evaluation is the exact network's"
    reached = f"of {len(designs) - 1} designs that fit, the best one reaches {best:.2f} % on the exploration set"
    wanted = f"{goal.required:.2f} % are wanted, and the exact network has {goal.exact:.2f} %"
    if not looks:
        return f"{reached}; {wanted}"
    confirmed = max(look.accuracy for look in looks)
    tried = f"of {len(looks)} that were tried on the confirmation set the best reaches {confirmed:.2f} %"
    return f"{reached}, and {tried}; {wanted}"
