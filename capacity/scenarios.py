"""What may happen to a system: each scenario is a list of events, each event the same system with something changed.

All events are at the load that is planned for, but `mean`. To add a scenario is to add one function to `SCENARIOS`.
An event is applied to counts and gives a `State`; solving and judging a state is what is done for the normal one too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec

from capacity.system import USUAL, Conditions, resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from capacity.components.base import Tier
    from capacity.system import Counts, System
    from capacity.topology import Topology
    from capacity.verdict import Violation


@dataclass(frozen=True)
class State:
    """A system while something happens to it."""

    system: System
    counts: Counts
    conditions: Conditions = USUAL
    gone: tuple[str, ...] = ()
    """Tiers that have nothing left to serve; their counts are then the least that would."""
    left: tuple[tuple[int, int], ...] = ()
    """For each of them the nodes that are left (of a database, of each shard), and the fewest that would serve."""


@dataclass(frozen=True, eq=False)
class Event:
    """One thing that happens, to one tier or class (`subject`) or to all."""

    scenario: str
    subject: str | None
    system: System
    """The system meanwhile: the one that is planned, or one with other rates or partners."""
    strike: Callable[[Counts, str | None], State]
    """From counts, and the one tier that is hit (None: all that the event hits)."""
    excused: frozenset[tuple[str, str]] = field(default_factory=frozenset)
    """Classes and tiers, as (scope, name), that wait for what is down: nothing that we run can help them."""

    def state(self, counts: Counts, only: str | None = None) -> State:
        """Return what becomes of a system with these counts; with `only`, no other tier is hit (a bound for sizing)."""
        return self.strike(counts, only)

    def excuses(self, violation: Violation) -> bool:
        """Return whether nobody is to be blamed for a violation but what is down."""
        return (violation.scope, violation.name) in self.excused


def events(system: System, scenario: str) -> list[Event]:
    """Return everything that a scenario lets happen; nothing, where the system has nothing that it could happen to."""
    return list(SCENARIOS[scenario](system))


def required(system: System) -> list[Event]:
    """Return the events that the file wants survived, normal operation not among them."""
    names = dict.fromkeys(system.topology.resilience.survive)
    return [event for name in names for event in events(system, name)]


def phrase(scenario: str, subject: str | None) -> str:
    """Return an event in words that continue "what fails …"; empty for normal operation."""
    return _PHRASES[scenario].format(subject)


def normal(system: System) -> Event:
    """Return the event of nothing happening."""
    return _variant("normal", None, system)


def _mean(system: System) -> Iterator[Event]:
    if system.topology.workload.peak_to_mean > 1:
        yield _variant("mean", None, resolve(_with_workload(system.topology, peak_to_mean=1.0)))


def _node(system: System) -> Iterator[Event]:
    for name in _losing(system):
        yield Event("node", name, system, partial(_one_lost, system, name))


def _zone(system: System) -> Iterator[Event]:
    if _losing(system) and (system.topology.resilience.zones > 1 or "zone" in system.topology.resilience.survive):
        yield Event("zone", None, system, partial(_zone_lost, system))


def _deploy(system: System) -> Iterator[Event]:
    for name in _losing(system):
        if system.tiers[name].deployed:
            yield Event("deploy", name, system, partial(_deployed, system, name))


def _cache_cold(system: System) -> Iterator[Event]:
    for name, tier in system.tiers.items():
        if tier.warms_up and system.roots[name] == name and system.classes[name]:
            yield Event("cache_cold", name, system, partial(_emptied, system, name))


def _primary(system: System) -> Iterator[Event]:
    for name in _losing(system):
        if system.tiers[name].counted == "replicas":
            yield Event("primary", name, system, partial(_one_lost, system, name))


def _partner(system: System) -> Iterator[Event]:
    slowdown = float(system.topology.resilience.partner_slowdown)
    for name, tier in _partners(system):
        yield _variant("partner", name, resolve(_with_tier(system.topology, name, tier.slowed(slowdown))))


def _partner_down(system: System) -> Iterator[Event]:
    outage = float(system.topology.resilience.outage)
    for name, tier in _partners(system):
        hung = resolve(_with_tier(system.topology, name, tier.hung(outage)))
        yield _variant("partner_down", name, hung, frozenset(_waiting_for(system, name)))


def _surge(system: System) -> Iterator[Event]:
    factor = float(system.topology.resilience.surge)
    for name, declared in system.topology.workload.classes.items():
        classes = dict(system.topology.workload.classes)
        classes[name] = msgspec.structs.replace(declared, rate=float(declared.rate) * factor)
        yield _variant("surge", name, resolve(_with_workload(system.topology, classes=classes)))


SCENARIOS: Final[Mapping[str, Callable[[System], Iterator[Event]]]] = {
    "normal": lambda system: iter((normal(system),)),
    "mean": _mean,
    "node": _node,
    "zone": _zone,
    "deploy": _deploy,
    "cache_cold": _cache_cold,
    "primary": _primary,
    "partner": _partner,
    "partner_down": _partner_down,
    "surge": _surge,
}
"""Every scenario, in the order in which they are told."""

TITLES: Final = {
    "normal": "normal",
    "mean": "daily mean",
    "node": "node lost",
    "zone": "zone lost",
    "deploy": "deploy",
    "cache_cold": "cache cold",
    "primary": "primary lost",
    "partner": "partner slow",
    "partner_down": "partner down",
    "surge": "surge",
}
"""What people call each scenario."""

_PHRASES: Final = {
    "normal": "",
    "mean": "at the daily mean",
    "node": "without a node of {}",
    "zone": "without a zone",
    "deploy": "while {} is deployed",
    "cache_cold": "with {} empty",
    "primary": "without the primary of {}",
    "partner": "with {} slow",
    "partner_down": "with {} down",
    "surge": "in a surge of {}",
}


def zone_share(tier: Tier, count: int, zones: int) -> int:
    """Return how many of a tier's nodes are in its fullest zone: they are spread as evenly as whole numbers allow.

    Of a database these are the nodes of each shard; whether the primary is among them makes no difference, since a
    replica takes its place.
    """
    each = count + 1 if tier.counted == "replicas" else count
    return math.ceil(each / zones)


def _variant(
    scenario: str, subject: str | None, system: System, excused: frozenset[tuple[str, str]] = frozenset()
) -> Event:
    """Return an event that leaves counts as they are, and changes rates or a partner's ways."""
    return Event(scenario, subject, system, partial(_unchanged, system), excused)


def _unchanged(system: System, counts: Counts, _: str | None) -> State:
    return State(system, counts)


def _one_lost(system: System, name: str, counts: Counts, _: str | None) -> State:
    return _without(system, counts, {name: 1})


def _zone_lost(system: System, counts: Counts, only: str | None) -> State:
    zones = system.topology.resilience.zones
    given = system.given()  # what the file fixes is hit in any case
    hit = [name for name in _losing(system) if only in (None, name) or name in given]
    return _without(system, counts, {name: zone_share(system.tiers[name], counts[name], zones) for name in hit})


def _deployed(system: System, name: str, counts: Counts, _: str | None) -> State:
    rolling, nodes = system.topology.resilience.deploy, counts[name]
    missing, surging = math.floor(nodes * rolling.unavailable + 1e-9), math.ceil(nodes * rolling.surge - 1e-9)
    # A rollout that may neither add nor remove a node cannot move: one has to give.
    missing = 1 if missing == surging == 0 else missing
    # New nodes come beside those that may be added and in place of those that may be missing.
    return _without(system, counts, {name: missing}, (name, surging + missing))


def _emptied(system: System, name: str, counts: Counts, _: str | None) -> State:
    return State(system, counts, Conditions(warm=((name, 0.0),)))


def _losing(system: System) -> list[str]:
    """Return the tiers with machines that somebody needs."""
    return [n for n in system.counted() if any(system.classes[resident] for resident in system.residents[n])]


def _without(system: System, counts: Counts, lost: Mapping[str, int], surging: tuple[str, int] | None = None) -> State:
    """Return what is left when nodes are lost. A cache has lost their keys with them."""
    left, warm, gone, short, fewer = dict(counts), [], [], [], []
    for name, missing in lost.items():
        tier = system.tiers[name]
        remaining = counts[name] - missing
        least = tier.bearable_loss(counts[name])
        if remaining < least:
            primary = int(tier.counted == "replicas")
            gone.append(name)
            short.append((max(remaining + primary, 0), least + primary))
        left[name] = max(remaining, least)
        if tier.counts_the_lost():
            fewer.append((name, counts[name] - left[name]))
        moved = surging[1] if surging else 0
        for resident in system.residents[name]:
            # The keys of a lost cache node, and what a new node holds of a local cache, have to be fetched again.
            replaced = missing if resident == name else moved if surging else 0
            if system.tiers[resident].warms_up and counts[name] > 0 and replaced:
                warm.append((resident, max(0.0, 1 - replaced / counts[name])))
    conditions = Conditions((surging,) if surging else (), tuple(warm), tuple(fewer))
    return State(system, left, conditions, tuple(gone), tuple(short))


def _partners(system: System) -> list[tuple[str, Tier]]:
    return [(n, tier) for n, tier in system.tiers.items() if tier.is_partner and system.classes[n]]


def _waiting_for(system: System, partner: str) -> Iterator[tuple[str, str]]:
    """Yield the classes that wait for a partner, and the tiers behind queues that do: their messages just pile up."""
    for name, declared in system.topology.workload.classes.items():
        if partner in system.waited_for(declared.entry, name):
            yield "class", name
    for name in system.tiers:
        behind = [name, *system.tiers[name].destinations("")] if system.decouples(name) else [name]
        hidden = name in system.behind_queue or system.decouples(name)
        # Of consumers that two queues share, each queue answers for its own messages.
        if hidden and any(partner in system.waited_for(to, c) for to in behind for c in system.classes[name]):
            yield "tier", name


def _with_workload(topology: Topology, **changes: object) -> Topology:
    return msgspec.structs.replace(topology, workload=msgspec.structs.replace(topology.workload, **changes))


def _with_tier(topology: Topology, name: str, tier: Tier) -> Topology:
    return msgspec.structs.replace(topology, components={**topology.components, name: tier})
