"""What a store with quorums would have to ask so that it can lose members and go on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from capacity.components.database import Database
from capacity.downtime import at
from capacity.trial import with_fields

if TYPE_CHECKING:
    from capacity.trial import Key, Trial

_LARGEST: Final = 4
"""Quorums up to this size are tried: they leave out one member less than they have."""


def larger_quorums(trial: Trial, name: str, key: Key) -> list[str]:
    """Return which quorum would have to be larger: the other follows from it, and of one member asks for all.

    The fewest that reads and writes may each do without decides; asking one more on one side spares one on the other.
    """
    tier = trial.system.tiers[name]
    if not isinstance(tier, Database) or not tier.replication.by_quorum:
        return []
    given = {"read_quorum": tier.replication.read_quorum, "write_quorum": tier.replication.write_quorum}
    asked = [(field, size) for field, size in given.items() if size is not None]
    if len(asked) != 1:
        return []
    [(field, size)] = asked
    others = "writes" if field == "read_quorum" else "reads"
    for more in range(size + 1, _LARGEST + 1):
        replication = msgspec.structs.replace(tier.replication, **{field: more})
        if trial.planned(with_fields(trial.topology, name, replication=replication), key):
            return [f"{at(name)}.replication.{field}: at least {more}, so that {others} do not need every member"]
    return []
