"""A plan: the cheapest counts, everything they mean, and for each tier which constraint asked for how many."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from capacity.advice import PATIENT, advise, feasible_load
from capacity.document import exported
from capacity.evaluate import describe
from capacity.metastable import metastable
from capacity.outcomes import during, with_scenarios, with_uptime
from capacity.reasons import reasons
from capacity.results import Warning as Notice
from capacity.results import to_builtins
from capacity.search import Search
from capacity.sizing import size
from capacity.system import resolve
from capacity.trial import instead_of_nodes

if TYPE_CHECKING:
    from collections.abc import Callable

    from capacity.document import Document
    from capacity.results import Evaluation
    from capacity.system import Counts, System
    from capacity.topology import Topology


@dataclass(frozen=True)
class Plan:
    """The counts found, and the evaluation of the system that has them."""

    counts: Counts
    evaluation: Evaluation

    @property
    def feasible(self) -> bool:
        """Whether every limit and objective is met in every scenario."""
        return self.evaluation.feasible


def plan(topology: Topology, tick: Callable[[int], None] = lambda _: None) -> Plan:
    """Return the cheapest plan, or where nothing is feasible the best that was reached and what would help.

    Deterministic: equal topologies give equal plans. `tick` is called with the number of systems solved so far.
    """
    system = resolve(topology)
    search = Search.of(system, tick)
    sizing = size(search)
    search.aside = frozenset()
    evaluation = evaluated(search, sizing.counts, guess=False)
    settled = sizing.conflict is None or sizing.conflict in sizing.hopeless
    search.aside = frozenset(conflict.wanted for conflict in sizing.hopeless)
    why = reasons(search, sizing.counts) if settled else {}
    tiers = {
        name: msgspec.structs.replace(tier, why=why.get(name, tier.why)) for name, tier in evaluation.tiers.items()
    }
    found = evaluation.warnings
    if not sizing.proven and sizing.conflict is None:
        text = f"{sizing.candidates} candidates tried: no node can be taken away, but a cheaper mix may exist"
        found = [*found, Notice(None, "not_proven", text)]
    if settled and sizing.candidates <= PATIENT:
        found = [*found, *instead_of_nodes(search, sizing, why)]
    evaluation = msgspec.structs.replace(
        evaluation,
        tiers=tiers,
        warnings=found,
        infeasible=advise(system, sizing),
        feasible_load=None if sizing.conflict is None or sizing.candidates > PATIENT else feasible_load(topology),
        feasible=evaluation.feasible and sizing.conflict is None,
    )
    return Plan(sizing.counts, evaluation)


def as_given(topology: Topology, scenario: str | None = None) -> Plan:
    """Return the evaluation, with scenarios, of the counts in the file; what it leaves out is the least possible.

    With a `scenario`, as NAME or NAME:SUBJECT, everything is told as it is in the worst (or that) case of it.
    Raises UsageError for a scenario that does not exist, or that this system cannot meet.
    """
    system = resolve(topology)
    search, counts = Search.of(system), system.least()
    if scenario is not None:
        return Plan(counts, _with_assumed(during(search, counts, scenario), system))
    return Plan(counts, evaluated(search, counts, guess=True))


def evaluated(search: Search, counts: Counts, *, guess: bool) -> Evaluation:
    """Return the evaluation of some counts with its scenarios; `guess` tells which counts the file leaves out."""
    solution = search.at(counts)
    evaluation = with_uptime(with_scenarios(describe(solution), search, counts), search, counts)
    notices = [*evaluation.warnings, *metastable(solution)]
    evaluation = msgspec.structs.replace(evaluation, warnings=notices)
    return _with_assumed(evaluation, search.system) if guess else evaluation


def _with_assumed(evaluation: Evaluation, system: System) -> Evaluation:
    """Return the evaluation with a warning for each count that the file leaves out."""
    given, counts = system.given(), system.least()
    notices = [
        Notice(n, "count_assumed", f"{system.tiers[n].counted} not given: {counts[n]} taken; `capacity plan` finds it")
        for n in system.counted()
        if n not in given
    ]
    return msgspec.structs.replace(evaluation, warnings=[*evaluation.warnings, *notices])


def to_toml(document: Document, result: Plan) -> dict[str, Any]:
    """Return the sized topology, which loads again as input, and a [plan] table with the numbers."""
    system = resolve(document.topology)
    counts: dict[str, dict[str, int]] = {}
    for name, count in result.counts.items():
        field = system.tiers[name].counted
        if field is not None:
            counts[name] = {field: count}
    values = exported(document, counts)
    values["plan"] = without_none(to_builtins(result.evaluation))
    values["plan"]["load"] = document.load_factor
    values["plan"]["digest"] = digest(values)
    return values


def digest(values: dict[str, Any]) -> str:
    """Return a fingerprint of a plan's topology, by which a later export knows that nobody has edited it."""
    topology = {key: value for key, value in values.items() if key != "plan"}
    # Written as TOML, plain values stand before tables: the order of keys says nothing.
    return hashlib.sha256(json.dumps(topology, sort_keys=True, default=str).encode()).hexdigest()[:16]


def without_none(value: object) -> Any:
    """Return a value without the keys that have none: TOML knows no null."""
    if isinstance(value, dict):
        return {key: without_none(part) for key, part in value.items() if part is not None}
    if isinstance(value, list):
        return [without_none(part) for part in value if part is not None]
    return value
