"""Replication and streams: quorums, lag behind flushes, rate limits."""

from __future__ import annotations

import math
from itertools import product
from typing import TYPE_CHECKING

from models.batches import batch_wait_mean
from models.limits import rate_limit_rejection
from models.messages import exponential_message
from models.quorum import Replica, alike
from models.quorum_reads import visible
from models.replica_lag import replica_lag
from models.service_time import from_moments
from tests.accuracy.comparison import Comparison, Family, relative
from tests.cases import cache_cases
from tests.models.test_limits import exact_rejection
from tests.models.test_quorum import PBS, REPLICAS, exact_exponential, quorum
from tests.models.test_quorum_reads import MEAN, QUORUMS, busy, exact_missed, lag_of, together
from tests.models.test_replica_lag import compared
from tests.planner.test_quorum import stored
from tests.planner.test_quorum import time as response
from tests.quorum_simulation import Store, simulated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Means = tuple[float, float, float, float]


def exact_quorums() -> Iterator[float]:
    """Compare shares of stale reads with exponential delays with integrals in 50 digits."""
    delays: tuple[Means, ...] = ((1.0, 1.0, 1.0, 1.0), (10.0, 1.0, 1.0, 1.0), (5.0, 2.0, 1.0, 0.5))
    for means in delays:
        for nodes, reads, writes in ((2, 1, 1), (3, 2, 1), (9, 3, 2)):
            found = alike(nodes, reads, writes, Replica(*(exponential_message(mean) for mean in means)))
            for after in (0.0, 0.7, 6.0):
                yield found.stale(after) - exact_exponential(means, nodes, reads, writes, after)


def drawn_quorums() -> Iterator[float]:
    """Compare consistent shares with trials."""
    for case in PBS["table"]:
        if case["model"] in REPLICAS and case["model"] != "YMMR":
            found = quorum(case["model"], case["N"], case["R"], case["W"])
            for name, after in (("p_t0", 0.0), ("p_t5", 5.0), ("p_t10", 10.0)):
                yield 1 - found.stale(after) - case["simulated"][name]


def published_latencies() -> Iterator[float]:
    """Compare P99.9 of reads and writes with the published table, beyond half of its last digit."""
    for case in PBS["table"]:
        found = quorum(case["model"], case["N"], case["R"], case["W"])
        for time, name in ((found.read_percentile, "read_p999_ms"), (found.write_percentile, "write_p999_ms")):
            value = case["published"][name]
            half_a_digit = 0.5 * 10.0 ** -len(str(value).partition(".")[2].rstrip("0"))
            yield max(abs(time(0.999) - value) - half_a_digit, 0.0) / value


def missed_by_quorums() -> Iterator[float]:
    """Compare how often a read of R members misses a write with the closed form for exponential lags."""
    for nodes, reads, writes in (*QUORUMS, (101, 2, 50), (1001, 3, 10)):
        for distance in (0.0, 0.002):
            found = visible(lag_of(distance), nodes, reads, writes, distance)
            for after in (1e-9, 0.001, 0.005, 0.02, 0.05):
                exact = exact_missed(nodes, reads, writes, after, distance)
                if exact > 1e-9:
                    yield relative(found.exceeds(after), exact)


def slowest_members() -> Iterator[float]:
    """Compare percentiles of the slowest of R members that are M/M/1 with powers of an exponential distribution."""
    for nodes, reads in ((3, 2), (3, 3), (5, 2), (7, 4)):
        for use in (0.1, 0.5, 0.9):
            member, mean = busy(use / MEAN), MEAN / (1 - use)
            found = together(member, member, nodes, reads)
            for p in (0.5, 0.9, 0.99, 0.999):
                yield relative(found.percentile(p), -mean * math.log1p(-(p ** (1 / reads))))


def stores(writes: float, *, seed: int = 11) -> Callable[[], Iterator[float]]:
    """Return a measure of mean and p99 of reads and writes by quorum against a simulation message by message."""

    def errors() -> Iterator[float]:
        for nodes, reads, needed in ((3, 2, 2), (5, 3, 3)):
            load = 0.3 / 50 * writes
            asked = (load * 2 - writes * 0.002) / (reads / nodes * 0.002)
            seen = simulated(
                Store(nodes, reads, needed, asked, writes, 0.002, 0.004, 0.002, 0.001, keys=20), 300_000, seed
            )
            rate = asked + writes
            values = stored(rate, writes / rate, nodes - 1, read_quorum=reads, write_quorum=needed)
            for operation, sample in (("read", seen.reading), ("write", seen.writing)):
                found = response(values, operation)
                yield relative(found.mean, sample.mean)
                yield relative(found.percentile(0.99), sample.percentile(0.99))

    return errors


def flushes(
    appliers: tuple[int, ...], fraction: float | None, *, writes: int, squared_cvs: tuple[float, ...] = (1.0,)
) -> Callable[[], Iterator[float]]:
    """Return a measure of the mean lag behind flushes, or of a percentile, against a simulation write by write."""

    def errors() -> Iterator[float]:
        for servers, squared_cv in product(appliers, squared_cvs):
            for load, arrivals in ((0.3, 0.5), (0.5, 10.0), (0.7, 2.0), (0.7, 30.0), (0.8, 100.0)):
                lag, lags = compared(load, arrivals, squared_cv, servers, batch=1.0, writes=writes)
                if fraction is None:
                    yield relative(lag.applied.mean, math.fsum(lags) / len(lags))
                else:
                    yield relative(lag.applied.percentile(fraction), lags[int(fraction * len(lags))])

    return errors


def batches() -> Iterator[float]:
    """Compare the mean lag of batches with the exact one."""
    for batch in (1.0, 2.0, 8.0):
        for squared_cv in (0.0, 1.0, 4.0):
            service = from_moments(1.0, squared_cv)
            exact = batch_wait_mean(0.6 / batch, batch, (batch - 1) / batch, service) + 1
            yield relative(replica_lag(0.6, service, batch=batch).applied.mean, exact)


def published_rejections() -> Iterator[float]:
    """Compare what a token bucket turns away with figures of seven digits."""
    for case in cache_cases("rate_limit"):
        if case["kind"] == "token_bucket":
            yield relative(rate_limit_rejection(case["rho"], 1.0, case["burst"]), case["reject_exact"])


def exact_rejections() -> Iterator[float]:
    """Compare what a token bucket turns away with the alternating sum in enough digits."""
    for rho in (0.3, 0.7, 0.9, 0.99, 1.0, 1.1, 2.0):
        for burst in (1, 5, 20, 100):
            exact = exact_rejection(rho, burst)
            if exact > 1e-9:
                yield relative(rate_limit_rejection(rho, 1.0, burst), exact)


FAMILY = Family(
    "Replication and streams",
    50,
    "`models.quorum`, `models.quorum_reads`, `models.replica_lag`, `models.limits`; [replication](theory/replication.md), "
    "[streams](theory/streams.md).",
    (
        Comparison(
            law="quorum: share of stale reads, exponential delays",
            against="integrals in 50 digits",
            region="2 to 9 nodes, until 6 mean delays after the write",
            measure=exact_quorums,
            bar=1e-4,
            kind="absolute",
        ),
        Comparison(
            law="quorum: share of consistent reads, measured delays",
            against="2 million trials",
            region="fits of Bailis et al. 2012 to LinkedIn's disks and SSDs, 0 to 10 ms after the write",
            measure=drawn_quorums,
            bar=1.5e-3,
            kind="absolute",
            note="4 standard errors of the trials are 1.4e-3",
        ),
        Comparison(
            law="quorum: P99.9 of reads and writes",
            against="Bailis et al. 2012, table 4, beyond its last digit",
            region="all rows: LinkedIn, Yammer, WAN",
            measure=published_latencies,
            bar=3e-2,
            note="their figures are of 50,000 trials",
        ),
        Comparison(
            law="reads of R members: share that misses a write, exponential lags",
            against="closed form in 50 digits",
            region="3 to 1,001 members, until 5 mean lags after the write",
            measure=missed_by_quorums,
            bar=1e-6,
        ),
        Comparison(
            law="reads of R members: the slowest of independent M/M/1",
            against="closed form",
            region="2 of 3 to 4 of 7, utilization 0.1 to 0.9, p50 to p99.9",
            measure=slowest_members,
            bar=1e-3,
        ),
        Comparison(
            law="reads and writes by quorum: mean and p99",
            against="simulation message by message, 300,000",
            region="2 of 3 and 3 of 5; busiest cores 35 and 58 % used",
            measure=lambda: (error for writes in (50.0, 50.0 / 0.6) for error in stores(writes)()),
            bar=5e-2,
            slow=True,
        ),
        Comparison(
            law="reads and writes by quorum, busy: mean and p99",
            against="simulation message by message, 300,000",
            region="2 of 3 and 3 of 5; busiest cores 82 % used",
            measure=stores(50.0 / 0.3 * 0.7),
            bar=5e-2,
            slow=True,
            note="means are high: members are busy together",
        ),
        Comparison(
            law="replica lag of batches: mean",
            against="Burke 1975 (exact)",
            region="batches of 1 to 8, squared CV 0 to 4",
            measure=batches,
            bar=1e-9,
        ),
        Comparison(
            law="replica lag behind flushes, one applier: mean",
            against="simulation write by write, 1 million",
            region="utilization 0.3 to 0.8, half a write to 100 a flush",
            measure=flushes((1,), None, writes=1_000_000),
            bar=1e-2,
            slow=True,
        ),
        Comparison(
            law="replica lag behind flushes, one applier: P99",
            against="simulation write by write, 1 million",
            region="utilization 0.3 to 0.8, half a write to 100 a flush",
            measure=flushes((1,), 0.99, writes=1_000_000),
            bar=3e-2,
            slow=True,
        ),
        Comparison(
            law="replica lag behind flushes, several appliers: mean",
            against="simulation write by write, 1 million",
            region="3 and 8 appliers, utilization 0.3 to 0.8",
            measure=flushes((3, 8), None, writes=1_000_000),
            bar=1e-2,
            slow=True,
            note="exponential applies: exact",
        ),
        Comparison(
            law="replica lag behind flushes, several appliers: P99",
            against="simulation write by write, 1 million",
            region="3 and 8 appliers, utilization 0.3 to 0.8",
            measure=flushes((3, 8), 0.99, writes=1_000_000),
            bar=3e-2,
            slow=True,
            note="exponential applies: exact",
        ),
        Comparison(
            law="replica lag behind flushes, several appliers, other applies: mean",
            against="simulation write by write, 400,000",
            region="3 and 8 appliers, utilization 0.3 to 0.8, squared CV 0, 0.25 and 4",
            measure=flushes((3, 8), None, writes=400_000, squared_cvs=(0.0, 0.25, 4.0)),
            bar=3.5e-2,
            slow=True,
        ),
        Comparison(
            law="replica lag behind flushes, several appliers, other applies: P99",
            against="simulation write by write, 400,000",
            region="3 and 8 appliers, utilization 0.3 to 0.8, squared CV 0, 0.25 and 4",
            measure=flushes((3, 8), 0.99, writes=400_000, squared_cvs=(0.0, 0.25, 4.0)),
            bar=0.1,
            slow=True,
        ),
        Comparison(
            law="token bucket: share turned away",
            against="published figures of seven digits",
            region="all published cases",
            measure=published_rejections,
            bar=1e-6,
        ),
        Comparison(
            law="token bucket: share turned away, any bucket",
            against="alternating sum with enough digits",
            region="1 to 100 tokens, 0.3 to 2 times the limit",
            measure=exact_rejections,
            bar=1e-6,
        ),
    ),
)
