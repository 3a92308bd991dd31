"""What a file's evaluation says of its scenarios, for tests to ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capacity.plan import as_given
from tests.planner.systems import topology

if TYPE_CHECKING:
    from capacity.results import Case, Evaluation
    from tests.planner.systems import Values


def told(values: Values) -> Evaluation:
    """Return the evaluation, with scenarios, of the counts that a file gives."""
    return as_given(topology(values)).evaluation


def case(values: Values, scenario: str, subject: str | None = None) -> Case:
    """Return what becomes of a file's system when something happens to a tier or class, or to all."""
    return next(case for case in told(values).scenarios[scenario].cases if case.subject == subject)


def used(found: Case, tier: str) -> dict[str, float]:
    """Return what is used of each resource of a tier."""
    return {limit.resource: limit.used for limit in found.limits[tier]}


def held(found: Case, tier: str) -> dict[str, float]:
    """Return how much of each resource a tier has."""
    return {limit.resource: limit.capacity for limit in found.limits[tier]}
