from __future__ import annotations

import heapq
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.erlang import UnstableQueueError
from models.queues import MMc
from models.renewal import renewal_service
from models.service_time import ServiceTime, exponential, from_moments
from models.stations import ggc, gimc
from tests.cases import queue_case

property_test = settings(max_examples=30)


# With exponential gaps it is M/M/c in every figure, up to a million servers and to the edge of saturation.
@property_test
@given(st.floats(0.01, 0.99999), st.sampled_from([1, 2, 10, 300, 5000, 1_000_000]))
def test_poisson_arrivals(rho: float, servers: int) -> None:
    queue, state = MMc(rho * servers, 1.0, servers), gimc(exponential(1 / (rho * servers)), 1.0, servers)
    if queue.wait_probability < 1e-290:
        return
    assert state.wait_probability == pytest.approx(queue.wait_probability, rel=1e-11)
    assert state.wait_mean == pytest.approx(queue.wait_mean, rel=1e-9)
    assert state.response_percentile(0.99) == pytest.approx(queue.response_percentile(0.99), rel=1e-8)


# Gaps of phases have the chain of those phases, which shares nothing with the sum; light load, too.
@pytest.mark.parametrize("squared_cv", [0.1, 0.3, 0.5, 2.0, 9.0])
@pytest.mark.parametrize("servers", [1, 5, 30])
@pytest.mark.parametrize("rho", [0.1, 0.5, 0.9, 0.99])
def test_phases(squared_cv: float, servers: int, rho: float) -> None:
    gaps = from_moments(1 / (rho * servers), squared_cv)
    chain, state = renewal_service(gaps, exponential(1.0), servers), gimc(gaps, 1.0, servers)
    assert state.exact
    assert state.wait_probability == pytest.approx(chain.wait_probability, rel=1e-9)
    assert state.wait_mean == pytest.approx(chain.wait_mean, rel=1e-9)
    assert state.response_percentile(0.999) == pytest.approx(chain.response_percentile(0.999), rel=1e-6)


# Published exact values of constant gaps to their two digits (Whitt 1993), and of irregular ones by another program.
def test_published() -> None:
    case = queue_case("whitt93-pw-dm4")
    entry = case["expected"]["P(W>0)"]
    state = ggc(case["rho"] * case["servers"], 0.0, exponential(1.0), case["servers"])
    assert state.model == "GI/M/4"
    assert state.wait_probability == pytest.approx(entry["value"], abs=entry["tol_abs"])
    case = queue_case("exact-H2(4)-M-5-rho0.9")
    state = ggc(case["rho"] * case["c"], case["ca2"], exponential(1.0), case["c"])
    assert state.wait_mean == pytest.approx(case["expected"]["Wq"]["value"], rel=1e-6)


# Constant gaps, and gaps that are constant or exponential, against a simulation.
@pytest.mark.parametrize("gaps", [ServiceTime((), ((1.0, 0.25),)), ServiceTime(((0.4, 1, 2.0),), ((0.6, 0.1),))])
def test_simulated(gaps: ServiceTime) -> None:
    state = gimc(gaps, 1.0, 5)
    draws, free, now, waits, customers = random.Random(5), [0.0] * 5, 0.0, [], 300_000  # noqa: S311, nothing is secret
    for _ in range(customers):
        constant = draws.random() < sum(weight for weight, _ in gaps.constants)
        now += gaps.constants[0][1] if constant else draws.expovariate(gaps.phases[0][2])
        wait = max(free[0] - now, 0.0)
        waits.append(wait)
        heapq.heapreplace(free, now + wait + draws.expovariate(1.0))
    # Ten parts of such a run scatter by 4 %.
    assert sum(waits) / customers == pytest.approx(state.wait_mean, rel=0.05)
    assert sum(w > 0 for w in waits) / customers == pytest.approx(state.wait_probability, abs=0.01)
    assert sorted(waits)[int(0.99 * customers)] == pytest.approx(state.wait_percentile(0.99), rel=0.06)


# More irregular gaps wait longer, a further server less, and Little's law holds.
@property_test
@given(st.floats(0.2, 0.98), st.integers(1, 200), st.floats(0.0, 4.0), st.floats(0.2, 3.0))
def test_monotone(rho: float, servers: int, squared_cv: float, more: float) -> None:
    rate = rho * servers
    state, worse, roomier = (
        gimc(from_moments(1 / rate, cv2), 1.0, c)
        for cv2, c in ((squared_cv, servers), (squared_cv + more, servers), (squared_cv, servers + 1))
    )
    assert roomier.wait_mean <= state.wait_mean <= worse.wait_mean
    assert 0 <= state.wait_probability <= 1
    assert state.queue_length == pytest.approx(rate * state.wait_mean, rel=1e-9)


# Nobody waits where next to nobody would; too much load is refused.
def test_edges() -> None:
    idle = gimc(from_moments(1.0, 0.0), 1.0, 5000)
    assert idle.wait_probability == 0
    assert idle.response_percentile(0.5) == pytest.approx(math.log(2), rel=1e-8)
    with pytest.raises(UnstableQueueError) as error:
        gimc(from_moments(0.25, 0.0), 1.0, 3)
    assert error.value.short == 1
