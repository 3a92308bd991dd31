"""What monitoring sees of each tier of a solved system: the metrics that an alert can stand on."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from capacity.evaluate import tier_result

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capacity.solve import Solution


class Gauge(NamedTuple):
    """Which number of a tier this is; `resource` where a tier has several of them, else empty."""

    tier: str
    metric: str
    resource: str = ""


class Reading(NamedTuple):
    """What a gauge shows, None where nobody knows or an overload leaves no value; `capacity` where it has an end."""

    value: float | None
    unit: str
    capacity: float | None = None


_COUNTED = {"threads": "threads_in_use", "connections": "connections"}
"""Resources that are watched by their number and not by their share."""


def gauges(solution: Solution) -> dict[Gauge, Reading]:
    """Return what every gauge of a system shows; of the model, as exact or approximate as the evaluation's numbers."""
    return {gauge: reading for name in solution.system.tiers for gauge, reading in _of_tier(solution, name)}


def _of_tier(solution: Solution, name: str) -> Iterator[tuple[Gauge, Reading]]:
    found = tier_result(solution, name)
    if found.arrival_rate_per_s == 0:
        return
    for limit in found.limits:
        if limit.resource in _COUNTED:
            yield Gauge(name, _COUNTED[limit.resource]), Reading(limit.used, limit.unit, limit.capacity)
        else:
            yield Gauge(name, "utilization", limit.resource), Reading(limit.utilization, "", 1.0)
    details = found.details
    if "backlog" in details:
        yield Gauge(name, "backlog"), Reading(details["backlog"], "messages")
        yield Gauge(name, "delay"), Reading(details["delay"]["p99_s"], "s")
    else:
        wait = found.wait_mean_s
        # Little's law: the mean number that wait is the rate times the mean wait, whatever the discipline.
        waiting = None if wait is None else wait * found.arrival_rate_per_s
        yield Gauge(name, "queue_length"), Reading(waiting, "requests")
    if "hit_ratio" in details:
        yield Gauge(name, "hit_ratio"), Reading(details["hit_ratio"], "")
    if "lag" in details:
        yield Gauge(name, "replication_lag"), Reading(details["lag"]["p99_s"], "s")
