"""CLOCK, segmented LRU, 2Q and S3-FIFO: hit ratios of caches of several lists, each with a characteristic time.

An object goes round a cycle: unknown, asked for, through the lists, forgotten. With the time that a list keeps what is
not asked for again (one unknown for each list) the share of time in every list is known for each object, and the times
follow from the sizes of the lists. *Approximate* for finite caches, exact as they grow: CLOCK within 3.5e-4 of
simulated traces, S3-FIFO 4.0e-4, segmented LRU 3.5e-4, 2Q 1.1e-3 (with room for 100 objects; 3.3e-4 from 1000 on), of
which 3e-4 is the noise of the traces. Independent requests are assumed, which flatters what counts requests.

Sources: for LRU(m) Gast and Van Houdt 2016, "Asymptotically exact TTL-approximations of the cache replacement
algorithms LRU(m) and h-LRU"; 2Q: Johnson and Shasha 1994; S3-FIFO: Yang, Zhang, Qiu, Yue and Rashmi 2023. The cycles of
CLOCK, 2Q and S3-FIFO follow from renewal theory.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, get_args

import numpy as np

from models.cache import CacheHits, result

if TYPE_CHECKING:
    from collections.abc import Callable

    from models.popularity import Popularity
    from models.transforms import Floats

Policy = Literal["clock", "slru", "2q", "s3fifo"]
POLICIES: Final[tuple[Policy, ...]] = get_args(Policy)

_MOST: Final = 200.0
"""Requests in one characteristic time beyond which an object is always there, to the last digit of a double."""


class _Lists(NamedTuple):
    """`states` of shares and times: the share of time in each list; `sizes` of the lists, the first `held` hold."""

    states: Callable[[Floats, Floats], Floats]
    sizes: Floats
    held: int


@lru_cache(maxsize=1024)
def list_hits(
    policy: Policy, popularity: Popularity, read_rate: float, capacity: float, *, segments: int = 4
) -> CacheHits:
    """Return the hit ratio of a cache of `capacity` > 0 objects, read at `read_rate` > 0 per second over all objects.

    `characteristic_time` is how long an object stays that is not asked for again after it came; None where everything
    fits. Segmented LRU has `segments` equal lists; 2Q a quarter for newcomers and a memory of half the capacity;
    S3-FIFO a tenth for newcomers and a memory of nine tenths. Raises ValueError for a capacity or rate that is not
    above 0, or fewer than one segment.
    """
    if not (capacity > 0 and read_rate > 0 and segments >= 1):
        raise ValueError(f"a cache needs room, reads and a segment, not {capacity!r}, {read_rate!r}, {segments!r}")
    if popularity.objects <= capacity * (1 + 1e-9):
        return result(popularity, np.ones_like(popularity.share), None)
    lists = _lists(policy, capacity, segments)
    times = _times(popularity, lists, capacity)
    present = lists.states(popularity.share, times)[: lists.held].sum(axis=0)
    return result(popularity, np.minimum(present, 1.0), float(times[0]) / read_rate)


def _lists(policy: Policy, capacity: float, segments: int) -> _Lists:
    if policy == "clock":
        return _Lists(_clock, np.array([capacity]), 1)
    if policy == "slru":
        return _Lists(_segmented, np.full(segments, capacity / segments), segments)
    if policy == "2q":
        return _Lists(_two_queues, capacity * np.array([0.25, 0.75, 0.5]), 2)
    return _Lists(_s3_fifo, capacity * np.array([0.1, 0.9, 0.9]), 2)


def _shares(logs: list[Floats]) -> Floats:
    """Return each state's share of a cycle, from the logarithm of its length beside a time of 1 spent unknown."""
    lengths = np.array([np.zeros_like(logs[0]), *logs])
    weights = np.exp(lengths - lengths.max(axis=0))
    shares: Floats = weights[1:] / weights.sum(axis=0)
    return shares


def _clock(share: Floats, times: Floats) -> Floats:
    """One queue with one bit: exp(x) laps of x requests each."""
    x = np.minimum(share * times[0], _MOST)
    return _shares([np.log(x) + x])


def _segmented(share: Floats, times: Floats) -> Floats:
    """LRU lists: a hit moves up by one, and who falls off the end moves down by one."""
    steps = [_log_expm1(np.minimum(share * t, _MOST)) for t in times]
    return _shares(list(np.cumsum(steps, axis=0)))


def _two_queues(share: Floats, times: Floats) -> Floats:
    """Follow newcomers through a FIFO queue and a memory of keys; who is asked for from there enters an LRU list."""
    first, main, memory = (np.minimum(share * t, _MOST) for t in times)
    remembered = -np.expm1(-memory)
    return _shares([np.log(first), np.log(remembered) + _log_expm1(main), np.log(remembered)])


def _s3_fifo(share: Floats, times: Floats) -> Floats:
    """Follow newcomers through a FIFO queue; two hits there, or one from the memory, lead to a queue of many laps."""
    first, main, memory = (np.minimum(share * t, _MOST) for t in times)
    gone = np.exp(-first) * (1 + first)
    remembered = -np.expm1(-memory)
    kept = (1 - gone) + gone * remembered
    return _shares([np.log(first), np.log(kept) + np.log(main) + _log_laps(main), np.log(gone * remembered)])


def _log_laps(x: Floats) -> Floats:
    """Return the logarithm of the mean laps in a queue whose counter of hits, at most 3, loses one each lap.

    From counter 0, with n Poisson hits of mean x in a lap: out at 0, else on with min(counter + n, 3) - 1.
    """
    none = np.exp(-x)
    two_or_more = -np.expm1(-x) - x * none
    three_or_more = np.maximum(two_or_more - x**2 / 2 * none, 0.0)
    # laps = (none**2 + two (none + two) + three none) / none**3, which must not overflow.
    laps: Floats = 3 * x + np.log(none**2 + two_or_more * (none + two_or_more) + three_or_more * none)
    return laps


def _log_expm1(x: Floats) -> Floats:
    found: Floats = x + np.log(-np.expm1(-x))
    return found


def _times(popularity: Popularity, lists: _Lists, capacity: float) -> Floats:
    """Return the times, in requests, at which every list has its size; endless for a memory that never fills."""
    start = np.log(np.maximum(lists.sizes, capacity / 2))
    if lists.held < len(lists.sizes):
        endless = start.copy()
        endless[lists.held :] = math.log(_MOST / float(popularity.share.min()))
        logs = _balanced(popularity, lists, endless, lists.held)
        if _excess(popularity, lists, logs)[lists.held :].max() <= 0:
            return np.exp(logs)
    return np.exp(_balanced(popularity, lists, start, len(lists.sizes)))


def _excess(popularity: Popularity, lists: _Lists, logs: Floats) -> Floats:
    """Return the logarithm of what each list holds over its size."""
    held = (lists.states(popularity.share, np.exp(logs)) * popularity.count).sum(axis=1)
    found: Floats = np.log(np.maximum(held, 1e-300) / lists.sizes)
    return found


def _balanced(popularity: Popularity, lists: _Lists, logs: Floats, free: int) -> Floats:
    """Return logarithms of times of which the first `free` are such that their lists have their sizes.

    Newton's steps on logarithms, halved where they lead no nearer.
    """
    error = _excess(popularity, lists, logs)[:free]
    for _ in range(200):
        if np.abs(error).max() < 1e-12:
            break
        nudges = 1e-6 * np.eye(len(logs))[:free]
        slopes = np.array([(_excess(popularity, lists, logs + n)[:free] - error) / 1e-6 for n in nudges]).T
        step = np.zeros_like(logs)
        step[:free] = np.clip(np.linalg.lstsq(slopes, -error, rcond=None)[0], -2.0, 2.0)
        for _ in range(30):
            trial = _excess(popularity, lists, logs + step)[:free]
            if np.linalg.norm(trial) < np.linalg.norm(error):
                break
            step = step / 2
        else:
            break
        logs, error = logs + step, trial
    return logs
