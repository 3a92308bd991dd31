"""Queues whose customers give up: M/M/c with patience, known as Erlang A where the patience is exponential.

The wait that an arrival of endless patience would have has a density known up to a constant (Baccelli and Hebuterne
1981; Zeltyn and Mandelbaum 2005, section 3):

    v(x) = lambda p(c-1) exp(lambda H(x) - c mu x),   H(x) = integral over u < x of P(patience > u).

Its logarithm is concave, and every measure is an integral over it whose integrand is positive: nothing cancels, at
any load and with any number of servers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from models.erlang import erlang_b
from models.latency import Latency
from models.loss import check_queue
from models.quadrature import gauss_legendre
from models.steady import SteadyState
from models.transforms import Transform

if TYPE_CHECKING:
    from collections.abc import Callable

    from models.service_time import ServiceTime
    from models.transforms import Floats

_NODES, _WEIGHTS = gauss_legendre(16)

_PANELS = 48

_NEGLIGIBLE_EXPONENT = 45.0
"""exp(-45) of a peak is beyond the sixteenth digit of the area under it."""


def impatient(arrival_rate: float, service_time: float, servers: int, patience: ServiceTime) -> SteadyState:
    """Return the state of M/M/c + G: who has waited as long as their patience leaves (*exact*, relative error 1e-11).

    Rates in 1/s, times in seconds; `patience` is any mixture of Erlang times and constants, a client's timeout for
    one. Any load is stable. `wait` is the time in the queue of everybody, also of those who leave; `response` is that
    of whoever is served. Nobody leaves a server. Raises ValueError for input without a meaning. Source: Zeltyn and
    Mandelbaum 2005, "Call centers with impatient customers", section 3; for exponential patience Palm 1957.
    """
    check_queue(arrival_rate, service_time, servers)
    if arrival_rate == 0:
        raise ValueError("without arrivals there is nobody to be impatient: the arrival rate must be above 0")
    offered = _Offered(arrival_rate, service_time, servers, patience)
    waiting = _TimeInQueue(offered)
    left = offered.abandonment
    served = _Served(offered, service_time)
    throughput = arrival_rate * (1 - left)
    return SteadyState(
        model=f"M/M/{servers}+G",
        arrival_rate=arrival_rate,
        throughput=throughput,
        utilization=min(throughput * service_time / servers, 1.0),
        wait_probability=offered.probability,
        wait=Latency.of(waiting),
        response=Latency.of(served),
        queue_length=arrival_rate * waiting.mean,
        number=arrival_rate * waiting.mean + throughput * service_time,
        abandonment=left,
    )


@dataclass(frozen=True)
class _Patience:
    """The first integrals of a patience's tail, at an array of times."""

    time: ServiceTime

    def left(self, x: Floats) -> Floats:
        """Return P(patience > x)."""
        total = np.zeros_like(x)
        for weight, count, rate in self.time.phases:
            total += weight * (1 - _erlang_cdfs(rate * x, count)[-1] if count > 1 else np.exp(-rate * x))
        for weight, value in self.time.constants:
            total += weight * (x < value)
        return total

    def gone(self, x: Floats) -> Floats:
        """Return P(patience <= x), which keeps its digits where it is small."""
        total = np.zeros_like(x)
        for weight, count, rate in self.time.phases:
            total += weight * _erlang_cdfs(rate * x, count)[-1]
        for weight, value in self.time.constants:
            total += weight * (x >= value)
        return total

    def spent(self, x: Floats) -> Floats:
        """Return E[min(patience, x)]."""
        total = np.zeros_like(x)
        for weight, count, rate in self.time.phases:
            total += weight / rate * sum(_erlang_cdfs(rate * x, count))
        for weight, value in self.time.constants:
            total += weight * np.minimum(x, value)
        return total

    def spent_squared(self, x: Floats) -> Floats:
        """Return E[min(patience, x)**2]."""
        total = np.zeros_like(x)
        for weight, count, rate in self.time.phases:
            cdfs = _erlang_cdfs(rate * x, count + 1)[1:]
            total += weight * 2 / rate**2 * sum((i + 1) * cdf for i, cdf in enumerate(cdfs))
        for weight, value in self.time.constants:
            total += weight * np.minimum(x, value) ** 2
        return total

    def breaks(self) -> list[float]:
        """Return the times where the tail jumps or bends."""
        scales = [n / rate for _, n, rate in self.time.phases]
        return [value for _, value in self.time.constants] + [f * s for s in scales for f in (0.125, 0.5, 1, 2, 4, 8)]


class _Offered:
    """The wait of an arrival with endless patience: `probability` that there is one, and its density."""

    def __init__(self, arrival_rate: float, service_time: float, servers: int, patience: ServiceTime) -> None:
        self.patience = _Patience(patience)
        self._arrival_rate, self._drain = arrival_rate, servers / service_time
        self._highest, self._scale = 0.0, 1.0
        peak = self._first(lambda x: arrival_rate * float(self.patience.left(np.array([x]))[0]) <= self._drain, 0.0)
        self._highest = self._exponent(peak)
        negligible = self._highest - _NEGLIGIBLE_EXPONENT
        end = self._first(lambda x: self._exponent(x) < negligible, peak)
        start = peak - self._first(lambda back: back >= peak or self._exponent(peak - back) < negligible, 0.0)
        inner = [b for b in self.patience.breaks() if start < b < end]
        self.edges = np.unique(np.concatenate([np.linspace(max(start, 0.0), end, _PANELS), [peak], inner]))
        self.probability = 0.0
        blocked = erlang_b(servers - 1, arrival_rate * service_time)
        below = math.exp(-self._highest) / blocked if blocked > 0 else math.inf
        area = arrival_rate * self.integral(self.density, 0.0, math.inf)
        self._scale = arrival_rate / (below + area)
        self.probability = area / (below + area)
        self.abandonment = self.integral(lambda x: self.density(x) * self.patience.gone(x), 0.0, math.inf)

    def density(self, x: Floats) -> Floats:
        """Return the density of the offered wait at times > 0."""
        exponent = self._arrival_rate * self.patience.spent(x) - self._drain * x - self._highest
        return np.asarray(self._scale * np.exp(exponent))

    def points(self, low: float, high: float) -> tuple[Floats, Floats]:
        """Return where to look between two times, and the weights there."""
        edges = np.unique(np.clip(np.append(self.edges, [low, min(high, self.edges[-1])]), low, max(low, high)))
        widths = np.diff(edges)
        return (edges[:-1, None] + widths[:, None] * _NODES).ravel(), (widths[:, None] * _WEIGHTS).ravel()

    def integral(self, function: Callable[[Floats], Floats], low: float, high: float) -> float:
        """Return the integral of something that the density is a factor of."""
        low, high = max(low, float(self.edges[0])), min(high, float(self.edges[-1]))
        if low >= high:
            return 0.0
        x, weights = self.points(low, high)
        return float(function(x) @ weights)

    def _exponent(self, x: float) -> float:
        return self._arrival_rate * float(self.patience.spent(np.array([x]))[0]) - self._drain * x

    def _first(self, true: Callable[[float], bool], start: float) -> float:
        """Return about the first time from `start` on where something turns true for good."""
        if true(start):
            return start
        step = 1 / self._drain
        while not true(start + step):
            step *= 2
        low, high = (start if step == 1 / self._drain else start + step / 2), start + step
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (low, middle) if true(middle) else (middle, high)
        return high


class _TimeInQueue(Transform):
    """The time in the queue of everybody: the lesser of the offered wait and the patience."""

    def __init__(self, offered: _Offered) -> None:
        self._offered, patience = offered, offered.patience
        self.mean = offered.integral(lambda x: offered.density(x) * patience.spent(x), 0.0, math.inf)
        second = offered.integral(lambda x: offered.density(x) * patience.spent_squared(x), 0.0, math.inf)
        self.variance = max(second - self.mean**2, 0.0)

    def tail_at(self, times: Floats) -> tuple[Floats, Floats]:
        """Return P(offered > t) P(patience > t); the density, which steers a search only, by differences."""
        offered, patience = self._offered, self._offered.patience
        longer = np.array([offered.integral(offered.density, t, math.inf) for t in times.tolist()])
        left = patience.left(times)
        leaving = (patience.left(times * (1 - 1e-6)) - patience.left(times * (1 + 1e-6))) / (2e-6 * times)
        return longer * left, offered.density(times) * left + longer * leaving


class _Served(Transform):
    """The response time of whoever is served: the offered wait of those whose patience lasts, then the service."""

    def __init__(self, offered: _Offered, service_time: float) -> None:
        self._offered, self._service_time = offered, service_time
        self._share = 1 - offered.abandonment
        wait = offered.integral(lambda x: self._waits(x) * x, 0.0, math.inf)
        second = offered.integral(lambda x: self._waits(x) * x * x, 0.0, math.inf)
        self.mean = wait + service_time
        self.variance = max(second - wait**2, 0.0) + service_time**2

    def tail_at(self, times: Floats) -> tuple[Floats, Floats]:
        """Return the wait's tail plus what the service still takes; the density is what ends just then."""
        tail, density = np.zeros_like(times), np.zeros_like(times)
        for i, t in enumerate(times.tolist()):
            waiting = self._offered.integral(self._waits, t, math.inf)
            serving = (1 - self._offered.probability) / self._share * math.exp(-t / self._service_time)
            serving += self._offered.integral(self._in_service(t), 0.0, t)
            tail[i], density[i] = waiting + serving, serving / self._service_time
        return tail, density

    def _waits(self, x: Floats) -> Floats:
        """Return the density of the wait of the served."""
        return self._offered.density(x) * self._offered.patience.left(x) / self._share

    def _in_service(self, t: float) -> Callable[[Floats], Floats]:
        return lambda x: self._waits(x) * np.exp((x - t) / self._service_time)


def _erlang_cdfs(x: Floats, count: int) -> list[Floats]:
    """Return P(Erlang(k, 1) <= x) for k = 1 to `count`, by the series that does not cancel for small x."""
    small = x < 1.0
    result, term, inside = [], np.exp(-x), -np.expm1(-x)
    for k in range(1, count + 1):
        result.append(np.where(small, _small_erlang(x, k), inside) if k > 1 else inside)
        term = term * x / k
        inside = np.maximum(inside - term, 0.0)
    return result


def _small_erlang(x: Floats, count: int) -> Floats:
    """Return P(Erlang(k, 1) <= x) for x < 1: the Poisson probabilities of k and more."""
    below_one = np.minimum(x, 1.0)
    term = np.exp(-below_one) * below_one**count / math.factorial(count) if count < 150 else np.zeros_like(x)
    total = np.zeros_like(x)
    for n in range(count + 1, count + 20):
        total += term
        term = term * below_one / n
    return total
