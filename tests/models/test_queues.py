from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.erlang import UnstableQueueError, erlang_c
from models.latency import Latency
from models.queues import NO_WAIT, MMc, Wait, balanced_wait, mgc_wait
from models.service_time import ServiceTime, erlang, exponential, from_moments
from tests.cases import expected, queue_case
from tests.simulation import simulate_least_connections

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

CONSTANT = ServiceTime((), ((1.0, 1.0),))
FRACTIONS = [0.5, 0.9, 0.95, 0.99, 0.999]

property_test = settings(max_examples=100)

loads = st.floats(0.01, 0.999)
cvs = st.sampled_from([0.0, 0.1, 0.5, 1.0, 2.0, 9.0])


def p99(wait: Wait) -> float:
    return Latency.of(wait).percentile(0.99)


# Percentiles of M/M/c are those of the R package queueing to its printed 1e-7, also where both exponential rates are one.
@pytest.mark.parametrize("servers", [3, 10, 100])
def test_published_percentiles(servers: int) -> None:
    case = queue_case(f"rq-mm{servers}-percentiles")
    queue = MMc(case["lambda"], 1 / case["mu"], case["c"])
    for metric, entry in case["expected"].items():
        if metric.startswith("W P"):
            found = [queue.response_percentile(f) for f in FRACTIONS]
            assert found == pytest.approx(entry["value"], abs=entry["tol_abs"])
        elif metric.startswith("Wq P"):
            found = [queue.wait_percentile(f) for f in FRACTIONS[: len(entry["value"])]]
            assert found == pytest.approx(entry["value"], abs=entry["tol_abs"])
        elif metric == "Wq mean":
            assert queue.wait_mean == pytest.approx(entry["value"], abs=entry["tol_abs"])
        else:
            within = [1 - queue.wait_tail(t) for t in (0.01, 0.05, 0.1)]
            assert within == pytest.approx(entry["value"], abs=entry["tol_abs"])


# The textbook queue of Gross and Harris (example 2.2), with every measure that they give.
def test_textbook() -> None:
    queue, case = MMc(6.0, 1 / 3, 3), "gh-ex2.2-mm3"
    assert queue.queue_length == pytest.approx(expected(case, "Lq"), rel=1e-12)
    assert queue.wait_mean == pytest.approx(expected(case, "Wq"), rel=1e-12)
    assert queue.response_mean == pytest.approx(expected(case, "W"), rel=1e-12)
    assert 1 - queue.wait_probability == pytest.approx(expected(case, "P(Wq=0)"), rel=1e-12)


# Mean waits of the 60-digit cases keep eleven digits up to a million servers, close to saturation.
@pytest.mark.parametrize("name", ["c1-rho0.9999", "c1000-rho0.9999", "c1000000-rho0.999999"])
def test_high_precision_wait(name: str) -> None:
    case = queue_case(f"mp-erlang-{name}")
    queue = MMc(float(case["lambda"]), 1.0, case["c"])
    assert queue.wait_mean == pytest.approx(float(case["expected"]["Wq"]["value"]), rel=1e-11)


# Little's law holds, and tails are those of a distribution whose area is the mean (sum over 4000 steps: 1e-4).
@property_test
@given(st.floats(0.05, 0.95), st.integers(1, 60))
def test_little(rho: float, servers: int) -> None:
    queue = MMc(rho * servers / 0.3, 0.3, servers)
    assert queue.queue_length == pytest.approx(erlang_c(servers, rho * servers) * rho / (1 - rho), rel=1e-11)
    reach = queue.response_percentile(1 - 1e-9)
    step = reach / 4000
    area = math.fsum(queue.response_tail((i + 0.5) * step) for i in range(4000)) * step
    assert area == pytest.approx(queue.response_mean, rel=1e-4)


# Where the two exponential rates of the response meet, its tail is the limit of both sides.
def test_degenerate_pole() -> None:
    servers, t = 10, 3.0
    at = MMc(9.0, 1.0, servers).response_tail(t)
    assert at == pytest.approx(math.exp(-t) * (1 + erlang_c(servers, 9.0) * t), rel=1e-13)
    for nearly in (9.0 - 1e-7, 9.0 + 1e-7):
        assert MMc(nearly, 1.0, servers).response_tail(t) == pytest.approx(at, rel=1e-6)


# Next to saturation, where the wait outlasts the service a millionfold, tails and percentiles are those of the wait.
@pytest.mark.parametrize("servers", [1, 10, 1000])
def test_next_to_saturation(servers: int) -> None:
    queue = MMc(servers * (1 - 1e-7), 1.0, servers)
    for fraction in (0.5, 0.99, 0.9999):
        time = queue.response_percentile(fraction)
        assert time == pytest.approx(queue.wait_percentile(fraction) + 1, rel=1e-6)
        assert queue.response_tail(time) == pytest.approx(1 - fraction, rel=1e-9)
    assert queue.response_tail(1e12) == 0


# Where nobody waits, nobody waits at any percentile.
def test_nobody_waits() -> None:
    for queue in (MMc(0.0, 1.0, 3), MMc(1e-3, 1.0, 400)):
        assert queue.wait_percentile(0.999) == 0
        assert queue.response_percentile(0.99) == pytest.approx(-math.log(0.01), rel=1e-14)


# More load makes every percentile longer, more servers shorter; percentiles and tails are inverse to each other.
@property_test
@given(st.floats(0.05, 0.9), st.integers(1, 200), st.sampled_from(FRACTIONS), st.floats(0.01, 0.7))
def test_monotone(rho: float, servers: int, fraction: float, more: float) -> None:
    queue = MMc(rho * servers, 1.0, servers)
    busier = MMc((rho + more * (1 - rho)) * servers, 1.0, servers)
    roomier = MMc(rho * servers, 1.0, servers + 1)
    time = queue.response_percentile(fraction)
    # Far from saturation the percentile is that of the service and differs in the last digit only.
    assert roomier.response_percentile(fraction) <= time * (1 + 1e-14)
    assert time <= busier.response_percentile(fraction) * (1 + 1e-14)
    assert roomier.wait_mean < queue.wait_mean < busier.wait_mean
    # The search halves an interval down to the last digits.
    assert queue.response_tail(time) == pytest.approx(1 - fraction, rel=1e-9)


# One server is Pollaczek and Khinchine for any service, to all digits, and says that it is exact.
@property_test
@given(st.floats(0.001, 0.999999), cvs, st.floats(1e-6, 1e3))
def test_one_server_is_exact(rho: float, squared_cv: float, mean: float) -> None:
    service = from_moments(mean, squared_cv)
    wait = mgc_wait(rho / mean, service, 1)
    assert wait.exact
    assert wait.probability == pytest.approx(rho, rel=1e-12)
    assert wait.mean == pytest.approx(rho * mean * (1 + service.squared_cv) / (2 * (1 - rho)), rel=1e-8)
    second = 2 * wait.mean**2 + rho / mean * service.moment(3) / (3 * (1 - rho))
    assert wait.variance + wait.mean**2 == pytest.approx(second, rel=1e-8)


# Exponential service is M/M/c in every moment and percentile, and says that it is exact.
@property_test
@given(loads, st.integers(1, 500))
def test_exponential_is_exact(rho: float, servers: int) -> None:
    queue, wait = MMc(rho * servers, 1.0, servers), mgc_wait(rho * servers, exponential(1.0), servers)
    assert wait.exact
    assert wait.mean == pytest.approx(queue.wait_mean, rel=1e-12)
    if queue.wait_probability > 0.011:
        assert p99(wait) == pytest.approx(queue.wait_percentile(0.99), rel=1e-6)


# Poisson arrivals at several servers: mean and P99 of the wait are as far from exact values as stated, and no farther.
@pytest.mark.parametrize(
    ("name", "mean", "tail"),
    [
        ("M-E2-5-rho0.9", 0.01, 0.02),
        ("M-H2(4)-1-rho0.8", 1e-6, 1e-6),
        ("M-H2(4)-5-rho0.9", 0.015, 0.04),
        ("M-H2(9)-5-rho0.7", 0.015, 0.04),
        ("E2-E2-5-rho0.8", 0.06, 0.06),
        ("H2(2)-M-5-rho0.8", 0.06, 0.06),
        ("H2(4)-M-5-rho0.9", 0.06, 0.06),
        ("H2(2)-H2(2)-5-rho0.8", 0.06, 0.06),
        ("H2(4)-H2(4)-2-rho0.8", 0.06, 0.06),
    ],
)
def test_exact_cases(name: str, mean: float, tail: float) -> None:
    case = queue_case(f"exact-{name}")
    exact = case["expected"]
    wait = mgc_wait(case["rho"] * case["c"], from_moments(1.0, case["cs2"]), case["c"], case["ca2"])
    assert wait.mean == pytest.approx(exact["Wq"]["value"], rel=mean)
    assert p99(wait) == pytest.approx(exact["Wq P99"]["value"], rel=tail)


# Very irregular service on many servers: never too short, at most 19 % long in the mean, 38 % at P95 and 22 % at P99.
@pytest.mark.parametrize("name", ["M-H2(4)-20-rho0.8", "M-H2(9)-10-rho0.7"])
def test_exact_cases_on_the_safe_side(name: str) -> None:
    case = queue_case(f"exact-{name}")
    exact = case["expected"]
    wait = mgc_wait(case["rho"] * case["c"], from_moments(1.0, case["cs2"]), case["c"])
    assert 1 <= wait.mean / exact["Wq"]["value"] <= 1.19
    assert 1 <= Latency.of(wait).percentile(0.95) / exact["Wq P95"]["value"] <= 1.38
    assert 1 <= p99(wait) / exact["Wq P99"]["value"] <= 1.22


# Constant service on up to fifty servers: mean within 1 % of the embedded chain, on one server exactly.
@pytest.mark.parametrize("name", ["c1-rho0.8", "c2-rho0.5", "c2-rho0.9", "c10-rho0.9", "c25-rho0.8", "c50-rho0.9"])
def test_constant_service(name: str) -> None:
    case = queue_case(f"exact-mdc-{name}")
    wait = mgc_wait(case["lambda"], CONSTANT, case["c"])
    assert wait.mean == pytest.approx(case["expected"]["Wq"]["value"], rel=1e-11 if case["c"] == 1 else 0.01)


# For constant service the mean is Cosmetatos' approximation as Kimura 1991 tabulates it, to the printed digits.
@pytest.mark.parametrize("name", ["c4", "c25"])
def test_cosmetatos(name: str) -> None:
    case = queue_case(f"kimura91-cosmetatos-{name}")
    for rho in case["rho"]:
        entry = case["expected"][f"Wq_approx(rho={rho})"]
        found = mgc_wait(rho * case["c"] * case["mu"], CONSTANT.slowed(1 / case["mu"]), case["c"]).mean
        assert found == pytest.approx(entry["value"], abs=entry["tol_abs"])


# The probability of a wait in G/G/4 is within 0.03 of the values that Whitt 1993 prints: that is his approximation's error.
@pytest.mark.parametrize("name", ["dm4", "h2m4", "e4m4", "md4", "e2h24", "h2d4"])
def test_whitt_wait_probability(name: str) -> None:
    case = queue_case(f"whitt93-pw-{name}")
    service = from_moments(1.0, case["cs2"])
    wait = mgc_wait(case["rho"] * case["servers"], service, case["servers"], case["ca2"])
    assert wait.probability == pytest.approx(case["expected"]["P(W>0)"]["value"], abs=0.03)


# For constant arrivals at twenty busy servers the same approximation is a fifth low.
def test_whitt_wait_probability_of_constant_arrivals() -> None:
    case = queue_case("whitt93-pw-dm20")
    wait = mgc_wait(case["rho"] * case["servers"], exponential(1.0), case["servers"], case["ca2"])
    assert 0.79 < wait.probability / case["expected"]["P(W>0)"]["value"] < 0.81


# Means follow the load: more arrivals wait longer, under every way of balancing and for any service.
@property_test
@given(
    rho=st.floats(0.05, 0.98),
    more=st.floats(0.01, 0.9),
    cv=cvs,
    nodes=st.integers(1, 8),
    servers=st.integers(1, 8),
    balancing=st.sampled_from(["shared_queue", "random", "round_robin", "least_connections"]),
)
def test_balanced_monotone(*, rho: float, more: float, cv: float, nodes: int, servers: int, balancing: str) -> None:
    service, total = from_moments(1.0, cv), nodes * servers
    light, heavy = (balanced_wait(r * total, service, nodes, servers, balancing) for r in (rho, rho + more * (1 - rho)))
    assert light.mean < heavy.mean
    assert light.probability < heavy.probability


# On one node, balancing has nothing to choose: every way gives the same queue.
@property_test
@given(loads, cvs, st.integers(1, 20))
def test_one_node(rho: float, squared_cv: float, servers: int) -> None:
    service = from_moments(1.0, squared_cv)
    alone = mgc_wait(rho * servers, service, servers)
    for balancing in ("random", "round_robin", "least_connections"):
        wait = balanced_wait(rho * servers, service, 1, servers, balancing)
        assert (wait.probability, wait.mean) == (alone.probability, alone.mean)


# A random split is each node alone with its share of the stream.
@property_test
@given(loads, cvs, st.integers(2, 20), st.integers(1, 10))
def test_random_split(rho: float, squared_cv: float, nodes: int, servers: int) -> None:
    service = from_moments(1.0, squared_cv)
    wait = balanced_wait(rho * nodes * servers, service, nodes, servers, "random")
    alone = mgc_wait(rho * servers, service, servers)
    assert wait.probability == pytest.approx(alone.probability, rel=1e-10)
    assert wait.mean == pytest.approx(alone.mean, rel=1e-9)


# Fewest connections lies between one queue for all and a random split, and meets the one queue in heavy traffic.
@property_test
@given(st.floats(0.05, 0.99), cvs, st.integers(2, 20), st.integers(1, 10))
def test_least_connections_between(rho: float, squared_cv: float, nodes: int, servers: int) -> None:
    service = from_moments(1.0, squared_cv)
    pooled, least, split = (
        balanced_wait(rho * nodes * servers, service, nodes, servers, balancing).mean
        for balancing in ("shared_queue", "least_connections", "random")
    )
    if squared_cv == 1:
        assert pooled <= least <= split
    assert least <= split
    heavy = 1 - 1e-6
    limit = balanced_wait(heavy * nodes, exponential(1.0), nodes, 1, "least_connections").mean
    assert limit == pytest.approx(mgc_wait(heavy * nodes, exponential(1.0), nodes).mean, rel=1e-6 * nodes)


def hyperexponential(draws: random.Random) -> float:
    p = (1 + math.sqrt(3 / 5)) / 2
    return draws.expovariate(2 * p if draws.random() < p else 2 * (1 - p))


# Fewest connections in simulation, P99 of the response. Over 600,000 requests the model was 0.2 % low for exponential
# service on four nodes, and long elsewhere: 4.5 % on twenty nodes, 3.9 % for E2, 4.7 % constant, 6.6 % for squared CV 4.
# One run of 200,000 requests scatters by 2 to 3 % (three seeds): the bounds add one and a half to three times that.
@pytest.mark.parametrize(
    ("nodes", "servers", "rho", "service", "draw", "lowest", "highest"),
    [
        pytest.param(4, 1, 0.8, exponential(1.0), lambda draws: draws.expovariate(1.0), 0.94, 1.06, id="M"),
        pytest.param(20, 1, 0.9, exponential(1.0), lambda draws: draws.expovariate(1.0), 0.985, 1.105, id="M-20-nodes"),
        pytest.param(4, 2, 0.85, erlang(2, 1.0), lambda draws: draws.gammavariate(2, 0.5), 0.98, 1.10, id="E2"),
        pytest.param(4, 1, 0.8, CONSTANT, lambda _: 1.0, 1.0, 1.08, id="D"),
        pytest.param(4, 1, 0.8, from_moments(1.0, 4.0), hyperexponential, 1.0, 1.13, id="H2"),
    ],
)
def test_least_connections_simulated(
    *,
    nodes: int,
    servers: int,
    rho: float,
    service: ServiceTime,
    draw: Callable[[random.Random], float],
    lowest: float,
    highest: float,
) -> None:
    rate = rho * nodes * servers
    found = Latency.waiting(balanced_wait(rate, service, nodes, servers, "least_connections")) + Latency.of(service)
    responses, _ = simulate_least_connections(rate, nodes, servers, draw, requests=200_000, seed=1)
    assert lowest < found.percentile(0.99) / responses.percentile(0.99) < highest


# No steady state above the capacity of all nodes, whatever the balancing; the error says what is missing.
@pytest.mark.parametrize("balancing", ["shared_queue", "random", "round_robin", "least_connections"])
def test_unstable(balancing: str) -> None:
    with pytest.raises(UnstableQueueError) as error:
        balanced_wait(9.0, exponential(1.0), 4, 2, balancing)
    assert error.value.short == 1
    with pytest.raises(UnstableQueueError):
        MMc(8.0, 1.0, 8)


# Without arrivals nobody waits.
def test_no_load() -> None:
    assert mgc_wait(0.0, erlang(3, 1.0), 4) is NO_WAIT
    assert Latency.waiting(NO_WAIT).percentile(0.99) == 0


# Regular arrivals that hardly ever wait wait for a finite time, whose mean is that of the formula and never overflows.
@pytest.mark.parametrize("rho", [0.01, 0.05, 0.1, 0.3])
@pytest.mark.parametrize("servers", [2, 8, 40])
@pytest.mark.parametrize("arrival_squared_cv", [0.0, 0.1])
def test_regular_arrivals_at_low_load(rho: float, servers: int, arrival_squared_cv: float) -> None:
    service = exponential(1.0)
    regular = balanced_wait(rho * servers, service, 1, servers, arrival_squared_cv=arrival_squared_cv)
    poisson = balanced_wait(rho * servers, service, 1, servers)
    assert regular.mean <= poisson.mean
    assert regular.conditional.mean <= 100 * poisson.conditional.mean * (1 + 1e-9)
    assert math.isfinite(regular.conditional.variance)


# Next to no load rounds to none, and is no error: nobody waits, whatever the balancing.
@pytest.mark.parametrize("rate", [1e-10, 1e-14, 1e-20, 1e-300])
@pytest.mark.parametrize("balancing", ["shared_queue", "random", "round_robin", "least_connections"])
def test_next_to_no_load(balancing: str, rate: float) -> None:
    wait = balanced_wait(rate, from_moments(1e-3, 2.0), 3, 2, balancing)
    assert 0 <= wait.probability < 1e-10
    assert math.isfinite(wait.mean)
