"""A cache: global on nodes of its own, or local in the memory of every node of its host."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from capacity.components.base import Many, Tier
from capacity.components.exchange import Answer, Differing, Flow, Mend, Pool, Work, least_known
from capacity.units import Bytes, Number, PositiveSeconds, Seconds, TierName
from models.cache import CacheHits, cooled, hits
from models.latency import ZERO, Latency, mixed
from models.popularity import busiest_shard, zipf
from models.service_time import ServiceTime, from_moments
from models.staleness import stale_hits
from models.warmup import hit_ratio_after, recovery_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capacity.components.exchange import Arrivals, Operation, Place, Surroundings
    from capacity.pricing import NodeType
    from models.popularity import Popularity


NEARLY = 0.95
"""The share of its steady hit ratio from which a cache counts as warm."""


_RESIDUE = 1e-12
"""What a hit ratio of one may lack by rounding alone."""


class Cache(Tier, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="cache"):
    """A cache that is asked first; its misses and all writes go on to its origin, a write makes its object invalid."""

    origin: TierName
    """The tier that is asked on a miss."""
    operation_time: Seconds
    """Of one core, per command."""
    variability: Number = 1.0
    objects: Many
    """How many different objects are asked for."""
    object_size: Bytes
    """Bytes of memory for one object, overhead included."""
    popularity: Number = 0.9
    """Zipf exponent."""
    eviction: Literal["lru", "fifo", "random", "lfu"] = "lru"
    ttl: PositiveSeconds | None = None
    invalidation: bool = False
    """Of a local cache: whether a write is told to the copies of all other nodes. A global one always knows."""

    begins_as: ClassVar[dict[str, Any]] = {"operation_time": "60us", "objects": 100_000, "object_size": "1KiB"}
    lacking: ClassVar[str] = "a cache needs an origin: add the database that it stands before first"
    stores: ClassVar[bool] = True
    warms_up: ClassVar[bool] = True

    def bearable_loss(self, count: int, *, reads: bool = True, writes: bool = True) -> int:
        """Return 0: without any node everything misses, which the origin may bear."""
        return 0

    def outgoing(self) -> Sequence[tuple[str, tuple[str | int, ...], bool]]:
        """Return the origin, which is waited for."""
        return [(self.origin, ("origin",), True)]

    def satisfied_at(self, machine: NodeType | None) -> int | None:
        """Return the nodes that hold every object."""
        memory = self.memory if self.memory is not None else machine.memory if machine else None
        return math.ceil(self.objects * self.object_size / memory) if memory else 1

    def asked(self, arrivals: Arrivals) -> Popularity:
        """Return how unevenly keys are asked for here."""
        return arrivals.asked or zipf(self.objects, float(self.popularity))

    def capacity(self, place: Place) -> float:
        """Return how many objects one copy of the cache holds: a local node's memory, or that of all global nodes."""
        memory = least_known(self.memory, place.memory)
        if memory is None or self.object_size == 0:
            return math.inf
        # The nodes that are left hold what they held: their share of what all of them did.
        before = place.count / place.warm if place.warm > 0 else place.count
        return memory / self.object_size * (1 if place.hosted else before)

    def hits(self, place: Place, arrivals: Arrivals) -> CacheHits:
        """Return the hit ratio; each local copy sees an equal part of the reads."""
        if place.nodes == 0:
            return CacheHits(0.0, None, 0.0, None)
        copies = place.nodes if place.hosted else 1
        found = hits(
            self.asked(arrivals),
            arrivals.read_rate / copies,
            self.capacity(place),
            eviction=self.eviction,
            ttl=None if self.ttl is None else float(self.ttl),
            write_rate=self.known_writes(place, arrivals),
        )
        return found if place.warm == 1 else cooled(found, self.asked(arrivals), place.warm)

    def _missed(self, place: Place, arrivals: Arrivals) -> float:
        """Return the share of reads that miss; what is left of a sum of shares that is one is nobody's traffic."""
        missed = 1 - self.hits(place, arrivals).hit_ratio
        return missed if missed > _RESIDUE else 0.0

    def known_writes(self, place: Place, arrivals: Arrivals) -> float:
        """Return the writes per second that one copy hears of: all, or only those that pass through it."""
        told = not place.hosted or self.invalidation
        return arrivals.write_rate if told else arrivals.write_rate / max(place.nodes, 1)

    def differs(self, place: Place, arrivals: Arrivals, around: Surroundings) -> list[Differing]:
        """Return what local copies answer that do not hear of the writes of other nodes."""
        if not place.hosted or self.invalidation or place.nodes <= 1 or arrivals.read_rate == 0:
            return []
        # What others write past the copies reaches none of them.
        written = max(arrivals.write_rate, around.written(self.origin))
        if written == 0:
            return [Differing(f"nothing writes to {self.origin}: its local copies do not differ", 0.0, 0.0, [])]
        unheard = written - self.known_writes(place, arrivals)
        life = self.hits(place, arrivals).characteristic_time if self.ttl is None else float(self.ttl)
        share = stale_hits(
            self.asked(arrivals),
            arrivals.read_rate / place.nodes,
            unheard,
            self.capacity(place),
            eviction=self.eviction,
            ttl=None if self.ttl is None else float(self.ttl),
            heard=self.known_writes(place, arrivals),
        )
        mends = [
            Mend("a shorter ttl"),
            Mend("invalidation = true: tell every node of each write", {"invalidation": True}),
            Mend("a global cache: node instead of host"),
        ]
        return [Differing("local copies do not hear of writes elsewhere", share, life, mends)]

    def service_time(self, place: Place) -> ServiceTime | None:
        """Return the time of one command, None for none at all."""
        return from_moments(self.operation_time / place.speed, self.variability) if self.operation_time else None

    def flows(self, place: Place, arrivals: Arrivals) -> list[Flow]:
        """Return the misses and the writes."""
        found = self.hits(place, arrivals)
        missed = self._missed(place, arrivals)
        return [
            Flow(self.origin, name, arrivals.reads[name] * missed, arrivals.writes[name], found.missed)
            for name in arrivals.classes
        ]

    def pools(self, place: Place, arrivals: Arrivals) -> list[Pool]:
        """Return one core per node, since commands run one after another; keys decide which node."""
        if place.hosted or place.count == 0:
            return []
        hot = busiest_shard(self.asked(arrivals), place.count) if place.count > 1 else None
        return [Pool("cores", place.count, 1, "random", hot_share=hot)]

    def work(self, place: Place, arrivals: Arrivals) -> list[Work]:
        """Return one command per visit; a local cache runs inside its caller."""
        service = self.service_time(place)
        if service is None or place.nodes == 0 or arrivals.rate == 0:
            return []
        return [Work("cores", arrivals.rate, service, inside=place.hosted)]

    def answer(
        self, place: Place, arrivals: Arrivals, request_class: str, operation: Operation, around: Surroundings
    ) -> Answer:
        """Return the command, and with the probability of a miss the origin's time after it."""
        own, service = ZERO, self.service_time(place)
        if service is not None and place.nodes > 0:
            own = Latency.of(service)
            if not place.hosted:
                station = around.station(place, "cores")
                if station is None or station.wait is None:
                    return Answer(None, None)
                own = Latency.waiting(station.wait) + own
        below = around.latency(self.origin, request_class, operation)
        if below is None:
            return Answer(own, None)
        if operation == "write":
            return Answer(own, own + below)
        missed = self._missed(place, arrivals)
        return Answer(own, own + mixed([1 - missed, missed], [ZERO, below]))

    def refilled(self, place: Place, arrivals: Arrivals, cold: float) -> dict[str, object]:
        """Return the hit ratio at the first moment, the steady one, and the time until it is 95 % of that again."""
        steady = self.hits(place, arrivals).hit_ratio
        found: dict[str, object] = {"cold": cold, "hit_ratio": (1 - cold) * steady, "steady_hit_ratio": steady}
        recovery = self.recovery(place, arrivals, cold)
        times = [recovery * share for share in (0.01, 0.1, 0.5, 1.0)] if recovery > 0 else []
        return found | {
            "recovery_s": recovery,
            "recovering": [{"s": t, "hit_ratio": self.warming(place, arrivals, cold, t)} for t in times],
        }

    def recovery(self, place: Place, arrivals: Arrivals, cold: float) -> float:
        """Return the seconds until 95 % of the steady hit ratio is reached again after a share `cold` was lost."""
        asked, rate, capacity, how = self._filled(place, arrivals, cold)
        return recovery_time(NEARLY, asked, rate, capacity, **how)

    def warming(self, place: Place, arrivals: Arrivals, cold: float, seconds: float) -> float:
        """Return the hit ratio so many seconds after a share `cold` of the keys was lost."""
        asked, rate, capacity, how = self._filled(place, arrivals, cold)
        return hit_ratio_after(seconds, asked, rate, capacity, **how)

    def _filled(self, place: Place, arrivals: Arrivals, cold: float) -> tuple[Popularity, float, float, dict[str, Any]]:
        """Return what one copy is asked, how often, how many objects it holds, and how it fills again."""
        how = {
            "eviction": self.eviction,
            "ttl": None if self.ttl is None else float(self.ttl),
            "write_rate": self.known_writes(place, arrivals),
            "cold": cold,
        }
        copies = place.nodes if place.hosted else 1
        return self.asked(arrivals), arrivals.read_rate / copies, self.capacity(place), how

    def memory_used(self, place: Place) -> float | None:
        """Return what a local cache is given; without that it fills what is left, as a global one does, and evicts."""
        if not place.hosted or self.memory is None:
            return None
        return min(self.memory, self.objects * self.object_size)

    def failing(self, place: Place, arrivals: Arrivals, request_class: str, around: Surroundings) -> float:
        """Return what the origin fails, of the reads that miss and of the writes."""
        visits = arrivals.of(request_class)
        missed = self._missed(place, arrivals)
        passed = arrivals.reads.get(request_class, 0.0) * missed + arrivals.writes.get(request_class, 0.0)
        return passed / visits * around.failed(self.origin, request_class) if visits > 0 else 0.0

    def sizes(self) -> tuple[float | None, float | None]:
        """Return the object as the response, where the file says nothing else."""
        return self.request_size, self.object_size if self.response_size is None else self.response_size

    def details(self, place: Place, arrivals: Arrivals, around: Surroundings) -> dict[str, object]:
        """Return hit ratio and characteristic time."""
        found = self.hits(place, arrivals)
        return {
            "hit_ratio": found.hit_ratio,
            "characteristic_time_s": found.characteristic_time,
            "objects_held": found.objects,
            "copies": place.nodes if place.hosted else 1,
            "local": place.hosted,
            "busiest_key_share": self.asked(arrivals).busiest,
            "busiest_node_share": busiest_shard(self.asked(arrivals), place.count) if place.count > 0 else None,
        }

    def unknowns(self, place: Place, arrivals: Arrivals) -> list[tuple[str, str]]:
        """Say what a local cache without invalidation breaks, and when its size is not known."""
        found = []
        if self.memory is None and (place.machine is None or place.machine.memory is None):
            found.append(("memory_unknown", "the memory of its node is unknown: everything is taken to fit"))
        if place.hosted and place.nodes > 1 and not self.invalidation:
            until = f"for up to {self.ttl:g} s" if self.ttl is not None else "until evicted: give it a ttl"
            found.append(("local_cache_differs", f"{place.nodes} local copies: nodes may answer differently {until}"))
        return found
