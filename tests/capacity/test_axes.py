from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from capacity.axes import Axis, place, span, ticks
from capacity.units import digits, show_bytes, show_seconds

TIME = Axis("time", show_seconds, log=True)
LINEAR = Axis("rate", digits)
SIZE = Axis("memory", show_bytes, log=True, binary=True)

ends = st.floats(-1e9, 1e9).map(lambda number: 0.0 if abs(number) < 1e-9 else number)


# Every point of a chart is inside its axes, and axes have a length, whatever the points: one, none, all the same.
@given(st.lists(ends, max_size=6))
def test_every_point_is_inside_its_axis(places: list[float]) -> None:
    low, high = span(LINEAR, places)
    assert low < high
    assert all(low <= at <= high for at in places)


# At any size, what is written along an axis is on it, in order, and does not touch.
@example(0.0, -3e-05, 2, "log up")
@example(0.0, 0.00028, 2, "log up")
@given(ends, ends, st.integers(0, 200), st.sampled_from(["across", "up", "log across", "log up"]))
def test_ticks_are_on_the_axis_and_apart(a: float, b: float, room: int, kind: str) -> None:
    log, across = kind in ("log across", "log up"), kind in ("log across", "across")
    axis = TIME if log else LINEAR
    low, high = span(axis, [a / 1e8, b / 1e8] if log else [a, b])
    found = ticks(axis, low, high, room, across=across)
    slack = (high - low) * 1e-6  # a tick at the very end of an axis may round to beyond it
    assert all(low - slack <= at <= high + slack for at, _ in found)
    assert [at for at, _ in found] == sorted(at for at, _ in found)
    cell = (high - low) / max(room, 1)
    for (at, text), (after, other) in pairwise(found):
        taken = (len(text) + len(other)) / 2 + 1 if across else 2
        assert after - at >= taken * cell * (1 - 1e-6) - slack


# Ticks are values that people count in: 1, 2 and 5 times a power of ten, decades over a long logarithmic axis.
@pytest.mark.parametrize(
    ("axis", "low", "high", "room", "expected"),
    [
        (LINEAR, 0.0, 100.0, 80, "0 10 20 30 40 50 60 70 80 90 100"),
        (LINEAR, 0.0, 100.0, 14, "0 50 100"),
        (TIME, math.log10(0.001), math.log10(0.1), 60, "1 ms,2 ms,5 ms,10 ms,20 ms,50 ms,100 ms"),
        (TIME, math.log10(0.001), math.log10(10.0), 40, "1 ms,10 ms,100 ms,1 s,10 s"),
        (TIME, math.log10(0.0009), math.log10(0.0045), 60, "1 ms,1.5 ms,2 ms,3 ms"),
        (SIZE, math.log10(900e3), math.log10(40e6), 80, "1 MiB,2 MiB,4 MiB,8 MiB,16 MiB,32 MiB"),
        (SIZE, math.log10(900e3), math.log10(40e9), 40, "1 MiB,16 MiB,256 MiB,4 GiB"),
    ],
)
def test_ticks_are_round(axis: Axis, low: float, high: float, room: int, expected: str) -> None:
    texts = [text for _, text in ticks(axis, low, high, room, across=True)]
    assert texts == (expected.split(",") if "," in expected else expected.split())


# A logarithmic axis has no place for 0 and less, and no axis has one for what is no number.
def test_what_has_no_place_is_left_out() -> None:
    assert place(TIME, 0.0) is None
    assert place(TIME, -1.0) is None
    assert place(TIME, 0.1) == -1
    assert place(LINEAR, 0.0) == 0
    assert place(LINEAR, math.nan) is None
    assert place(LINEAR, math.inf) is None


# An axis that nearly begins at a decade, or at 0, begins there, where a text can say so.
def test_ends_that_are_nearly_round_are_round() -> None:
    assert span(TIME, [-2.5, -0.00001]) == (-2.5, 0)
    assert span(LINEAR, [10.0, 100.0]) == (0, 100)
    assert span(LINEAR, [60.0, 100.0]) == (60, 100)
