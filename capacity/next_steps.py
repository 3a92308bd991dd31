"""What comes next: every step of a growing architecture tried on this one, and told in the order of what it brings.

Each proposal is planned as `capacity plan` would plan its file: the same search, the same scenarios, the same numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from capacity.editing import Edited
from capacity.errors import UsageError, ascii_quoted
from capacity.evaluate import describe
from capacity.lagging import databases
from capacity.outcomes import outcome, with_uptime
from capacity.reach import end
from capacity.results import SCHEMA_VERSION
from capacity.scenarios import TITLES
from capacity.search import Search
from capacity.sizing import size
from capacity.steps import steps
from capacity.steps.base import Situation
from capacity.system import resolve
from capacity.variants import reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from capacity.document import Document
    from capacity.reach import End
    from capacity.results import Evaluation
    from capacity.search import Conflict
    from capacity.sizing import Sizing
    from capacity.steps.base import Proposal
    from capacity.system import Counts
    from capacity.topology import Topology

LOOKED_AHEAD: Final = 3
"""Of the steps that come first, how many are asked how far they carry: each answer takes several plans."""

_PARTNERS: Final = ("partner", "partner_down")
"""What timeouts, pools and queues are for."""

_CHEAPER, _FASTER, _LESS_DOWN = 0.995, 0.95, 0.9
"""What of a cost, of a p99 and of a downtime is less by enough to be told as what a step brings."""

_FURTHER: Final = "carries more"

_FARTHER: Final = 1.06
"""How many times the load of the file as it is a step has to carry: ends are known to a twentieth."""

HARDLY: Final = 5e-4
"""A change of a p99, as a share of it, that is not told."""

A_MOMENT: Final = 1.0
"""Seconds a month by which a downtime has to change to be told."""

_ROOM: Final = 0.01
"""Of what a resource has: less of a change than this of what is used of it is none."""


class ClassOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What users of one class would see, and how it differs from the file as it is (None: one of them has none)."""

    p99_s: float | None
    p99_change_s: float | None
    availability: float | None
    availability_change: float | None
    downtime_s_per_month: float | None


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """The cheapest plan of one file: the one as it is, or one with a step."""

    name: str
    subject: str
    text: str
    feasible: bool
    fails: list[str]
    """What no counts meet, where there is no plan; the numbers are then of the counts that meet the rest."""
    counts: dict[str, int]
    monthly: float
    """What is known of its cost."""
    monthly_change: float | None
    """None where a price is not known that differs between the two."""
    unknown: list[str]
    """Tiers whose price is not known."""
    classes: dict[str, ClassOutcome]
    stale_reads: dict[str, float | None]
    """Databases whose reads may be old, with the share that is; None where the number of keys is not known."""
    endures: list[str]
    """Of what may happen to a partner and need not be survived: what it would survive all the same."""
    carries: float | None = None
    """Times this load up to which a plan exists, None where nobody looked."""
    then: str | None = None
    """What no plan meets beyond that."""
    brings: list[str] = []
    assumes: list[str] = []
    risks: list[str] = []


class Next(msgspec.Struct, frozen=True, kw_only=True):
    """The file as it is, and every step that applies to it, what brings most first."""

    schema_version: int = SCHEMA_VERSION
    name: str
    currency: str
    load: float
    now: Outcome
    steps: list[Outcome]
    without_effect: list[Outcome] = []
    """Steps that apply and change no cost, p99, downtime nor what is used at this load, and carry no larger one."""


@dataclass(frozen=True)
class Proposed:
    """The proposals for a file, and the plan that they were made for."""

    proposals: list[Proposal]
    planned: Planned


@dataclass(frozen=True)
class Planned:
    """A file's plan, as far as steps are compared by it."""

    topology: Topology
    sizing: Sizing
    missed: tuple[Conflict, ...]
    evaluation: Evaluation
    search: Search

    @property
    def counts(self) -> Counts:
        """What was found."""
        return self.sizing.counts

    @property
    def feasible(self) -> bool:
        """Whether they meet everything."""
        return self.sizing.conflict is None


def proposed(document: Document, tick: Callable[[int], None] = lambda _: None) -> Proposed:
    """Return every step that applies to a file."""
    planned = _planned(document.topology, tick)
    situation = Situation(document, planned.search.at(planned.counts), planned.missed)
    return Proposed([proposal for step in steps() for proposal in step.proposals(situation)], planned)


def next_steps(document: Document, *, ahead: int = LOOKED_AHEAD, tick: Callable[[int], None] = lambda _: None) -> Next:
    """Return every step that applies, ranked: where the file has no plan those that give it one come first.

    Then what brings something, the cheapest first, the fewest risks among equals. For the first `ahead` of them, and
    for the file as it is, it is told up to which load a plan exists, to a twentieth on the safe side; 0 looks at none,
    but where no step applies at the file, to tell at which load one would.
    """
    counted = _counted(tick)
    found = proposed(document, counted)
    now, tried = _tried(found, counted)
    told = [one.outcome for one in tried]
    if ahead or not told:
        as_is = end(document.topology, found.planned.sizing, counted)
        now = _with_end(now, as_is)
        told = [
            _farther(_with_end(one.outcome, _end(one.planned, counted, as_is)), now)
            if one.outcome.feasible and i < ahead
            else told[i]
            for i, one in enumerate(tried)
        ]
    # What changes nothing today may still carry more: only a step whose end is known can be told to bring nothing.
    idle = {
        i
        for i, (one, outcome) in enumerate(zip(tried, told, strict=True))
        if not one.effect and outcome.carries is not None and _FURTHER not in outcome.brings
    }
    return Next(
        name=document.topology.name,
        currency=document.topology.currency,
        load=document.load_factor,
        now=now,
        steps=[outcome for i, outcome in enumerate(told) if i not in idle],
        without_effect=[told[i] for i in sorted(idle)],
    )


def ranked(document: Document, tick: Callable[[int], None] = lambda _: None) -> list[tuple[Outcome, Proposal]]:
    """Return every step that applies in the order of `next_steps`, each with the file that it makes."""
    counted = _counted(tick)
    return [(one.outcome, one.proposal) for one in _tried(proposed(document, counted), counted)[1]]


class _Tried(NamedTuple):
    """A proposal, the plan of its file, how that compares with the file as it is, and whether it differs at all."""

    proposal: Proposal
    planned: Planned
    outcome: Outcome
    effect: bool


def _tried(found: Proposed, tick: Callable[[int], None]) -> tuple[Outcome, list[_Tried]]:
    """Return the file as it is, and every proposal tried, what comes first first."""
    now = _outcome(found.planned, found.planned)
    tried = []
    for proposal in found.proposals:
        planned = _planned(proposal.document.topology, tick, found.planned)
        outcome = msgspec.structs.replace(
            _outcome(planned, found.planned),
            name=proposal.name,
            subject=proposal.subject,
            text=proposal.text,
            assumes=list(proposal.assumes),
            risks=list(proposal.risks),
        )
        outcome = msgspec.structs.replace(outcome, brings=_brings(outcome, now))
        tried.append(_Tried(proposal, planned, outcome, _differs(outcome, now) or _uses_other(planned, found.planned)))
    return now, sorted(tried, key=lambda one: _rank(one.outcome))


def _counted(tick: Callable[[int], None]) -> Callable[[int], None]:
    """Return a tick that counts on through one search after another."""
    solved = 0

    def counted(_: int) -> None:
        nonlocal solved
        solved += 1
        tick(solved)

    return counted


def applied(document: Document, name: str, tick: Callable[[int], None] = lambda _: None) -> Edited:
    """Return the file with one step, as an edit called after it; `name` is NAME:SUBJECT, or NAME where one applies.

    Raises UsageError that names the steps that do apply.
    """
    found = proposed(document, tick).proposals
    step, _, subject = name.partition(":")
    chosen = [p for p in found if p.name == step and subject in ("", p.subject)]
    if len(chosen) == 1:
        return Edited(chosen[0].document, f"{chosen[0].name}:{chosen[0].subject}")
    others = ", ".join(f"{p.name}:{p.subject}" for p in chosen or found) or "none"
    what = "applies to several tiers; name one of" if chosen else "does not apply here; what does:"
    raise UsageError(f"--apply {ascii_quoted(name)} {what} {others}")


def _end(planned: Planned, tick: Callable[[int], None], like: End) -> End:
    return end(planned.topology, planned.sizing, tick, like)


def _with_end(outcome: Outcome, end: End) -> Outcome:
    carries = float(f"{end.low:.3g}")
    carries -= 0.0 if carries <= end.low else 0.01 * 10.0 ** math.floor(math.log10(carries))
    return msgspec.structs.replace(outcome, carries=float(f"{carries:.3g}"), then=end.then)


def _planned(topology: Topology, tick: Callable[[int], None], like: Planned | None = None) -> Planned:
    """Return what `capacity plan` would find, without what it tells beyond the numbers compared here."""
    search = Search.of(resolve(topology), tick)
    search.near = {} if like is None else like.sizing.bounds
    sizing = size(search)
    search.aside = frozenset()
    counts = sizing.counts
    evaluation = with_uptime(describe(search.at(counts)), search, counts)
    missed = () if sizing.conflict is None else (*sizing.hopeless, sizing.conflict, *search.conflicts(counts))
    return Planned(topology, sizing, missed, evaluation, search)


def _outcome(planned: Planned, now: Planned) -> Outcome:
    cost, before = planned.evaluation.cost, now.evaluation.cost
    same = cost.unknown == before.unknown and all(
        planned.counts.get(name) == now.counts.get(name) for name in cost.unknown
    )
    worst: dict[tuple[str, str], str] = {}
    for conflict in planned.missed:
        worst.setdefault((conflict.violation.name, conflict.violation.constraint), reason(conflict))
    return Outcome(
        name="",
        subject="",
        text="the file as it is",
        feasible=planned.feasible,
        fails=list(worst.values()),
        counts=planned.counts,
        monthly=cost.monthly,
        monthly_change=round(cost.monthly - before.monthly, 6) if same else None,
        unknown=cost.unknown,
        stale_reads=_stale_reads(planned),
        endures=_endured(planned),
        classes={name: _of_class(name, planned.evaluation, now.evaluation) for name in planned.evaluation.classes},
    )


def _stale_reads(planned: Planned) -> dict[str, float | None]:
    """Return the databases whose members may answer differently, with the share of reads that do."""
    solution = planned.search.at(planned.counts)
    found = {
        name: tier.differs(solution.places[name], solution.arrivals(name), solution)
        for name, tier in databases(solution.system).items()
    }
    return {name: ways[0].share for name, ways in found.items() if ways}


def _endured(planned: Planned) -> list[str]:
    """Return the scenarios of partners that a plan passes unasked; nothing where there is none."""
    if not planned.feasible:
        return []
    asked = planned.topology.resilience.survive
    found = {name: outcome(planned.search, name, planned.counts) for name in _PARTNERS if name not in asked}
    return [name for name, result in found.items() if result is not None and result.passes]


def _of_class(name: str, evaluation: Evaluation, now: Evaluation) -> ClassOutcome:
    seen, before = evaluation.classes[name], now.classes[name]
    return ClassOutcome(
        p99_s=seen.p99_s,
        p99_change_s=_change(seen.p99_s, before.p99_s),
        availability=seen.availability,
        availability_change=_change(seen.availability, before.availability),
        downtime_s_per_month=seen.downtime_s_per_month,
    )


def _change(value: float | None, before: float | None) -> float | None:
    return None if value is None or before is None else value - before


def _brings(o: Outcome, now: Outcome) -> list[str]:
    """Return what a step brings: a plan where there was none, else less of what nobody wants."""
    if not o.feasible:
        return []
    if not now.feasible:
        return ["a plan"]
    found = []
    if o.monthly_change is not None and o.monthly < now.monthly * _CHEAPER:
        found.append("cheaper")
    pairs = [(seen, now.classes[name]) for name, seen in o.classes.items()]
    if any(s.p99_s is not None and b.p99_s is not None and s.p99_s < b.p99_s * _FASTER for s, b in pairs):
        found.append("faster")
    downs = [(s.downtime_s_per_month, b.downtime_s_per_month) for s, b in pairs]
    if any(s is not None and b is not None and s < b * _LESS_DOWN for s, b in downs):
        found.append("less down")
    found += [f"no old reads of {name}" for name in now.stale_reads if name not in o.stale_reads]
    return [*found, *(f"survives {TITLES[name]}" for name in o.endures if name not in now.endures)]


def _differs(o: Outcome, now: Outcome) -> bool:
    """Return whether anything that is told of a step differs from the file as it is; of one that brings a plan, all."""
    if o.brings or not o.feasible or not now.feasible:
        return True
    seen = [(c, now.classes[name]) for name, c in o.classes.items()]
    slower = any(abs(c.p99_change_s or 0.0) >= HARDLY * (c.p99_s or 1.0) for c, _ in seen)
    downs = [(c.downtime_s_per_month or 0.0) - (was.downtime_s_per_month or 0.0) for c, was in seen]
    more_down = any(abs(change) >= A_MOMENT for change in downs)
    others = (o.endures, o.stale_reads.keys()) != (now.endures, now.stale_reads.keys())
    return slower or more_down or others or o.monthly_change is None or round(o.monthly_change, 2) != 0


def _uses_other(planned: Planned, now: Planned) -> bool:
    """Return whether another share of anything is used: what has more room carries more, though nobody sees it yet."""
    used, before = _used(planned), _used(now)
    return any(abs(used.get(key, 0.0) - before.get(key, 0.0)) >= _ROOM for key in used.keys() | before.keys())


def _used(planned: Planned) -> dict[tuple[str, str], float]:
    tiers = planned.evaluation.tiers
    return {(name, limit.resource): limit.utilization for name, tier in tiers.items() for limit in tier.limits}


def _farther(step: Outcome, now: Outcome) -> Outcome:
    """Return a step with what it brings where it carries a larger load than the file as it is."""
    if not now.carries or not step.carries or step.carries < now.carries * _FARTHER:
        return step
    return msgspec.structs.replace(step, brings=[*step.brings, _FURTHER])


def _rank(outcome: Outcome) -> tuple[bool, bool, int, int, float, int, str, str]:
    """Return what steps are ordered by."""
    fails, unknown = len(outcome.fails), len(outcome.unknown)
    order = not outcome.feasible, not outcome.brings, fails, unknown, outcome.monthly, len(outcome.risks)
    return *order, outcome.name, outcome.subject
