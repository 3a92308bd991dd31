"""Event simulations that share nothing with the models: what they agree on is right for two reasons."""

from __future__ import annotations

import heapq
import random
from collections import deque
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Clock:
    """What happens next, in the order of time."""

    def __init__(self) -> None:
        self.now = 0.0
        self._order = count()
        self._events: list[tuple[float, int, Callable[[], None]]] = []

    def after(self, delay: float, action: Callable[[], None]) -> None:
        """Do something `delay` seconds from now."""
        heapq.heappush(self._events, (self.now + delay, next(self._order), action))

    def run(self) -> None:
        """Do all that is to be done."""
        while self._events:
            self.now, _, action = heapq.heappop(self._events)
            action()


class Station:
    """Equal servers with one queue, first come first served."""

    def __init__(self, clock: Clock, servers: int) -> None:
        self.clock = clock
        self.free = servers
        self.queue: deque[Callable[[], None]] = deque()

    def acquire(self, granted: Callable[[], None]) -> None:
        """Call `granted` as soon as a server is free, and keep the server."""
        if self.free:
            self.free -= 1
            granted()
        else:
            self.queue.append(granted)

    def release(self) -> None:
        """Give the server to who waits longest."""
        if self.queue:
            self.queue.popleft()()
        else:
            self.free += 1

    def serve(self, duration: float, done: Callable[[], None]) -> None:
        """Call `done` after waiting for a server and `duration` seconds on it."""

        def finished() -> None:
            self.release()
            done()

        self.acquire(lambda: self.clock.after(duration, finished))


@dataclass
class Sample:
    """Observed durations, without those of the warm-up."""

    values: list[float] = field(default_factory=list)

    @property
    def mean(self) -> float:
        """Return the average."""
        return sum(self.values) / len(self.values)

    def percentile(self, fraction: float) -> float:
        """Return the value that this fraction does not exceed."""
        return sorted(self.values)[int(fraction * len(self.values))]


@dataclass
class Tier:
    """A tier whose requests hold one of `threads` while they compute, call what is below, and wait for a partner."""

    arrival_rate: float
    threads: int
    cores: int
    burst: Callable[[random.Random], float]
    cores_below: int
    burst_below: Callable[[random.Random], float]
    delay: Callable[[random.Random], float]


def simulate_tier(tier: Tier, requests: int, seed: int) -> tuple[Sample, Sample]:
    """Return the response times and the waits for a thread; the first tenth is left out."""
    draws, clock = random.Random(seed), Clock()  # noqa: S311, nothing is kept secret
    threads, cores, below = (Station(clock, n) for n in (tier.threads, tier.cores, tier.cores_below))
    responses, waits = Sample(), Sample()

    def arrive(number: int) -> None:
        if number + 1 < requests:
            clock.after(draws.expovariate(tier.arrival_rate), lambda: arrive(number + 1))
        born = clock.now
        own, lower, delay = tier.burst(draws), tier.burst_below(draws), tier.delay(draws)

        def granted() -> None:
            if number > requests // 10:
                waits.values.append(clock.now - born)
            cores.serve(own, lambda: below.serve(lower, lambda: clock.after(delay, leave)))

        def leave() -> None:
            threads.release()
            if number > requests // 10:
                responses.values.append(clock.now - born)

        threads.acquire(granted)

    clock.after(0.0, lambda: arrive(0))
    clock.run()
    return responses, waits


def simulate_least_connections(
    arrival_rate: float, nodes: int, cores: int, burst: Callable[[random.Random], float], *, requests: int, seed: int
) -> tuple[Sample, Sample]:
    """Return response times and waits where each request joins a node with the fewest requests; ties at random."""
    draws, clock = random.Random(seed), Clock()  # noqa: S311, nothing is kept secret
    stations = [Station(clock, cores) for _ in range(nodes)]
    inside = [0] * nodes
    responses, waits = Sample(), Sample()

    def arrive(number: int) -> None:
        if number + 1 < requests:
            clock.after(draws.expovariate(arrival_rate), lambda: arrive(number + 1))
        fewest = min(inside)
        node = draws.choice([i for i in range(nodes) if inside[i] == fewest])
        inside[node] += 1
        born, duration = clock.now, burst(draws)

        def left() -> None:
            inside[node] -= 1
            if number > requests // 10:
                responses.values.append(clock.now - born)
                waits.values.append(clock.now - born - duration)

        stations[node].serve(duration, left)

    clock.after(0.0, lambda: arrive(0))
    clock.run()
    return responses, waits
