"""An event simulation of a store whose reads ask R members at once and whose writes wait for W: message by message.

It knows nothing of the models. A write is worked on by the primary, then sent to every replica, where one thread after
the other puts it in force on a core. A read is sent to R members at random; what each of them has when the question
arrives counts. Every key has its own versions, and a read is old if an answer to a newer write was given before it.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from tests.simulation import Clock, Sample, Station


@dataclass(frozen=True)
class Store:
    """Rates in 1/s, times in s, all exponential; `cores` and `members` are counts, keys are asked for alike."""

    members: int
    reads: int
    writes: int
    read_rate: float
    write_rate: float
    read_time: float
    write_time: float
    apply_time: float
    distance: float = 0.0
    cores: int = 2
    keys: int = 100


@dataclass
class Seen:
    """What was observed: response times, and the share of old reads."""

    reading: Sample = field(default_factory=Sample)
    writing: Sample = field(default_factory=Sample)
    old: int = 0

    @property
    def stale(self) -> float:
        """Return the share of reads that were old."""
        return self.old / len(self.reading.values)


class _Running:
    def __init__(self, store: Store, requests: int, seed: int) -> None:
        self.store, self.draws, self.clock, self.seen = store, random.Random(seed), Clock(), Seen()  # noqa: S311
        self.cores = [Station(self.clock, store.cores) for _ in range(store.members)]
        self.threads = [Station(self.clock, 1) for _ in range(store.members)]
        self.has = [[0] * store.keys for _ in range(store.members)]
        self.answered = [0] * store.keys
        self.left, self.warm = requests, requests * 9 // 10

    def arrive(self) -> None:
        """Begin a request, and the next one later."""
        store, self.left = self.store, self.left - 1
        if self.left <= 0:
            return
        rate = store.read_rate + store.write_rate
        self.clock.after(self.draws.expovariate(rate), self.arrive)
        key = self.draws.randrange(store.keys)
        if self.draws.random() * rate < store.read_rate:
            self.read(key, counts=self.left < self.warm)
        else:
            self.write(key, counts=self.left < self.warm)

    def read(self, key: int, *, counts: bool) -> None:
        born, wanted, found = self.clock.now, self.answered[key], list[int]()
        left = self.store.reads

        def answered() -> None:
            nonlocal left
            left -= 1
            if left == 0 and counts:
                self.seen.reading.values.append(self.clock.now - born)
                self.seen.old += max(found) < wanted

        def ask(member: int, away: float) -> None:
            found.append(self.has[member][key])
            work = self.draws.expovariate(1 / self.store.read_time)
            self.cores[member].serve(work, lambda: self.clock.after(away, answered))

        for i, member in enumerate(self.draws.sample(range(self.store.members), self.store.reads)):
            away = self.store.distance if i else 0.0
            self.clock.after(away, lambda m=member, a=away: ask(m, a))  # type: ignore[misc]

    def write(self, key: int, *, counts: bool) -> None:
        born, acknowledged = self.clock.now, 0
        version = 0

        def done() -> None:
            self.answered[key] = max(self.answered[key], version)
            if counts:
                self.seen.writing.values.append(self.clock.now - born)

        def told() -> None:
            nonlocal acknowledged
            acknowledged += 1
            if acknowledged == self.store.writes - 1:
                done()

        def apply(member: int) -> None:
            def applied() -> None:
                self.threads[member].release()
                self.has[member][key] = max(self.has[member][key], version)
                self.clock.after(self.store.distance, told)

            work = self.draws.expovariate(1 / self.store.apply_time)
            self.threads[member].acquire(lambda: self.cores[member].serve(work, applied))

        def committed() -> None:
            nonlocal version
            version = self.has[0][key] = self.has[0][key] + 1
            if self.store.writes == 1:
                done()
            for member in range(1, self.store.members):
                self.clock.after(self.store.distance, lambda m=member: apply(m))  # type: ignore[misc]

        self.cores[0].serve(self.draws.expovariate(1 / self.store.write_time), committed)


def simulated(store: Store, requests: int, seed: int) -> Seen:
    """Return what is observed of so many requests; the first tenth is left out."""
    running = _Running(store, requests, seed)
    running.arrive()
    running.clock.run()
    return running.seen
