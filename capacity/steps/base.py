"""What every step of a growing architecture shares: what it is shown, and what it proposes.

A step is one module beside this one. It is a pure function from a file and what its best plan is like to changed
files. It neither plans nor judges: what becomes of a proposal is for `capacity.next_steps` to find out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from capacity import pricing
from capacity.components.database import Database
from capacity.components.service import Service
from capacity.editing import edited, placed_at, removed_at, value_at
from capacity.errors import DocumentError
from capacity.naming import free
from capacity.verdict import allowed, limits

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from capacity.components.base import Call, Tier
    from capacity.components.exchange import Limit
    from capacity.document import Document
    from capacity.errors import KeyPath
    from capacity.pricing import NodeType
    from capacity.search import Conflict
    from capacity.solve import Solution
    from capacity.system import System

Values = dict[str, Any]
"""What a file holds, as tables and numbers."""

NOTICEABLE: Final = 0.5
"""The share of what may be used of a resource from which on a step that relieves it is worth a look."""


@dataclass(frozen=True)
class Proposal:
    """One step on one tier: the changed file, what it takes for granted, and what new risk it brings."""

    name: str
    subject: str
    text: str
    """What changes, in words."""
    assumes: tuple[str, ...]
    risks: tuple[str, ...]
    document: Document


@dataclass(frozen=True)
class Situation:
    """A file and what the cheapest plan for it is like, or where there is none the best that was reached."""

    document: Document
    solution: Solution
    missed: tuple[Conflict, ...]
    """What that plan does not meet; nothing, where it is feasible."""

    @property
    def system(self) -> System:
        """Return the system."""
        return self.solution.system

    @property
    def tiers(self) -> Mapping[str, Tier]:
        """Return the tiers by name."""
        return self.system.tiers

    @property
    def values(self) -> Values:
        """Return what the user wrote."""
        return self.document.values

    @property
    def ceiling(self) -> float:
        """Return how busy a resource of ours may be."""
        return float(self.system.topology.slo.utilization)

    def missing(self, name: str) -> list[Conflict]:
        """Return what is not met of a tier and of all others on its machines."""
        root = self.system.roots[name]
        return [c for c in self.missed if c.violation.scope == "tier" and self.system.roots[c.violation.name] == root]

    def concerned(self, name: str) -> bool:
        """Return whether a tier may have to do with what is missed; also where nothing is missed at all.

        An objective that is missed beside a limit mostly follows from that limit.
        """
        system = self.system
        exceeded = [c.violation for c in self.missed if c.violation.scope == "tier"]
        for v in exceeded:
            through = v.constraint == "threads" or v.unit == "s"
            if system.roots[v.name] == system.roots[name] or (through and name in system.below(v.name)):
                return True
        return not exceeded

    def pressed(self, name: str, *resources: str) -> float:
        """Return how much is used of what may be used of any of these resources of a tier; all, if none is named."""
        found = [limit for limit in self.limits(name) if not resources or limit.resource in resources]
        return max((limit.used / allowed(limit, self.ceiling) for limit in found), default=0.0)

    def limits(self, name: str) -> list[Limit]:
        """Return the limits of a tier."""
        return limits(self.solution, name)

    def shared(self, name: str) -> bool:
        """Return whether something lives on a tier's machine of which there is only one."""
        return any(self.tiers[n].single_on_host for n in self.system.residents.get(name, ()) if n != name)

    def services(self) -> Iterator[tuple[str, Service]]:
        """Yield the services that requests wait for."""
        for name, tier in self.tiers.items():
            if isinstance(tier, Service) and name not in self.system.behind_queue and self.system.classes[name]:
                yield name, tier

    def databases(self) -> Iterator[tuple[str, Database]]:
        """Yield the databases on machines of their own that are asked at all."""
        for name, tier in self.tiers.items():
            if isinstance(tier, Database) and tier.host is None and self.solution.arrivals(name).rate > 0:
                yield name, tier

    def waited_calls(self, to: str) -> list[tuple[str, int, Call]]:
        """Return the calls to a tier in which a request waits: who makes them, and at which position."""
        return [
            (name, index, call)
            for name, tier in self.services()
            for index, call in enumerate(tier.calls)
            if call.to == to and call.count > 0
        ]

    def visits(self, caller: str, call: Call) -> float:
        """Return how often a call is made, 1/s."""
        arrivals = self.solution.arrivals(caller)
        classes = [name for name in arrivals.classes if call.classes is None or name in call.classes]
        return sum(arrivals.of(name) for name in classes) * float(call.count)

    def fresh(self, name: str) -> str:
        """Return a name that no tier has yet."""
        return free(name, self.tiers)

    def node_types(self, name: str) -> Mapping[str, NodeType]:
        """Return what a tier's machines are chosen from: the file's own types if it stands on one, else the book."""
        topology = self.system.topology
        if self.tiers[self.system.roots[name]].node in topology.node_types:
            return topology.node_types
        return pricing.in_currency(pricing.book(), pricing.BOOK_CURRENCY, topology.currency)

    def cheapest(self, near: str, cores: float = 0.0, memory: float = 0.0) -> str:
        """Return the cheapest node type with so many cores of speed 1 and so much memory, else the largest.

        It is looked for where the machines of the tier `near` come from; what has no known price comes last.
        """
        known = self.node_types(near)
        order = {name: i for i, name in enumerate(known)}

        def price(name: str) -> tuple[bool, float, float, int]:
            node = known[name]
            return node.price is None, float(node.price or 0.0), node.vcpus * float(node.speed), order[name]

        def has(name: str) -> tuple[float, float]:
            node = known[name]
            return node.vcpus * float(node.speed), memory if node.memory is None else float(node.memory)

        fitting = [name for name in known if has(name)[0] >= cores and has(name)[1] >= memory]
        return min(fitting, key=price) if fitting else max(known, key=has)

    def changed(self, name: str, subject: str, values: Values, told: Told) -> Iterator[Proposal]:
        """Yield the proposal of changed values; where they are no valid file, the step does not apply."""
        try:
            document = edited(self.document, values, f"{name}:{subject}").document
        except DocumentError:
            return
        yield Proposal(name, subject, told.text, told.assumes, told.risks, document)


@dataclass(frozen=True)
class Told:
    """What a step says of one proposal."""

    text: str
    assumes: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()


class Step(Protocol):
    """A room: what the step is called, what it does, and where it applies."""

    NAME: str
    TITLE: str

    def proposals(self, situation: Situation) -> Iterator[Proposal]:
        """Yield what the step would make of a file, once for each tier that it applies to."""


def path_of(tier: str, *more: str | int) -> KeyPath:
    """Return the key path of a tier or of a field below it."""
    return ("components", tier, *more)


def with_keys(values: Values, path: KeyPath, **keys: Any) -> Values:
    """Return values with keys of one table set, or without them where None is given."""
    for key, value in keys.items():
        if value is not None:
            values = placed_at(values, (*path, key), value)
        elif value_at(values, (*path, key)) is not None:
            values = removed_at(values, (*path, key))
    return values


def with_new(values: Values, after: str, tiers: Mapping[str, Values]) -> Values:
    """Return values with new tiers behind another one."""
    found: Values = {}
    for name, tier in values["components"].items():
        found[name] = tier
        if name == after:
            found.update(tiers)
    return {**values, "components": found}


def with_calls(values: Values, caller: str, calls: Mapping[int, Sequence[Values]]) -> Values:
    """Return values in which some calls of a tier are replaced, each by any number of others."""
    there = value_at(values, path_of(caller, "calls"))
    replaced = [new for i, call in enumerate(there) for new in calls.get(i, [call])]
    found: Values = placed_at(values, path_of(caller, "calls"), replaced)
    return found


def plain(number: float) -> float | int:
    """Return a number without a fraction as a whole one, as people write it."""
    return int(number) if float(number).is_integer() else float(f"{number:.6g}")
