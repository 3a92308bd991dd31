"""An evaluation as people read it: sections of small tables and notes, the same for a terminal and for Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from capacity import judging
from capacity.aftermath import told
from capacity.errors import printable
from capacity.money_report import cost_section, total
from capacity.render import wrapped
from capacity.results import excess
from capacity.scenarios import TITLES
from capacity.section import Section
from capacity.telling import left_over
from capacity.units import digits, show_amount, show_availability, show_bytes, show_downtime, show_percent, show_seconds
from models.availability import MONTH

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from capacity.results import Evaluation, Failure, ScenarioClass, ScenarioResult, Slo, TierResult, Why


SOME: Final = 2
"""Violations that are told, the worst first, of a scenario that need not be survived."""


def sections(evaluation: Evaluation, only: Sequence[str] = ()) -> list[Section]:
    """Return the whole report, the verdict first, or only the parts of it that are named."""
    parts = only or PARTS
    found = [_verdict(evaluation), *_infeasible(evaluation)]
    found += [section(evaluation) for name, section in PARTS.items() if name in parts]
    return [section for section in found if section.rows or section.notes]


def _verdict(evaluation: Evaluation) -> Section:
    cases = [case for s in evaluation.scenarios.values() if s.required for case in s.cases]
    excused = list(dict.fromkeys(printable(name) for case in cases for name in case.excused))
    judged = " that is judged" if excused or _unjudged(evaluation) else ""
    judged += f" (not {', '.join(excused)}: excused)" if excused and evaluation.during is not None else ""
    verdict = f"meets every objective{judged}" if evaluation.feasible else "DOES NOT MEET every objective"
    if evaluation.infeasible:
        verdict = "NO PLAN IS FEASIBLE; the counts shown meet all the rest"
    load = "at the rates given"
    if evaluation.peak_to_mean > 1:
        load = f"at the peak, {digits(evaluation.peak_to_mean)}x the daily mean"
    ceiling = f"ceiling {show_percent(evaluation.utilization_ceiling)} of what is ours"
    required = [TITLES[name] for name, result in evaluation.scenarios.items() if result.required]
    notes = [f"{total(evaluation)}; {load}; {ceiling}"]
    # Of one scenario that is looked at, nobody has said that it has to be survived.
    notes += [] if evaluation.during is not None else [f"to be survived: {', '.join(required)}"]
    if not any(c.slo for c in evaluation.classes.values()):
        notes.append("no latency objective is given (slo.latency): the counts follow from utilization alone")
    lonely = [printable(w.tier) for w in evaluation.warnings if w.code == "unreached" and w.tier]
    notes += [f"NOT REACHED by any request: {', '.join(lonely)}; is a call to it missing?"] if lonely else []
    when = f" {printable(evaluation.during.when)}" if evaluation.during and evaluation.during.when else ""
    return Section(f"{printable(evaluation.name)}{when}: {verdict}", notes=notes)


NO_MEND: Final = "no single one: nothing that can be raised by itself takes this limit away"
"""Where advice has no mend, since none of those that were tried helps."""


def _infeasible(evaluation: Evaluation) -> list[Section]:
    notes = []
    for advice in evaluation.infeasible:
        notes.append(printable(f"{advice.constraint}: {advice.best}"))
        notes += [printable(f"  mend: {mend}") for mend in advice.mends or [NO_MEND]]
    if evaluation.feasible_load is not None:
        notes.append(f"all else as it is, a plan exists up to {evaluation.feasible_load:.2f}x of this load")
    return [Section("Cannot be met", notes=notes)]


def _tiers(evaluation: Evaluation) -> Section:
    rows = [("Tier", "Nodes", "Rate", "Busiest resource", "Wait", "p99")]
    for name, tier in evaluation.tiers.items():
        waits, p99 = _seconds(tier.wait_mean_s), _seconds(tier.response.p99_s)
        if tier.arrival_rate_per_s == 0:
            waits, p99 = "-", "-"
        elif tier.kind == "queue":
            waits, p99 = "-", _seconds(tier.details["delay"]["p99_s"])
        rate = f"{digits(tier.arrival_rate_per_s)}/s"
        rows.append((printable(name), _nodes(tier), rate, _busiest(tier), waits, p99))
    notes = ["Wait (mean) and p99 are of one visit, at the tier itself; of a queue, from enqueue to done."]
    return Section("Tiers", rows, frozenset({2, 4, 5}), notes)


def _nodes(tier: TierResult) -> str:
    if tier.host is not None:
        return f"on {printable(tier.host)}"
    if tier.node is None:
        return "-"
    if tier.nodes == 0:
        return f"none of {printable(tier.node)}"
    if not tier.serves:
        shards = tier.nodes // tier.left
        each = f"{shards}x" if shards > 1 else ""
        return f"{each}{tier.left} x {printable(tier.node)} ({tier.nodes_needed}{' each' if each else ''} needed)"
    count = f"{tier.nodes}"
    if tier.counted == "replicas":
        shards = tier.details["shards"]
        count = f"1+{tier.count}" if shards == 1 else f"{shards}x(1+{tier.count})"
    return f"{count} x {printable(tier.node)}"


def _busiest(tier: TierResult) -> str:
    if tier.utilization is None:
        return "-"
    word = f"{show_percent(tier.utilization)} {tier.binding}"
    return f"{word} over" if tier.utilization >= 1 else word


def _seconds(value: float | None) -> str:
    return "never" if value is None else "0" if value < 5e-10 else show_seconds(value)


def _classes(evaluation: Evaluation) -> Section:
    rows: list[tuple[str, ...]] = [("Request class", "Rate", "mean", "p50", "p90", "p95", "p99", "p99.9")]
    for name, c in evaluation.classes.items():
        times = [_seconds(v) for v in (c.mean_s, c.p50_s, c.p90_s, c.p95_s, c.p99_s, c.p999_s)]
        rows.append((printable(name), f"{digits(c.arrival_rate_per_s)}/s", *times))
    return Section("Request classes", rows, frozenset(range(1, 8)))


def _objectives(evaluation: Evaluation) -> Section:
    rows = [("Objective", "Limit", "Reached", "")]
    found = [(name, slo) for name, c in evaluation.classes.items() for slo in c.slo]
    found += [(name, slo) for name, tier in evaluation.tiers.items() for slo in tier.slo]
    for name, slo in found:
        verdict = f"not judged: {_unknown(slo)}" if slo.met is None else judging.word(slo.met)
        limit, reached = show_seconds(slo.limit), _seconds(slo.value)
        if slo.name == "availability":
            limit, reached = show_availability(slo.limit), _reached(slo.value, slo.unknown)
        rows.append((f"{printable(name)} {slo.name}", limit, reached, verdict))
    return Section("", rows if len(rows) > 1 else (), frozenset({1, 2}))


def _reached(availability: float | None, unknown: Sequence[str]) -> str:
    """Return an availability: an upper bound where something is not known."""
    return ("at most " if unknown else "") + show_availability(availability or 0.0)


def _unknown(slo: Slo) -> str:
    return f"{', '.join(map(printable, slo.unknown))} unknown"


def _scenarios(evaluation: Evaluation) -> Section:
    names = list(evaluation.classes)
    shown = names if len(names) <= 3 else []
    rows: list[tuple[str, ...]] = [("Scenario", "Verdict", "Worst", "Busiest", *(f"{printable(n)} p99" for n in shown))]
    notes = []
    for name, result in evaluation.scenarios.items():
        worst = next(case for case in result.cases if case.subject == result.worst)
        busiest = worst.busiest
        used = "-" if busiest is None else f"{show_percent(busiest.utilization)} {printable(busiest.tier)}"
        times = [answered(result.classes[n]) for n in shown]
        rows.append((TITLES[name], passing(result), printable(result.worst or "-"), used, *times))
        failures = new_failures(evaluation.scenarios, name)
        if not result.required and len(failures) > SOME:
            # What an overload leaves without a value says nothing that the overload does not.
            failures = sorted(failures, key=lambda f: 0.0 if f.value is None and f.unit == "s" else -excess(f))[:SOME]
        notes += [f"{TITLES[name]}: {describe_failure(f)}" for f in failures]
        if len(failures) < len(new_failures(evaluation.scenarios, name)):
            more = len(new_failures(evaluation.scenarios, name)) - len(failures)
            notes.append(f"{TITLES[name]}: … and {more} more (`evaluate --scenario {name}`)")
    for name, result in evaluation.scenarios.items():
        notes += [f"{TITLES[name]}: {printable(line)}" for case in result.cases for line in told(case)]
    if any(not result.required for result in evaluation.scenarios.values()):
        notes.append('"would": not asked for by resilience.survive')
    return Section("Scenarios", rows, frozenset(range(4, 4 + len(shown))), notes)


def answered(seen: ScenarioClass) -> str:
    """Return the p99, or the share that fails where it is more than a percentile can bear."""
    if seen.p99_s is not None and seen.failed_fraction > 0.01:
        return f"{show_percent(seen.failed_fraction)} fail"
    return _seconds(seen.p99_s)


def passing(result: ScenarioResult) -> str:
    """Return the verdict on a scenario, which is "would" where nobody asked for it."""
    if result.required:
        return "passes" if result.passes else "FAILS"
    return "would pass" if result.passes else "would fail"


def new_failures(scenarios: Mapping[str, ScenarioResult], scenario: str) -> list[Failure]:
    """Return what fails in a scenario and does not fail already in the normal one."""
    found, normal = scenarios[scenario].violations, scenarios.get("normal")
    already = {(f.scope, f.name, f.constraint) for f in normal.violations} if normal else set()
    return found if scenario == "normal" else [f for f in found if (f.scope, f.name, f.constraint) not in already]


def describe_failure(failure: Failure) -> str:
    """Return where something is not met and by how much."""
    lost = f" {printable(failure.when)}" if failure.when else ""
    where = f"{printable(failure.name)} {failure.constraint}"
    if failure.constraint == "nodes":
        return f"{printable(failure.name)}{lost}: {left_over(failure.value, failure.limit)}"
    if failure.constraint == "availability" and failure.value is not None:
        return f"{where}: {show_availability(failure.value)}, {show_availability(failure.limit)} wanted"
    limit = show_amount(failure.limit, failure.unit)
    if failure.value is None:
        return f"{where}{lost}: overloaded, {limit} allowed"
    if failure.value <= failure.limit:
        return f"{where}{lost}: too many requests fail for it ({limit} allowed)"
    value, over = show_amount(failure.value, failure.unit), judging.over(failure.value, failure.limit)
    return f"{where}{lost}: {value}, {limit} allowed{over}"


def checked(evaluation: Evaluation) -> str:
    """Return one line for each limit or objective that is not met, or that all are."""
    required = [name for name, result in evaluation.scenarios.items() if result.required]
    lines = [
        f"FAIL {TITLES[n]}: {describe_failure(failure)}"
        for n in required
        for failure in new_failures(evaluation.scenarios, n)
    ]
    unknown = []
    for name, slo in _unjudged(evaluation):
        reached = f"{_reached(slo.value, slo.unknown)}, {show_availability(slo.limit)} wanted"
        unknown.append(f"NOT JUDGED {name} {slo.name}: {reached}; {_unknown(slo)}")
    judged = " that can be judged" if unknown else ""
    met = f"ok every objective and limit{judged} is met ({', '.join(TITLES[n] for n in required)})"
    return "\n".join(line for text in [*(lines or [met]), *unknown] for line in wrapped(text, rest="      ")) + "\n"


def _unjudged(evaluation: Evaluation) -> list[tuple[str, Slo]]:
    """Return the objectives that nobody can judge, since something that counts is unknown."""
    return [(printable(name), slo) for name, c in evaluation.classes.items() for slo in c.slo if slo.met is None]


def _why(evaluation: Evaluation) -> Section:
    notes = []
    for name, tier in evaluation.tiers.items():
        if not tier.why:
            continue
        most = max(why.nodes for why in tier.why)
        asked = " · ".join(f"{_reason(why, name)} {why.nodes}{' ←' if why.nodes == most else ''}" for why in tier.why)
        notes.append(f"{printable(name)}: {tier.nodes} node{'s' if tier.nodes != 1 else ''} = {asked}")
    legend = "each number: the nodes that this constraint alone asks for; ← decides"
    return Section("Why this many", notes=[*notes, legend] if notes else [])


def _reason(why: Why, tier: str) -> str:
    kind, _, what = why.constraint.partition(": ")
    return f"{kind} ({printable(what.removeprefix(f'{tier} '))})" if what else kind


def _uptime(evaluation: Evaluation) -> Section:
    """Return how much of the time each class and tier is there, and what limits it."""
    if evaluation.during is not None:
        return Section("")
    rows = [("Availability", "Needs", "Reached", "Down a month")]
    for name, c in evaluation.classes.items():
        reached = rounded_availability(c.availability_at_most, c.availability_unknown)
        limited = f"most by {printable(c.availability_limited_by)}" if c.availability_limited_by else "-"
        rows.append((printable(name), limited, reached, show_downtime(c.downtime_s_per_month)))
    for name, tier in evaluation.tiers.items():
        if tier.nodes_needed is not None:
            of = tier.count + 1 if tier.counted == "replicas" else tier.nodes
            reached = "unknown" if tier.availability is None else rounded_availability(tier.availability)
            rows.append(
                (
                    f"  {printable(name)}",
                    f"{tier.nodes_needed} of {of}",
                    reached,
                    show_downtime(tier.downtime_s_per_month),
                )
            )
    unknown = dict.fromkeys(n for c in evaluation.classes.values() for n in c.availability_unknown)
    spot = [n for n in unknown if evaluation.tiers[n].nodes_needed is not None]
    others = [n for n in unknown if n not in spot]
    notes = [f"not known, and not counted: how often {', '.join(map(printable, others))} is down"] if others else []
    if spot:
        names = ", ".join(map(printable, spot))
        notes.append(
            f"not known, and not counted: how often spot nodes of {names} are taken (money.spot_interruptions)"
        )
    notes += _lifetimes(evaluation)
    return Section("", rows, frozenset({2, 3}), notes)


def _lifetimes(evaluation: Evaluation) -> list[str]:
    """Return what the availability rests on: assumptions of [resilience], unless the file gives its own."""
    t = evaluation.lifetimes
    if t is None:
        return []
    node = f"a node fails every {show_seconds(t.node_mtbf_s)} and is replaced in {show_seconds(t.node_mttr_s)}"
    zone = f"each of {t.zones} zones" if t.zones > 1 else "the one zone"
    restarts = f"{digits(t.restarts_per_month)} a month of {show_seconds(t.restart_s)}, one node at a time"
    lost = f"{zone} fails every {show_seconds(t.zone_mtbf_s)} for {show_seconds(t.zone_mttr_s)}"
    return [f"taken ([resilience] says otherwise): {node}; {lost}; planned restarts: {restarts}"]


def rounded_availability(availability: float | None, unknown: Sequence[str] = ()) -> str:
    """Return an availability with no more digits than assumed lifetimes can bear: a second a month is the least."""
    if availability is None or not 0 < 1 - availability < 1 / MONTH:
        return _reached(availability, unknown)
    return f"{'at most 100' if unknown else 'over 99.9999'}%"


def _details(evaluation: Evaluation) -> Section:
    notes = []
    for name, tier in evaluation.tiers.items():
        d = tier.details
        if "hit_ratio" in d:
            held = f"{digits(d['objects_held'])} objects held"
            notes.append(f"{printable(name)}: {show_percent(d['hit_ratio'])} of reads hit, {held}")
        if d.get("shards", 1) > 1:
            notes.append(f"{printable(name)}: {key_skew(d['shards'], d['busiest_shard_share'])}")
        lag = d.get("lag")
        if lag:
            text = (
                "falls behind for ever"
                if lag["diverges"]
                else f"mean {_seconds(lag['mean_s'])}, p99 {_seconds(lag['p99_s'])}"
            )
            notes.append(f"{printable(name)}: replication lag {text}")
        quorum = d.get("quorum")
        if quorum:
            notes.append(f"{printable(name)}: {quorum_told(quorum)}")
        if d.get("disk", {}).get("miss_ratio"):
            notes.append(f"{printable(name)}: {show_percent(d['disk']['miss_ratio'])} of reads go to the disk")
        if "drain_s" in d:
            empty = d["drain_s"] == 0
            drained = (
                "has nothing to drain"
                if empty
                else "never drains"
                if d["drain_s"] is None
                else f"drains in {show_seconds(d['drain_s'])}"
            )
            stored = f", {show_bytes(d['storage_bytes'])} stored" if d["storage_bytes"] else ""
            notes.append(f"{printable(name)}: after a stop of {show_seconds(d['stop_s'])} {drained}{stored}")
        if d.get("threads_held") is not None:
            hung = evaluation.during is not None and evaluation.during.scenario == "partner_down"
            holds = "would hold" if hung and evaluation.during and evaluation.during.subject == name else "holds"
            if_any = ", if there were as many and nobody gave up" if holds != "holds" else " on average"
            notes.append(f"{printable(name)}: {holds} {digits(d['threads_held'])} of our threads{if_any}")
    return Section("Details", notes=notes)


def quorum_told(quorum: Mapping[str, Any]) -> str:
    """Return whom reads and writes of a store ask, and what that brings; or how few are left to be asked."""
    nodes, reads, writes = quorum["nodes"], quorum["reads"], quorum["writes"]
    if max(reads, writes) > nodes:
        asked = f"reads ask {reads} member{'' if reads == 1 else 's'}, writes wait for {writes}"
        return f"{asked}: {nodes or 'none'} left, which is no quorum"
    fresh = "every read meets every write" if quorum["strict"] else "a read may miss the newest write"
    return f"reads ask {reads} of {nodes} members, writes wait for {writes}: {fresh}"


def key_skew(shards: int, share: float) -> str:
    """Return how unevenly shards are asked: the busiest is what all of them are taken to be."""
    if share <= (1 + 1e-9) / shards:
        return f"{shards} shards, taken to be equally busy"
    return f"the busiest of {shards} shards gets {show_percent(share)} of the keys' requests (key skew)"


def _warnings(evaluation: Evaluation) -> Section:
    notes = [f"{printable(w.tier) + ': ' if w.tier else ''}{printable(w.message)}" for w in evaluation.warnings]
    return Section("Warnings", notes=notes)


PARTS: Final[dict[str, Callable[[Evaluation], Section]]] = {
    "tiers": _tiers,
    "classes": _classes,
    "objectives": _objectives,
    "scenarios": _scenarios,
    "why": _why,
    "availability": _uptime,
    "cost": cost_section,
    "details": _details,
    "warnings": _warnings,
}
"""The parts of a report in their order, by the names that people ask for them with."""
