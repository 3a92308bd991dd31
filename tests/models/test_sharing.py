from __future__ import annotations

import itertools
import math
import random
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from models.batches import batch_arrivals, batch_wait_mean
from models.erlang import UnstableQueueError
from models.priorities import general_priority, interrupt_by_priority, queue_by_priority
from models.queues import MMc, mgc_wait
from models.service_time import ServiceTime, exponential, from_moments
from models.sharing import processor_sharing, sharing_response_mean, sharing_response_of_size
from tests.simulation import Clock, Sample

if TYPE_CHECKING:
    from collections.abc import Callable

property_test = settings(max_examples=40)


# On one shared server mean and variance are those of Coffman, Muntz and Trotter 1970.
@pytest.mark.parametrize("rho", [0.1, 0.5, 0.9, 0.99])
def test_one_shared_server(rho: float) -> None:
    state = processor_sharing(rho / 0.2, 0.2, 1)
    assert state.response_mean == pytest.approx(0.2 / (1 - rho), rel=1e-12)
    variance = 0.04 * (2 + rho) / ((1 - rho) ** 2 * (2 - rho))
    # Followed until 1e-15 of the tail is left, which weighs more in a second moment close to saturation.
    assert state.response.variance == pytest.approx(variance, rel=1e-7)


# The tail under sharing is that of the chain's matrix exponential, by SciPy's own method.
@pytest.mark.parametrize(("servers", "rho", "t"), [(1, 0.5, 3.0), (3, 0.6, 1.0), (8, 0.9, 12.0)])
def test_tail_of_the_chain(servers: int, rho: float, t: float) -> None:
    n = np.arange(400)
    share = np.minimum(1.0, servers / (n + 1))
    generator = np.diag(np.full(399, rho * servers), 1) + np.diag((n * share)[1:], -1)
    generator -= np.diag(rho * servers + (n + 1) * share)
    start = np.cumprod(np.append(1.0, rho * servers / np.minimum(n[1:], servers)))
    tail = float((start / start.sum() @ expm(generator * t)).sum())
    # A general matrix exponential holds ten digits.
    assert processor_sharing(rho * servers, 1.0, servers).response_tail(t) == pytest.approx(tail, rel=1e-9)


# Sharing has the mean of the queue, for any service; a request of a given size is slowed like every other.
@property_test
@given(st.floats(0.05, 0.97), st.integers(1, 60))
def test_sharing_is_insensitive(rho: float, servers: int) -> None:
    queue, state = MMc(rho * servers, 1.0, servers), processor_sharing(rho * servers, 1.0, servers)
    assert state.response_mean == pytest.approx(queue.response_mean, rel=1e-12)
    assert state.response.percentile(0.5) <= queue.response_percentile(0.5) * (1 + 1e-9)
    assert sharing_response_mean(rho * servers, from_moments(1.0, 9.0), servers) == pytest.approx(
        queue.response_mean, rel=1e-12
    )
    assert sharing_response_of_size(rho, 1.0, 3.0) == pytest.approx(3 / (1 - rho), rel=1e-12)


# Waits weighted by their rates do not depend on who goes first (Kleinrock's conservation law); the urgent wait least.
@property_test
@given(st.lists(st.floats(0.05, 5), min_size=1, max_size=5), st.integers(1, 50), st.floats(0.3, 0.98))
def test_conservation(shares: list[float], servers: int, rho: float) -> None:
    rates = [share / sum(shares) * rho * servers for share in shares]
    plain = MMc(rho * servers, 1.0, servers)
    for discipline in (queue_by_priority, interrupt_by_priority):
        states = discipline(rates, 1.0, servers)
        assert sum(s.queue_length for s in states) == pytest.approx(plain.queue_length, rel=1e-7, abs=1e-9)
        means = [s.response_mean for s in states]
        assert all(one <= other * (1 + 1e-9) for one, other in itertools.pairwise(means))
    assert interrupt_by_priority(rates, 1.0, servers)[0].response_mean == pytest.approx(
        MMc(rates[0], 1.0, servers).response_mean, rel=1e-9
    )


# Interruption on one server is White and Christie's mean; without it, Cobham's.
def test_one_server() -> None:
    rates, before = [0.3, 0.4, 0.2], 0.0
    queued, interrupted = queue_by_priority(rates, 1.0, 1), interrupt_by_priority(rates, 1.0, 1)
    for rate, waits, runs in zip(rates, queued, interrupted, strict=True):
        after = before + rate
        assert waits.wait_mean == pytest.approx(0.9 / ((1 - before) * (1 - after)), rel=1e-12)
        assert runs.response_mean == pytest.approx(1 / ((1 - before) * (1 - after)), rel=1e-9)
        before = after


def simulate(
    rates: list[float], draw: Callable[[int, random.Random], float], servers: int, arrivals: int
) -> list[Sample]:
    """Return the waits of each class where the most urgent is next."""
    draws, clock = random.Random(11), Clock()  # noqa: S311, nothing is kept secret
    waiting: list[list[tuple[float, float]]] = [[] for _ in rates]
    samples, free, left = [Sample() for _ in rates], [servers], [arrivals]

    def arrive() -> None:
        left[0] -= 1
        if left[0]:
            clock.after(draws.expovariate(sum(rates)), arrive)
        number = draws.choices(range(len(rates)), rates)[0]
        waiting[number].append((clock.now, draw(number, draws)))
        begin()

    def begin() -> None:
        for number, queue in enumerate(waiting):
            while queue and free[0]:
                since, duration = queue.pop(0)
                free[0] -= 1
                samples[number].values.append(clock.now - since)
                clock.after(duration, leave)

    def leave() -> None:
        free[0] += 1
        begin()

    clock.after(0.0, arrive)
    clock.run()
    return samples


# A simulation agrees with the exact classes in mean and P95, four standard deviations of such a run being 4 and 5 %.
def test_queue_simulated() -> None:
    rates, servers = [1.2, 1.2, 0.6], 4
    found = simulate(rates, lambda _, draws: draws.expovariate(1.0), servers, 200_000)
    for sample, state in zip(found, queue_by_priority(rates, 1.0, servers), strict=True):
        assert sample.mean == pytest.approx(state.wait_mean, rel=0.06)
        assert sample.percentile(0.95) == pytest.approx(state.wait_percentile(0.95), rel=0.07)


# Classes with services of their own: the approximation's mean is up to 12 % low here, its P99 up to 15 %.
def test_general_simulated() -> None:
    rates, servers = [2.0, 0.24], 4
    services = [exponential(1.0), exponential(5.0)]
    found = simulate(rates, lambda n, draws: draws.expovariate(1 / services[n].mean), servers, 200_000)
    states = general_priority(rates, services, servers)
    for sample, state in zip(found, states, strict=True):
        assert not state.exact
        # The scatter of such a run adds 4 % to the mean of the urgent class, 8 % to that of the other.
        assert 0.84 < state.wait_mean / sample.mean < 1.04
    # Of the other class the run holds too few for a P99.
    assert 0.75 < states[0].wait_percentile(0.99) / found[0].percentile(0.99) < 1.05


# On one server, and with one class, the general means are exact: Cobham's, and Pollaczek and Khinchine's.
def test_general_is_exact_in_the_mean() -> None:
    service = from_moments(1.0, 4.0)
    (state,) = general_priority([0.7], [service], 1)
    assert state.wait_mean == pytest.approx(mgc_wait(0.7, service, 1).mean, rel=1e-12)
    same = general_priority([0.3, 0.4], [exponential(1.0)] * 2, 1)
    for one, other in zip(same, queue_by_priority([0.3, 0.4], 1.0, 1), strict=True):
        assert one.wait_mean == pytest.approx(other.wait_mean, rel=1e-12)


# Batches of one are M/M/c in every figure.
@property_test
@given(st.floats(0.05, 0.98), st.integers(1, 60))
def test_batches_of_one(rho: float, servers: int) -> None:
    queue, state = MMc(rho * servers, 1.0, servers), batch_arrivals(rho * servers, [1.0], 1.0, servers)
    assert state.wait_mean == pytest.approx(queue.wait_mean, rel=1e-10, abs=1e-14)
    assert state.wait_probability == pytest.approx(queue.wait_probability, rel=1e-10, abs=1e-14)


# On one server the mean is Burke's for any batches; larger batches of the same load wait longer.
@property_test
@given(st.lists(st.floats(0.01, 1), min_size=1, max_size=12), st.floats(0.1, 0.95), st.integers(1, 20))
def test_batches(weights: list[float], rho: float, servers: int) -> None:
    sizes = [w / math.fsum(weights) for w in weights]
    mean = sum((i + 1) * p for i, p in enumerate(sizes))
    second = sum((i + 1) ** 2 * p for i, p in enumerate(sizes))
    state = batch_arrivals(rho / mean, sizes, 1.0, 1)
    assert state.wait_mean == pytest.approx(
        batch_wait_mean(rho / mean, mean, second / mean**2 - 1, exponential(1.0)), rel=1e-9
    )
    some, more = (
        batch_arrivals(rho * servers / mean, sizes, 1.0, servers),
        batch_arrivals(rho * servers / mean / 2, doubled(sizes), 1.0, servers),
    )
    assert some.arrival_rate == pytest.approx(more.arrival_rate, rel=1e-9)
    assert some.wait_mean < more.wait_mean


def doubled(sizes: list[float]) -> list[float]:
    return [p for q in sizes for p in (0.0, q)]


# Batches of constant services on one server: Burke's mean, whose batch moments and service variance are told apart.
def test_burke() -> None:
    constant = ServiceTime((), ((1.0, 1.0),))
    # Pairs of unit services are one service of 2 for the first and 1 second more for the second.
    pairs = mgc_wait(0.3, ServiceTime((), ((1.0, 2.0),)), 1).mean
    assert batch_wait_mean(0.3, 2.0, 0.0, constant) == pytest.approx(pairs + 0.5, rel=1e-12)


# Overload is an error that says by how much, and input without a meaning is refused.
def test_refused() -> None:
    for call in (
        lambda: processor_sharing(6.0, 1.0, 5),
        lambda: queue_by_priority([3.0, 3.0], 1.0, 5),
        lambda: interrupt_by_priority([3.0, 3.0], 1.0, 5),
        lambda: general_priority([3.0, 3.0], [exponential(1.0)] * 2, 5),
        lambda: batch_arrivals(3.0, [0.0, 1.0], 1.0, 5),
        lambda: batch_wait_mean(1.0, 2.0, 0.0, exponential(1.0)),
    ):
        with pytest.raises(UnstableQueueError) as error:
            call()
        assert error.value.short == pytest.approx(1.0)
    with pytest.raises(ValueError, match="sum to 1"):
        batch_arrivals(1.0, [0.5], 1.0, 5)
    with pytest.raises(ValueError, match="arrival rate"):
        queue_by_priority([], 1.0, 5)
    with pytest.raises(ValueError, match="at least 1 request"):
        batch_wait_mean(0.1, 0.5, 0.0, exponential(1.0))
