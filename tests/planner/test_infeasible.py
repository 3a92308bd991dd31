from __future__ import annotations

import re

import pytest

from capacity.document import scaled
from capacity.search import Search
from capacity.sizing import MOST_CANDIDATES, size
from capacity.system import resolve
from tests.planner.systems import Values, changed, database, external, file, planned, service, topology


def behind(tier: Values, rate: float = 200, **call: object) -> Values:
    """Return a file of a free app that calls one tier."""
    app = service(0.001, None, "n2", calls=[{"to": "below"} | call])
    return file({"app": app, "below": tier}, rate, utilization=0.75)


CASES = {
    "rate of a partner": behind(external(0.05, rate_limit=150.0)),
    "concurrency of a partner": behind(external(0.05, concurrency_limit=8)),
    "latency below pure service": file({"app": service(0.02, None)}, latency={"page": {"p99": 0.05}}),
    "mean below pure service": file({"app": service(0.02, None)}, latency={"page": {"mean": 0.01}}),
    "writes on one primary": behind(database(0.001, 0.01, "auto", "r6i.large"), 300, writes=0.8),
    "connections": behind(database(0.0001, 0, "auto", "n4", max_connections=100), 4000, pool=45),
    "memory": file({"app": service(0.001, None, "c6i.large", memory="6GiB")}),
    "memory of its own type": changed(
        file({"app": service(0.001, None, memory="6GiB")}), "node_types.n1.memory", "4GiB"
    ),
    "threads of given nodes": file(
        {"app": service(0.001, 4, threads=10, calls=[{"to": "p"}]), "p": external(0.25)}, 200, utilization=0.75
    ),
    "applying on shards": behind(
        database(0.0001, 0.0001, 1, "n4", shards=2, replication={"apply_time": 0.01}), 300, writes=1.0
    ),
    "too few given nodes": file({"app": service(0.02, 2)}, 150, utilization=0.75),
    "a bound of nodes": file({"app": service(0.02, None, max_nodes=2)}, 150, utilization=0.75),
    "one node that may be lost": file({"app": service(0.02, 1)}, 10, survive=("node",)),
    "a delay of messages": file(
        {
            "app": service(0.0001, None, calls=[{"to": "jobs"}]),
            "jobs": {"kind": "queue", "consumers": "worker", "partitions": 99, "delay": 0.05},
            "worker": service(0.02, None),
        }
    ),
}


def applied(values: Values, mend: str) -> Values | None:
    """Return the file with a mend's words followed to the letter; None where they are no change of a key."""
    found = re.match(
        r"(?P<path>[\w.]+)\.(?P<key>\w+)(?:: at least| =|: more than) \"?(?P<value>[\w.,]+( \w+)?)\"?", mend
    )
    if "left out" in mend:
        return changed(values, mend.split(maxsplit=1)[0].rstrip(":"), None)
    if found is None:
        return None
    value = found["value"].replace(",", "")
    number = float(value) if re.fullmatch(r"[\d.]+", value) else value
    whole = int(number) if isinstance(number, float) and number == int(number) else number
    if "more than" in mend and isinstance(whole, int):
        whole *= 2
    return changed(values, f"{found['path']}.{found['key']}", whole)


# Whatever cannot be met, a plan says so, with what would mend it; one of the mends, followed to the letter, does.
@pytest.mark.parametrize("name", CASES)
def test_a_mend_makes_it_feasible(name: str) -> None:
    plan = planned(CASES[name])
    assert not plan.feasible
    assert plan.evaluation.infeasible
    mends = [mend for advice in plan.evaluation.infeasible for mend in advice.mends]
    mended = [changes for mend in mends if (changes := applied(CASES[name], mend)) is not None]
    assert any(planned(values).feasible for values in mended), mends


# The first mend alone is enough: it is the smallest change, not one of several that are needed.
@pytest.mark.parametrize("name", CASES)
def test_the_first_mend_is_enough(name: str) -> None:
    (first, *_) = planned(CASES[name]).evaluation.infeasible[0].mends
    values = applied(CASES[name], first)
    assert values is not None, first
    assert planned(values).feasible, first


# The load for which something is feasible is feasible, and 5 % more of it is not.
@pytest.mark.parametrize(
    "name", [n for n in CASES if "rate" in n or "concurrency" in n or "nodes" in n or "one p" in n]
)
def test_feasible_load(name: str) -> None:
    values = CASES[name]
    share = planned(values).evaluation.feasible_load
    if share is None:
        assert name == "one node that may be lost"
        return
    path = "workload.classes.page.rate"
    rate = values["workload"]["classes"]["page"]["rate"]
    assert planned(changed(values, path, rate * share)).feasible
    assert not planned(changed(values, path, rate * share * 1.05)).feasible


# A limit of zero load: where pure service is too slow, no load at all is feasible.
def test_no_load_is_feasible() -> None:
    assert planned(CASES["latency below pure service"]).evaluation.feasible_load is None


# What is told as needed and allowed is the arithmetic of the file.
def test_constraint_is_told() -> None:
    (advice,) = planned(CASES["rate of a partner"]).evaluation.infeasible
    assert advice.constraint == "below: rate at most 150/s"
    assert "200/s needed" in advice.best


# Whether a plan exists is told with a few candidates, after which the search settles: as it is with hundreds.
@pytest.mark.parametrize("name", CASES)
def test_existence_needs_few_candidates(name: str) -> None:
    for load in (0.3, 0.7, 1.0):
        few, many = (
            size(Search.of(resolve(scaled(topology(CASES[name]), load))), most) for most in (3, MOST_CANDIDATES)
        )
        assert few.candidates <= 60
        assert (few.conflict is None) == (many.conflict is None)
