"""Where the cost, the nodes and the availability of a tier come from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from capacity import pricing
from capacity.explaining_work import Asked, stream_parts
from capacity.explanations import Explanation, Numbers, explanation, shown, symbol_of
from capacity.money import node_cost
from capacity.reasons import GIVEN, reasons
from capacity.uptime import Uptime
from models.availability import MONTH

if TYPE_CHECKING:
    from capacity.results import Why
    from capacity.search import Search


@dataclass(frozen=True, eq=False)
class Planned(Asked):
    """A tier of a plan, with the search that found it."""

    search: Search

    def why(self) -> list[Why]:
        """Return which constraint asks for how many nodes."""
        return reasons(self.search, self.solution.counts).get(self.name, [])


def cost(asked: Asked) -> Explanation | None:
    """Explain what the nodes of a tier cost by the month."""
    from models.formulas import Formula, Step, chained, streams  # noqa: PLC0415
    from models.formulas.symbols import real, whole  # noqa: PLC0415

    value, system = asked.result.monthly_cost, asked.solution.system
    items = node_cost(system, asked.name, asked.solution.counts.get(asked.name, 0))
    if value is None or not items:
        return None
    numbers, parts = Numbers({"h": pricing.HOURS_PER_MONTH}), []
    for i, item in enumerate(items, 1):
        numbers.put(whole(f"n_{i}", ""), int(item.quantity or 0), f"nodes: {item.what}")
        numbers.put(real(f"p_{i}", ""), (item.unit_price or 0.0) / pricing.HOURS_PER_MONTH, f"price of {item.what}")
        parts.append(streams.NODE_COST.renamed(f"_{i}", kept=("h",)))
    total = sum((p.result.symbol for p in parts[1:]), parts[0].result.symbol)
    last = Formula("", tuple(p.result for p in parts), (Step(streams.MONTHLY, total),), "", exact=True, accuracy="")
    whole_formula = chained("cost", *parts, last)
    notes = [
        f"in {system.topology.currency}; {system.tiers[asked.name].node} by the hour, {pricing.HOURS_PER_MONTH:g} hours"
    ]
    return explanation(
        "cost",
        "cost of its nodes by the month",
        whole_formula,
        numbers,
        value,
        system.topology.currency,
        notes=notes,
    )


def nodes(asked: Planned) -> Explanation | None:
    """Explain why it has as many nodes: what each constraint asks for, and the closed form for utilization."""
    from models.formulas import chained, work  # noqa: PLC0415
    from models.formulas.symbols import USE  # noqa: PLC0415

    solution, system = asked.solution, asked.solution.system
    if not system.takes_nodes(asked.name):
        return None
    why = asked.why()
    notes = [f"{w.constraint}: {w.nodes}" for w in why]
    if any(w.constraint == GIVEN for w in why):
        notes = [f"the file gives {asked.result.nodes}: leave the count out, and the plan says what asks for how many"]
    else:
        notes.append("the largest is taken; each is the fewest for which the evaluation meets it: no closed form")
    station = next((s for s in solution.stations.get(asked.name, {}).values() if s.rate > 0), None)
    words = "nodes that it has"
    if station is None or station.pool.hot_share is not None or station.pool.copies > 1:
        return _counted(asked, words, notes)
    numbers = Numbers()
    parts = stream_parts(solution, asked.name, station, numbers)
    ceiling = float(system.topology.slo.utilization)
    numbers.put(USE, ceiling, "ceiling of utilization", ("slo", "utilization"))
    formula = chained("nodes", *parts, work.cores_for())
    least = math.ceil(float(formula.value(numbers.given)) * (1 - 1e-12))
    alone = f"utilization of the {station.pool.name} alone asks for {least}"
    notes.insert(0, f"{alone}; what nodes cost each other is that of the count it has")
    told = explanation("nodes", words, formula, numbers, float(asked.result.nodes), "", notes)
    return msgspec.structs.replace(told, by_formula=None)


def _counted(asked: Planned, words: str, notes: list[str]) -> Explanation:
    count = float(asked.result.nodes)
    return Explanation(
        metric="nodes", what=words, value=count, by_formula=None, unit="", shown=shown(count, ""), exact=True,
        source="search over counts, each evaluated", accuracy="", notes=notes,
    )  # fmt: skip


def availability(asked: Planned) -> Explanation | None:
    """Explain the availability of a tier: k of n nodes, zones, restarts, and switching to another writer."""
    from models.formulas import Formula, Step, chained  # noqa: PLC0415
    from models.formulas import uptime as formulas  # noqa: PLC0415
    from models.formulas.symbols import real  # noqa: PLC0415

    system, name = asked.solution.system, asked.name
    seen = Uptime(asked.search, asked.solution.counts).tier(name)
    if seen is None or seen.unavailability is None:
        return None
    tier, resilience = system.tiers[name], system.topology.resilience
    if tier.spot_share() > 0 or seen.nodes > formulas.MOST_NODES:
        return None
    own = {"f": ("mtbf", "node_mtbf"), "r": ("mttr", "node_mttr")}
    numbers = Numbers()
    for symbol, (field, common) in own.items():
        given = getattr(tier, field)
        value = float(getattr(resilience, common) if given is None else given)
        numbers.given[symbol] = value
        numbers.keys[symbol] = ("resilience", common) if given is None else ("components", name, field)
    for symbol, common in (("f_z", "zone_mtbf"), ("r_z", "zone_mttr"), ("i", "restarts"), ("r_p", "restart_time")):
        numbers.given[symbol] = float(getattr(resilience, common))
        numbers.keys[symbol] = ("resilience", common)
    numbers.given |= {"M": MONTH, "o": tier.failover_time()}
    formula = formulas.zoned(
        seen.nodes, resilience.zones, seen.needed, parts=tier.parts(), restarts=True, switches=seen.switching > 0
    )
    result = formula.result.symbol
    up = Step(real("A", "share of time with enough nodes up"), 1 - result)
    whole = chained("availability", formula, Formula("", (formula.result,), (up,), "", exact=True, accuracy=""))
    tier_needs = tier.bearable_loss(asked.solution.places[name].count) + int(tier.counted == "replicas")
    quorum, overloaded = 1 < tier_needs == seen.needed, "something is overloaded at this load"
    notes = [
        f"{seen.needed} of {seen.nodes} nodes are needed: with fewer {'there is no quorum' if quorum else overloaded}",
        f"down {shown(seen.unavailability * MONTH, 's')} a month",
    ]
    return explanation(
        "availability",
        "share of time with enough nodes up",
        whole,
        numbers,
        1 - seen.unavailability,
        "share",
        notes,
        formula.differences(numbers.given),
        symbol_of(formula),
    )
