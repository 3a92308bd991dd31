"""Caches that are run, request by request: they share nothing with the models, which know only what is likely."""

from __future__ import annotations

import random
from bisect import bisect
from collections import OrderedDict, deque
from itertools import accumulate
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Simulated(Protocol):
    """A cache that is asked for keys."""

    def ask(self, key: int) -> bool:
        """Ask for a key, which is fetched and stored on a miss; return whether it was a hit."""


def zipf_keys(objects: int, exponent: float, requests: int, seed: int) -> list[int]:
    """Return independent requests by Zipf's law; key 0 is the most popular."""
    draws = random.Random(seed)  # noqa: S311, nothing is kept secret
    steps = list(accumulate(i**-exponent for i in range(1, objects + 1)))
    return [bisect(steps, draws.random() * steps[-1]) for _ in range(requests)]


def zipf_stream(objects: int, exponent: float, requests: int, seed: int) -> Iterator[int]:
    """Yield the same kind of requests, a hundred thousand at a time."""
    draws = np.random.default_rng(seed)
    steps = np.cumsum(np.arange(1, objects + 1, dtype=float) ** -exponent)
    for start in range(0, requests, 100_000):
        size = min(100_000, requests - start)
        yield from np.searchsorted(steps, draws.random(size) * steps[-1]).tolist()


def simulated(cache: Simulated, keys: list[int], warm: int) -> float:
    """Return the hit ratio of all requests but the first ones."""
    hits = [cache.ask(key) for key in keys]
    return sum(hits[warm:]) / (len(hits) - warm)


class Lru:
    """Least recently used; `size_of` a key, 1 unless given."""

    def __init__(self, room: float, sizes: list[float] | None = None) -> None:
        self.room, self.sizes, self.used = room, sizes, 0.0
        self.held: OrderedDict[int, None] = OrderedDict()

    def ask(self, key: int) -> bool:
        """Ask for a key."""
        if key in self.held:
            self.held.move_to_end(key)
            return True
        self.held[key] = None
        self.used += self.sizes[key] if self.sizes else 1
        while self.used > self.room:
            old, _ = self.held.popitem(last=False)
            self.used -= self.sizes[old] if self.sizes else 1
        return False


class Fifo(Lru):
    """First in, first out."""

    def ask(self, key: int) -> bool:
        """Ask for a key."""
        return key in self.held or super().ask(key)


class Random:
    """Evict any."""

    def __init__(self, room: int, seed: int) -> None:
        self.room, self.draws = room, random.Random(seed)  # noqa: S311, nothing is kept secret
        self.held: list[int] = []
        self.there: set[int] = set()

    def ask(self, key: int) -> bool:
        """Ask for a key."""
        if key in self.there:
            return True
        if len(self.held) == self.room:
            place = self.draws.randrange(self.room)
            self.there.remove(self.held[place])
            self.held[place] = key
        else:
            self.held.append(key)
        self.there.add(key)
        return False


class Clock:
    """First in, first out, but who was asked for since goes round once more."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.queue: deque[int] = deque()
        self.used: dict[int, bool] = {}

    def ask(self, key: int) -> bool:
        """Ask for a key."""
        if key in self.used:
            self.used[key] = True
            return True
        while len(self.queue) >= self.room:
            old = self.queue.popleft()
            if self.used[old]:
                self.used[old] = False
                self.queue.append(old)
            else:
                del self.used[old]
        self.queue.append(key)
        self.used[key] = False
        return False


class Segmented:
    """LRU lists of equal room: a hit moves up, who falls off a list moves down."""

    def __init__(self, room: int, segments: int) -> None:
        self.room = room // segments
        self.lists: list[OrderedDict[int, None]] = [OrderedDict() for _ in range(segments)]

    def ask(self, key: int) -> bool:
        """Ask for a key."""
        for level, held in enumerate(self.lists):
            if key in held:
                del held[key]
                self._put(min(level + 1, len(self.lists) - 1), key)
                return True
        self._put(0, key)
        return False

    def _put(self, level: int, key: int) -> None:
        self.lists[level][key] = None
        if len(self.lists[level]) > self.room:
            old, _ = self.lists[level].popitem(last=False)
            if level:
                self._put(level - 1, old)


class TwoQueues:
    """A queue for newcomers, a memory of who left it, an LRU list for who is remembered."""

    def __init__(self, room: int) -> None:
        self.rooms = room // 4, room - room // 4, room // 2
        self.new, self.main, self.memory = OrderedDict[int, None](), OrderedDict[int, None](), OrderedDict[int, None]()

    def ask(self, key: int) -> bool:
        """Ask for a key."""
        if key in self.main:
            self.main.move_to_end(key)
            return True
        if key in self.new:
            return True
        if key in self.memory:
            del self.memory[key]
            self.main[key] = None
            if len(self.main) > self.rooms[1]:
                self.main.popitem(last=False)
            return False
        self.new[key] = None
        if len(self.new) > self.rooms[0]:
            old, _ = self.new.popitem(last=False)
            self.memory[old] = None
            if len(self.memory) > self.rooms[2]:
                self.memory.popitem(last=False)
        return False


class S3Fifo:
    """Queues for newcomers, for who was hit twice there or is remembered, and of who is remembered."""

    def __init__(self, room: int) -> None:
        self.small_room, self.main_room = room // 10, room - room // 10
        self.small, self.main, self.memory = OrderedDict[int, int](), OrderedDict[int, int](), OrderedDict[int, None]()

    def ask(self, key: int) -> bool:
        """Ask for a key."""
        for queue in (self.small, self.main):
            if key in queue:
                queue[key] = min(3, queue[key] + 1)
                return True
        if key in self.memory:
            del self.memory[key]
            self._keep(key)
            return False
        self.small[key] = 0
        if len(self.small) > self.small_room:
            old, hits = self.small.popitem(last=False)
            if hits >= 2:
                self._keep(old)
            else:
                self.memory[old] = None
                if len(self.memory) > self.main_room:
                    self.memory.popitem(last=False)
        return False

    def _keep(self, key: int) -> None:
        while len(self.main) >= self.main_room:
            old, hits = self.main.popitem(last=False)
            if hits:
                self.main[old] = hits - 1
        self.main[key] = 0


class Sampled:
    """Evict the longest unread of a few drawn keys, without a pool and with a clock of requests."""

    def __init__(self, room: int, samples: int, seed: int) -> None:
        self.room, self.samples, self.draws = room, samples, random.Random(seed)  # noqa: S311, nothing is kept secret
        self.keys: list[int] = []
        self.place: dict[int, int] = {}
        self.read: dict[int, int] = {}
        self.now = 0

    def ask(self, key: int) -> bool:
        """Ask for a key."""
        self.now += 1
        hit = key in self.place
        if not hit:
            if len(self.keys) == self.room:
                drawn = [self.draws.randrange(self.room) for _ in range(self.samples)]
                place = min(drawn, key=lambda i: self.read[self.keys[i]])
                del self.place[self.keys[place]]
                self.keys[place] = key
                self.place[key] = place
            else:
                self.place[key] = len(self.keys)
                self.keys.append(key)
        self.read[key] = self.now
        return hit


class Redis:
    """Redis as documented: the worst of a pool of 16, which remembers the worst of all keys drawn so far.

    By idle time in ticks of a clock, or with `lfu` by a counter that rises at random, the less the higher it is, and falls
    by one with every tick. Time is that of `requests` per tick. `mass` is the probability that the next request hits.
    """

    def __init__(
        self, room: int, shares: list[float], requests: float, seed: int, *, lfu: bool, samples: int = 5
    ) -> None:
        self.room, self.shares, self.per_tick, self.lfu, self.samples = room, shares, requests, lfu, samples
        self.draws = random.Random(seed)  # noqa: S311, nothing is kept secret
        self.keys: list[int] = []
        self.place: dict[int, int] = {}
        self.counter, self.tick = [0] * len(shares), [0] * len(shares)
        self.pool: list[tuple[int, int]] = []
        self.now, self.mass = 0, 0.0

    def ask(self, key: int) -> bool:
        """Ask for a key."""
        self.now += 1
        tick = int(self.now / self.per_tick)
        if hit := key in self.place:
            if self.lfu:
                counter = max(self.counter[key] - (tick - self.tick[key]), 0)
                self.counter[key] = counter + (self.draws.random() * (1 + 10 * max(counter - 5, 0)) < 1)
        else:
            if len(self.keys) == self.room:
                self._evict(tick)
            self.place[key] = len(self.keys)
            self.keys.append(key)
            self.counter[key] = 5
            self.mass += self.shares[key]
        self.tick[key] = tick
        return hit

    def _badness(self, key: int, tick: int) -> int:
        past = tick - self.tick[key]
        return 255 - max(self.counter[key] - past, 0) if self.lfu else past

    def _evict(self, tick: int) -> None:
        while True:
            for _ in range(self.samples):
                key = self.keys[int(self.draws.random() * self.room)]
                bad = self._badness(key, tick)
                at = sum(worse < bad for worse, _ in self.pool)
                if len(self.pool) < 16:
                    self.pool.insert(at, (bad, key))
                elif at:
                    self.pool.insert(at, (bad, key))
                    del self.pool[0]
            while self.pool:
                _, key = self.pool.pop()
                if key in self.place:
                    self._forget(key)
                    return

    def _forget(self, key: int) -> None:
        place, last = self.place.pop(key), self.keys.pop()
        if last != key:
            self.keys[place], self.place[last] = last, place
        self.mass -= self.shares[key]


def expected_hits(cache: Redis, keys: Iterable[int], warm: int) -> float:
    """Return the mean, over all requests but the first ones, of the probability to hit: less noise than hits have."""
    total = count = 0.0
    for i, key in enumerate(keys):
        if i >= warm:
            total += cache.mass
            count += 1
        cache.ask(key)
    return total / count


class TwoLevels:
    """Local LRU caches, one at random for each request, before a global one."""

    def __init__(self, caches: int, local: int, room: int, seed: int) -> None:
        self.local = [Lru(local) for _ in range(caches)]
        self.room, self.draws = Lru(room), random.Random(seed)  # noqa: S311, nothing is kept secret
        self.near = 0

    def ask(self, key: int) -> bool:
        """Ask for a key."""
        if self.draws.choice(self.local).ask(key):
            self.near += 1
            return True
        return self.room.ask(key)
