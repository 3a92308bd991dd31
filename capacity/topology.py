"""The file's schema: immutable structs, nothing else. Kinds of tier are in `capacity.components`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from capacity.components.base import Tier
from capacity.pricing import NodeType
from capacity.units import (
    Amount,
    AtLeastOne,
    Ceiling,
    ClassName,
    Day,
    Fraction,
    Growth,
    Number,
    PerSecond,
    Positive,
    PositiveSeconds,
    Seconds,
    TierName,
)

Days = Annotated[int, msgspec.Meta(ge=1, le=3660)]
Months = Annotated[int, msgspec.Meta(ge=1, le=120)]
Zones = Annotated[int, msgspec.Meta(ge=1, le=100)]
Scenario = Literal["node", "zone", "deploy", "cache_cold", "primary", "partner", "partner_down", "surge", "mean"]


class RequestClass(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of request that users make."""

    rate: PerSecond
    entry: TierName
    """The tier that users reach."""
    growth: Growth | None = None
    """Of this class; left out: `workload.growth`."""
    burstiness: Number = 1.0
    """Squared coefficient of variation of the times between arrivals; 1 is Poisson."""


class Workload(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What users ask for."""

    classes: dict[str, RequestClass]
    growth: Growth | None = None
    peak_to_mean: AtLeastOne = 1.0
    """The rates of the classes are daily means; what is planned for is this many times as much."""


class LatencyGoal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Objectives for the response time of one class."""

    mean: PositiveSeconds | None = None
    p50: PositiveSeconds | None = None
    p90: PositiveSeconds | None = None
    p95: PositiveSeconds | None = None
    p99: PositiveSeconds | None = None
    p999: PositiveSeconds | None = None


class Objectives(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Service level objectives."""

    latency: dict[ClassName, LatencyGoal] = {}
    utilization: Ceiling = 0.75
    """Ceiling for every resource of every tier."""
    availability: Fraction | None = None


class Deploy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rolling deploy: how many nodes of a service come on top, and how many may be missing, at any moment."""

    surge: Fraction = 0.25
    """Of its nodes, rounded up."""
    unavailable: Fraction = 0.25
    """Of its nodes, rounded down."""


class Resilience(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the plan must survive."""

    zones: Zones = 1
    survive: list[Scenario] = msgspec.field(default_factory=lambda: ["node"])
    deploy: Deploy = Deploy()
    surge: AtLeastOne = 2.0
    """How many times its peak one class is asked for in a surge."""
    partner_slowdown: AtLeastOne = 10.0
    """How many times slower a slow partner is."""
    outage: PositiveSeconds = 600.0
    """How long a partner that is down lets calls hang."""
    node_mtbf: PositiveSeconds = 180 * 86400.0
    """Mean time between failures of a node, where its tier does not say; an assumption, like the three below."""
    node_mttr: Seconds = 1800.0
    """Mean time until a node that failed is replaced."""
    zone_mtbf: PositiveSeconds = 730 * 86400.0
    """Mean time between failures of a zone."""
    zone_mttr: Seconds = 7200.0
    restarts: Number = 1.0
    """Planned restarts of every node in a month, one node at a time."""
    restart_time: Seconds = 300.0


class Money(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What nodes are bought as, and what is paid beside them; what is left out is not in any total, and is said so."""

    horizon: Months = 36
    """Months over which a total is told as well."""
    commitment: Literal["none", "1y", "3y"] = "none"
    """How the base load is bought: by the hour, or reserved."""
    coverage: Fraction = 1.0
    """The share of the base load's nodes that is reserved, rounded down."""
    spot_interruptions: Number | None = None
    """How often a spot node is taken away, per month."""
    storage: Amount | None = None
    """Per GiB and month."""
    iops: Amount | None = None
    """Per provisioned IOPS and month."""
    zone_traffic: Amount | None = None
    """Per GB between zones, paid on both sides."""
    egress: Amount | None = None
    """Per GB to users."""
    people_per_node: Amount | None = None
    """Per node and month: what people do for each machine."""
    people_per_tier: Amount | None = None
    """Per tier and month: what people do for each kind of machine."""


class Event(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something with a date that multiplies the load: a sale, a launch, a new market."""

    date: Day
    factor: Positive
    days: Days | None = None
    """How long it lasts; left out: from then on."""
    classes: list[ClassName] | None = None
    """Whom it concerns; all, if left out."""
    name: str = ""

    def concerns(self, request_class: str) -> bool:
        """Return whether it multiplies the load of a class."""
        return self.classes is None or request_class in self.classes


class Future(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the load goes on, beside `growth`."""

    start: Day | None = None
    """The day for which the file gives its rates; left out, dates are told as months from now."""
    months: Months = 24
    """How far ahead."""
    shape: Literal["compound", "linear"] = "compound"
    """Whether a month grows by a share of the month before, or of the first."""
    season: list[Positive] = []
    """Twelve numbers, January first: how the months of a year compare."""
    events: list[Event] = []


class Expressions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What monitoring calls each metric, in PromQL.

    `{tier}` and `{resource}` stand for the names, within double or single quotes and after `=`. Shares are 0 to 1,
    times seconds. What is left out is a gauge of that name, which whoever loads the rules provides.
    """

    utilization: str = 'capacity_utilization{tier="{tier}",resource="{resource}"}'
    """Share of a resource in use, all nodes together."""
    queue_length: str = 'capacity_queue_length{tier="{tier}"}'
    """Requests that wait at a tier, all nodes together."""
    threads_in_use: str = 'capacity_threads_in_use{tier="{tier}"}'
    """Of all nodes together."""
    connections: str = 'capacity_connections{tier="{tier}"}'
    """Open to each node."""
    hit_ratio: str = 'capacity_hit_ratio{tier="{tier}"}'
    """Of a cache."""
    replication_lag: str = 'capacity_replication_lag_p99_seconds{tier="{tier}"}'
    """p99, from the write on the primary until a replica shows it."""
    backlog: str = 'capacity_backlog_messages{tier="{tier}"}'
    """Messages not done yet."""
    delay: str = 'capacity_delay_p99_seconds{tier="{tier}"}'
    """p99, from enqueue to done."""


class Alerting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How thresholds become alerting rules."""

    metrics: Expressions = Expressions()
    labels: dict[str, str] = {}
    """Put on every rule, beside tier, metric, resource, break, leads, causes and severity."""
    page_after: Seconds = 300.0
    """How long what breaks has to last before somebody is woken."""
    early_after: Seconds = 1800.0
    """How long what is early has to last before somebody is told."""


class Topology(msgspec.Struct, frozen=True, kw_only=True):
    """A whole system, as its file says. Immutable: an edit makes another one."""

    name: str = "unnamed"
    currency: str = "USD"
    workload: Workload
    slo: Objectives = Objectives()
    resilience: Resilience = Resilience()
    money: Money = Money()
    forecast: Future = Future()
    alerts: Alerting = Alerting()
    components: dict[str, Tier]
    node_types: dict[str, NodeType] = {}
    plan: dict[str, Any] | None = None
    """The numbers of an exported plan; not input."""
