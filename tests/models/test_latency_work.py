"""How much work percentiles are: counted, as the clock of a busy machine proves nothing."""

from __future__ import annotations

from functools import reduce
from operator import add
from typing import TYPE_CHECKING

import pytest

from models.inversion import tail_and_density
from models.latency import Latency
from models.queues import mgc_wait
from models.service_time import from_moments

if TYPE_CHECKING:
    from models.transforms import Floats, Transform

FRACTIONS = [0.5, 0.9, 0.95, 0.99, 0.999]


def ten_tiers(squared_cv: float) -> Latency:
    parts = []
    for i in range(10):
        service = from_moments(0.001 * (1 + i), squared_cv)
        wait = mgc_wait(0.8 * 4 / service.mean, service, 4)
        parts.append(Latency.waiting(wait) + Latency.of(service) + Latency.constant(0.0005))
    return reduce(add, parts)


# Five percentiles of ten tiers take at most three inversions, together at most 18 times of 29 points each.
@pytest.mark.parametrize("squared_cv", [0.3, 1.0, 1.4, 4.0])
def test_ten_parts_five_percentiles(squared_cv: float, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []

    def counted(transform: Transform, times: Floats, *, roughly: bool = False) -> tuple[Floats, Floats]:
        sizes.append(len(times))
        return tail_and_density(transform, times, roughly=roughly)

    monkeypatch.setattr("models.latency.tail_and_density", counted)
    found = ten_tiers(squared_cv).percentiles(FRACTIONS)
    assert found == sorted(found)
    assert 0 < len(sizes) <= 3
    assert sum(sizes) <= 18
