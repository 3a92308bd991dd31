"""Quorum reads: a read asks several members at once and a write waits for several, so that no read is old."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from capacity.steps.base import NOTICEABLE, Proposal, Told, path_of, with_keys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capacity.components.database import Database
    from capacity.steps.base import Situation

NAME: Final = "quorum-reads"
TITLE: Final = "quorum reads"

_ASKED: Final = 2
"""Members that a read asks where one node is to be survived: the fewest that let a write do without one of them."""

_LEAST: Final = 3
"""Members of which two still meet when one is away."""

_OLD: Final = 1e-3
"""The share of old reads from which on they are worth a look."""


def proposals(situation: Situation) -> Iterator[Proposal]:
    """Yield each database that is read and written, and whose replicas may be behind: what is read there may be old.

    Also where all reads go to the primary, so that none is: then they need not any longer.
    """
    for name, tier in situation.databases():
        arrivals, rep = situation.solution.arrivals(name), tier.replication
        declared = rep.apply_time > 0 or rep.network_delay > 0
        behind = rep.mode in ("async", "semi_sync") and declared and tier.replicas != 0
        if behind and arrivals.read_rate > 0 and arrivals.write_rate > 0 and _matters(situation, name, tier):
            yield from _by_quorum(situation, name, tier)


def _matters(situation: Situation, name: str, tier: Database) -> bool:
    """Return whether old reads are any trouble: all go to the primary, the file limits how old, or many are old."""
    if tier.read_from == "primary":
        return True
    solution, limit = situation.solution, tier.replication.staleness
    place, arrivals = solution.places[name], solution.arrivals(name)
    ways = tier.differs(place, arrivals, solution)
    late = limit is not None and any(way.lasting is None or way.lasting >= NOTICEABLE * limit for way in ways)
    return late or any((way.share or 0.0) >= _OLD for way in ways)


def _by_quorum(situation: Situation, name: str, tier: Database) -> Iterator[Proposal]:
    zones = "zone" in situation.system.topology.resilience.survive
    own = {**situation.values["components"][name].get("replication", {}), "mode": "quorum"}
    own = {key: value for key, value in own.items() if key not in ("read_quorum", "write_quorum")}
    keys: dict[str, Any] = {"replication": own if zones else {**own, "read_quorum": _ASKED}, "read_from": None}
    text = f"reads of {name} ask {_ASKED} of its members at once, a write waits for all but one"
    away = "with two of them away nobody can write"
    if zones:
        text = f"reads of {name} ask a majority of its members at once, a write waits for a majority"
        away = "a majority of them must be up, for reads too"
    if isinstance(tier.replicas, int) and 1 + tier.replicas < _LEAST:
        keys["replicas"] = "auto"
        text += ", and the plan chooses how many there are"
    assumes = (
        f"{name} answers by quorum: a store that can, or a driver that asks several and takes the newest",
        "whoever asks stands beside one of the members; the others are network_delay away",
    )
    risks = (
        f"each read is work for {'a majority' if zones else _ASKED} of the members, and as slow as the slowest of them",
        f"a write waits until {'a majority' if zones else 'all members but one'} have applied it",
        away,
    )
    values = with_keys(situation.values, path_of(name), **keys)
    yield from situation.changed(NAME, name, values, Told(text, assumes, risks))
