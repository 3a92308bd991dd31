"""Bigger machines or more of them: every node type for one tier, all other tiers as planned.

Each option is the same topology with another node type, its count found with the same scenarios and the same
evaluation as a plan's. Where up and out end, and where one becomes cheaper than the other, is in `capacity.crossing`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec

from capacity import pricing
from capacity.advice import describe as words
from capacity.crossing import Crossing, crossing, visits
from capacity.differing import Difference, Mended, differing
from capacity.ends import Ends
from capacity.errors import UsageError, ascii_quoted
from capacity.evaluate import tier_result
from capacity.money import running
from capacity.recommending import Recommendation, recommended, with_front
from capacity.results import SCHEMA_VERSION
from capacity.sizing import size
from capacity.uptime import Uptime
from capacity.variants import PRICE_UNKNOWN, first_passing, pinned, reason, searched, with_tier
from capacity.verdict import class_latency
from models.availability import downtime

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from capacity.components.exchange import Mend
    from capacity.pricing import NodeType
    from capacity.search import Search, Wanted
    from capacity.sizing import Sizing
    from capacity.solve import Solution
    from capacity.system import Counts
    from capacity.topology import Topology

_RELIEVED_BY_SHARDS: Final = frozenset({"primary cores", "replica cores", "apply thread", "disk"})

MOST_SHARDS: Final = 64
"""Shards that are tried where one primary cannot take the writes."""


class Option(msgspec.Struct, frozen=True, kw_only=True):
    """One node type for a tier, with the nodes that it then needs; `out` says why it cannot do at all."""

    node: str
    family: str | None
    nodes: int | None = None
    count: int | None = None
    shards: int | None = None
    busiest_shard_share: float | None = None
    """Of the requests, by the skew of the keys; None where there are no shards."""
    monthly: float | None = None
    """Of this tier's nodes, the people for them and what they are billed for; None where a price is not known."""
    one_off: float | None = 0.0
    """Once, to get there; None where it is not known. It weighs by the month of the horizon."""
    horizon_months: int = 1
    p99_s: float | None = None
    """Of one visit, at the tier itself."""
    classes: dict[str, float] = {}
    """The p99 of each class that comes through it."""
    availability: float | None = None
    downtime_s_per_month: float | None = None
    lost_share: float | None = None
    """Of its capacity, with one node."""
    headroom: float | None = None
    binding: str | None = None
    out: str | None = None
    """Why it is not to be compared; what passes, and of which only the price is unknown, has its numbers still."""
    planned: bool = False
    """Whether this is the file's own: its type, with its count where the file gives one, else with the plan's."""
    front: bool = False
    """Whether no other option is better in cost, p99 or availability without being worse in another."""


class TierScaling(msgspec.Struct, frozen=True, kw_only=True):
    """One tier: its options, where up and out end and cross, what scaling out breaks."""

    tier: str
    counted: str
    arrival_rate_per_s: float
    options: list[Option]
    crossing: Crossing | None
    differences: list[Difference]
    recommendation: Recommendation | None


class Scaling(msgspec.Struct, frozen=True, kw_only=True):
    """Scale up against scale out, for every tier that was asked for."""

    schema_version: int = SCHEMA_VERSION
    name: str
    currency: str
    feasible: bool
    """Whether the plan that all this is compared with meets everything."""
    aside: list[str]
    """What no plan meets, and what is therefore not held against any option."""
    tiers: dict[str, TierScaling]


def scale(
    topology: Topology, tier: str | None = None, family: str | None = None, tick: Callable[[int], None] = lambda _: None
) -> Scaling:
    """Return what each node type would mean for one tier or for all, everything else as planned.

    `family` keeps to one family of node types ("all": every one of the book); left out it is that of the tier's own.
    Raises UsageError for a tier or family that does not exist.
    """
    solved = 0

    def counted(_: int) -> None:
        nonlocal solved
        solved += 1
        tick(solved)

    search = searched(topology, counted)
    names = _names(search, tier)
    sizing = size(search)
    search.aside = frozenset()
    tiers = {name: _of_tier(search, compared(search, sizing, name, family, counted)) for name in names}
    return Scaling(
        name=topology.name,
        currency=topology.currency,
        feasible=sizing.conflict is None,
        aside=[f"{c.violation.name} {words(c.violation)} {c.phrase}".rstrip() for c in sizing.hopeless],
        tiers=tiers,
    )


def _names(search: Search, tier: str | None) -> list[str]:
    system = search.system
    names = [n for n in system.counted() if any(system.classes[resident] for resident in system.residents[n])]
    if tier is None:
        return names
    if tier not in names:
        raise UsageError(f"TIER {ascii_quoted(tier)}: tiers with nodes of their own are {', '.join(names) or 'none'}")
    return [tier]


def compared(search: Search, sizing: Sizing, name: str, family: str | None, tick: Callable[[int], None]) -> Around:
    """Return what all options of a tier have in common: everything else as a plan has it.

    `family` as in `scale`. Raises UsageError for one that does not exist.
    """
    topology = search.system.topology
    types = _types(search, name, family, pricing.candidates(topology.node_types, topology.currency))
    # What no plan meets is no reason against any option, unless the tier itself is to blame for it.
    hopeless = [conflict.wanted for conflict in sizing.hopeless]
    blamed = {w for w in hopeless if w.scope == "tier" and search.system.roots[w.name] == name}
    others = [w for w in hopeless if w not in blamed or w.constraint == "connections"]
    return Around(pinned(topology, sizing.counts), sizing.counts, name, types, frozenset(others), tick)


def _types(search: Search, name: str, family: str | None, known: Mapping[str, NodeType]) -> dict[str, NodeType]:
    """Return the node types to compare, the tier's own among them, the smallest first."""
    own = search.system.tiers[name].node or ""
    wanted = known[own].family if family is None else family
    families = sorted({node.family for node in known.values() if node.family is not None})
    if family not in (None, "all", *families):
        raise UsageError(f"--family {ascii_quoted(family or '')}: there are all, {', '.join(families)}")
    # A type without a family is compared with the file's and the book's other types without one.
    found = {n: t for n, t in known.items() if family == "all" or t.family == wanted or n == own}
    return dict(sorted(found.items(), key=lambda item: (item[1].vcpus * item[1].speed, item[1].memory or 0.0, item[0])))


def _of_tier(search: Search, around: Around) -> TierScaling:
    name, counts = around.name, around.counts
    found = [option for node in around.types for option in _options(around, node, given=name in search.system.given())]
    options, solution = with_front(found), search.at(counts)
    return TierScaling(
        tier=name,
        counted=search.system.tiers[name].counted or "nodes",
        arrival_rate_per_s=visits(search.system, name, solution.traffic),
        options=options,
        crossing=crossing(around.ends(), around.larger(), options),
        differences=_differences(around, solution),
        recommendation=recommended(options),
    )


@dataclass(frozen=True)
class Around:
    """What all options of a tier have in common: everything else as planned."""

    topology: Topology
    counts: Counts
    name: str
    types: Mapping[str, NodeType]
    aside: frozenset[Wanted]
    tick: Callable[[int], None]

    def search(self, node: str, **changes: Any) -> Search:
        """Return the search of the topology with the tier on another node type."""
        found = searched(with_tier(self.topology, self.name, node=node, **changes), self.tick)
        found.aside = self.aside
        return found

    def larger(self) -> list[str]:
        """Return the tier's own type and those that compute no less, the smallest first."""
        own = self.types[self.topology.components[self.name].node or ""]
        return [name for name, node in self.types.items() if node.vcpus * node.speed >= own.vcpus * own.speed]

    def ends(self) -> Ends:
        """Return the loads at which the tier ends, each to be solved at first asking."""
        return Ends(self.topology, self.counts, self.name, self.tick, self.aside)


def _differences(around: Around, solution: Solution) -> list[Difference]:
    """Return what scaling the tier out breaks, with what each mend takes."""
    return [
        Difference(
            tier,
            found.what,
            found.share,
            found.lasting,
            [_mended(around, tier, solution, mend) for mend in found.mends],
        )
        for tier, found in differing(solution, around.name)
    ]


def _mended(around: Around, tier: str, solution: Solution, mend: Mend) -> Mended:
    if mend.changes is None:
        return Mended(mend.text)
    topology = with_tier(around.topology, around.name)
    changed = msgspec.structs.replace(topology.components[tier], **mend.changes)
    topology = msgspec.structs.replace(topology, components={**topology.components, tier: changed})
    search = searched(topology, around.tick)
    search.aside = around.aside
    found, conflict = first_passing(search, around.counts, around.name, around.counts[around.name])
    if found is None:
        return Mended(mend.text, fails=reason(conflict))
    before = running(solution.system, around.name, around.counts[around.name])
    after = running(search.system, around.name, found)
    more = None if before is None or after is None else after - before
    return Mended(mend.text, search.system.tiers[around.name].machines(found), more)


def _options(around: Around, node: str, *, given: bool) -> Iterator[Option]:
    """Yield what a type means; the file's own with the count that the file gives, and with the one that it needs."""
    if not given or node != around.topology.components[around.name].node:
        yield _option(around, node)
        return
    search, counts = around.search(node), around.counts
    conflict = next(search.conflicts(counts), None)
    own = _described(search, counts, around.name, planned=True)
    yield own if conflict is None else msgspec.structs.replace(own, out=reason(conflict))
    other = _option(around, node)
    if other.nodes is not None and (other.count, other.shards) != (own.count, own.shards):
        yield msgspec.structs.replace(other, planned=False)


def _option(around: Around, node: str) -> Option:
    name, types, counts = around.name, around.types, around.counts
    planned, search = node == around.topology.components[name].node, around.search(node)
    own = around.topology.components[name].node or ""
    relative = types[own].vcpus * types[own].speed / (types[node].vcpus * types[node].speed)
    guess = counts[name] if planned else math.ceil(counts[name] * relative)
    found, conflict = first_passing(search, counts, name, guess)
    if found is not None:
        return _described(search, {**counts, name: found}, name, planned=planned)
    sharded = _sharded(around, node)
    if sharded is not None:
        return _described(*sharded, name, planned=False, moved=True)
    return Option(node=node, family=types[node].family, out=reason(conflict), planned=planned)


def _sharded(around: Around, node: str) -> tuple[Search, Counts] | None:
    """Return the fewest shards with which writes fit, doubled step by step, and their replicas; None if none do."""
    name, tier = around.name, around.topology.components[around.name]
    shards = tier.parts() * 2
    while tier.counted == "replicas" and shards <= MOST_SHARDS:
        search = around.search(node, shards=shards)
        found, conflict = first_passing(search, around.counts, name, 1)
        if found is not None:
            return search, {**around.counts, name: found}
        if conflict is None or (
            conflict.violation.unit != "s" and conflict.violation.constraint not in _RELIEVED_BY_SHARDS
        ):
            return None
        shards *= 2
    return None


def _described(search: Search, counts: Counts, name: str, *, planned: bool, moved: bool = False) -> Option:
    """Return an option that passes, by evaluating it like any other system."""
    system, solution = search.system, search.at(counts)
    tier, machine = system.tiers[name], system.machines[name]
    result, uptime = tier_result(solution, name), Uptime(search, counts).tier(name)
    down = None if uptime is None else uptime.unavailability
    through = dict.fromkeys(c for resident in system.residents[name] for c in system.classes[resident])
    classes = {c: latency for c in through if (latency := class_latency(solution, c)) is not None}
    reached = {c: latency.percentile(0.99) for c, latency in classes.items() if _through(search, c, name)}
    nodes, monthly = tier.machines(counts[name]), running(search.system, name, counts[name])
    return Option(
        node=tier.node or "",
        family=None if machine is None else machine.family,
        nodes=nodes,
        count=counts[name],
        shards=tier.parts() if tier.counted == "replicas" else None,
        busiest_shard_share=result.details.get("busiest_shard_share"),
        monthly=monthly,
        one_off=tier.moving_cost() if moved else 0.0,
        horizon_months=system.topology.money.horizon,
        p99_s=result.response.p99_s,
        classes=reached,
        availability=None if down is None else 1 - down,
        downtime_s_per_month=None if down is None else downtime(down),
        lost_share=1 / max(nodes // tier.parts(), 1),
        headroom=result.headroom,
        binding=result.binding,
        out=PRICE_UNKNOWN if monthly is None else None,
        planned=planned,
    )


def _through(search: Search, request_class: str, name: str) -> bool:
    entry = search.system.topology.workload.classes[request_class].entry
    return name in {search.system.roots[n] for n in search.system.waited_for(entry, request_class)}
