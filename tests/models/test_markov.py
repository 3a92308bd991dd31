from __future__ import annotations

import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.erlang import UnstableQueueError, erlang_b, erlang_c, log_erlang_b, log_erlang_c
from models.markov import MMcArray, mg1_wait_mean
from models.queues import MMc
from models.service_time import from_moments
from models.stations import mg1

property_test = settings(max_examples=60)
queues = st.tuples(st.floats(1e-3, 0.999), st.floats(1e-4, 10.0), st.integers(1, 3000))


# Many queues at once have the figures of each alone: the same formulas, on arrays.
@property_test
@given(st.lists(queues, min_size=1, max_size=8), st.floats(0.01, 0.9999), st.floats(0, 5))
def test_arrays_are_many_single_queues(several: list[tuple[float, float, int]], fraction: float, wait: float) -> None:
    rates = [use * c / s for use, s, c in several]
    services, servers = [s for _, s, _ in several], [c for _, _, c in several]
    many = MMcArray(rates, services, servers)
    for i, one in enumerate(MMc(*q) for q in zip(rates, services, servers, strict=True)):
        pairs = [
            (many.utilization, one.utilization),
            (many.wait_probability, one.wait_probability),
            (many.wait_mean, one.wait_mean),
            (many.response_mean, one.response_mean),
            (many.queue_length, one.queue_length),
            (many.wait_tail(wait * one.service_time), one.wait_tail(wait * one.service_time)),
            (many.response_tail(wait * one.service_time), one.response_tail(wait * one.service_time)),
            (many.wait_percentile(fraction), one.wait_percentile(fraction)),
            (many.response_percentile(fraction), one.response_percentile(fraction)),
        ]
        for array, single in pairs:
            # The standard library and NumPy differ in the last digit; Erlang's formula has roads of its own for arrays.
            assert array[i] == pytest.approx(single, rel=2e-12, abs=1e-300)


# Where the two exponential rates meet, c*mu - lambda = mu, and where nobody waits, nothing is lost.
def test_rates_that_meet() -> None:
    many = MMcArray([9.0, 0.0], 1.0, [10, 10])
    assert many.response_tail([2.0, 2.0])[0] == pytest.approx(MMc(9.0, 1.0, 10).response_tail(2.0), rel=1e-14)
    assert many.response_tail(2.0)[1] == pytest.approx(math.exp(-2), rel=1e-15)
    assert many.response_percentile(0.99)[1] == pytest.approx(math.log(100), rel=1e-14)
    assert many.wait_percentile(0.99)[1] == 0


# Arrays run at array speed: ten thousand queues with a percentile in less than 2 s, which one by one take 5 s.
def test_speed() -> None:
    servers = np.arange(1, 10_001)
    started = time.process_time()
    found = MMcArray(0.9 * servers, 1.0, servers).response_percentile(0.99)
    assert time.process_time() - started < 2
    assert found.shape == (10_000,)
    assert np.all(np.diff(found) < 1e-9)


# One that is overloaded stops them all, and says by how much.
def test_overload() -> None:
    with pytest.raises(UnstableQueueError) as told:
        MMcArray([1.0, 3.5], 1.0, 3)
    assert told.value.short == pytest.approx(0.5)
    with pytest.raises(UnstableQueueError):
        mg1_wait_mean(np.array([0.5, 1.0]), np.ones(2), np.ones(2))


# Pollaczek and Khinchine on arrays is the mean of the distribution.
def test_mg1_means() -> None:
    rates, shapes = np.array([0.1, 0.5, 0.95]), np.array([0.0, 1.0, 7.0])
    found = mg1_wait_mean(rates[:, None], np.ones((3, 3)), shapes[None, :])
    for i, rate in enumerate(rates.tolist()):
        for j, shape in enumerate(shapes.tolist()):
            assert found[i, j] == pytest.approx(mg1(rate, from_moments(1.0, shape)).wait_mean, rel=1e-12)
    assert mg1_wait_mean(0.5, 1.0, 1.0) == 1.0


# Logarithms of arrays are those of single numbers, also where the probabilities are no doubles any more.
def test_logarithms_of_arrays() -> None:
    servers = np.array([1, 5, 400, 5000, 5000, 1_000_000])
    loads = np.array([0.5, 4.9, 20.0, 100.0, 4990.0, 900_000.0])
    for function, plain in ((log_erlang_b, erlang_b), (log_erlang_c, erlang_c)):
        found = function(servers, loads)
        assert isinstance(found, np.ndarray)
        for i, (c, a) in enumerate(zip(servers.tolist(), loads.tolist(), strict=True)):
            assert found[i] == pytest.approx(function(c, a), rel=1e-12)
            if plain(c, a) > 1e-290:
                assert found[i] == pytest.approx(math.log(plain(c, a)), rel=1e-11)
    with pytest.raises(ValueError, match="does not exist"):
        log_erlang_b(np.array([3, 3]), np.array([1.0, 0.0]))
