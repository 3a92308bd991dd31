from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.erlang import erlang_b
from models.queues import MMc
from models.service_time import from_moments
from tests.planner.systems import Values, changed, database, evaluated, external, file, service, solved

property_test = settings(max_examples=30)


def calling(*calls: Values, rates: float = 100, **tiers: Any) -> Values:
    """Return a file whose first tier only calls."""
    return file({"app": service(0.0, calls=list(calls))} | tiers, rates)


# A partner with a constant time is a constant; with an exponential one, the class is exponential.
def test_partner_is_a_pure_delay() -> None:
    page = evaluated(calling({"to": "p"}, p=external(0.2, variability=0.0))).classes["page"]
    assert [page.mean_s, page.p50_s, page.p999_s] == pytest.approx([0.2] * 3)
    page = evaluated(calling({"to": "p"}, p=external(0.2))).classes["page"]
    assert page.p99_s == pytest.approx(0.2 * math.log(100), rel=1e-6)


# Variability keeps the mean and is the conventional distribution of its two moments: here the mixture of exponentials.
def test_partner_variability() -> None:
    page = evaluated(calling({"to": "p"}, p=external(0.2, variability=4.0))).classes["page"]
    assert page.mean_s == pytest.approx(0.2)
    assert page.p99_s is not None
    tail = sum(w * math.exp(-rate * page.p99_s) for w, _, rate in from_moments(0.2, 4.0).phases)
    assert tail == pytest.approx(0.01, rel=1e-5)


# Calls in a row add: three to an exponential partner are Erlang with three phases; a fraction mixes two and three.
def test_calls_in_a_row() -> None:
    def tail(phases: int, t: float) -> float:
        return math.exp(-t / 0.1) * sum((t / 0.1) ** k / math.factorial(k) for k in range(phases))

    page = evaluated(calling({"to": "p", "count": 3}, p=external(0.1))).classes["page"]
    assert page.p99_s is not None
    assert tail(3, page.p99_s) == pytest.approx(0.01, rel=1e-5)
    page = evaluated(calling({"to": "p", "count": 2.25}, p=external(0.1))).classes["page"]
    assert page.p99_s is not None
    assert page.mean_s == pytest.approx(0.225)
    assert 0.75 * tail(2, page.p99_s) + 0.25 * tail(3, page.p99_s) == pytest.approx(0.01, rel=1e-5)


# A parallel group ends with its slowest call: the maximum of exponentials has mean 1 + 1/2 + 1/3 (0.1 % on the grid).
def test_parallel_calls_take_the_maximum() -> None:
    calls = [{"to": name, "parallel": "all"} for name in ("a", "b", "c")]
    tiers: Values = {name: external(0.1) for name in ("a", "b", "c")}
    page = evaluated(calling(*calls, **tiers)).classes["page"]
    assert page.mean_s == pytest.approx(0.1 * (1 + 1 / 2 + 1 / 3), rel=1e-3)
    assert page.p99_s == pytest.approx(-0.1 * math.log(1 - 0.99 ** (1 / 3)), rel=1e-3)
    one = evaluated(calling({"to": "a", "parallel": "all"}, {"to": "b"}, a=external(0.1), b=external(0.1)))
    row = evaluated(calling({"to": "a"}, {"to": "b"}, a=external(0.1), b=external(0.1)))
    assert one.classes == row.classes


# A timeout cuts: with p = P(later than the timeout), tries end with p + p**2 + ..., and each failed one costs the
# timeout. Closed form for an exponential partner.
@given(st.floats(0.02, 0.5), st.integers(0, 3))
@property_test
def test_timeouts_shape_the_latency(timeout: float, retries: int) -> None:
    page = evaluated(calling({"to": "p", "timeout": timeout, "retries": retries}, p=external(0.1))).classes["page"]
    failed = math.exp(-timeout / 0.1)
    one = 0.1 * (1 - failed)  # the mean of the lesser of the partner's time and the timeout
    assert page.mean_s == pytest.approx(one * sum(failed**i for i in range(retries + 1)), rel=1e-6)
    assert page.p999_s is not None
    assert page.p999_s <= (retries + 1) * timeout * (1 + 1e-9)


# Of two callers with unlike timeouts, the one whose tries are cut more often tells the share; who has none tells nothing.
def test_the_largest_share_of_timeouts() -> None:
    calls: list[Values] = [{"to": "p", "timeout": 0.5}, {"to": "p", "timeout": 0.05}, {"to": "p"}, {"to": "calm"}]
    shares = solved(calling(*calls, p=external(0.1), calm=external(0.1))).timed_out_shares
    assert shares == {"p": pytest.approx(math.exp(-0.5), rel=1e-9)}


# Whatever the call is to, it never takes longer than all of its tries; a slow partner only ends in more timeouts.
@given(st.floats(0.001, 1.0), st.sampled_from([0.0, 0.3, 1.0, 6.0]), st.floats(0.05, 0.4), st.integers(0, 2))
@property_test
def test_timeouts_bound_the_latency(mean: float, variability: float, timeout: float, retries: int) -> None:
    call = {"to": "p", "timeout": timeout, "retries": retries}
    page = evaluated(calling(call, p=external(mean, variability=variability))).classes["page"]
    assert page.mean_s is not None
    assert page.p999_s is not None
    assert page.mean_s <= (retries + 1) * timeout * (1 + 1e-9)
    assert page.p999_s <= (retries + 1) * timeout * (1 + 1e-6)


# A timeout that is never reached changes nothing.
def test_idle_timeout() -> None:
    db = database(0.002)
    patient = evaluated(calling({"to": "db", "timeout": 60.0, "retries": 3}, db=db))
    assert patient.classes == evaluated(calling({"to": "db"}, db=db)).classes


# A rate limit that queues is M/D/1: mean wait rho / (2 (1 - rho)) of a slot. Its ceiling is the limit itself.
def test_rate_limit_queues() -> None:
    values = calling({"to": "p"}, p=external(0.1, rate_limit=125.0))
    found = evaluated(values)
    assert found.classes["page"].mean_s == pytest.approx(0.1 + 0.8 / 0.2 / 2 / 125, rel=1e-6)
    assert found.tiers["p"].binding == "rate"
    assert found.tiers["p"].utilization == pytest.approx(0.8)
    assert evaluated(changed(values, "slo.utilization", 0.5)).feasible
    full = evaluated(changed(values, "components.p.rate_limit", 100.0))
    assert not full.feasible
    assert full.classes["page"].mean_s is None


# A concurrency limit that queues is M/M/c of its places.
def test_concurrency_limit_queues() -> None:
    found = evaluated(calling({"to": "p"}, p=external(0.1, concurrency_limit=12)))
    assert found.classes["page"].p99_s == pytest.approx(MMc(100, 0.1, 12).response_percentile(0.99), rel=1e-5)
    assert found.tiers["p"].binding == "concurrency"
    assert found.tiers["p"].utilization == pytest.approx(10 / 12)


# A concurrency limit that rejects is Erlang's loss system; what stays under the limit is reported as turned away.
def test_concurrency_limit_rejects() -> None:
    found = evaluated(calling({"to": "p"}, p=external(0.1, concurrency_limit=12, overflow="reject")))
    assert found.tiers["p"].details["rejected_fraction"] == pytest.approx(erlang_b(12, 10.0))
    assert "rejected" in [w.code for w in found.warnings]


# A partner holds rate times latency of our threads (Little).
def test_threads_held() -> None:
    found = evaluated(calling({"to": "p", "count": 2}, p=external(0.3)))
    assert found.tiers["p"].details["threads_held"] == pytest.approx(60)


# Retries make a partner that is close to its limit exceed it: load that nobody asked for counts.
def test_retries_count_against_the_limit() -> None:
    call = {"to": "p", "timeout": 0.1, "retries": 1}
    found = evaluated(calling(call, rates=100, p=external(0.1, concurrency_limit=20, overflow="reject")))
    assert found.tiers["p"].arrival_rate_per_s > 100 * (1 + math.exp(-1)) * 0.999


# Three visits in a row to an M/M/1 tier have three times the mean of one, whatever their waits share.
def test_visits_in_a_row_add_their_means() -> None:
    db = database(0.01)
    found = solved(calling({"to": "db", "count": 3}, rates=25, db=db))
    latency = found.latency("app", "page", "read")
    assert latency is not None
    assert latency.mean == pytest.approx(3 / (100 - 75))
