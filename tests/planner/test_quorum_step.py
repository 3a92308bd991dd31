"""Quorum reads as a step: where they are tried, what they bring, and that they are what a plan of the file says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from capacity.document import load
from capacity.next_steps import applied, next_steps, proposed
from capacity.plan import plan
from tests.planner.systems import Values, changed, database, document, file, service

LADDER = Path(__file__).parents[2] / "examples" / "ladder"
STEP = "quorum-reads"


def shop(staleness: float | None = 0.004, **fields: Any) -> Values:
    """Return a file of a database whose replicas are 2 ms and the time to apply a write behind."""
    lag = {"apply_time": 0.002, "network_delay": 0.002} | ({} if staleness is None else {"staleness": staleness})
    own: dict[str, Any] = {"replication": lag, "max_nodes": 9} | fields
    db = database(0.002, 0.004, own.pop("replicas", "auto"), "n2", **own)
    app = service(0.001, None, "n2", calls=[{"to": "db", "count": 2, "writes": 0.2}])
    return file({"app": app, "db": db}, 200, survive=("node",), utilization=0.75, latency={"page": {"p99": 0.5}})


def tried(values: Values) -> dict[str, Any] | None:
    """Return the database that the step would make, None where it does not apply."""
    found = [p for p in proposed(document(values)).proposals if p.name == STEP]
    return found[0].document.values["components"][found[0].subject] if found else None


# Replicas that no count makes fresh enough: the step has a plan, and what it tells is what a plan of its file says.
def test_where_staleness_is_missed() -> None:
    before = document(shop())
    found = next_steps(before, ahead=0)
    assert not found.now.feasible
    assert any("staleness" in fail for fail in found.now.fails)
    step = next(s for s in found.steps if s.name == STEP)
    assert step.feasible
    assert step.brings == ["a plan"]
    assert step.risks
    assert step.assumes
    again = plan(applied(before, STEP).document.topology)
    assert again.feasible
    assert step.counts == again.counts
    assert step.monthly == again.evaluation.cost.monthly
    assert step.classes["page"].p99_s == again.evaluation.classes["page"].p99_s
    assert step.classes["page"].availability == again.evaluation.classes["page"].availability
    assert again.evaluation.tiers["db"].details["quorum"]["strict"]
    assert step.stale_reads == {}
    assert found.now.stale_reads == {"db": None}


# Where the file has a plan, that no read is old is what the step brings; the keys that say nothing of quorums stay.
def test_what_it_brings() -> None:
    values = shop(staleness=None, objects=50, replicas=2)
    found = next_steps(document(values), ahead=0)
    assert found.now.feasible
    assert (found.now.stale_reads["db"] or 0) > 1e-3
    step = next(s for s in found.steps if s.name == STEP)
    assert "no old reads of db" in step.brings
    written = tried(values)
    assert written is not None
    assert written["replicas"] == 2
    wanted = {"mode": "quorum", "read_quorum": 2, "apply_time": 0.002, "network_delay": 0.002}
    assert written["replication"] == wanted


# Nobody is bothered by old reads, or nothing is known of them, or there are none: no step.
@pytest.mark.parametrize(
    "values",
    [
        shop(staleness=None),
        shop(staleness=1.0),
        shop(staleness=None, objects=10**7, popularity=0.0),
        changed(shop(), "components.db.replication.mode", "sync"),
        changed(shop(), "components.db.replication.mode", "quorum"),
        changed(shop(), "components.app.calls.0.writes", 0.0),
        changed(shop(), "components.app.calls.0.writes", 1.0),
        shop(replicas=0),
        shop(replication={"staleness": 0.001}),
    ],
)
def test_where_it_does_not_apply(values: Values) -> None:
    assert tried(values) is None


# Reads that were kept on the primary need not be; one replica is too few, so that the plan chooses how many.
def test_reads_of_the_primary() -> None:
    written = tried(shop(staleness=None, read_from="primary", replicas=1))
    assert written is not None
    assert "read_from" not in written
    assert written["replicas"] == "auto"
    ladder = next_steps(load(str(LADDER / "4-load-balanced.toml")), ahead=0)
    step = next(s for s in ladder.steps if s.name == STEP)
    assert step.feasible
    assert step.counts["db"] == 2


# A zone takes several members at once: all but one is too many to wait for, so that it is a majority.
def test_zones() -> None:
    values = shop()
    values["resilience"] |= {"survive": ["node", "zone"], "zones": 3}
    written = tried(values)
    assert written is not None
    assert written["replication"] == values["components"]["db"]["replication"] | {"mode": "quorum"}
    step = next(s for s in next_steps(document(values), ahead=0).steps if s.name == STEP)
    assert step.feasible


# What answers by quorum already is not told to let replicas answer.
def test_no_read_replicas_of_a_quorum() -> None:
    values = changed(shop(staleness=None, replicas=2), "components.db.replication.mode", "quorum")
    assert not [p for p in proposed(document(values)).proposals if p.name == "read-replicas"]
