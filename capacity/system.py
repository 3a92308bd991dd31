"""A topology made ready to be solved: who calls whom, on whose machines, in which order. Computed once per topology."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from capacity.checks import reached
from capacity.components.exchange import Place
from capacity.pricing import node_type
from capacity.reachable import reachable
from models.remembered import Same, remembered

if TYPE_CHECKING:
    from collections.abc import Mapping

    from capacity.components.base import Tier
    from capacity.pricing import NodeType
    from capacity.topology import Topology

Counts = dict[str, int]
"""Nodes (or replicas) of every tier that has any of its own."""


@dataclass(frozen=True)
class Conditions:
    """What is different for a while, beside counts and rates: nodes that surge, caches that are partly cold."""

    surging: tuple[tuple[str, int], ...] = ()
    warm: tuple[tuple[str, float], ...] = ()
    """Caches with the share of their content that is there."""
    lost: tuple[tuple[str, int], ...] = ()
    """Tiers that count the lost, with how many that is."""


USUAL = Conditions()


@dataclass(frozen=True, eq=False)
class System:
    """The parts of a topology that do not change with its counts."""

    topology: Topology
    tiers: Mapping[str, Tier]
    roots: Mapping[str, str]
    """The tier on whose machines each tier is."""
    residents: Mapping[str, tuple[str, ...]]
    """For each such tier all that live on its machines, itself first."""
    machines: Mapping[str, NodeType | None]
    order: tuple[str, ...]
    """Every tier before those that it calls, as far as calls are waited for or do not lead back."""
    callees_first: tuple[str, ...]
    classes: Mapping[str, tuple[str, ...]]
    """The request classes that reach each tier."""
    partitions: Mapping[str, int]
    """For tiers whose work comes from queues only: the partitions of those queues."""
    behind_queue: frozenset[str]
    """Tiers that no request waits for: whatever reaches them came through a queue."""
    leads_back: bool
    """Whether some work comes back to where it came from, through a queue."""

    def places(self, counts: Counts, conditions: Conditions = USUAL) -> dict[str, Place]:
        """Return where every tier stands with these counts."""
        return {name: self.place(name, counts, conditions) for name in self.tiers}

    def place(self, name: str, counts: Counts, conditions: Conditions = USUAL) -> Place:
        """Return where a tier stands with these counts."""
        place = self._place(name, counts, conditions)
        residents = self.residents[place.root]
        if place.memory is None or len(residents) == 1:
            return place
        taken = [self.tiers[n].memory_used(self._place(n, counts, conditions)) for n in residents if n != name]
        return replace(place, memory=max(0.0, place.memory - sum(part for part in taken if part is not None)))

    def _place(self, name: str, counts: Counts, conditions: Conditions) -> Place:
        root, machine = self.roots[name], self.machines[name]
        return Place(
            name=name,
            count=counts.get(name, 0),
            machine=machine,
            root=root,
            nodes=self.tiers[root].machines(counts.get(root, 0)),
            classes=self.classes[name],
            memory=machine.memory if machine is not None else None,
            partitions=self.partitions.get(name),
            surging=dict(conditions.surging).get(root, 0),
            warm=dict(conditions.warm).get(name, 1.0),
            lost=dict(conditions.lost).get(name, 0),
        )

    def decouples(self, name: str) -> bool:
        """Return whether nobody waits for what a tier passes on."""
        return _decouples(self.tiers[name])

    def counted(self) -> list[str]:
        """Return the tiers that have a count of their own: not hosted, not a queue, not a partner."""
        return [n for n, tier in self.tiers.items() if tier.counted is not None and self.roots[n] == n]

    def takes_nodes(self, name: str | None) -> bool:
        """Return whether a name is that of a tier with a count of its own."""
        return name is not None and self.roots.get(name) == name and self.tiers[name].counted is not None

    def given(self) -> dict[str, int]:
        """Return the counts that the file fixes."""
        found = {name: self.tiers[name].given_count() for name in self.counted()}
        return {name: count for name, count in found.items() if count is not None}

    def least(self) -> Counts:
        """Return the counts of the file, and the smallest that make sense where it gives none."""
        given = self.given()
        return {name: given.get(name, self.tiers[name].least_count()) for name in self.counted()}

    def waited_for(self, name: str, request_class: str) -> set[str]:
        """Return every tier that a visit of a class to this one waits for, itself included."""
        return reachable([name], lambda n: [] if self.decouples(n) else self.tiers[n].destinations(request_class))

    def below(self, name: str) -> set[str]:
        """Return every tier that work of this one reaches, itself included, through queues as well."""
        return reachable([name], lambda n: [to for to, _, _ in self.tiers[n].outgoing()])


def resolve(topology: Topology) -> System:
    """Return the system of a checked topology, the same for the same topology: nobody changes either."""
    return _resolved(Same(topology))


@remembered(8)
def _resolved(same: Same[Topology]) -> System:
    topology = same.value
    tiers = topology.components
    roots = {name: _root(name, tiers) for name in tiers}
    machines = {
        name: None if node is None else node_type(node, topology.node_types, topology.currency)
        for name in tiers
        for node in [tiers[roots[name]].node]
    }
    waited = {name: [to for to, _, wait in tier.outgoing() if wait] for name, tier in tiers.items()}
    everything = {name: [to for to, _, _ in tier.outgoing()] for name, tier in tiers.items()}
    order, leads_back = _callers_first(everything)
    callees_first, _ = _callers_first(waited)
    entries = {c.entry for c in topology.workload.classes.values()}
    in_front = reachable(entries, lambda name: [] if _decouples(tiers[name]) else everything[name])
    arriving = reached(topology)
    return System(
        topology=topology,
        tiers=tiers,
        roots=roots,
        residents=_residents(roots),
        machines=machines,
        order=order,
        callees_first=callees_first[::-1],
        classes={name: tuple(arriving.get(name, ())) for name in tiers},
        partitions=_partitions(tiers, entries, everything),
        behind_queue=frozenset(set(tiers) - in_front),
        leads_back=leads_back,
    )


def _root(name: str, tiers: Mapping[str, Tier]) -> str:
    host = tiers[name].host
    return name if host is None else _root(host, tiers)


def _residents(roots: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Return for each tier with machines all that live on them, itself first."""
    found = {name: [name] for name, root in roots.items() if root == name}
    for name, root in roots.items():
        if name != root:
            found[root].append(name)
    return {root: tuple(names) for root, names in found.items()}


def _decouples(tier: Tier) -> bool:
    """Whether nobody waits for what this tier passes on."""
    outgoing = tier.outgoing()
    return bool(outgoing) and not any(wait for _, _, wait in outgoing)


def _callers_first(callees: Mapping[str, list[str]]) -> tuple[tuple[str, ...], bool]:
    """Return the tiers ordered by depth-first search, and whether an edge led back."""
    finished: list[str] = []
    under_way: dict[str, bool] = {}
    leads_back = False
    for first in callees:
        path = [] if first in under_way else [(first, iter(callees[first]))]
        while path:
            name, left = path[-1]
            under_way[name] = True
            to = next((to for to in left if under_way.get(to, True)), None)
            if to is None:
                under_way[name] = False
                finished.append(name)
                path.pop()
            elif to in under_way:
                leads_back = True
            else:
                path.append((to, iter(callees[to])))
    return tuple(reversed(finished)), leads_back


def _partitions(tiers: Mapping[str, Tier], entries: set[str], everything: Mapping[str, list[str]]) -> dict[str, int]:
    """Return the partitions in front of each tier that is called by queues and by nothing else."""
    found: dict[str, int] = {}
    callers: dict[str, set[str]] = {name: set() for name in tiers}
    for caller, callees in everything.items():
        for name in callees:
            callers[name].add(caller)
    for name in tiers:
        limits = [tiers[caller].consumer_limit() for caller in callers[name]]
        if limits and name not in entries and all(limit is not None for limit in limits):
            found[name] = sum(limit for limit in limits if limit is not None)
    return found
