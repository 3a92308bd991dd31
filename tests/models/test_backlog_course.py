from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.backlog import (
    Span,
    backlog_drain,
    course,
    drain_time,
    rebalancing,
    redelivery,
    time_to_full,
    time_to_loss,
)

property_test = settings(max_examples=80)

spans = st.lists(
    st.builds(Span, st.floats(0.5, 50), st.one_of(st.just(0.0), st.floats(1, 100)), st.one_of(st.just(0.0), st.floats(1, 100))),
    min_size=1,
    max_size=5,
)  # fmt: skip


def stepped(plan: list[Span], backlog: float, steps: int = 4000) -> tuple[list[float], float, float]:
    """Return backlogs, their mean and the longest delay, by small steps of time and a queue of what came when."""
    level, levels, area, now = backlog, [backlog], 0.0, 0.0
    waiting: list[tuple[float, float]] = [(0.0, backlog)] if backlog else []
    first, longest = 0, 0.0
    for span in plan:
        step = span.duration / steps
        for _ in range(steps):
            now += step
            if span.arrival_rate:
                waiting.append((now - step, span.arrival_rate * step))
            level += span.arrival_rate * step
            take = min(span.capacity * step, level)
            level -= take
            area += level * step
            while take > 1e-12 and first < len(waiting):
                when, number = waiting[first]
                longest = max(longest, now - when)
                if number > take:
                    waiting[first], take = (when, number - take), 0.0
                else:
                    take, first = take - number, first + 1
            if level < 1e-9:
                # What is left is rounding, and not a message that grows old.
                first = len(waiting)
        levels.append(level)
    return levels, area / now, longest


# Levels, mean and longest delay are those of the same fluid in small steps, whatever the rates do.
@settings(max_examples=25)
@given(spans, st.one_of(st.just(0.0), st.floats(1, 500)))
def test_course(plan: list[Span], backlog: float) -> None:
    found, (levels, mean, longest) = course(plan, backlog), stepped(plan, backlog)
    # A step of a 4000th of a span moves 200 messages a second by at most 2.5, and a delay by two steps.
    assert found.backlogs == pytest.approx(levels, abs=2.5)
    assert found.mean_backlog == pytest.approx(mean, abs=2.5)
    taken = backlog + sum(s.duration * s.arrival_rate for s in plan) > found.backlogs[-1] + 1e-9
    if taken and longest > 0:
        # What waits at the end counts with its age so far.
        assert found.longest_delay >= longest - 2 * max(s.duration for s in plan) / 4000 - 1e-9


# A stop and what follows: the drain of the closed form, the peak and delay that a triangle has.
@property_test
@given(st.floats(1, 1e5), st.floats(1.01, 5), st.floats(1, 1e4))
def test_stop(rate: float, spare: float, stop: float) -> None:
    drain = drain_time(rate, rate * spare, stop)
    assert drain is not None
    found = course([Span(stop, rate, 0.0), Span(2 * drain, rate, rate * spare)])
    assert found.peak == pytest.approx(rate * stop, rel=1e-12)
    assert found.empty_from == pytest.approx(stop + drain, rel=1e-9)
    assert found.longest_delay == pytest.approx(stop, rel=1e-9)
    assert backlog_drain(rate * stop, rate, rate * spare) == pytest.approx(drain, rel=1e-12)


# Messages are neither made nor lost: what came is what was taken and what is left.
@property_test
@given(spans, st.floats(0, 500))
def test_conservation(plan: list[Span], backlog: float) -> None:
    found = course(plan, backlog)
    for before, after, span in zip(found.backlogs, found.backlogs[1:], plan, strict=False):
        grown = before + (span.arrival_rate - span.capacity) * span.duration
        assert after == pytest.approx(max(grown, 0.0), rel=1e-9, abs=1e-9 * (before + 1))
    assert (found.empty_from is None) == (found.backlogs[-1] > 0)


# An outage of all consumers leaves the retention; half the capacity twice that; enough capacity for ever.
def test_time_to_loss() -> None:
    assert time_to_loss(100.0, 0.0, 3 * 86400.0) == 3 * 86400.0
    assert time_to_loss(100.0, 50.0, 3 * 86400.0, 86400.0) == pytest.approx(4 * 86400.0)
    assert time_to_loss(100.0, 100.0, 3600.0) is None
    assert time_to_loss(100.0, 50.0, 3600.0, 3600.0) == 0
    assert time_to_full(100.0, 60.0, 8000.0, 2000.0) == pytest.approx(150.0)
    assert time_to_full(60.0, 100.0, 8000.0) is None
    with pytest.raises(ValueError, match="retention"):
        time_to_loss(1.0, 0.0, 0.0)


# The age of the next message to be read reaches the retention when it is said to: followed in the fluid.
@property_test
@given(st.floats(1, 1e4), st.floats(0, 0.99), st.floats(10, 1e5))
def test_loss_in_the_fluid(rate: float, share: float, retention: float) -> None:
    left = time_to_loss(rate, rate * share, retention)
    assert left is not None
    found = course([Span(left, rate, rate * share)])
    # The next message to be read came when as many had come as have been taken.
    assert left - rate * share * left / rate == pytest.approx(retention, rel=1e-9)
    assert found.peak / rate == pytest.approx(retention, rel=1e-9)


def repeated_stops(
    rate: float, capacity: float, pause: float, every: float, *, messages: int, seed: int
) -> tuple[float, float]:
    """Return the mean wait and the share that waits over 40 services: constant services, Poisson arrivals, stops."""
    draws = random.Random(seed)  # noqa: S311, nothing is kept secret
    now = free = total = 0.0
    late = 0
    for _ in range(messages):
        now += draws.expovariate(rate)
        start = max(now, free)
        if start % every < pause:
            start += pause - start % every
        total += start - now
        late += start - now > 40 / capacity
        free = start + 1 / capacity
    return total / messages, late / messages


# Regular stops of consumers, simulated message by message: at such rates chance adds little to the fluid.
@pytest.mark.parametrize(("load", "pause", "every"), [(0.5, 5.0, 60.0), (0.8, 3.0, 60.0), (0.3, 10.0, 30.0)])
def test_rebalancing(load: float, pause: float, every: float) -> None:
    found = rebalancing(1000.0 * load, 1000.0, pause, every)
    assert found is not None
    delay, late = repeated_stops(1000.0 * load, 1000.0, pause, every, messages=round(8000 * load * every), seed=2)
    # Chance adds the wait of M/D/1, of the order of a millisecond; the last period is whole but for chance.
    assert found.mean_delay == pytest.approx(delay, rel=0.05)
    assert found.delayed == pytest.approx(late, rel=0.08)


# The same triangle by the course of the fluid over one period; half a commit interval is done again.
@property_test
@given(st.floats(0.05, 0.8), st.floats(0.01, 0.15))
def test_one_period(load: float, share: float) -> None:
    rate, capacity, every = 1000 * load, 1000.0, 60.0
    found = rebalancing(rate, capacity, share * every, every)
    assert found is not None
    period = course([Span(share * every, rate, 0.0), Span((1 - share) * every, rate, capacity)])
    assert found.mean_delay * rate == pytest.approx(period.mean_backlog, rel=1e-9)
    assert found.peak == pytest.approx(period.peak, rel=1e-9)
    again = rebalancing(rate, capacity, share * every, every, commit_interval=1.0)
    assert again is not None
    assert again.repeated == pytest.approx(0.5 * rate / every, rel=1e-12)
    assert again.mean_delay > found.mean_delay


# Stops that leave too little time have no end.
def test_no_time_left() -> None:
    assert rebalancing(900.0, 1000.0, 6.0, 60.0) is None
    assert rebalancing(899.0, 1000.0, 6.0, 60.0) is not None
    with pytest.raises(ValueError, match="pause"):
        rebalancing(1.0, 2.0, 61.0, 60.0)


# A message that fails now and then is delivered 1 / (1 - r) times; with a last delivery a geometric sum.
@property_test
@given(st.floats(0, 0.99), st.integers(1, 50))
def test_redelivery(failed: float, most: int) -> None:
    bounded, endless = redelivery(failed, most), redelivery(failed)
    assert endless.deliveries * (1 - failed) == pytest.approx(1, rel=1e-12)
    # The sum of a geometric series, and what of the endless one is missing.
    assert bounded.deliveries == pytest.approx(endless.deliveries * (1 - failed**most), rel=1e-9)
    assert bounded.dead == pytest.approx(failed**most, rel=1e-12)
    assert math.isclose(redelivery(1.0, most).deliveries, most)
