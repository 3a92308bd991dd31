"""How writes reach the replicas of a database, whom reads ask, and how many members of a shard have to be there.

Modes are those of the stores that people run. `async`, `semi_sync` and `sync` are a primary with read replicas: each
read goes to one node. `quorum` is a store whose reads and writes each meet several members (Cassandra and Dynamo with
ONE, TWO, QUORUM, ALL; MongoDB with `w` and `readConcern`; Raft groups that read from a majority): W members have a
write when it is answered, R members are asked by a read, and where R + W > N the newest value is always among theirs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from capacity.components.base import Count
from capacity.components.exchange import Mend, Misfit
from capacity.units import Seconds
from models.latency import ZERO
from models.quorum_reads import acknowledged, visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capacity.components.exchange import Place
    from models.latency import Latency


class Members(NamedTuple):
    """The members of a shard that are there, how many of them a read asks, and how many have a write when it is done.

    More cannot be asked than are there: where a quorum asks for more, nothing is left (`Tier.bearable_loss`).
    """

    nodes: int
    reads: int
    writes: int

    @property
    def is_strict(self) -> bool:
        """Whether every read meets every write."""
        return self.reads + self.writes > self.nodes


class Replication(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How writes reach the replicas."""

    mode: Literal["async", "semi_sync", "sync", "quorum"] = "async"
    """Whether a write waits for nobody, for a replica to have received it, for all or a quorum to have applied it."""
    read_quorum: Count | None = None
    """Mode quorum: members of a shard that a read asks at once, at random; it waits for the slowest. Left out: the
    fewest that every read meets every write with; with neither quorum given, a majority each."""
    write_quorum: Count | None = None
    """Mode quorum: members that have a write when it is answered, the primary one of them. Left out: as above."""
    apply_time: Seconds = 0.0
    """Of one core, on every replica, for every write."""
    network_delay: Seconds = 0.0
    failover_time: Seconds = 30.0
    """Until a replica is promoted when the primary is lost or restarted; writes wait."""
    staleness: Seconds | None = None
    """Objective: 99 % of writes are visible on a replica within this time; mode quorum: to a read, once answered."""

    @property
    def by_quorum(self) -> bool:
        """Whether reads and writes meet several members."""
        return self.mode == "quorum"

    @property
    def depends_on_nodes(self) -> bool:
        """Whether the size of a quorum follows from the number of members that there should be."""
        return self.by_quorum and (self.read_quorum is None or self.write_quorum is None)

    def quorum(self, nodes: int) -> tuple[int, int]:
        """Return R and W of a shard that should have so many members."""
        reads, writes = self.read_quorum, self.write_quorum
        if reads is None and writes is None:
            return nodes // 2 + 1, nodes // 2 + 1
        reads = max(1, nodes + 1 - (writes or 0)) if reads is None else reads
        return reads, max(1, nodes + 1 - reads) if writes is None else writes

    def members(self, place: Place) -> Members:
        """Return the members of a shard that are there; lost ones still count for how large a quorum is."""
        nodes = 1 if place.hosted else 1 + place.count
        reads, writes = self.quorum(nodes + place.lost)
        return Members(nodes, min(reads, nodes), min(writes, nodes))

    def needed(self, nodes: int, *, reads: bool, writes: bool) -> int:
        """Return how many of so many members have to be there for reads, for writes, or for both."""
        if not self.by_quorum:
            return 1
        of_reads, of_writes = self.quorum(nodes)
        return max(of_reads if reads else 1, of_writes if writes else 1)

    @property
    def largest(self) -> int:
        """Return the largest quorum that the file gives, 1 where it gives none."""
        return max(self.read_quorum or 1, self.write_quorum or 1) if self.by_quorum else 1

    def wait(self, lag: Latency | None, place: Place) -> Latency | None:
        """Return what a write waits for a quorum once the primary has it; None where replicas fall behind for ever."""
        nodes, _, writes = self.members(place)
        if writes == 1:
            return ZERO
        return None if lag is None else acknowledged(lag, nodes, writes, float(self.network_delay))

    def seen(self, lag: Latency | None, place: Place) -> Latency | None:
        """Return the time until those who may read old values see a write; None where they may never.

        That is its lag on a replica; by quorum the time from the answer to it until a read sees it, if it is not fresh.
        """
        if not self.by_quorum:
            return lag
        found = self.members(place)
        if found.is_strict:
            return ZERO
        return None if lag is None else visible(lag, *found, float(self.network_delay))

    @property
    def why_stale(self) -> str:
        """Return why nodes may answer differently, in words."""
        return "a quorum may lack the newest write" if self.by_quorum else "replicas lag behind the primary"

    def fresher(self, place: Place) -> list[Mend]:
        """Return the changes with which no read is old."""
        if self.by_quorum:
            # Left out, a quorum is as large as the other one asks, however many members there come to be.
            told = "then every read meets every write"
            return [
                Mend(f"replication.{f} left out: {told}", {"replication": msgspec.structs.replace(self, **{f: None})})
                for f in ("read_quorum", "write_quorum")
            ]
        synced = msgspec.structs.replace(self, mode="sync")
        return [
            Mend('read_from = "primary", at least for what a user has just written', {"read_from": "primary"}),
            Mend('replication.mode = "sync": every write waits for all replicas', {"replication": synced}),
        ]

    def without_effect(self) -> list[str]:
        """Return the fields that mean nothing where there are no quorums."""
        fields = ("read_quorum", "write_quorum")
        return [f"replication.{f}" for f in fields if not self.by_quorum and getattr(self, f) is not None]

    def misfits(self, replicas: int | None, most: int, *, hosted: bool) -> Iterator[Misfit]:
        """Yield the quorums that so many replicas (None: the plan finds them), or so many nodes at most, never have.

        On another tier's machine (`hosted`) there are no replicas to ask.
        """
        nodes = most if replicas is None else 1 + replicas
        held = f"max_nodes = {most}" if replicas is None else f"1 + {replicas} replicas"
        for field, asked in (("read_quorum", self.read_quorum), ("write_quorum", self.write_quorum)):
            if self.by_quorum and asked is not None and asked > nodes:
                more = f'replicas = {asked - 1} or more, or "auto"'
                more = f"max_nodes of {asked} or more" if replicas is None else more
                more = "a node of its own for the database" if hosted else more
                message, allowed = "asks more members than a shard has", f"at most {nodes}: {held}; or {more}"
                yield Misfit(("replication", field), message, str(asked), allowed)
