"""Writes still to be applied right before a flush: batches every so often to parallel exponential appliers (D^X/M/c).

From one flush to the next a batch comes and c appliers work it off; above c they do at a constant rate, so that the
number there is a random walk, and far above it is geometric. Each of the few numbers below c is a state of its own.
What is above is a smooth function, which a few of its values tell as soon as many are applied between two flushes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from models.quadrature import gauss_legendre

if TYPE_CHECKING:
    from typing import TypeAlias

    from numpy.typing import NDArray

    from models.transforms import Complexes, Floats

    Counts: TypeAlias = NDArray[np.int64]

MOST_PLACES: Final = 1 << 15
"""Numbers of writes that are told apart, at most: beyond, a flush is so large that writes are as good as a fluid."""

MOST_APPLIERS: Final = 128
"""Beyond so many the numbers below make the equations many."""

_MOST_EQUATIONS: Final = 700
"""Solved in some tens of milliseconds."""

_DIGITS: Final = 37.0
"""What is e to the minus this is no longer seen."""


@dataclass(frozen=True)
class Flushes:
    """Flushes every `interval` s to `appliers` of `apply_time` s each on average, exponential.

    In each a Poisson number of batches, at `batch_rate` in 1/s, of a geometric size of mean `size` >= 1.
    """

    interval: float
    batch_rate: float
    size: float
    apply_time: float
    appliers: int

    @property
    def writes(self) -> float:
        """Mean number of writes in a flush."""
        return self.batch_rate * self.size * self.interval

    @property
    def applied(self) -> float:
        """Mean number that busy appliers apply from one flush to the next."""
        return self.appliers * self.interval / self.apply_time

    @property
    def ratio(self) -> float:
        """Far from zero, one write more is so many times as likely: the root of E[z**(come - applied)] = 1."""
        return (self.writes / self.applied + self.size - 1) / self.size

    @property
    def most(self) -> int:
        """No flush brings more, and no write is further behind at its flush than the geometric rest and this."""
        return int(self.writes + 10 * math.sqrt(self.writes * (2 * self.size - 1)) + _DIGITS * self.size) + 30

    @cached_property
    def top(self) -> int:
        """From this number on the distribution is taken as geometric: there it is, to 1e-12."""
        spread = math.sqrt(self.writes * (2 * self.size - 1) + self.applied)
        return self.appliers + int(min(16 * spread + 20, self.rest))

    @property
    def rest(self) -> int:
        """So many further the geometric part is over."""
        return int(_DIGITS / -math.log(self.ratio)) + 2

    @property
    def reach(self) -> int:
        """No write has more before it."""
        return self.top + self.rest + self.most

    @property
    def places(self) -> int:
        """Length of a ring on which what comes and what is applied do not meet, a power of two."""
        down = self.applied + self.reach + 40 * self.appliers
        return 1 << math.ceil(math.log2(self.reach + down + 10 * math.sqrt(down) + 60))

    def is_within(self, most_places: int) -> bool:
        """Return whether so many numbers, and equations that take some tens of milliseconds, are enough."""
        inside = self.writes > 0 and self.ratio < 1 - 1e-4 and self.writes + self.applied < most_places
        if self.appliers > MOST_APPLIERS or not inside:
            return False
        return self.places <= most_places and len(_states(self)[0]) <= _MOST_EQUATIONS

    def missing(self) -> Complexes:
        """Return 1 - exp(-i theta) at the angles of the ring from 0 to pi."""
        theta = 2 * np.pi * np.arange(self.places // 2 + 1) / self.places
        result: Complexes = 2 * np.sin(theta / 2) ** 2 + 1j * np.sin(theta)
        return result

    def coming(self, missing: Complexes) -> Complexes:
        """Return the exponent of what comes in a second: batch_rate (E[x**size] - 1), x = 1 - missing."""
        result: Complexes = -self.batch_rate * self.size * missing / (1 + (self.size - 1) * missing)
        return result

    def going(self, missing: Complexes) -> Complexes:
        """Return the exponent of what busy appliers take away in a second."""
        result: Complexes = -self.appliers / self.apply_time * missing.conj()
        return result


class Left(NamedTuple):
    """Numbers of writes right before a flush: P(n) for n up to the last, then geometric."""

    shares: Floats
    ratio: float

    def transform(self, missing: Complexes) -> Complexes:
        """Return E[x**n] at x = 1 - missing on the upper half of a ring."""
        places, last = 2 * (len(missing) - 1), len(self.shares) - 1
        start = np.exp(-2j * np.pi * last * np.arange(len(missing)) / places)
        rest = self.shares[-1] * start / ((1 - self.ratio) + self.ratio * missing)
        result: Complexes = np.fft.rfft(self.shares[:-1], places) + rest
        return result


def left_at_flush(flushes: Flushes) -> Left:
    """Return how many writes are still to be applied right before a flush (*exact*, 1e-12; `is_within` must hold)."""
    missing = flushes.missing()
    come = np.maximum(np.fft.irfft(np.exp(flushes.interval * flushes.coming(missing))), 0.0)
    both = np.exp(flushes.interval * (flushes.coming(missing) + flushes.going(missing)))
    # From -half to half of the ring, so that a difference of numbers is an index.
    change = np.roll(np.maximum(np.fft.irfft(both), 0.0), flushes.places // 2)
    zero, c, top = flushes.places // 2, flushes.appliers, flushes.top
    further = _geometric(change, flushes.ratio)
    states, weights = _states(flushes)
    upper = states[c:]
    moves = np.empty((len(states), len(states)))
    moves[:-1, c:] = change[zero + upper[None, :] - states[:-1, None]]
    moves[-1, c:] = further[zero + upper - top]
    moves[:, :c] = _below(flushes, states, come[: flushes.most], _sure(flushes, states, change, further))
    moves *= weights[:, None]
    moves[-1] /= weights[-1]
    equations = moves.T - np.eye(len(states))
    equations[0] = weights
    goal = np.zeros(len(states))
    goal[0] = 1.0
    found = np.linalg.solve(equations, goal)
    numbers = np.arange(c, top)
    inside = (weights[:-1] * found[:-1]) @ change[zero + numbers[None, :] - states[:-1, None]]
    inside += found[-1] * further[zero + numbers - top]
    return Left(np.maximum(np.concatenate([found[:c], inside, found[-1:]]), 0.0), flushes.ratio)


def _sure(flushes: Flushes, states: Counts, change: Floats, further: Floats) -> Floats:
    """Return P(fewer than c are left) from each state, as the walk says; from the last, of all above it."""
    zero = len(change) // 2
    sums = np.cumsum(change)
    result = sums[zero + flushes.appliers - 1 - states]
    result[-1] = further[: zero + flushes.appliers - states[-1]].sum()
    return result


_ROWS: Final = 64
"""Rows of a matrix that are made at once."""

_NODES: Final = 10
"""Values of a smooth function that tell its sum over a panel as wide as its scale."""


def _states(flushes: Flushes) -> tuple[Counts, Floats]:
    """Return the numbers that equations are written for, and the weights with which they stand for all.

    The last stands for itself and all above it.
    """
    c, top = flushes.appliers, flushes.top
    width = math.ceil(math.sqrt(flushes.applied))
    first = np.arange(c)
    if width <= _NODES + 2 or top - c <= width:
        upper, weights = np.arange(c, top), np.ones(top - c)
    else:
        panels = math.ceil((top - c) / width)
        width = (top - c) // panels
        nodes, part = _sampled(width)
        upper = (np.arange(panels)[:, None] * width + nodes[None, :]).ravel() + c
        rest = np.arange(c + panels * width, top)
        upper = np.concatenate([upper, rest])
        weights = np.concatenate([np.tile(part, panels), np.ones(len(rest))])
    states = np.concatenate([first, upper, [top]])
    return states, np.concatenate([np.ones(c), weights, [1 / (1 - flushes.ratio)]])


def _sampled(width: int) -> tuple[Counts, Floats]:
    """Return some of 0 ... width - 1 and weights that add up a polynomial over all of them."""
    spread = (1 - np.cos(np.pi * (np.arange(_NODES) + 0.5) / _NODES)) / 2
    nodes = np.unique(np.rint(spread * (width - 1)).astype(int))
    scale = np.linspace(-1, 1, width)
    basis = np.polynomial.legendre.legvander(scale, len(nodes) - 1)
    return nodes, np.linalg.solve(basis[nodes].T, basis.sum(axis=0))


def _geometric(values: Floats, ratio: float) -> Floats:
    """Return the sums over i of ratio**i values[k - i]."""
    result, step, factor = values.copy(), 1, ratio
    while step < len(values) and factor > 1e-18:
        result[step:] += factor * result[:-step].copy()
        step, factor = 2 * step, factor * factor
    return result


def _below(flushes: Flushes, states: Counts, come: Floats, sure: Floats) -> Floats:
    """Return P(j < c are left at the next flush) from each state, before what comes; from the last, of all above it.

    `sure` are the probabilities of any number below c.
    """
    c, last = flushes.appliers, len(states) - 1
    result = np.zeros((last + 1, c))
    quick = _few_left(c, flushes.applied / c)
    for n in range(c):
        some = come[: c - n]
        result[n] = some @ quick[n : n + len(some)]
    first, emptied = _emptied(c, flushes.applied)
    numbers = c + first + np.arange(len(emptied))
    padded = np.concatenate([come, np.zeros(1)])
    for start in range(0, last, _ROWS):
        rows = slice(start, min(start + _ROWS, last))
        found = numbers[None, :] - states[rows, None]
        found[(found < 0) | (found >= len(come))] = len(come)
        result[rows] += padded[found] @ emptied
    above = numbers - states[-1]
    tail = _geometric(np.concatenate([come, np.zeros(max(int(above[-1]) + 1 - len(come), 0))]), flushes.ratio)
    result[-1] = np.where(above >= 0, tail[np.maximum(above, 0)], 0.0) @ emptied
    result[:, 0] = np.maximum(sure - result[:, 1:].sum(axis=1), 0.0)
    return result


def _few_left(c: int, time: float) -> Floats:
    """Return P(j of m are left) for m and j below c, each alone: binomial; `time` in apply times."""
    stays = math.exp(-time)
    result = np.zeros((c, c))
    result[0, 0] = 1.0
    for m in range(1, c):
        result[m] = result[m - 1] * (1 - stays)
        result[m, 1:] += result[m - 1, :-1] * stays
    return result


def _emptied(c: int, applied: float) -> tuple[int, Floats]:
    """Return i0 and P(0 < j < c are left at the next flush) of c + i0, c + i0 + 1, ... writes.

    The last that waits is taken at some time, and then c - 1 others are left, each for itself. From more than these
    none gets so far, from fewer all are applied. Time is in busy applies: a flush is `applied` long.
    """
    start = max(applied - 40 * c, 0.0)
    first = int(max(start - 9 * math.sqrt(start) - 30, 0.0))
    last = int(applied + 9 * math.sqrt(applied) + 30)
    times, weights = _panels(start, applied)
    counts = np.arange(first, last + 1)
    whole = np.concatenate([np.zeros(1), np.cumsum(np.log(np.arange(1, last + 1)))])[first:]
    taken = np.exp(counts[:, None] * np.log(times) - times - whole[:, None]) * weights
    stays = (times - applied)[:, None] / c
    j = np.arange(c)
    ways = np.array([math.lgamma(c) - math.lgamma(i + 1) - math.lgamma(c - i) for i in range(c)])
    left = np.exp(ways + j * stays + (c - 1 - j) * np.log(-np.expm1(stays)))
    return first, taken @ left


def _panels(start: float, end: float) -> tuple[Floats, Floats]:
    """Return times and weights of an integral, closest where few are taken and where few are left."""
    edges, now = [start], start
    while now < end:
        near = min(now if start == 0 else end, end - now)
        now = min(now + 3 + 1.5 * math.sqrt(near), end)
        edges.append(now)
    nodes, weights = gauss_legendre(10)
    pairs = list(pairwise(edges))
    return (
        np.concatenate([a + (b - a) * nodes for a, b in pairs]),
        np.concatenate([(b - a) * weights for a, b in pairs]),
    )
