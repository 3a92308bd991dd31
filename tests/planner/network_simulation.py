"""An event simulation of a whole topology that knows nothing of the planner: requests walk through tiers by hand.

A visit takes a thread (where they are limited), computes on a core, first come first served, then makes its calls
one after another or in groups, and gives the thread back. Every draw is its own; nothing is averaged.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.simulation import Clock, Sample, Station

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def exponential(mean: float) -> Callable[[random.Random], float]:
    """Return draws of this mean."""
    return lambda draws: draws.expovariate(1 / mean)


@dataclass(frozen=True)
class Visit:
    """A call: to which place, how many times (a fraction is drawn), and whether anybody waits for it."""

    to: str
    count: float = 1.0
    waited: bool = True


@dataclass(frozen=True)
class Place:
    """One tier: a burst on one of `cores` (None: a pure delay), then groups of calls, each made together."""

    burst: Callable[[random.Random], float]
    cores: int | None = None
    threads: int | None = None
    groups: Sequence[Sequence[Visit]] = ()
    hit: float = 0.0
    """The probability that the calls are left out: a cache."""


@dataclass
class Network:
    """Places with their queues, and what was observed: response times of the entry, and of every place."""

    places: dict[str, Place]
    draws: random.Random
    clock: Clock = field(default_factory=Clock)
    cores: dict[str, Station] = field(default_factory=dict)
    threads: dict[str, Station] = field(default_factory=dict)
    observed: dict[str, Sample] = field(default_factory=dict)
    warm: bool = False

    def __post_init__(self) -> None:
        for name, place in self.places.items():
            self.observed[name] = Sample()
            if place.cores is not None:
                self.cores[name] = Station(self.clock, place.cores)
            if place.threads is not None:
                self.threads[name] = Station(self.clock, place.threads)

    def visit(self, name: str, done: Callable[[], None]) -> None:
        """Walk through one place and call `done` at its end."""
        place, born, counted = self.places[name], self.clock.now, self.warm
        duration = place.burst(self.draws)

        def leave() -> None:
            if place.threads is not None:
                self.threads[name].release()
            if counted:
                self.observed[name].values.append(self.clock.now - born)
            done()

        def computed() -> None:
            if place.hit and self.draws.random() < place.hit:
                leave()
            else:
                self._groups(place.groups, 0, leave)

        def granted() -> None:
            if place.cores is None:
                self.clock.after(duration, computed)
            else:
                self.cores[name].serve(duration, computed)

        if place.threads is None:
            granted()
        else:
            self.threads[name].acquire(granted)

    def _groups(self, groups: Sequence[Sequence[Visit]], index: int, done: Callable[[], None]) -> None:
        if index == len(groups):
            done()
            return
        open_calls = len(groups[index])

        def one_done() -> None:
            nonlocal open_calls
            open_calls -= 1
            if open_calls == 0:
                self._groups(groups, index + 1, done)

        for call in groups[index]:
            self._call(call, one_done)

    def _call(self, call: Visit, done: Callable[[], None]) -> None:
        times = int(call.count) + (self.draws.random() < call.count % 1)
        if not call.waited:
            for _ in range(times):
                self.visit(call.to, lambda: None)
            done()
            return

        def again(left: int) -> None:
            if left == 0:
                done()
            else:
                self.visit(call.to, lambda: again(left - 1))

        again(times)


def simulate(places: dict[str, Place], entry: str, rate: float, requests: int, seed: int) -> dict[str, Sample]:
    """Return the response times of all visits to each place, without those of the first tenth of the requests."""
    network = Network(places, random.Random(seed))  # noqa: S311, nothing is kept secret

    def arrive(number: int) -> None:
        network.warm = number > requests // 10
        if number + 1 < requests:
            network.clock.after(network.draws.expovariate(rate), lambda: arrive(number + 1))
        network.visit(entry, lambda: None)

    network.clock.after(0.0, lambda: arrive(0))
    network.clock.run()
    return network.observed
