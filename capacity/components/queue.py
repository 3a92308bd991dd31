"""A message queue: takes messages at once, keeps them, and hands them to its consumers."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from capacity.components.base import Count, Tier
from capacity.components.exchange import Charge, Flow, Limit, Misfit, Target
from capacity.errors import ascii_quoted
from capacity.units import Bytes, Fraction, PositiveSeconds, Seconds, TierName
from models.backlog import drain_time, storage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from capacity.components.exchange import Arrivals, Place, Surroundings
    from models.latency import Latency

STOP = 600.0
"""Seconds of a consumers' stop for which the drain time is told."""


class Queue(Tier, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="queue"):
    """A queue decouples: nobody waits for its consumers, of which no more nodes can work than it has partitions."""

    consumers: TierName
    """The service that takes the messages."""
    partitions: Count = 1
    message_size: Bytes = 0.0
    retention: Seconds = 0.0
    replication_factor: Count = 1
    delay: PositiveSeconds | None = None
    """Objective: from enqueue to done, p99."""
    availability: Fraction | None = None
    """How much of the time the brokers take messages; left out it is unknown."""

    brings: ClassVar[tuple[str, str] | None] = ("worker", "service")
    counted: ClassVar[str | None] = None
    needs_node: ClassVar[bool] = False

    def outgoing(self) -> Sequence[tuple[str, tuple[str | int, ...], bool]]:
        """Return the consumers, which nobody waits for."""
        return [(self.consumers, ("consumers",), False)]

    def misfits(self, others: Mapping[str, Tier]) -> Sequence[Misfit]:
        """Return a consumer that cannot compute."""
        if others[self.consumers].may_host:
            return ()
        return [Misfit(("consumers",), "cannot consume messages", ascii_quoted(self.consumers), "a service")]

    def consumer_limit(self) -> int | None:
        """Return the partitions: each is read by one consumer."""
        return self.partitions

    def own_availability(self) -> float | None:
        """Return what the brokers promise to those who put messages in."""
        return None if self.availability is None else float(self.availability)

    def machines(self, count: int) -> int:
        """Return the brokers, where the file names their node."""
        return (self.given_count() or 1) if self.node is not None else 0

    def flows(self, place: Place, arrivals: Arrivals) -> list[Flow]:
        """Return one message for each that came in."""
        return [Flow(self.consumers, name, arrivals.of(name), 0.0) for name in arrivals.classes]

    def _done(self, arrivals: Arrivals, around: Surroundings) -> Latency | None:
        """Return the time from enqueue to done, of the slowest class on average."""
        latencies = [around.latency(self.consumers, name, "read") for name in arrivals.classes]
        known = [latency for latency in latencies if latency is not None]
        return max(known, key=lambda latency: latency.mean) if known and len(known) == len(latencies) else None

    def _backlog(self, arrivals: Arrivals, around: Surroundings) -> float | None:
        """Return the messages that are waiting or worked on, by Little's law; None where they only grow."""
        total = 0.0
        for name in arrivals.classes:
            latency = around.latency(self.consumers, name, "read")
            if latency is None:
                return None
            total += arrivals.of(name) * latency.mean
        return total

    def without_effect(self, place: Place) -> list[str]:
        """Add brokers without a node type."""
        return [*super().without_effect(place), *(["nodes"] if self.nodes is not None and self.node is None else [])]

    def limits(self, place: Place, arrivals: Arrivals, around: Surroundings) -> list[Limit]:
        """Return what the copies between the brokers take of their network."""
        if place.machine is None or place.machine.network is None or self.message_size == 0:
            return []
        copies = arrivals.rate * self.message_size * (self.replication_factor - 1) / max(place.nodes, 1)
        return [Limit("replication network", copies, place.machine.network, "B/s", mend="node")] if copies else []

    def charges(self, place: Place, arrivals: Arrivals) -> list[Charge]:
        """Return what is kept."""
        if not self.message_size or not self.retention:
            return []
        kept = storage(arrivals.rate, self.message_size, self.retention, self.replication_factor)
        return [Charge("storage", kept / 1024**3, "GiB", "storage")]

    def copied(self, place: Place, arrivals: Arrivals) -> float:
        """Return every message on its way to the other brokers that keep it."""
        return arrivals.rate * self.message_size * (self.replication_factor - 1)

    def targets(self, place: Place, arrivals: Arrivals, around: Surroundings) -> list[Target]:
        """Return the objective for the delay."""
        if self.delay is None or arrivals.rate == 0:
            return []
        failed = max(around.failed(self.consumers, name) for name in arrivals.classes)
        return [Target("delay p99", self._done(arrivals, around), 0.99, self.delay, "delay", failed)]

    def sizes(self) -> tuple[float | None, float | None]:
        """Return the message as the request, where the file says nothing else."""
        return self.message_size or None if self.request_size is None else self.request_size, self.response_size

    def details(self, place: Place, arrivals: Arrivals, around: Surroundings) -> dict[str, object]:
        """Return backlog, delay, the time to drain after a stop, storage."""
        done = self._done(arrivals, around)
        shown: dict[str, float | None] = dict.fromkeys(("mean_s", "p50_s", "p95_s", "p99_s"))
        if done is not None and arrivals.rate > 0:
            p50, p95, p99 = done.percentiles([0.5, 0.95, 0.99])
            shown = {"mean_s": done.mean, "p50_s": p50, "p95_s": p95, "p99_s": p99}
        capacity = around.capacity_of(self.consumers)
        return {
            "backlog": self._backlog(arrivals, around),
            "delay": shown,
            "stop_s": STOP,
            "drain_s": 0.0
            if arrivals.rate == 0
            else None
            if capacity is None
            else drain_time(arrivals.rate, capacity, STOP),
            "storage_bytes": storage(
                arrivals.rate / around.peak_to_mean, self.message_size, self.retention, self.replication_factor
            )
            or None,
            "partitions": self.partitions,
        }
