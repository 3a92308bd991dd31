"""What every queue answers: one frozen value, the same for all models, in seconds and shares."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from models.elementwise import Number, smaller
from models.latency import Latency

if TYPE_CHECKING:
    from models.transforms import Transform


@dataclass(frozen=True, eq=False)
class SteadyState:
    """A queue in the long run: rates in 1/s, times in seconds, lengths in requests, shares in [0, 1].

    `wait` is of whoever is let in, `response` of whoever is served; both give mean, variance, tail and percentiles.
    `exact` says whether all figures are exact for the model, up to the inversion of transforms where a distribution
    has no closed form (percentiles 1e-6, see `models.latency`); `error` says how far off they are if not.
    """

    model: str
    arrival_rate: float
    """Offered, of which a share `blocking` is turned away at the door."""
    throughput: float
    """Served to the end."""
    utilization: float
    """Busy share of a server; for servers without number 0."""
    wait_probability: float
    """Of whoever is let in."""
    wait: Latency
    response: Latency
    queue_length: float
    """Mean number waiting, those in service not counted."""
    number: float
    """Mean number in the system."""
    blocking: float = 0.0
    abandonment: float = 0.0
    """Share of those let in that give up before they are served."""
    exact: bool = True
    error: str = ""

    def responding(self, response: Transform) -> SteadyState:
        """Return the same state with its response time known better than as a sum."""
        return replace(self, response=Latency.of(response))

    @property
    def wait_mean(self) -> float:
        """Seconds."""
        return self.wait.mean

    @property
    def response_mean(self) -> float:
        """Seconds."""
        return self.response.mean

    def wait_tail(self, seconds: float) -> float:
        """Return P(wait > t), t >= 0."""
        return self.wait.exceeds(seconds) if seconds > 0 else self.wait_probability

    def response_tail(self, seconds: float) -> float:
        """Return P(response > t), t >= 0."""
        return self.response.exceeds(seconds) if seconds > 0 else 1.0

    def wait_percentile(self, fraction: float) -> float:
        """Return the time within which this fraction, in (0, 1), starts service: 0 where fewer have to wait."""
        if 0 < fraction < 1 and self.wait_probability <= 1 - fraction:
            return 0.0
        return self.wait.percentile(fraction)

    def response_percentile(self, fraction: float) -> float:
        """Return the time within which this fraction, in (0, 1), is served."""
        return self.response.percentile(fraction)


def steady(  # noqa: PLR0917, a queue has as many figures as it has
    model: str,
    arrival_rate: float,
    servers: float,
    service: Transform,
    wait: Transform,
    wait_probability: float,
    *,
    blocking: float = 0.0,
    let_in: float = 1.0,
) -> SteadyState:
    """Return the state of a queue whose wait and service are independent and where all that are let in are served.

    `let_in` is 1 - blocking, given apart because far above saturation the difference of two doubles would lose it.
    Lengths follow by Little's law (Little 1961).
    """
    throughput, utilization, queue_length, number = lengths(arrival_rate, servers, service.mean, wait.mean, let_in)
    waiting, serving = Latency.of(wait), Latency.of(service)
    return SteadyState(
        model=model,
        arrival_rate=arrival_rate,
        throughput=throughput,
        utilization=utilization,
        wait_probability=wait_probability,
        wait=waiting,
        response=waiting + serving,
        queue_length=queue_length,
        number=number,
        blocking=blocking,
    )


def lengths(
    arrival_rate: Number, servers: Number, service: Number, wait: Number, let_in: Number
) -> tuple[Number, Number, Number, Number]:
    """Return throughput, utilization, mean number waiting and in the system, from means and the share let in."""
    throughput = arrival_rate * let_in
    return throughput, smaller(throughput * service / servers, 1.0), throughput * wait, throughput * (wait + service)


def approximate(state: SteadyState, error: str) -> SteadyState:
    """Return the same figures, marked as approximate, with how far they are off."""
    return replace(state, exact=False, error=error)
