"""Where the search for a plan starts: for each tier the fewest nodes that could ever do, and what no count can meet.

Each tier is looked at as if nothing of ours waited elsewhere and whatever happens hit this tier alone. What fails
even then, fails in any plan with as few nodes; what fails with the most nodes as well is hopeless.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from capacity.search import Conflict, Search, Wanted
from capacity.system import USUAL
from capacity.uptime import floor
from capacity.verdict import Violation, limit_violations, objective_violations

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

    from capacity.scenarios import Event
    from capacity.system import Counts


def lower_bounds(search: Search) -> tuple[Counts, tuple[Conflict, ...]]:
    """Return for each tier the fewest nodes that pass when nothing of ours waits elsewhere, and what none can resolve.

    What no count of a tier resolves is left aside, so that the counts are the best there are for all the rest.
    """
    counts, generous = _least(search), _generously(search)
    found = _floor(search, {**counts, **generous})
    aside = {conflict.wanted for conflict in found}
    for name in search.free():
        optimistic = {**counts, **{n: c for n, c in generous.items() if n != name}}
        hopeless = _hopeless(search, optimistic, name, aside)
        found += hopeless
        aside |= {conflict.wanted for conflict in hopeless}

        goal = Goal(
            search, optimistic, name, {c.wanted: c.violation.short or math.inf for c in hopeless}, frozenset(aside)
        )
        counts[name] = search.first(name, goal.reached_with, counts[name]) or counts[name]
    found += () if search.attainable else still_unavailable(search, counts, aside)
    unique = {conflict.wanted: conflict for conflict in reversed(found)}
    # What is hopeless in normal operation is so in every event.
    telling = [c for wanted, c in unique.items() if wanted.when is None or wanted._replace(when=None) not in unique]
    return counts, tuple(sorted(telling, key=lambda conflict: conflict.violation.unit == "s"))


def beyond_nodes(search: Search) -> list[Conflict]:
    """Return what fails even when nothing of ours waits: where there is anything, there is no plan."""
    return _floor(search, {**_least(search), **_generously(search)})


def _least(search: Search) -> Counts:
    """Return the fewest nodes that there can be."""
    counts = {name: min(count, search.most(name)) for name, count in search.system.least().items()}
    return counts | search.system.given()


def _hopeless(search: Search, counts: Counts, name: str, aside: AbstractSet[Wanted]) -> list[Conflict]:
    """Return what no count of a tier resolves."""
    least, remaining = counts[name], search.most(name)

    def clean(count: int) -> bool:
        return next(_own_conflicts(search, {**counts, name: count}, name, aside), None) is None

    guess = search.near.get(name, 0)
    if least <= guess <= remaining and clean(guess):
        return []  # nor is anything left with more
    if search.more_may_be_slower(name) and search.first(name, clean, least) is not None:
        return []
    return list(_own_conflicts(search, {**counts, name: remaining}, name, aside))


@dataclass(frozen=True)
class Goal:
    """What one tier can do for a system: leave nothing that more of it resolves, and be no further from the rest."""

    search: Search
    counts: Counts
    name: str
    best: dict[Wanted, float]
    """By how much what is hopeless is exceeded with the most nodes."""
    aside: frozenset[Wanted]

    def reached_with(self, count: int) -> bool:
        """Return whether a count is as good as the most."""
        for conflict in _own_conflicts(self.search, {**self.counts, self.name: count}, self.name, frozenset()):
            most = self.best.get(conflict.wanted, math.inf)
            if not conflict.wanted.among(self.aside) or (conflict.violation.short or math.inf) > most * 1.01:
                return False
        return True


def _own_conflicts(search: Search, counts: Counts, name: str, aside: AbstractSet[Wanted]) -> Iterator[Conflict]:
    """Yield what fails, when nothing of ours waits in other tiers, that this tier could resolve."""
    others = _ours(search) - {name}
    for conflict in search.conflicts(counts, others, name):
        if not conflict.wanted.among(aside) and _concerns(search, conflict, name):
            yield conflict


def _ours(search: Search) -> frozenset[str]:
    return frozenset(name for name, tier in search.system.tiers.items() if tier.counted is not None)


def _concerns(search: Search, conflict: Conflict, name: str) -> bool:
    """Return whether a conflict in an otherwise unhindered system is this tier's to resolve."""
    if name not in search.helpers(conflict.violation):
        return False
    objective = conflict.violation.unit == "s" or conflict.violation.scope == "class"
    return objective or search.system.roots[conflict.violation.name] == name


def _floor(search: Search, counts: Counts) -> list[Conflict]:
    """Return what fails even when nothing of ours waits.

    These are objectives that partners and the work itself miss, and limits that no node relieves.
    """
    found = [conflict for event in (search.normal, *search.events) for conflict in _floor_of(search, event, counts)]
    return found + list(_unavailable(search, counts))


def _unavailable(search: Search, counts: Counts) -> Iterator[Conflict]:
    """Yield the classes that zones and partners alone keep down for longer than is allowed."""
    wanted = search.system.topology.slo.availability
    for name in search.system.topology.workload.classes if wanted is not None else ():
        down = floor(search.at(counts), name)
        if wanted is not None and down > (1 - wanted) * (1 + 1e-9):
            yield Conflict(Violation("class", name, "availability", 1 - down, float(wanted), ""), search.normal)


def _floor_of(search: Search, event: Event, counts: Counts) -> Iterator[Conflict]:
    state = event.state(counts)
    if state.counts != counts or state.conditions != USUAL:
        return  # it takes nodes, and how many are left is up to the plan
    solution = search.solved(state, _ours(search))
    for violation in (*objective_violations(solution), *limit_violations(solution)):
        hopeless = violation.unit == "s" or (not search.helpers(violation) and violation.capacity)
        if hopeless and not event.excuses(violation):
            yield Conflict(violation, event)


def still_unavailable(search: Search, counts: Counts, aside: AbstractSet[Wanted]) -> Iterator[Conflict]:
    """Yield the classes that are down for too long even with many times the nodes that would do otherwise."""
    if search.system.topology.slo.availability is None:
        return
    free = search.free()
    many = {n: min(search.most(n), 4 * c + 16) if n in free else c for n, c in counts.items()}
    for violation in search.unavailable(many):
        conflict = Conflict(violation, search.normal)
        if not conflict.wanted.among(aside):
            yield conflict


def _generously(search: Search) -> Counts:
    """Return the counts of the tiers that relieve others, with which they do so as far as they can."""
    return {n: count for n in search.free() if (count := _generous(search, n)) is not None}


def _generous(search: Search, name: str) -> int | None:
    """Return a count at which a tier relieves those below it as far as it can, a lost node included."""
    enough = search.system.tiers[name].satisfied_at(search.system.machines[name])
    return None if enough is None else max(search.system.least()[name], min(search.most(name), enough + 2))
