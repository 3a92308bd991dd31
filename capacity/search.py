"""Systems tried while a plan is looked for, each solved once, and what they do not meet in anything that may happen."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from capacity import scenarios
from capacity.connections import reaches
from capacity.fewest import fewest, fewest_near
from capacity.solve import solve, solved_alike
from capacity.uptime import Uptime
from capacity.verdict import Violation, limit_violations, objective_violations, violations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from capacity.scenarios import Event, State
    from capacity.solve import Solution
    from capacity.system import Conditions, Counts, System
    from capacity.traffic import Attempts

LIGHT_RETRIES: Final = 1.05
"""Tries per call from which a neighbouring system does not start: retries that feed themselves have two solutions."""

FIXED_RESOURCES: Final = frozenset({"memory", "connections", "apply thread"})
"""What more nodes of a tier do not relieve: each node has its own, or each node takes more."""

NOBODY: Final[frozenset[str]] = frozenset()

Key = tuple["System", tuple[int, ...], "Conditions", frozenset[str]]


class Wanted(NamedTuple):
    """A constraint as the search names it: `when` is the event, None for all of them."""

    scope: str
    name: str
    constraint: str
    when: tuple[str, str | None] | None

    def among(self, others: AbstractSet[Wanted]) -> bool:
        """Return whether this is one of the others, or one of them in any event."""
        return self in others or self._replace(when=None) in others


@dataclass(frozen=True)
class Conflict:
    """What one system does not meet, and in which event."""

    violation: Violation
    event: Event

    @property
    def wanted(self) -> Wanted:
        """Which constraint this is; what is not met in normal operation is not met in any event."""
        event = self.event
        when = None if event.scenario == "normal" else (event.scenario, event.subject)
        return Wanted(*self.violation.key, when)

    @property
    def phrase(self) -> str:
        """The event in words, empty for normal operation."""
        return scenarios.phrase(self.event.scenario, self.event.subject)


@dataclass
class Search:
    """One system with everything that it must survive."""

    system: System
    events: Sequence[Event]
    """What it must survive beside normal operation."""
    normal: Event
    solutions: dict[Key, Solution] = field(default_factory=dict)
    over: dict[Key, list[Violation]] = field(default_factory=dict)
    """Limits that are exceeded."""
    missed: dict[Key, list[Violation]] = field(default_factory=dict)
    """Objectives that are missed."""
    attempts: Attempts = field(default_factory=dict)
    """Tries per call of the last system, where the next one starts from."""
    tick: Callable[[int], None] = lambda _: None
    """Called with the number of systems solved so far."""
    aside: frozenset[Wanted] = frozenset()
    """What is known to be hopeless, and therefore not asked for."""
    suspects: list[Event] = field(default_factory=list)
    """Events that failed lately: tried first."""
    near: Counts = field(default_factory=dict)
    """Where lower bounds are looked for first: those of a similar system. They decide nothing but how long it takes."""
    attainable: bool = False
    """Whether a similar system met the availability that is wanted: then nobody asks if any could until one fails."""
    _most: dict[str, int] = field(default_factory=dict)

    @staticmethod
    def of(system: System, tick: Callable[[int], None] = lambda _: None) -> Search:
        """Return the search for a system and all that its file wants survived."""
        return Search(system, scenarios.required(system), scenarios.normal(system), tick=tick)

    def solved(self, state: State, wait_free: frozenset[str] = NOBODY) -> Solution:
        """Return a solved state, each only once."""
        key = _key(state, wait_free)
        if key not in self.solutions:
            self.tick(len(self.solutions))
            solution = solve(state.system, state.counts, wait_free, self.attempts, state.conditions)
            if max(solution.attempts.values(), default=1.0) < LIGHT_RETRIES:
                # What pools let pass is looked for from the start: it would depend on where one came from.
                self.attempts = {key: tries for key, tries in solution.attempts.items() if tries >= 1}
            self.solutions[key] = solution
        return self.solutions[key]

    def at(self, counts: Counts) -> Solution:
        """Return the solved system in normal operation."""
        return self.solved(self.normal.state(counts))

    def at_near(self, counts: Counts, near: Solution) -> Solution:
        """Return the solved system in normal operation, as `at` does, sooner after a solved system before an edit.

        Only tries that are few have one solution, so that where one came from makes no difference.
        """
        key = _key(self.normal.state(counts), NOBODY)
        if key not in self.solutions and all(1 <= tries < LIGHT_RETRIES for tries in near.attempts.values()):
            found = solved_alike(self.system, counts, near)
            if found is not None:
                self.attempts, self.solutions[key] = found.attempts, found
        return self.at(counts)

    def asked(self, event: Event, state: State, wait_free: frozenset[str] = NOBODY) -> list[Violation]:
        """Return what one state does not meet of what is not hopeless: its limits, or when they are met its objectives.

        Where others are wait-free, their limits hide no objective: it is what this tier does to it that counts.
        Under a hopeless overload, what it leaves without a value, or makes fail, is not another conflict.
        """
        key = _key(state, wait_free)
        if key not in self.over:
            self.over[key] = list(limit_violations(self.solved(state, wait_free)))
        found = [v for v in self.over[key] if self._asks(v, event)]
        if found and not wait_free:
            return found
        if key not in self.missed:
            self.missed[key] = list(objective_violations(self.solved(state, wait_free)))
        overloaded = any(v.constraint not in FIXED_RESOURCES for v in self.over[key])
        return found + [
            v
            for v in self.missed[key]
            if self._asks(v, event) and not (overloaded and (v.value is None or v.failed > 0.01))
        ]

    def _asks(self, violation: Violation, event: Event) -> bool:
        return not event.excuses(violation) and not Conflict(violation, event).wanted.among(self.aside)

    def conflicts(
        self, counts: Counts, wait_free: frozenset[str] = NOBODY, only: str | None = None
    ) -> Iterator[Conflict]:
        """Yield what fails, in normal operation and then in each event.

        With `only`, events hit this tier and no other: what then fails is a bound for sizing.
        """
        for event in (self.normal, *self._ordered()):
            if only is not None and event.scenario in _ONE_TIER and event.subject != only:
                continue
            for violation in self.failing(event, counts, wait_free, only):
                if event is not self.normal:
                    self._suspect(event)
                yield Conflict(violation, event)
        if not wait_free:
            yield from (Conflict(v, self.normal) for v in self.unavailable(counts) if self._asks(v, self.normal))

    def unavailable(self, counts: Counts, *, overloaded: bool = False) -> list[Violation]:
        """Return the classes that would be down more of the time than the file allows.

        With `overloaded`, also those that an overload leaves unanswered; it is a conflict of its own.
        """
        wanted = self.system.topology.slo.availability
        return [] if wanted is None else Uptime(self, counts).violations(overloaded=overloaded)

    def everything(self, event: Event, counts: Counts, *, downtime: bool = True) -> list[Violation]:
        """Return all that is not met in one event: objectives too where limits are exceeded already.

        Without `downtime` nobody asks for the availability of a year, which takes more than all the rest together.
        """
        state = event.state(counts)
        if state.gone:
            return list(self.failing(event, counts))
        down = self.unavailable(counts, overloaded=True) if downtime and event is self.normal else []
        return [v for v in (*violations(self.solved(state)), *down) if self._asks(v, event)]

    def failing(
        self, event: Event, counts: Counts, wait_free: frozenset[str] = NOBODY, only: str | None = None
    ) -> Iterator[Violation]:
        """Yield what fails in one event."""
        state = event.state(counts, only)
        for name, (left, least) in zip(state.gone, state.left, strict=True):
            gone = Violation("tier", name, "nodes", float(left), float(least), "nodes", "nodes")
            if self._asks(gone, event):
                yield gone
        if not state.gone or wait_free:
            yield from self.asked(event, state, wait_free)

    def _ordered(self) -> list[Event]:
        suspected = set(map(id, self.suspects))
        return [*self.suspects, *(event for event in self.events if id(event) not in suspected)]

    def _suspect(self, event: Event) -> None:
        if event in self.suspects:
            self.suspects.remove(event)
        self.suspects.insert(0, event)

    def most(self, name: str) -> int:
        """Return the largest count of a tier."""
        if name not in self._most:
            self._most[name] = self._largest(name)
        return self._most[name]

    def _largest(self, name: str) -> int:
        tier = self.system.tiers[name]
        most = tier.max_nodes - (1 if tier.counted == "replicas" else 0)
        partitions = self.system.partitions.get(name)
        if any(self.system.tiers[n].single_on_host for n in self.system.residents[name] if n != name):
            return 1
        useful = min(tier.most_useful(), math.inf if partitions is None else partitions)
        if useful >= most:
            return most
        # As many more than can be of use as take over whatever is lost at once.
        least = min(tier.min_nodes, most)
        return fewest(lambda count: self._left(name, count) >= useful, least, most) or most

    def _left(self, name: str, count: int) -> int:
        """Return how many nodes of a tier are left in the event that takes most of them."""
        counts = {**self.system.least(), name: count}
        states = [event.state(counts, name) for event in self.events if event.subject in (None, name)]
        return min((s.counts[name] if name not in s.gone else 0 for s in states), default=count)

    def first(self, name: str, enough: Callable[[int], bool], least: int) -> int | None:
        """Return the smallest count of a tier that is enough. Where more may be worse, small counts are all tried."""
        most, guess = self.most(name), self.near.get(name)
        if self.more_may_be_slower(name):
            small = range(least, min(most, least + 64) + 1)
            # Too few one below the guess: fewer still are too few, unless more than the guess are none of them enough.
            near = guess is not None and guess - 1 in small and not enough(guess - 1)
            for counts in (range(guess or least, small.stop), small) if near else (small,):
                found = next((count for count in counts if enough(count)), None)
                if found is not None:
                    return found
        return fewest(enough, least, most) if guess is None else fewest_near(enough, guess, least, most)

    def more_may_be_slower(self, name: str) -> bool:
        """Return whether a larger count can lengthen requests, by itself or as local copies each see fewer of them."""
        residents = [self.system.tiers[n] for n in self.system.residents[name] if n != name]
        local = any(tier.satisfied_at(None) is not None for tier in residents)
        return local or self.system.tiers[name].more_may_be_slower()

    def free(self) -> list[str]:
        """Return the tiers whose count the plan may choose."""
        given = self.system.given()
        return [name for name in self.system.counted() if name not in given]

    def helpers(self, violation: Violation) -> list[str]:
        """Return the tiers of which more nodes could relieve a violation."""
        system, name = self.system, violation.name
        if violation.constraint in FIXED_RESOURCES and not self._is_in_use(violation):
            return []
        if violation.scope == "class":
            entry = system.topology.workload.classes[name].entry
            affected = (self._may_fail(entry, name) if violation.is_by_failures else set()) or system.below(entry)
        elif violation.constraint == "threads" or violation.unit == "s":
            affected = system.below(name)
        else:
            affected = {name}
        relieving = [n for n, tier in system.tiers.items() if tier.satisfied_at(system.machines[n]) is not None]
        affected |= {n for n in relieving if system.below(n) & affected}
        roots = {system.roots[n] for n in affected}
        return [n for n in self.free() if n in roots]

    def _is_in_use(self, violation: Violation) -> bool:
        """Return whether connections are counted by what is in use, which is less with more nodes or more hits."""
        callers = [t for t in self.system.tiers.values() if getattr(t, "threads", None) is None]
        return violation.constraint == "connections" and any(
            call.pool is None and reaches(self.system, call.to, violation.name)
            for tier in callers
            for call in tier.calls_made()
        )

    def _may_fail(self, entry: str, request_class: str) -> set[str]:
        """Return the tiers that decide how many calls of a class are cut off by a timeout or find their pool full."""
        system, found = self.system, set[str]()
        for name in system.waited_for(entry, request_class):
            for call in system.tiers[name].calls_made():
                if call.classes is None or request_class in call.classes:
                    found |= {name} if call.pool is not None else set()
                    found |= system.below(call.to) if call.pool is not None or call.timeout is not None else set()
        return found


_ONE_TIER: Final = frozenset({"node", "deploy", "primary"})
"""Scenarios whose events take nodes of one tier."""


def _key(state: State, wait_free: frozenset[str]) -> Key:
    return state.system, tuple(state.counts.values()), state.conditions, wait_free
