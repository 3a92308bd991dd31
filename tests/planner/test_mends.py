"""What is told to mend something, followed to the letter, does; what is told of an outage is what keeps it bearable."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

import msgspec
import pytest
import tomli_w

from capacity.advice import _more_nodes
from capacity.document import load
from capacity.plan import as_given
from capacity.report import sections
from capacity.results import Advice
from capacity.search import Search
from capacity.system import resolve
from capacity.trial import Trial
from capacity.units import show_percent
from tests.capacity.running import EXAMPLES, capacity
from tests.planner.events import case
from tests.planner.systems import Values, cache, changed, database, external, file, planned, service, topology
from tests.planner.test_infeasible import applied
from tests.planner.test_scenario_verdicts import gateway

if TYPE_CHECKING:
    from pathlib import Path

    from capacity.results import Evaluation


def followed(values: Values, mend: str) -> Values:
    """Return the file with the words of a mend followed to the letter."""
    calls = re.findall(r"components\.(\w+)\.calls\[(\d+)\]", mend)
    if not calls:
        result = applied(values, mend)
        assert result is not None, mend
        return result
    found = re.search(r"(timeout|pool)(?:: at most| =) ([\d.]+)( ms)?", mend)
    assert found is not None, mend
    value = float(found[2]) * (1e-3 if found[3] else 1.0) if found[1] == "timeout" else int(found[2])
    for name, index in calls:
        values = changed(values, f"components.{name}.calls.{index}.{found[1]}", value)
    return values


def told(values: Values, constraint: str) -> Advice:
    """Return the advice against a constraint."""
    return next(a for a in planned(values).evaluation.infeasible if a.constraint.startswith(constraint))


def lines(found: Evaluation) -> list[str]:
    """Return the report as lines, the cells of tables with bars between."""
    return [line for s in sections(found) for line in (s.title, *map(" | ".join, s.rows), *s.notes)]


def slow_partner(**call: float) -> Values:
    """Return an app whose partner has room for what it takes on ordinary days, and none for when it is slow."""
    tiers = {
        "app": service(0.002, 2, "n4", calls=[{"to": "pay"} | call]),
        "pay": external(0.3, concurrency_limit=60),
    }
    return file(tiers, 100, survive=("partner",), utilization=0.8)


CASES = {
    "a slow partner": (slow_partner(), "pay: concurrency"),
    "a slow partner that is asked again": (slow_partner(timeout=1.0, retries=2), "pay: concurrency"),
    "more nodes than the default": (file({"app": service(0.02, None)}, 70_000, utilization=0.75), "app: cores"),
    "connections through a cache": (
        file(
            {
                "app": service(0.001, 6, "n4", threads=80, calls=[{"to": "near"}, {"to": "db", "writes": 1.0}]),
                "near": cache("db", 0.0, host="app", ttl=10.0, memory=5e5),
                "db": database(0.0005, 0.0005, 0, "n4", max_connections=300),
            },
            100,
            utilization=0.75,
        ),
        "db: connections",
    ),
    "connections through two caches": (
        file(
            {
                "app": service(0.001, 6, "n4", threads=80, calls=[{"to": "near"}]),
                "near": cache("far", 0.0, host="app", ttl=10.0, memory=5e5),
                "far": cache("db", 0.0001, memory=8e5),
                "db": database(0.0005, 0.0005, 0, "n4", max_connections=300),
            },
            100,
            utilization=0.75,
        ),
        "db: connections",
    ),
    "partitions": (
        file(
            {
                "app": service(0.0001, 1, "n4", calls=[{"to": "jobs"}]),
                "jobs": {"kind": "queue", "consumers": "worker", "partitions": 2},
                "worker": service(0.05, None),
            },
            100,
            utilization=0.75,
        ),
        "worker: cores",
    ),
    "a partner that hangs": (
        changed(changed(gateway(), "components.app.nodes", None), "components.app.max_nodes", 20),
        "app: threads",
    ),
}


# Every mend that is a change of keys, followed to the letter, takes away the constraint that it is told for.
@pytest.mark.parametrize("name", CASES)
def test_every_mend_mends(name: str) -> None:
    values, constraint = CASES[name]
    advice = told(values, constraint)
    mends = [mend for mend in advice.mends if not mend.startswith("a queue in front")]
    assert mends
    for mend in mends:
        after = planned(followed(values, mend)).evaluation
        assert not any(a.constraint.startswith(constraint) for a in after.infeasible), mend


# More nodes than are allowed are told only where those that are allowed do not do: raising a bound that does not bind
# mends nothing. What has no mend is told as that.
@pytest.mark.parametrize(("most", "mends"), [(1000, []), (2, ["components.app.max_nodes: at least 4"])])
def test_a_bound_that_is_not_in_the_way(most: int, mends: list[str]) -> None:
    system = resolve(topology(file({"app": service(0.02, None, max_nodes=most)}, 150, utilization=0.75)))
    search = Search.of(system)
    conflict = next(search.conflicts({"app": 1}))
    # Counts of another candidate than the last, as a search that does not settle leaves them.
    assert _more_nodes(Trial(system, {"app": 1}), conflict) == mends
    none = msgspec.structs.replace(
        planned(CASES["partitions"][0]).evaluation, infeasible=[Advice("app: cores", "3 needed", [])]
    )
    assert any("nothing that can be raised by itself" in line for line in lines(none))


# Where the count that takes this limit away does not do in another event, the bound that is told is the one that does.
@pytest.mark.parametrize(("name", "tier", "most"), [("5-read-replicas", "db", 2), ("5-read-replicas", "app", 1)])
def test_a_bound_that_all_events_need(name: str, tier: str, most: int) -> None:
    values = load(str(EXAMPLES / "ladder" / f"{name}.toml")).values
    narrow = changed(values, f"components.{tier}.max_nodes", most)
    mends = [mend for advice in planned(narrow).evaluation.infeasible for mend in advice.mends]
    assert f"components.{tier}.max_nodes: at least 4" in mends
    assert planned(changed(values, f"components.{tier}.max_nodes", 4)).evaluation.feasible


# A pool is told for every call that leads to the database, and all of them together stay within its limit.
def test_a_pool_for_all_calls() -> None:
    values, constraint = CASES["connections through a cache"]
    (mend,) = [m for m in told(values, constraint).mends if "pool" in m]
    assert "components.app.calls[0]" in mend
    assert "components.app.calls[1]" in mend
    assert planned(followed(values, mend)).feasible


# Where nothing is left without a zone, another zone is told as the mend only where nodes may stand in it.
@pytest.mark.parametrize(("nodes", "helps"), [(1, False), (2, True)])
def test_zones_that_help(nodes: int, helps: bool) -> None:  # noqa: FBT001
    values = file({"app": service(0.001, nodes)}, 10, survive=("zone",))
    mends = told(values, "app without a zone").mends
    assert mends[0].startswith("resilience.zones: at least 2") == helps
    if helps:
        assert planned(changed(values, "resilience.zones", 2)).feasible
    else:
        both = changed(changed(values, "resilience.zones", 2), "components.app.nodes", None)
        assert mends[0].startswith("components.app.nodes left out and resilience.zones: at least 2")
        assert planned(both).feasible


# Zones are told against too much downtime where they are enough, and not where a given count of nodes needs them all.
@pytest.mark.parametrize(("nodes", "helps"), [(None, True), (1, False)])
def test_zones_against_downtime(nodes: int | None, helps: bool) -> None:  # noqa: FBT001
    values = changed(file({"app": service(0.001, nodes)}, 10), "slo.availability", 0.9999)
    mends = told(values, "page: availability").mends
    assert any(mend.startswith("resilience.zones: at least 2") for mend in mends) == helps
    assert planned(changed(values, "resilience.zones", 2)).feasible == helps


# Nothing is told twice, and no key twice with different values.
@pytest.mark.parametrize("name", CASES)
def test_no_mend_twice(name: str) -> None:
    values, constraint = CASES[name]
    keys = [mend.split(":")[0] for mend in told(values, constraint).mends]
    assert len(set(keys)) == len(keys)


# A timeout or a pool comes before the nodes that an outage of a partner would take.
def test_timeouts_before_nodes() -> None:
    values, constraint = CASES["a partner that hangs"]
    first, second, *_ = told(values, constraint).mends
    assert "timeout: at most" in first
    assert "pool: at most" in second


# Where nodes are there for the outage of a partner alone, the plan names the timeout that does instead: with it, the plan
# has as few nodes as it says, and passes.
def test_a_timeout_instead_of_nodes() -> None:
    values = changed(changed(gateway(), "components.web.nodes", None), "components.app.nodes", None)
    found = planned(values)
    assert found.counts["app"] > 100
    (notice,) = [w for w in found.evaluation.warnings if w.code == "mend_before_nodes" and w.tier == "app"]
    after = planned(followed(values, notice.message.split("with ")[1]))
    assert after.feasible
    assert f"{after.counts['app']} would do" in notice.message
    assert after.counts["app"] < 5
    with_timeout = changed(values, "components.app.calls.1.timeout", 1.0)
    assert not [w for w in planned(with_timeout).evaluation.warnings if w.code == "mend_before_nodes"]


# What keeps threads free while a partner hangs is told as it is: a timeout, or as many threads as there are waiters.
def test_what_keeps_threads_free() -> None:
    many = gateway(app_threads=8000, web_threads=8000, outage=60.0)
    waiting = lines(as_given(topology(many)).evaluation)
    assert "partner down: app has threads for all who wait 60 s for pay" in waiting
    bounded = lines(as_given(topology(gateway({"timeout": 1.0}))).evaluation)
    assert "partner down: timeouts or a pool keep the threads of app from being all taken with pay down" in bounded
    assert "partner down: timeouts or a pool keep the threads of web from being all taken with pay down" in bounded


# Seen during the outage, the headline says who is excused, and nobody is said to hold threads that do not exist.
def test_who_is_excused_is_told() -> None:
    values = gateway({"timeout": 1.0})
    found = lines(as_given(topology(values), "partner_down").evaluation)
    assert "meets every objective that is judged (not buy: excused)" in found[0]
    assert any(line.startswith("pay: would hold 12,000 of our threads, if there were as many") for line in found)


def writing(replicas: int, rate: float = 100) -> Values:
    """Return an app with 200 threads whose requests all write to a database."""
    app = service(0.001, 2, "n4", threads=100, calls=[{"to": "db", "writes": 1.0}])
    return file({"app": app, "db": database(0.001, 0.001, replicas, "n4")}, rate, utilization=0.8)


# Threads that are all taken before another primary takes writes are a warning, since no verdict judges that time.
def test_threads_full_in_a_failover_are_a_warning() -> None:
    found = as_given(topology(writing(1))).evaluation
    (notice,) = [w for w in found.warnings if w.code == "threads_full_in_failover"]
    assert notice.tier == "app"
    assert "into the failover of db: nobody is answered from then until 30 s" in notice.message
    assert any("which no verdict judges" in line for line in lines(found))
    calm = as_given(topology(writing(1, rate=5))).evaluation
    assert not [w for w in calm.warnings if w.code == "threads_full_in_failover"]


# Without a replica there is nothing to fail over to: the database is away until its node is replaced.
def test_no_replica_takes_a_repair() -> None:
    fact = case(changed(writing(0), "components.db.mttr", "10min"), "primary", "db").facts["db"]
    assert (fact["failover_s"], fact["repair_s"], fact["writes_held"]) == (None, 600, pytest.approx(60_000))
    found = lines(as_given(topology(writing(0))).evaluation)
    assert "primary lost: db has no replica: it is down until its node is replaced, 30 min" in found
    assert not any("takes no write for" in line for line in found)


# A deploy may bring connections over the ceiling, and the report says that it does.
@pytest.mark.parametrize(("most", "over"), [(110, True), (400, False)])
def test_a_deploy_over_the_ceiling_is_told(most: int, over: bool) -> None:  # noqa: FBT001
    app = service(0.01, 8, threads=10, calls=[{"to": "db"}])
    values = file({"app": app, "db": database(0.0001, node="n4", max_connections=most)}, 100, utilization=0.75)
    found = case(values, "deploy", "app")
    assert found.passes
    shown = "deploy: db uses 91% of its connections meanwhile: a deploy may go over the ceiling of 75%"
    assert (shown in lines(as_given(topology(values)).evaluation)) == over


# A total that something unknown enters is a lower bound over the whole horizon as well.
def test_at_least_over_the_horizon() -> None:
    values = file({"app": service(0.001, 2)}, 10)
    total = next(line for line in lines(as_given(topology(values)).evaluation) if line.startswith("total: "))
    assert "; 5,256.00 over 36 months" in total
    values = changed(values, "node_types.n1.price", None)
    total = next(line for line in lines(as_given(topology(values)).evaluation) if line.startswith("total: "))
    assert "; at least 0.00 over 36 months" in total


# The break-even of a reservation keeps its tenth: 0.120 of 0.192 an hour is 62.5 % (m5.xlarge, early 2026).
def test_break_even_keeps_its_tenth() -> None:
    values = file({"app": service(0.001, 2)}, 10)
    values = changed(changed(values, "node_types.n1.price", 0.192), "node_types.n1.reserved_1y", 0.12)
    found = lines(as_given(topology(values)).evaluation)
    assert any(line.endswith("runs more than 62.5% of its hours") for line in found)


# The cost names the user's own price book and its date, where a tier's node is from it.
def test_a_book_is_named(tmp_path: Path) -> None:
    book, path = tmp_path / "mine.csv", tmp_path / "a.toml"
    book.write_text("# date: 2026-11\nname,vcpus,on_demand_hourly\nmine.big,4,0.2\n")
    for node, named in (("mine.big", True), ("n1", False)):
        path.write_text(tomli_w.dumps(file({"app": service(0.001, 2, node)}, 10)))
        ended = capacity("evaluate", path, "--prices", str(book), "--only", "cost")
        assert ended.code == 0
        assert ("2026-11" in ended.out) == named


# A percentile that is missed since too many fail is met by no later objective alone: what is told is the share that
# fails, a timeout with which the rest is in time, and a queue; followed to the letter, a plan exists.
@pytest.mark.parametrize(("goal", "retries"), [("p99", 2), ("p95", 1), ("p90", 0)])
def test_missed_by_failures(goal: str, retries: int) -> None:
    calls = [{"to": "p", "timeout": 1.0, "retries": retries}]
    values = file(
        {"app": service(0.005, None, calls=calls), "p": external(0.1)},
        100,
        survive=("partner",),
        latency={"page": {goal: 1.0}},
    )
    (advice,) = planned(values).evaluation.infeasible
    # A slow try takes 1 s on average, exponential, so that every try fails with exp(-1).
    assert advice.best.startswith(f"at best {show_percent(math.exp(-(retries + 1)))} of its requests fail")
    first, queue = advice.mends
    assert queue.startswith("a queue in front of p")
    found = re.fullmatch(
        r"components\.app\.calls\[0\]\.timeout: at least ([\d.]+) s"
        rf"(?:, with slo\.latency\.page\.{goal}: at least ([\d.]+) s)?",
        first,
    )
    assert found is not None, first
    mended = changed(values, "components.app.calls.0.timeout", float(found[1]))
    mended = changed(mended, f"slo.latency.page.{goal}", float(found[2] or 1.0))
    assert planned(mended).feasible
    assert not planned(changed(values, f"slo.latency.page.{goal}", 100.0)).feasible, "a later objective alone does not"
