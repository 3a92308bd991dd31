"""Many queues in the long run at once: the figures of `SteadyState` under the same names, as arrays.

What a door of `models.stations` or one of its neighbours answers when it is given arrays.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from models.arrays import Many, over
from models.steady import lengths

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SteadyStates:
    """Many queues of one model: rates in 1/s, times in seconds, lengths in requests, shares in [0, 1]; all arrays.

    Each figure is that of `models.steady.SteadyState` for each queue, found for all at once. Distributions are found
    one by one when they are first asked for, by `door`: `wait` and `response`, their tails and percentiles.
    `states[i]` is the state of one queue, or of some.
    """

    model: str
    arrival_rate: Array
    throughput: Array
    utilization: Array
    wait_probability: Array
    wait_mean: Array
    response_mean: Array
    queue_length: Array
    number: Array
    blocking: Array
    abandonment: Array
    exact: bool
    error: str
    door: Callable[..., Any]
    """What gives the state of one queue."""
    given: tuple[Any, ...]
    """And of what: arrays, of which each queue has an element, or what is the same for all."""

    @property
    def shape(self) -> tuple[int, ...]:
        """That of the queues."""
        return self.arrival_rate.shape

    @cached_property
    def each(self) -> Many:
        """The states of them one by one."""
        return cast("Many", over(self.door)(*self.given))

    def __len__(self) -> int:
        return len(self.arrival_rate)

    def __getitem__(self, index: Any) -> Any:
        part = [given[index] if isinstance(given, np.ndarray) else given for given in self.given]
        return over(self.door)(*(x.item() if isinstance(x, np.generic) else x for x in part))

    @property
    def wait(self) -> Any:
        """Of whoever is let in: `Many` latencies, each with mean, variance, tail and percentiles."""
        return self.each.wait

    @property
    def response(self) -> Any:
        """Of whoever is served."""
        return self.each.response

    def wait_tail(self, seconds: ArrayLike) -> Array:
        """Return P(wait > t), t >= 0, broadcast with the queues."""
        return cast("Array", self.each.wait_tail(np.asarray(seconds, dtype=float)))

    def response_tail(self, seconds: ArrayLike) -> Array:
        """Return P(response > t), t >= 0, broadcast with the queues."""
        return cast("Array", self.each.response_tail(np.asarray(seconds, dtype=float)))

    def wait_percentile(self, fraction: ArrayLike) -> Array:
        """Return the times within which this fraction, in (0, 1), starts service: 0 where fewer have to wait."""
        return cast("Array", self.each.wait_percentile(np.asarray(fraction, dtype=float)))

    def response_percentile(self, fraction: ArrayLike) -> Array:
        """Return the times within which this fraction, in (0, 1), is served."""
        return cast("Array", self.each.response_percentile(np.asarray(fraction, dtype=float)))


def steady_states(  # noqa: PLR0917, a queue has as many figures as it has
    model: str,
    door: Callable[..., Any],
    given: tuple[Any, ...],
    arrival_rate: ArrayLike,
    servers: ArrayLike,
    service_mean: ArrayLike,
    wait_mean: ArrayLike,
    wait_probability: ArrayLike,
    *,
    blocking: ArrayLike = 0.0,
    let_in: ArrayLike = 1.0,
) -> SteadyStates:
    """Return the states of many queues from their mean waits, as `models.steady.steady` does that of one."""
    parts = (arrival_rate, servers, service_mean, wait_mean, wait_probability, blocking, let_in)
    rate, count, service, wait, waits, blocked, share = np.broadcast_arrays(
        *(np.asarray(part, dtype=float) for part in parts)
    )
    throughput, utilization, queue_length, number = lengths(rate, count, service, wait, share)
    return SteadyStates(
        model=model,
        arrival_rate=rate,
        throughput=throughput,
        utilization=utilization,
        wait_probability=waits,
        wait_mean=wait,
        response_mean=wait + service,
        queue_length=queue_length,
        number=number,
        blocking=blocked,
        abandonment=np.zeros_like(rate),
        exact=True,
        error="",
        door=door,
        given=given,
    )


def counted(counts: Array) -> NDArray[np.int64]:
    """Return whole numbers as such: what is made for each of them may count with them."""
    return counts.astype(np.int64)
