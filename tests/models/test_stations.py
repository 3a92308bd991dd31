from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.deterministic import constant_service
from models.erlang import UnstableQueueError
from models.phases import phase_service
from models.queues import MMc
from models.service_time import ServiceTime, exponential, from_moments
from models.stations import ggc, mg1, mgc, mmc
from tests.cases import expected, queue_case

property_test = settings(max_examples=40)


# A textbook's M/M/2 with its variances, to the printed digits: of the wait, the response, the number by Little's law.
def test_published_variances() -> None:
    case = queue_case("sixto-mmc")
    state = mmc(case["lambda"], 1 / case["mu"], case["c"])
    assert state.wait_mean == pytest.approx(expected("sixto-mmc", "Wq"), abs=1e-12)
    assert state.number == pytest.approx(expected("sixto-mmc", "L"), abs=1e-12)
    assert state.wait.variance == pytest.approx(expected("sixto-mmc", "Var Tq"), abs=1e-12)
    assert state.response.variance == pytest.approx(expected("sixto-mmc", "Var T"), abs=1e-12)


# Gross and Harris' M/M/3, in every figure that they give.
def test_textbook() -> None:
    state, case = mmc(6.0, 1 / 3, 3), "gh-ex2.2-mm3"
    assert state.queue_length == pytest.approx(expected(case, "Lq"), abs=1e-9)
    assert state.wait_mean == pytest.approx(expected(case, "Wq"), abs=1e-9)
    assert state.response_mean == pytest.approx(expected(case, "W"), abs=1e-9)
    assert 1 - state.wait_probability == pytest.approx(expected(case, "P(Wq=0)"), abs=1e-9)


# The published percentiles of M/M/1, and those of M/M/c's own closed form: a search that stops at 1e-8.
def test_percentiles() -> None:
    case = queue_case("line-fj-k1")
    state = mmc(case["lambda"], 1 / case["mu"], 1)
    found = [state.response_percentile(f) for f in (0.5, 0.9, 0.95, 0.99)]
    assert found == pytest.approx(case["expected"]["P50,P90,P95,P99"]["value"], rel=1e-8)
    for servers, rho in ((10, 0.9), (300, 0.99), (7, 0.2)):
        queue, state = MMc(servers * rho, 1.0, servers), mmc(servers * rho, 1.0, servers)
        for fraction in (0.5, 0.99, 0.9999):
            assert state.response_percentile(fraction) == pytest.approx(queue.response_percentile(fraction), rel=1e-8)
            assert state.wait_percentile(fraction) == pytest.approx(queue.wait_percentile(fraction), rel=1e-8)
            assert state.response_tail(queue.response_percentile(fraction)) == pytest.approx(1 - fraction, rel=1e-9)


# Kimura's table of approximations for M/G/5 to its two digits: what is used for large systems, and what it was compared with.
@pytest.mark.parametrize("rho", [0.9, 0.7, 0.5])
def test_published_approximations(rho: float) -> None:
    case = queue_case("kimura94-mg5-cs2_4")
    c, cs2 = case["c"], case["cs2"]
    state = mgc(rho * c, from_moments(1.0, cs2), c, exact_states=1)
    entry = case["expected"][f"Lq_Kimura(rho={rho})"]
    assert state.queue_length == pytest.approx(entry["value"], abs=entry["tol_abs"])
    between = cs2 * mmc(rho * c, 1.0, c).queue_length + (1 - cs2) * constant_service(rho * c, 1.0, c).queue_length
    entry = case["expected"][f"Lq_BjorklundElldin(rho={rho})"]
    assert between == pytest.approx(entry["value"], abs=entry["tol_abs"])


# The approximations are as far from exact values as the docstring says, and marked; what is exact is marked as that.
@pytest.mark.parametrize(
    ("squared_cv", "mean", "p99"), [(0.5, 0.017, 0.042), (2.0, 0.028, 0.093), (4.0, 0.054, 0.27), (9.0, 0.25, 0.51)]
)
@pytest.mark.parametrize("servers", [2, 5, 20, 100])
@pytest.mark.parametrize("rho", [0.6, 0.8, 0.95])
def test_measured_error(squared_cv: float, mean: float, p99: float, servers: int, rho: float) -> None:
    service = from_moments(1.0, squared_cv)
    if squared_cv < 1 and servers > 20:
        servers = 15
    exact, told = (mgc(rho * servers, service, servers, exact_states=n) for n in (400, 1))
    assert exact.exact
    assert not told.exact
    assert told.error
    if exact.wait_probability > 1e-3:
        assert told.wait_mean == pytest.approx(exact.wait_mean, rel=mean)
    if exact.wait_percentile(0.99) > 0.1:
        assert told.wait_percentile(0.99) == pytest.approx(exact.wait_percentile(0.99), rel=p99)


# Every model takes its own door: exponential, constant, one server, phases, and the approximation beyond.
def test_doors() -> None:
    assert mgc(8.0, exponential(1.0), 10).model == "M/M/10"
    assert mgc(8.0, ServiceTime((), ((1.0, 1.0),)), 10).model == "M/D/10"
    assert mg1(0.5, from_moments(1.0, 3.0)).model == "M/G/1"
    assert mgc(8.0, from_moments(1.0, 3.0), 10).model == "M/PH/10"
    many = mgc(480.0, from_moments(1.0, 3.0), 500)
    assert (many.model, many.exact) == ("M/G/500", False)
    assert "chains of up to 199 servers" in many.error
    assert mgc(1.0, from_moments(1.0, 3.0), 500).wait_mean == 0
    assert ggc(8.0, 1.0, exponential(1.0), 10).exact
    assert ggc(8.0, 0.5, exponential(1.0), 10).model == "GI/M/10"
    assert ggc(8.0, 0.0, exponential(1.0), 10).exact
    assert ggc(8.0, 0.5, from_moments(1.0, 2.0), 10).model == "PH/PH/10"
    assert not ggc(8.0, 0.0, from_moments(1.0, 2.0), 10).exact
    assert ggc(9.99, 0.0, ServiceTime((), ((1.0, 1.0),)), 10).response_percentile(0.999) == 1
    assert ggc(80.0, 2.0, from_moments(1.0, 2.0), 100).exact
    assert not ggc(240.0, 2.0, from_moments(1.0, 2.0), 300).exact


# Other than Poisson arrivals: means and P99 within 6 %, wait probabilities within 5 % of the published exact values.
@pytest.mark.parametrize(
    "name", ["E2-E2-5-rho0.8", "H2(2)-M-5-rho0.8", "H2(4)-M-5-rho0.9", "H2(2)-H2(2)-5-rho0.8", "H2(4)-H2(4)-2-rho0.8"]
)
def test_other_arrivals(name: str) -> None:
    case = queue_case(f"exact-{name}")
    exact = case["expected"]
    state = ggc(case["rho"] * case["c"], case["ca2"], from_moments(1.0, case["cs2"]), case["c"], exact_states=1)
    assert state.exact == (case["cs2"] == 1)
    assert state.wait_mean == pytest.approx(exact["Wq"]["value"], rel=0.06)
    assert state.wait_percentile(0.99) == pytest.approx(exact["Wq P99"]["value"], rel=0.06)
    assert state.wait_percentile(0.95) == pytest.approx(exact["Wq P95"]["value"], rel=0.06)
    assert state.wait_probability == pytest.approx(exact["P(W>0)"]["value"], rel=0.05)


# Little's law between the figures, and more irregular service or arrivals wait longer, at any number of servers.
@property_test
@given(st.floats(0.5, 0.97), st.integers(2, 40), st.sampled_from([0.0, 0.5, 1.0, 2.0, 9.0]), st.floats(0.2, 4.0))
def test_properties(rho: float, servers: int, squared_cv: float, arrivals: float) -> None:
    service = from_moments(0.25, squared_cv)
    rate = rho * servers / 0.25
    states = [mgc(rate, service, servers, n) for n in (100, 1)] + [ggc(rate, arrivals, service, servers, 1)]
    for state in states:
        assert state.queue_length == pytest.approx(rate * state.wait_mean, rel=1e-12)
        assert state.number == pytest.approx(rate * state.response_mean, rel=1e-9)
        assert state.utilization == pytest.approx(rho, rel=1e-12)
        assert 0 <= state.wait_probability <= 1
    more = mgc(rate, from_moments(0.25, squared_cv + 0.5), servers, 100)
    assert states[0].wait_mean < more.wait_mean
    assert ggc(rate, arrivals + 0.3, service, servers, 1).wait_mean > states[2].wait_mean


# Two tiers one after the other: their responses add up as latencies do, and the mean is the sum.
def test_values_add_up() -> None:
    first, second = mmc(9.0, 1.0, 10), mgc(9.0, from_moments(0.5, 4.0), 6)
    both = first.response + second.response
    assert both.mean == pytest.approx(first.response_mean + second.response_mean, rel=1e-12)
    assert (
        second.response_percentile(0.99)
        < both.percentile(0.99)
        < first.response_percentile(0.999) + second.response_percentile(0.999)
    )


# No steady state at saturation, in any of them, and the error says how many servers are missing.
def test_unstable() -> None:
    services = [exponential(1.0), from_moments(1.0, 4.0), ServiceTime((), ((1.0, 1.0),))]
    for service in services:
        for rate, servers in ((13.0, 10), (500.0, 450), (3.0, 1)):
            for state in (mgc, phase_service):
                if state is phase_service and (service.constants or servers > 400):
                    continue
                with pytest.raises(UnstableQueueError) as error:
                    state(rate, service, servers)
                assert error.value.short == rate - servers
    with pytest.raises(UnstableQueueError):
        ggc(5.0, 2.0, services[1], 5)
    with pytest.raises(ValueError, match="squared coefficient"):
        ggc(5.0, math.nan, services[1], 8)
    with pytest.raises(ValueError, match="arrival rate"):
        mmc(-1.0, 1.0, 1)


# However light the load, and however regular or wild gaps and services are, what is told is a number: of next to nobody
# who waits none, and of the heaviest load a probability.
@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("servers", [2, 5, 40, 100, 250, 600])
@pytest.mark.parametrize("utilization", [1e-12, 6.24e-7, 2.5e-5, 3e-3, 0.2, 0.99999])
@pytest.mark.parametrize(("gaps", "squared_cv"), [(1, 0.9), (1, 2), (0.3, 0.2), (0.7, 0.05), (0.02, 0.9), (8, 0.2)])
def test_extreme_loads_are_numbers(servers: int, utilization: float, gaps: float, squared_cv: float) -> None:
    found = ggc(servers * utilization, gaps, from_moments(1.0, squared_cv), servers)
    assert 0 <= found.wait_probability <= 1
    assert 0 <= found.wait_mean < math.inf
    # A single server's busy share is the most that can wait of arrivals that bunch no more than Poisson's.
    assert gaps > 1 or found.wait_probability <= utilization + 1e-9
    assert found.response_percentile(0.99) >= 1.0 if squared_cv >= 0.9 else found.response_percentile(0.99) > 0


# Far below all that a double tells next to one, but not below what it tells by itself.
@pytest.mark.parametrize(("servers", "utilization"), [(100, 0.05), (140, 0.05), (200, 0.2)])
def test_rare_waits_keep_their_digits(servers: int, utilization: float) -> None:
    erlang = mmc(servers * utilization, 1.0, servers).wait_probability
    found = mgc(servers * utilization, from_moments(1.0, 1.0001), servers).wait_probability
    assert erlang < 1e-60
    assert found == pytest.approx(erlang, rel=1e-3)


# Full but for next to nothing, the chain has no digits: what is told is the limit, and meets the chain where that ends.
@pytest.mark.parametrize(
    ("servers", "gaps", "squared_cv"), [(1, 0.3, 2), (2, 2, 2), (2, 1, 4), (5, 4, 0.5), (20, 1, 9)]
)
def test_next_to_full(servers: int, gaps: float, squared_cv: float) -> None:
    for spare in (1e-7, 1e-9):
        found = ggc(servers * (1 - spare), gaps, from_moments(1.0, squared_cv), servers)
        assert found.wait_probability == 1
        assert found.wait_mean * servers * spare == pytest.approx((gaps + squared_cv) / 2, rel=1e-6)
    chain = ggc(servers * (1 - 1e-4), gaps, from_moments(1.0, squared_cv), servers)
    assert chain.wait_mean * servers * 1e-4 == pytest.approx((gaps + squared_cv) / 2, rel=2e-3)


# Constant service and few arrivals: a probability below all doubles is none, and no division by it.
@pytest.mark.parametrize(("load", "servers", "gaps"), [(300, 1000, 4), (0.1, 100, 0.3), (2e-8, 20, 0.3)])
def test_constant_service_next_to_never_waited_for(load: float, servers: int, gaps: float) -> None:
    found = ggc(load, gaps, from_moments(1.0, 0.0), servers)
    assert 0 <= found.wait_probability < 1e-6
    assert found.response_percentile(0.999) == pytest.approx(1.0)
