"""Why a tier has as many nodes as it has: the fewest that each constraint would allow, all else being as planned."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from capacity.fewest import fewest
from capacity.results import Why
from capacity.scenarios import TITLES, phrase
from capacity.search import Wanted
from capacity.telling import none_left
from capacity.uptime import Uptime
from capacity.verdict import limit_violations, objective_violations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from capacity.scenarios import Event
    from capacity.search import Search
    from capacity.system import Counts
    from capacity.verdict import Violation

GIVEN: Final = "given"
"""The constraint of a count that the file fixes."""

LEAST: Final = "minimum"
"""The constraint of a count below which there is nothing."""


def reasons(search: Search, counts: Counts) -> dict[str, list[Why]]:
    """Return for each counted tier its constraints with the count that each asks for, the largest first."""
    return {name: reasons_of(search, counts, name) for name in search.system.counted()}


def reasons_of(search: Search, counts: Counts, name: str) -> list[Why]:
    """Return the constraints of one counted tier with the machines that each asks for, the largest first."""
    given = search.system.given()
    found = [Why(GIVEN, given[name])] if name in given else _of_tier(search, counts, name)
    return [Why(why.constraint, search.system.tiers[name].machines(why.nodes)) for why in found]


def _of_tier(search: Search, counts: Counts, name: str) -> list[Why]:
    least, count = search.system.tiers[name].least_count(), counts[name]
    questions: list[tuple[str, Callable[[Counts], Iterable[str]]]] = [
        ("utilization", lambda tried: _named(search, limit_violations(search.at(tried)))),
        ("latency", lambda tried: _named(search, objective_violations(search.at(tried)))),
    ]
    if search.system.topology.slo.availability is not None:
        questions.append(
            ("availability", lambda tried: _named(search, Uptime(search, tried).violations(overloaded=True)))
        )
    by_scenario: dict[str, list[Event]] = {}
    for event in search.events:
        by_scenario.setdefault(event.scenario, []).append(event)
    for scenario, events in by_scenario.items():
        own = [event for event in events if event.subject == name or not search.system.takes_nodes(event.subject)]
        questions.append((TITLES[scenario], partial(_in_events, search, own, name)))
    found = [why for kind, ask in questions if (why := _asked(kind, ask, counts, name, least)) is not None]
    if all(why.nodes < count for why in found) and count > least:
        # Nothing that happens here asks for as many: then it is what happens elsewhere.
        others = [
            (TITLES[scenario], partial(_in_events, search, events, None)) for scenario, events in by_scenario.items()
        ]
        found += [why for kind, ask in others if (why := _asked(kind, ask, counts, name, least)) is not None]
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
    found = ((v, Wanted(*v.key, None)) for v in violations)
    return (
        f"{v.name} {v.constraint}".removesuffix(" availability") for v, wanted in found if wanted not in search.aside
    )


def _in_events(search: Search, events: Sequence[Event], own: str | None, counts: Counts) -> Iterable[str]:
    """Yield what fails in any of some events, naming the event where it does not happen to the tier itself."""
    for event in events:
        of = "" if event.subject in (None, own) else f" {phrase(event.scenario, event.subject)}"
        for violation in search.failing(event, counts):
            what = (
                none_left(violation.limit)
                if violation.constraint == "nodes"
                else f"{violation.name} {violation.constraint}"
            )
            yield what + of
