"""Read replicas: reads go to copies of a database, of which the plan chooses how many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from capacity.steps.base import Proposal, Told, path_of, with_keys
from capacity.units import show_seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capacity.components.database import Database
    from capacity.steps.base import Situation

NAME: Final = "read-replicas"
TITLE: Final = "read replicas"

_APPLIED: Final = 0.5
"""Of the time of a write, what applying it on a replica takes, where the file says nothing: it is not parsed again."""


def proposals(situation: Situation) -> Iterator[Proposal]:
    """Yield each database that is read, and whose replicas are given in number or do not answer; none with quorums."""
    for name, tier in situation.databases():
        reads = situation.solution.arrivals(name).read_rate
        if reads > 0 and not tier.replication.by_quorum and (tier.replicas != "auto" or tier.read_from != "replicas"):
            yield from _replicated(situation, name, tier)


def _replicated(situation: Situation, name: str, tier: Database) -> Iterator[Proposal]:
    keys: dict[str, Any] = {"replicas": "auto", "read_from": None}
    assumes = ["whoever reads may see what was written a moment ago, or not yet"]
    if not tier.replication.apply_time and situation.solution.arrivals(name).write_rate > 0:
        apply = show_seconds(_APPLIED * float(tier.write_time)).replace(" ", "")
        own = situation.values["components"][name].get("replication", {})
        keys["replication"] = {"network_delay": "1ms", **own, "apply_time": apply}
        assumes.append(f"applying a write takes a replica {apply}, and it is 1 ms away")
    values = with_keys(situation.values, path_of(name), **keys)
    risks = ("replicas lag: reads may be stale", "every replica applies every write: writes do not scale")
    told = Told(f"reads of {name} go to replicas, the plan chooses how many", tuple(assumes), risks)
    yield from situation.changed(NAME, name, values, told)
