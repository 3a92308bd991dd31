"""How much work percentiles are: counted, as the clock of a busy machine proves nothing."""

from __future__ import annotations

from functools import reduce
from operator import add
from typing import TYPE_CHECKING, TypeVar

import pytest

from models.inversion import glanced, tail_and_density
from models.latency import Latency
from models.queues import mgc_wait
from models.remembered import forget
from models.service_time import from_moments
from models.transforms import KeptPoints

if TYPE_CHECKING:
    from collections.abc import Callable

    from models.transforms import Complexes, Floats, Transform

T = TypeVar("T")

FRACTIONS = [0.5, 0.9, 0.95, 0.99, 0.999]


def tier(mean: float, squared_cv: float) -> Latency:
    service = from_moments(mean, squared_cv)
    wait = mgc_wait(0.8 * 4 / service.mean, service, 4)
    return Latency.waiting(wait) + Latency.of(service) + Latency.constant(0.0005)


def tiers(squared_cv: float) -> list[Latency]:
    return [tier(0.001 * (1 + i), squared_cv) for i in range(10)]


def ten_tiers(squared_cv: float) -> Latency:
    return reduce(add, tiers(squared_cv))


# Five percentiles of ten tiers are told by one look at no more than 21 times, of 29 points each.
@pytest.mark.parametrize("squared_cv", [0.3, 1.0, 1.4, 4.0])
def test_ten_parts_five_percentiles(squared_cv: float, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []

    def counted(inverted: Callable[[Transform, Floats], T]) -> Callable[[Transform, Floats], T]:
        def counting(transform: Transform, times: Floats) -> T:
            sizes.append(len(times))
            return inverted(transform, times)

        return counting

    monkeypatch.setattr("models.latency.glanced", counted(glanced))
    monkeypatch.setattr("models.latency.tail_and_density", counted(tail_and_density))
    found = ten_tiers(squared_cv).percentiles(FRACTIONS)
    assert found == sorted(found)
    assert len(sizes) == 1
    assert sizes[0] <= 21


# After an edit of one tier, what the other nine wait and serve is not worked out again where it was looked at.
def test_what_did_not_change_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    worked_out = []
    value = KeptPoints.value

    def noted(points: KeptPoints, transform: Transform) -> Complexes:
        before = len(points._values)
        found = value(points, transform)
        worked_out.append(len(points._values) > before)
        return found

    forget()
    monkeypatch.setattr(KeptPoints, "value", noted)
    known = tiers(1.4)
    first = reduce(add, known)
    first.percentiles(FRACTIONS)
    at_first = sum(worked_out)
    worked_out.clear()
    reduce(add, [*known[:-1], tier(0.0101, 1.4)]).percentiles(FRACTIONS)
    assert 0 < sum(worked_out) <= at_first / 4
