"""What an evaluation says, as frozen values: the shape that scripts rely on. Keys are added, never renamed."""

from __future__ import annotations

import math
from typing import Any

import msgspec

SCHEMA_VERSION = 1


class Slo(msgspec.Struct, frozen=True):
    """One objective: what is allowed and what was reached (None: an overload leaves no value)."""

    name: str
    limit: float
    value: float | None
    met: bool | None
    """None where it cannot be judged: what is known would meet it, and something is unknown."""
    unknown: list[str] = []
    """What the value leaves out, since nobody knows it: the value is then at most what is reached."""


class ClassResult(msgspec.Struct, frozen=True):
    """What users of one request class see; seconds."""

    arrival_rate_per_s: float
    mean_s: float | None
    p50_s: float | None
    p90_s: float | None
    p95_s: float | None
    p99_s: float | None
    p999_s: float | None
    failed_fraction: float
    availability: float | None
    """Of all that its requests wait for; None where a partner's own figure is not known."""
    exact: bool
    slo: list[Slo]
    availability_at_most: float | None = None
    """By all that is known."""
    downtime_s_per_month: float | None = None
    """At least, by all that is known."""
    availability_limited_by: str | None = None
    """What it owes most of its downtime to: a tier, a partner, or in words requests that fail or an overload."""
    availability_unknown: list[str] = []
    """Partners, queues and tiers that it needs and of which nobody knows how often they are down."""


class LimitResult(msgspec.Struct, frozen=True):
    """One resource of a tier."""

    resource: str
    used: float
    capacity: float
    unit: str
    utilization: float


class Response(msgspec.Struct, frozen=True):
    """A response time; seconds."""

    mean_s: float | None = None
    p50_s: float | None = None
    p95_s: float | None = None
    p99_s: float | None = None


class Why(msgspec.Struct, frozen=True):
    """How many nodes one constraint asks for."""

    constraint: str
    nodes: int


class TierResult(msgspec.Struct, frozen=True):
    """One tier. `response` is its own time; `total_mean_s` the mean with the calls that are waited for."""

    kind: str
    node: str | None
    nodes: int
    host: str | None
    count: int
    counted: str | None
    arrival_rate_per_s: float
    utilization: float | None
    headroom: float | None
    binding: str | None
    limits: list[LimitResult]
    wait_mean_s: float | None
    response: Response
    total_mean_s: float | None
    exact: bool
    method: str
    why: list[Why]
    monthly_cost: float | None
    slo: list[Slo]
    details: dict[str, Any]
    nodes_needed: int | None = None
    """The fewest nodes (of each part) with which nothing is overloaded: the k of k of n; where a scenario leaves too
    few to serve, the fewest that would."""
    availability: float | None = None
    downtime_s_per_month: float | None = None
    serves: bool = True
    """False where a scenario leaves no node of it, or fewer than a quorum asks for: `nodes` are those that are left."""

    @property
    def left(self) -> int:
        """The nodes, of a sharded tier those of each shard."""
        return self.nodes // int(self.details.get("shards", 1))


class Failure(msgspec.Struct, frozen=True):
    """One limit or objective that is not met: where, by how much, and what happened at that moment, if anything."""

    scope: str
    name: str
    constraint: str
    value: float | None
    limit: float
    unit: str
    lost: str | None = None
    """The tier or class that something happened to."""
    when: str = ""
    """What happened, in words; empty for normal operation."""


def excess(failure: Failure) -> float:
    """Return by which factor a failure exceeds what is allowed; infinite, where there is nothing to compare."""
    hopeless = failure.value is None or failure.limit == 0 or failure.constraint == "nodes"
    return math.inf if hopeless else (failure.value or 0.0) / failure.limit


class ScenarioClass(msgspec.Struct, frozen=True):
    """What a class sees in a scenario."""

    p99_s: float | None
    failed_fraction: float = 0.0


class Busiest(msgspec.Struct, frozen=True):
    """The resource that is closest to its end."""

    tier: str
    resource: str
    utilization: float


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happens in a scenario, and what becomes of the system meanwhile."""

    subject: str | None
    """The tier or class that it happens to, None for all."""
    when: str
    """The event in words, empty for normal operation."""
    passes: bool
    violations: list[Failure]
    excused: list[str]
    """Classes and tiers that wait for what is down, and are therefore not judged."""
    classes: dict[str, ScenarioClass]
    busiest: Busiest | None
    limits: dict[str, list[LimitResult]]
    """Every resource of every tier."""
    facts: dict[str, Any]
    """What only this kind of event has to tell."""


class ScenarioResult(msgspec.Struct, frozen=True, kw_only=True):
    """Whether everything is met in one scenario; the worst of its cases for each limit, objective and class."""

    passes: bool
    required: bool
    """Whether a plan has to pass it."""
    violations: list[Failure]
    classes: dict[str, ScenarioClass]
    worst: str | None = None
    """The subject of the worst case."""
    cases: list[Case] = []


class CostItem(msgspec.Struct, frozen=True):
    """One product of a total: quantity times unit price, either None where it is unknown."""

    tier: str | None
    what: str
    quantity: float | None
    unit_price: float | None
    monthly: float | None
    unit: str = "nodes"
    of: list[str] = []
    """The tiers whose requests and responses have no size in the file, of which the quantity is therefore unknown."""


class Reserving(msgspec.Struct, frozen=True):
    """What it would bring to reserve the base load of one tier instead of paying by the hour."""

    tier: str
    commitment: str
    nodes: int
    """Of the base load: busy on an ordinary hour."""
    break_even: float
    """The share of hours that a node has to run for its reservation to pay."""
    saves_monthly: float


class OneOff(msgspec.Struct, frozen=True):
    """Something that one tier costs once."""

    tier: str
    what: str
    amount: float


class Cost(msgspec.Struct, frozen=True):
    """What is known of the monthly cost, and the tiers whose price is not: the total is at least `monthly`."""

    currency: str
    monthly: float
    unknown: list[str]
    items: list[CostItem]
    horizon_months: int = 1
    one_off: float | None = 0.0
    """What is paid once, to get there: the sum of `once`."""
    over_horizon: float = 0.0
    """The known cost of all months of the horizon and of what is paid once."""
    reserving: list[Reserving] = []
    prices_of: str | None = None
    """The month of the built-in prices, where any of them is used."""
    book: str = ""
    """The user's price book and its date, where a node type of it is used."""
    once: list[OneOff] = []
    not_counted: list[str] = []
    """What the file gives no price for, and what therefore is in no total."""


class PartCost(msgspec.Struct, frozen=True):
    """What one tier costs, or something that belongs to no tier; `share` of the known total, None where that is 0."""

    tier: str | None
    name: str
    monthly: float
    """Of what is known."""
    share: float | None
    unknown: bool
    """Whether something of it has no known price: then it costs more than `monthly`."""


class Warning(msgspec.Struct, frozen=True):  # noqa: A001 - it is what users call it
    """Something that a careful reader should know."""

    tier: str | None
    code: str
    message: str


class Advice(msgspec.Struct, frozen=True):
    """Why nothing is feasible: what cannot be met, the best that can be reached, the smallest change that helps."""

    constraint: str
    best: str
    mends: list[str]


class Lifetimes(msgspec.Struct, frozen=True):
    """What availability is computed from; s, and restarts a month. Assumptions, unless the file gives them."""

    node_mtbf_s: float
    node_mttr_s: float
    zones: int
    zone_mtbf_s: float
    zone_mttr_s: float
    restarts_per_month: float
    restart_s: float


class During(msgspec.Struct, frozen=True):
    """The event under which a system was evaluated."""

    scenario: str
    subject: str | None
    when: str


class CallRate(msgspec.Struct, frozen=True):
    """What one tier passes on to another, all classes and tries together; what arrives at a tier is the sum of these.

    Users come beside them: a class arrives at its entry with its own rate.
    """

    caller: str
    callee: str
    rate_per_s: float


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """A whole system at the load that is planned for."""

    schema_version: int = SCHEMA_VERSION
    name: str
    feasible: bool
    utilization_ceiling: float
    peak_to_mean: float
    classes: dict[str, ClassResult]
    tiers: dict[str, TierResult]
    scenarios: dict[str, ScenarioResult]
    cost: Cost
    warnings: list[Warning]
    infeasible: list[Advice] = []
    lifetimes: Lifetimes | None = None
    during: During | None = None
    """Where it is not normal operation: what happens meanwhile."""
    feasible_load: float | None = None
    """Where nothing is feasible: the share of the load for which something is."""
    calls: list[CallRate] = []

    @property
    def failures(self) -> list[Failure]:
        """Return what is not met in any scenario that has to be passed."""
        return [f for scenario in self.scenarios.values() if scenario.required for f in scenario.violations]


def to_builtins(evaluation: Evaluation) -> dict[str, Any]:
    """Return an evaluation as plain tables and lists, each tier's own findings beside the common ones."""
    values: dict[str, Any] = msgspec.to_builtins(evaluation, enc_hook=float)  # an Uncertain is a float
    for tier in values["tiers"].values():
        details = tier.pop("details")
        del tier["count"], tier["counted"]
        tier.update(details)
    return values
