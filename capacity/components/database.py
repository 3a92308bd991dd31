"""A database: one primary that takes every write, replicas that take the reads and apply every write, shards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import msgspec

from capacity.components.base import Count, CountOrNone, Many, Tier
from capacity.components.exchange import Answer, Charge, Differing, Limit, Mend, Misfit, Pool, Target, Work, least_known
from capacity.units import Amount, Bytes, Number, PerSecond, Seconds
from models.erlang import UnstableQueueError
from models.latency import ZERO, Latency, maximum, mixed
from models.popularity import busiest_shard, zipf
from models.replication import apply_lag
from models.service_time import ServiceTime, exponential, from_moments
from models.staleness import own_write_unseen, stale_replica_reads, writes_at_risk

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from capacity.components.exchange import Arrivals, Operation, Place, Surroundings


class Replication(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How writes reach the replicas."""

    mode: Literal["async", "semi_sync", "sync"] = "async"
    """Whether a write waits for nobody, for a replica to have received it, or for all to have applied it."""
    apply_time: Seconds = 0.0
    """Of one core, on every replica, for every write."""
    network_delay: Seconds = 0.0
    failover_time: Seconds = 30.0
    """Until a replica is promoted when the primary is lost or restarted; writes wait."""
    staleness: Seconds | None = None
    """Objective: 99 % of writes are visible on a replica within this time."""


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
        """Return whether a write waits for every replica."""
        return self.replication.mode == "sync"

    def misfits(self, others: Mapping[str, Tier]) -> Sequence[Misfit]:
        """Return replicas or shards that a database on another tier's machine cannot have."""
        found, allowed = [], "a node of its own for the database"
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
        """Return the replicas beside the primary that min_nodes asks for."""
        return self.min_nodes - 1

    def without_effect(self, place: Place) -> list[str]:
        """Add nodes: a database has replicas."""
        return [*super().without_effect(place), *(["nodes"] if self.nodes is not None else [])]

    def bearable_loss(self) -> int:
        """Return 0: the last replica may go, or become the primary."""
        return 0

    def _service(self, place: Place, seconds: float) -> ServiceTime | None:
        return from_moments(seconds / place.speed, self.variability) if seconds > 0 else None

    def apply_time(self, place: Place) -> ServiceTime | None:
        """Return the time of a core to apply one write on a replica, None for none at all."""
        return exponential(self.replication.apply_time / place.speed) if self.replication.apply_time > 0 else None

    def _read_shares(self, place: Place) -> tuple[float, float]:
        """Return the shares of the reads that the primary and the replicas take."""
        if place.count == 0 or place.hosted or self.read_from == "primary":
            return 1.0, 0.0
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
        shares = self._read_shares(place)
        parts = [
            self._at(place, pool, self.read_time, around) if share else ZERO
            for pool, share in zip((first, "replica cores"), shares, strict=True)
        ]
        if any(part is None for part in parts):
            return Answer(None, None)
        own = mixed(shares, [part for part in parts if part is not None])
        miss = self.miss_ratio(place)
        if miss > 0 and self.disk_time > 0:
            own = own + mixed([1 - miss, miss], [ZERO, Latency.of(exponential(self.disk_time))])
        return Answer(own, own)

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
        return None if lag is None else maximum([lag] * place.count) + Latency.constant(self.replication.network_delay)

    def moving_cost(self) -> float | None:
        """Return what the file says."""
        return None if self.migration_cost is None else float(self.migration_cost)

    def failover_time(self) -> float:
        """Return the time until a replica is promoted."""
        return float(self.replication.failover_time)

    def needs_writer(self, place: Place, arrivals: Arrivals, request_class: str) -> bool:
        """Return whether a class writes, or reads what only the primary answers."""
        return super().needs_writer(place, arrivals, request_class) or self._read_shares(place)[0] == 1

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
        """Return every write on its way to every replica."""
        return arrivals.write_rate * self.payload()[0] * place.count

    def failover(self, place: Place, arrivals: Arrivals) -> dict[str, Any]:
        """Return how long one shard takes no writes, how many wait meanwhile, and how many no replica has received.

        *Exact* for the mean: Little's law over the way to the replicas. Who waits for a replica to have received each
        write, loses none.
        """
        rate, seconds = arrivals.write_rate * self.busiest(), float(self.replication.failover_time)
        unsent = self.replication.network_delay if self.replication.mode == "async" else 0.0
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
        """Return the share of reads that get an older value, None where the number of keys is not known."""
        if self.objects is None or lag is None:
            return None
        of_replicas = self._read_shares(place)[1]
        return of_replicas * stale_replica_reads(zipf(self.objects, float(self.popularity)), arrivals.write_rate, lag)

    def own_unseen(self, lag: Latency | None, after: float) -> float:
        """Return the share of writers that do not find what they wrote on a replica, `after` seconds after the answer.

        A synchronous write is answered when all replicas have it. Where they fall behind for ever, nobody finds his.
        """
        if self.replication.mode == "sync":
            return 0.0
        return 1.0 if lag is None else own_write_unseen(lag, after)

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
        synced = msgspec.structs.replace(self.replication, mode="sync")
        mends = [
            Mend('read_from = "primary", at least for what a user has just written', {"read_from": "primary"}),
            Mend('replication.mode = "sync": every write waits for all replicas', {"replication": synced}),
        ]
        p99 = None if lag is None else lag.percentile(0.99)
        return [Differing("replicas lag behind the primary", self.stale(place, arrivals, lag), p99, mends)]

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
        lag, limit = self.lag(place, arrivals, around), self.replication.staleness
        return [Target("staleness p99", lag, 0.99, limit, "replication.staleness")]

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
