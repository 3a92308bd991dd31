"""How every figure of an answer about availability came about."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from capacity.calculators.availability_answer import YEAR, Tier, tier_of
from capacity.calculators.explainer import Explainer
from capacity.explanations import Numbers
from models.availability import MONTH

if TYPE_CHECKING:
    from capacity.calculators.calculator import Answer, Given
    from capacity.explanations import Explanation

_WRITTEN_OUT: Final = 12
"""Nodes and zones up to which a formula that counts out every state can still be read."""


def explained(given: Given, found: Answer) -> list[Explanation]:
    """Return how every figure came about: closed forms where there are any, else what was counted out."""
    told, nodes = Explainer(found), found.more.get("nodes")
    if not isinstance(nodes, int):
        how = "what is left of down time with nodes without end: all zones at once, and what it depends on"
        told.method(["availability_at_most"], how, found.source or "definition")
        return told.told()
    tier = tier_of(given)
    tier = replace(tier, own=replace(tier.own, nodes=nodes))
    here = _numbers(given, tier, found)
    told.method(["nodes"], "the fewest with which --wanted holds, searched by doubling and halving", found.source)
    _node(told, here)
    _down(tier, told, here)
    _figures(told, here)
    _outages(tier, told, here)
    _owed(tier, found, told, here)
    _budget(given, told, here)
    return told.told()


def _numbers(given: Given, tier: Tier, found: Answer) -> Numbers:
    own = tier.own
    known = {
        "f": own.mtbf, "r": own.mttr, "n": own.nodes, "k": tier.needed, "u": own.down, "i": tier.restarts, "M": MONTH,
        "f_z": tier.zone[0], "r_z": tier.zone[1], "r_p": tier.restart_time, "U": found.figure("unavailability"),
        "P": given.number("period"), "A_w": given.maybe("wanted"), "Y": YEAR,
        "w": (found.figure("outages_per_year") or 0.0) / YEAR,
    }  # fmt: skip
    return Numbers(known, {"U": "share of time it is down"})


def _node(told: Explainer, here: Numbers) -> None:
    """Explain how often one node is up."""
    from models.formulas import outages  # noqa: PLC0415

    told.formula("node_availability", outages.NODE_UP, Numbers(here.given))


def _down(tier: Tier, told: Explainer, here: Numbers) -> None:
    """Explain how often too little is up: the headline."""
    from models.formulas import uptime  # noqa: PLC0415

    own, nodes = tier.own, tier.own.nodes
    # Of nodes that are never down there is no slope.
    plain = own.down > 0 and tier.others is None and not tier.failover and not tier.depends and tier.needed <= nodes
    if plain and tier.crews is None and tier.zones is None and not tier.restarts and nodes <= uptime.MOST_NODES:
        told.formula("unavailability", uptime.K_OF_N, here, ["down_by_nodes"])
    elif plain and tier.crews is None and tier.zones is not None and max(nodes, tier.zones) <= _WRITTEN_OUT:
        told.formula("unavailability", uptime.zoned(nodes, tier.zones, tier.needed, restarts=tier.restarts > 0), here)
    elif plain and tier.crews is not None and tier.zones is None and not tier.restarts and nodes <= _WRITTEN_OUT:
        told.formula("unavailability", uptime.repaired(nodes, tier.needed, tier.crews), here, ["down_by_nodes"])
    how = "too few of the nodes, counted out over zones lost and restarts; then in series with what it depends on"
    told.method(["unavailability"], how, "Kuo and Zuo 2003, chapter 7; Ross 1996, theorem 3.4.4")


def _figures(told: Explainer, here: Numbers) -> None:
    """Explain what is the same number in other units."""
    from models.formulas import outages  # noqa: PLC0415

    told.formula("availability", outages.AVAILABLE, here)
    if told.value("unavailability") > 0:
        told.formula("nines", outages.NINES, here)
    told.method(["nines"], "without end: it is never down", "definition")
    told.formula("downtime_s", outages.DOWN_IN, here)
    year = Numbers({**here.given, "P": YEAR}, here.meanings)
    told.formula("downtime_s_per_year", outages.DOWN_IN, year)


def _outages(tier: Tier, told: Explainer, here: Numbers) -> None:
    """Explain how often it breaks, and for how long."""
    from models.formulas import outages, uptime  # noqa: PLC0415

    if told.has("outages_per_year") and told.value("outages_per_year") > 0:
        alike = tier.others is None and tier.zones is None and tier.own.down > 0 and tier.needed <= tier.own.nodes
        if alike and tier.crews is None and tier.own.nodes <= uptime.MOST_NODES:
            told.formula("outages_per_year", outages.in_a_year(uptime.OUTAGES), here)
        elif alike and tier.crews is not None and tier.own.nodes <= _WRITTEN_OUT:
            law = outages.crewed_outages(tier.own.nodes, tier.needed, tier.crews)
            told.formula("outages_per_year", outages.in_a_year(law), here)
        told.formula("outage_mean_s", outages.OUTAGE_MEAN, here)
    how = "how often a node fails while just enough are up, or a zone that leaves too few; a year of 365.25 days"
    told.method(["outages_per_year"], how, "Kuo and Zuo 2003, section 2.9; Ross 1996, theorem 3.4.4")
    told.method(["outage_mean_s"], "there are none", "definition")


def _owed(tier: Tier, found: Answer, told: Explainer, here: Numbers) -> None:
    """Explain what the down time is owed to, each as if the rest were perfect."""
    from models.formulas import outages, uptime  # noqa: PLC0415

    alike = tier.others is None and tier.crews is None and tier.own.down > 0 and tier.needed <= tier.own.nodes
    if alike and tier.own.nodes <= uptime.MOST_NODES and (tier.zones or 1) == 1:
        told.formula("down_by_nodes", uptime.K_OF_N, Numbers(here.given))
    source = found.source
    told.method(["down_by_nodes"], "too few of the nodes, as if nothing else failed", source)
    told.method(["down_by_zones"], "what zones that are lost add to it", "Kuo and Zuo 2003, chapter 7")
    told.method(["down_by_restarts"], "what one node less adds, for the share of time in which one restarts", source)
    if tier.failover and not tier.restarts:
        seconds = Numbers({**here.given, "n": 1, "o": tier.failover}, {"n": "node that takes writes"})
        told.formula("down_by_failover", outages.FAILOVERS, seconds)
    told.method(["down_by_failover"], "failures and restarts of the one that takes writes, times the time to switch",
                "renewal theory")  # fmt: skip
    told.method(["down_by_depends"], "1 less the product of their availabilities", "independent parts in series")


def _budget(given: Given, told: Explainer, here: Numbers) -> None:
    from models.formulas import outages, uptime  # noqa: PLC0415

    if given.has("wanted") and given.number("wanted") < 1:
        told.formula("budget_s", outages.ERROR_BUDGET, here)
        told.formula("budget_used", uptime.BUDGET, Numbers(here.given, here.meanings))
    told.method(["budget_s"], "none: all of the time is wanted", "definition")
