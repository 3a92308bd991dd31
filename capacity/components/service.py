"""A service: web servers, application servers, consumers. Computes, then calls, and holds a thread meanwhile."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import msgspec

from capacity.components.base import Call, Count, NumberPerClass, PerClass, Tier
from capacity.components.exchange import Answer, Differing, Flow, Mend, Pool, Work
from capacity.units import Bytes, Fraction, Number
from models.latency import ZERO, Latency, maximum
from models.scalability import peak_nodes, relative_capacity
from models.service_time import ServiceTime, from_moments

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from capacity.components.exchange import Arrivals, Operation, Place, Surroundings


class Service(Tier, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="service"):
    """A tier that computes: its request's own CPU is one burst, before its calls."""

    cpu_time: PerClass
    """On one vCPU of speed 1.0."""
    variability: NumberPerClass = 1.0
    """Squared coefficient of variation of the CPU time; 1 is exponential, 0 constant."""
    threads: Count | None = None
    """Per node; held through waiting, computing and every call that is waited for. Left out: no limit."""
    thread_memory: Bytes = 0.0
    balancing: Literal["least_connections", "round_robin", "random", "shared_queue"] = "least_connections"
    contention: Number = 0.0
    """Universal Scalability Law: sigma."""
    coherency: Number = 0.0
    """Universal Scalability Law: kappa."""
    stateful: bool = False
    """Whether a user must come back to the same node."""
    sticky: bool = False
    """Whether each user is sent to one node, which is no better balanced than at random."""
    spot: Fraction = 0.0
    """Of the nodes that are not reserved, the share that is bought on the spot market, rounded down."""
    calls: list[Call] = msgspec.field(default_factory=list)

    begins_as: ClassVar[dict[str, Any]] = {"cpu_time": "5ms"}
    may_host: ClassVar[bool] = True
    deployed: ClassVar[bool] = True

    def outgoing(self) -> Sequence[tuple[str, tuple[str | int, ...], bool]]:
        """Return the calls, as waited for: a queue answers at once, and nobody waits for what lies behind it."""
        return [(call.to, ("calls", i, "to"), True) for i, call in enumerate(self.calls)]

    def destinations(self, request_class: str) -> Sequence[str]:
        """Return the callees of one class."""
        return [call.to for _, call in self.calls_of(request_class)]

    def calls_made(self) -> Sequence[Call]:
        """Return every call."""
        return self.calls

    def most_useful(self) -> float:
        """Return where the Universal Scalability Law peaks."""
        return math.ceil(peak_nodes(self.contention, self.coherency)) if self.coherency > 0 else math.inf

    def elastic(self) -> bool:
        """Return whether users may be sent to any node."""
        return not self.stateful

    def spot_share(self) -> float:
        """Return what the file says."""
        return float(self.spot)

    def failing(self, place: Place, arrivals: Arrivals, request_class: str, around: Surroundings) -> float:
        """Return the share of visits in which a call fails; a fractional count mixes its neighbouring integers."""
        served = 1.0
        for index, call in self.calls_of(request_class):
            one = 1 - around.call_failed(place, index, request_class)
            whole = math.floor(call.count)
            served *= one**whole * (1 - (call.count - whole) * (1 - one))
        return 1 - served

    def without_effect(self, place: Place) -> list[str]:
        """Add memory of threads without number."""
        return [*super().without_effect(place), *(["thread_memory"] if self.thread_memory and not self.threads else [])]

    def more_may_be_slower(self) -> bool:
        """Return whether nodes have to agree or queue for each other."""
        return self.contention > 0 or self.coherency > 0

    def reads_by_class(self) -> Mapping[str, object]:
        """Return the fields that may be tables by class."""
        return {"cpu_time": self.cpu_time, "variability": self.variability}

    def calls_of(self, request_class: str) -> list[tuple[int, Call]]:
        """Return the calls that a class makes, with their positions."""
        return [
            (i, c)
            for i, c in enumerate(self.calls)
            if c.count > 0 and (c.classes is None or request_class in c.classes)
        ]

    def service_time(self, place: Place, request_class: str) -> ServiceTime | None:
        """Return the CPU time of a class on this machine, slowed by what the nodes have to agree on; None for 0."""
        mean = self.cpu_time[request_class] if isinstance(self.cpu_time, dict) else self.cpu_time
        if mean == 0:
            return None
        cv2 = self.variability.get(request_class, 1.0) if isinstance(self.variability, dict) else self.variability
        nodes = max(place.active, 1)
        slowdown = nodes / relative_capacity(nodes, self.contention, self.coherency)
        return from_moments(mean / place.speed * slowdown, cv2)

    def flows(self, place: Place, arrivals: Arrivals) -> list[Flow]:
        """Return every call of every class."""
        found = []
        for name in arrivals.classes:
            calls = self.calls_of(name)
            together: Counter[tuple[str | None, str]] = Counter(
                (call.parallel, call.to) for _, call in calls if call.parallel is not None
            )
            for index, call in calls:
                rate = arrivals.of(name) * call.count
                batch = together[call.parallel, call.to] or 1
                row = call.count if batch == 1 else 1.0
                if rate > 0:
                    reads, writes = rate * (1 - call.writes), rate * call.writes
                    found.append(Flow(call.to, name, reads, writes, index=index, batch=batch, row=row))
        return found

    def pools(self, place: Place, arrivals: Arrivals) -> list[Pool]:
        """Return the cores of all nodes that have work."""
        if place.hosted or place.machine is None:
            return []
        return [Pool("cores", place.active, place.machine.vcpus, "random" if self.sticky else self.balancing)]

    def work(self, place: Place, arrivals: Arrivals) -> list[Work]:
        """Return one burst for each visit."""
        times = [(name, self.service_time(place, name)) for name in arrivals.classes]
        return [Work("cores", arrivals.of(name), service) for name, service in times if service is not None]

    def answer(
        self, place: Place, arrivals: Arrivals, request_class: str, operation: Operation, around: Surroundings
    ) -> Answer:
        """Return wait and burst, then the calls: one after another, those of one parallel group together."""
        station = around.station(place, "cores")
        if station is None or station.wait is None:
            return Answer(None, None)
        service = self.service_time(place, request_class)
        own = Latency.waiting(station.wait) + Latency.of(service) if service is not None else ZERO
        total = own
        groups: dict[str, list[Latency]] = {}
        for index, call in self.calls_of(request_class):
            latency = around.called(place, index, call, request_class)
            if latency is None:
                return Answer(own, None)
            groups.setdefault(call.parallel or f"#{index}", []).append(latency)
        for group in groups.values():
            total = total + maximum(group)
        return Answer(own, total)

    def thread_limit(self, place: Place) -> int | None:
        """Return the threads of all nodes; consumers have no more than there are partitions."""
        if self.threads is None:
            return None
        total = self.threads * place.nodes
        return total if place.partitions is None else min(total, place.partitions)

    def memory_used(self, place: Place) -> float | None:
        """Return what the process and its threads take on each node."""
        of_threads = self.thread_memory * (self.threads or 0)
        if self.memory is None:
            return of_threads or None
        return self.memory + of_threads

    def differs(self, place: Place, arrivals: Arrivals, around: Surroundings) -> list[Differing]:
        """Return what a stateful tier breaks: the next request of a user reaches another node."""
        if not self.stateful or self.sticky or place.nodes <= 1:
            return []
        mends = [
            Mend("keep sessions in a shared store: a cache of its own that each request asks once"),
            Mend("sticky = true: send each user to one node, with the imbalance of random routing", {"sticky": True}),
        ]
        return [Differing("a user's next request reaches another node", 1 - 1 / place.nodes, None, mends)]

    def unknowns(self, place: Place, arrivals: Arrivals) -> list[tuple[str, str]]:
        """Say what a stateful tier breaks."""
        if not self.stateful or self.sticky or place.nodes <= 1:
            return []
        broken = f"stateful on {place.nodes} nodes: a user who reaches another node gets another answer"
        return [("stateful", f"{broken}; move sessions to a shared store or route each user to one node")]
