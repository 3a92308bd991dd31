from __future__ import annotations

import heapq
import math
import random

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.erlang import UnstableQueueError
from models.partitions import Drain, Partitioned, hashed_cv, random_drain
from models.queues import mgc_wait
from models.service_time import ServiceTime, exponential, from_moments

property_test = settings(max_examples=80)


# Every message has a reader, nobody reads nothing, and the busiest is first.
@property_test
@given(st.integers(1, 200), st.integers(1, 250), st.floats(0, 1))
def test_shares(partitions: int, consumers: int, skew: float) -> None:
    hottest = None if skew < 0.1 else 1 / partitions + (1 - 1 / partitions) * (skew - 0.1)
    topic = Partitioned(partitions, consumers, hottest)
    readers = topic.readers
    assert math.fsum(r.consumers * r.share for r in readers) == pytest.approx(1, rel=1e-12)
    assert sum(r.consumers for r in readers) + topic.idle == consumers
    assert [r.share for r in readers] == sorted((r.share for r in readers), reverse=True)
    assert topic.capacity(0.01) * readers[0].share == pytest.approx(100, rel=1e-12)


# Consumers beyond the partitions idle; 24 partitions over 10 consumers leave some with three, which is what limits.
def test_dealing_out() -> None:
    topic = Partitioned(24, 10)
    assert topic.readers[0].consumers == 4
    assert topic.capacity(0.001) == pytest.approx(8000)
    assert Partitioned(24, 40).idle == 16
    assert Partitioned(24, 40).capacity(0.001) == pytest.approx(24_000)
    assert Partitioned(24, 24, hottest=0.2).capacity(0.001) == pytest.approx(5000)


# What is not done is what came less what each consumer does by itself, counted one by one; all if they stand still.
@property_test
@given(st.integers(1, 60), st.integers(1, 70), st.floats(0, 1), st.floats(1, 500), st.floats(0, 0.9))
def test_behind(partitions: int, consumers: int, skew: float, rate: float, stopped: float) -> None:
    hottest = None if skew < 0.1 else 1 / partitions + (1 - 1 / partitions) * (skew - 0.1)
    topic = Partitioned(partitions, consumers, hottest)
    shares = [r.share for r in topic.readers for _ in range(r.consumers)]
    done = math.fsum(min(rate * share, 100 * (1 - stopped)) for share in shares)
    assert topic.behind(rate, 0.01, stopped).growth == pytest.approx(rate - done, rel=1e-9, abs=1e-9)
    if abs(rate / topic.capacity(0.01) - 1) > 1e-9:
        assert (topic.behind(rate, 0.01).consumers > 0) == (rate > topic.capacity(0.01))
    assert topic.behind(rate, 0.01, 1.0).growth == pytest.approx(rate, rel=1e-12)


# The fewest consumers that are enough, and none where the hottest partition alone is too much for one.
def test_consumers_for() -> None:
    topic = Partitioned(24, 1)
    assert topic.consumers_for(8000.0, 0.001, 0.9) == 12
    assert topic.consumers_for(23_000.0, 0.001, 0.9) is None
    assert Partitioned(24, 1, hottest=0.5).consumers_for(3000.0, 0.001) is None
    for consumers in (11, 12):
        busy = 8000 * 0.001 * Partitioned(24, consumers).readers[0].share
        assert (busy <= 0.9) == (consumers == 12)


# One consumer is M/G/1, and equal ones are so with an equal share each.
def test_delay_of_equals() -> None:
    service = from_moments(0.01, 2.0)
    one = Partitioned(6, 3).delay(210.0, service)
    wait = mgc_wait(70.0, service, 1)
    assert one.mean == pytest.approx(wait.mean + service.mean, rel=1e-12)
    with pytest.raises(UnstableQueueError):
        Partitioned(6, 3, hottest=0.6).delay(210.0, service)


# Delays of unequal consumers as simulated message by message, each key's partition drawn, order kept within readers.
def test_simulated_delay() -> None:
    topic = Partitioned(5, 3, hottest=0.3)
    draws = random.Random(6)  # noqa: S311, nothing is kept secret
    shares = [r.share for r in topic.readers for _ in range(r.consumers)]
    free, now, delays = [0.0] * len(shares), 0.0, []
    for _ in range(400_000):
        now += draws.expovariate(160.0)
        reader = draws.choices(range(len(shares)), shares)[0]
        free[reader] = max(free[reader], now) + draws.expovariate(100.0)
        delays.append(free[reader] - now)
    found = topic.delay(160.0, exponential(0.01))
    # The busiest is at 0.76: waits are correlated over some 35 messages of it, means have 2 % of noise.
    assert found.mean == pytest.approx(math.fsum(delays) / len(delays), rel=0.05)
    assert found.percentile(0.99) == pytest.approx(sorted(delays)[int(0.99 * len(delays))], rel=0.08)


# How unequal partitions get by hashing, as drawn: 2,000 ways to hash 300 keys of Zipf's popularity.
@pytest.mark.parametrize("partitions", [4, 16])
def test_hashed_cv(partitions: int) -> None:
    draws = np.random.default_rng(4)
    keys = 1 / np.arange(1, 301.0)
    keys /= keys.sum()
    loads = np.zeros((2000, partitions))
    for trial in loads:
        np.add.at(trial, draws.integers(0, partitions, 300), keys)
    # The second moment over 2,000 draws has 3 % of noise.
    assert hashed_cv(float((keys**2).sum()), partitions) == pytest.approx(loads.std() * partitions, rel=0.06)


def drained(backlog: int, rate: float, service: float, squared_cv: float, *, consumers: int, seed: int) -> float:
    """Return when a queue of many servers is first without a waiting message, event by event."""
    draws = random.Random(seed)  # noqa: S311, nothing is kept secret
    shape = 1 / squared_cv if squared_cv else 0.0

    def duration() -> float:
        return draws.gammavariate(shape, service / shape) if shape else service

    waiting, now = backlog - consumers, 0.0
    ends = [duration() for _ in range(consumers)]
    heapq.heapify(ends)
    arrival = draws.expovariate(rate)
    while waiting > 0:
        if arrival < ends[0]:
            now, waiting = arrival, waiting + 1
            arrival = now + draws.expovariate(rate)
        else:
            now = heapq.heappop(ends)
            waiting -= 1
            heapq.heappush(ends, now + duration())
    return now


# The time of a drain, its spread and its percentiles as simulated; several consumers start with a backlog beyond them.
@pytest.mark.parametrize(
    ("backlog", "load", "squared_cv", "consumers"),
    [(200, 0.5, 1.0, 1), (200, 0.8, 1.0, 1), (400, 0.7, 0.25, 4), (400, 0.7, 4.0, 4), (300, 0.6, 0.0, 10)],
)
def test_random_drain(backlog: int, load: float, squared_cv: float, consumers: int) -> None:
    rate = load * consumers / 0.01
    times = sorted(drained(backlog, rate, 0.01, squared_cv, consumers=consumers, seed=seed) for seed in range(400))
    service = from_moments(0.01, squared_cv) if squared_cv else ServiceTime((), ((1.0, 0.01),))
    found = random_drain(backlog - consumers, rate, service, consumers)
    mean = math.fsum(times) / len(times)
    deviation = math.sqrt(math.fsum((t - mean) ** 2 for t in times) / len(times))
    # 400 runs: the mean within 4 standard errors and one service, the deviation within 4 of 3.5 %.
    assert found.mean == pytest.approx(mean, abs=4 * deviation / 20 + 0.01 / (1 - load))
    assert found.deviation == pytest.approx(deviation, rel=0.18)
    assert found.percentile(0.9) == pytest.approx(times[360], rel=0.08)


# One consumer: n busy periods, exactly; the percentiles of a walk have the mean and deviation that they are made of.
@property_test
@given(st.floats(0.05, 0.95), st.floats(0, 4), st.floats(1, 1e5))
def test_busy_periods(load: float, squared_cv: float, backlog: float) -> None:
    service = from_moments(0.01, squared_cv)
    found = random_drain(backlog, load / 0.01, service, 1)
    one = (squared_cv + load) * 0.01**2 / (1 - load) ** 3
    assert found.mean == pytest.approx(backlog * 0.01 / (1 - load), rel=1e-9)
    # Squared CVs below 1/400 are taken as 0, and are 0.01 s**2 off at most there.
    assert found.deviation**2 == pytest.approx(backlog * one, rel=1e-6 if squared_cv > 0.01 else 0.1)
    middle = [found.percentile((i + 0.5) / 200) for i in range(200)]
    # 200 levels of equal weight miss the tail above 99.75 %, which is much of the mean only where it is wide.
    assert math.fsum(middle) / 200 <= found.mean * (1 + 1e-3)
    if found.deviation < found.mean:
        assert math.fsum(middle) / 200 == pytest.approx(found.mean, rel=0.03)
    assert middle == sorted(middle)


# The distribution of a drain is the inverse Gaussian of 50 digits, however narrow it is.
@pytest.mark.parametrize("deviation", [1e-3, 0.03, 0.1, 0.5, 2.0])
def test_percentiles_of_a_walk(deviation: float) -> None:
    drain = Drain(1.0, deviation)
    with mpmath.workdps(50):
        shape = 1 / mpmath.mpf(deviation) ** 2
        for fraction in (0.01, 0.5, 0.9, 0.999):
            t = mpmath.mpf(drain.percentile(fraction))
            root = mpmath.sqrt(shape / t)
            within = mpmath.ncdf(root * (t - 1)) + mpmath.exp(2 * shape) * mpmath.ncdf(-root * (t + 1))
            # The time is looked for to 1e-9, of which a narrow distribution makes a thousandfold.
            assert float(within) == pytest.approx(fraction, abs=1e-6)


# A drain as good as without chance is over at its mean, however long that is and whatever its numbers' last digits do.
@pytest.mark.parametrize("mean", [1e-9, 1.0, 1e9])
@pytest.mark.parametrize("ratio", [1e-6, 1e-9, 1e-12])
def test_percentiles_of_next_to_no_chance(mean: float, ratio: float) -> None:
    for fraction in (0.01, 0.5, 0.99):
        # Three deviations, and the 1e-9 to which the time is looked for.
        assert Drain(mean, mean * ratio).percentile(fraction) == pytest.approx(mean, rel=3 * ratio + 1e-9)


# A backlog that never goes says so.
def test_never() -> None:
    with pytest.raises(UnstableQueueError):
        random_drain(100, 100.0, exponential(0.01), 1)
