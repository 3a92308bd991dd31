from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.backlog import drain_time, storage

property_test = settings(max_examples=100)


# While a backlog drains, exactly as much leaves as stood still and arrived since.
@property_test
@given(st.floats(1, 1e6), st.floats(1.001, 10), st.floats(0, 1e5))
def test_messages_are_conserved(rate: float, spare: float, stop: float) -> None:
    drain = drain_time(rate, rate * spare, stop)
    assert drain is not None
    assert rate * spare * drain == pytest.approx(rate * (stop + drain), rel=1e-9)


# Without spare capacity a backlog never goes.
@pytest.mark.parametrize("capacity", [0.0, 99.0, 100.0])
def test_never(capacity: float) -> None:
    assert drain_time(100.0, capacity, 60.0) is None


# Nothing stopped leaves nothing behind.
def test_no_stop() -> None:
    assert drain_time(100.0, 200.0, 0.0) == 0


# 75 MB/s, three replicas and three days of retention take 58.32 TB (published sizing of Redpanda).
def test_published_storage() -> None:
    assert storage(75_000.0, 1_000.0, 3 * 86_400.0, 3) == pytest.approx(58.32e12, rel=1e-12)
