"""Why a tier has as many nodes as it has: the fewest that each constraint would allow, all else being as planned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capacity.results import Why
from capacity.scenarios import losses
from capacity.sizing import fewest
from capacity.verdict import limit_violations, objective_violations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from capacity.sizing import Search
    from capacity.system import Counts
    from capacity.verdict import Violation

GIVEN: Final = "given"
"""The constraint of a count that the file fixes."""

LEAST: Final = "minimum"
"""The constraint of a count below which there is nothing."""


def reasons(search: Search, counts: Counts) -> dict[str, list[Why]]:
    """Return for each counted tier its constraints with the count that each asks for, the largest first."""
    given, tiers = search.system.given(), search.system.tiers
    found = {
        name: [Why(GIVEN, given[name])] if name in given else _of_tier(search, counts, name)
        for name in search.system.counted()
    }
    return {name: [Why(w.constraint, tiers[name].machines(w.nodes)) for w in whys] for name, whys in found.items()}


def _of_tier(search: Search, counts: Counts, name: str) -> list[Why]:
    least, count = search.system.tiers[name].least_count(), counts[name]
    questions: list[tuple[str, Callable[[Counts], Iterable[str]]]] = [
        ("utilization", lambda tried: _named(search, limit_violations(search.solved(tried)))),
        ("latency", lambda tried: _named(search, objective_violations(search.solved(tried)))),
    ]
    if search.survives_node:
        questions.append(("node lost", lambda tried: _lost(search, tried, name)))
    found = [why for kind, ask in questions if (why := _asked(kind, ask, counts, name, least)) is not None]
    if search.survives_node and all(why.nodes < count for why in found) and count > least:
        other = _asked("node lost", lambda tried: _lost(search, tried, None), counts, name, least)
        found += [other] if other is not None else []
    return sorted(found, key=lambda why: -why.nodes) or [Why(LEAST, count)]


def _asked(kind: str, ask: Callable[[Counts], Iterable[str]], counts: Counts, name: str, least: int) -> Why | None:
    """Return the fewest nodes of a tier with which a question finds nothing; None where it never finds anything."""

    def first(count: int) -> str | None:
        return next(iter(ask({**counts, name: count})), None)

    needed = fewest(lambda count: first(count) is None, least, counts[name])
    if needed is None or needed == least:
        return None
    return Why(f"{kind}: {first(needed - 1)}", needed)


def _named(search: Search, violations: Iterable[Violation]) -> Iterable[str]:
    return (f"{v.name} {v.constraint}" for v in violations if (v.name, v.constraint) not in search.aside)


def _lost(search: Search, counts: Counts, only: str | None) -> Iterable[str]:
    """Yield what fails when a node is lost, in one tier or in any."""
    for name, after in losses(search.system, counts):
        if only not in (None, name):
            continue
        of = "" if only is not None else f" without a node of {name}"
        if after is None:
            yield f"none left{of}"
        else:
            yield from (f"{v.name} {v.constraint}{of}" for v in search.asked(after))
