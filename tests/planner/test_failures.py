from __future__ import annotations

import pytest

from tests.planner.systems import evaluated, external, file, planned, service


def waiting(timeout: float, retries: int, **partner: object) -> dict[str, object]:
    """Return an app that calls a partner of 300 ms, exponential, with a timeout."""
    calls = [{"to": "p", "timeout": timeout, "retries": retries}]
    return {"app": service(0.001, 4, "n4", calls=calls), "p": external(0.3, **partner)}


# A request whose tries all time out has failed: it misses a percentile although it was fast.
def test_failed_requests_miss_their_percentile() -> None:
    values = file(waiting(0.2, 1), 10, latency={"page": {"p99": 1.0}})
    found = evaluated(values)
    share = (2.718281828459045 ** (-0.2 / 0.3)) ** 2
    assert found.classes["page"].failed_fraction == pytest.approx(share, rel=1e-6)
    assert found.classes["page"].p99_s is not None
    assert found.classes["page"].p99_s < 1.0
    assert not found.feasible
    assert any(w.code == "failed_requests" for w in found.warnings)


# Without a timeout nothing fails, and a mean looks at times only.
def test_nothing_fails_without_a_timeout() -> None:
    values = file(waiting(0.2, 1), 10, latency={"page": {"mean": 1.0}})
    assert evaluated(values).feasible
    patient = file(waiting(30.0, 1), 10, latency={"page": {"p99": 2.0}})
    assert evaluated(patient).classes["page"].failed_fraction < 1e-12


# Two calls that each fail with probability q make a request fail with 1 - (1 - q)^2.
def test_failures_of_several_calls() -> None:
    tiers = waiting(0.2, 0)
    app = service(0.001, 4, "n4", calls=[{"to": "p", "timeout": 0.2, "count": 2}])
    q = 2.718281828459045 ** (-0.2 / 0.3)
    found = evaluated(file({**tiers, "app": app}, 10))
    assert found.classes["page"].failed_fraction == pytest.approx(1 - (1 - q) ** 2, rel=1e-6)


# The advice for a partner's limit asks for the first tries, not for the storm of retries that its overload causes.
def test_the_mend_of_a_partner_leaves_retries_out() -> None:
    values = file(waiting(5.0, 2, rate_limit=60.0), 90)
    (advice,) = [a for a in planned(values).evaluation.infeasible if a.constraint.startswith("p: rate")]
    assert "of which 180/s retries" in advice.best
    assert advice.mends == ["components.p.rate_limit: at least 95"]


# What no count can meet does not cost the other tiers the nodes that they need.
def test_hopeless_constraints_leave_the_rest_planned() -> None:
    tiers = waiting(5.0, 0) | {"app": service(0.01, None, "n2", calls=[{"to": "p", "timeout": 5.0}])}
    well = planned(file(tiers, 200, utilization=0.7, survive=("node",)))
    short = planned(file(tiers | {"p": external(0.3, rate_limit=100.0)}, 200, utilization=0.7, survive=("node",)))
    assert well.feasible
    assert not short.feasible
    assert short.counts == well.counts
    assert short.evaluation.tiers["app"].why == well.evaluation.tiers["app"].why


# Every constraint that no count can meet is named at once: the objective and the overload behind it.
def test_every_hopeless_constraint_is_named() -> None:
    values = file({"app": service(9.0, None, "n2")}, 1000, latency={"page": {"p99": 1.0, "mean": 0.5}})
    named = {advice.constraint.split(" ")[1] for advice in planned(values).evaluation.infeasible}
    assert named == {"cores", "p99", "mean"}


# A given count that is far too small leaves other tiers as they would be: the search does not pile nodes elsewhere.
def test_an_overloaded_given_tier_does_not_inflate_others() -> None:
    tiers = {
        "web": service(0.001, None, "n2", calls=[{"to": "app"}]),
        "app": service(0.02, 1, "n2", calls=[{"to": "db", "count": 2}]),
        "db": service(0.002, None, "n2"),
    }
    short = planned(file(tiers, 300, utilization=0.7, latency={"page": {"p99": 0.3}}))
    well = planned(
        file(tiers | {"app": service(0.02, 9, "n2", calls=[{"to": "db", "count": 2}])}, 300, utilization=0.7)
    )
    assert not short.feasible
    assert {n: short.counts[n] for n in ("web", "db")} == {n: well.counts[n] for n in ("web", "db")}
