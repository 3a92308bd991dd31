"""What every kind of tier shares, and what it is asked: its calls, its work, its limits, its latency.

A kind of tier is one module beside this one with one subclass of `Tier`. The solver knows nothing about kinds: it
asks. Every method is a pure function of the frozen tier and the place that it stands in.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

import msgspec

from capacity.components.exchange import Answer
from capacity.units import Bytes, ClassName, Fraction, NodeTypeName, Number, PositiveSeconds, Seconds, TierName
from models.latency import ZERO

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from capacity.components.exchange import (
        Arrivals,
        Charge,
        Differing,
        Flow,
        Limit,
        Misfit,
        Operation,
        Place,
        Pool,
        Surroundings,
        Target,
        Work,
    )
    from capacity.pricing import NodeType

MOST_NODES = 1_000_000


Count = Annotated[int, msgspec.Meta(ge=1, le=MOST_NODES)]
CountOrNone = Annotated[int, msgspec.Meta(ge=0, le=MOST_NODES)]
Retries = Annotated[int, msgspec.Meta(ge=0, le=100)]
Many = Annotated[int, msgspec.Meta(ge=1, le=10**15)]
PerClass = Seconds | dict[ClassName, Seconds]
NumberPerClass = Number | dict[ClassName, Number]


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
    mtbf: PositiveSeconds | None = None
    """Mean time between failures of one node; left out: `resilience.node_mtbf`."""
    mttr: Seconds | None = None
    """Mean time until a node that failed is replaced; left out: `resilience.node_mttr`."""
    request_size: Bytes | None = None
    """Bytes; left out, nothing is sent as far as is known."""
    response_size: Bytes | None = None

    begins_as: ClassVar[dict[str, Any]] = {}
    """The fields that a new tier of this kind starts with, as a file would have them; `node` and tiers aside."""
    brings: ClassVar[tuple[str, str] | None] = None
    """The name and the kind of the tier that a new one brings along where none that is there can be behind it."""
    lacking: ClassVar[str] = "there is no tier that can be behind it"
    """What is said where none can be behind a new one, and it brings none."""
    counted: ClassVar[str | None] = "nodes"
    """The field that the plan solves for, None where there is nothing to count."""
    needs_node: ClassVar[bool] = True
    stores: ClassVar[bool] = False
    """Whether calls may write."""
    may_host: ClassVar[bool] = False
    deployed: ClassVar[bool] = False
    """Whether what runs here is ours to deploy, again and again."""
    warms_up: ClassVar[bool] = False
    """Whether it has to be filled before it is of use."""
    is_partner: ClassVar[bool] = False
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

    def bearable_loss(self, count: int, *, reads: bool = True, writes: bool = True) -> int:
        """Return the smallest count with which it still works after a loss that leaves so many of `count`.

        Where reads and writes need different numbers, those that are asked for.
        """
        return 1

    def counts_the_lost(self) -> bool:
        """Return whether what is asked of the nodes that are left depends on how many there should be."""
        return False

    def method(self, place: Place) -> str | None:
        """Return the name of a model of its own for its response time, None for that of its cores."""
        return None

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
        """Return the bytes of a request to this tier and of its response; what is not known is nothing."""
        request, response = self.sizes()
        return request or 0.0, response or 0.0

    def sizes(self) -> tuple[float | None, float | None]:
        """Return the bytes of a request to this tier and of its response, None where the file does not say."""
        return self.request_size, self.response_size

    def failing(self, place: Place, arrivals: Arrivals, request_class: str, around: Surroundings) -> float:
        """Return the share of visits of one class that fail, here or in a call after all its tries."""
        return 0.0

    def without_effect(self, place: Place) -> list[str]:
        """Return the fields that the file gives and that mean nothing here."""
        fields = [("min_nodes", self.min_nodes != 1), ("max_nodes", self.max_nodes != 1000)]
        return [name for name, given in fields if given and place.hosted]

    def slowed(self, factor: float) -> Self:
        """Return a partner that takes so many times longer."""
        return self

    def hung(self, outage: float) -> Self:
        """Return a partner that does not answer for `outage` seconds."""
        return self

    def elastic(self) -> bool:
        """Return whether nodes may go when there is little to do: none of them holds what others do not."""
        return False

    def moving_cost(self) -> float | None:
        """Return what it costs once to go to another number of parts, None where it is not known."""
        return 0.0

    def spot_share(self) -> float:
        """Return the share of the nodes that are not reserved which may be taken away at any time."""
        return 0.0

    def failover_time(self) -> float:
        """Return the seconds without service when the one node that takes writes is lost; 0 where there is none."""
        return 0.0

    def needs_writer(self, place: Place, arrivals: Arrivals, request_class: str) -> bool:
        """Return whether a class waits for the one node that takes writes."""
        return arrivals.writes.get(request_class, 0.0) > 0

    def parts(self) -> int:
        """Return how many parts there are that all have to be up, each with an equal share of the nodes."""
        return 1

    def own_availability(self) -> float | None:
        """Return the availability that a partner promises, None where nobody knows."""
        return 1.0

    def charges(self, place: Place, arrivals: Arrivals) -> list[Charge]:
        """Return what is paid for beside nodes, traffic and people; `arrivals` are those of an ordinary hour."""
        return []

    def copied(self, place: Place, arrivals: Arrivals) -> float:
        """Return the bytes per second that its nodes copy to each other."""
        return 0.0

    def differs(self, place: Place, arrivals: Arrivals, around: Surroundings) -> list[Differing]:
        """Return in which ways its nodes may answer differently."""
        return []

    def refilled(self, place: Place, arrivals: Arrivals, cold: float) -> dict[str, object]:
        """Return how a cache fills again of which a share `cold` is lost."""
        return {}

    def failover(self, place: Place, arrivals: Arrivals) -> dict[str, Any]:
        """Return what the loss of the one node that takes writes means until another one does."""
        return {}

    def rejected(self, arrivals: Arrivals) -> float:
        """Return the share of visits that are turned away."""
        return 0.0
