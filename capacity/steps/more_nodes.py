"""More nodes behind a balancer: the count of a tier is left to the plan, and no user has to come back to one node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from capacity.components.base import MOST_NODES
from capacity.components.service import Service
from capacity.steps.base import Proposal, Told, path_of, with_keys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capacity.steps.base import Situation

NAME: Final = "more-nodes"
TITLE: Final = "more nodes behind a balancer"


def proposals(situation: Situation) -> Iterator[Proposal]:
    """Yield each tier whose nodes the file gives, or of which it allows no more; none that has a database on it."""
    given = situation.system.given()
    for name in situation.system.counted():
        tier = situation.tiers[name]
        if tier.counted != "nodes" or situation.shared(name):
            continue
        if name in given and situation.concerned(name):
            text = f"{name}: nodes left out, the plan chooses how many"
            yield from _more(situation, name, text, {"nodes": None})
        elif situation.missing(name) and situation.solution.places[name].nodes >= tier.max_nodes:
            most = min(2 * tier.max_nodes, MOST_NODES)
            text = f"{name}: up to {most} nodes, not {tier.max_nodes}"
            yield from _more(situation, name, text, {"max_nodes": most})


def _more(situation: Situation, name: str, text: str, keys: dict[str, Any]) -> Iterator[Proposal]:
    tier, assumes = situation.tiers[name], ["what balances over its nodes is there, or bought: it is in no price"]
    if isinstance(tier, Service) and tier.stateful:
        keys = {**keys, "stateful": None, "sticky": None}
        text += "; it no longer keeps sessions in its memory"
        assumes.append("sessions move into a signed cookie or a store that costs nothing here")
    risks = ["a balancer has to work as well"]
    below = situation.system.below(name)
    risks += [
        f"each node opens connections to {n}"
        for n in below - {name}
        if getattr(situation.tiers[n], "max_connections", None) is not None
    ]
    values = with_keys(situation.values, path_of(name), **keys)
    yield from situation.changed(NAME, name, values, Told(text, tuple(assumes), tuple(sorted(risks))))
