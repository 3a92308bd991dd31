"""Which tier contributes what to a response time: to its mean, and to a percentile, so that the parts add up.

Percentiles do not add, but a percentile is proportional to all times together: make each of them 1 % longer and it is
1 % longer. So it is the sum, over the tiers, of how much it grows with the time at that tier (Euler's theorem). With
nothing cut off, that is the mean time at the tier of those requests that take exactly as long as the percentile (Tasche
1999, on the same question about risks).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, NamedTuple, ParamSpec

from capacity.components.exchange import Answer
from capacity.solve import Solution
from capacity.threads import shrunk_waits
from capacity.verdict import class_latency
from models.latency import Latency
from models.queues import Wait
from models.transforms import INSTANT, Stretched

if TYPE_CHECKING:
    from collections.abc import Callable

    from capacity.components.exchange import Operation, Place, Station
    from models.transforms import Transform

P = ParamSpec("P")

_STEP: Final = 0.01
"""Of the difference: percentiles are right to 1e-6, so the slope is to 1e-4, and the bend over so little is less."""


class Contribution(NamedTuple):
    """What the time at one tier, waiting and working, contributes; seconds."""

    tier: str
    mean: float
    percentile: float


def contributions(
    solution: Solution, request_class: str, fraction: float = 0.99, tick: Callable[[int], None] = lambda _: None
) -> list[Contribution]:
    """Return what every tier that a class waits for contributes to its mean and to a percentile; nothing if overloaded.

    Waiting for cores counts for the tier whose nodes they are, waiting for a thread for the tier whose threads they
    are (though it may be what is slow below that holds them), and time until a timeout for the tier that gave up. The
    waits are those of the solved system: nothing is said about how they would change. *Approximate*: the sums are
    within 1e-3 of mean and percentile.
    """
    if class_latency(solution, request_class) is None:
        return []
    entry, system = solution.system.topology.workload.classes[request_class].entry, solution.system
    waited_for = system.waited_for(entry, request_class)
    found = []
    for done, name in enumerate(n for n in system.order if n in waited_for):
        tick(done)
        faster, slower = (_paced(solution, request_class, name, pace) for pace in (1 - _STEP, 1 + _STEP))
        mean, percentile = (
            max(0.0, (after - before) / (2 * _STEP))
            for before, after in (
                (faster.mean, slower.mean),
                (faster.percentile(fraction), slower.percentile(fraction)),
            )
        )
        found.append(Contribution(name, mean, percentile))
    return found


def _paced(solution: Solution, request_class: str, tier: str, pace: float) -> Latency:
    """Return the response time of a class if everything at one tier, and nothing else, took `pace` times as long."""
    entry, system = solution.system.topology.workload.classes[request_class].entry, solution.system
    paced = _Paced(
        system=system,
        counts=solution.counts,
        traffic=solution.traffic,
        wait_free=solution.wait_free,
        places=solution.places,
        conditions=solution.conditions,
        attempts=dict(solution.attempts),
        stations=solution.stations,
        thread_pools=solution.thread_pools,
        bulkheads=dict(solution.bulkheads),
        station_of=dict(solution.station_of),
        tier=tier,
        pace=pace,
        solved=solution,
    )
    waited_for = system.waited_for(entry, request_class)
    for name in system.callees_first:
        if name in waited_for:
            paced.fill(name, request_class)
    total = paced.answers[entry, request_class, "read"].total
    if total is None:
        raise AssertionError(f"{request_class} has a response time, but not with {tier} at another pace")
    return total


@dataclass(eq=False)
class _Paced(Solution):
    """A solved system asked once more for the response to one class, with everything at `tier` stretched.

    No kind of tier needs to know: `tier` is answered by what is below it shrunk by as much, and its answer is stretched
    as a whole. Waits are shared by what they are, so each is stretched to one other wait wherever it is met.
    """

    tier: str = ""
    pace: float = 1.0
    solved: Solution | None = None
    inside: bool = False
    """Whether it is `tier` that is being asked."""
    origin: dict[Transform, tuple[Transform, int]] = field(default_factory=dict)
    """What was stretched, and to which power of the pace, for every wait that was made here."""
    made: dict[tuple[Transform, int], Transform] = field(default_factory=dict)

    def fill(self, name: str, request_class: str) -> None:
        """Ask a tier for its response, and put the wait for a thread before it, as it was solved."""
        tier, place, arrivals = self.system.tiers[name], self.places[name], self.arrivals(name)
        self.inside = name == self.tier
        operations: list[Operation] = ["read"]
        operations += ["write"] if arrivals.writes.get(request_class, 0.0) > 0 else []
        found = {each: tier.answer(place, arrivals, request_class, each, self) for each in operations}
        if self.inside:
            found = {each: self._answer(answer) for each, answer in found.items()}
        self.inside = False
        pool = self.thread_pools.get(name)
        if pool is not None and pool.wait is not None and not pool.wait.is_negligible:
            first = Latency.waiting(self._wait(pool.wait, name))
            shrunk = shrunk_waits(self, name, found.values(), pool.inner_waits)
            found = {
                each: Answer(None, None if answer.total is None else first + answer.total.with_waits(shrunk))
                for each, answer in found.items()
            }
        for each in ("read", "write"):
            self.answers[name, request_class, each] = found.get(each, found["read"])

    def station(self, place: Place, pool: str) -> Station | None:
        """Return a pool of cores with its wait stretched."""
        found = super().station(place, pool)
        if found is None or found.wait is None:
            return found
        return replace(found, wait=self._wait(found.wait, place.root))

    def once(self, key: tuple[str, str], make: Callable[P, Wait], *arguments: P.args, **named: P.kwargs) -> Wait:
        """Return the wait of a place, stretched."""
        known = self.solved
        wait = make(*arguments, **named) if known is None else known.once(key, make, *arguments, **named)
        return self._wait(wait, key[0])

    def latency(self, tier: str, request_class: str, operation: Operation) -> Latency | None:
        """Return the response time of another tier, shrunk if it will be stretched again."""
        found = super().latency(tier, request_class, operation)
        return self._stretched(found, -1) if self.inside and found is not None else found

    def _wait(self, wait: Wait, owner: str) -> Wait:
        found = self._power(wait, int(owner == self.tier) - int(self.inside))
        if not isinstance(found, Wait):
            raise TypeError(f"a wait stretched is a wait, not {found!r}")
        return found

    def _answer(self, answer: Answer) -> Answer:
        own, total = (None if part is None else self._stretched(part, 1) for part in (answer.own, answer.total))
        return Answer(own, total)

    def _stretched(self, latency: Latency, power: int) -> Latency:
        factor = self.pace**power
        return Latency(
            term._replace(
                shift=term.shift * factor,
                smooth=self._power(term.smooth, power),
                marks=tuple((self._power(wait, power), n) for wait, n in term.marks),
                spans=term.scaled(factor),
            )
            for term in latency.terms
        )

    def _power(self, part: Transform, power: int) -> Transform:
        """Return a duration stretched by a power of the pace: the same for the same, itself for none."""
        if part is INSTANT or (isinstance(part, Wait) and part.is_negligible):
            return part
        base, already = self.origin.get(part, (part, 0))
        key = base, already + power
        if key[1] == 0:
            return base
        if key not in self.made:
            factor = self.pace ** key[1]
            made = base.stretched(factor) if isinstance(base, Wait) else Stretched(base, factor)
            self.made[key], self.origin[made] = made, key
            if base in self.station_of:
                self.station_of[made] = self.station_of[base]
        return self.made[key]
