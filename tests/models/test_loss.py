from __future__ import annotations

import math
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.erlang import erlang_b
from models.loss import finite_population, finite_room, infinite_servers, loss_system
from models.queues import MMc
from models.service_time import exponential, from_moments
from tests.cases import queue_case

CLAIM = 1e-12
"""The relative error that the module promises for shares and means."""

property_test = settings(max_examples=60)
rates = st.floats(-2, 2).map(lambda exponent: 10**exponent)


def birth_death(up: list[Any], down: list[Any]) -> list[Any]:
    """Return the probabilities of the states to fifty digits; `down[i]` leads from state i + 1 to i."""
    states = [mpmath.mpf(1)]
    for more, less in zip(up, down, strict=True):
        states.append(states[-1] * more / less)
    whole = mpmath.fsum(states)
    return [state / whole for state in states]


# Published queues with little room, to their printed digits: two textbooks' tools agree with ours.
@pytest.mark.parametrize("name", ["mmmk-3-7", "mmmk-2-5", "sixto-mmck"])
def test_published_rooms(name: str) -> None:
    case = queue_case(name)
    state = finite_room(case["lambda"], 1 / case["mu"], case["c"], case["K"])
    load, c = case["lambda"] / case["mu"], case["c"]
    empty = state.blocking / (load**c / math.factorial(c) * (load / c) ** (case["K"] - c))
    found = {
        "p0": empty,
        "R": state.response_mean,
        "pK": state.blocking,
        "pK (solved)": state.blocking,
        "p12": state.blocking,
        "X (solved)": state.throughput,
        "throughput": state.throughput,
        "L": state.number,
        "Wq": state.wait_mean,
        "P(Wq<=0.05)": 1 - state.wait_tail(0.05),
        "P(Wq<=0.1)": 1 - state.wait_tail(0.1),
        "P(Wq<=0.2)": 1 - state.wait_tail(0.2),
    }
    for metric, entry in case["expected"].items():
        assert found[metric] == pytest.approx(entry["value"], abs=entry["tol_abs"])


# Every figure holds twelve digits against the fifty-digit chain, far below, at and far above saturation.
@pytest.mark.parametrize(("servers", "places"), [(1, 1), (1, 40), (3, 7), (20, 20), (50, 400)])
@pytest.mark.parametrize("utilization", [1e-3, 0.5, 0.99, 1.0, 1 + 1e-9, 1.3, 50.0])
def test_room_holds_twelve_digits(servers: int, places: int, utilization: float) -> None:
    load = utilization * servers
    state = finite_room(load / 0.3, 0.3, servers, places)
    with mpmath.workdps(50):
        p = birth_death([mpmath.mpf(load)] * places, [min(n, servers) for n in range(1, places + 1)])
        waiting = mpmath.fsum((n - servers) * p[n] for n in range(servers, places + 1))
        assert p[-1] < 1e-290 or abs(state.blocking / p[-1] - 1) < CLAIM
        assert abs(state.wait_probability - mpmath.fsum(p[servers:-1]) / (1 - p[-1])) < CLAIM
        if waiting > 1e-290:
            assert abs(state.queue_length / waiting - 1) < CLAIM
        # The wait beyond one service: stages of the Poisson process of completions, from each state.
        x = mpmath.mpf(servers)
        cdf = [
            mpmath.fsum(mpmath.exp(-x) * x**i / mpmath.factorial(i) for i in range(j + 1))
            for j in range(places - servers)
        ]
        tail = mpmath.fsum(p[servers + j] * cdf[j] for j in range(places - servers)) / (1 - p[-1])
        assert abs(state.wait_tail(0.3) - tail) < 1e-13


# Without places to wait it is the loss system, with many below saturation M/M/c, in the response's P99 too.
@property_test
@given(st.floats(0.05, 0.9), st.integers(1, 60))
def test_between_loss_and_endless(rho: float, servers: int) -> None:
    assert finite_room(rho * servers, 1.0, servers, servers).blocking == pytest.approx(
        erlang_b(servers, rho * servers), rel=CLAIM
    )
    endless, roomy = MMc(rho * servers, 1.0, servers), finite_room(rho * servers, 1.0, servers, servers + 1000)
    assert roomy.wait_mean == pytest.approx(endless.wait_mean, rel=1e-11)
    assert roomy.wait_probability == pytest.approx(endless.wait_probability, rel=1e-11)
    # Inverted transforms are good to 1e-6 up to P99.9.
    assert roomy.response_percentile(0.99) == pytest.approx(endless.response_percentile(0.99), rel=1e-6)


# More room turns away fewer and lets wait longer; more load turns away more.
@property_test
@given(rates, st.integers(1, 30), st.integers(0, 30))
def test_room_is_monotone(load: float, servers: int, room: int) -> None:
    state, more = finite_room(load, 1.0, servers, servers + room), finite_room(load, 1.0, servers, servers + room + 1)
    busier = finite_room(load * 1.1, 1.0, servers, servers + room)
    # Far above saturation one more place changes less than the last digits: monotone within the accuracy that is claimed.
    assert more.blocking <= state.blocking * (1 + CLAIM)
    assert state.blocking < busier.blocking * (1 + CLAIM)
    assert more.wait_mean >= state.wait_mean * (1 - CLAIM)
    assert state.throughput <= servers * (1 + CLAIM)


# Servers without number: nobody waits, the response is the service, and Little's law gives the Poisson mean.
def test_infinite_servers() -> None:
    state = infinite_servers(40.0, from_moments(0.5, 4.0))
    assert (state.wait_mean, state.wait_probability, state.number) == (0, 0, 20)
    assert state.response_percentile(0.99) > 2
    assert loss_system(40.0, exponential(0.5), 400).number == pytest.approx(20, rel=CLAIM)


# A loss system loses what Erlang B says, whatever the service times, and keeps busy what it does not lose.
def test_loss_system() -> None:
    state = loss_system(123.0, from_moments(1.0, 9.0), 132)
    assert state.blocking == pytest.approx(0.0312, abs=5e-5)
    assert state.number == pytest.approx(123 * (1 - state.blocking), rel=CLAIM)


# The published closed queue of 400 clients that never think, at 300 servers, to its printed digits.
def test_published_population() -> None:
    case = queue_case("aws-tomcat-closed")
    state = finite_population(case["N"], case["Z"], case["S"], case["servers"])
    found = {"X": state.throughput, "R": state.response_mean, "Wq": state.wait_mean}
    for metric, entry in case["expected"].items():
        assert found[metric] == pytest.approx(entry["value"], abs=entry["tol_abs"])


# Clients that think: throughput and queue hold twelve digits against the fifty-digit chain of all N of them.
@pytest.mark.parametrize(("sources", "servers"), [(1, 1), (5, 1), (40, 7), (300, 250)])
@pytest.mark.parametrize("think", [1e-3, 0.5, 3.0, 1e3])
def test_population_holds_twelve_digits(sources: int, servers: int, think: float) -> None:
    state = finite_population(sources, think, 0.2, servers)
    with mpmath.workdps(50):
        z, s = mpmath.mpf(think), mpmath.mpf(0.2)
        p = birth_death(
            [(sources - n) / z for n in range(sources)], [min(n, servers) / s for n in range(1, sources + 1)]
        )
        busy = mpmath.fsum(min(n, servers) * p[n] for n in range(sources + 1))
        waiting = mpmath.fsum(max(n - servers, 0) * p[n] for n in range(sources + 1))
        assert abs(state.throughput / (busy / s) - 1) < CLAIM
        assert abs(state.utilization / (busy / servers) - 1) < CLAIM
        assert waiting < 1e-290 or abs(state.queue_length / waiting - 1) < CLAIM


# A large population that thinks for long is a Poisson stream: the limit is M/M/c.
def test_population_becomes_poisson() -> None:
    state, endless = finite_population(1_000_000, 1e5, 1.0, 12), MMc(10.0, 1.0, 12)
    # The rate itself falls by the share of clients that are not thinking: 1e-5 here, and the wait by ten times that.
    assert state.wait_mean == pytest.approx(endless.wait_mean, rel=5e-4)
    assert state.wait_percentile(0.99) == pytest.approx(endless.wait_percentile(0.99), rel=5e-4)


# Without arrivals nothing happens; input without a meaning is refused.
def test_edges() -> None:
    assert finite_room(0.0, 1.0, 3, 5).response_mean == 1
    assert finite_room(1.0, 1.0, 400, 500).wait_percentile(0.99) == 0
    assert np.isfinite(finite_room(1e5, 1.0, 1, 100_000).wait_mean)
    for wrong in ((-1.0, 1.0, 1, 1), (1.0, 0.0, 1, 1), (1.0, 1.0, 0, 1), (math.nan, 1.0, 1, 1)):
        with pytest.raises(ValueError, match=r"rate|time|server"):
            finite_room(*wrong)
    with pytest.raises(ValueError, match="room for 2"):
        finite_room(1.0, 1.0, 3, 2)
    with pytest.raises(ValueError, match="0 sources"):
        finite_population(0, 1.0, 1.0, 1)
    with pytest.raises(ValueError, match="fractions between 0 and 1"):
        finite_room(1.0, 1.0, 1, 9).wait_percentile(1.0)


# A long queue that is nearly always full makes nearly the same wait for all: the response is that wait and a service.
def test_overloaded_room() -> None:
    state = finite_room(30.0, 1.0, 10, 1010)
    # 1000 places, 10 served per second: 100 s less what is free of them, and the normal scatter of 1000 services.
    assert state.wait_percentile(0.5) == pytest.approx(state.wait_mean, rel=1e-3)
    median, late = state.response_percentile(0.5), state.response_percentile(0.999)
    assert state.wait_percentile(0.5) < median < state.wait_percentile(0.5) + 1.1
    assert median < late < state.wait_percentile(0.999) + 7
    assert state.response_tail(median) == pytest.approx(0.5, abs=1e-4)
