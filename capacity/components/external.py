"""A partner's interface: a latency that is not ours, and limits that are not ours to raise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import msgspec

from capacity.components.base import Count, Tier
from capacity.components.exchange import Answer, Charge, Limit
from capacity.units import Amount, Fraction, Number, PositiveRate, Seconds
from models.availability import MONTH
from models.erlang import UnstableQueueError, erlang_b
from models.latency import ZERO, Latency
from models.limits import rate_limit_rejection, rate_limit_wait
from models.queues import mgc_wait
from models.service_time import ServiceTime, from_moments

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capacity.components.exchange import Arrivals, Operation, Place, Surroundings
    from models.queues import Wait


class External(Tier, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="external"):
    """Without limits a pure delay; with them, what exceeds them waits or is rejected."""

    latency: Seconds
    variability: Number = 1.0
    rate_limit: PositiveRate | None = None
    burst: Count = 1
    """Requests that the partner's limiter lets pass at once, where what exceeds it is rejected."""
    concurrency_limit: Count | None = None
    overflow: Literal["queue", "reject"] = "queue"
    """What happens beyond a limit."""
    availability: Fraction | None = None
    """What the partner promises; left out it is unknown."""
    price_per_call: Amount | None = None

    begins_as: ClassVar[dict[str, Any]] = {"latency": "100ms"}
    counted: ClassVar[str | None] = None
    needs_node: ClassVar[bool] = False
    is_partner: ClassVar[bool] = True

    def machines(self, count: int) -> int:
        """Return none: the machines are the partner's."""
        return 0

    def own_availability(self) -> float | None:
        """Return what the partner promises."""
        return None if self.availability is None else float(self.availability)

    def charges(self, place: Place, arrivals: Arrivals) -> list[Charge]:
        """Return the partner's bill."""
        if self.price_per_call is None:
            return []
        calls = arrivals.rate * (1 - self.rejected(arrivals)) * MONTH
        return [Charge("calls", calls, "calls", price=float(self.price_per_call))]

    def slowed(self, factor: float) -> Self:
        """Return the partner with a longer latency of the same shape."""
        return msgspec.structs.replace(self, latency=float(self.latency) * factor)

    def hung(self, outage: float) -> Self:
        """Return the partner as an outage leaves it: every call hangs until its end, and no limit matters."""
        changes: dict[str, Any] = {"latency": outage, "variability": 0.0, "rate_limit": None, "concurrency_limit": None}
        return msgspec.structs.replace(self, **changes)

    def service_time(self) -> ServiceTime | None:
        """Return the partner's own time."""
        return from_moments(self.latency, self.variability) if self.latency > 0 else None

    def rejected(self, arrivals: Arrivals) -> float:
        """Return the share turned away by the rate limit, then by the concurrency limit."""
        if self.overflow != "reject":
            return 0.0
        passed, rate = 1.0, arrivals.rate
        if self.rate_limit is not None:
            passed *= 1 - rate_limit_rejection(rate, self.rate_limit, self.burst)
        if self.concurrency_limit is not None:
            passed *= 1 - erlang_b(self.concurrency_limit, rate * passed * self.latency)
        return 1 - passed

    def answer(
        self, place: Place, arrivals: Arrivals, request_class: str, operation: Operation, around: Surroundings
    ) -> Answer:
        """Return the waits at the limits and the partner's time."""
        service = self.service_time()
        result = ZERO
        if self.overflow == "queue":
            try:
                for wait in self._waits(place, arrivals, service, around):
                    result = result + Latency.waiting(wait)
            except UnstableQueueError:
                return Answer(None, None)
        if service is not None:
            result = result + Latency.of(service)
        return Answer(result, result)

    def _waits(
        self, place: Place, arrivals: Arrivals, service: ServiceTime | None, around: Surroundings
    ) -> Iterator[Wait]:
        """Yield the waiting time at each limit that makes a request wait."""
        rate, concurrency = self.rate_limit, self.concurrency_limit
        if rate is not None:
            yield around.once((place.name, "rate"), rate_limit_wait, arrivals.rate, rate)
        if concurrency is not None and service is not None:
            yield around.once((place.name, "concurrency"), mgc_wait, arrivals.rate, service, concurrency)

    def failing(self, place: Place, arrivals: Arrivals, request_class: str, around: Surroundings) -> float:
        """Return what is turned away."""
        return self.rejected(arrivals)

    def without_effect(self, place: Place) -> list[str]:
        """Return what belongs to machines, which are the partner's, and a burst where nothing is turned away."""
        fields = [("node", self.node), ("nodes", self.nodes), ("memory", self.memory)]
        unused = ["burst"] if self.burst != 1 and (self.overflow != "reject" or self.rate_limit is None) else []
        return [name for name, value in fields if value is not None] + unused

    def limits(self, place: Place, arrivals: Arrivals, around: Surroundings) -> list[Limit]:
        """Return rate and concurrency, by Little's law."""
        found, accepted = [], arrivals.rate * (1 - self.rejected(arrivals))
        if self.rate_limit is not None:
            found.append(Limit("rate", accepted, self.rate_limit, "/s", ours=False, mend="rate_limit"))
        if self.concurrency_limit is not None:
            used = accepted * self.latency
            mend = "concurrency_limit"
            found.append(Limit("concurrency", used, self.concurrency_limit, "requests", ours=False, mend=mend))
        return found

    def details(self, place: Place, arrivals: Arrivals, around: Surroundings) -> dict[str, object]:
        """Return how many of our threads the partner holds, and what it turns away."""
        latency = [around.latency(place.name, name, "read") for name in arrivals.classes]
        held = (
            None
            if any(part is None for part in latency)
            else sum(
                arrivals.of(name) * part.mean for name, part in zip(arrivals.classes, latency, strict=True) if part
            )
        )
        rejected = self.rejected(arrivals)
        return {"threads_held": None if held is None else held * (1 - rejected), "rejected_fraction": rejected}
