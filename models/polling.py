"""Polling: one server goes round several queues, and takes time to go from one to the next.

A worker that serves tenants in turn, a disk arm, a batch job that visits partitions. Mean waits of each queue, Poisson
arrivals: exact where a visit goes on until the queue is empty ("exhaustive") or takes those who were there when it
began ("gated"), approximate where it takes one ("limited").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from models.erlang import UnstableQueueError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.service_time import ServiceTime
    from models.transforms import Floats

VISITS: Final = ("exhaustive", "gated", "limited")


def polling_waits(
    visits: str, arrival_rates: Sequence[float], services: Sequence[ServiceTime], switches: Sequence[ServiceTime]
) -> list[float]:
    """Return the mean wait, s, in each of several queues that one server visits in turn.

    `visits` is one of VISITS; rates in 1/s, times in s; switches[i] is the time from queue i to the next, of which some
    must be above 0. *Exact* for "exhaustive" and "gated" visits, by the covariances of N station times: N^2 linear
    equations, 1e-12 for tens of queues. "limited" to one each visit is *approximate* and exact for queues that are all
    alike (Boxma and Meister 1987). Raises UnstableQueueError at or above saturation: a load of 1, and for "limited"
    visits also where a queue receives more than one request a cycle; ValueError for input without a meaning. Source:
    Ferguson and Aminetzah 1985, "Exact results for nonsymmetric token ring systems"; Takagi 1986, Analysis of Polling
    Systems.
    """
    system = _System.of(visits, arrival_rates, services, switches)
    if visits == "limited":
        return _limited(system)
    spans = _spans(system)
    used, second, rates = system.used, system.second, system.rates
    if visits == "gated":
        # Whoever comes waits for the rest of the cycle, and for those who came before them in it.
        return [float((1 + used[i]) * (spans[i] + system.cycle**2) / (2 * system.cycle)) for i in range(len(used))]
    away = (1 - used) * system.cycle
    return [
        float((spans[i] + away[i] ** 2) / (2 * away[i]) + rates[i] * second[i] / (2 * (1 - used[i])))
        for i in range(len(used))
    ]


def polling_conserved(
    visits: str, arrival_rates: Sequence[float], services: Sequence[ServiceTime], switches: Sequence[ServiceTime]
) -> float:
    """Return what the waits of all queues, weighted, sum up to (*exact*): the pseudo-conservation law.

    The weights are the loads rho_i; for "limited" visits rho_i (1 - rate_i * switching / (1 - rho)). Source: Boxma and
    Groenendijk 1987, "Pseudo-conservation laws in cyclic-service systems".
    """
    return _conserved(_System.of(visits, arrival_rates, services, switches))


@dataclass(frozen=True, eq=False)
class _System:
    """Rates, loads and moments of queues that are visited in turn."""

    visits: str
    rates: Floats
    used: Floats
    second: Floats
    """E[service^2]."""
    between: Floats
    """Means of the times from each queue to the next."""
    spread: Floats
    """Their variances."""

    @property
    def load(self) -> float:
        """Share of time in service."""
        return float(self.used.sum())

    @property
    def switching(self) -> float:
        """Mean time of a cycle that is spent between queues."""
        return float(self.between.sum())

    @property
    def cycle(self) -> float:
        """Mean time of a cycle."""
        return self.switching / (1 - self.load)

    @staticmethod
    def of(
        visits: str, rates: Sequence[float], services: Sequence[ServiceTime], switches: Sequence[ServiceTime]
    ) -> _System:
        """Return the system, checked."""
        if visits not in VISITS:
            raise ValueError(f"visits are one of {', '.join(VISITS)}, not {visits!r}")
        if not len(rates) == len(services) == len(switches) > 0 or min(rates) < 0:
            raise ValueError("as many rates >= 0 as services as switches are needed, at least one")
        means = np.array([s.mean for s in services])
        arrivals = np.array(rates, dtype=float)
        system = _System(
            visits,
            arrivals,
            arrivals * means,
            np.array([s.variance for s in services]) + means**2,
            np.array([s.mean for s in switches]),
            np.array([s.variance for s in switches]),
        )
        if system.load >= 1:
            raise UnstableQueueError(1, system.load)
        if system.switching <= 0:
            raise ValueError("a server that goes round in no time polls endlessly: some switch must take time")
        if visits == "limited" and arrivals.max() * system.cycle >= 1:
            # Of the busiest queue more than one comes in a cycle, and one is served.
            raise UnstableQueueError(1, float(arrivals.max() * system.cycle))
        return system


def _conserved(system: _System) -> float:
    load, between = system.load, system.switching
    square = float(system.spread.sum()) + between**2
    own = float((system.used**2).sum())
    common = load * float(system.rates @ system.second) / (2 * (1 - load)) + load * square / (2 * between)
    sign = -1 if system.visits == "exhaustive" else 1
    return common + between / (2 * (1 - load)) * (load**2 + sign * own)


def _limited(system: _System) -> list[float]:
    """Return the waits of Boxma and Meister 1987: in proportion, and such that the law of conservation holds."""
    apart = (1 - system.load + system.used) / (1 - system.load - system.rates * system.switching)
    weights = system.used * (1 - system.rates * system.cycle)
    return [float(w) for w in apart * _conserved(system) / (weights @ apart)]


def _spans(system: _System) -> Floats:
    """Return the variance of the time between visits ("exhaustive": without them) of each queue.

    A station time is a visit and the way there ("gated": from there). Each depends on the ones before by the requests
    that came meanwhile, linearly, so that their covariances, by queue and by how many stations lie between, solve
    linear equations.
    """
    n, gated = len(system.used), system.visits == "gated"
    spread = system.spread if gated else np.roll(system.spread, 1)
    grows = system.used if gated else system.used / (1 - system.used)
    noise = system.rates * system.second * (1 if gated else 1 / (1 - system.used) ** 3)
    noise = noise * (system.cycle if gated else (1 - system.used) * system.cycle)
    before = range(1, n + 1 if gated else n)
    matrix, constants = np.eye(n * n), np.zeros(n * n)

    def at(queue: int, k: int, m: int) -> int:
        """Return the place of the covariance of the k-th and the m-th station time before that of a queue."""
        return (queue - min(k, m)) % n * n + abs(k - m)

    def added(row: int, queue: int, factor: float, m: int) -> None:
        for k in before:
            matrix[row, at(queue, k, m)] -= factor

    for i in range(n):
        for m in range(1, n):
            added(i * n + m, i, float(grows[i]), m)
        for m in before:
            added(i * n, i, float(grows[i]) ** 2, m)
        constants[i * n] = spread[i] * (1 if gated else (1 + grows[i]) ** 2) + noise[i]
    found = np.linalg.solve(matrix, constants)
    sums = np.array([sum(found[at(i, k, m)] for k in before for m in before) for i in range(n)])
    return np.asarray(sums + (0 if gated else spread))
