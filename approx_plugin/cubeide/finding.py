"""What a check of a project has to complain about."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One defect.

    rule: short stable name, for tests and filters. file: below the project's root. message: what is wrong with it.
    """

    rule: str
    file: str
    message: str

    def __str__(self) -> str:
        """`file: message [rule]`."""
        return f"{self.file}: {self.message} [{self.rule}]"
