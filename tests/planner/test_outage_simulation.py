"""The simulation of outages against what is known without it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from models.erlang import erlang_b, erlang_c
from models.retries import metastable_from, tipping_outage
from tests.planner.outage_simulation import Call, Callee, Observed, RequestClass, constant, exponential, simulate

if TYPE_CHECKING:
    from tests.planner.outage_simulation import Draw


def mmc_response(servers: int, load: float) -> float:
    """Return the mean response of M/M/c in units of the mean service."""
    return 1 + erlang_c(servers, load) / (servers - load)


# Computing alone is M/M/c, one exponential time on one core.
@pytest.mark.parametrize(("cores", "load"), [(1, 0.6), (4, 3.2)])
def test_cores(cores: int, load: float) -> None:
    seen = simulate({"all": RequestClass(load, 1.0)}, cores=cores, until=16_000, warm_up=200, seed=1)["all"]
    assert seen.responses().mean() == pytest.approx(mmc_response(cores, load), rel=0.05)
    assert seen.throughput == pytest.approx(load, rel=0.03)
    assert seen.share_failed() < 1e-3  # only who is still there at the end


# One server, and nothing else that takes time: the whole distribution is exponential.
def test_distribution() -> None:
    partner = Callee(exponential(1.0), servers=1)
    kind = RequestClass(0.5, 0.0, Call(partner))
    times = simulate({"all": kind}, until=60_000, warm_up=100, seed=2)["all"].responses()
    assert np.quantile(times, [0.5, 0.9, 0.99]) == pytest.approx(-2 * np.log([0.5, 0.1, 0.01]), rel=0.05)


# Threads that only wait for a partner are servers: M/M/T, whose threads in use are the load.
def test_threads_before_a_delay() -> None:
    kind = RequestClass(8.0, 0.0, Call(Callee(exponential(1.0))))
    seen = simulate({"all": kind}, threads=10, until=4_000, warm_up=100, seed=3)["all"]
    assert seen.responses().mean() == pytest.approx(mmc_response(10, 8.0), rel=0.05)
    assert seen.threads == pytest.approx(8.0, rel=0.03)
    assert seen.threads == pytest.approx(seen.calling, rel=1e-9)


# What a pool turns away is Erlang's loss, however the time in the call is distributed.
@pytest.mark.parametrize(
    "hold",
    [exponential(1.0), constant(1.0), lambda draws: draws.choice([0.1, 4.6], p=[0.8, 0.2])],
    ids=["exponential", "constant", "short-or-long"],
)
def test_pool_is_erlang_loss(hold: Draw) -> None:
    kind = RequestClass(8.0, 0.0, Call(Callee(hold), pool=10))
    seen = simulate({"all": kind}, until=5_000, warm_up=50, seed=4)["all"]
    lost = erlang_b(10, 8.0)
    assert seen.share_failed() == pytest.approx(lost, rel=0.06)
    assert seen.calling == pytest.approx(8.0 * (1 - lost), rel=0.02)
    assert seen.throughput == pytest.approx(8.0 * (1 - lost), rel=0.02)
    assert seen.most_calling == 10


# Little's law: who is there is who comes times how long they stay, with everything in play at once.
def test_little() -> None:
    station = Callee(exponential(0.3), servers=3)
    classes = {
        "calling": RequestClass(6.0, 0.2, Call(station, timeout=1.0, retries=1, pool=8)),
        "patient": RequestClass(2.0, 0.1, Call(station)),
        "alone": RequestClass(5.0, 0.1),
    }
    seen = simulate(classes, threads=14, cores=3, until=5_000, warm_up=100, seed=5)
    for name, kind in classes.items():
        assert seen[name].present == pytest.approx(kind.rate * seen[name].responses().mean(), rel=0.03)
    assert 0.01 < seen["calling"].share_failed() < 0.5
    assert sum(observed.threads for observed in seen.values()) <= 14


# A call that is given up takes its timeout: an exponential partner fails exp(-timeout) of the tries.
def test_timeout_and_retries() -> None:
    kind = RequestClass(20.0, 0.0, Call(Callee(exponential(1.0)), timeout=1.0, retries=2))
    seen = simulate({"all": kind}, until=2_000, warm_up=10, seed=6)["all"]
    fails = math.exp(-1)
    tries = 1 + fails + fails**2
    assert seen.tries / 20 == pytest.approx(tries, rel=0.01)
    assert seen.share_failed() == pytest.approx(fails**3, rel=0.05)
    assert seen.responses().mean() == pytest.approx((1 - fails) * tries, rel=0.01)
    assert seen.responses().max() == pytest.approx(3.0, rel=1e-9)


# What is given up is still worked off: so little patience that all give up leaves a queue as it is with all of it.
def test_abandoned_work_is_done() -> None:
    station = Callee(exponential(1.0), servers=2)
    classes = {
        "hasty": RequestClass(0.8, 0.0, Call(station, timeout=1e-9)),
        "patient": RequestClass(0.8, 0.0, Call(station)),
    }
    seen = simulate(classes, until=16_000, warm_up=200, seed=7)
    assert seen["patient"].responses().mean() == pytest.approx(mmc_response(2, 1.6), rel=0.06)
    assert seen["hasty"].share_failed() == 1


def hung(
    *, threads: int, until: float = 300.0, timeout: float = math.inf, retries: int = 0, pool: int | None = None
) -> tuple[Observed, Observed]:
    """Let 10 of 30 requests per second call a partner that hangs from second 100 on; measured from second 130 on."""
    partner = Callee(constant(0.05), outage=(100.0, math.inf))
    classes = {
        "calling": RequestClass(10.0, 0.01, Call(partner, timeout, retries, pool)),
        "other": RequestClass(20.0, 0.01),
    }
    seen = simulate(classes, threads=threads, cores=8, until=until, warm_up=130.0, seed=8)
    return seen["calling"], seen["other"]


# Without a timeout a hung partner takes every thread, after about threads / rate seconds, and all others with it.
def test_hung_partner_takes_all_threads() -> None:
    calling, other = hung(threads=200)
    full = 100 + 200 / 10
    assert other.share_failed(0, full - 5) == 0
    assert other.responses(0, full - 5).max() < 0.5
    assert other.share_failed(full + 5, 300) == 1
    assert calling.share_failed(0, 99) == 0
    assert calling.share_failed(100, 300) == 1
    assert calling.threads == pytest.approx(200, abs=1)
    assert calling.throughput == 0


# With a timeout they are held for all tries: rate * (retries + 1) * timeout of them, if there are as many.
@pytest.mark.parametrize(("timeout", "retries"), [(2.0, 0), (1.0, 3), (2.0, 4)])
def test_hung_partner_with_timeout(timeout: float, retries: int) -> None:
    calling, other = hung(threads=300, timeout=timeout, retries=retries, until=450.0)
    assert calling.calling == pytest.approx(10 * (retries + 1) * timeout, rel=0.06)
    assert calling.tries == pytest.approx(10 * (retries + 1), rel=0.06)
    assert calling.share_failed() == 1
    assert other.share_failed(0, 440) == 0
    assert other.responses().max() < 0.5


# With a pool they are held by so many at most, and the others do not notice.
def test_hung_partner_with_pool() -> None:
    calling, other = hung(threads=20, pool=12)
    assert calling.most_calling == 12
    assert calling.calling == pytest.approx(12, abs=1e-9)
    assert calling.threads <= 13
    assert calling.responses(130, 300).max() < 0.2  # turned away at once
    assert other.share_failed(0, 290) == 0
    assert other.responses().max() < 0.5


# An outage that ends lets go of delays in progress at its end; servers go on with what they have in hand.
@pytest.mark.parametrize(
    ("servers", "start", "hold", "end"),
    [
        (None, 0, 1, 1), (None, 5, 5, 10), (None, 5, 6, 20), (None, 15, 1, 20), (None, 15, 9, 24), (None, 20, 1, 21),
        (1, 0, 1, 1), (1, 5, 5, 10), (1, 5, 6, 21), (1, 15, 1, 21), (1, 15, 9, 29), (1, 20, 1, 21),
    ],
)  # fmt: skip
def test_end_of_outage(servers: int | None, start: float, hold: float, end: float) -> None:
    assert Callee(constant(hold), servers, (10.0, 20.0)).end(start, hold) == end


CAPACITY = 150.0
"""Tries per second that the station of the following tests can do: enough for its own noise to be small."""


def after_outage(load: float, retries: int, outage: float, seed: int, patience: float = 25.0) -> tuple[float, float]:
    """Return the share that failed before an outage, and at the end of the time that follows; the timeout is 1 s."""
    end = 20 + outage
    station = Callee(exponential(8 / CAPACITY), servers=8, outage=(20.0, end))
    kind = RequestClass(load * CAPACITY, 0.0, Call(station, timeout=1.0, retries=retries))
    last = end + patience
    # Some seconds more, so that who is looked at has ended.
    seen = simulate({"all": kind}, until=last + retries + 2, seed=seed)["all"]
    return seen.share_failed(0, 18.0), seen.share_failed(last - 4, last)


# Between capacity / (1 + retries) and capacity: stable, and back after a short outage, but down for ever after a long one.
@pytest.mark.parametrize(("load", "retries"), [(0.6, 1), (0.8, 1), (0.7, 3), (0.3, 5), (0.1, 20)])
@pytest.mark.parametrize("seed", [9, 10])
def test_metastable(load: float, retries: int, seed: int) -> None:
    tipping = tipping_outage(load * CAPACITY, CAPACITY, 1.0, retries)
    assert tipping is not None
    assert after_outage(load, retries, 0.5 * tipping, seed) == (0, 0)
    before, down = after_outage(load, retries, 1.5 * tipping, seed)
    assert before == 0
    assert down > 0.99


# Below that, it comes back from anything: every try of an outage of thirty timeouts is worked off in the end.
@pytest.mark.parametrize(("load", "retries"), [(0.4, 1), (0.2, 3)])
def test_always_recovers(load: float, retries: int) -> None:
    assert load * CAPACITY < metastable_from(CAPACITY, retries)
    # The backlog of the outage goes at what all tries together leave free.
    drained = 30 * load * (1 + retries) / (1 - load * (1 + retries))
    assert after_outage(load, retries, 30.0, 11, patience=1.3 * drained + 30) == (0, 0)
