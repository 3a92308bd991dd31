"""Consumers of a partitioned log: who reads how much, how long messages wait, and how chance blurs a drain."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from models.erlang import UnstableQueueError
from models.latency import Latency, mixed
from models.queues import mgc_wait

if TYPE_CHECKING:
    from models.service_time import ServiceTime


class Reader(NamedTuple):
    """Some consumers that read equally much."""

    consumers: int
    share: float
    """Of all messages, for each of them."""


class Behind(NamedTuple):
    """Those consumers that cannot keep up."""

    consumers: int
    growth: float
    """Messages/s by which their backlog grows, all together."""


@dataclass(frozen=True)
class Partitioned:
    """A topic of `partitions` partitions read by a group of `consumers`, each partition by one of them.

    `hottest` is the share of the messages in the busiest partition, the others being equal; None if all are. Partitions
    are dealt out by number, as assignors do: some consumers have one more than others, and the hottest is in a full
    hand.
    """

    partitions: int
    consumers: int
    hottest: float | None = None

    def __post_init__(self) -> None:
        if self.partitions < 1 or self.consumers < 1:
            raise ValueError(f"a topic has partitions and consumers, not {self.partitions} and {self.consumers}")
        if self.hottest is not None and not 1 / self.partitions <= self.hottest * (1 + 1e-12) <= 1 + 1e-9:
            least = 1 / self.partitions
            raise ValueError(
                f"the hottest of {self.partitions} partitions has a share from {least:.4g} to 1, not {self.hottest!r}"
            )

    @property
    def readers(self) -> tuple[Reader, ...]:
        """Those consumers that have partitions at all, busiest first (*exact*)."""
        active = min(self.consumers, self.partitions)
        few, more = divmod(self.partitions, active)
        if self.hottest is None:
            full = Reader(more, (few + 1) / self.partitions)
            rest = Reader(active - more, few / self.partitions)
            return tuple(reader for reader in (full, rest) if reader.consumers)
        other = (1 - self.hottest) / (self.partitions - 1) if self.partitions > 1 else 0.0
        hand = few + (1 if more else 0)
        busiest = Reader(1, self.hottest + (hand - 1) * other)
        full = Reader(max(more - 1, 0), (few + 1) * other)
        rest = Reader(active - max(more, 1), few * other)
        return tuple(reader for reader in (busiest, full, rest) if reader.consumers)

    @property
    def idle(self) -> int:
        """Consumers without a partition."""
        return max(self.consumers - self.partitions, 0)

    def capacity(self, service_time: float) -> float:
        """Return the messages/s at which the busiest consumer is full; `service_time` in s a message (*exact*)."""
        return 1 / (service_time * self.readers[0].share)

    def behind(self, arrival_rate: float, service_time: float, stopped: float = 0.0, repeated: float = 0.0) -> Behind:
        """Return who gets more than they can do, and how fast their backlog grows (*exact*, fluid).

        Of each second all consumers stand still for `stopped`, and do again what they did in `repeated` of one. What is
        short is not made up by consumers with time to spare: they do not read another one's partitions.
        """
        most, consumers, growth = 1 / service_time, 0, 0.0
        for reader in self.readers:
            got = arrival_rate * reader.share
            short = got + repeated * min(got, most) - most * (1 - stopped)
            if short >= 0:
                consumers += reader.consumers
                growth += reader.consumers * short
        return Behind(consumers, growth)

    def delay(self, arrival_rate: float, service: ServiceTime) -> Latency:
        """Return the time from a message's arrival to the end of its processing.

        Each consumer is M/G/1, *exact* for Poisson arrivals that it takes in the order in which they come. Raises
        UnstableQueueError, in units of consumers, when the busiest one gets more than it can do.
        """
        parts, weights = [], []
        for reader in self.readers:
            rate = arrival_rate * reader.share
            if rate * service.mean >= 1:
                raise UnstableQueueError(1, rate * service.mean)
            parts.append(Latency.of(mgc_wait(rate, service, 1)) + Latency.of(service))
            weights.append(reader.consumers * reader.share)
        return mixed(weights, parts)

    def consumers_for(self, arrival_rate: float, service_time: float, utilization: float = 1.0) -> int | None:
        """Return the fewest consumers of which none is busier than this; None where even one per partition is."""
        for consumers in range(1, self.partitions + 1):
            trial = Partitioned(self.partitions, consumers, self.hottest)
            busy = arrival_rate * service_time * trial.readers[0].share
            if busy <= utilization and (busy < 1 or utilization < 1):
                return consumers
        return None


def hashed_cv(squares: float, partitions: int) -> float:
    """Return the coefficient of variation of the share of a partition, over the ways in which keys can be hashed.

    `squares` is the sum of the squared shares of the keys: 1 / keys if all are equal. sqrt((P - 1) * squares), *exact*
    for a hash that puts each key anywhere with equal probability.
    """
    return math.sqrt((partitions - 1) * squares)


class Drain(NamedTuple):
    """How long a backlog takes, when services and arrivals are random."""

    mean: float
    deviation: float

    def percentile(self, fraction: float) -> float:
        """Return the time within which it is gone with this probability: as a random walk's first passage.

        *Approximate*: the inverse Gaussian distribution with this mean and deviation.
        """
        if not 0 < fraction < 1:
            raise ValueError(f"percentiles are asked for as fractions between 0 and 1, not {fraction!r}")
        if self.deviation == 0:
            return self.mean
        low, high = 0.0, self.mean + 60 * self.deviation
        while high - low > 1e-9 * high:
            middle = (low + high) / 2
            low, high = (middle, high) if self._within(middle) < fraction else (low, middle)
        return high

    def _within(self, seconds: float) -> float:
        if seconds <= 0:
            return 0.0
        root, ratio = self.mean / self.deviation * math.sqrt(self.mean / seconds), seconds / self.mean
        near, far = root * (ratio - 1), root * (ratio + 1)
        # A huge factor times a tiny tail: together they are an ordinary number, even where the tail alone is 0.
        return math.erfc(-near / math.sqrt(2)) / 2 + math.exp(-near * near / 2) * _over_density(far)


def _over_density(z: float) -> float:
    """Return the normal distribution's tail beyond z > 0 over exp(-z**2 / 2), to 1e-8 of it."""
    if z < 20:
        return math.exp(z * z / 2) * math.erfc(z / math.sqrt(2)) / 2
    return (1 - (1 - 3 / z**2) / z**2) / (z * math.sqrt(2 * math.pi))


def random_drain(backlog: float, arrival_rate: float, service: ServiceTime, consumers: int) -> Drain:
    """Return the time until a backlog is first gone, its messages in one queue before equal consumers.

    Mean n / (mu - lambda), variance n (lambda + mu c_s^2) / (mu - lambda)^3 with mu = consumers / E[S]. One consumer:
    *exact* for Poisson arrivals, n busy periods (Takacs 1962). Several: *approximate*, as they are not all busy at the
    end; for 100 messages or more within 5 % of simulation. Raises UnstableQueueError when it never is gone.
    """
    capacity = consumers / service.mean
    if arrival_rate >= capacity:
        raise UnstableQueueError(consumers, arrival_rate * service.mean)
    spare = capacity - arrival_rate
    variance = backlog * (arrival_rate + capacity * service.squared_cv) / spare**3
    return Drain(backlog / spare, math.sqrt(variance))
