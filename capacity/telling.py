"""What breaks, and what gauges show, in the words of an alert."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capacity.units import show_amount, show_availability, show_percent, show_seconds

if TYPE_CHECKING:
    from capacity.gauges import Gauge, Reading
    from capacity.verdict import Violation


def passing(violation: Violation) -> str:
    """Return in words that something is not met any more."""
    v = violation
    if v.constraint == "availability":
        return f"the availability of {v.name} falls below {show_availability(v.limit)}"
    if v.constraint == "nodes":
        return f"no {'node' if v.limit <= 1 else 'quorum'} of {v.name} is left"
    if v.value is None:
        return f"{v.name} is overloaded: no {v.constraint} is left"
    if v.is_by_failures:
        return f"too many requests of {v.name} fail ({v.constraint})"
    if v.unit == "s":
        return f"{v.constraint} of {v.name} passes {show_seconds(v.limit)}"
    most = show_percent(v.limit / v.capacity) if v.capacity else show_amount(v.limit, v.unit)
    return f"use of {v.constraint} of {v.name} passes {most}"


def left_over(nodes: float | None, needed: float) -> str:
    """Return that too few nodes of a tier are left to serve: none, or fewer than a quorum."""
    return "no node left to serve" if needed <= 1 else f"{nodes or 0:g} left of the {needed:g} that a quorum asks for"


def none_left(needed: float) -> str:
    """Return the same in two words."""
    return "none left" if needed <= 1 else "no quorum left"


def shown(value: float, reading: Reading) -> str:
    """Return a value of a gauge as people read it."""
    return show_amount(value, reading.unit) if reading.unit else show_percent(value)


_TOLD: Final = {
    "utilization": "{value} of the {resource} of {tier} is used then",
    "queue_length": "{value} wait at {tier} then",
    "threads_in_use": "{value} of {tier} are in use then",
    "connections": "{value} to each node of {tier} are open then",
    "hit_ratio": "{tier} answers {value} itself",
    "replication_lag": "replicas of {tier} are {value} behind at p99 then",
    "backlog": "{value} are in {tier} then",
    "delay": "p99 of the delay of {tier} is {value} then",
}


def told(gauge: Gauge, reading: Reading) -> str:
    """Return in words what a gauge shows."""
    value = "nothing" if reading.value is None else shown(reading.value, reading)
    parts = {"tier": gauge.tier, "value": value, "resource": gauge.resource}
    return _TOLD[gauge.metric].format(**parts)
