"""The list of operators in the documentation is that of the registries."""

from __future__ import annotations

from pathlib import Path

from approx_plugin.kernels.listing import DOCUMENT, computed_by, text
from approx_plugin.operators.registry import OPERATORS


def test_the_document_is_up_to_date(root: Path) -> None:
    assert (root / DOCUMENT).read_text(encoding="utf-8") == text(), "run python -m approx_plugin.kernels.listing"


def test_every_operator_has_somebody_who_computes_it() -> None:
    assert all(computed_by(operator) for operator in OPERATORS.values())
    assert computed_by(OPERATORS["ADD"]) == "CMSIS-NN, runtime"
    assert computed_by(OPERATORS["SQUEEZE"]) == "view"
    assert computed_by(OPERATORS["CONV_2D"]) == "CMSIS-NN"
