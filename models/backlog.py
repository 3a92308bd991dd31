"""Message queues that are drained later: what a stop leaves behind, how long it takes to catch up, what is lost.

Fluid first, as backlogs are large: rates in messages/s, times in s, backlogs in messages. What chance adds to it is in
`models.partitions`.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence


def drain_time(arrival_rate: float, capacity: float, stop: float) -> float | None:
    """Return the seconds after a stop of `stop` seconds until its backlog is gone; None when it never is.

    Rates in messages/s. *Exact* for the fluid; the queue that randomness makes comes on top.
    """
    if capacity <= arrival_rate:
        return None
    return stop * arrival_rate / (capacity - arrival_rate)


def storage(arrival_rate: float, message_size: float, retention: float, replication_factor: float) -> float:
    """Return the bytes that `retention` seconds of messages take on all brokers together (*exact*)."""
    return arrival_rate * message_size * retention * replication_factor


def backlog_drain(backlog: float, arrival_rate: float, capacity: float) -> float | None:
    """Return the seconds until a backlog is gone while messages keep coming; None when it never is (*exact*, fluid)."""
    if backlog <= 0:
        return 0.0
    return backlog / (capacity - arrival_rate) if capacity > arrival_rate else None


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


def time_to_loss(arrival_rate: float, capacity: float, retention: float, age: float = 0.0) -> float | None:
    """Return the seconds until messages are deleted unread; None when none ever are.

    `retention` in s is how long a message is kept, `age` how old the next one to be read is, <= retention: what is
    read came `age` ago, so that it ages by 1 - capacity / arrival rate per second. *Exact* for the fluid at steady
    rates. With capacity 0 it is what is left of the retention.
    """
    if not (retention > 0 and age >= 0):
        raise ValueError(f"a retention > 0 and an age >= 0 are needed, not {retention!r} and {age!r}")
    if age >= retention:
        return 0.0
    if arrival_rate <= 0 or capacity >= arrival_rate:
        return None
    return (retention - age) / (1 - capacity / arrival_rate)


def time_to_full(arrival_rate: float, capacity: float, room: float, backlog: float = 0.0) -> float | None:
    """Return the seconds until a queue that holds `room` messages is full; None when it never is (*exact*, fluid).

    Of a log that is cut by size: until what is cut was not read.
    """
    if backlog >= room:
        return 0.0
    return (room - backlog) / (arrival_rate - capacity) if arrival_rate > capacity else None


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


def rebalancing(
    arrival_rate: float, capacity: float, pause: float, every: float, commit_interval: float = 0.0
) -> Rebalancing | None:
    """Return what a stop of `pause` seconds in every `every` costs, such as a consumer that joins or leaves.

    `commit_interval` in s: positions are committed that often, so that half of it is done again after a stop. None
    where the backlog of one stop is not gone by the next: then it grows without end. *Exact* for the fluid.
    """
    if not (0 <= pause <= every and every > 0 and commit_interval >= 0):
        raise ValueError(f"a pause from 0 to the {every!r} s between two is needed, not {pause!r}")
    repeated = min(commit_interval / 2, every - pause) * min(arrival_rate, capacity) / every
    available = capacity * (1 - pause / every)
    if arrival_rate + repeated >= available:
        return None
    left = arrival_rate * pause + repeated * every
    drain = left / (capacity - arrival_rate)
    # The backlog is a triangle: it rises through the stop, jumps by what is done again, and falls until it is gone.
    area = arrival_rate * pause * pause / 2 + left * drain / 2
    delay = area / (arrival_rate * every) if arrival_rate else 0.0
    return Rebalancing(available, delay, min((pause + drain) / every, 1.0), left, repeated)


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
