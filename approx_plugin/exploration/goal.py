"""The target of approx.yaml as accuracies in percent."""

from __future__ import annotations

from dataclasses import dataclass

from approx_plugin.spec.spec import Target

RESERVE_SHARE = 0.2
"""Share of the allowed loss that the search leaves unused, so that other images confirm what it finds."""

RESERVE_ERRORS = 0.5
"""Standard errors of a measured loss that it leaves unused, if that is more. It picks the best of many measurements,
and so those that erred to the good side."""

RESERVE_LIMIT = 0.5
"""Share of the allowed loss that both may take."""

_ROUNDING = 1e-9
"""Accuracies are quotients; one that equals the requirement must not miss it by a rounding error."""


@dataclass(frozen=True)
class Goal:
    """What a design has to reach on one set of images. exact: the exact network's top-1 there; required: the least."""

    exact: float
    required: float

    @classmethod
    def on(cls, target: Target, exact: float) -> Goal:
        """The target on the set on which the exact network reaches `exact` percent."""
        if target.max_accuracy_drop is not None:
            return cls(exact, exact - target.max_accuracy_drop)
        if target.accuracy is None:
            raise ValueError("a target names a drop or an accuracy")
        return cls(exact, target.accuracy)

    @property
    def allowed(self) -> float:
        """How many points may be lost; negative if the exact network is not good enough already."""
        return self.exact - self.required

    def met(self, accuracy: float) -> bool:
        """Whether `accuracy` reaches the target."""
        return accuracy >= self.required - _ROUNDING

    def met_with_reserve(self, accuracy: float, standard_error: float) -> bool:
        """Whether it does so with something to spare. standard_error: of the loss, in points."""
        allowed = max(self.allowed, 0.0)
        reserve = min(max(RESERVE_SHARE * allowed, RESERVE_ERRORS * standard_error), RESERVE_LIMIT * allowed)
        return self.met(accuracy - reserve)
