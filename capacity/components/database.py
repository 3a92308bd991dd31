"""A database: one primary that takes every write, replicas that take the reads and apply every write, shards.

In mode `quorum` primary and replicas are the members of a shard: a write waits for W of them, a read asks R at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from capacity.components.base import Count, CountOrNone, Many, Tier
from capacity.components.exchange import Answer, Charge, Differing, Limit, Misfit, Pool, Target, Work, least_known
from capacity.components.replication import Replication
from capacity.units import Amount, Bytes, Number, PerSecond, Seconds
from models.erlang import UnstableQueueError
from models.latency import ZERO, Latency, maximum, mixed
from models.popularity import busiest_shard, zipf
from models.queues import NO_WAIT
from models.quorum_reads import Asked, slowest_wait, slowest_work
from models.replication import apply_lag
from models.service_time import ServiceTime, exponential, from_moments
from models.staleness import own_write_unseen, stale_replica_reads, writes_at_risk

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from capacity.components.exchange import Arrivals, Operation, Place, Surroundings


class Database(Tier, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="database"):
    """A database whose nodes are one primary and its replicas, for each shard."""

    read_time: Seconds
    write_time: Seconds
    variability: Number = 1.0
    working_set: Bytes | None = None
    """What does not fit in memory is read from disk."""
    disk_time: Seconds = 0.0005
    """Of one read from disk; no core is held meanwhile."""
    max_connections: Count | None = None
    """Of each node; every node of every caller holds its pool open."""
    replicas: CountOrNone | Literal["auto"] = "auto"
    read_from: Literal["replicas", "any", "primary"] = "replicas"
    replication: Replication = Replication()
    shards: Count = 1
    objects: Many | None = None
    """How many keys there are; with `popularity`, how unevenly they are asked for, it tells the busiest shard."""
    popularity: Number = 0.9
    """Zipf exponent."""
    storage: Bytes | None = None
    """Of all data; every node of a shard holds its shard's."""
    provisioned_iops: PerSecond | None = None
    """Of each node, paid for."""
    operations_cost: Amount | None = None
    """Per month, for every shard beyond the first."""
    migration_cost: Amount | None = None
    """Once, for going to another number of shards."""

    begins_as: ClassVar[dict[str, Any]] = {"read_time": "1ms", "write_time": "2ms"}
    counted: ClassVar[str | None] = "replicas"
    single_on_host: ClassVar[bool] = True
    stores: ClassVar[bool] = True

    def given_count(self) -> int | None:
        """Return the replicas, None where the plan has to find them; on another tier's node there are none."""
        if self.host is not None:
            return 0
        return None if self.replicas == "auto" else self.replicas

    def more_may_be_slower(self) -> bool:
        """Return whether a write waits for every replica, or a quorum grows with the members."""
        return self.replication.mode == "sync" or self.replication.depends_on_nodes

    def misfits(self, others: Mapping[str, Tier]) -> Sequence[Misfit]:
        """Return replicas or shards that a database on another's machine cannot have, and quorums that it never has."""
        found = list(self.replication.misfits(self.given_count(), self.max_nodes, hosted=self.host is not None))
        allowed = "a node of its own for the database"
        if self.host is not None and isinstance(self.replicas, int) and self.replicas > 0:
            message = "a database on a host has no replicas"
            found.append(Misfit(("replicas",), message, str(self.replicas), f"0, or {allowed}"))
        if self.host is not None and self.shards > 1:
            message = "a database on a host has one shard"
            found.append(Misfit(("shards",), message, str(self.shards), f"1, or {allowed}"))
        return found

    def machines(self, count: int) -> int:
        """Return the nodes of all shards."""
        return self.shards * (1 + count)

    def least_count(self) -> int:
        """Return the replicas beside the primary that min_nodes or a quorum asks for."""
        return max(self.min_nodes, self.replication.largest) - 1

    def without_effect(self, place: Place) -> list[str]:
        """Add nodes: a database has replicas; what only quorums have; and whom reads go to, where a quorum is asked."""
        meant = self.replication.by_quorum and self.read_from != "replicas"
        fields = [("nodes", self.nodes is not None), ("read_from", meant)]
        unused = [name for name, given in fields if given]
        return [*super().without_effect(place), *unused, *self.replication.without_effect()]

    def bearable_loss(self, count: int, *, reads: bool = True, writes: bool = True) -> int:
        """Return 0: the last replica may go, or become the primary; with quorums as many as these need beside one."""
        return self.replication.needed(1 + count, reads=reads, writes=writes) - 1

    def counts_the_lost(self) -> bool:
        """Return whether a quorum follows from the members that there should be."""
        return self.replication.depends_on_nodes

    def _service(self, place: Place, seconds: float) -> ServiceTime | None:
        return from_moments(seconds / place.speed, self.variability) if seconds > 0 else None

    def apply_time(self, place: Place) -> ServiceTime | None:
        """Return the time of a core to apply one write on a replica, None for none at all."""
        return exponential(self.replication.apply_time / place.speed) if self.replication.apply_time > 0 else None

    def _read_shares(self, place: Place) -> tuple[float, float]:
        """Return the visits of one read to the primary and to all replicas: shares, but where it asks a quorum."""
        if place.count == 0 or place.hosted or (self.read_from == "primary" and not self.replication.by_quorum):
            return 1.0, 0.0
        if self.replication.by_quorum:
            nodes, reads, _ = self.replication.members(place)
            return reads / nodes, reads * (nodes - 1) / nodes
        if self.read_from == "any":
            return 1 / (1 + place.count), place.count / (1 + place.count)
        return 0.0, 1.0

    def miss_ratio(self, place: Place) -> float:
        """Return the share of reads that go to disk, every part of the working set being read alike."""
        memory = least_known(self.memory, place.memory)
        if self.working_set is None or memory is None or self.working_set == 0:
            return 0.0
        return max(0.0, 1 - memory * self.shards / self.working_set)

    def busiest(self) -> float:
        """Return the share of requests that the busiest shard receives; the others are taken to be as busy."""
        if self.objects is None or self.shards == 1:
            return 1 / self.shards
        return busiest_shard(zipf(self.objects, float(self.popularity)), self.shards)

    def pools(self, place: Place, arrivals: Arrivals) -> list[Pool]:
        """Return the cores of one shard: all shards are alike."""
        if place.hosted or place.machine is None:
            return []
        primary = Pool("primary cores", 1, place.machine.vcpus, "shared_queue", self.shards)
        replicas = Pool("replica cores", place.count, place.machine.vcpus, "random", self.shards)
        return [primary, replicas] if place.count else [primary]

    def work(self, place: Place, arrivals: Arrivals) -> list[Work]:
        """Return the work of one shard."""
        first = "cores" if place.hosted else "primary cores"
        reads, writes = arrivals.read_rate * self.busiest(), arrivals.write_rate * self.busiest()
        of_primary, of_replicas = self._read_shares(place)
        streams = [
            (first, reads * of_primary, self._service(place, self.read_time)),
            (first, writes, self._service(place, self.write_time)),
            ("replica cores", reads * of_replicas, self._service(place, self.read_time)),
            ("replica cores", writes * (0 if place.hosted else place.count), self.apply_time(place)),
        ]
        return [Work(pool, rate, service) for pool, rate, service in streams if service is not None and rate > 0]

    def answer(
        self, place: Place, arrivals: Arrivals, request_class: str, operation: Operation, around: Surroundings
    ) -> Answer:
        """Return wait, core and disk for a read; wait, core and what replication asks for a write."""
        first = "cores" if place.hosted else "primary cores"
        if operation == "write":
            own = self._at(place, first, self.write_time, around)
            extra = self._replication_wait(place, arrivals, around)
            own = None if own is None or extra is None else own + extra
            return Answer(own, own)
        if self.replication.members(place).reads > 1 and self.replication.by_quorum:
            own = self._quorum_read(place, around)
            return Answer(own, own)
        shares = self._read_shares(place)
        parts = [
            self._at(place, pool, self.read_time, around) if share else ZERO
            for pool, share in zip((first, "replica cores"), shares, strict=True)
        ]
        if any(part is None for part in parts):
            return Answer(None, None)
        own = mixed(shares, [part for part in parts if part is not None]) + self._disk(place)
        return Answer(own, own)

    def _disk(self, place: Place) -> Latency:
        """Return what a read waits for the disk of the node that answers it."""
        miss = self.miss_ratio(place)
        if miss > 0 and self.disk_time > 0:
            return mixed([1 - miss, miss], [ZERO, Latency.of(exponential(self.disk_time))])
        return ZERO

    def _quorum_read(self, place: Place, around: Surroundings) -> Latency | None:
        """Return the time until the slowest of the members that a read asks has answered."""
        service, asked = self._service(place, self.read_time), []
        for pool in ("primary cores", "replica cores"):
            station = around.station(place, pool)
            if service is None:
                asked.append(Asked(NO_WAIT, self._disk(place)))
            elif station is None or station.wait is None:
                return None
            else:
                asked.append(Asked(station.wait, Latency.of(service) + self._disk(place)))
        nodes, reads, _ = self.replication.members(place)
        numbers = asked[0], asked[1], nodes, reads, float(self.replication.network_delay)
        return Latency.waiting(around.once((place.name, "slowest"), slowest_wait, *numbers)) + slowest_work(*numbers)

    def method(self, place: Place) -> str | None:
        """Return that several members answer, where they do."""
        reads = self.replication.members(place).reads if self.replication.by_quorum else 1
        return f"slowest of {reads} at once" if reads > 1 else None

    def _at(self, place: Place, pool: str, seconds: float, around: Surroundings) -> Latency | None:
        service, station = self._service(place, seconds), around.station(place, pool)
        if service is None:
            return ZERO
        if station is None or station.wait is None:
            return None
        return Latency.waiting(station.wait) + Latency.of(service)

    def _replication_wait(self, place: Place, arrivals: Arrivals, around: Surroundings) -> Latency | None:
        if place.count == 0 or place.hosted or self.replication.mode == "async":
            return ZERO
        if self.replication.mode == "semi_sync":
            return Latency.constant(2 * self.replication.network_delay)
        lag = self.lag(place, arrivals, around)
        if self.replication.by_quorum:
            return self.replication.wait(lag, place)
        return None if lag is None else maximum([lag] * place.count) + Latency.constant(self.replication.network_delay)

    def moving_cost(self) -> float | None:
        """Return what the file says."""
        return None if self.migration_cost is None else float(self.migration_cost)

    def failover_time(self) -> float:
        """Return the time until a replica is promoted."""
        return float(self.replication.failover_time)

    def needs_writer(self, place: Place, arrivals: Arrivals, request_class: str) -> bool:
        """Return whether a class writes, or reads what only the primary answers."""
        only = self._read_shares(place)[1] == 0
        return super().needs_writer(place, arrivals, request_class) or only

    def parts(self) -> int:
        """Return the shards."""
        return self.shards

    def charges(self, place: Place, arrivals: Arrivals) -> list[Charge]:
        """Return storage, disks, and what shards cost beyond their nodes."""
        found = []
        if self.storage is not None:
            found.append(Charge("storage", self.storage * (1 + place.count) / 1024**3, "GiB", "storage"))
        if self.provisioned_iops is not None:
            found.append(Charge("disks", self.provisioned_iops * self.machines(place.count), "IOPS", "iops"))
        if self.shards > 1 and self.operations_cost is not None:
            more = float(self.shards - 1)
            found.append(Charge("operations of shards", more, "shards", price=float(self.operations_cost)))
        return found

    def copied(self, place: Place, arrivals: Arrivals) -> float:
        """Return every write on its way to every replica, and what a read asks of all members but the first."""
        written = arrivals.write_rate * self.payload()[0] * place.count
        if not self.replication.by_quorum:
            return written
        return written + arrivals.read_rate * (self.replication.members(place).reads - 1) * sum(self.payload())

    def failover(self, place: Place, arrivals: Arrivals) -> dict[str, Any]:
        """Return how long one shard takes no writes, how many wait meanwhile, and how many no replica has received.

        *Exact* for the mean: Little's law over the way to the replicas. Who waits for a replica to have received each
        write, loses none; nor does who has waited for two members of a quorum.
        """
        rate, seconds = arrivals.write_rate * self.busiest(), float(self.replication.failover_time)
        alone = self.replication.by_quorum and self.replication.members(place).writes == 1
        unsent = self.replication.network_delay if alone or self.replication.mode == "async" else 0.0
        return {
            "failover_s": seconds,
            "writes_held": rate * seconds,
            "writes_at_risk": writes_at_risk(rate, unsent),
        }

    def lag(self, place: Place, arrivals: Arrivals, around: Surroundings) -> Latency | None:
        """Return the time until a write is visible on a replica; None when replicas fall behind for ever."""
        station, service = around.station(place, "replica cores"), self.apply_time(place)
        if service is None:
            return Latency.constant(self.replication.network_delay)
        if station is None or station.wait is None:
            return None
        core_wait = 0.0 if station.wait.is_negligible else station.wait.mean
        try:
            return apply_lag(arrivals.write_rate * self.busiest(), service, core_wait, self.replication.network_delay)
        except UnstableQueueError:
            return None

    def stale(self, place: Place, arrivals: Arrivals, lag: Latency | None) -> float | None:
        """Return the share of reads that get an older value, None where the number of keys is not known.

        By a quorum: *approximate*, as if the answers to writes were Poisson and replicas late without regard to others.
        """
        quorum, seen = self.replication.by_quorum, self.replication.seen(lag, place)
        if quorum and seen is ZERO:
            return 0.0
        if self.objects is None or seen is None:
            return None
        share = 1.0 if quorum else self._read_shares(place)[1]
        return share * stale_replica_reads(zipf(self.objects, float(self.popularity)), arrivals.write_rate, seen)

    def own_unseen(self, place: Place, lag: Latency | None, after: float) -> float:
        """Return the share of writers that do not find what they wrote on a replica, `after` seconds after the answer.

        A synchronous write is answered when all replicas have it. Where they fall behind for ever, nobody finds his,
        but by a quorum (of all reads) who happens to ask the primary.
        """
        if self.replication.mode == "sync":
            return 0.0
        seen = self.replication.seen(lag, place)
        if seen is None:
            nodes, reads, _ = self.replication.members(place)
            return 1 - reads / nodes if self.replication.by_quorum else 1.0
        return own_write_unseen(seen, after)

    def differs(self, place: Place, arrivals: Arrivals, around: Surroundings) -> list[Differing]:
        """Return what replicas answer that have not applied a write yet."""
        declared = self.replication.apply_time > 0 or self.replication.network_delay > 0
        if (
            not declared
            or self._read_shares(place)[1] * arrivals.read_rate == 0
            or arrivals.write_rate == 0
            or self.replication.mode == "sync"
        ):
            return []
        lag = self.lag(place, arrivals, around)
        seen = self.replication.seen(lag, place)
        if self.replication.by_quorum and seen is ZERO:
            return []
        p99 = None if seen is None else seen.percentile(0.99)
        stale = self.stale(place, arrivals, lag)
        return [Differing(self.replication.why_stale, stale, p99, self.replication.fresher(place))]

    def limits(self, place: Place, arrivals: Arrivals, around: Surroundings) -> list[Limit]:
        """Return connections, disk, and the one thread that applies writes on a replica."""
        found = []
        if self.max_connections is not None:
            used, mend = around.connections(place.name), "max_connections"
            found.append(Limit("connections", used, self.max_connections, "connections", mend=mend, foreseen=True))
        iops = place.machine.disk_iops if place.machine else None
        if iops:
            found.append(Limit("disk", self._busiest_reads(place, arrivals), iops, "IOPS", mend="node"))
        service = self.apply_time(place)
        if service is not None and place.count > 0 and not place.hosted:
            used = arrivals.write_rate * self.busiest() * service.mean
            found.append(Limit("apply thread", used, 1.0, "thread", mend="shards"))
        return found

    def _busiest_reads(self, place: Place, arrivals: Arrivals) -> float:
        """Return the disk reads per second of the node that has most of them."""
        of_primary, of_replicas = self._read_shares(place)
        each = max(of_primary, of_replicas / place.count if place.count else 0.0)
        return arrivals.read_rate * self.busiest() * each * self.miss_ratio(place)

    def targets(self, place: Place, arrivals: Arrivals, around: Surroundings) -> list[Target]:
        """Return the objective for staleness, which is met where there is no replica to be stale."""
        if self.replication.staleness is None or place.count == 0 or place.hosted:
            return []
        seen = self.replication.seen(self.lag(place, arrivals, around), place)
        return [Target("staleness p99", seen, 0.99, self.replication.staleness, "replication.staleness")]

    def details(self, place: Place, arrivals: Arrivals, around: Surroundings) -> dict[str, object]:
        """Return replicas, shards, lag and disk."""
        shown: dict[str, object] = {
            "replicas": place.count,
            "shards": self.shards,
            "busiest_shard_share": self.busiest(),
        }
        declared = self.replication.apply_time > 0 or self.replication.network_delay > 0
        if place.count > 0 and not place.hosted and declared:
            lag = self.lag(place, arrivals, around)
            shown["lag"] = {
                "mean_s": None if lag is None else lag.mean,
                "p99_s": None if lag is None else lag.percentile(0.99),
                "stale_read_fraction": self.stale(place, arrivals, lag),
                "diverges": lag is None,
            }
        if self.replication.by_quorum:
            found = self.replication.members(place)
            shown["quorum"] = {**found._asdict(), "strict": found.is_strict}
        if self.working_set is not None:
            shown["disk"] = {
                "miss_ratio": self.miss_ratio(place),
                "reads_per_s": self._busiest_reads(place, arrivals),
            }
        return shown

    def unknowns(self, place: Place, arrivals: Arrivals) -> list[tuple[str, str]]:
        """Say what is unknown about the disk, and that memory is."""
        found = []
        reads = self._busiest_reads(place, arrivals)
        if reads > 0 and place.machine is not None and place.machine.disk_iops is None:
            found.append(("disk_unknown", f"disk_iops of its node is unknown; {reads:,.0f} reads/s go to the disk"))
        if self.working_set is not None and (place.machine is None or place.machine.memory is None):
            found.append(("memory_unknown", "the memory of its node is unknown: the working set is taken to fit"))
        return found
