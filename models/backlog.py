"""Message queues that are drained later: what a stop leaves behind, how long it takes to catch up, what is lost.

Fluid first, as backlogs are large: rates in messages/s, times in s, backlogs in messages. What chance adds to it is in
`models.partitions`. But for courses and redelivery all take numbers or arrays, broadcast together: None is NaN there.
"""

from __future__ import annotations

import math
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple, overload

from models.elementwise import either, known, numbers, require, smaller

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from models.elementwise import Array


@overload
def drain_time(arrival_rate: float, capacity: float, stop: float) -> float | None: ...
@overload
def drain_time(arrival_rate: ArrayLike, capacity: ArrayLike, stop: ArrayLike) -> Array | float | None: ...
def drain_time(arrival_rate: Any, capacity: Any, stop: Any) -> Any:
    """Return the seconds after a stop of `stop` seconds until its backlog is gone; None when it never is.

    Rates in messages/s. *Exact* for the fluid; the queue that randomness makes comes on top.
    """
    arrival_rate, capacity, stop = numbers(arrival_rate, capacity, stop)
    return known(capacity > arrival_rate, lambda: stop * arrival_rate / (capacity - arrival_rate))


@overload
def storage(arrival_rate: float, message_size: float, retention: float, replication_factor: float) -> float: ...
@overload
def storage(
    arrival_rate: ArrayLike, message_size: ArrayLike, retention: ArrayLike, replication_factor: ArrayLike
) -> Array | float: ...
def storage(arrival_rate: Any, message_size: Any, retention: Any, replication_factor: Any) -> Any:
    """Return the bytes that `retention` seconds of messages take on all brokers together (*exact*)."""
    parts = numbers(arrival_rate, message_size, retention, replication_factor)
    return math.prod(parts)


@overload
def backlog_drain(backlog: float, arrival_rate: float, capacity: float) -> float | None: ...
@overload
def backlog_drain(backlog: ArrayLike, arrival_rate: ArrayLike, capacity: ArrayLike) -> Array | float | None: ...
def backlog_drain(backlog: Any, arrival_rate: Any, capacity: Any) -> Any:
    """Return the seconds until a backlog is gone while messages keep coming; None when it never is (*exact*, fluid)."""
    backlog, arrival_rate, capacity = numbers(backlog, arrival_rate, capacity)
    drains = partial(known, capacity > arrival_rate, lambda: backlog / (capacity - arrival_rate))
    return either(backlog <= 0, lambda: 0.0, drains)


class Span(NamedTuple):
    """A while in which rates do not change."""

    duration: float
    arrival_rate: float
    capacity: float


class Course(NamedTuple):
    """What becomes of a backlog over some spans."""

    backlogs: tuple[float, ...]
    """At the start and at the end of each span."""
    peak: float
    """The largest."""
    longest_delay: float
    """Of any message that is taken within the spans: how old the oldest one is when its turn comes."""
    empty_from: float | None
    """The seconds from the start after which there is no backlog any more; None if there is one at the end."""
    mean_backlog: float


def course(spans: Sequence[Span], backlog: float = 0.0, age: float = 0.0) -> Course:
    """Return how a backlog grows and shrinks over spans of constant rates (*exact*, fluid, first come first served).

    `age` is how old the oldest message of the backlog at the start is; those behind it came at a steady rate since.
    """
    levels, area, now, empty_from = [backlog], 0.0, 0.0, (0.0 if backlog == 0 else None)
    come, gone = [(-age, 0.0), (0.0, backlog)], [(0.0, 0.0)]
    for span in spans:
        if not (span.duration >= 0 and span.arrival_rate >= 0 and span.capacity >= 0):
            raise ValueError(f"durations, rates and capacities are not negative: {span!r}")
        level, net = levels[-1], span.arrival_rate - span.capacity
        lasting = min(level / -net, span.duration) if net < 0 else span.duration
        after = max(level + net * lasting, 0.0) if lasting == span.duration else 0.0
        area += (level + after) / 2 * lasting
        if level == 0 and net <= 0:
            empty_from = now if empty_from is None else empty_from
        elif after > 0:
            empty_from = None
        else:
            empty_from = now + lasting
        taken = span.capacity * lasting
        if lasting > 0:
            gone.append((now + lasting, gone[-1][1] + taken))
        now += span.duration
        come.append((now, come[-1][1] + span.arrival_rate * span.duration))
        gone.append((now, come[-1][1] - after))
        levels.append(after)
    oldest = _longest(come, gone)
    return Course(tuple(levels), max(levels), oldest, empty_from, area / now if now else backlog)


def _longest(come: list[tuple[float, float]], gone: list[tuple[float, float]]) -> float:
    """Return the longest way across from what has come to what has gone: at one of the corners of either.

    Turned around in time and number, the last time at a number is the first.
    """
    longest = 0.0
    for when, number in gone:
        longest = max(longest, when - _passed(come, number))
    for when, number in come:
        if number <= gone[-1][1]:
            longest = max(longest, -_passed([(-t, -n) for t, n in reversed(gone)], -number) - when)
    return longest


def _passed(line: list[tuple[float, float]], number: float) -> float:
    """Return when a line that never falls is at a number for the last time."""
    for before, point in pairwise(reversed(line)):
        if point[1] <= number < before[1]:
            return point[0] + (before[0] - point[0]) * (number - point[1]) / (before[1] - point[1])
    return line[-1][0] if number >= line[-1][1] else line[0][0]


@overload
def time_to_loss(arrival_rate: float, capacity: float, retention: float, age: float = 0.0) -> float | None: ...
@overload
def time_to_loss(
    arrival_rate: ArrayLike, capacity: ArrayLike, retention: ArrayLike, age: ArrayLike = 0.0
) -> Array | float | None: ...
def time_to_loss(arrival_rate: Any, capacity: Any, retention: Any, age: Any = 0.0) -> Any:
    """Return the seconds until messages are deleted unread; None when none ever are.

    `retention` in s is how long a message is kept, `age` how old the next one to be read is, <= retention: what is
    read came `age` ago, so that it ages by 1 - capacity / arrival rate per second. *Exact* for the fluid at steady
    rates. With capacity 0 it is what is left of the retention.
    """
    arrival_rate, capacity, retention, age = numbers(arrival_rate, capacity, retention, age)
    fine = (retention > 0) & (age >= 0)
    require(fine, "a retention > 0 and an age >= 0 are needed, not {!r} and {!r}", retention, age)
    short = (arrival_rate > 0) & (capacity < arrival_rate)
    lost = partial(known, short, lambda: (retention - age) / (1 - capacity / arrival_rate))
    return either(age >= retention, lambda: 0.0, lost)


@overload
def time_to_full(arrival_rate: float, capacity: float, room: float, backlog: float = 0.0) -> float | None: ...
@overload
def time_to_full(
    arrival_rate: ArrayLike, capacity: ArrayLike, room: ArrayLike, backlog: ArrayLike = 0.0
) -> Array | float | None: ...
def time_to_full(arrival_rate: Any, capacity: Any, room: Any, backlog: Any = 0.0) -> Any:
    """Return the seconds until a queue that holds `room` messages is full; None when it never is (*exact*, fluid).

    Of a log that is cut by size: until what is cut was not read.
    """
    arrival_rate, capacity, room, backlog = numbers(arrival_rate, capacity, room, backlog)
    fills = partial(known, arrival_rate > capacity, lambda: (room - backlog) / (arrival_rate - capacity))
    return either(backlog >= room, lambda: 0.0, fills)


class Rebalancing(NamedTuple):
    """What regular stops of all consumers cost."""

    capacity: float
    """Messages/s on average."""
    mean_delay: float
    """Seconds, of all messages."""
    delayed: float
    """Share of the messages that meet a backlog."""
    peak: float
    """Messages, at the end of a stop."""
    repeated: float
    """Messages/s that are processed a second time, as their end had not been committed."""


@overload
def rebalancing(
    arrival_rate: float, capacity: float, pause: float, every: float, commit_interval: float = 0.0
) -> Rebalancing | None: ...
@overload
def rebalancing(
    arrival_rate: ArrayLike, capacity: ArrayLike, pause: ArrayLike, every: ArrayLike, commit_interval: ArrayLike = 0.0
) -> Any: ...
def rebalancing(arrival_rate: Any, capacity: Any, pause: Any, every: Any, commit_interval: Any = 0.0) -> Any:
    """Return what a stop of `pause` seconds in every `every` costs, such as a consumer that joins or leaves.

    `commit_interval` in s: positions are committed that often, so that half of it is done again after a stop. None
    where the backlog of one stop is not gone by the next: then it grows without end. *Exact* for the fluid.
    """
    given = numbers(arrival_rate, capacity, pause, every, commit_interval)
    arrival_rate, capacity, pause, every, commit_interval = given
    fine = (pause >= 0) & (pause <= every) & (every > 0) & (commit_interval >= 0)
    require(fine, "a pause from 0 to the {!r} s between two is needed, not {!r}", every, pause)
    repeated = smaller(commit_interval / 2, every - pause) * smaller(arrival_rate, capacity) / every
    available = capacity * (1 - pause / every)
    keeps_up = arrival_rate + repeated < available
    return known(keeps_up, lambda: _rebalanced(arrival_rate, capacity, pause, every, repeated))


def _rebalanced(arrival_rate: Any, capacity: Any, pause: Any, every: Any, repeated: Any) -> Rebalancing:
    left = arrival_rate * pause + repeated * every
    drain = left / (capacity - arrival_rate)
    # The backlog is a triangle: it rises through the stop, jumps by what is done again, and falls until it is gone.
    area = arrival_rate * pause * pause / 2 + left * drain / 2
    delay = either(arrival_rate > 0, lambda: area / (arrival_rate * every), lambda: 0.0)
    available = capacity * (1 - pause / every)
    return Rebalancing(available, delay, smaller((pause + drain) / every, 1.0), left, repeated)


class Redelivery(NamedTuple):
    """What deliveries that fail cost."""

    deliveries: float
    """Per message, on average."""
    dead: float
    """Share of the messages given up after the last."""


def redelivery(failed: float, most: int | None = None) -> Redelivery:
    """Return how often a message is delivered when each delivery fails with probability `failed` in [0, 1) (*exact*).

    At most `most` times, after which it is put aside; None for ever. Failures are taken as independent: a message
    that can never be processed is delivered `most` times, or for ever.
    """
    if not (0 <= failed <= 1 and (most is None or most >= 1)):
        raise ValueError(f"a share in [0, 1] and at least one delivery are needed, not {failed!r} and {most!r}")
    if most is None:
        if failed == 1:
            raise ValueError("messages that always fail are delivered for ever")
        return Redelivery(1 / (1 - failed), 0.0)
    return Redelivery(math.fsum(failed**i for i in range(most)), failed**most)
