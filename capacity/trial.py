"""Changes of a file that are tried before they are told: what is advised against a constraint really meets it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import msgspec

from capacity.components.base import MOST_NODES
from capacity.errors import show_path
from capacity.fewest import fewest
from capacity.results import Warning as Notice
from capacity.scenarios import TITLES
from capacity.search import Search
from capacity.sizing import size
from capacity.system import resolve
from capacity.units import show_seconds
from capacity.verdict import failed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from capacity.components.base import Call
    from capacity.results import Why
    from capacity.sizing import Sizing
    from capacity.system import Counts, System
    from capacity.topology import Topology

Key = tuple[str, str]
"""A constraint: the tier or class, and what of it."""

_FACTORS: Final = (1.0, 1.25, 1.6, 2.0, 3.0, 5.0, 10.0, 30.0, 100.0)
"""How many times a guess is tried, one after the other, until one is enough."""

_TIMEOUTS: Final = (60.0, 30.0, 10.0, 5.0, 2.0, 1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01)
"""Timeouts that people write, the longest first: the longest that helps turns away the fewest."""

_SHARES: Final = (0.75, 0.5, 0.25, 0.1, 0.05)
"""Of a node's threads, what a pool of a call may hold."""

_MORE_FAILING: Final = 1e-3
"""The share of requests that a timeout or a pool may make fail on an ordinary day; a p99 bears ten times as many."""


@dataclass(frozen=True)
class Change:
    """A change of one or more keys in words, and the file that has it."""

    text: str
    topology: Topology


class Trial:
    """A file in which something cannot be met, and what becomes of it with single changes."""

    def __init__(self, system: System, counts: Counts, *, patient: bool = True) -> None:
        self.system, self.counts, self.patient = system, counts, patient

    @property
    def topology(self) -> Topology:
        """Return the file as it is."""
        return self.system.topology

    def at_once(self, topology: Topology, key: Key) -> bool:
        """Return whether a constraint is met in everything with the counts as they are, or as the file gives them."""
        return key not in _missed(topology, self.counts | resolve(topology).given())

    def planned(self, topology: Topology, key: Key) -> bool:
        """Return whether a constraint is met with the counts as they are, or by a plan of the changed file."""
        if self.at_once(topology, key):
            return True
        return self.patient and key not in _missed(topology, size(Search.of(resolve(topology))).counts)

    def raised(self, key: Key, guess: int, change: Callable[[int], Change]) -> Change | None:
        """Return the smallest whole number from a guess on with which a constraint is met; None where none was seen."""
        tried = max(guess, 1) - 1
        for factor in _FACTORS:
            value = math.ceil(max(guess, 1) * factor)
            if value > MOST_NODES:
                break
            if self.at_once(change(value).topology, key):
                least = fewest(lambda n: self.at_once(change(n).topology, key), tried + 1, value)
                return change(least or value)
            tried = value
        return None

    def stretched(self, key: Key, guess: float, change: Callable[[float], Change]) -> Change | None:
        """Return the first of a few values from a guess on with which a plan meets a constraint."""
        tries = (change(guess * factor) for factor in _FACTORS)
        return next((tried for tried in tries if self.planned(tried.topology, key)), None)

    def calmer(self, partner: str, key: Key) -> list[Change]:
        """Return the timeout and the pool of the calls to a partner with which it takes nobody else down."""
        tried = (timeouts(self.system, self.counts, partner), pools(self.system, partner))
        found = [next((c for c in changes if self.harmless(c.topology, key)), None) for changes in tried]
        return [change for change in found if change is not None]

    def harmless(self, topology: Topology, key: Key) -> bool:
        """Return whether a constraint is met, nothing else is missed for it, and requests do not fail instead."""
        if _failing(topology, self.counts) > self._fails + _MORE_FAILING:
            return False
        return _missed(topology, self.counts) <= self._before - {key}

    @cached_property
    def _before(self) -> set[Key]:
        return _missed(self.topology, self.counts)

    @cached_property
    def _fails(self) -> float:
        return _failing(self.topology, self.counts)


def _missed(topology: Topology, counts: Counts) -> set[Key]:
    search = Search.of(resolve(topology))
    return {(c.violation.name, c.violation.constraint) for c in search.conflicts(counts)}


def _failing(topology: Topology, counts: Counts) -> float:
    """Return the largest share of a class that fails on an ordinary day."""
    system = resolve(topology)
    solution = Search.of(system).at(counts)
    return max(failed(solution, name) for name in system.topology.workload.classes)


def with_fields(topology: Topology, name: str, **fields: Any) -> Topology:
    """Return the file with some fields of one tier changed."""
    tier = msgspec.structs.replace(topology.components[name], **fields)
    return msgspec.structs.replace(topology, components={**topology.components, name: tier})


def with_zones(topology: Topology, zones: int) -> Topology:
    """Return the file with another number of zones."""
    return msgspec.structs.replace(topology, resilience=msgspec.structs.replace(topology.resilience, zones=zones))


def calls_to(system: System, names: set[str]) -> list[tuple[str, int, Call]]:
    """Return the calls to any of some tiers: who makes them, and at which position."""
    return [
        (name, index, call)
        for name, tier in system.tiers.items()
        for index, call in enumerate(tier.calls_made())
        if call.to in names and call.count > 0 and system.classes[name]
    ]


def with_calls(topology: Topology, changes: Mapping[tuple[str, int], dict[str, Any]]) -> Topology:
    """Return the file with some fields of some calls changed."""
    for name in dict.fromkeys(caller for caller, _ in changes):
        calls = [
            msgspec.structs.replace(call, **changes.get((name, index), {}))
            for index, call in enumerate(topology.components[name].calls_made())
        ]
        topology = with_fields(topology, name, calls=calls)
    return topology


def timeouts(system: System, counts: Counts, partner: str) -> Iterator[Change]:
    """Yield shorter and shorter timeouts of all calls to a partner, none below what it takes on an ordinary day."""
    calls = calls_to(system, {partner})
    usual = Search.of(system).at(counts)
    known = [usual.latency(partner, name, "read") for name in system.classes[partner]]
    least = max((latency.percentile(0.99) for latency in known if latency is not None), default=0.0)
    for seconds in _TIMEOUTS:
        longer = [(n, i) for n, i, call in calls if call.timeout is None or call.timeout > seconds]
        if seconds >= least and longer:
            text = f"{_listed(longer)}.timeout: at most {show_seconds(seconds)}"
            yield Change(text, with_calls(system.topology, {where: {"timeout": seconds} for where in longer}))


def pools(system: System, partner: str) -> Iterator[Change]:
    """Yield smaller and smaller pools of all calls to a partner, as parts of their callers' threads."""
    calls = [(name, index) for name, index, _ in calls_to(system, {partner})]
    threads = [getattr(system.tiers[name], "threads", None) for name, _ in calls]
    known = [int(each) for each in threads if each is not None]
    if not calls or len(known) < len(calls):
        return
    for pool in dict.fromkeys(int(min(known) * share) for share in _SHARES):
        if pool >= 1:
            text = f"{_listed(calls)}.pool: at most {pool}"
            yield Change(text, with_calls(system.topology, {where: {"pool": pool} for where in calls}))


def _listed(calls: list[tuple[str, int]]) -> str:
    return ", ".join(show_path(("components", name, "calls", index)) for name, index in calls)


def instead_of_nodes(search: Search, sizing: Sizing, why: Mapping[str, list[Why]]) -> Iterator[Notice]:
    """Yield what would do instead of nodes, for each tier that has them for the outage of a partner alone."""
    title, hung = TITLES["partner_down"], [e.subject for e in search.events if e.scenario == "partner_down"]
    bought: dict[str, tuple[int, int]] = {}
    for name, reasons in why.items():
        down = max((w.nodes for w in reasons if w.constraint.startswith(title)), default=0)
        rest = max((w.nodes for w in reasons if not w.constraint.startswith(title)), default=1)
        if down > rest:
            bought[name] = down, rest
    if not bought:
        return
    for partner in filter(None, hung):
        calls = [(name, index) for name, index, _ in calls_to(search.system, {partner})]
        found = _cheaper(search.system, sizing, partner) if calls else None
        for name, (down, rest) in bought.items():
            if found is not None and found[1][name] < down:
                text = f"{down} nodes for the outage of {partner}: {found[1][name]} would do with {found[0].text}"
                yield Notice(name, "mend_before_nodes", f"{text}; or put a queue in front of {partner}")
            elif found is None and len(hung) == 1:
                text = (
                    f"{down} nodes for the outage of {partner}, {rest} for all else: put a queue in front of {partner}"
                )
                yield Notice(name, "mend_before_nodes", text)


def _cheaper(system: System, sizing: Sizing, partner: str) -> tuple[Change, Counts] | None:
    """Return the timeout or the pool with which a plan that a partner's outage has made large needs fewer nodes."""
    fails = _failing(system.topology, sizing.counts)
    for changes in (timeouts(system, sizing.counts, partner), pools(system, partner)):
        best: tuple[Change, Counts] | None = None
        for change in changes:
            search = Search.of(resolve(change.topology))
            found = size(search)
            if found.conflict is not None or _failing(change.topology, found.counts) > fails + _MORE_FAILING:
                break
            if sum(found.counts.values()) < sum((best[1] if best else sizing.counts).values()):
                best = change, found.counts
        if best is not None:
            return best
    return None
