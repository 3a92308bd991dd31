from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import erlang, staffing

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

property_test = settings(max_examples=60)
load = st.floats(-3, 5).map(lambda exponent: 10**exponent) | st.just(0.0)
servers = st.integers(1, 20_000)
probability = st.floats(-250, -0.001).map(lambda exponent: 10**exponent)
wait = st.floats(0.001, 100)
share = st.floats(0.01, 0.99)

LAWS: list[tuple[Callable[..., Any], tuple[st.SearchStrategy[Any], ...]]] = [
    (staffing.servers_for_blocking, (load, probability)),
    (staffing.servers_for_wait, (load, probability)),
    (staffing.servers_for_utilization, (load, share)),
    (staffing.servers_for_wait_mean, (load, wait)),
    (staffing.servers_for_wait_percentile, (load, wait, probability)),
    (staffing.load_for_blocking, (servers, probability)),
    (staffing.load_for_wait, (servers, probability)),
    (staffing.load_for_utilization, (servers, share)),
    (staffing.load_for_wait_mean, (servers, wait)),
    (staffing.load_for_wait_percentile, (servers, wait, probability)),
]
laws = pytest.mark.parametrize(("law", "parts"), LAWS, ids=[law.__name__ for law, _ in LAWS])


# Of an array, each element has the answer that it has alone: servers are the same, loads to twelve digits.
@laws
def test_arrays_are_many_single_searches(law: Callable[..., Any], parts: tuple[st.SearchStrategy[Any], ...]) -> None:
    @property_test
    @given(st.lists(st.tuples(*parts), min_size=1, max_size=8))
    def check(several: list[tuple[Any, ...]]) -> None:
        found = law(*(np.array(column) for column in zip(*several, strict=True)))
        alone = [law(*one) for one in several]
        assert found.dtype == (np.int64 if isinstance(alone[0], int) else np.float64)
        if isinstance(alone[0], int):
            assert found.tolist() == alone
        else:
            # Where hardly anybody is let through a target fixes the load less well than its own rounding.
            np.testing.assert_allclose(found, alone, rtol=1e-12 if law is not staffing.load_for_blocking else 1e-11)

    check()


# Shapes are broadcast as NumPy does, lists are arrays, an array without axes is a number, and none has no answers.
@laws
def test_shapes(law: Callable[..., Any], parts: tuple[st.SearchStrategy[Any], ...]) -> None:
    first: list[float] = [3, 40, 500]
    others = [0.1, 0.2][: len(parts) - 1]
    table = law(np.array(first)[:, None], *(np.array([other, 0.3]) for other in others))
    assert table.shape == (3, 2)
    for i, count in enumerate(first):
        assert table[i, 0] == pytest.approx(law(count, *others), rel=1e-12)
    assert law(first, *others).tolist() == table[:, 0].tolist()
    number = law(np.array(3.0), *others)
    assert isinstance(number, float | int)
    assert number == law(3, *others)
    assert law(np.array([]), *others).shape == (0,)


# The first element without a meaning is named, with what it is, where it is, and how many there are.
def test_the_first_wrong_element_is_named() -> None:
    loads: NDArray[np.float64] = np.array([[1.0, 2.0], [-3.0, math.nan]])
    with pytest.raises(ValueError, match=r"erlangs >= 0, not -3\.0 \(element \[1, 0\], the first of 2 of 4\)"):
        staffing.servers_for_wait(loads, 0.1)
    with pytest.raises(ValueError, match=r"in \(0, 1\], not 1\.5 \(element \[1\], the first of 1 of 2\)"):
        staffing.servers_for_blocking(3.0, [0.5, 1.5])
    with pytest.raises(ValueError, match=r"whole number of servers, at least one, not 2\.5 \(element \[0\]"):
        staffing.load_for_wait_mean([2.5, 3.0], 1.0)
    with pytest.raises(ValueError, match=r"every load waits.*\(element \[0\]"):
        staffing.load_for_wait([3, 3], [1.0, 0.5])
    with pytest.raises(ValueError, match=r"up to 2\^52"):
        staffing.servers_for_wait([1e16], 0.5)
    with pytest.raises(ValueError, match=r"up to 2\^52"):
        staffing.servers_for_utilization([1e16], 0.5)


# All are searched for together: few evaluations of Erlang's formula for each, and fewer than for one alone.
@laws
def test_few_evaluations(
    law: Callable[..., Any], parts: tuple[st.SearchStrategy[Any], ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = np.random.default_rng(3)
    size, evaluated, rounds = 500, 0, 0
    plain = erlang._erlang_b_array

    def counting(counts: NDArray[np.float64], loads: NDArray[np.float64]) -> NDArray[np.float64]:
        nonlocal evaluated, rounds
        evaluated, rounds = evaluated + counts.size, rounds + 1
        return plain(counts, loads)

    monkeypatch.setattr(erlang, "_erlang_b_array", counting)
    law(np.floor(10 ** chance.uniform(0.1, 4, size)), *(chance.uniform(0.001, 0.9, size) for _ in parts[1:]))
    assert evaluated <= 13 * size
    assert rounds <= 60
