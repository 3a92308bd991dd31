from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from capacity.document import from_values, load, parse
from capacity.errors import UsageError
from capacity.next_report import sections
from capacity.next_steps import Next, applied, next_steps, proposed
from capacity.plan import plan
from capacity.rewriting import rewritten
from capacity.steps import steps
from tests.planner.systems import Values, cache, changed, database, document, external, file, service

ROOT = Path(__file__).parents[2]
LADDER = ROOT / "examples" / "ladder"

# Each file of the ladder at the load at which its comments say that it breaks or gets dear, and the next file's change.
CLIMB = [
    ("1-one-server", 2.0, "separate", "db"),
    ("2-separate-database", 1.5, "separate", "web"),
    ("3-web-and-app-servers", 1.33, "more-nodes", "app"),
    ("4-load-balanced", 2.0, "read-replicas", "db"),
    ("5-read-replicas", 1.5, "local-cache", "db"),
    ("6-local-cache", 1.5, "global-cache", "cache"),
    ("7-global-cache", 1.33, "queue-in-front", "courier"),
]


def names(found: Next) -> list[tuple[str, str]]:
    """Return the steps that are told, by name and subject."""
    return [(step.name, step.subject) for step in found.steps]


def of(values: Values) -> set[tuple[str, str]]:
    """Return the steps that apply to a file."""
    return {(p.name, p.subject) for p in proposed(document(values)).proposals}


# Where a file of the ladder breaks, its next file's change is among the first steps that make a plan feasible again.
@pytest.mark.parametrize(("example", "load_factor", "name", "subject"), CLIMB)
def test_the_ladder_finds_its_own_steps(example: str, load_factor: float, name: str, subject: str) -> None:
    found = next_steps(load(str(LADDER / f"{example}.toml"), (), load_factor), ahead=0)
    assert (name, subject) in names(found)
    step = next(s for s in found.steps if (s.name, s.subject) == (name, subject))
    assert step.feasible
    assert names(found).index((name, subject)) < 5
    assert found.now.feasible == (example.startswith(("5", "6", "7")))


# A queue is the only step with which orders are answered within half a second: the ladder's last promise.
def test_only_a_queue_answers_before_the_partner_does() -> None:
    overrides = ["slo.latency.order.p99=500ms"]
    found = next_steps(load(str(LADDER / "7-global-cache.toml"), overrides, 1.33), ahead=0)
    assert not found.now.feasible
    assert [(s.name, s.subject) for s in found.steps if s.feasible] == [("queue-in-front", "courier")]


# What is told of a step is what `capacity plan` says of the file that --apply writes.
@pytest.mark.parametrize(
    ("example", "load_factor"), [("1-one-server", 2.0), ("4-load-balanced", 1.0), ("5-read-replicas", 1.5)]
)
def test_told_is_what_a_plan_of_the_written_file_says(example: str, load_factor: float) -> None:
    path = LADDER / f"{example}.toml"
    text, before = path.read_text(), load(str(path), (), load_factor)
    found = next_steps(before, ahead=0)
    now = plan(before.topology)
    assert found.steps
    for step in found.steps:
        changed_document = applied(before, f"{step.name}:{step.subject}").document
        again = plan(parse(rewritten(text, changed_document.values), "again.toml", (), load_factor).topology)
        assert step.counts == again.counts
        assert step.feasible == again.feasible
        assert step.monthly == again.evaluation.cost.monthly
        assert step.monthly_change == pytest.approx(step.monthly - now.evaluation.cost.monthly, abs=1e-9)
        for name, seen in step.classes.items():
            told = again.evaluation.classes[name]
            assert (seen.p99_s, seen.availability) == (told.p99_s, told.availability)
        assert bool(step.fails) != step.feasible


# A step that is written keeps every line of the file that it does not concern, comments included.
@pytest.mark.parametrize(("example", "name"), [(e, f"{n}:{s}") for e, _, n, s in CLIMB])
def test_what_is_written_keeps_the_comments(example: str, name: str) -> None:
    text = (LADDER / f"{example}.toml").read_text()
    step = applied(load(str(LADDER / f"{example}.toml")), name)
    written = rewritten(text, step.document.values)
    assert tomllib.loads(written) == step.document.values
    kept = [line for line in text.splitlines() if line.startswith("#")]
    assert [line for line in written.splitlines() if line.startswith("#")] == kept
    assert written != text


# Every file that a step makes is valid by itself, whatever the file it starts from.
@pytest.mark.parametrize("path", sorted(p for p in (ROOT / "examples").rglob("*.toml")), ids=lambda p: p.stem)
def test_every_proposal_is_a_valid_file(path: Path) -> None:
    before = load(str(path))
    values = msgspec.json.encode(before.values)
    for proposal in proposed(before).proposals:
        assert from_values(proposal.document.values, "again.toml").topology == proposal.document.topology
        assert proposal.document.values != before.values
        assert proposal.text
    assert msgspec.json.encode(before.values) == values


WEB: Values = {"app": service(0.01, None, "n2", calls=[{"to": "db", "count": 2}]), "db": database(0.002, 0.003)}


# Reads can be taken off a database by replicas and caches; where there are only writes, neither is proposed.
def test_writes_are_not_relieved_by_what_reads() -> None:
    reading = {("read-replicas", "db"), ("local-cache", "db"), ("global-cache", "db")}
    roomy = changed(file(WEB, 50.0), "node_types.n2.memory", "8GiB")
    assert reading <= of(roomy)
    assert not reading & of(changed(roomy, "components.app.calls.0.writes", 1.0))


# A database that has a cache in front of it gets no second one, and a cache none of its own.
def test_no_cache_before_a_cache() -> None:
    values = changed(file(WEB | {"memo": cache("db", 0.0001)}, 50.0), "components.app.calls.0.to", "memo")
    assert not {step for step in of(values) if step[0] == "local-cache"}
    assert ("global-cache", "memo") not in of(values)
    local = {"kind": "cache", "host": "app", "origin": "db", "objects": 1000, "object_size": 1000}
    values["components"]["memo"] = local | {"operation_time": 0.0001, "memory": 100_000}
    assert ("global-cache", "memo") in of(values)


# What already has replicas that read, or its count left to the plan, is not told to get them.
def test_steps_already_taken_are_not_proposed() -> None:
    values = changed(file(WEB, 50.0), "components.db.replicas", "auto")
    assert ("read-replicas", "db") not in of(values)
    assert ("more-nodes", "app") not in of(values)
    assert ("more-nodes", "app") in of(changed(values, "components.app.nodes", 1))
    assert not {step for step in of(values) if step[0] == "separate"}


# A machine that a database lives on cannot become two: the database has to be separated first.
def test_a_shared_machine_is_not_doubled() -> None:
    tiers = {"app": service(0.01, 1, "n2", calls=[{"to": "db"}]), "db": {**database(0.002), "host": "app"}}
    del tiers["db"]["node"]
    found = of(file(tiers, 50.0))
    assert ("separate", "db") in found
    assert not {("more-nodes", "app"), ("read-replicas", "db"), ("shard", "db")} & found


# A call to a partner gets a timeout and a pool, or a queue; one that has them, or waits behind a queue, does not.
def test_calls_to_a_partner() -> None:
    tiers = {"app": service(0.01, None, "n2", threads=100, calls=[{"to": "bank"}]), "bank": external(0.2)}
    guards = {("call-timeout", "bank"), ("call-pool", "bank"), ("queue-in-front", "bank")}
    assert guards <= of(file(tiers, 50.0))
    guarded = {**tiers["app"], "calls": [{"to": "bank", "timeout": 1.0, "pool": 20}]}
    assert guards & of(file(tiers | {"app": guarded}, 50.0)) == {("queue-in-front", "bank")}
    queued: Values = {
        "app": service(0.01, None, "n2", calls=[{"to": "jobs"}]),
        "jobs": {"kind": "queue", "consumers": "worker", "partitions": 40},
        "worker": service(0.001, None, "n1", calls=[{"to": "bank"}]),
        "bank": external(0.2),
    }
    assert ("queue-in-front", "bank") not in of(file(queued, 50.0))


# Threads that could hold more connections than a database has get a pool: with it there is a plan again.
def test_a_pool_where_connections_are_short() -> None:
    found = next_steps(load(str(ROOT / "examples" / "shop.toml"), (), 1.2), ahead=0)
    assert not found.now.feasible
    assert any("mysql connections" in fail for fail in found.now.fails)
    assert [(s.name, s.subject) for s in found.steps if s.feasible] == [("call-pool", "mysql")]


# Writes that requests wait long for may go through a queue: as many of them reach the database as before.
def test_a_queue_before_slow_writes() -> None:
    tiers = WEB | {"db": database(0.002, 0.05, node="n8")}
    values = changed(file(tiers, 20.0), "components.app.calls.0.writes", 0.5)
    assert ("queue-in-front", "db") in of(values)
    before = plan(document(values).topology).evaluation
    after = plan(applied(document(values), "queue-in-front:db").document.topology).evaluation
    assert after.tiers["db"].arrival_rate_per_s == pytest.approx(before.tiers["db"].arrival_rate_per_s, rel=1e-12)
    slow, fast = before.classes["page"].mean_s, after.classes["page"].mean_s
    assert slow is not None
    assert fast is not None
    assert fast < slow * 0.7


# Where the file has a plan, what costs less comes first, and what brings nothing comes last.
def test_order_where_there_is_a_plan() -> None:
    found = next_steps(load(str(LADDER / "6-local-cache.toml"), (), 1.5), ahead=0)
    assert found.now.feasible
    able = [step for step in found.steps if step.feasible]
    assert able == found.steps[: len(able)]
    useful = [step for step in able if step.brings]
    assert useful == able[: len(useful)]
    costs = [step.monthly for step in useful]
    assert costs == sorted(costs)
    assert all(step.monthly_change is not None for step in able)


# A step that changes nothing, however it is looked at, is no offer: it is named, in one line, and can still be taken. What
# carries a larger load is one though nobody sees it yet, and nothing is told to bring nothing before its end is known.
def test_what_changes_nothing_is_no_offer() -> None:
    before = load(str(LADDER / "3-web-and-app-servers.toml"))
    found = next_steps(before, ahead=20)
    idle = [(step.name, step.subject) for step in found.without_effect]
    assert idle == [("more-nodes", "web"), ("read-replicas", "db")]
    more = next(step for step in found.steps if step.name == "more-nodes")
    assert (more.subject, more.brings, more.monthly_change) == ("app", ["carries more"], 0)
    assert {("more-nodes", "app"), *idle} <= set(names(next_steps(before, ahead=0)))
    assert not set(idle) & set(names(found))
    now = plan(before.topology)
    for step in found.without_effect:
        again = plan(applied(before, f"{step.name}:{step.subject}").document.topology)
        assert again.evaluation.cost.monthly == now.evaluation.cost.monthly
        assert again.counts == now.counts
        assert (step.brings, step.monthly_change) == ([], 0)
    # What is worse is told, and so is what leaves more room though nobody sees it yet.
    assert ("call-timeout", "courier") in names(found)
    shop = next_steps(load(str(ROOT / "examples" / "shop.toml")), ahead=0)
    assert {("call-pool", "mysql"), ("call-pool", "payments")} <= set(names(shop))
    assert shop.without_effect == []


# Where the file has no plan, it is said what steps are measured against: counts that miss something, and what.
def test_measured_against_no_plan() -> None:
    found = next_steps(load(str(LADDER / "4-load-balanced.toml"), (), 2.0), ahead=0)
    assert not found.now.feasible
    head, steps, *_ = sections(found)
    assert head.notes[0] == (
        "as it is: NO PLAN; counts that meet all the rest (web 3, app 4, db 1) cost 1,050.47 USD/month, and miss:"
    )
    assert head.notes[1].strip() == found.now.fails[0]
    assert steps.notes[0].startswith("changes are against the counts above, which are no plan")
    assert steps.rows[1][3] == "answered"
    assert steps.notes[1] == "answered: a class that gets no answer as it is"
    with_plan = sections(next_steps(load(str(LADDER / "4-load-balanced.toml")), ahead=0))
    assert with_plan[1].notes == ["p99 and downtime of the class that changes most, against the file as it is"]


# A step that carries more than the file as it is brings that, though nothing else changes.
def test_what_carries_more_brings_something() -> None:
    found = next_steps(load(str(ROOT / "examples" / "shop.toml")), ahead=2)
    pool = next(step for step in found.steps if step.name == "call-pool")
    assert found.now.carries is not None
    assert pool.carries is not None
    assert pool.carries > found.now.carries
    assert pool.brings == ["carries more"]
    assert found.steps[0].brings == ["faster"]


# How far a step carries is the load up to which `capacity plan` finds one, to a twentieth.
def test_how_far_it_carries() -> None:
    values = file({"app": service(0.01, None, "n2", max_nodes=4), "db": database(0.002, node="n8")}, 400.0)
    found = next_steps(document(changed(values, "slo.utilization", 0.9)), ahead=1)
    assert found.now.carries is not None
    assert 0.9 * 8 / 4 / 1.06 <= found.now.carries <= 0.9 * 8 / 4  # a twentieth, and the third digit
    assert found.now.then is not None
    assert "app cores" in found.now.then


# A price that is not known makes the difference unknown, never 0.
def test_unknown_prices_stay_unknown() -> None:
    values: dict[str, Any] = changed(file(WEB, 50.0), "node_types.n2.price", None)
    found = next_steps(document(changed(values, "components.app.nodes", 9)), ahead=0)
    step = next(step for step in found.steps if step.name == "more-nodes")
    assert step.unknown == ["app"]
    assert step.monthly_change is None


# A step that does not exist, or not here, is an error that names those that do.
def test_what_does_not_apply() -> None:
    subject = load(str(LADDER / "1-one-server.toml"))
    with pytest.raises(UsageError, match="separate:db"):
        applied(subject, "global-cash:db")
    with pytest.raises(UsageError, match="separate:web"):
        applied(subject, "separate")
    assert applied(subject, "bigger-node").name == "bigger-node:app"


# Equal files give equal answers, and every room is found by itself.
def test_rooms_are_discovered_and_answers_repeat() -> None:
    assert {step.NAME for step in steps()} >= {name for _, _, name, _ in CLIMB}
    subject = load(str(LADDER / "2-separate-database.toml"))
    assert msgspec.json.encode(next_steps(subject, ahead=0)) == msgspec.json.encode(next_steps(subject, ahead=0))
