"""An event simulation of one tier that calls what may stop answering, which knows nothing of models and planner.

A request waits for a thread, computes on a core, makes at most one call while it keeps the thread, and ends. Threads,
cores and stations are taken first come first served; every draw is its own; nothing is averaged but over time. All
times in seconds, rates in 1/s.
"""

from __future__ import annotations

import heapq
import math
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tests.simulation import Clock, Station

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    Draw = Callable[[np.random.Generator], float]


def exponential(mean: float) -> Draw:
    """Return draws of this mean; always 0 where it is 0."""
    return lambda draws: draws.exponential(mean)


def constant(value: float) -> Draw:
    """Return draws that are all the same."""
    return lambda _: value


@dataclass(frozen=True, eq=False)
class Callee:
    """What is called: a station of `servers`, or a pure delay (None); the same object in two calls is the same place.

    In the `outage`, from its first second up to its last, nothing is answered: servers stop and go on afterwards with
    what they have in hand, and no delay in progress ends before the outage does.
    """

    hold: Draw
    servers: int | None = None
    outage: tuple[float, float] = (math.inf, math.inf)

    def end(self, start: float, hold: float) -> float:
        """Return when work of `hold` seconds ends that is taken up at `start`."""
        stop, again = self.outage
        if start >= again or start + hold <= stop:
            return start + hold
        if self.servers is None:
            return max(start + hold, again)
        return start + hold + again - max(start, stop)


@dataclass(frozen=True)
class Call:
    """A call that is waited for: `retries` more tries at once where one is not answered within the `timeout`.

    What is given up is still worked off, in its place in the queue. With a `pool` at most so many calls of a class are
    open at once, retries included; what comes on top fails at once, and is not tried again.
    """

    callee: Callee
    timeout: float = math.inf
    retries: int = 0
    pool: int | None = None


@dataclass(frozen=True)
class RequestClass:
    """Requests that arrive at random at `rate`, compute for an exponential time of mean `own`, then make a call."""

    rate: float
    own: float
    call: Call | None = None


class Level:
    """A number that goes up and down: its mean over the time from `since` on, and the most it ever was."""

    def __init__(self, clock: Clock, since: float) -> None:
        self.clock, self.since = clock, since
        self.value = self.most = 0
        self._area, self._last = 0.0, since

    def add(self, change: int) -> None:
        """Go up or down."""
        self._settle()
        self.value += change
        self.most = max(self.most, self.value)

    def mean(self) -> float:
        """Return the mean up to now."""
        self._settle()
        return self._area / (self._last - self.since)

    def _settle(self) -> None:
        now = max(self.clock.now, self.since)
        self._area += self.value * (now - self._last)
        self._last = now


@dataclass(frozen=True)
class Observed:
    """What became of one class. Arrays hold all its requests in the order of arrival; means leave the warm-up out.

    `ended` is infinite where the simulation ended first. `failed` are these, rejections, and calls whose last try was not
    answered in time. On average `present` requests are in the tier, `threads` of them with a thread, and `calling` of
    those in a call (never more than `most_calling`); `tries` are made per second.
    """

    born: NDArray[np.float64]
    ended: NDArray[np.float64]
    failed: NDArray[np.bool_]
    warm_up: float
    until: float
    present: float
    threads: float
    calling: float
    most_calling: int
    tries: float

    def responses(self, start: float | None = None, end: float = math.inf) -> NDArray[np.float64]:
        """Return how long those took that came in [start, end), failed ones too, but not who is still there."""
        times: NDArray[np.float64] = (self.ended - self.born)[self._came(start, end) & np.isfinite(self.ended)]
        return times

    def share_failed(self, start: float | None = None, end: float = math.inf) -> float:
        """Return the share of failed ones among those that came in [start, end), of which there must be some."""
        return float(np.mean(self.failed[self._came(start, end)]))

    @property
    def throughput(self) -> float:
        """Return how many per second were answered after the warm-up."""
        return float(np.sum(~self.failed & (self.ended >= self.warm_up))) / (self.until - self.warm_up)

    def _came(self, start: float | None, end: float) -> NDArray[np.bool_]:
        chosen: NDArray[np.bool_] = (self.born >= (self.warm_up if start is None else start)) & (self.born < end)
        return chosen


def simulate(
    classes: Mapping[str, RequestClass],
    *,
    until: float,
    seed: int,
    threads: int | None = None,
    cores: int | None = None,
    warm_up: float = 0.0,
) -> dict[str, Observed]:
    """Return what became of every class from 0 to `until` with so many threads and cores, without limit where None."""
    tier = _Tier(np.random.default_rng(seed), threads, cores)
    observers = {name: _Observer(tier, kind, warm_up) for name, kind in classes.items()}
    for observer in observers.values():
        observer.expect()
    tier.run_until(until)
    return {name: observer.observed() for name, observer in observers.items()}


class _Tier(Clock):
    """What the classes share."""

    def __init__(self, draws: np.random.Generator, threads: int | None, cores: int | None) -> None:
        super().__init__()
        self.draws = draws
        self.threads, self.cores = self._station(threads), self._station(cores)
        self.callees: dict[Callee, Station] = {}

    def _station(self, servers: int | None) -> Station:
        return Station(self, sys.maxsize if servers is None else servers)

    def run_until(self, end: float) -> None:
        """Do all that is to be done by then."""
        while self._events and self._events[0][0] < end:
            self.now, _, action = heapq.heappop(self._events)
            action()
        self.now = end

    def attempt(self, callee: Callee, answered: Callable[[], None]) -> None:
        """Call `answered` when a try made now has been worked off."""
        if callee not in self.callees:
            self.callees[callee] = self._station(callee.servers)
        station, hold = self.callees[callee], callee.hold(self.draws)

        def finished() -> None:
            station.release()
            answered()

        station.acquire(lambda: self.after(callee.end(self.now, hold) - self.now, finished))


class _Observer:
    """One class on its way through the tier."""

    def __init__(self, tier: _Tier, kind: RequestClass, warm_up: float) -> None:
        self.tier, self.kind, self.warm_up = tier, kind, warm_up
        self.present, self.threads, self.calling = (Level(tier, warm_up) for _ in range(3))
        self.born: list[float] = []
        self.ended: list[float] = []
        self.failed: list[bool] = []
        self.tries = 0

    def expect(self) -> None:
        """Let the next request come, and after it all others."""
        if self.kind.rate > 0:
            self.tier.after(self.tier.draws.exponential(1 / self.kind.rate), self._arrive)

    def _arrive(self) -> None:
        self.expect()
        tier, number, own = self.tier, len(self.born), self.tier.draws.exponential(self.kind.own)
        self.born.append(tier.now)
        self.ended.append(math.inf)
        self.failed.append(True)
        self.present.add(1)

        def granted() -> None:
            self.threads.add(1)
            tier.cores.serve(own, lambda: self._call(leave))

        def leave(*, failed: bool) -> None:
            self.ended[number], self.failed[number] = tier.now, failed
            self.present.add(-1)
            self.threads.add(-1)
            tier.threads.release()

        tier.threads.acquire(granted)

    def _call(self, done: Callable[..., None]) -> None:
        call = self.kind.call
        if call is None:
            done(failed=False)
        elif call.pool is not None and self.calling.value >= call.pool:
            done(failed=True)
        else:
            self.calling.add(1)
            self._try(call, call.retries, done)

    def _try(self, call: Call, left: int, done: Callable[..., None]) -> None:
        self.tries += self.tier.now >= self.warm_up
        waited = True

        def over(*, answered: bool) -> None:
            nonlocal waited
            if not waited:
                return
            waited = False
            if not answered and left:
                self._try(call, left - 1, done)
            else:
                self.calling.add(-1)
                done(failed=not answered)

        self.tier.attempt(call.callee, lambda: over(answered=True))
        if call.timeout < math.inf:
            self.tier.after(call.timeout, lambda: over(answered=False))

    def observed(self) -> Observed:
        """Return what has been seen up to now."""
        return Observed(
            np.array(self.born),
            np.array(self.ended),
            np.array(self.failed, dtype=bool),
            warm_up=self.warm_up,
            until=self.tier.now,
            present=self.present.mean(),
            threads=self.threads.mean(),
            calling=self.calling.mean(),
            most_calling=self.calling.most,
            tries=self.tries / (self.tier.now - self.warm_up),
        )
