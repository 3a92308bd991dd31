from __future__ import annotations

import heapq
import random

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.erlang import erlang_b
from models.impatience import impatient
from models.loss import finite_room
from models.queues import MMc
from models.service_time import ServiceTime, erlang, exponential, from_moments
from tests.cases import queue_case

property_test = settings(max_examples=25)


# The published Erlang A, on which two other programs agree, to their 1e-9.
def test_published() -> None:
    case = queue_case("erlang-a-120-100-th1")
    state = impatient(case["lambda"], 1 / case["mu"], case["n"], exponential(1 / case["theta"]))
    found = {
        "P(abandon)": state.abandonment,
        "P(wait)": state.wait_probability,
        "E[W] all": state.wait_mean,
        "Lq": state.queue_length,
    }
    for metric, entry in case["expected"].items():
        assert found[metric] == pytest.approx(entry["value"], rel=entry["tol_rel"])


# Erlang A holds eleven digits against its fifty-digit birth-death chain, from hardly any load to ten times too much.
@pytest.mark.parametrize("servers", [1, 7, 100])
@pytest.mark.parametrize("rho", [0.05, 0.9, 1.0, 1.2, 10.0])
@pytest.mark.parametrize("patience", [0.1, 1.0, 30.0])
def test_eleven_digits(servers: int, rho: float, patience: float) -> None:
    state = impatient(rho * servers, 1.0, servers, exponential(patience))
    with mpmath.workdps(50):
        load, term = mpmath.mpf(rho * servers), mpmath.mpf(1)
        states, theta, n = [term], 1 / mpmath.mpf(patience), 0
        while n < load * (1 + patience) + servers or term > states[servers] * mpmath.mpf(10) ** -40:
            n += 1
            term *= load / (min(n, servers) + max(n - servers, 0) * theta)
            states.append(term)
        whole = mpmath.fsum(states)
        waiting = mpmath.fsum((n - servers) * states[n] for n in range(servers, len(states))) / whole
        assert abs(state.queue_length / waiting - 1) < 1e-11
        assert abs(state.abandonment / (theta * waiting / load) - 1) < 1e-11
        assert abs(state.wait_probability / (mpmath.fsum(states[servers:]) / whole) - 1) < 1e-11


# What arrives is served or gives up; nearly endless patience is M/M/c, none at all is the loss system.
@property_test
@given(st.floats(0.05, 0.95), st.integers(1, 60))
def test_between_loss_and_endless(rho: float, servers: int) -> None:
    endless, patient = MMc(rho * servers, 1.0, servers), impatient(rho * servers, 1.0, servers, exponential(1e12))
    assert patient.wait_mean == pytest.approx(endless.wait_mean, rel=1e-8)
    assert patient.response_percentile(0.99) == pytest.approx(endless.response_percentile(0.99), rel=1e-8)
    hasty = impatient(rho * servers, 1.0, servers, exponential(1e-9))
    # Of those who find all busy, a share of servers * 1e-9 still is served in time.
    assert hasty.abandonment == pytest.approx(erlang_b(servers, rho * servers), rel=1e-6)


# More patience makes fewer leave and longer queues; the system is stable at any load, and Little's law holds.
@property_test
@given(
    st.floats(0.05, 20),
    st.integers(1, 100),
    st.floats(0.05, 20),
    st.sampled_from(["exp", "constant", "erlang", "wide"]),
)
def test_monotone(rho: float, servers: int, patience: float, kind: str) -> None:
    def shape(mean: float) -> ServiceTime:
        return {
            "exp": exponential(mean),
            "constant": ServiceTime((), ((1.0, mean),)),
            "erlang": erlang(4, mean),
            "wide": from_moments(mean, 6.0),
        }[kind]

    state, more = (impatient(rho * servers, 1.0, servers, shape(f * patience)) for f in (1.0, 1.2))
    assert more.abandonment <= state.abandonment * (1 + 1e-9)
    assert more.wait_mean >= state.wait_mean * (1 - 1e-9)
    assert state.throughput <= servers * (1 + 1e-9)
    if state.wait_probability > 1e-3:
        reach = state.wait_percentile(1 - 1e-9)
        area = float(state.wait.tail((np.arange(400) + 0.5) * reach / 400).sum()) * reach / 400
        # The midpoint rule over 400 steps of a tail that may jump at one of them.
        assert area == pytest.approx(state.wait_mean, rel=0.01)


# A constant patience, as a client's timeout, bounds every wait; whoever is served waited less.
def test_constant_patience() -> None:
    state = impatient(12.0, 1.0, 10, ServiceTime((), ((1.0, 0.5),)))
    assert state.wait_tail(0.499) > 0.1
    assert state.wait_tail(0.5) == 0
    assert state.wait_percentile(0.999) == pytest.approx(0.5, rel=1e-6)
    # Nobody can leave the short queue of M/M/10/10+n faster than it moves: between loss and endless room.
    assert finite_room(12.0, 1.0, 10, 1000).blocking < state.abandonment < erlang_b(10, 12.0)


# A simulation that shares nothing with the integrals agrees for patience that is constant, regular and wide.
@pytest.mark.parametrize("patience", [ServiceTime((), ((1.0, 0.5),)), erlang(3, 0.5), from_moments(0.8, 4.0)])
def test_simulated(patience: ServiceTime) -> None:
    draws, servers, rate, customers = random.Random(7), 5, 6.0, 200_000  # noqa: S311, nothing is kept secret
    free, now, left, waited, times = [0.0] * servers, 0.0, 0, 0.0, []
    for _ in range(customers):
        now += draws.expovariate(rate)
        wait, limit = max(free[0] - now, 0.0), drawn(patience, draws)
        waited += min(wait, limit)
        if wait >= limit:
            left += 1
            continue
        service = draws.expovariate(1.0)
        times.append(wait + service)
        heapq.heapreplace(free, now + wait + service)
    state = impatient(rate, 1.0, servers, patience)
    # 200,000 correlated customers: four standard deviations of the share are 0.006, of mean and P95 1.5 %.
    assert left / customers == pytest.approx(state.abandonment, abs=0.006)
    assert waited / customers == pytest.approx(state.wait_mean, rel=0.02)
    assert sorted(times)[int(0.95 * len(times))] == pytest.approx(state.response_percentile(0.95), rel=0.015)


def drawn(time: ServiceTime, draws: random.Random) -> float:
    u = draws.random()
    for weight, count, rate in time.phases:
        if u < weight:
            return draws.gammavariate(count, 1 / rate)
        u -= weight
    return time.constants[0][1]


# Input without a meaning is refused.
def test_senseless_input_is_refused() -> None:
    for wrong in ((0.0, 1.0, 1), (-1.0, 1.0, 1), (1.0, 0.0, 1), (1.0, 1.0, 0)):
        with pytest.raises(ValueError, match=r"rate|time|server"):
            impatient(*wrong, exponential(1.0))
