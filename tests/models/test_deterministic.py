from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.deterministic import ConstantServiceWait, constant_service
from models.erlang import UnstableQueueError
from models.queues import MMc
from models.transforms import Points
from tests.cases import queue_case

property_test = settings(max_examples=40)


# Constant service on one to fifty servers: the mean of the embedded chain, as another program computes it to 1e-6.
@pytest.mark.parametrize("name", ["c1-rho0.8", "c2-rho0.5", "c2-rho0.9", "c10-rho0.9", "c25-rho0.8", "c50-rho0.9"])
def test_published(name: str) -> None:
    case = queue_case(f"exact-mdc-{name}")
    state = constant_service(case["lambda"], case["D"], case["c"])
    assert state.wait_mean == pytest.approx(case["expected"]["Wq"]["value"], rel=case["expected"]["Wq"]["tol_rel"])
    assert state.queue_length == pytest.approx(case["expected"]["Lq"]["value"], rel=case["expected"]["Lq"]["tol_rel"])


# The published probability of a wait on four servers at utilization 0.9, to its two digits (0.777 is printed 0.78).
def test_published_wait_probability() -> None:
    case = queue_case("whitt93-pw-md4")
    found = constant_service(case["rho"] * case["servers"], 1.0, case["servers"]).wait_probability
    assert found == pytest.approx(case["expected"]["P(W>0)"]["value"], abs=case["expected"]["P(W>0)"]["tol_abs"])


# One server is M/D/1: Pollaczek and Khinchine's mean and variance, and Erlang's tail to fifty digits.
@pytest.mark.parametrize("rho", [0.1, 0.5, 0.9, 0.99, 1 - 1e-6])
def test_one_server(rho: float) -> None:
    state = constant_service(rho / 0.5, 0.5, 1)
    assert state.wait_mean == pytest.approx(rho * 0.5 / (2 * (1 - rho)), rel=1e-11)
    second = 2 * state.wait_mean**2 + rho / 0.5 * 0.5**3 / (3 * (1 - rho))
    assert state.wait.variance == pytest.approx(second - state.wait_mean**2, rel=1e-9)
    for x in (0.2, 0.5, 1.3, 3.1, 7.0):
        with mpmath.workdps(50):
            r = mpmath.mpf(rho)
            # P(W <= t) = (1 - rho) sum over k of (rho (k - x))^k / k! exp(-rho (k - x)), x in services.
            terms = [(-r * (x - k)) ** k / mpmath.factorial(k) * mpmath.exp(r * (x - k)) for k in range(int(x) + 1)]
            tail = 1 - (1 - r) * mpmath.fsum(terms)
        assert state.wait_tail(x * 0.5) == pytest.approx(float(tail), abs=1e-12)


def embedded_queue(load: float, servers: int, size: int) -> list[mpmath.mpf]:
    """Return P(Q = k) of the queue that c leave and a Poisson number joins, as its balance equations say."""
    p = np.exp(np.array([k * math.log(load) - load - math.lgamma(k + 1) for k in range(size + servers + 1)]))
    matrix = np.zeros((size, size))
    for q in range(size):
        for arrivals in range(size + servers - q):
            matrix[q, max(q + arrivals - servers, 0)] += p[arrivals]
    matrix[:, 0] += 1 - matrix.sum(axis=1)
    balance = np.vstack([(matrix.T - np.eye(size))[:-1], np.ones(size)])
    solution = np.linalg.solve(balance, np.append(np.zeros(size - 1), 1.0))
    return [mpmath.mpf(x) for x in solution]


# On several servers, both ways to the queue agree with the balance equations of a long enough chain.
@pytest.mark.parametrize(("servers", "rho"), [(2, 0.3), (2, 0.9), (7, 0.8), (20, 0.6), (20, 0.97), (60, 0.9)])
def test_against_the_chain(servers: int, rho: float) -> None:
    queue = embedded_queue(rho * servers, servers, 700)
    state = constant_service(rho * servers, 1.0, servers)
    length = float(mpmath.fsum(k * p for k, p in enumerate(queue)))
    # The chain is solved in doubles: its own error is 1e-13 times its length, absolute.
    assert state.queue_length == pytest.approx(length, rel=1e-9, abs=1e-10)


# The tail's area is the mean, and its transform is that of the tail: the three answers are one distribution.
@property_test
@given(st.integers(1, 200), st.floats(0.3, 0.995))
def test_one_distribution(servers: int, rho: float) -> None:
    wait = ConstantServiceWait(rho * servers, 1.0, servers)
    if wait.probability < 1e-6:
        return
    # The derivative of the transform at 0, by a difference that is itself good to 5e-6.
    s = 1e-5 * wait.mean / (wait.variance + wait.mean**2)
    value = wait.at(Points(np.array([s + 0j])))[0].real
    assert (1 - value) / s == pytest.approx(wait.mean, rel=1e-5)
    reach = wait.mean / wait.probability
    times = np.array([0.4711, 1.0373, 2.9117]) * reach
    step = 1e-5 * reach
    slopes = (wait.tail_at(times - step)[0] - wait.tail_at(times + step)[0]) / (2 * step)
    # A kink inside the step changes the slope a little.
    assert wait.tail_at(times)[1] == pytest.approx(slopes, rel=1e-3, abs=1e-9 / reach)


# More load waits longer, a further server less, and regular service less than exponential: by about half.
@property_test
@given(st.integers(1, 300), st.floats(0.2, 0.995), st.floats(0.01, 0.9))
def test_monotone(servers: int, rho: float, more: float) -> None:
    state = constant_service(rho * servers, 1.0, servers)
    busier = constant_service((rho + more * (1 - rho)) * servers, 1.0, servers)
    roomier = constant_service(rho * servers, 1.0, servers + 1)
    exponential = MMc(rho * servers, 1.0, servers)
    assert roomier.wait_mean < state.wait_mean < busier.wait_mean
    assert 0.5 * exponential.wait_mean < state.wait_mean * (1 + 1e-11)
    assert state.wait_mean < exponential.wait_mean
    assert roomier.wait_percentile(0.99) <= state.wait_percentile(0.99) <= busier.wait_percentile(0.99)


# Saturation is approached as for half the exponential wait: (c - a) times the wait tends to D/2.
@pytest.mark.parametrize("servers", [1, 10, 1000])
def test_heavy_traffic(servers: int) -> None:
    state = constant_service(servers - 1e-5, 1.0, servers)
    # The next term is of the order of the spare capacity times the root of the servers.
    assert state.wait_mean * 1e-5 == pytest.approx(0.5, abs=1e-3)
    assert state.response_percentile(0.5) == pytest.approx(state.wait_percentile(0.5) + 1, rel=1e-6)


# Next to nothing is still counted: a wait that happens once in 1e200 has a probability and a mean.
def test_far_below_saturation() -> None:
    state = constant_service(300.0, 1.0, 1000)
    assert 0 < state.wait_mean < state.wait_probability < 1e-200
    assert state.wait_percentile(0.9999) == 0
    assert constant_service(0.0, 1.0, 3).response_percentile(0.5) == 1


# No steady state at saturation.
def test_unstable() -> None:
    with pytest.raises(UnstableQueueError) as error:
        constant_service(12.0, 1.0, 10)
    assert error.value.short == 2
