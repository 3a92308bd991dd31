from __future__ import annotations

import math
import random
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.erlang import UnstableQueueError
from models.loss import finite_population
from models.networks import (
    Center,
    NetworkState,
    approximate_closed,
    closed_network,
    mixed_network,
    open_network,
    visits,
)
from models.stations import mmc
from tests.cases import queue_case

property_test = settings(max_examples=40)
ANY = math.inf


def number(state: NetworkState, center: int) -> list[float]:
    return [queue[center] for queue in state.queue]


# Lazowska's open network of three centers, to his three digits and to the solved response.
def test_open_lazowska() -> None:
    case = queue_case("lazowska-p113-open")
    state = open_network([case["lambda"]], [Center((v * s,)) for v, s in zip(case["V"], case["S"], strict=True)])
    found = {
        "U1": state.utilization[0],
        "X1": case["lambda"] * case["V"][0],
        "Q1": state.queue[0][0],
        "R system (solved)": state.response[0],
    }
    for metric, entry in case["expected"].items():
        assert found[metric] == pytest.approx(entry["value"], abs=entry["tol_abs"])


# The open network of two classes on which three tools agree.
def test_open_two_classes() -> None:
    case = queue_case("zahorjan-p138-open2class")
    rates = [float(Fraction(x)) for x in case["lambda"]]
    demand = [
        [v * float(Fraction(s)) for v, s in zip(*rows, strict=True)] for rows in zip(case["V"], case["S"], strict=True)
    ]
    state = open_network(rates, [Center((demand[0][k], demand[1][k])) for k in range(2)])
    expected = case["expected"]
    assert state.response == pytest.approx(expected["R per class (residence sum)"]["value"], abs=1e-8)
    assert [sum(queue) for queue in state.queue] == pytest.approx(expected["N per class"]["value"], abs=1e-8)
    for residence, entry in zip(state.residence, expected["residence[class][centre]"]["value"], strict=True):
        assert residence == pytest.approx(entry, abs=1e-8)
    assert rates[0] * demand[0][0] == pytest.approx(expected["U[class1,cpu]"]["value"], abs=1e-9)


# The visits of the passport office, a textbook's example of feedback.
def test_visits() -> None:
    case = queue_case("passport-jackson")
    routing = [
        [0, case["p12"], case["p13"], 0],
        [0, 0, case["p23"], 1 - case["p23"]],
        [0, case["p32"], 0, 1 - case["p32"]],
        [0] * 4,
    ]
    found = visits([1, 0, 0, 0], routing)
    assert found[1] == pytest.approx(case["expected"]["v2"]["value"], abs=1e-12)
    assert found[2] == pytest.approx(case["expected"]["v3"]["value"], abs=1e-12)
    assert found[3] == pytest.approx(1, abs=1e-12)


# The network that five tools solve identically, and the same with feedback instead of two visits.
def test_jackson() -> None:
    case = queue_case("jackson-tandem-common")
    centers = [Center((v / mu,), c) for v, mu, c in zip(case["V"], case["mu"], case["c"], strict=True)]
    state, expected = open_network([case["lambda"]], centers), case["expected"]
    per_visit = [r / v for r, v in zip(state.residence[0], case["V"], strict=True)]
    assert per_visit == pytest.approx(expected["R per visit"]["value"], abs=1e-10)
    assert state.response[0] == pytest.approx(expected["R system"]["value"], abs=1e-9)
    assert sum(state.queue[0]) == pytest.approx(expected["N"]["value"], abs=1e-9)
    case = queue_case("sim-feedback-F1")
    often = visits([1, 0, 0], [[0, 1, 0], [0, 0, 1], [0, 0, case["feedback_p"]]])
    state = open_network(
        [case["lambda"]], [Center((v / mu,), c) for v, mu, c in zip(often, case["mu"], case["c"], strict=True)]
    )
    assert state.response[0] == pytest.approx(case["expected"]["e2e mean (exact Jackson)"]["value"], abs=1e-9)


# Tandems simulated with millions of customers: the sum of the stations' responses is within the runs' intervals.
@pytest.mark.parametrize("name", ["sim-e2e-T2", "sim-e2e-T7"])
def test_simulated_tandem(name: str) -> None:
    case = queue_case(name)
    states = [mmc(case["lambda"], stage["service"]["mean"], stage["c"]) for stage in case["stages"]]
    whole = states[0].response
    for state in states[1:]:
        whole = whole + state.response
    expected = case["expected"]
    for metric, fraction in (("e2e P50", 0.5), ("e2e P95", 0.95), ("e2e P99", 0.99), ("e2e P99.9", 0.999)):
        assert whole.percentile(fraction) == pytest.approx(expected[metric]["value"], abs=expected[metric]["tol_abs"])
    assert whole.mean == pytest.approx(expected["e2e mean"]["value"], abs=expected["e2e mean"]["tol_abs"])
    means = [state.response_mean for state in states]
    assert means == pytest.approx(
        expected["node sojourn means"]["value"], abs=expected["node sojourn means"]["tol_abs"]
    )


# Bolch's two closed networks with several servers, to the printed digits.
@pytest.mark.parametrize("name", ["bolch-ex8.4-closed-multiserver", "bolch-ex8.1-conv"])
def test_closed_bolch(name: str) -> None:
    case = queue_case(name)
    times = [float(1 / Fraction(s.split("/")[1])) if isinstance(s, str) else s for s in case["S"]]
    servers = [ANY if m == "inf" else m for m in case["m"]]
    state = closed_network(
        [case["N"]], [0.0], [Center((v * s,), m) for v, s, m in zip(case["V"], times, servers, strict=True)]
    )
    expected = case["expected"]
    # The book's second example is computed with the rounded visits 0.667 and rounded in between.
    slack = 2e-3 if "conv" in name else 0.0
    assert state.queue[0] == pytest.approx(expected["Q"]["value"], abs=expected["Q"]["tol_abs"] + 2 * slack)
    assert [v * state.throughput[0] for v in case["V"]] == pytest.approx(
        expected["X"]["value"], abs=expected["X"]["tol_abs"] + slack
    )
    if "U" in expected:
        assert state.utilization == pytest.approx(expected["U"]["value"], abs=expected["U"]["tol_abs"] + slack)


# Schwetman's closed network of two classes that think.
def test_closed_schwetman() -> None:
    case = queue_case("schwetman-closed2class")
    state = closed_network(case["N"], case["Z"], [Center(tuple(case["S_cpu"]))])
    found = {
        "U cpu": [x * s for x, s in zip(state.throughput, case["S_cpu"], strict=True)],
        "Q cpu": number(state, 0),
        "X": state.throughput,
        "R": state.response,
    }
    for metric, entry in case["expected"].items():
        assert list(found[metric]) == pytest.approx(entry["value"], abs=entry["tol_abs"])


# Forty interactive and four batch users on a processor and four disks, as JMT solves it; the Linearizer is within 0.2 %.
def test_closed_jmva() -> None:
    case = queue_case("jmva-closed2class-6st")
    passes, (first, second) = (1 / 0.9, 1 / 0.05), case["S"]
    centers = [Center((first[1] * passes[0], second[1] * passes[1]))]
    centers += [Center((first[k] * passes[0] / 4, second[k] * passes[1] / 4)) for k in range(2, 6)]
    state = closed_network(case["N"], [first[0], second[0]], centers)
    found = {
        "X ref": state.throughput,
        "residence cpu": [r[0] for r in state.residence],
        "residence disk": [r[1] for r in state.residence],
        "Q cpu": number(state, 0),
    }
    for metric, entry in case["expected"].items():
        assert list(found[metric]) == pytest.approx(entry["value"], abs=entry["tol_abs"])
    near = approximate_closed(case["N"], [first[0], second[0]], centers)
    assert near.throughput == pytest.approx(state.throughput, rel=2e-3)
    assert not near.exact


# Chandy and Neuse's example of a class that thinks and one that does not.
def test_closed_chandy_neuse() -> None:
    case = queue_case("chandy-neuse-1982")
    state = closed_network(case["N"], case["Z_station"], [Center(tuple(case["S_q"]))])
    expected = case["expected"]
    assert state.queue[0][0] == pytest.approx(expected["Q exact queue class1"]["value"], abs=1e-3)
    assert state.throughput[0] * case["Z_station"][0] == pytest.approx(
        expected["Q exact delay class1"]["value"], abs=1e-3
    )


# Two classes at two servers, for three numbers of visits, to the layered solver's digits.
@pytest.mark.parametrize("often", [1, 2, 5])
def test_closed_several_servers(often: int) -> None:
    case = queue_case("conway-multiserver-5-2")
    state = closed_network(case["N"], case["delay"], [Center((case["S"][0], case["S"][1] * often), 2)])
    entry = case["expected"][f"Q station exact (v22={often})"]
    assert number(state, 0) == pytest.approx(entry["value"], abs=entry["tol_abs"])


# Open and closed classes together: Schwetman's to his digits, Lazowska's as R's package solves it.
def test_mixed() -> None:
    case = queue_case("schwetman-p26-mixed")
    first, second = (
        tuple(s * v for s, v in zip(*pair, strict=True)) for pair in zip(case["S"], case["V"], strict=True)
    )
    state = mixed_network(
        [case["lambda_open"]], [case["N_closed"]], [0.0], [Center((first[k], second[k])) for k in range(2)]
    )
    found = {
        "U open": case["lambda_open"] * first[0],
        "X open": state.throughput[0],
        "R open c1": state.residence[0][0],
        "R closed c1": state.residence[1][0],
        "R closed c2": state.residence[1][1],
    }
    for metric, entry in case["expected"].items():
        assert found[metric] == pytest.approx(entry["value"], abs=entry["tol_abs"])
    case = queue_case("lazowska-p147-mixed")
    demands = case["S[class][centre]"]
    centers = [Center(tuple(row[k] for row in demands)) for k in range(2)]
    state = mixed_network(case["lambda_open"], case["N_closed"], [0.0, 0.0], centers)
    # That package counts each of the two centers' visits as a pass of its own: twice as many, each half as long.
    assert [2 * x for x in state.throughput[2:]] == pytest.approx(case["expected"]["X closed"]["value"], abs=1e-9)
    assert [r / 2 for r in state.response] == pytest.approx(case["expected"]["R per class"]["value"], abs=1e-8)
    assert [sum(q) for q in state.queue] == pytest.approx(case["expected"]["N per class"]["value"], abs=1e-8)


# One class at one station is the finite population, solved another way, also with hundreds of servers.
@pytest.mark.parametrize(("sources", "servers"), [(7, 1), (60, 12), (400, 300)])
@pytest.mark.parametrize("think", [0.01, 1.0, 20.0])
def test_one_station(sources: int, servers: int, think: float) -> None:
    network, alone = (
        closed_network([sources], [think], [Center((0.4,), servers)]),
        finite_population(sources, think, 0.4, servers),
    )
    assert network.throughput[0] == pytest.approx(alone.throughput, rel=1e-10)
    assert network.response[0] == pytest.approx(alone.response_mean, rel=1e-9)
    assert number(network, 0)[0] == pytest.approx(alone.number, rel=1e-9)


def textbook_mva(population: int, think: float, demands: list[float]) -> tuple[float, list[float]]:
    """Return throughput and queues by the recursion of Reiser and Lavenberg, single servers, in exact arithmetic."""
    queue, rate = [Fraction(0)] * len(demands), Fraction(0)
    for n in range(1, population + 1):
        residence = [Fraction(d) * (1 + q) for d, q in zip(demands, queue, strict=True)]
        rate = n / (Fraction(think) + sum(residence))
        queue = [rate * r for r in residence]
    return float(rate), [float(q) for q in queue]


# The convolution is mean value analysis: ten digits of the recursion in fractions, whose digits never end.
@property_test
@given(st.integers(1, 40), st.floats(0, 50), st.lists(st.floats(0.001, 5), min_size=1, max_size=5))
def test_mean_value_analysis(population: int, think: float, demands: list[float]) -> None:
    rate, queue = textbook_mva(population, think, demands)
    state = closed_network([population], [think], [Center((d,)) for d in demands])
    assert state.throughput[0] == pytest.approx(rate, rel=1e-10)
    assert state.queue[0] == pytest.approx(queue, rel=1e-9, abs=1e-12)


# Nobody is lost: all are thinking or at a center; more requests pass more, never above the narrowest center.
@property_test
@given(
    st.integers(1, 12),
    st.integers(0, 8),
    st.lists(
        st.tuples(st.floats(0.01, 2), st.floats(0.01, 2), st.sampled_from([1, 2, 5, ANY])), min_size=1, max_size=4
    ),
)
def test_conservation(first: int, second: int, shapes: list[tuple[float, float, float]]) -> None:
    centers = [Center((a, b), c) for a, b, c in shapes]
    think = [1.5, 0.3]
    state, near = (solve([first, second], think, centers) for solve in (closed_network, approximate_closed))
    for solved in (state, near):
        for count, z, rate, queue in zip([first, second], think, solved.throughput, solved.queue, strict=True):
            assert sum(queue) + rate * z == pytest.approx(count, rel=1e-8, abs=1e-9)
    assert all(u <= 1 + 1e-9 for u, c in zip(state.utilization, centers, strict=True) if c.servers < ANY)
    assert closed_network([first + 1, second], think, centers).throughput[0] > state.throughput[0]


# The Linearizer is as far from exact values as its docstring says, on random networks.
@pytest.mark.parametrize(("servers", "mean", "worst"), [([1], 0.002, 0.014), ([1, 2, 4, 8], 0.02, 0.14)])
def test_linearizer_error(servers: list[int], mean: float, worst: float) -> None:
    draws, errors = random.Random(5), []  # noqa: S311, nothing is kept secret
    for _ in range(40):
        populations = [draws.randint(1, 15), draws.randint(1, 15)]
        think = [draws.choice([0.0, draws.uniform(0, 10)]) for _ in range(2)]
        centers = [Center((draws.uniform(0.05, 2), draws.uniform(0.05, 2)), draws.choice(servers)) for _ in range(3)]
        exact, near = closed_network(populations, think, centers), approximate_closed(populations, think, centers)
        errors += [abs(b / a - 1) for a, b in zip(exact.throughput, near.throughput, strict=True)]
    assert np.mean(errors) < mean
    assert max(errors) < worst


# What has no steady state or no meaning is refused with the reason.
def test_refused() -> None:
    with pytest.raises(UnstableQueueError) as error:
        open_network([3.0], [Center((0.1,)), Center((1.0,), 2)])
    assert error.value.short == 1
    with pytest.raises(UnstableQueueError):
        mixed_network([3.0], [2], [1.0], [Center((0.5, 0.1))])
    with pytest.raises(ValueError, match="combinations"):
        closed_network([100, 100], [1, 1], [Center((1, 1))])
    with pytest.raises(ValueError, match="pass without end"):
        closed_network([3], [0.0], [Center((0.0,))])
    with pytest.raises(ValueError, match="2 classes"):
        open_network([1.0, 1.0], [Center((0.1,))])
    with pytest.raises(ValueError, match="single servers"):
        mixed_network([0.1], [2], [1.0], [Center((0.5, 0.1), 2)])
    with pytest.raises(ValueError, match="never leave"):
        visits([1.0, 0.0], [[0.0, 1.0], [1.0, 0.0]])
    for wrong in ((-1.0, 1), (1.0, 0), (1.0, 1.5), (math.nan, 1)):
        with pytest.raises(ValueError, match=r"demands|servers"):
            Center((wrong[0],), wrong[1])
