"""Where the utilization of a tier comes from, and the work of all its classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from capacity.explanations import Explanation, Numbers, explanation
from capacity.verdict import limits
from models.latency import mixed

if TYPE_CHECKING:
    from capacity.components.exchange import Answer, Limit, Station
    from capacity.errors import KeyPath
    from capacity.results import TierResult
    from capacity.solve import Solution
    from models.formulas import Formula
    from models.latency import Latency


@dataclass(frozen=True, eq=False)
class Asked:
    """A tier of a solved system, about whose numbers somebody asks."""

    solution: Solution
    name: str
    result: TierResult

    @property
    def tier(self) -> Any:
        """The tier itself, whatever its kind."""
        return self.solution.system.tiers[self.name]

    def visits(self) -> list[tuple[str, float, Answer]]:
        """Return every kind of visit with its rate: a class, and whether it reads or writes."""
        arrivals, found = self.solution.arrivals(self.name), []
        for name in arrivals.classes:
            for operation, rate in (("read", arrivals.reads[name]), ("write", arrivals.writes[name])):
                if rate > 0:
                    both = arrivals.reads[name] > 0 and arrivals.writes[name] > 0
                    words = f"{name}, {operation}s" if both else name
                    found.append((words, rate, self.solution.answers[self.name, name, operation]))  # type: ignore[index]
        return found

    def own(self) -> Latency | None:
        """Return the response time over all visits, at the tier itself; None where one of them has none."""
        visits = self.visits()
        known = [(rate, answer.own) for _, rate, answer in visits if answer.own is not None]
        if not visits or len(known) < len(visits):
            return None
        total = sum(rate for rate, _ in known)
        return mixed([rate / total for rate, _ in known], [own for _, own in known])


def utilization(asked: Asked, metric: str = "utilization") -> Explanation | None:
    """Explain how busy the busiest resource is; for `headroom`, what it leaves."""
    from models.formulas import chained, work  # noqa: PLC0415

    found = _binding(asked)
    if found is None:
        return None
    root, limit = found
    numbers = Numbers()
    formula, notes = _used(asked, root, limit, numbers)
    value, what = asked.result.utilization, f"use of its {limit.resource}"
    if metric == "headroom":
        formula = chained("headroom", formula, work.HEADROOM)
        value, what = asked.result.headroom, f"what is left of its {limit.resource}"
    if root != asked.name:
        notes.append(f"it lives on the nodes of {root}, whose resource this is")
    return explanation(metric, what, formula, numbers, value, "share", notes)


def _binding(asked: Asked) -> tuple[str, Limit] | None:
    root = asked.solution.places[asked.name].root
    for owner in (asked.name, root):
        found = limits(asked.solution, owner)
        if found:
            return owner, max(found, key=lambda limit: limit.utilization)
    return None


def _used(asked: Asked, owner: str, limit: Limit, numbers: Numbers) -> tuple[Formula, list[str]]:
    from models.formulas import chained, work  # noqa: PLC0415

    solution = asked.solution
    station = solution.stations.get(owner, {}).get(limit.resource)
    if station is not None and station.rate > 0:
        hot = station.pool.hot_share
        parts = [*stream_parts(solution, owner, station, numbers), work.cores_in_use(hot=hot is not None)]
        if hot is not None:
            numbers.put(work.HOT, hot)
        return chained("utilization", *parts), about(solution, owner, station)
    pool = solution.thread_pools.get(owner)
    if limit.resource == "threads" and pool is not None and pool.wait is not None and not pool.wait.probability:
        numbers.put(work.WHOLE, limit.capacity, "threads of all its nodes")
        return chained("utilization", held(solution, owner, numbers), work.SHARE), []
    numbers.put(work.WHOLE, limit.capacity, f"{limit.resource} there are, in {limit.unit}")
    numbers.put(work.USED, limit.used, f"{limit.resource} used, in {limit.unit}")
    notes = []
    if limit.resource == "threads":
        notes = ["threads in use: from the number inside, limited by flow equivalence (no closed form)"]
    return work.SHARE, notes


def held(solution: Solution, name: str, numbers: Numbers) -> Formula:
    """Return how many requests are inside a tier with all that they wait for, by Little's law, as `U`."""
    from models.formulas import work  # noqa: PLC0415
    from models.formulas.symbols import real  # noqa: PLC0415

    arrivals = solution.arrivals(name)
    for i, request_class in enumerate(arrivals.classes, 1):
        answer = solution.answers[name, request_class, "read"]
        numbers.put(real(f"lambda_{i}", "", "/s"), arrivals.of(request_class), f"arrival rate of {request_class}")
        inside = 0.0 if answer.total is None else answer.total.mean
        numbers.put(real(f"T_{i}", "", "s"), inside, f"mean time of {request_class} with the calls it waits for")
    return work.present(len(arrivals.classes), result=work.USED)


def stream_parts(solution: Solution, root: str, station: Station, numbers: Numbers) -> list[Formula]:
    """Return the formulas from the classes' own times to one stream of work before a pool of cores."""
    from models.formulas import work  # noqa: PLC0415
    from models.formulas.symbols import CORES, NODES  # noqa: PLC0415

    system = solution.system
    streams = []
    for name in system.residents[root]:
        place, arrivals = solution.places[name], solution.arrivals(name)
        own = [w for w in system.tiers[name].work(place, arrivals) if w.pool == station.pool.name]
        streams += [(name, i, w, len(own)) for i, w in enumerate(own)]
    # Bursts first, then what lengthens them.
    streams.sort(key=lambda s: s[2].inside)
    inside = sum(w.inside for _, _, w, _ in streams)
    inside = 0 if inside == len(streams) else inside
    numbers.put(NODES, station.pool.nodes)
    numbers.put(CORES, station.pool.servers)
    parts: list[Formula] = []
    for index, (name, i, burst, count) in enumerate(streams, 1):
        rate, _, squared_cv = work.stream(index)
        label, keys = _label(solution, root, name, i, count)
        numbers.put(rate, burst.rate, f"arrival rate of {label}", keys.get("rate"))
        shape = 1 if burst.service.is_exponential else 0 if not burst.service.phases else burst.service.squared_cv
        numbers.put(squared_cv, shape, f"squared coefficient of variation of {label}", keys.get("variability"))
        parts += _own_time(solution, name, index, (label, burst.service.mean, keys.get("cpu_time")), numbers)
    return [*parts, work.mixture(len(streams), inside)]


def _own_time(
    solution: Solution, name: str, index: int, one: tuple[str, float, KeyPath | None], numbers: Numbers
) -> list[Formula]:
    """Return how the time of one class comes from the file's, where nodes slow each other down or cores differ."""
    from models.formulas import work  # noqa: PLC0415
    from models.formulas.symbols import real  # noqa: PLC0415

    (label, mean, key), place, tier = one, solution.places[name], solution.system.tiers[name]
    law = float(getattr(tier, "contention", 0.0)), float(getattr(tier, "coherency", 0.0))
    slowed = any(law) and not place.hosted and key is not None
    if not slowed and place.speed == 1:
        numbers.put(work.stream(index)[1], mean, f"mean time of a core for {label}", key)
        return []
    slowdown = 1 + law[0] * (place.active - 1) + law[1] * place.active * (place.active - 1) if slowed else 1.0
    measured = real(f"t_{index}", "", "s")
    numbers.put(measured, mean * place.speed / slowdown, f"time of {label} on a core of speed 1", key)
    numbers.meanings[work.stream(index)[1].name] = f"mean time of a core for {label}"
    scaled = place.speed != 1
    if scaled:
        numbers.put(work.SPEED, place.speed)
    if slowed:
        numbers.put(work.CONTENTION, law[0], "", ("components", name, "contention"))
        numbers.put(work.COHERENCY, law[1], "", ("components", name, "coherency"))
        return [work.slowdown(), work.own_time(index, slowed=True, scaled=scaled)]
    return [work.own_time(index, slowed=False, scaled=scaled)]


def _label(solution: Solution, root: str, name: str, index: int, count: int) -> tuple[str, dict[str, KeyPath]]:
    """Return what to call a stream of work, and the keys of the file that hold its numbers."""
    tier, arrivals = solution.system.tiers[name], solution.arrivals(name)
    at = "" if name == root else f" at {name}"
    cpu_time, variability = getattr(tier, "cpu_time", None), getattr(tier, "variability", None)
    if cpu_time is None or count > len(arrivals.classes):
        return (f"all requests{at}" if count == 1 else f"work {index + 1}{at}"), {}
    place = solution.places[name]
    busy = [c for c in arrivals.classes if tier.service_time(place, c) is not None]  # type: ignore[attr-defined]
    request_class = busy[index]
    keys: dict[str, KeyPath] = {}
    for what, value in (("cpu_time", cpu_time), ("variability", variability)):
        keys[what] = ("components", name, what, *((request_class,) if isinstance(value, dict) else ()))
    if solution.system.topology.workload.classes[request_class].entry == name:
        keys["rate"] = ("workload", "classes", request_class, "rate")
    return request_class + at, keys


def about(solution: Solution, owner: str, station: Station) -> list[str]:
    """Return what the numbers of a pool are about."""
    found = []
    if station.pool.copies > 1:
        found.append(f"of the busiest of {station.pool.copies} shards")
    place = solution.places[owner]
    if place.active < place.nodes:
        found.append(f"{place.active} of {place.nodes} nodes have work: a partition is read by one consumer")
    return found
