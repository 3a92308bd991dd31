"""What every kind of tier shares, and what it is asked: its calls, its work, its limits, its latency.

A kind of tier is one module beside this one with one subclass of `Tier`. The solver knows nothing about kinds: it
asks. Every method is a pure function of the frozen tier and the place that it stands in.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, NamedTuple

import msgspec

from capacity.units import Bytes, ClassName, Fraction, NodeTypeName, Number, PositiveSeconds, Seconds, TierName
from models.latency import ZERO, Latency

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from capacity.pricing import NodeType
    from models.popularity import Popularity
    from models.queues import Wait
    from models.service_time import ServiceTime

MOST_NODES = 1_000_000

ROUNDING = 1e-9
"""A limit that is met to the ninth digit is met."""

Count = Annotated[int, msgspec.Meta(ge=1, le=MOST_NODES)]
CountOrNone = Annotated[int, msgspec.Meta(ge=0, le=MOST_NODES)]
Retries = Annotated[int, msgspec.Meta(ge=0, le=100)]
Many = Annotated[int, msgspec.Meta(ge=1, le=10**15)]
PerClass = Seconds | dict[ClassName, Seconds]
NumberPerClass = Number | dict[ClassName, Number]
Operation = Literal["read", "write"]


class Call(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A call to another tier, made after the caller's own computing, in the order listed."""

    to: TierName
    count: Number = 1.0
    """Mean number per visit; a fraction mixes the two neighbouring integers."""
    writes: Fraction = 0.0
    """Share of the calls that change what is stored."""
    classes: list[ClassName] | None = None
    """The request classes that make this call; all, if left out."""
    parallel: str | None = None
    """Calls with the same name are made together and waited for together."""
    timeout: PositiveSeconds | None = None
    retries: Retries = 0
    pool: Count | None = None
    """Connections that each node of the caller keeps open for this call."""


def least_known(*values: float | None) -> float | None:
    """Return the least of the values that are known."""
    return min((value for value in values if value is not None), default=None)


@dataclass(frozen=True)
class Flow:
    """Requests of one class on their way from a tier to another, in 1/s."""

    to: str
    request_class: str
    reads: float
    writes: float
    asked: Popularity | None = None
    """How unevenly keys are asked for, where a cache in front has already taken its share."""
    index: int = 0
    """Which of the caller's calls this is."""
    batch: int = 1
    """How many requests reach the tier together, where one visit makes several calls to it at once."""


@dataclass(frozen=True)
class Arrivals:
    """What one tier receives: reads and writes by request class, 1/s."""

    reads: Mapping[str, float] = field(default_factory=dict)
    writes: Mapping[str, float] = field(default_factory=dict)
    squared_cv: float = 1.0
    asked: Popularity | None = None

    def of(self, request_class: str) -> float:
        """Return all visits of one class."""
        return self.reads.get(request_class, 0.0) + self.writes.get(request_class, 0.0)

    @property
    def classes(self) -> list[str]:
        """The classes that arrive at all, in a fixed order."""
        return [name for name in self.reads if self.of(name) > 0]

    @property
    def read_rate(self) -> float:
        """All reads."""
        return sum(self.reads.values())

    @property
    def write_rate(self) -> float:
        """All writes."""
        return sum(self.writes.values())

    @property
    def rate(self) -> float:
        """All visits."""
        return self.read_rate + self.write_rate


@dataclass(frozen=True)
class Pool:
    """Cores that work queues for: `nodes` nodes of `servers` each."""

    name: str
    nodes: int
    servers: int
    balancing: str
    copies: int = 1
    """How many equal pools there are, of which each gets its share of the work: the shards of a database."""
    hot_share: float | None = None
    """The share of work that the busiest node receives, where keys and not a balancer decide."""


@dataclass(frozen=True)
class Work:
    """A stream of computing for one pool. Work that is `inside` its caller makes that one's bursts longer."""

    pool: str
    rate: float
    service: ServiceTime
    inside: bool = False


@dataclass(frozen=True, eq=False)
class Station:
    """A pool with its work done: how busy, and how long one waits (None when it is overloaded)."""

    pool: Pool
    rate: float
    mean_service: float
    offered: float
    utilization: float
    wait: Wait | None


@dataclass(frozen=True)
class Limit:
    """A resource with an end. `used` and `capacity` in `unit`; the ceiling does not apply to what is not ours."""

    resource: str
    used: float
    capacity: float
    unit: str
    ours: bool = True
    mend: str | None = None
    """The field whose change would raise this limit, as a key path below the tier."""

    @property
    def utilization(self) -> float:
        """Used over capacity."""
        return self.used / self.capacity


def meets(latency: Latency | None, fraction: float | None, limit: float, failed: float = 0.0) -> bool:
    """Return whether a fraction (None: the mean) stays within a limit; decided by the probability at the limit.

    What failed, however fast, did not stay within it.
    """
    if latency is None:
        return False
    if fraction is None:
        return latency.mean <= limit * (1 + ROUNDING)
    return latency.exceeds(limit) + failed <= (1 - fraction) * (1 + 1e-7)


@dataclass(frozen=True)
class Target:
    """An objective of one tier: the given percentile of `latency` (None: overloaded) within `limit` seconds."""

    name: str
    latency: Latency | None
    fraction: float
    limit: float
    field: str
    """The field that holds the limit, as a key path below the tier."""
    failed: float = 0.0
    """The share that ends in a failed call."""

    @property
    def met(self) -> bool:
        """Whether enough stay within the limit."""
        return meets(self.latency, self.fraction, self.limit, self.failed)


@dataclass(frozen=True)
class Place:
    """Where a tier stands: its name, how many nodes (or replicas) it has, on which machine, whose machine."""

    name: str
    count: int
    machine: NodeType | None
    root: str
    nodes: int
    """Machines of the tier, or of the host that it lives on."""
    classes: Sequence[str]
    memory: float | None = None
    """Bytes of each machine that other tiers on it leave, None where unknown."""
    partitions: int | None = None
    """Where all work comes from queues: how many nodes can take part."""

    @property
    def hosted(self) -> bool:
        """Whether the machine is another tier's."""
        return self.root != self.name

    @property
    def active(self) -> int:
        """The nodes that have work."""
        return self.nodes if self.partitions is None else min(self.nodes, self.partitions)

    @property
    def speed(self) -> float:
        """Of one vCPU, relative to where times were measured."""
        return self.machine.speed if self.machine else 1.0


class Misfit(NamedTuple):
    """Something in one tier that does not fit with another: a key path below it, and the words of a problem."""

    below: tuple[str | int, ...]
    message: str
    found: str
    allowed: str


class Surroundings:
    """What a tier may ask about the rest of the system while its latency is put together."""

    def station(self, place: Place, pool: str) -> Station | None:
        """Return a pool of the machine that the place is on."""
        raise NotImplementedError

    def latency(self, tier: str, request_class: str, operation: Operation) -> Latency | None:
        """Return the response time of another tier, None when it is overloaded."""
        raise NotImplementedError

    def failed(self, tier: str, request_class: str) -> float:
        """Return the share of visits of a class to a tier that fail."""
        raise NotImplementedError

    def call_failed(self, place: Place, index: int, request_class: str) -> float:
        """Return the share of one call that fails after all its tries."""
        raise NotImplementedError

    @property
    def peak_to_mean(self) -> float:
        """The load that is planned for over the daily mean."""
        raise NotImplementedError

    def capacity_of(self, tier: str) -> float | None:
        """Return the visits per second at which another tier's busiest resource is full, None without any limit."""
        raise NotImplementedError

    def connections(self, tier: str) -> float:
        """Return the connections that all callers keep open to each node of a tier."""
        raise NotImplementedError

    def once(self, key: tuple[str, str], make: Callable[[], Wait]) -> Wait:
        """Return one waiting time for one place, made at first asking: visits of a request share it."""
        raise NotImplementedError

    def called(self, place: Place, index: int, call: Call, request_class: str) -> Latency | None:
        """Return the time of one call with its count, timeout and retries."""
        raise NotImplementedError


@dataclass(frozen=True)
class Answer:
    """A tier's response to one kind of visit: `own` time here, and `total` with the calls that are waited for."""

    own: Latency | None
    total: Latency | None


class Tier(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """Fields and questions that every kind has."""

    node: NodeTypeName | None = None
    """A node type of the price book or of the file."""
    host: TierName | None = None
    """Another tier on whose nodes this one lives."""
    nodes: Count | Literal["auto"] | None = None
    """Left out or "auto", it is what the plan solves for."""
    min_nodes: Count = 1
    max_nodes: Count = 1000
    memory: Bytes | None = None
    """Of each node, taken by this tier."""
    request_size: Bytes = 0.0
    response_size: Bytes = 0.0

    counted: ClassVar[str | None] = "nodes"
    """The field that the plan solves for, None where there is nothing to count."""
    needs_node: ClassVar[bool] = True
    stores: ClassVar[bool] = False
    """Whether calls may write."""
    may_host: ClassVar[bool] = False
    single_on_host: ClassVar[bool] = False
    """Whether a host of this tier can only be one machine."""

    def given_count(self) -> int | None:
        """Return the count in the file, None where the plan has to find it."""
        return self.nodes if isinstance(self.nodes, int) else None

    def machines(self, count: int) -> int:
        """Return the machines for a count."""
        return count

    def least_count(self) -> int:
        """Return the smallest count that makes sense."""
        return self.min_nodes

    def bearable_loss(self) -> int:
        """Return the smallest count with which the system still works after a loss."""
        return 1

    def outgoing(self) -> Sequence[tuple[str, tuple[str | int, ...], bool]]:
        """Return (tier, key path below this one, whether it is waited for) for every tier that this one calls."""
        return ()

    def destinations(self, request_class: str) -> Sequence[str]:
        """Return the tiers that visits of one class go on to."""
        return [to for to, _, _ in self.outgoing()]

    def calls_made(self) -> Sequence[Call]:
        """Return the calls whose connections this tier keeps open."""
        return ()

    def misfits(self, others: Mapping[str, Tier]) -> Sequence[Misfit]:
        """Return what does not fit together with other tiers, beyond what the schema says."""
        return ()

    def consumer_limit(self) -> int | None:
        """Return how many nodes of its callees can take part at once, None for any number."""
        return None

    def satisfied_at(self, machine: NodeType | None) -> int | None:
        """Return the count beyond which more nodes relieve the tiers below no further; None if they never do."""
        return None

    def most_useful(self) -> float:
        """Return the count beyond which more of it brings less."""
        return math.inf

    def more_may_be_slower(self) -> bool:
        """Return whether a larger count can lengthen a request, all else being equal."""
        return False

    def reads_by_class(self) -> Mapping[str, object]:
        """Return the fields that may differ by class, to check their class names and completeness."""
        return {}

    def flows(self, place: Place, arrivals: Arrivals) -> list[Flow]:
        """Return what this tier passes on, without retries."""
        return []

    def pools(self, place: Place, arrivals: Arrivals) -> list[Pool]:
        """Return the cores that this tier brings."""
        return []

    def work(self, place: Place, arrivals: Arrivals) -> list[Work]:
        """Return the computing that arrives."""
        return []

    def answer(
        self, place: Place, arrivals: Arrivals, request_class: str, operation: Operation, around: Surroundings
    ) -> Answer:
        """Return the response time to one visit."""
        return Answer(ZERO, ZERO)

    def thread_limit(self, place: Place) -> int | None:
        """Return how many requests may be inside at once, None for any number."""
        return None

    def memory_used(self, place: Place) -> float | None:
        """Return the bytes that this tier takes on each node, None where the file does not say."""
        return self.memory

    def limits(self, place: Place, arrivals: Arrivals, around: Surroundings) -> list[Limit]:
        """Return the limits besides cores, memory, network and threads."""
        return []

    def targets(self, place: Place, arrivals: Arrivals, around: Surroundings) -> list[Target]:
        """Return the tier's own objectives."""
        return []

    def details(self, place: Place, arrivals: Arrivals, around: Surroundings) -> dict[str, object]:
        """Return what only this kind has to tell, ready for JSON, by keys that no other kind uses."""
        return {}

    def unknowns(self, place: Place, arrivals: Arrivals) -> list[tuple[str, str]]:
        """Return (code, message) for what would matter and is not known or not computed."""
        return []

    def payload(self) -> tuple[float, float]:
        """Return the bytes of a request to this tier and of its response."""
        return self.request_size, self.response_size

    def failing(self, place: Place, arrivals: Arrivals, request_class: str, around: Surroundings) -> float:
        """Return the share of visits of one class that fail, here or in a call after all its tries."""
        return 0.0

    def without_effect(self, place: Place) -> list[str]:
        """Return the fields that the file gives and that mean nothing here."""
        fields = [("min_nodes", self.min_nodes != 1), ("max_nodes", self.max_nodes != 1000)]
        return [name for name, given in fields if given and place.hosted]

    def rejected(self, arrivals: Arrivals) -> float:
        """Return the share of visits that are turned away."""
        return 0.0
