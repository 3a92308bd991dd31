"""Old answers: from local caches that are not told of writes, and from replicas that lag behind."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, overload

import numpy as np

from models.cache import hits, stay
from models.elementwise import numbers
from models.transforms import Points

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from models.cache import Eviction
    from models.elementwise import Array
    from models.latency import Latency
    from models.popularity import Popularity
    from models.transforms import Floats, Transform

_FEW: Final = 1e-3
"""Below so many expected writes two moments are more precise than a transform, which subtracts nearly equal numbers."""


def stale_hits(
    popularity: Popularity,
    read_rate: float,
    write_rate: float,
    capacity: float,
    *,
    eviction: Eviction = "lru",
    ttl: float | None = None,
    heard: float = 0.0,
) -> float:
    """Return the share of all reads of one local cache that it answers with what was written elsewhere since.

    `read_rate` in 1/s is what this copy of `capacity` objects sees, `write_rate` all writes it is not told of and
    `heard` those that it is and that make its object invalid, all over all objects and
    spread by the popularity; `ttl` in seconds from insertion, None for ever. Origins answer at once and with the newest
    value.

    Renewal argument: an object of request rate L stays for S seconds, is then away for 1/L on average, and a hit at
    age u is stale with probability 1 - exp(-w u). With M(w) = E[min(S, time to the next write)], which is the mean
    stay under invalidation, L (M(0) - M(w)) / (1 + L M(0)) of its reads are stale; of its hits, for a constant stay
    D, 1 - (1 - exp(-w D)) / (w D). *Exact* where only the TTL ends a stay; with eviction *approximate* as hit ratios
    are (see `models.cache`), and up to 3e-3 low under LRU with a TTL beyond the characteristic time.
    """
    if capacity <= 0 or read_rate <= 0:
        return 0.0
    reads, writes = popularity.share * read_rate, popularity.share * write_rate
    told = popularity.share * heard
    time = hits(popularity, read_rate, capacity, eviction=eviction, ttl=ttl, write_rate=heard).characteristic_time
    end, kept = math.inf if time is None else time, popularity.count
    if eviction == "lfu":
        # Ideal LFU never evicts what it lets in: a queue without end.
        eviction, kept = "fifo", np.clip(capacity - (np.cumsum(kept) - kept), 0.0, kept)
    cached = stay(eviction, reads, told, end, ttl)
    fresh = stay(eviction, reads, told + writes, end, ttl)
    away = 1 / np.maximum(reads, 1e-300)
    return float((kept * popularity.share * np.maximum(cached - fresh, 0.0) / (away + cached)).sum())


def stale_replica_reads(popularity: Popularity, write_rate: float, lag: Latency) -> float:
    """Return the share of reads of random keys that a replica with this lag answers with an older value.

    `write_rate` in 1/s over all objects, spread like the reads. Sum over objects of p (1 - E[exp(-w lag)]), the
    Laplace transform of the lag at the write rate w of the object: a read is stale if the last write was less than
    its lag ago. *Exact* for Poisson writes whose lag does not depend on later ones. In numbers within 1.1e-8
    up to a utilization of 0.99 of the apply thread, within 1.2e-6 at 0.999.
    """
    writes = popularity.share * write_rate
    stale = np.zeros_like(writes)
    for term in lag.terms:
        before = np.exp(-writes * term.shift)
        stale += term.weight * (-np.expm1(-writes * term.shift) + before * _written_within(writes, term.whole()))
    return float((popularity.count * popularity.share * stale).sum())


def _written_within(writes: Floats, duration: Transform) -> Floats:
    """Return P(at least one write within the duration) = 1 - E[exp(-w X)], for an array of write rates w in 1/s."""
    mean = duration.mean
    if mean == 0:
        return np.zeros_like(writes)
    # The Pade approximant [1/1] from the first two moments, which for an exponential duration is all there is.
    result = writes * mean / (1 + writes * ((duration.variance + mean**2) / (2 * mean)))
    many = writes * mean >= _FEW
    if many.any():
        result[many] = 1 - duration.at(Points(writes[many].astype(complex))).real
    return result


def own_write_unseen(lag: Latency, after: float) -> float:
    """Return the probability that a client does not find its own write on a replica `after` seconds later.

    P(lag > after), as exact as the tail of the lag (`Latency.tail`).
    """
    return lag.exceeds(after)


@overload
def writes_at_risk(write_rate: float, lag_mean: float) -> float: ...
@overload
def writes_at_risk(write_rate: ArrayLike, lag_mean: ArrayLike) -> Array | float: ...
def writes_at_risk(write_rate: Any, lag_mean: Any) -> Any:
    """Return the mean number of writes that are committed but not yet on the replica: lost if it must take over.

    `write_rate` in 1/s; `lag_mean` in seconds until the replica has a write, applied or not (*exact*: Little 1961).
    """
    write_rate, lag_mean = numbers(write_rate, lag_mean)
    return write_rate * lag_mean
