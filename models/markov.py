"""M/M/c and M/G/1 in closed form, on single numbers and on arrays: each formula once, for both.

`models.queues.MMc` is one queue; `MMcArray` many at once, at array speed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from models.elementwise import Number, exp, require
from models.erlang import erlang_c, require_stable

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

_SINGLE: Final = (float, int)
"""Made once: a union that is written where it is asked for is made anew each time."""


def _ramp(rate: Number, t: Number) -> Number:
    """Return the integral of exp(-rate u) over u < t: t where the rate is next to 0."""
    if isinstance(rate, _SINGLE):
        return t if rate * t < 1e-12 else -math.expm1(-rate * t) / rate
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(rate * t < 1e-12, t, -np.expm1(-rate * t) / rate)


def spare_rate(servers: Any, load: Number, service_time: Number) -> Number:
    """Return c*mu - lambda, 1/s: from (c - a), which is exact where 1 - rho loses digits."""
    return cast("Number", (servers - load) / service_time)


def wait_tail(waits: Number, spare: Number, t: Number) -> Number:
    """Return P(wait > t) of M/M/c from the share that waits and the spare rate, 1/s."""
    return waits * exp(-spare * t)


def response_tail(waits: Number, spare: Number, service_time: Number, t: Number) -> Number:
    """Return P(wait + service > t) of M/M/c, also where the two exponential rates meet."""
    mu = 1 / service_time
    if isinstance(spare, _SINGLE):
        slower, gap = min(mu, spare), abs(spare - mu)
    else:
        slower, gap = np.minimum(mu, spare), np.abs(spare - mu)
    # The integral over u < t of exp(-spare u) exp(-mu (t - u)), the slower rate taken out: nothing overflows.
    area = exp(-slower * t) * _ramp(gap, t)
    return exp(-mu * t) + waits * mu * area


def wait_percentile(waits: Number, spare: Number, late: Any) -> Number:
    """Return the time that a share `late` of arrivals to M/M/c waits longer than; 0 where fewer wait at all."""
    if isinstance(waits, _SINGLE):
        return 0.0 if waits <= late else math.log(waits / late) / spare
    return cast("Number", np.log(np.maximum(waits / late, 1.0)) / spare)


def mg1_wait_mean(arrival_rate: Number, service_time: Number | float, squared_cv: Number | float) -> Number:
    """Return the mean wait of M/G/1, s, from rate (1/s), mean service (s) and squared CV; numbers or arrays (*exact*).

    Raises UnstableQueueError where the load of any reaches 1. Source: Pollaczek 1930, Khinchine 1932.
    """
    load = arrival_rate * service_time
    require_stable(1, load)
    return load / (1 - load) * service_time * (1 + squared_cv) / 2


@dataclass(frozen=True, eq=False)
class MMcArray:
    """Many M/M/c at once (*exact*): rates in 1/s, mean service times in s, whole servers >= 1, broadcast together.

    Every figure is an array, that of `models.queues.MMc` for each. Raises UnstableQueueError where one is overloaded.
    """

    arrival_rate: ArrayLike
    service_time: ArrayLike
    servers: ArrayLike

    def __post_init__(self) -> None:
        parts = np.broadcast_arrays(self.arrival_rate, self.service_time, self.servers)
        for name, part in zip(("arrival_rate", "service_time", "servers"), parts, strict=True):
            object.__setattr__(self, name, np.asarray(part, dtype=float))
        erlang_c(self._servers, self.offered_load)

    @property
    def _servers(self) -> Array:
        return cast("Array", self.servers)

    @property
    def _service(self) -> Array:
        return cast("Array", self.service_time)

    @property
    def offered_load(self) -> Array:
        """Erlangs."""
        return cast("Array", self.arrival_rate) * self._service

    @property
    def utilization(self) -> Array:
        """Busy share of a server."""
        return self.offered_load / self._servers

    @property
    def spare_rate(self) -> Array:
        """Return c*mu - lambda, 1/s."""
        return spare_rate(self._servers, self.offered_load, self._service)

    @cached_property
    def wait_probability(self) -> Array:
        """Erlang C."""
        return np.asarray(erlang_c(self._servers, self.offered_load))

    @property
    def wait_mean(self) -> Array:
        """Seconds."""
        return self.wait_probability / self.spare_rate

    @property
    def response_mean(self) -> Array:
        """Seconds."""
        return self.wait_mean + self._service

    @property
    def queue_length(self) -> Array:
        """Mean number waiting."""
        return cast("Array", self.arrival_rate) * self.wait_mean

    def wait_tail(self, t: ArrayLike) -> Array:
        """Return P(wait > t)."""
        return wait_tail(self.wait_probability, self.spare_rate, np.asarray(t, dtype=float))

    def response_tail(self, t: ArrayLike) -> Array:
        """Return P(wait + service > t)."""
        return response_tail(self.wait_probability, self.spare_rate, self._service, np.asarray(t, dtype=float))

    def wait_percentile(self, fraction: ArrayLike) -> Array:
        """Return the times within which this fraction, in (0, 1), of arrivals starts service."""
        return wait_percentile(self.wait_probability, self.spare_rate, _late(fraction))

    def response_percentile(self, fraction: ArrayLike) -> Array:
        """Return the times within which this fraction, in (0, 1), of arrivals is served, to the last digits.

        All are halved at once.
        """
        late = _late(fraction)
        high = self.response_mean + np.zeros_like(late)
        low = np.zeros_like(high)
        while np.any(beyond := self.response_tail(high) > late):
            low, high = np.where(beyond, high, low), np.where(beyond, 2 * high, high)
        for _ in range(64):
            middle = (low + high) / 2
            beyond = self.response_tail(middle) > late
            low, high = np.where(beyond, middle, low), np.where(beyond, high, middle)
        return high


def _late(fraction: ArrayLike) -> Array:
    asked = np.asarray(fraction, dtype=float)
    fine = (asked > 0) & (asked < 1)
    require(fine, "percentiles are asked for as fractions between 0 and 1, not {!r}", asked)
    return 1 - asked
