from __future__ import annotations

import heapq
import math
import random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.batches import batch_wait_mean
from models.deterministic import constant_service
from models.erlang import UnstableQueueError
from models.flushes import Batch, excess_at_ticks, idle_places
from models.queues import MMc, mgc_wait
from models.replica_lag import catch_up, huge_transaction, lag_growth, replica_lag
from models.replication import apply_lag
from models.service_time import ServiceTime, exponential, from_moments
from tests.cases import replication_cases

if TYPE_CHECKING:
    from collections.abc import Callable

property_test = settings(max_examples=60)

DRAWS: dict[float, Callable[[random.Random], float]] = {
    0.0: lambda _: 1.0,
    0.25: lambda r: r.gammavariate(4, 0.25),
    1.0: lambda r: r.expovariate(1.0),
}


def drawn(squared_cv: float) -> Callable[[random.Random], float]:
    """Return a way to draw applies of mean 1 s: of the same distributions as the model has."""
    if squared_cv in DRAWS:
        return DRAWS[squared_cv]
    (first, _, fast), (_, _, slow) = from_moments(1.0, squared_cv).phases
    return lambda r: r.expovariate(fast if r.random() < first else slow)


def simulated(
    rate: float,
    draw: Callable[[random.Random], float],
    *,
    interval: float,
    appliers: int,
    batch: float,
    writes: int,
    seed: int,
) -> list[float]:
    """Return the lags of writes one by one: flushed at multiples of the interval, taken by whoever is free first."""
    draws = random.Random(seed)  # noqa: S311, nothing is kept secret
    now, free = 0.0, [0.0] * appliers
    lags: list[float] = []
    while len(lags) < writes:
        now += draws.expovariate(rate / batch)
        size = 1
        while draws.random() < 1 - 1 / batch:
            size += 1
        there = (math.floor(now / interval) + 1) * interval if interval else now
        for _ in range(size):
            end = max(there, heapq.heappop(free)) + draw(draws)
            heapq.heappush(free, end)
            lags.append(end - now)
    return sorted(lags[writes // 10 :])


def compared(load: float, arrivals: float, squared_cv: float, appliers: int, *, batch: float, writes: int = 120_000) -> tuple[Any, list[float]]:  # fmt: skip
    rate = load * appliers
    interval = arrivals / rate
    lag = replica_lag(rate, from_moments(1.0, squared_cv), flush_interval=interval, appliers=appliers, batch=batch)
    lags = simulated(rate, drawn(squared_cv), interval=interval, appliers=appliers, batch=batch, writes=writes, seed=12)
    return lag, lags


# One applier behind flushes as simulated: from one write in five flushes to forty in each.
@pytest.mark.parametrize("squared_cv", [0.0, 0.25, 1.0, 4.0])
@pytest.mark.parametrize(("load", "arrivals"), [(0.5, 0.2), (0.5, 5.0), (0.7, 1.0), (0.7, 40.0)])
def test_flushes(load: float, arrivals: float, squared_cv: float) -> None:
    lag, lags = compared(load, arrivals, squared_cv, 1, batch=1.0)
    # A model error of 0.5 % and 3 %; means of so few writes have 1 to 2 % of noise, P99 twice that, more if irregular.
    noise = 0.02 * (1 + squared_cv / 2)
    assert lag.applied.mean == pytest.approx(math.fsum(lags) / len(lags), rel=0.005 + noise)
    assert lag.applied.percentile(0.99) == pytest.approx(lags[int(0.99 * len(lags))], rel=0.03 + 2 * noise)
    assert lag.applied.percentile(0.5) == pytest.approx(lags[len(lags) // 2], rel=0.03 + noise)
    assert lag.exact is (squared_cv == 1)


# The same near saturation, and longer, where chance takes long to average out.
@pytest.mark.slow
@pytest.mark.parametrize(("load", "arrivals", "squared_cv"), [(0.9, 1.0, 1.0), (0.9, 10.0, 1.0), (0.9, 50.0, 1.0), (0.8, 20.0, 4.0), (0.9, 10.0, 0.25)])  # fmt: skip
def test_flushes_near_saturation(load: float, arrivals: float, squared_cv: float) -> None:
    lag, lags = compared(load, arrivals, squared_cv, 1, batch=1.0, writes=3_000_000)
    assert lag.applied.mean == pytest.approx(math.fsum(lags) / len(lags), rel=0.02)
    assert lag.applied.percentile(0.99) == pytest.approx(lags[int(0.99 * len(lags))], rel=0.05)


# Several appliers behind flushes, exponential applies: exact, so that nothing but noise is left.
@pytest.mark.parametrize(("load", "arrivals", "appliers"), [(0.7, 30.0, 4), (0.7, 2.0, 4), (0.5, 3.0, 3), (0.5, 10.0, 8), (0.8, 100.0, 8), (0.3, 0.5, 4)])  # fmt: skip
def test_parallel_flushes(load: float, arrivals: float, appliers: int) -> None:
    lag, lags = compared(load, arrivals, 1.0, appliers, batch=1.0)
    mean, late = math.fsum(lags) / len(lags), lags[int(0.99 * len(lags))]
    assert lag.exact
    # Noise of so few writes: 1 % of means, 2 % of P99.
    assert lag.applied.mean == pytest.approx(mean, rel=0.015)
    assert lag.applied.percentile(0.99) == pytest.approx(late, rel=0.03)


# Other applies on several appliers: as far off as is said, 3.5 % and 10 %, besides noise.
@pytest.mark.parametrize("squared_cv", [0.0, 0.25, 4.0])
@pytest.mark.parametrize(("load", "arrivals", "appliers"), [(0.7, 2.0, 3), (0.5, 10.0, 8), (0.7, 30.0, 3)])
def test_other_parallel_flushes(squared_cv: float, load: float, arrivals: float, appliers: int) -> None:
    lag, lags = compared(load, arrivals, squared_cv, appliers, batch=1.0)
    assert not lag.exact
    assert "3.5 %" in lag.error
    noise = 0.01 * (1 + squared_cv / 4)
    assert lag.applied.mean == pytest.approx(math.fsum(lags) / len(lags), rel=0.035 + noise)
    assert lag.applied.percentile(0.99) == pytest.approx(lags[int(0.99 * len(lags))], rel=0.10 + 2 * noise)


# Batches in one queue: the mean of Burke 1975, and with several appliers what M^X/M/c says.
@pytest.mark.parametrize("batch", [2.0, 8.0])
@pytest.mark.parametrize("squared_cv", [0.0, 1.0, 4.0])
def test_batches(batch: float, squared_cv: float) -> None:
    service = from_moments(1.0, squared_cv)
    lag = replica_lag(0.6, service, batch=batch)
    wait = batch_wait_mean(0.6 / batch, batch, (batch - 1) / batch, service)
    assert lag.exact
    assert lag.applied.mean == pytest.approx(wait + 1, rel=1e-12)
    # Geometric batches of exponential applies are exponential applies of a batch: two appliers that are one.
    two = replica_lag(1.2, exponential(1.0), batch=batch, appliers=2)
    assert two.exact
    assert two.applied.mean > replica_lag(1.2, exponential(1.0), appliers=2).applied.mean


# Batches, with and without flushes, as simulated.
@pytest.mark.slow
@pytest.mark.parametrize(("arrivals", "squared_cv", "appliers"), [(0.0, 1.0, 1), (0.0, 4.0, 1), (0.0, 1.0, 4), (20.0, 1.0, 1), (2.0, 1.0, 1)])  # fmt: skip
def test_simulated_batches(arrivals: float, squared_cv: float, appliers: int) -> None:
    lag, lags = compared(0.6, arrivals, squared_cv, appliers, batch=8.0, writes=3_000_000)
    # Batches of eight leave a thousandth as many independent writes: 2 %.
    assert lag.applied.mean == pytest.approx(math.fsum(lags) / len(lags), rel=0.03)
    assert lag.applied.percentile(0.99) == pytest.approx(lags[int(0.99 * len(lags))], rel=0.06)


# The moments of a batch are those of a random sum, drawn.
def test_moments_of_a_batch() -> None:
    draws = random.Random(5)  # noqa: S311, nothing is kept secret
    sums = []
    for _ in range(200_000):
        total = draws.expovariate(1.0)
        while draws.random() < 0.75:
            total += draws.expovariate(1.0)
        sums.append(total)
    batch = Batch(exponential(1.0), 4.0)
    for order, noise in ((1, 0.01), (2, 0.03), (3, 0.08)):
        # A geometric sum of exponentials is exponential.
        assert batch.moment(order) == pytest.approx(math.factorial(order) * 4.0**order, rel=1e-12)
        assert batch.moment(order) == pytest.approx(math.fsum(s**order for s in sums) / len(sums), rel=noise)


# Without a flush interval the lag is that of the planner's model, and a short one changes it by its half.
@property_test
@given(st.floats(0.05, 0.9), st.sampled_from([0.0, 0.5, 1.0, 4.0]), st.floats(0, 1))
def test_without_flushes(load: float, squared_cv: float, network: float) -> None:
    service = from_moments(1.0, squared_cv)
    plain = apply_lag(load, service, 0.0, network)
    lag = replica_lag(load, service, network_delay=network)
    assert lag.exact
    assert lag.applied.mean == pytest.approx(plain.mean, rel=1e-12)
    late = plain.percentile(0.99)
    if not squared_cv:  # an inversion beside the kinks of a constant apply time, which that wait knows without
        late = network + constant_service(load, 1.0, 1).response_percentile(0.99)
    assert lag.applied.percentile(0.99) == pytest.approx(late, rel=1e-6)
    tiny = replica_lag(load, service, network_delay=network, flush_interval=1e-3)
    assert tiny.applied.mean == pytest.approx(plain.mean + 0.5e-3, rel=1e-5)


# The mean behind flushes never falls with the load, the interval or the irregularity of applies.
@property_test
@given(st.floats(0.05, 0.8), st.floats(0.01, 0.1), st.sampled_from([0.0, 0.5, 1.0, 4.0]), st.floats(0.1, 100), st.sampled_from([1, 3]))  # fmt: skip
def test_monotone(load: float, more: float, squared_cv: float, interval: float, appliers: int) -> None:
    def mean(rate: float, cv2: float, wait: float) -> float:
        return replica_lag(rate * appliers, from_moments(1.0, cv2), flush_interval=wait, appliers=appliers).applied.mean

    base = mean(load, squared_cv, interval)
    # The series and the integral behind the excess agree to 1e-3 of it.
    assert mean(load + more, squared_cv, interval) >= base * (1 - 1e-3)
    assert mean(load, squared_cv, interval * 1.3) >= base * (1 - 1e-3)
    if appliers == 1:
        assert mean(load, squared_cv + 0.5, interval) >= base * (1 - 1e-3)


# What flushes leave: all of it where they are rare against writes, and in constant steps what can be counted.
def test_excess() -> None:
    service = exponential(1.0)
    assert excess_at_ticks(0.5, service, 1e-4) == pytest.approx(1 - 0.5e-4 * 0.5, rel=1e-6)
    # A queue of one constant apply per tick and Poisson arrivals, looked at before them: M/D/1 at its departures.
    constant = ServiceTime((), ((1.0, 1.0),))
    probability, mean = 0.4, 0.0
    left = [1.0] + [0.0] * 400
    for _ in range(4000):
        come = [math.exp(-probability) * probability**j / math.factorial(j) for j in range(30)]
        after = [0.0] * 401
        for n, p in enumerate(left):
            if p > 1e-18:
                for j, q in enumerate(come):
                    after[min(max(n + j - 1, 0), 400)] += p * q
        moved = max(abs(a - b) for a, b in zip(left, after, strict=True))
        left = after
        if moved < 1e-14:
            break
    mean = math.fsum(n * p for n, p in enumerate(left))
    always = probability / (2 * (1 - probability))
    # Constant applies that fill a flush exactly put every jump of the work where the inversion looks: 0.0052 off.
    assert excess_at_ticks(probability, constant, 1.0) == pytest.approx(mean / always, abs=6e-3)


# Places that are still free for a random write of a flush, drawn.
@pytest.mark.parametrize("arrivals", [0.1, 3.0, 40.0])
def test_idle_places(arrivals: float) -> None:
    draws = random.Random(1)  # noqa: S311, nothing is kept secret
    total, count = 0.0, 100_000
    for _ in range(count):
        left, number, limit = draws.random() * arrivals, 0, 3
        while (left := left - draws.expovariate(1.0)) > 0:
            number += 1
        total += max(limit - number, 0)
    assert idle_places(arrivals, 3) == pytest.approx(total / count, abs=0.015)


# A replica that cannot keep up diverges: it says by how much, and how fast it falls behind.
def test_divergence() -> None:
    with pytest.raises(UnstableQueueError) as error:
        replica_lag(900.0, exponential(0.005), appliers=4)
    assert error.value.short == pytest.approx(0.5)
    assert lag_growth(900.0, 800.0) == pytest.approx(1 / 9)
    assert lag_growth(700.0, 800.0) == 0
    assert catch_up(60.0, 900.0, 800.0) is None
    with pytest.raises(ValueError, match="at least 1"):
        replica_lag(1.0, exponential(0.1), appliers=0)
    with pytest.raises(ValueError, match="lag >= 0"):
        catch_up(-1.0, 1.0, 1.0)


# What is behind by an hour at 75 % of its capacity needs three more.
@property_test
@given(st.floats(0.01, 0.99), st.floats(0, 1e5))
def test_catch_up(load: float, lag: float) -> None:
    assert catch_up(lag, 1000 * load, 1000.0) == pytest.approx(lag * load / (1 - load), rel=1e-9)


# One huge transaction in a thousand runs: writes behind it wait as said, and the queue is long as often as said.
def test_huge_transaction() -> None:
    draws = random.Random(3)  # noqa: S311, nothing is kept secret
    load, size = 0.6, 200.0
    recoveries, added, worst = [], [], []
    for _ in range(300):
        free, now, peak, total, count = size, 0.0, 0.0, 0.0, 0
        while True:
            now += draws.expovariate(load)
            if now >= free:
                break
            peak, total, count = max(peak, free - now), total + free - now, count + 1
            free += draws.expovariate(1.0)
        recoveries.append(free)
        worst.append(peak)
        added.append(total / count)
    found = huge_transaction(size, load)
    # 300 busy periods of deviation sqrt(200 * 2 * 0.6 / 0.4^3) = 61: 3.5 each way.
    assert found.recovery == pytest.approx(math.fsum(recoveries) / 300, abs=4 * 3.6)
    assert found.mean_added == pytest.approx(math.fsum(added) / 300, rel=0.05)
    # The next write comes 1.7 later; chance makes the peak 5 % higher.
    assert found.peak == pytest.approx(math.fsum(worst) / 300, rel=0.06)


# Rare huge transactions in M/G/1: mean wait by Pollaczek and Khinchine is that of triangles, and what was there.
@pytest.mark.parametrize("every", [1e5, 1e6])
def test_huge_transactions_in_the_mean(every: float) -> None:
    load, size = 0.5, 500.0
    rates = load, 1 / every
    mixed = ServiceTime(((rates[0] / sum(rates), 1, 1.0),), ((rates[1] / sum(rates), size),))
    wait = mgc_wait(sum(rates), mixed, 1).mean - MMc(load, 1.0, 1).wait_mean
    found = huge_transaction(size, load)
    assert found.mean_added * found.recovery / every == pytest.approx(wait, rel=0.05)


# Appliers that need not keep the order hardly notice one that is taken, unless the others are too few.
def test_out_of_order() -> None:
    assert huge_transaction(100.0, 0.7, 4, in_order=False).peak == 0
    late = huge_transaction(100.0, 0.9, 4, in_order=False)
    # Three of four can do 0.75: 0.15 of 100 s is left, and taken off at 0.1 per second.
    assert late.peak == pytest.approx(15.0)
    assert late.recovery == pytest.approx(100 + 150)
    assert huge_transaction(100.0, 0.9, 4).recovery == pytest.approx(1000.0)
    with pytest.raises(ValueError, match="utilization"):
        huge_transaction(1.0, 1.0)


# PostgreSQL that flushes every 200 ms (wal_writer_delay, commits not waited for): half to all of it is what was seen.
def test_measured_flushes() -> None:
    measured = {row["load"]: row for row in replication_cases("postgres_replication")["visibility_commit_off"]}
    lag = replica_lag(500.0, exponential(4e-6), network_delay=0.0004, flush_interval=0.2)
    seen = measured["500tps"]["lag_ms"]
    assert lag.applied.mean * 1e3 == pytest.approx(100.4, rel=0.01)
    # Probes that follow a flush are in step with it: the mean is higher than chance has it, the maximum a flush or two.
    assert lag.applied.mean * 1e3 < seen["mean"] < 200
    assert lag.applied.percentile(0.999) * 1e3 < seen["max"] < 2 * lag.applied.percentile(0.999) * 1e3


# PostgreSQL catching up: what was replayed as fast as measured drains under load in the time that was measured.
def test_measured_catch_up() -> None:
    cases = replication_cases("postgres_replication")
    replay = min(row["replay_MBps"] for row in cases["replay_drain"])
    under_load = cases["drain_under_load"]
    per_write = cases["replay_drain"][1]["wal_MB"] / (
        cases["replay_drain"][1]["tps"] * cases["replay_drain"][1]["secs"]
    )
    backlog = under_load["backlog_MB"] / per_write
    drain = catch_up(backlog / under_load["tps"], under_load["tps"], replay / per_write)
    # The replay of a cold cache was twice as slow as the rate it reached: the right order is what can be asked.
    assert drain is not None
    assert 0.4 * under_load["drain_s"] < drain < under_load["drain_s"]
