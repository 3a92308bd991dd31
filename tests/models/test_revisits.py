"""What visits to one queue have in common: against exact moments, and simulations of queues not used to think of it."""

from __future__ import annotations

from functools import reduce
from itertools import pairwise
from operator import add

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.latency import Latency, mixed
from models.queues import balanced_wait, mgc_wait
from models.service_time import exponential, from_moments
from tests.cases import latency_cases

REVISITS = latency_cases()["revisits"]


def visit(arrival_rate: float, servers: int = 1, mean: float = 1.0) -> Latency:
    service = exponential(mean)
    return Latency.waiting(mgc_wait(arrival_rate, service, servers)) + Latency.of(service)


# Two visits in a row to M/M/1: whom I leave behind came while I was there, so that the responses have the correlation rho.
@pytest.mark.parametrize("rho", [0.05, 0.3, 0.6, 0.9, 0.99])
def test_two_in_a_row(rho: float) -> None:
    one = visit(rho)
    assert one.times(2).variance == pytest.approx(2 * (1 + rho) * one.variance, rel=1e-12)


def feedback_variance(rho: float, again: float) -> float:
    """Return the exact variance of M/M/1 whose requests come back at once with a probability (Takacs 1963).

    Whoever finds n ahead takes n + 1 services and then finds those of the n who came back and all who came meanwhile.
    The mean of what is left is linear in n, its second moment quadratic: their coefficients solve linear equations.
    """
    arriving = rho * (1 - again)
    # The next number has the mean a + b n, and the second moment c0 + c1 n + c2 n**2.
    a, b = arriving, again + arriving
    spread = again * (1 - again)
    c = np.array([a + 2 * a * a, spread + a + 3 * a * a + 2 * again * a, (again + a) ** 2])
    slope = 1 / (1 - again * b)
    start = (1 + again * slope * a) / (1 - again)
    # E[R m(next)] for the response R of this pass: R has the moments of a gamma time of n + 1.
    cross = np.array([start + slope * 2 * a, start + slope * (again + 3 * a), slope * (again + a)])
    known = np.array([2.0, 3.0, 1.0]) + 2 * again * cross
    matrix = np.eye(3) - again * np.array([[1, a, c[0]], [0, b, c[1]], [0, 0, c[2]]])
    second = np.linalg.solve(matrix, known)
    mean, square = rho / (1 - rho), rho * (1 + rho) / (1 - rho) ** 2
    return float(second @ [1, mean, square]) - (start + slope * mean) ** 2


def fed_back(rho: float, again: float) -> Latency:
    """Return the time of requests that come back at once with a probability."""
    one, most = visit(rho), 80
    weights = [(1 - again) * again ** (n - 1) for n in range(1, most)]
    return mixed([*weights, 1 - sum(weights)], [one.times(n) for n in range(1, most + 1)])


# Requests that come back at once with a probability: the variance of their time is 1 to 7 % above the exact one,
# the more the oftener, as those ahead are taken to come back as often as oneself; with one wait for all, up to 34 %.
@pytest.mark.parametrize("rho", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("again", [0.3, 0.5, 0.7])
def test_feedback(rho: float, again: float) -> None:
    exact = feedback_variance(rho, again)
    assert exact < fed_back(rho, again).variance < 1.07 * exact


def revisited(name: str) -> Latency:
    """Return a path over stations of (servers, mean), 0 servers for a pure delay, with other work of single visits."""
    case = REVISITS[name]
    rates = [case["arrival_rate"] * case["order"].count(i) for i in range(len(case["stations"]))]
    rates[0] += case["other_rate"]
    parts = [
        visit(rate, servers, mean) if servers else Latency.of(exponential(mean))
        for rate, (servers, mean) in zip(rates, case["stations"], strict=True)
    ]
    order: list[int] = case["order"]
    return reduce(add, [parts[i] for i in order])


# Rows, turns, delays between, one tier after the other, other work in the queue: as simulated.
@pytest.mark.parametrize("name", REVISITS)
def test_simulated(name: str) -> None:
    case, found = REVISITS[name], revisited(name)
    values = [found.mean, *found.percentiles(latency_cases()["fork_fractions"])]
    claimed = [0.001, 0.01, 0.015, 0.015, 0.025, 0.05]
    wanted = [case["mean"], *case["percentiles"]]
    for have, want, claim, noise in zip(values, wanted, claimed, case["relative_error"], strict=True):
        assert have == pytest.approx(want, rel=claim + noise)


# Variance lies between that of independent waits and that of one wait, and falls with the time between the visits.
@given(st.floats(0.02, 0.94), st.sampled_from([1, 3, 12]), st.sampled_from([0.25, 1.0, 4.0]), st.integers(2, 60))
def test_between(rho: float, servers: int, squared_cv: float, visits: int) -> None:
    service = from_moments(1.0, squared_cv)
    wait = mgc_wait(rho * servers, service, servers)
    found = []
    for pause in (0.0, 1.0, 30.0, 1e4):
        one = Latency.waiting(wait) + Latency.of(service)
        found.append((one + Latency.constant(pause)).times(visits).variance - visits * service.variance)
    slack = 1e-3
    assert visits * wait.variance <= found[-1] + slack
    assert found[0] <= visits**2 * wait.variance + slack
    assert all(later <= earlier * (1 + 1e-6) + slack for earlier, later in pairwise(found))
    assert found[-1] == pytest.approx(visits * wait.variance, rel=0.04, abs=slack)


# Percentiles rise, and do so with the number of visits, for every shape of the sum.
@given(st.floats(0.02, 0.97), st.sampled_from([1, 4]), st.sampled_from([0.0, 0.5, 1.0, 3.0]), st.floats(0.0, 50.0))
def test_percentiles_rise(rho: float, servers: int, squared_cv: float, pause: float) -> None:
    service = from_moments(1.0, squared_cv)
    one = Latency.waiting(mgc_wait(rho * servers, service, servers)) + Latency.of(service)
    found = [(one + Latency.of(exponential(pause + 0.1))).times(n).percentiles([0.5, 0.9, 0.99]) for n in (1, 2, 3, 10)]
    assert all(times == sorted(times) for times in found)
    assert found == sorted(found, key=lambda times: times[2])


# Where nodes with queues of their own are drawn at random, a second visit meets the same queue once in so many times.
def test_random_nodes() -> None:
    service = exponential(1.0)
    alone, drawn = balanced_wait(0.8, service, 1, 1), balanced_wait(0.8 * 5, service, 5, 1, "random")
    waits = [(Latency.waiting(wait) + Latency.of(service)).times(2).variance for wait in (alone, drawn)]
    independent = 2 * (alone.variance + 1)
    assert waits[1] - independent == pytest.approx((waits[0] - independent) / 5, rel=1e-9)


# The order in which equal paths are put together does not matter, nor how many visits are taken as one.
def test_ways_to_the_same_path() -> None:
    a, b = visit(0.7), visit(2.1, 3)
    in_turn = reduce(add, [a, b] * 30)
    assert (a + b).times(30).variance == pytest.approx(in_turn.variance, rel=1e-9)
    finer, coarser = (a + b).times(24), (a + b).times(25)
    assert coarser.variance / finer.variance == pytest.approx((25 / 24) ** 2, rel=0.02)
