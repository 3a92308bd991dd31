"""How much load may come within the time that it takes to do something about it: growth, seasons and dated events."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

from capacity.course import DAYS_OF_MONTH, Course

if TYPE_CHECKING:
    from capacity.topology import Topology

DAY: Final = 86400.0
"""Seconds."""


def jumps(topology: Topology) -> bool:
    """Return whether more than growth moves the load: seasons, or events with a date."""
    return bool(topology.forecast.season or topology.forecast.events)


def rising(topology: Topology) -> str:
    """Return in words what moves the load."""
    return "growth with seasons and events at its steepest" if jumps(topology) else "growth"


def rise(topology: Topology, lead: float) -> float:
    """Return how many times its load there is after `lead` seconds, all classes together.

    With growth alone it is counted from today, *exact*. With seasons or dated events it is the most that any such time
    brings from today to `forecast.months` ahead, looked at day by day, and at least 1: a threshold that stays the same
    all year has to be in time for the steepest of them.
    """
    if jumps(topology):
        return _steepest(topology, lead)
    months, common = lead / DAY / DAYS_OF_MONTH, topology.workload.growth or 0.0
    classes = topology.workload.classes.values()
    growth = [(float(c.rate), float(c.growth if c.growth is not None else common)) for c in classes]
    total = sum(rate for rate, _ in growth)
    linear = topology.forecast.shape == "linear"
    grown = sum(rate * (max(0.0, 1 + each * months) if linear else (1 + each) ** months) for rate, each in growth)
    return grown / total if total > 0 else 1.0


def before(topology: Topology, load: float, lead: float) -> float:
    """Return the load, times today's, from which a load may be reached within `lead` seconds; 0: from none."""
    factor = rise(topology, lead)
    if topology.forecast.shape == "linear" and not jumps(topology):
        return max(0.0, load - (factor - 1))
    return load / factor if factor > 0 else 0.0


def _steepest(topology: Topology, lead: float) -> float:
    start = topology.forecast.start
    course = Course(topology, None if start is None else date.fromisoformat(start))
    rates = {name: float(c.rate) for name, c in topology.workload.classes.items()}
    days, ahead = course.months(topology.forecast.months)[-1].end, max(1, round(lead / DAY))
    loads = [sum(rates[name] * f for name, f in course.factors(day).items()) for day in range(days)]
    pairs = ((load, max(loads[i : i + ahead + 1])) for i, load in enumerate(loads))
    return max((most / load for load, most in pairs if load > 0), default=1.0)
