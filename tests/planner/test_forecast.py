from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from capacity.course import DAYS_OF_MONTH, Course, grown
from capacity.document import parse
from capacity.errors import DocumentError
from capacity.forecast import forecast
from capacity.plan import plan
from capacity.search import Search
from capacity.system import resolve
from tests.planner.systems import changed, file, service, topology

if TYPE_CHECKING:
    from capacity.topology import Topology


def growing(**forecast_: Any) -> Topology:
    """Return web and app, of which app is the tighter one, that grow by a tenth a month; no node may be lost."""
    tiers = {"web": service(0.002, None, "n1", calls=[{"to": "app"}]), "app": service(0.02, None, "n1")}
    values = file(tiers, {"page": 100, "buy": 20}, utilization=0.8, growth="10%/month", latency={"page": {"p99": 0.5}})
    return topology(values | {"forecast": forecast_})


# The first day on which each tier or class misses something is the one that looking at every single day finds.
@pytest.mark.parametrize(
    "future",
    [
        {},
        {"shape": "linear"},
        {"start": "2026-11-20", "season": [0.9, 0.9, 1, 1, 1.1, 1.1, 0.8, 0.8, 1, 1.1, 1.3, 1.4]},
        {"start": "2026-11-20", "events": [{"date": "2027-01-15", "factor": 1.6, "days": 3}]},
        {"start": "2026-11-20", "events": [{"date": "2027-02-01", "factor": 1.4, "classes": ["buy"]}]},
    ],
)
def test_breaks_are_those_of_every_day(future: dict[str, Any]) -> None:
    subject, months = growing(**future), 6
    found = forecast(subject, months)
    start = future.get("start")
    course = Course(subject, None if start is None else date.fromisoformat(start))
    first: dict[tuple[str, str], int] = {}
    for day in range(course.months(months)[-1].end):
        search = Search.of(resolve(course.at(day)))
        for event in (search.normal, *search.events):
            for v in search.everything(event, found.nodes):
                first.setdefault((v.scope, v.name), day)
    assert {(b.scope, b.name): b.day for b in found.breaks} == first
    assert first


# A class that is down too much from the day on which a tier breaks is found on that day too, not on the next.
def test_downtime_breaks_on_the_day_of_a_tier() -> None:
    tiers = {
        "web": service(0.002, None, "n1", calls=[{"to": "app"}], mtbf="2d"),
        "app": service(0.02, None, "n1", mtbf="2d"),
    }
    values = file(tiers, {"page": 100, "buy": 20}, growth="25%/month")
    subject = topology(values | {"slo": {"utilization": 0.6, "availability": "99.9%"}})
    found = forecast(subject, 3, today={"web": 5, "app": 5})
    days = {broken.name: broken.day for broken in found.breaks}
    course = Course(subject, None)
    for day, down in ((days["page"] - 1, False), (days["page"], True)):
        missed = Search.of(resolve(course.at(day))).unavailable(found.nodes, overloaded=True)
        assert {v.name for v in missed} == ({"page", "buy"} if down else set())
    assert days["page"] == days["buy"]


# A month's plan is that of `capacity plan` for its heaviest load.
def test_months_are_plans() -> None:
    subject = growing()
    course, found = Course(subject, None), forecast(subject, 4)
    for month, told in zip(course.months(4), found.months, strict=True):
        result = plan(grown(subject, course.heaviest(month)))
        assert told.counts == result.counts
        assert told.monthly == result.evaluation.cost.monthly
        assert told.feasible == result.feasible


# Where the largest count ends the plans, the wall is the first day on which `capacity plan` finds none.
def test_walls_are_the_first_day_without_a_plan() -> None:
    values = file({"app": service(0.02, None, "n1", max_nodes=4)}, 100.0, utilization=0.8, growth="10%/month")
    subject = topology(values)
    (wall,) = forecast(subject, 12).walls
    course = Course(subject, None)
    assert plan(course.at(wall.day - 1)).feasible
    assert not plan(course.at(wall.day)).feasible


# Compound growth multiplies, linear growth adds; a class's own growth counts for it alone; seasons are relative.
def test_factors() -> None:
    year = round(12 * DAYS_OF_MONTH)
    assert Course(growing(), None).factors(year)["page"] == pytest.approx(1.1 ** (year / DAYS_OF_MONTH))
    assert Course(growing(shape="linear"), None).factors(year)["page"] == pytest.approx(1 + 0.1 * year / DAYS_OF_MONTH)
    start = date(2026, 11, 1)
    seasonal = Course(growing(start="2026-11", season=[1.0] * 10 + [2.0, 3.0]), start)
    days = (date(2026, 12, 1) - start).days
    assert seasonal.factors(days)["page"] == pytest.approx(1.5 * 1.1 ** (days / DAYS_OF_MONTH))


# Months of the calendar follow each other without a gap, whatever day the forecast starts on.
@pytest.mark.parametrize("start", [date(2026, 11, 1), date(2026, 12, 31), date(2028, 2, 29)])
def test_months_of_the_calendar(start: date) -> None:
    months = Course(growing(start=start.isoformat()), start).months(26)
    assert months[0].first == 0
    assert all(a.end == b.first for a, b in pairwise(months))
    assert all((start + timedelta(days=m.end)).day == 1 for m in months)


# What cannot be placed in time is an error that names the key and the cure.
@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("season", "[1.0, 1.0]", "12 numbers"),
        ("events", '[{ date = "2026-11-27", factor = 2.0 }]', "forecast.start"),
        ("start", '"soon"', "2026-11"),
    ],
)
def test_wrong_futures(key: str, value: str, says: str) -> None:
    text = f"""
[workload.classes.page]
rate = "10/s"
entry = "app"
[components.app]
kind = "service"
node = "c6i.large"
cpu_time = "1ms"
[forecast]
{key} = {value}
"""
    with pytest.raises(DocumentError, match=says):
        parse(text, "f.toml")


# What does not grow never breaks.
def test_no_growth() -> None:
    subject = topology(changed(file({"app": service(0.02, None, "n1")}, 100.0), "components.app.max_nodes", 9))
    found = forecast(subject, 12)
    assert found.breaks == []
    assert found.walls == []
    assert len({month.monthly for month in found.months}) == 1
