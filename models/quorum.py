"""Quorums: how old a read of R replicas is when writes wait for W of N, and how long both take.

Probabilistically bounded staleness, after Bailis, Venkataraman, Franklin, Hellerstein and Stoica 2012, PVLDB 5(8). A
coordinator sends a write to all N replicas, where it arrives after W_i and is acknowledged after A_i more; it is done
with the W-th acknowledgement. A read begins t later, reaches replica i after R_i and is answered after S_i more; of the
first R answers the newest counts. It is stale if the write had not arrived at any of those replicas when the read did.

The paper simulates this. Here it is integrated: let Q be the R replicas that answer first and C the others. Those in Q
that miss the write cannot have acknowledged it, so that it is done with the W-th acknowledgement of C; and Q answers
before the first of C. With x and y those two times, which are independent, each replica of Q is late on its own:
P(stale) = sum over Q of E[product over Q of P(R_i + S_i <= y, W_i > x + t + R_i)].
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from models.elementwise import alone
from models.messages import Message, both_within, late_write
from models.quadrature import gauss_legendre

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from models.transforms import Floats

MOST_NODES: Final = 12
"""Sets of replicas that differ are summed one by one."""

_POINTS: Final = 8
_TAIL: Final = (0.9, 0.99, 0.999, 0.9999)
_SLIVER: Final = 1e-8
"""A stretch of levels too short to matter."""


class Replica(NamedTuple):
    """One-way delays to and from one replica, independent of each other."""

    write: Message
    acknowledgement: Message
    read: Message
    response: Message


@dataclass(frozen=True)
class Quorum:
    """N replicas, of which a read waits for `reads` and a write for `writes`.

    `placements` holds (probability, replicas) where coordinators can be in different places; usually there is one.
    All answers are *approximate* by quadrature: probabilities within 1e-4, percentiles within 1e-3 (`docs/theory`).
    Not modelled: read repair, anti-entropy, failures, overlapping writes, all of which but failures make reads fresher.
    """

    placements: tuple[tuple[float, tuple[Replica, ...]], ...]
    reads: int
    writes: int

    def __post_init__(self) -> None:
        n = self.nodes
        if not (1 <= self.reads <= n and 1 <= self.writes <= n):
            raise ValueError(f"of {n} replicas 1 to {n} can be waited for, not {self.reads} and {self.writes}")
        if n > MOST_NODES and any(len(set(replicas)) > 1 for _, replicas in self.placements):
            raise ValueError(f"replicas that differ are summed over one by one: at most {MOST_NODES}, not {n}")

    @property
    def nodes(self) -> int:
        """Replicas of each object."""
        return len(self.placements[0][1])

    @property
    def is_strict(self) -> bool:
        """Whether every read meets every write, R + W > N: then none is stale."""
        return self.reads + self.writes > self.nodes

    def stale(self, after: float) -> float:
        """Return P(a read that begins `after` >= 0 seconds after a write is done misses it)."""
        if self.is_strict:
            return 0.0
        share = math.fsum(p * term.at(after) for p, terms in self._terms for term in terms)
        return min(max(share, 0.0), 1.0)

    def visible_after(self, probability: float) -> float:
        """Return the seconds after a write from which this share of reads sees it: t-visibility."""
        if not 0 < probability < 1:
            raise ValueError(f"a share of reads is between 0 and 1, not {probability!r}")
        missing = 1 - probability
        if self.stale(0.0) <= missing:
            return 0.0
        return _falls_to(self.stale, missing, self._scale)

    def read_percentile(self, fraction: float) -> float:
        """Return the seconds within which this fraction of reads has its R answers."""
        return self._percentile(fraction, self.reads, lambda r, t: both_within(r.read, r.response, t))

    def write_percentile(self, fraction: float) -> float:
        """Return the seconds within which this fraction of writes has its W acknowledgements."""
        return self._percentile(fraction, self.writes, lambda r, t: both_within(r.write, r.acknowledgement, t))

    def _percentile(self, fraction: float, needed: int, law: Callable[[Replica, Floats], Floats]) -> float:
        if not 0 < fraction < 1:
            raise ValueError(f"percentiles are asked for as fractions between 0 and 1, not {fraction!r}")

        def beyond(t: float) -> float:
            at = np.array([t])
            return math.fsum(p * (1 - float(_at_least(needed, rs, law, at)[0])) for p, rs in self.placements)

        return _falls_to(beyond, 1 - fraction, self._scale)

    @cached_property
    def _scale(self) -> float:
        """A time of the order of a message's, seconds."""
        first = self.placements[0][1][0]
        return max(part.least + part.mean for m in first for part in m.parts)

    @cached_property
    def _terms(self) -> tuple[tuple[float, tuple[_Term, ...]], ...]:
        return tuple((p, _terms(replicas, self.reads, self.writes)) for p, replicas in self.placements)


def alike(nodes: int, reads: int, writes: int, replica: Replica) -> Quorum:
    """Return a quorum of equal replicas."""
    alone(nodes=nodes, reads=reads, writes=writes)
    if nodes < 1:
        raise ValueError(f"a quorum has at least one replica, not {nodes!r}")
    return Quorum(((1.0, (replica,) * nodes),), reads, writes)


def far_apart(nodes: int, reads: int, writes: int, replica: Replica, distance: float) -> Quorum:
    """Return a quorum with one replica in each place, every other place a constant `distance` in seconds away.

    Whoever writes and whoever reads are each in one of the places at random.
    """
    alone(nodes=nodes, reads=reads, writes=writes, distance=distance)
    if nodes < 2:
        return alike(nodes, reads, writes, replica)
    write, ack, read, response = replica
    away = (write.farther(distance), ack.farther(distance)), (read.farther(distance), response.farther(distance))

    def at(writes_here: bool, reads_here: bool) -> Replica:  # noqa: FBT001, two sides of one replica
        return Replica(*((write, ack) if writes_here else away[0]), *((read, response) if reads_here else away[1]))

    together = (at(True, True), *(at(False, False),) * (nodes - 1))  # noqa: FBT003
    apart = (at(True, False), at(False, True), *(at(False, False),) * (nodes - 2))  # noqa: FBT003
    return Quorum(((1 / nodes, together), (1 - 1 / nodes, apart)), reads, writes)


def versions_behind(nodes: int, reads: int, writes: int, versions: int) -> float:
    """Return P(a read is `versions` or more writes behind) if quorums are drawn at random and never grow (*exact*).

    (C(N - W, R) / C(N, R))**k: Bailis et al. 2012, equation 2. An upper bound where writes go on to all replicas.
    """
    alone(nodes=nodes, reads=reads, writes=writes, versions=versions)
    if not (1 <= reads <= nodes and 1 <= writes <= nodes and versions >= 1):
        raise ValueError(f"1 <= R, W <= N and k >= 1 are needed, not N {nodes}, R {reads}, W {writes}, k {versions}")
    return (math.comb(nodes - writes, reads) / math.comb(nodes, reads)) ** versions


def backwards(nodes: int, reads: int, writes: int, writes_per_read: float) -> float:
    """Return P(a read is older than the same client's read before), quorums drawn at random and never growing.

    `writes_per_read` is the rate of all writes of a key over that of this client's reads of it. Bailis et al. 2012,
    equation 3 (*exact* for a fixed number of writes between two reads): versions behind, k = 1 + writes per read.
    """
    alone(nodes=nodes, reads=reads, writes=writes, writes_per_read=writes_per_read)
    share = math.comb(nodes - writes, reads) / math.comb(nodes, reads)
    return float(share ** (1 + writes_per_read)) if share else 0.0


class _Term:
    """The sets of first answerers that look alike: how many, the two times waited for, and who answers."""

    def __init__(self, count: int, answering: tuple[Replica, ...], others: Sequence[Replica], writes: int) -> None:
        self.count, self.answering = count, Counter(answering)
        self._done, self._done_weights = _spread(
            lambda t: _at_least(writes, others, _acknowledged, t), _bends(others, 0)
        )
        everybody = (*answering, *others)
        self._first, self._first_weights = _spread(lambda t: _at_least(1, others, _answered, t), _bends(everybody, 2))

    def at(self, after: float) -> float:
        product = np.ones((len(self._done), len(self._first)))
        for replica, power in self.answering.items():
            late = late_write(replica.write, replica.read, replica.response, self._done + after, self._first)
            product *= late**power
        return self.count * float(self._done_weights @ product @ self._first_weights)


def _terms(replicas: tuple[Replica, ...], reads: int, writes: int) -> tuple[_Term, ...]:
    if len(set(replicas)) == 1:
        count = math.comb(len(replicas), reads)
        return (_Term(count, replicas[:reads], replicas[reads:], writes),)
    sets: Counter[tuple[tuple[Replica, ...], tuple[Replica, ...]]] = Counter()
    order = {replica: i for i, replica in enumerate(dict.fromkeys(replicas))}
    for chosen in combinations(range(len(replicas)), reads):
        inside = tuple(sorted((replicas[i] for i in chosen), key=order.__getitem__))
        outside = tuple(sorted((r for i, r in enumerate(replicas) if i not in chosen), key=order.__getitem__))
        sets[inside, outside] += 1
    return tuple(_Term(count, inside, outside, writes) for (inside, outside), count in sets.items())


def _acknowledged(replica: Replica, times: Floats) -> Floats:
    return both_within(replica.write, replica.acknowledgement, times)


def _answered(replica: Replica, times: Floats) -> Floats:
    return both_within(replica.read, replica.response, times)


def _at_least(
    needed: int, replicas: Sequence[Replica], law: Callable[[Replica, Floats], Floats], times: Floats
) -> Floats:
    """Return P(at least so many of the replicas are through by these times)."""
    # fewer[j] is P(exactly j through so far), for j below what is needed.
    fewer = [np.ones_like(times)] + [np.zeros_like(times)] * (needed - 1)
    known: dict[Replica, Floats] = {}
    for replica in replicas:
        if replica not in known:
            known[replica] = law(replica, times)
        through = known[replica]
        fewer = [fewer[j] * (1 - through) + (fewer[j - 1] * through if j else 0.0) for j in range(needed)]
    result: Floats = 1 - np.sum(fewer, axis=0)
    return result


def _spread(law: Callable[[Floats], Floats], bends: Sequence[float]) -> tuple[Floats, Floats]:
    """Return times and weights that average over a distribution function, smooth between its `bends` in seconds.

    Between two bends, or powers of ten of what is left, points gather at both ends, where the time is no smooth
    function of the level.
    """
    ends = sorted([0.0, *law(np.array(bends)).tolist(), *_TAIL, 1.0])
    s, weights = gauss_legendre(_POINTS)
    places, weights = s * s * (3 - 2 * s), weights * 6 * s * (1 - s)
    pairs = [(low, high) for low, high in pairwise(ends) if high - low > _SLIVER]
    levels = np.concatenate([low + (high - low) * places for low, high in pairs])
    return _inverse(law, np.minimum(levels, 1 - _SLIVER)), np.concatenate(
        [(high - low) * weights for low, high in pairs]
    )


def _bends(replicas: Iterable[Replica], first: int) -> list[float]:
    """Return the times at which a sum of two of a replica's messages begins anew: with each pair of parts."""
    pairs = {(replica[first], replica[first + 1]) for replica in replicas}
    return sorted(
        {a.shift + b.shift + one.least + two.least for a, b in pairs for one in a.parts for two in b.parts} - {0.0}
    )


def _inverse(law: Callable[[Floats], Floats], levels: Floats) -> Floats:
    """Return the times at which a distribution function reaches these levels, by halving on a logarithmic scale."""
    low, high = np.full_like(levels, 1e-9), np.full_like(levels, 1e-3)
    while (short := law(high) < levels).any():
        high = np.where(short, high * 8, high)
    for _ in range(44):
        middle = np.sqrt(low * high)
        below = law(middle) < levels
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.sqrt(low * high)


def _falls_to(function: Callable[[float], float], wanted: float, scale: float) -> float:
    """Return where a falling function reaches a value, within 1e-5 of the time."""
    low, high = 0.0, scale
    at_low, at_high = function(low), function(high)
    while at_high > wanted:
        low, at_low, high = high, at_high, 4 * high
        at_high = function(high)
    for count in range(80):
        if high - low <= 1e-5 * high:
            break
        # The logarithm of a tail is nearly straight: cut it, but halve the bracket every third time.
        slope = math.log(at_low / max(at_high, 1e-300))
        cut = math.log(at_low / wanted) / slope if slope > 0 else 0.5
        middle = low + (high - low) * (min(max(cut, 0.01), 0.99) if count % 3 else 0.5)
        value = function(middle)
        if value > wanted:
            low, at_low = middle, value
        else:
            high, at_high = middle, value
    return high
