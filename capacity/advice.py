"""Nothing is feasible: which constraint cannot be met, the best that can be reached, the smallest change that helps."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import msgspec

from capacity.components.base import MOST_NODES
from capacity.document import scaled
from capacity.downtime import at, never_up, too_often_down
from capacity.errors import ascii_quoted, show_path
from capacity.fewest import fewest
from capacity.patience import failing, hopeless, longer, unhindered
from capacity.pricing import candidates, larger
from capacity.quorum_mends import larger_quorums
from capacity.results import Advice
from capacity.search import FIXED_RESOURCES, Conflict, Search
from capacity.sizing import FEW_CANDIDATES, size
from capacity.solve import solve
from capacity.system import resolve
from capacity.telling import left_over
from capacity.traffic import solve_traffic
from capacity.trial import Change, Trial, calls_to, with_calls, with_fields, with_zones
from capacity.units import digits, rounded_up, show_amount, show_availability, show_bytes, show_percent, show_seconds

if TYPE_CHECKING:
    from capacity.sizing import Sizing
    from capacity.solve import Solution
    from capacity.system import System
    from capacity.topology import Topology
    from capacity.trial import Key
    from capacity.verdict import Violation

PARTNERS_ROOM: Final = 1.05
"""How far above the need a partner's limit is asked for: at the limit itself the wait has no end."""

PATIENT: Final = 150
"""Candidates of a search beyond which it is not repeated to tell up to which load, or with what, a plan exists."""

_LOOKS: Final = 4
"""Larger node types that are tried before none is told."""

_STEPS: Final = 7
"""Halvings when a load is looked for: each is a plan of its own."""


def advise(system: System, sizing: Sizing) -> list[Advice]:
    """Return why no counts pass and what would: one piece of advice for each constraint that more nodes cannot meet.

    `sizing` holds the conflict that remains at the best counts; what else is hopeless there is told as well.
    """
    if sizing.conflict is None:
        return []
    search = Search.of(system)
    wanted = {_key(conflict) for conflict in (*sizing.hopeless, sizing.conflict)}
    worst: dict[Key, Conflict] = {}
    for conflict in (*sizing.hopeless, sizing.conflict):
        key = _key(conflict)
        worst[key] = conflict if key not in worst or _worse(conflict, worst[key]) else worst[key]
    for conflict in search.conflicts(sizing.counts):
        key = _key(conflict)
        if (key in wanted or not search.helpers(conflict.violation)) and (
            key not in worst or _worse(conflict, worst[key])
        ):
            worst[key] = conflict
    # An objective that an overload leaves without a value says nothing that the overload does not.
    telling = [c for c in worst.values() if c.violation.value is not None] or list(worst.values())
    telling.sort(key=lambda conflict: conflict.violation.unit == "s")
    return [*(_advice(search, sizing, conflict) for conflict in telling), *never_up(search, sizing.counts)]


def _key(conflict: Conflict) -> Key:
    return conflict.violation.key


def _worse(a: Conflict, b: Conflict) -> bool:
    """Return whether a mend for the first mends the second too: an objective as it is, a limit at its worst."""
    first, second = (conflict.event.scenario == "normal" for conflict in (a, b))
    if a.violation.unit == "s":
        return first and not second
    margin = 1.0 if first == second else 0.99 if first else 1.01  # what fails anyhow is told without an event
    return (a.violation.short or 0.0) > (b.violation.short or 0.0) * margin


def _advice(search: Search, sizing: Sizing, conflict: Conflict) -> Advice:
    violation = conflict.violation
    when = f" {conflict.phrase}" if conflict.phrase else ""
    if violation.constraint == "nodes":
        mends = _outage(_trial(search, sizing), conflict)
        return Advice(f"{violation.name}{when}", left_over(violation.value, violation.limit), mends)
    if violation.constraint == "availability":
        return too_often_down(_trial(search, sizing), violation)
    solution = search.solved(conflict.event.state(sizing.counts))
    constraint = f"{violation.name}: {describe(violation)}{when}"
    ours = violation.scope == "tier" and violation.unit != "s"
    best = violation if ours else unhindered(solution, violation)
    if violation.unit == "s" and hopeless(best):
        return Advice(constraint, f"at best {failing(best)}", _waited(_trial(search, sizing), conflict))
    retried = _retried(solution, violation)
    verb = "needed" if ours else "at best"
    return Advice(
        constraint=constraint,
        best=f"{show(best.value, violation.unit)} {verb}{retried}, {show(violation.limit, violation.unit)} allowed",
        mends=_mends(search, sizing, conflict, best.value),
    )


def _waited(trial: Trial, conflict: Conflict) -> list[str]:
    """Return what mends an objective that is missed by those who fail."""
    found, event = longer(trial, conflict), conflict.event
    partner = event.scenario in ("partner", "partner_down")
    return [*found, *([f"a queue in front of {event.subject}, where its answer may come later"] if partner else [])]


def feasible_load(topology: Topology) -> float | None:
    """Return the largest share of the load for which a plan exists, rounded down to a hundredth; None below that."""

    def exists(factor: float) -> bool:
        system = resolve(scaled(topology, factor))
        return size(Search.of(system), FEW_CANDIDATES).conflict is None

    low, high = 0.01, 1.0
    if not exists(low):
        return None
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if exists(middle) else (low, middle)
    return math.floor(low * 100) / 100


def _retried(solution: Solution, violation: Violation) -> str:
    """Return how much of a partner's load is retries, which end once its limit is raised."""
    first = _without_retries(solution, violation)
    if violation.value is None or first is None or violation.value <= first * 1.01:
        return ""
    return f" (of which {show(violation.value - first, violation.unit)} retries)"


def _without_retries(solution: Solution, violation: Violation) -> float | None:
    """Return what a partner's limit would carry if every call were tried once; None for other limits."""
    tier = solution.system.tiers.get(violation.name)
    if violation.value is None or tier is None or tier.counted is not None or violation.unit == "s":
        return None
    tries = solution.arrivals(violation.name).rate
    once = solve_traffic(solution.system, solution.places, {}).arrivals[violation.name].rate
    return violation.value * once / tries


def describe(violation: Violation) -> str:
    """Return what is not met in a few words."""
    if violation.unit == "s":
        return f"{violation.constraint} within {show_seconds(violation.limit)}"
    if violation.constraint == "nodes":
        return "one node left to serve" if violation.limit <= 1 else f"a quorum of {violation.limit:g} left"
    if violation.constraint == "availability":
        return f"availability at least {show_availability(violation.limit)}"
    return f"{violation.constraint} at most {show(violation.limit, violation.unit)}{_ceiling(violation)}"


def _ceiling(violation: Violation) -> str:
    if violation.capacity is None or violation.limit >= violation.capacity:
        return ""
    return f" ({show_percent(violation.limit / violation.capacity)} of {show(violation.capacity, violation.unit)})"


def show(value: float | None, unit: str) -> str:
    """Return a value with its unit, or that there is none."""
    return "nothing (overloaded)" if value is None else show_amount(value, unit)


def _mends(search: Search, sizing: Sizing, conflict: Conflict, value: float | None) -> list[str]:
    """Return single changes of the file, each of which takes this conflict away: tried, where it can be tried."""
    violation, event = conflict.violation, conflict.event
    trial = _trial(search, sizing)
    found: list[str] = []
    later: list[str] = []
    if event.scenario in ("partner", "partner_down") and event.subject is not None and violation.unit != "s":
        found += [change.text for change in trial.calmer(event.subject, _key(conflict))]
        later = [] if found else [f"a queue in front of {event.subject}, where its answer may come later"]
    elif event.scenario in ("partner", "partner_down") and event.subject is not None and violation.scope == "class":
        later = [f"a queue in front of {event.subject}, where its answer may come later"]
    found += [*_more_nodes(trial, conflict), *_left_out(trial, violation), *_raised_limit(trial, conflict, value)]
    later = [] if found and violation.unit == "s" else later
    return list(dict.fromkeys([*found, *_smaller_pools(trial, search, conflict), *later]))


def _left_out(trial: Trial, violation: Violation) -> list[str]:
    """Return the count that the file gives and the plan would choose."""
    found = []
    for name in _pinned(trial.system, violation):
        counted = trial.system.tiers[name].counted
        assert counted is not None  # noqa: S101 - given counts are those of a field
        topology = with_fields(trial.topology, name, **{counted: "auto"})
        if trial.planned(topology, violation.key):
            found.append(f"{at(name)}.{counted} left out: the plan chooses it")
    return found


def _trial(search: Search, sizing: Sizing) -> Trial:
    return Trial(search.system, sizing.counts, patient=sizing.candidates <= PATIENT)


def _outage(trial: Trial, conflict: Conflict) -> list[str]:
    """Return what would leave a node of a tier in an event that takes all of them."""
    system, name, scenario = trial.system, conflict.violation.name, conflict.event.scenario
    tier, mends, key = system.tiers[name], [], _key(conflict)
    given = system.given().get(name)
    singles = _singles(system, name)
    # Two zones never leave a quorum of more than half.
    more = [n for n in ((2, 3) if conflict.violation.limit > 1 else (2,)) if n > system.topology.resilience.zones]
    enough_zones = next((n for n in more if trial.planned(with_zones(trial.topology, n), key)), None)
    if scenario == "zone" and enough_zones is not None:
        mends.append(f"resilience.zones: at least {enough_zones}, each with machines of its own")
    if singles:
        mends += [f"{at(n)}.node: a machine of its own instead of host" for n in singles]
    elif given is not None and tier.counted is not None:
        counted = tier.counted
        enough = trial.raised(
            key, given + 1, lambda n: Change(f"{n}", with_fields(trial.topology, name, **{counted: n}))
        )
        if enough is not None:
            mends.append(f"{at(name)}.{counted}: at least {enough.text}, or left out: the plan chooses it")
        elif scenario == "zone" and system.topology.resilience.zones == 1:
            two = f"{at(name)}.{counted} left out and resilience.zones: at least 2, each with machines of its own"
            mends += [two] if not mends else []
    mends += larger_quorums(trial, name, key) if conflict.violation.limit > 1 else []
    others = ", ".join(f'"{other}"' for other in system.topology.resilience.survive if other != scenario)
    return [*mends, f"resilience.survive = [{others}], if the loss of this tier may take the system down"]


def _raised_limit(trial: Trial, conflict: Conflict, value: float | None) -> list[str]:
    """Return by how much the limit or objective itself would have to be raised."""
    system, violation, key = trial.system, conflict.violation, _key(conflict)
    name = violation.name
    if violation.unit == "s":
        return _later(trial, violation, value)
    if violation.value is None or violation.capacity is None or violation.mend is None:
        return []
    factor = violation.value / violation.limit
    if violation.mend == "node":
        return _bigger_node(trial, conflict, factor)
    if violation.mend == "threads" and name in system.partitions:
        needed = violation.value / system.topology.slo.utilization
        if system.partitions[name] < needed * (1 - 1e-9):
            return _more_partitions(trial, key, name, needed / system.partitions[name])
    if system.tiers[name].counted is None:
        once = _without_retries(solve(conflict.event.system, trial.counts), violation)
        factor = (once or violation.value) / violation.limit * PARTNERS_ROOM
    # The field may count per node what the limit counts in all, so the field grows as the limit has to.
    field = violation.mend
    guess = math.ceil(getattr(system.tiers[name], field) * factor * (1 - 1e-9))

    def change(enough: int) -> Change:
        return Change(f"{at(name)}.{field}: at least {enough}", with_fields(trial.topology, name, **{field: enough}))

    found = trial.raised(key, guess, change)
    return [] if found is None else [found.text]


def _later(trial: Trial, violation: Violation, value: float | None) -> list[str]:
    """Return the objective that could be met."""
    if value is None:
        return []

    def change(seconds: float) -> Change:
        enough, topology = rounded_up(seconds), trial.topology
        if violation.scope == "tier":
            text = f"{at(violation.name)}.{violation.mend}: at least {show_seconds(enough)}"
            whole = "." in (violation.mend or "")  # a field of a table of the tier's is told, and not tried
            return Change(
                text, topology if whole else with_fields(topology, violation.name, **{violation.mend or "": enough})
            )
        goals = dict(topology.slo.latency)
        goals[violation.name] = msgspec.structs.replace(goals[violation.name], **{violation.constraint: enough})
        slo = msgspec.structs.replace(topology.slo, latency=goals)
        path = show_path(("slo", "latency", violation.name, violation.constraint))
        return Change(f"{path}: at least {show_seconds(enough)}", msgspec.structs.replace(topology, slo=slo))

    first = change(value)
    if first.topology is trial.topology:
        return [first.text]
    found = trial.stretched(violation.key, value, change)
    return [] if found is None else [found.text]


def _smaller_pools(trial: Trial, search: Search, conflict: Conflict) -> list[str]:
    """Return the pool that would do, where connections are short: without one, each thread counts."""
    violation, system = conflict.violation, trial.system
    if violation.constraint != "connections":
        return []
    leading = {violation.name, *(n for n, tier in system.tiers.items() if _asks(system, n, violation.name))}
    calls = [(name, index) for name, index, _ in calls_to(system, leading)]
    places = search.solved(conflict.event.state(trial.counts)).places
    nodes = sum(places[name].nodes + places[name].surging for name, _ in calls)
    where = ", ".join(show_path(("components", name, "calls", index)) for name, index in calls)
    pool = int(violation.limit / nodes) if nodes else 0
    while pool >= 1:
        topology = with_calls(trial.topology, {call: {"pool": pool} for call in calls})
        if trial.harmless(topology, _key(conflict)):
            return [f"{where}: pool = {pool} (without one, each thread of a node counts)"]
        pool //= 2
    return []


def _asks(system: System, name: str, origin: str) -> bool:
    """Return whether a cache asks a tier on a miss, through other caches or at once."""
    asked = getattr(system.tiers[name], "origin", None)
    return asked is not None and (asked == origin or _asks(system, asked, origin))


def _pinned(system: System, violation: Violation) -> list[str]:
    """Return the tier whose fixed count stands in the way."""
    if violation.unit == "s" or violation.constraint in FIXED_RESOURCES:
        return []
    root = system.roots[violation.name]
    return [root] if root in system.given() and not _singles(system, root) else []


def _singles(system: System, root: str) -> list[str]:
    """Return the tiers on a machine because of which there can only be one of it."""
    return [n for n in system.residents[root] if n != root and system.tiers[n].single_on_host]


def _more_nodes(trial: Trial, conflict: Conflict) -> list[str]:
    """Return what stands in the way of more nodes, where the tier has as many as it may."""
    violation, system, key = conflict.violation, trial.system, _key(conflict)
    if violation.unit == "s" or violation.constraint in FIXED_RESOURCES or violation.name not in system.roots:
        return []
    search, root = Search.of(system), system.roots[violation.name]
    singles = _singles(system, root)
    if singles:
        return [f"{at(n)}.node: a machine of its own instead of host" for n in singles]
    if root not in search.free() or violation.constraint == "primary cores":
        return []
    if root in system.partitions and search.most(root) < system.tiers[root].max_nodes:
        return _more_partitions(trial, key, root, (violation.short or 1.0))
    return _larger_bound(trial, conflict, root)


def _larger_bound(trial: Trial, conflict: Conflict, root: str) -> list[str]:
    """Return how many nodes a tier would have to be allowed, more where another event needs them; [] if no help."""
    system, key = trial.system, _key(conflict)
    search, primary = Search.of(system), int(system.tiers[root].counted == "replicas")
    most = system.tiers[root].max_nodes - primary

    def kept(count: int) -> bool:
        return all(v.key != key for v in search.failing(conflict.event, {**trial.counts, root: count}))

    if kept(most):
        return []  # as many as it may have would do: something else is in the way of them
    guess = max(math.ceil(most * max(conflict.violation.short or 1.0, 1.0) * (1 - 1e-9)), most + 1)
    enough = next((n for n in dict.fromkeys(min(guess * f, MOST_NODES - primary) for f in (1, 2, 4, 16)) if kept(n)), 0)
    if not enough:
        return []
    found = primary + (fewest(kept, most + 1, enough) or enough)
    for bound in dict.fromkeys(found + extra for extra in (0, 1, 2, 4, found)):
        if not trial.patient or trial.planned(with_fields(trial.topology, root, max_nodes=bound), key):
            return [f"{at(root)}.max_nodes: at least {bound}"]
    return []


def _more_partitions(trial: Trial, key: Key, consumer: str, factor: float) -> list[str]:
    """Return the partitions that the queues in front of a consumer need."""
    found = []
    for name, tier in trial.system.tiers.items():
        limit = tier.consumer_limit() if consumer in tier.destinations("") else None
        if limit is not None:
            guess = math.ceil(limit * factor * (1 - 1e-9))
            tries = (math.ceil(guess * more) for more in (1.0, 1.1, 1.25, 1.6, 2.0, 4.0))
            enough = next(
                (n for n in tries if trial.planned(with_fields(trial.topology, name, partitions=n), key)), None
            )
            found += [] if enough is None else [f"{at(name)}.partitions: at least {enough}"]
    return found


def _bigger_node(trial: Trial, conflict: Conflict, factor: float) -> list[str]:
    """Return the smallest node type of the same family that is large enough, or how large one would have to be."""
    system, constraint, key = trial.system, conflict.violation.constraint, _key(conflict)
    name = conflict.violation.name
    root = system.roots[name]
    current, machine = system.tiers[root].node, system.machines[name]
    if current is None or machine is None:
        return []
    field = {"memory": "memory", "network": "network", "disk": "disk_iops"}.get(constraint, "vcpus")
    needed = (getattr(machine, field) or 0.0) * factor * (1 - 1e-9)
    own = system.topology.node_types
    fitting = larger(machine, field, needed, candidates(own, system.topology.currency))
    for other in fitting[:_LOOKS]:
        if trial.planned(with_fields(trial.topology, root, node=other), key):
            return [f"{at(root)}.node = {ascii_quoted(other)} instead of {current}"]
    if current in own and not fitting:
        shown = {"memory": show_bytes(rounded_up(needed)), "vcpus": f"{math.ceil(needed)}"}
        path = show_path(("node_types", current, field))
        return [f"{path}: at least {shown.get(field, f'{rounded_up(needed):.3g}')}"]
    return (
        [] if fitting else [f"no {machine.family} node is large enough for {constraint}: {digits(factor)} x {current}"]
    )
