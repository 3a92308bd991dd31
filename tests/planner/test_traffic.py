from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.traffic import EndlessTrafficError
from models.cache import hits
from models.limits import rate_limit_rejection
from models.popularity import zipf
from tests.planner.systems import cache, database, external, file, planned, service, solved

QUEUE = {"kind": "queue", "partitions": 1000}

property_test = settings(max_examples=40)


# A call's count multiplies, also a fraction of it and also twice over; the rates are those of the peak.
def test_counts_multiply() -> None:
    tiers = {
        "web": service(0.0, calls=[{"to": "app", "count": 2.5}]),
        "app": service(0.0, calls=[{"to": "db", "count": 3, "writes": 0.25}]),
        "db": database(0.0),
    }
    found = solved(file(tiers, 40, peak_to_mean=2.0))
    assert [found.arrivals(name).rate for name in tiers] == pytest.approx([80, 200, 600])
    assert found.arrivals("db").read_rate == pytest.approx(450)
    assert found.arrivals("db").write_rate == pytest.approx(150)


# Each class makes its own calls only, and what every tier receives is told by class.
def test_classes_make_their_own_calls() -> None:
    calls = [{"to": "db", "classes": ["buy"], "count": 4, "writes": 0.5}, {"to": "db", "count": 1}]
    found = solved(file({"app": service(0.0, calls=calls), "db": database(0.0)}, {"browse": 100, "buy": 10}))
    assert found.arrivals("db").of("browse") == pytest.approx(100)
    assert found.arrivals("db").of("buy") == pytest.approx(50)
    assert found.arrivals("db").writes == pytest.approx({"browse": 0, "buy": 20})


# What a cache misses goes to its origin, and so does every write, which makes its object invalid.
@pytest.mark.parametrize("writes", [0.0, 0.2])
def test_misses_and_writes_go_to_the_origin(writes: float) -> None:
    tiers = {
        "app": service(0.0, calls=[{"to": "redis", "count": 2, "writes": writes}]),
        "redis": cache("db", memory=100_000.0, popularity=0.8, ttl=20.0),
        "db": database(0.0),
    }
    found = solved(file(tiers, 500))
    hit = hits(zipf(1000, 0.8), 1000 * (1 - writes), 100.0, ttl=20.0, write_rate=1000 * writes).hit_ratio
    assert 0.1 < hit < 0.9
    assert found.arrivals("db").read_rate == pytest.approx(1000 * (1 - writes) * (1 - hit))
    assert found.arrivals("db").write_rate == pytest.approx(1000 * writes)


# A queue passes on each message once; its consumers and what they call receive them.
def test_queue_passes_on() -> None:
    tiers = {
        "app": service(0.0, calls=[{"to": "orders", "count": 0.1}]),
        "orders": QUEUE | {"consumers": "worker"},
        "worker": service(0.0, calls=[{"to": "courier", "count": 2}]),
        "courier": external(0.1),
    }
    found = solved(file(tiers, 300))
    assert [found.arrivals(name).rate for name in tiers] == pytest.approx([300, 30, 30, 60])


# A partner that takes an exponential time misses a timeout with exp(-timeout/mean): each try that fails is one call more.
@given(st.floats(0.01, 1.0), st.integers(0, 4))
@property_test
def test_timeouts_multiply_calls(timeout: float, retries: int) -> None:
    calls = [{"to": "partner", "timeout": timeout, "retries": retries}]
    found = solved(file({"app": service(0.0, calls=calls), "partner": external(0.2)}, 100))
    failed = np.exp(-timeout / 0.2)
    assert found.arrivals("partner").rate == pytest.approx(100 * sum(failed**i for i in range(retries + 1)), rel=1e-6)


# Two calls to one partner, of which only one is tried again: the other goes on as often as it is written.
@pytest.mark.parametrize("order", [1, -1])
def test_only_the_call_that_retries_is_multiplied(order: int) -> None:
    calls = [{"to": "partner"}, {"to": "partner", "timeout": 0.05, "retries": 3}][::order]
    found = solved(file({"app": service(0.0, calls=calls), "partner": external(0.1)}, 10))
    failed = np.exp(-0.5)
    assert found.arrivals("partner").rate == pytest.approx(10 + 10 * (1 + failed + failed**2 + failed**3), rel=1e-6)


# Retries into a limiter that rejects: what arrives is what its own rejections make of it, a fixed point.
def test_rejections_are_tried_again() -> None:
    calls = [{"to": "partner", "retries": 2}]
    tiers = {"app": service(0.0, calls=calls), "partner": external(0.1, rate_limit=100.0, burst=5, overflow="reject")}
    rate = solved(file(tiers, 90)).arrivals("partner").rate
    turned_away = rate_limit_rejection(rate, 100.0, 5)
    assert rate == pytest.approx(90 * (1 + turned_away + turned_away**2), rel=1e-8)
    assert rate > 95


# Retries of calls that queueing makes late load the tier more, which makes more of them late: this has a fixed point
# (M/M/1: P(late) = exp(-(mu - lambda) timeout)) below some load. Where there is none, the tier is overloaded at every
# higher load too, and not on and off.
def test_retry_storm_is_overload_at_every_higher_load() -> None:
    calls = [{"to": "db", "timeout": 0.05, "retries": 3}]
    tiers = {"app": service(0.0, node="n8", calls=calls), "db": database(0.01)}
    rates = []
    for load in range(20, 100, 2):
        found = solved(file(tiers, load))
        rates.append(found.arrivals("db").rate)
        if rates[-1] < 100:
            late = np.exp(-(100 - rates[-1]) * 0.05)
            assert rates[-1] == pytest.approx(load * sum(late**i for i in range(4)), rel=1e-6)
    assert rates == sorted(rates)


# Work that comes back through a queue is the solution of linear equations: x = outside + gains x.
@given(st.just(0.0) | st.floats(1e-6, 0.9), st.floats(0.1, 2.0), st.just(0.0) | st.floats(1e-6, 0.5))
@property_test
def test_cycle_is_linear_algebra(again: float, notes: float, echo: float) -> None:
    gain = (again * notes + echo) if again * notes + echo < 0.97 else 0.0
    again, notes, echo = (again, notes, echo) if gain else (0.3, 1.0, 0.2)
    calls = [{"to": "jobs", "count": notes}]
    worker = service(0.0, calls=[{"to": "app", "count": again}, {"to": "more", "count": echo}])
    tiers = {
        "app": service(0.0, calls=calls),
        "jobs": QUEUE | {"consumers": "worker"},
        "worker": worker,
        "more": QUEUE | {"consumers": "worker"},
    }
    found = solved(file(tiers, 50))
    gains = np.array([[0, again], [notes, echo]])
    app, work = np.linalg.solve(np.eye(2) - gains, [50, 0])
    assert found.arrivals("app").rate == pytest.approx(app, rel=1e-9)
    assert found.arrivals("worker").rate == pytest.approx(work, rel=1e-9)


# A cycle that returns at least as much as it was given has no solution and says so, also in a plan.
@pytest.mark.parametrize("again", [1.0, 1.5])
def test_endless_traffic_is_an_error(again: float) -> None:
    tiers = {
        "app": service(0.001, calls=[{"to": "jobs"}]),
        "jobs": QUEUE | {"consumers": "worker"},
        "worker": service(0.001, calls=[{"to": "app", "count": again}]),
    }
    with pytest.raises(EndlessTrafficError, match="multiplies"):
        solved(file(tiers))
    with pytest.raises(EndlessTrafficError, match="multiplies"):
        planned(file(tiers))


# Burstiness of the users reaches the entry whole, what only a part of them reaches in part (thinning: 1 + p (c2 - 1)),
# and nothing behind a queue.
def test_burstiness_is_thinned() -> None:
    tiers = {
        "app": service(0.0, calls=[{"to": "db", "count": 0.25}, {"to": "jobs"}]),
        "db": database(0.0),
        "jobs": QUEUE | {"consumers": "worker"},
        "worker": service(0.0),
    }
    values = file(tiers, 100)
    values["workload"]["classes"]["page"]["burstiness"] = 5.0
    found = solved(values)
    assert [found.arrivals(name).squared_cv for name in ("app", "db", "worker")] == pytest.approx([5.0, 2.0, 1.0])


# Two classes of different burstiness at one tier: in proportion to their rates (Whitt 1983, asymptotic method).
def test_burstiness_of_classes_is_averaged() -> None:
    values = file({"app": service(0.0)}, {"calm": 300, "wild": 100})
    values["workload"]["classes"]["wild"]["burstiness"] = 9.0
    assert solved(values).arrivals("app").squared_cv == pytest.approx(3.0)
