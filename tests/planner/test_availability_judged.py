"""What an availability is judged by: what is unknown, what fails while all is up, what is never up, who takes messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import tomli_w

from capacity.plan import as_given
from capacity.report import sections
from tests.capacity.running import capacity
from tests.planner.systems import Values, changed, external, file, planned, service, topology

if TYPE_CHECKING:
    from pathlib import Path

    from capacity.results import Evaluation

MONTH = 2_628_000.0
"""Seconds in 730 hours."""


def calling(wanted: float | None, rate: float = 10, **below: Values) -> Values:
    """Return an app on two nodes that calls everything below it, with a wanted availability."""
    app = service(0.001, 2, calls=[{"to": name} for name in below if below[name]["kind"] != "service"])
    return changed(file({"app": app} | below, rate), "slo.availability", wanted)


def given(values: Values) -> Evaluation:
    """Return the whole evaluation of the counts that a file gives."""
    return as_given(topology(values)).evaluation


def lines(found: Evaluation) -> list[str]:
    """Return the report as lines, the cells of tables with bars between."""
    return [line for s in sections(found) for line in (s.title, *map(" | ".join, s.rows), *s.notes)]


# Where a partner is unknown, what is known is an upper bound: meeting it says nothing, and is not called ok. The plan is
# not refused for it; the report, the warnings and `check` say that it was not judged, and which key would tell.
def test_unknown_is_not_ok(tmp_path: Path) -> None:
    values = calling(0.999, p=external(0.01))
    found = given(values)
    (slo,) = found.classes["page"].slo
    assert (slo.met, slo.unknown) == (None, ["p"])
    assert found.feasible
    (notice,) = [w for w in found.warnings if w.code == "availability_unknown"]
    assert "components.p.availability" in notice.message
    told = lines(found)
    assert "meets every objective that is judged" in told[0]
    (row,) = [line for line in told if line.startswith("page availability | ")]
    assert "at most 99.9" in row
    assert row.endswith("not judged: p unknown")
    path = tmp_path / "a.toml"
    path.write_text(tomli_w.dumps(values))
    ended = capacity("check", path)
    assert ended.code == 0
    assert "NOT JUDGED page availability: at most 99.9" in ended.out


# An upper bound that misses is missed, whatever the unknown partner does.
def test_an_upper_bound_that_misses() -> None:
    found = given(calling(0.999, p=external(0.01), q=external(0.01, availability=0.99)))
    (slo,) = found.classes["page"].slo
    assert (slo.met, slo.unknown) == (False, ["p"])
    assert not found.feasible
    assert "at most 99.0%" in next(line for line in lines(found) if line.startswith("page availability | "))


# With a figure for everything the verdict is plain, either way.
@pytest.mark.parametrize(("promised", "met"), [(1.0, True), (0.99, False)])
def test_known_is_judged(promised: float, met: bool) -> None:  # noqa: FBT001
    (slo,) = given(calling(0.999, p=external(0.01, availability=promised))).classes["page"].slo
    assert (slo.met, slo.unknown) == (met, [])


# Requests that a partner turns away in normal operation were not served: they count as if it were down.
def test_failing_requests_count() -> None:
    alone = given(calling(None)).classes["page"].availability
    rejecting = external(0.01, availability=1, rate_limit=9.5, burst=5, overflow="reject")
    found = given(calling(0.999, p=rejecting)).classes["page"]
    assert alone is not None
    assert found.failed_fraction > 0.01
    assert found.availability == pytest.approx(alone * (1 - found.failed_fraction), rel=1e-12)
    assert found.availability_limited_by is not None
    assert "% of requests, which fail in normal operation" in found.availability_limited_by
    assert found.slo[-1].met is False


# No nodes of ours help against what fails with all of them up: the plan says what fails and not which tier is down.
def test_failing_requests_are_told() -> None:
    rejecting = external(0.01, availability=1, rate_limit=9.5, burst=5, overflow="reject")
    values = changed(calling(0.999, p=rejecting), "components.app.nodes", None)
    (advice,) = planned(values).evaluation.infeasible
    assert "fail in normal operation" in advice.constraint
    assert any("p.rate_limit" in mend or "calls" in mend for mend in advice.mends)


# Whoever needs what is overloaded is never served: 0 %, missed, with the overload for a reason, and listed where the
# report says what cannot be met.
def test_never_up() -> None:
    values = changed(calling(0.999, rate=100, p=external(0.01, rate_limit=50.0)), "components.app.nodes", None)
    found = planned(values).evaluation
    page = found.classes["page"]
    assert (page.availability_at_most, page.downtime_s_per_month) == (0.0, MONTH)
    assert page.availability_limited_by == "overload of p"
    assert [(slo.value, slo.met) for slo in page.slo] == [(0.0, False)]
    told = lines(found)
    assert "page availability | 99.90% | 0% | MISSED" in told
    assert any(line.startswith("page | most by overload of p | 0% | ") for line in told)
    assert [advice.constraint for advice in found.infeasible][-1] == "page: availability"
    assert "0% at best, 99.90% wanted" in found.infeasible[-1].best
    assert [f.constraint for f in found.scenarios["normal"].violations].count("availability") == 1


# A partner that is never there gives 0 % too, and is the reason.
def test_a_partner_that_is_never_there() -> None:
    found = given(calling(0.999, p=external(0.01, availability=0)))
    assert found.classes["page"].availability == 0
    assert "page | most by p | 0% | 30.4 d" in lines(found)


# Who puts messages into a queue needs its brokers: unknown unless the file tells, and then in series.
def test_brokers() -> None:
    worker = service(0.001, 1, mtbf="1d", mttr="1d")
    alone = given(calling(None)).classes["page"].availability
    assert alone is not None
    for promised, expected in ((None, None), (1.0, alone), (0.99, 0.99 * alone)):
        jobs: Values = {"kind": "queue", "consumers": "worker"}
        jobs |= {} if promised is None else {"availability": promised}
        found = given(calling(None, jobs=jobs, worker=worker)).classes["page"]
        assert found.availability == (None if expected is None else pytest.approx(expected, rel=1e-12))
        assert found.availability_unknown == (["jobs"] if promised is None else [])


# A downtime below a second a month is more than assumed lifetimes can tell, and no more digits are shown.
def test_no_more_digits_than_a_second_a_month() -> None:
    values = file({"app": service(0.0001, 2)}, 10)
    found = given(changed(values, "resilience.zones", 3))
    assert 0.01 < (found.classes["page"].downtime_s_per_month or 0) < 1
    assert "page | most by app | over 99.9999% | under 1 s" in lines(found)
