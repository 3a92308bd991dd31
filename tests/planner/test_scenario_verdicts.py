from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import tomli_w

from capacity.errors import DocumentError
from capacity.scenarios import SCENARIOS
from tests.capacity.running import capacity
from tests.planner.events import case, held, told, used
from tests.planner.systems import cache, changed, database, external, file, planned, service, sized
from tests.planner.test_scenarios import shop

if TYPE_CHECKING:
    from tests.planner.systems import Values


def gateway(
    call: Values | None = None, app_threads: int | None = 50, web_threads: int = 300, **resilience: Any
) -> Values:
    """Return two tiers with threads above a partner that only one of two classes waits for."""
    calls = [{"to": "db"}, {"to": "pay", "classes": ["buy"]} | (call or {})]
    threads = {} if app_threads is None else {"threads": app_threads}
    tiers = {
        "web": service(0.0005, 2, "n4", threads=web_threads, calls=[{"to": "app"}]),
        "app": service(0.004, 2, "n4", calls=calls) | threads,
        "db": database(0.001, node="n4"),
        "jobs": {"kind": "queue", "consumers": "worker", "partitions": 20},
        "worker": service(0.001, 2, "n4", threads=30, calls=[{"to": "pay"}]),
        "pay": external(0.05),
    }
    goals = {"page": {"p99": 0.05}, "buy": {"p99": 0.4}}
    values = file(tiers, {"page": 200.0, "buy": 20.0}, utilization=0.8, latency=goals)
    return changed(values, "resilience", {"survive": ["partner_down"]} | resilience)


# A partner that hangs takes the threads of everything above it, two tiers up, and whoever shares them gets no answer:
# the class that waits is not judged, the one that shares is.
def test_a_hung_partner_takes_all_threads() -> None:
    found = case(gateway(), "partner_down", "pay")
    for tier in ("web", "app"):
        assert used(found, tier)["threads"] >= held(found, tier)["threads"]
    assert {name: seen.p99_s for name, seen in found.classes.items()} == {"page": None, "buy": None}
    assert {seen.failed_fraction for seen in found.classes.values()} == {1.0}
    missed = {v.name for v in found.violations}
    assert "buy" in found.excused
    assert {"app", "page"} <= missed
    assert "buy" not in missed
    assert not told(gateway()).feasible


# Threads are shared two tiers up as well: a class that a web server answers by itself waits for one of its threads.
def test_a_hung_partner_reaches_who_goes_no_further() -> None:
    values = changed(gateway(), "components.web.calls", [{"to": "app", "classes": ["buy"]}])
    found = case(values, "partner_down", "pay")
    assert case(values, "normal").classes["page"].p99_s is not None
    assert found.classes["page"].p99_s is None
    assert ("page", "p99") in {(v.name, v.constraint) for v in found.violations}
    pooled = changed(values, "components.web.calls.0.pool", 100)
    assert case(pooled, "partner_down", "pay").classes["page"].p99_s == pytest.approx(
        case(pooled, "normal").classes["page"].p99_s, rel=0.01
    )


# Any of these stops it: a timeout, also with a retry, a pool of the call, a queue in between. The other class is then
# served as ever, and how many threads the partner holds is what the call allows.
@pytest.mark.parametrize(
    ("call", "threads", "failed"),
    [
        ({"timeout": 1.0}, 20 * 1.0, 1.0),
        ({"timeout": 1.0, "retries": 1}, 20 * 2.0, 1.0),
        ({"pool": 15}, 2 * 15, 1.0),
        ({"to": "jobs"}, 0.0, 0.0),
    ],
    ids=["timeout", "retried", "pool", "queue"],
)
def test_a_hung_partner_is_stopped(call: Values, threads: float, failed: float) -> None:
    found, normal = case(gateway(call), "partner_down", "pay"), case(gateway(call), "normal")
    assert found.passes
    assert told(gateway(call)).feasible
    assert found.classes["page"].p99_s == pytest.approx(normal.classes["page"].p99_s, rel=0.01)
    assert found.classes["page"].failed_fraction == 0
    # Who got into the pool before it was full is answered, after the outage: some in a thousand.
    assert found.classes["buy"].failed_fraction == pytest.approx(failed, abs=0.01)
    own = used(normal, "app")["threads"] - (20 * 0.05 if "to" not in call else 0.0)
    assert used(found, "app")["threads"] == pytest.approx(threads + own, rel=0.01)


# What hides behind a queue and waits for the partner piles up and is excused; nobody waits for it.
def test_what_hides_behind_a_queue_is_excused() -> None:
    found = case(gateway({"to": "jobs"}), "partner_down", "pay")
    assert {"jobs", "worker"} <= set(found.excused)
    assert not {"page", "buy", "web", "app", "db"} & set(found.excused)
    assert used(found, "worker")["threads"] >= held(found, "worker")["threads"]


# Threads that a timeout does not spare are full when as many have come as were free: free threads over the rate of who
# waits. Not within an outage that is over before, nor where timeouts or pools hold fewer than there are.
@pytest.mark.parametrize(
    ("call", "outage", "full"),
    [
        ({}, 600.0, True),
        ({}, 4.0, False),
        ({"timeout": 4.0}, 600.0, False),
        ({"timeout": 4.0, "retries": 1}, 600.0, True),
        ({"pool": 40}, 600.0, False),
        ({"pool": 60}, 600.0, True),
    ],
)
def test_seconds_until_threads_are_full(call: Values, outage: float, full: bool) -> None:  # noqa: FBT001
    values = gateway(call, outage=outage)
    inside = used(case(values, "normal"), "app")["threads"]
    fact = case(values, "partner_down", "pay").facts["pay"]
    assert fact["outage_s"] == outage
    assert inside == pytest.approx(220 * 0.004 + 220 * 0.001 + 20 * 0.05, rel=0.05)
    seconds = fact["threads_full_s"]["app"]
    assert seconds == (pytest.approx((100 - inside) / 20) if full else None)


# Who writes holds a thread for the failover: its tier is full when as many have come as were free, or never.
@pytest.mark.parametrize(("failover", "full"), [(30.0, True), (5.0, False)])
def test_threads_full_in_a_failover(failover: float, full: bool) -> None:  # noqa: FBT001
    calls = [{"to": "db", "writes": 1.0, "classes": ["buy"]}, {"to": "db", "classes": ["page"]}]
    tiers = {
        "app": service(0.001, 2, "n4", threads=100, calls=calls),
        "db": database(0.001, 0.001, 2, "n4", replication={"failover_time": failover}),
    }
    values = file(tiers, {"page": 100, "buy": 20})
    inside = used(case(values, "normal"), "app")["threads"]
    seconds = case(values, "primary", "db").facts["db"]["threads_full_s"]["app"]
    assert seconds == (pytest.approx((200 - inside) / 20) if full else None)


def fragile() -> Values:
    """Return a file that serves its load and survives nothing at all."""
    reads = {"to": "db", "count": 0.3, "classes": ["b"]}
    calls = [{"to": "redis", "classes": ["a"]}, {"to": "db", "writes": 1.0, "classes": ["a"]}, reads, {"to": "pay"}]
    tiers = {
        "app": service(0.005, 2, "n2", threads=20, calls=calls),
        "redis": cache("db", 0.0001, 1, memory=1e6),
        "db": database(0.008, 0.001, 1, "n1"),
        "pay": external(0.02),
    }
    values = file(tiers, {"a": 180, "b": 300}, utilization=0.9, latency={"b": {"p99": 0.4}}, peak_to_mean=1.1)
    rollout = {"surge": 0.0, "unavailable": 0.5}
    return changed(values, "resilience", {"zones": 2, "survive": [], "deploy": rollout, "surge": 1.5})


# What `survive` names must be passed, and nothing else: the flag, the verdict, what counts as a failure, and the exit
# code of `check`.
@pytest.mark.parametrize("name", sorted(set(SCENARIOS) - {"normal"}))
def test_only_what_is_named_must_be_survived(name: str) -> None:
    values = changed(fragile(), "resilience.survive", [name])
    found = told(values)
    assert {n for n, result in found.scenarios.items() if result.required} == {"normal", name}
    assert found.scenarios["normal"].passes
    assert found.scenarios[name].passes == found.feasible == (name == "mean")
    assert found.failures == found.scenarios[name].violations
    ended = capacity("check", "-", "--json", stdin=tomli_w.dumps(values).encode())
    assert ended.code == (0 if name == "mean" else 1)
    assert ended.json["scenarios"][name]["required"] is True


# With nothing to survive the same system is fine, however much would fail.
def test_nothing_to_be_survived() -> None:
    found = told(fragile())
    assert [n for n, result in found.scenarios.items() if not result.passes] == [
        n for n in SCENARIOS if n not in ("normal", "mean")
    ]
    assert found.feasible
    assert not found.failures
    assert capacity("check", "-", stdin=tomli_w.dumps(fragile()).encode()).code == 0


# Whatever more nodes can help, a plan that must survive it survives it, and costs more than one that need not.
@pytest.mark.parametrize("name", ["node", "zone", "deploy", "cache_cold", "primary", "surge"])
def test_a_plan_survives(name: str) -> None:
    values = fragile()
    for path in ("app.nodes", "redis.nodes", "db.replicas"):
        values = changed(values, f"components.{path}", None)
    free, plan = planned(values), planned(changed(values, "resilience.survive", [name]))
    assert not free.evaluation.scenarios[name].passes
    assert plan.feasible
    assert plan.evaluation.scenarios[name].passes
    assert plan.evaluation.cost.monthly > free.evaluation.cost.monthly


# Surviving a partner that hangs costs nothing where a timeout or a queue stops it; without, threads for all that hang.
@pytest.mark.parametrize("call", [{"timeout": 1.0}, {"to": "jobs"}], ids=["timeout", "queue"])
def test_a_stopped_partner_costs_nothing(call: Values) -> None:
    def counts(call: Values, survive: list[str]) -> dict[str, int]:
        values = changed(gateway(call, outage=30.0), "resilience.survive", survive)
        for tier in ("web", "app", "worker"):
            values = changed(values, f"components.{tier}.nodes", None)
        return sized(values).counts

    assert counts(call, ["partner_down"]) == counts(call, [])
    # 20/s for 30 s of 50 threads each, four fifths of which may be in use: 15 nodes, and one for everything else.
    assert counts({}, ["partner_down"])["app"] == 16


# A scenario is named as it is told, or the file is refused.
def test_unknown_scenario() -> None:
    with pytest.raises(DocumentError, match="survive"):
        told(changed(fragile(), "resilience.survive", ["nodes"]))


# Every scenario is told for a system that has all it could happen to; only for such: no second zone, no peak above the
# mean, no cache, no database and no partner leave what remains.
def test_scenarios_that_can_happen() -> None:
    assert list(told(shop()).scenarios) == list(SCENARIOS)
    alone = told(file({"app": service(0.01, 2, "n4")}, 100))
    assert set(alone.scenarios) == {"normal", "node", "deploy", "surge"}


# Scripts read every scenario the same way, and find in it the worst of its cases.
def test_json() -> None:
    ended = capacity("evaluate", "-", "--json", stdin=tomli_w.dumps(shop()).encode())
    scenarios = ended.json["scenarios"]
    assert list(scenarios) == list(SCENARIOS)
    for result in scenarios.values():
        assert {"passes", "required", "violations", "classes", "worst", "cases"} <= set(result)
        assert result["passes"] == all(case["passes"] for case in result["cases"])
        assert result["worst"] in [case["subject"] for case in result["cases"]]
        for one in result["cases"]:
            assert {"subject", "when", "passes", "violations", "excused", "classes", "limits", "facts"} <= set(one)
            assert one["passes"] == (not one["violations"])
            assert set(one["limits"]) == set(shop()["components"])
        for name, seen in result["classes"].items():
            times = [case["classes"][name]["p99_s"] for case in result["cases"]]
            assert seen["p99_s"] == (None if None in times else max(times))
            assert seen["failed_fraction"] == max(case["classes"][name]["failed_fraction"] for case in result["cases"])
    assert scenarios["normal"]["cases"][0]["when"] == ""
    assert {case["subject"] for case in scenarios["node"]["cases"]} == {"web", "app", "redis", "db", "worker"}
    assert {case["subject"] for case in scenarios["deploy"]["cases"]} == {"web", "app", "worker"}
    assert {case["subject"] for case in scenarios["surge"]["cases"]} == {"browse", "buy"}
    assert {case["subject"] for case in scenarios["partner"]["cases"]} == {"pay", "courier"}


# Two queues share consumers whose threads all hang for the messages of one: the other's messages pile up although they
# need no partner, so that it is judged as a class that shares threads is.
def test_queue_that_shares_consumers() -> None:
    tiers = {
        "app": service(0.001, 1, "n4", calls=[{"to": "q1", "classes": ["a"]}, {"to": "q2", "classes": ["b"]}]),
        "q1": {"kind": "queue", "consumers": "w", "partitions": 40, "delay": 1.0},
        "q2": {"kind": "queue", "consumers": "w", "partitions": 40, "delay": 1.0},
        "w": service(0.001, 1, "n4", threads=40, calls=[{"to": "pay", "classes": ["a"]}]),
        "pay": external(0.01),
    }
    found = case(file(tiers, {"a": 10, "b": 10}), "partner_down", "pay")
    assert "q2" not in found.excused
    assert not found.passes
