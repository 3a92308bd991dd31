from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.correlated import correlated_arrivals, exponential_of, phases_of, switched
from models.erlang import UnstableQueueError
from models.service_time import exponential, from_moments
from models.stations import ggc, mg1
from tests.cases import queue_case

if TYPE_CHECKING:
    from models.correlated import Phases

property_test = settings(max_examples=30)


def services(case: dict[str, Any]) -> list[Phases]:
    """Return the services of the published classes."""
    return [(case[f"service{k}"]["alpha"], case[f"service{k}"]["S"]) for k in (1, 2, 3)]


# Three classes that come together, first come first served: moments of another program to its 1e-8, and its shares.
def test_published_classes() -> None:
    case = queue_case("butools-mmapph1-fcfs")
    one, two, three = correlated_arrivals(case["D0"], [case["D1"], case["D2"], case["D3"]], services(case))
    wanted = {metric: entry["value"] for metric, entry in case["expected"].items()}
    assert [one.moment(i) for i in (1, 2, 3)] == pytest.approx(wanted["sojourn moments class1"], rel=1e-8)
    assert two.mean == pytest.approx(wanted["sojourn mean class2"], rel=1e-8)
    assert three.mean == pytest.approx(wanted["sojourn mean class3"], rel=1e-8)
    assert [1 - one.tail(t) for t in (1, 5, 10)] == pytest.approx(wanted["sojourn cdf class1 at 1,5,10"], abs=1e-5)


# Where the third class interrupts all others, it sees itself alone: its moments and shares as published. The other two
# classes of that case are interrupted: no law of ours has interruption with correlated arrivals.
def test_published_highest_class() -> None:
    case = queue_case("butools-mmapph1-prpr")
    silent = sum((np.asarray(case[d]) for d in ("D1", "D2")), np.asarray(case["D0"]))
    (highest,) = correlated_arrivals(silent, [case["D3"]], services(case)[2:])
    wanted = {metric: entry["value"] for metric, entry in case["expected"].items()}
    assert [highest.moment(i) for i in (1, 2, 3)] == pytest.approx(wanted["sojourn moments class3"], rel=1e-8)
    assert [1 - highest.tail(t) for t in (1, 5, 10)] == pytest.approx(wanted["cdf class3 at 1,5,10"], abs=1e-5)
    assert highest.mean < min(wanted[f"sojourn moments class{k}"][0] for k in (1, 2))


# Poisson arrivals are M/PH/1 in mean, variance and percentiles; one exponential phase is M/M/1.
@property_test
@given(st.floats(0.05, 0.98), st.sampled_from([0.3, 0.5, 1.0, 4.0, 20.0]))
def test_poisson_arrivals(rho: float, squared_cv: float) -> None:
    service = from_moments(0.2, squared_cv)
    (found,) = correlated_arrivals([[-rho / 0.2]], [[[rho / 0.2]]], [phases_of(service)])
    state = mg1(rho / 0.2, service)
    assert found.mean == pytest.approx(state.response_mean, rel=1e-9)
    assert found.variance == pytest.approx(state.response.variance, rel=1e-8)
    # The inverted transform is good to 1e-6.
    assert found.percentile(0.99) == pytest.approx(state.response_percentile(0.99), rel=1e-5)


# Independent gaps of two phases are PH/PH/1, by another chain.
@pytest.mark.parametrize(("arrivals", "squared_cv", "rho"), [(4.0, 1.0, 0.8), (2.0, 4.0, 0.9), (0.5, 0.5, 0.7)])
def test_independent_gaps(arrivals: float, squared_cv: float, rho: float) -> None:
    start, rates = (np.asarray(part) for part in phases_of(from_moments(1 / rho, arrivals)))
    (found,) = correlated_arrivals(
        rates, [np.outer(-rates.sum(axis=1), start)], [phases_of(from_moments(1.0, squared_cv))]
    )
    state = ggc(rho, arrivals, from_moments(1.0, squared_cv), 1)
    assert state.exact
    assert found.mean == pytest.approx(state.response_mean, rel=1e-7)
    assert found.percentile(0.99) == pytest.approx(state.response_percentile(0.99), rel=1e-5)


# Bursts that last wait far longer than the two moments of their gaps tell; phases that alternate fast are Poisson.
def test_bursts_that_last() -> None:
    def mean(pace: float) -> float:
        silent, marks = switched([0.2, 1.4], [[-pace, pace], [pace, -pace]])
        return correlated_arrivals(silent, marks, [phases_of(exponential(1.0))])[0].mean

    assert mean(1e5) == pytest.approx(mg1(0.8, exponential(1.0)).response_mean, rel=1e-4)
    assert mean(1e-3) > 10 * mean(1.0) > 12 * mean(1e5)


# A switched Poisson process, simulated: mean and the share that stays longer than ten services.
def test_by_simulation() -> None:
    noise, slow, count = np.random.default_rng(3), 0.05, 400_000
    silent, marks = switched([0.3, 1.1], [[-slow, slow], [slow, -slow]])
    (found,) = correlated_arrivals(silent, marks, [phases_of(exponential(1.0))])
    times: list[float] = []
    clock, phase, free = 0.0, 0, 0.0
    drawn, served = noise.exponential(1.0, 3 * count), noise.exponential(1.0, count)
    chosen, at = noise.random(3 * count), 0
    while len(times) < count and at < 3 * count:
        rate = (0.3, 1.1)[phase]
        clock += drawn[at] / (rate + slow)
        if chosen[at] < rate / (rate + slow):
            free = max(free, clock) + served[len(times)]
            times.append(free - clock)
        else:
            phase = 1 - phase
        at += 1
    # Bursts of 20 services: 2 % at two standard errors, over ten seeds.
    assert float(np.mean(times)) == pytest.approx(found.mean, rel=0.04)
    assert float(np.mean(np.array(times) > 10)) == pytest.approx(found.tail(10.0), rel=0.05)


# The exponential of a matrix: of a rotation by its angle, and of a sum of commuting ones the product.
def test_exponential_of_a_matrix() -> None:
    turn = np.array([[0.0, -2.0], [2.0, 0.0]])
    assert exponential_of(turn)[1, 0] == pytest.approx(math.sin(2.0), rel=1e-13)
    assert exponential_of(np.array([[-800.0]]))[0, 0] == pytest.approx(math.exp(-700) * math.exp(-100), abs=1e-300)
    assert exponential_of(np.zeros((3, 3))) == pytest.approx(np.eye(3))


# Overload and matrices without a meaning are refused.
def test_senseless_input() -> None:
    service = phases_of(exponential(1.0))
    with pytest.raises(UnstableQueueError):
        correlated_arrivals([[-1.0]], [[[1.0]]], [service])
    with pytest.raises(ValueError, match="sum to 0"):
        correlated_arrivals([[-1.0]], [[[0.5]]], [service])
    with pytest.raises(ValueError, match="as many marks"):
        correlated_arrivals([[-1.0]], [[[1.0]]], [])
    with pytest.raises(ValueError, match="shares"):
        correlated_arrivals([[-0.5]], [[[0.5]]], [([0.5], [[-1.0]])])
    with pytest.raises(ValueError, match="constant"):
        phases_of(from_moments(1.0, 0.0))
    (found,) = correlated_arrivals([[-0.5]], [[[0.5]]], [service])
    assert found.tail(0.0) == 1
    with pytest.raises(ValueError, match="fraction"):
        found.percentile(1.0)
