from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.erlang import UnstableQueueError
from models.phases import phase_service
from models.queues import MMc
from models.renewal import renewal_service, renewal_states
from models.service_time import ServiceTime, erlang, exponential, from_moments
from models.stations import ggc
from tests.cases import queue_case

property_test = settings(max_examples=25)


# Every published exact PH/PH/c, in mean, second moment, wait probability and three percentiles, to its 1e-6.
@pytest.mark.parametrize(
    "name", ["E2-E2-5-rho0.8", "H2(2)-M-5-rho0.8", "H2(4)-M-5-rho0.9", "H2(2)-H2(2)-5-rho0.8", "H2(4)-H2(4)-2-rho0.8"]
)
def test_published(name: str) -> None:
    case = queue_case(f"exact-{name}")
    state = ggc(case["rho"] * case["c"], case["ca2"], from_moments(1.0, case["cs2"]), case["c"])
    assert state.exact
    found = {
        "Wq": state.wait_mean,
        "P(W>0)": state.wait_probability,
        "E[Wq^2]": state.wait.variance + state.wait_mean**2,
        "Wq P90": state.wait_percentile(0.9),
        "Wq P95": state.wait_percentile(0.95),
        "Wq P99": state.wait_percentile(0.99),
    }
    for metric, entry in case["expected"].items():
        assert found[metric] == pytest.approx(entry["value"], rel=entry["tol_rel"])


# The wait probabilities that Whitt 1993 prints as exact, to their two digits; constant gaps as Erlang's of 30 phases.
@pytest.mark.parametrize("name", ["h2m4", "e4m4", "e2h24", "dm4"])
def test_published_wait_probability(name: str) -> None:
    case = queue_case(f"whitt93-pw-{name}")
    rate = case["rho"] * case["servers"]
    gaps = from_moments(1 / rate, case["ca2"]) if case["ca2"] else erlang(30, 1 / rate)
    state = renewal_service(gaps, from_moments(1.0, case["cs2"]), case["servers"])
    # Thirty phases leave a squared CV of 1/30, which is worth 0.003 here.
    slack = 0.0 if case["ca2"] else 0.004
    entry = case["expected"]["P(W>0)"]
    assert state.wait_probability == pytest.approx(entry["value"], abs=entry["tol_abs"] + slack)


# With exponential gaps it is M/PH/c, solved with the other formula for the wait.
@property_test
@given(st.floats(0.1, 0.98), st.integers(1, 20), st.sampled_from([0.5, 1.0, 4.0]))
def test_poisson_arrivals(rho: float, servers: int, squared_cv: float) -> None:
    service = from_moments(0.5, squared_cv)
    if renewal_states(exponential(1.0), service, servers) > 100:
        return
    one, other = (
        phase_service(rho * servers / 0.5, service, servers),
        renewal_service(exponential(0.5 / rho / servers), service, servers),
    )
    assert other.wait_mean == pytest.approx(one.wait_mean, rel=1e-8)
    assert other.wait_probability == pytest.approx(one.wait_probability, rel=1e-9)
    assert other.response_percentile(0.99) == pytest.approx(one.response_percentile(0.99), rel=1e-6)


# On one server with exponential service it is GI/M/1, whose wait is geometric with the root of a transform.
@pytest.mark.parametrize("squared_cv", [0.1, 0.5, 2.0, 10.0])
@pytest.mark.parametrize("rho", [0.3, 0.8, 0.99])
def test_one_exponential_server(squared_cv: float, rho: float) -> None:
    gaps = from_moments(1 / rho, squared_cv)
    sigma = 0.5
    for _ in range(20_000):
        s = 1 - sigma
        sigma = math.fsum(w * (r / (r + s)) ** k for w, k, r in gaps.phases)
    state = renewal_service(gaps, exponential(1.0), 1)
    assert state.wait_probability == pytest.approx(sigma, rel=1e-8)
    assert state.wait_mean == pytest.approx(sigma / (1 - sigma), rel=1e-7)


# More irregular gaps wait longer, a further server less, and Little's law holds.
@property_test
@given(st.floats(0.4, 0.95), st.integers(1, 10), st.sampled_from([0.25, 0.5, 2.0, 4.0]))
def test_monotone(rho: float, servers: int, squared_cv: float) -> None:
    rate, service = rho * servers, from_moments(1.0, 2.0)
    state, more, roomier = (
        renewal_service(from_moments(1 / rate, cv2), service, c)
        for cv2, c in ((squared_cv, servers), (squared_cv * 1.5, servers), (squared_cv, servers + 1))
    )
    assert roomier.wait_mean < state.wait_mean < more.wait_mean
    assert state.queue_length == pytest.approx(rate * state.wait_mean, rel=1e-9)


# The closed form is as far from the chain as its docstring says, close to saturation.
@pytest.mark.parametrize(("arrivals", "worst"), [(0.5, 0.18), (2.0, 0.2), (4.0, 0.38)])
@pytest.mark.parametrize("servers", [1, 5, 20])
@pytest.mark.parametrize("rho", [0.8, 0.95])
def test_measured_error(arrivals: float, worst: float, servers: int, rho: float) -> None:
    service = from_moments(1.0, 2.0)
    exact, told = (ggc(rho * servers, arrivals, service, servers, n) for n in (400, 1))
    assert exact.exact
    assert told.error
    assert told.wait_mean == pytest.approx(exact.wait_mean, rel=worst)


# Far into saturation and at light load it is M/M/c where the phases are alike: to the digits that spare capacity leaves.
@pytest.mark.parametrize("servers", [1, 10, 60])
@pytest.mark.parametrize("rho", [0.05, 0.5, 0.99, 0.9999, 0.99999])
def test_phases_that_are_alike(servers: int, rho: float) -> None:
    alike = ServiceTime(((0.3, 1, 1.0), (0.7, 1, 1.0)))
    gaps = ServiceTime(((0.3, 1, rho * servers), (0.7, 1, rho * servers)))
    queue, state = MMc(rho * servers, 1.0, servers), renewal_service(gaps, alike, servers)
    assert state.wait_probability == pytest.approx(queue.wait_probability, rel=1e-10)
    assert state.wait_mean == pytest.approx(queue.wait_mean, rel=1e-10)
    assert state.wait_percentile(0.999) == pytest.approx(queue.wait_percentile(0.999), rel=1e-6)


# What is too large, constant or unstable is refused with the reason.
def test_refused() -> None:
    with pytest.raises(UnstableQueueError) as error:
        renewal_service(from_moments(0.25, 2.0), exponential(1.0), 3)
    assert error.value.short == 1
    with pytest.raises(ValueError, match="more than 400"):
        renewal_service(from_moments(0.25, 2.0), from_moments(1.0, 2.0), 200)
    with pytest.raises(ValueError, match="more than 400"):
        renewal_service(ServiceTime((), ((1.0, 1.0),)), exponential(0.5), 1)
