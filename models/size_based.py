"""One server that orders its requests by size: the shortest first, the shortest left first, the least served first.

Means only, of all requests and of those of one size; Poisson arrivals, sizes that are mixtures of Erlang times. Knowing
the sizes pays most where they vary: the many short ones do not wait for the few long ones, which hardly notice.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from models.erlang import UnstableQueueError
from models.loss import check_queue
from models.quadrature import gauss_legendre

if TYPE_CHECKING:
    from models.service_time import ServiceTime
    from models.transforms import Floats

ORDERS: Final = ("sjf", "psjf", "srpt", "las")
"""Shortest job first; the same with interruption; shortest remaining time first; least attained service first."""

_NODES, _WEIGHTS = gauss_legendre(16)
_PANELS: Final = 160


def size_based_mean(order: str, arrival_rate: float, service: ServiceTime) -> float:
    """Return the mean response, s, over all requests of one server that orders them (*exact*).

    `order` is one of ORDERS; rate in 1/s, service in s. By 2,544 points, relative error below 1e-9. Only "las" need not
    know the sizes. Raises UnstableQueueError when the load reaches 1, ValueError for other input without a meaning, and
    for constant parts of the service, among which no order is defined. Source: Schrage and Miller 1966; Harchol-Balter
    2013, Performance Modeling and Design of Computer Systems, chapters 31 to 33.
    """
    law = _law(order, arrival_rate, service)
    first = 1e-9 * min(count / rate for _, count, rate in service.phases)
    last = max((60 + 4 * count) / rate for _, count, rate in service.phases)
    edges = np.concatenate([[0.0], np.geomspace(first, last, _PANELS)])
    widths = np.diff(edges)
    x = (edges[:-1, None] + widths[:, None] * _NODES).ravel()
    weights = (widths[:, None] * _WEIGHTS).ravel()
    found = float((law.waiting(x) * law.density(x)) @ weights)
    if order == "srpt":
        # The time from first service on, averaged over sizes: the integral of the tail over 1 - rho(x).
        return found + float((law.longer(x) / law.spare(x)) @ weights)
    return found + float((law.serving(x) * law.density(x)) @ weights)


def size_based_of_size(order: str, arrival_rate: float, service: ServiceTime, size: float) -> float:
    """Return the mean response, s, of requests that alone would take `size` seconds (*exact*; see above)."""
    law = _law(order, arrival_rate, service)
    if not 0 < size < math.inf:
        raise ValueError(f"a size is a finite number of seconds > 0, not {size!r}")
    x = np.array([size])
    if order == "srpt":
        steps = (np.arange(_PANELS)[:, None] + _NODES).ravel() / _PANELS * size
        weights = np.tile(_WEIGHTS, _PANELS) / _PANELS * size
        return float(law.waiting(x)[0] + (1 / law.spare(steps)) @ weights)
    return float(law.waiting(x)[0] + law.serving(x)[0])


def _law(order: str, arrival_rate: float, service: ServiceTime) -> _Sizes:
    check_queue(arrival_rate, service.mean, 1)
    if order not in ORDERS:
        raise ValueError(f"an order is one of {', '.join(ORDERS)}, not {order!r}")
    if service.constants:
        raise ValueError("constant sizes are all alike: no order by size is defined among them")
    if arrival_rate * service.mean >= 1:
        raise UnstableQueueError(1, arrival_rate * service.mean)
    return _Sizes(order, arrival_rate, service)


@dataclass(frozen=True)
class _Sizes:
    """Partial moments of the sizes, and what a request of size x waits for under an order."""

    order: str
    rate: float
    service: ServiceTime

    def density(self, x: Floats) -> Floats:
        """Return the density of sizes."""
        return sum((w * r * _poisson(r * x, k - 1) for w, k, r in self.service.phases), np.zeros_like(x))

    def longer(self, x: Floats) -> Floats:
        """Return P(size > x)."""
        return sum((w * _fewer(r * x, k) for w, k, r in self.service.phases), np.zeros_like(x))

    def spare(self, x: Floats) -> Floats:
        """Return 1 less the load of sizes up to x; from the spare of all, which keeps its digits."""
        above = sum((w * k / r * _fewer(r * x, k + 1) for w, k, r in self.service.phases), np.zeros_like(x))
        whole = 1 - self.rate * self.service.mean
        cut = x * self.longer(x) if self.order == "las" else 0.0
        return np.asarray(whole + self.rate * (above - cut))

    def second(self, x: Floats) -> Floats:
        """Return E[size^2; size <= x]."""
        parts = (w * k * (k + 1) / r**2 * (1 - _fewer(r * x, k + 2)) for w, k, r in self.service.phases)
        return sum(parts, np.zeros_like(x))

    def waiting(self, x: Floats) -> Floats:
        """Return the mean time until first service; under "las" all that others take."""
        whole = self.service.variance + self.service.mean**2
        seconds = np.full_like(x, whole) if self.order == "sjf" else self.second(x)
        if self.order in ("srpt", "las"):
            seconds += x**2 * self.longer(x)
        return np.asarray(self.rate * seconds / 2 / self.spare(x) ** 2)

    def serving(self, x: Floats) -> Floats:
        """Return the mean time from first service on: the size, and who interrupts."""
        return x if self.order == "sjf" else x / self.spare(x)


def _poisson(x: Floats, count: int) -> Floats:
    """Return e^-x x^count / count!."""
    with np.errstate(divide="ignore", under="ignore"):
        exponent = -x + (count * np.log(x) if count else 0.0) - math.lgamma(count + 1)
        return np.asarray(np.exp(np.maximum(exponent, -745.0)))


def _fewer(x: Floats, count: int) -> Floats:
    """Return P(Erlang(count, 1) > x): fewer than `count` Poisson events by x."""
    return sum((_poisson(x, i) for i in range(count)), np.zeros_like(x))
