"""What a tier is given and what it gives back: places, flows, work, limits, answers. Values only; no kind of tier."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, ParamSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from capacity.components.base import Call
    from capacity.pricing import NodeType
    from models.latency import Latency
    from models.popularity import Popularity
    from models.queues import Wait
    from models.service_time import ServiceTime

P = ParamSpec("P")

Operation = Literal["read", "write"]

ROUNDING = 1e-9
"""A limit that is met to the ninth digit is met."""


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
    row: float = 1.0
    """How many follow each other, where one visit calls the tier again and again."""


@dataclass(frozen=True)
class Arrivals:
    """What one tier receives: reads and writes by request class, 1/s."""

    reads: Mapping[str, float] = field(default_factory=dict)
    writes: Mapping[str, float] = field(default_factory=dict)
    squared_cv: float = 1.0
    asked: Popularity | None = None
    rows: tuple[tuple[float, int], ...] = ()
    """(share of the visits, how many of them follow each other); nothing where each comes alone."""

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


class Work(NamedTuple):
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
    by_rows: float = 1.0
    """By what the wait differs from that of visits that each come alone."""


class Limit(NamedTuple):
    """A resource with an end. `used` and `capacity` in `unit`; the ceiling does not apply to what is not ours."""

    resource: str
    used: float
    capacity: float
    unit: str
    ours: bool = True
    mend: str | None = None
    """The field whose change would raise this limit, as a key path below the tier."""
    foreseen: bool = False
    """Whether what is used is known to the last unit, so that a deploy may use all of it for a while."""

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


class Target(NamedTuple):
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
    surging: int = 0
    """Nodes that run beside the others while a deploy goes on: they hold connections and serve nobody."""
    warm: float = 1.0
    """The share of what a cache would hold that is there."""
    lost: int = 0
    """Nodes (or replicas) that should be there and are not, where that makes a difference to those that are."""

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


class Charge(NamedTuple):
    """Something that is paid by the month: `quantity` of a `unit` (None: unknown) at a price of the money table.

    `price` is its own where `key` is None.
    """

    what: str
    quantity: float | None
    unit: str
    key: str | None = None
    price: float | None = None


class Mend(NamedTuple):
    """A change that ends a difference: in words, and as fields of the tier where these are all it takes."""

    text: str
    changes: Mapping[str, Any] | None = None


class Differing(NamedTuple):
    """A way in which two nodes of a tier may answer differently.

    `share` of its requests (None: unknown), for `lasting` seconds (None: until something is done), and what mends it.
    """

    what: str
    share: float | None
    lasting: float | None
    mends: list[Mend]


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

    def written(self, tier: str) -> float:
        """Return the writes per second that another tier receives, or what is behind it where it is a cache."""
        raise NotImplementedError

    def connections(self, tier: str) -> float:
        """Return the connections that all callers keep open to each node of a tier."""
        raise NotImplementedError

    def once(self, key: tuple[str, str], make: Callable[P, Wait], *arguments: P.args, **named: P.kwargs) -> Wait:
        """Return one waiting time for one place, made of these by a pure function: visits of a request share it."""
        raise NotImplementedError

    def called(self, place: Place, index: int, call: Call, request_class: str) -> Latency | None:
        """Return the time of one call with its count, timeout and retries."""
        raise NotImplementedError


class Answer(NamedTuple):
    """A tier's response to one kind of visit: `own` time here, and `total` with the calls that are waited for."""

    own: Latency | None
    total: Latency | None
