"""A database whose reads ask R members at once and whose writes wait for W, from the file to the numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

from capacity.aftermath import told as told_after
from capacity.components.database import Database
from capacity.document import parse
from capacity.errors import DocumentError, UsageError
from capacity.explaining import explain
from capacity.lagging import lagging
from capacity.outcomes import during
from capacity.report import sections
from capacity.search import Search
from capacity.system import resolve
from models.queues import MMc
from tests.planner.events import case, told
from tests.planner.systems import Values, changed, database, document, evaluated, file, service, solved, topology
from tests.quorum_simulation import Store, simulated

if TYPE_CHECKING:
    from models.latency import Latency

LAG: Values = {"apply_time": 0.002, "network_delay": 0.001}


def stored(rate: float, writes: float = 0.2, replicas: int | str = 2, **fields: Any) -> Values:
    """Return a file of a database with quorums behind a tier that takes no time; keys of `LAG` go to replication."""
    own = {key: fields.pop(key) for key in ("mode", "read_quorum", "write_quorum", "staleness") if key in fields}
    replication = {"mode": "quorum"} | LAG | own
    db = database(0.002, 0.004, replicas, "n2", replication=replication, **fields)
    return file({"app": service(0.0, calls=[{"to": "db", "writes": writes}]), "db": db}, rate)


def time(values: Values, operation: str) -> Latency:
    """Return the response time of reads or of writes."""
    found = solved(values).latency("db", "page", "read" if operation == "read" else "write")
    assert found is not None
    return found


def used(values: Values, resource: str) -> float:
    """Return the cores or the thread of the database that are busy."""
    return next(x.used for x in evaluated(values).tiers["db"].limits if x.resource == resource)


def stale(values: Values) -> float:
    """Return the share of reads that are old."""
    found = evaluated(values).tiers["db"].details["lag"]["stale_read_fraction"]
    assert isinstance(found, float)
    return found


# A read is work for R of the N members alike, the primary one of them; every write for the primary and each replica.
@pytest.mark.parametrize(("replicas", "reads"), [(2, 2), (4, 2), (4, 3), (4, 5)])
def test_work(replicas: int, reads: int) -> None:
    values, nodes = stored(300, replicas=replicas, read_quorum=reads, write_quorum=1), 1 + replicas
    each = 240 * reads / nodes * 0.002
    assert used(values, "primary cores") == pytest.approx(each + 60 * 0.004)
    assert used(values, "replica cores") == pytest.approx(replicas * (each + 60 * 0.002))
    assert used(values, "apply thread") == pytest.approx(60 * 0.002)


# What is left out is the least that lets every read meet every write, a majority each where both are.
@pytest.mark.parametrize(
    ("replicas", "given", "wanted"),
    [
        (2, {}, (3, 2, 2)),
        (3, {}, (4, 3, 3)),
        (4, {}, (5, 3, 3)),
        (0, {}, (1, 1, 1)),
        (4, {"read_quorum": 2}, (5, 2, 4)),
        (4, {"write_quorum": 2}, (5, 4, 2)),
        (4, {"read_quorum": 5}, (5, 5, 1)),
        (4, {"read_quorum": 2, "write_quorum": 2}, (5, 2, 2)),
    ],
)
def test_what_is_left_out(replicas: int, given: Values, wanted: tuple[int, int, int]) -> None:
    found = evaluated(stored(100, replicas=replicas, **given)).tiers["db"].details["quorum"]
    assert (found["nodes"], found["reads"], found["writes"]) == wanted
    assert found["strict"] == (wanted[1] + wanted[2] > wanted[0])


# One member asked and one waited for is what reads from any node with asynchronous replicas are, to the last bit.
def test_one_and_one_is_any() -> None:
    quorum = stored(300, read_quorum=1, write_quorum=1, objects=100)
    plain = changed(stored(300, mode="async", objects=100), "components.db.read_from", "any")
    for operation in ("read", "write"):
        assert time(quorum, operation).percentile(0.99) == time(plain, operation).percentile(0.99)
    assert stale(quorum) == pytest.approx(stale(plain), rel=1e-9)
    assert evaluated(quorum).classes["page"].p99_s == evaluated(plain).classes["page"].p99_s
    a, b = (told(values).scenarios["node"].cases for values in (quorum, plain))
    assert [one.limits for one in a] == [one.limits for one in b]


# All members waited for is what synchronous replicas are.
def test_all_is_synchronous() -> None:
    quorum, plain = stored(300, write_quorum=3, read_quorum=1), stored(300, mode="sync", read_from="any")
    assert time(quorum, "write").percentile(0.99) == time(plain, "write").percentile(0.99)
    assert time(quorum, "read").percentile(0.99) == time(plain, "read").percentile(0.99)


# At hardly any load a read of R exponential members takes the maximum of R of them, all but one a round trip away.
@pytest.mark.parametrize("reads", [2, 3, 5])
def test_read_at_no_load(reads: int) -> None:
    values = stored(0.01, replicas=4, read_quorum=reads)
    values["components"]["db"]["replication"]["network_delay"] = 0.0
    slowest = 0.002 * sum(1 / i for i in range(1, reads + 1))
    assert time(values, "read").mean == pytest.approx(slowest, rel=2e-3)
    away = changed(values, "components.db.replication.network_delay", 0.5)
    rest = 0.002 * sum(1 / i for i in range(1, reads))
    assert time(away, "read").mean == pytest.approx(1.0 + rest, rel=2e-3)


# Under load each member is an M/M/c queue of its own stream, and the times of members multiply.
def test_read_under_load() -> None:
    values = changed(stored(800, writes=0.0), "components.db.replication.network_delay", 0.0)
    queue = MMc(800 * 2 / 3, 0.002, 2)
    for fraction in (0.5, 0.9, 0.99):
        each = queue.response_percentile(math.sqrt(fraction))
        assert time(values, "read").percentile(fraction) == pytest.approx(each, rel=1e-3)


# Against a simulation that knows nothing of the model, message by message. Where nobody shares a load reads are right
# to its noise; members that the same reads and writes meet are late together, which makes shares of old reads uncertain
# by a fifth at this load (docs/theory/replication.md has more of it).
@pytest.mark.parametrize(("nodes", "reads", "writes"), [(3, 2, 2), (3, 2, 1), (3, 1, 2), (5, 2, 2)])
def test_simulated(nodes: int, reads: int, writes: int) -> None:
    core, rate = 0.002, 50.0
    asked = (0.3 * 2 - rate * 0.002) / (reads / nodes * core)
    store = Store(nodes, reads, writes, asked, rate, core, 0.004, 0.002, 0.001, keys=20)
    seen = simulated(store, 150_000, seed=7)
    values = stored(
        asked + rate,
        rate / (asked + rate),
        nodes - 1,
        read_quorum=reads,
        write_quorum=writes,
        objects=20,
        popularity=0.0,
    )
    for operation, observed in (("read", seen.reading), ("write", seen.writing)):
        assert time(values, operation).mean == pytest.approx(observed.mean, rel=0.03)
        assert time(values, operation).percentile(0.99) == pytest.approx(observed.percentile(0.99), rel=0.05)
    noise = 3 / math.sqrt(max(seen.old, 1))
    if reads + writes > nodes:
        assert seen.old == 0
        assert stale(values) == 0
    else:
        assert stale(values) == pytest.approx(seen.stale, rel=0.2 + noise)


# Every read meets every write: nothing is old, own writes are seen, and the objective is met whatever the lag.
def test_strict_is_fresh() -> None:
    values = stored(300, staleness=1e-9)
    found = evaluated(values)
    assert found.feasible
    assert found.tiers["db"].details["lag"]["stale_read_fraction"] == 0
    seen = lagging(solved(values), "db")
    assert seen is not None
    assert {share for _, share in seen.unseen} == {0.0}
    assert not found.warnings
    loose = stored(300, staleness=1e-9, read_quorum=1, write_quorum=1)
    assert [(f.name, f.constraint) for f in evaluated(loose).failures] == [("db", "staleness p99")]


# More members asked, or more that have the write: never staler, and never quicker.
def test_fresher_and_slower() -> None:
    by_reads = [stored(200, replicas=4, objects=100, read_quorum=r, write_quorum=1) for r in range(1, 6)]
    by_writes = [stored(200, replicas=4, objects=100, read_quorum=1, write_quorum=w) for w in range(1, 6)]
    for files, operation in ((by_reads, "read"), (by_writes, "write")):
        shares, times = [stale(f) for f in files], [time(f, operation).percentile(0.99) for f in files]
        assert shares == sorted(shares, reverse=True)
        assert shares[-1] == 0 < shares[0]
        assert times == sorted(times)


# Where replicas never catch up, a write that waits for one is never answered; one that waits for none is, and a read
# that asks everybody still finds it.
def test_replicas_that_never_catch_up() -> None:
    values = stored(600, 1.0, read_quorum=2, write_quorum=2)
    assert evaluated(values).tiers["db"].details["lag"]["diverges"]
    assert solved(values).latency("db", "page", "write") is None
    alone = changed(stored(600, 0.9, replicas=2, read_quorum=3, write_quorum=1), "components.db.write_time", 0.001)
    assert stale(alone) == 0
    assert time(alone, "write").mean < 0.01
    few = lagging(solved(changed(alone, "components.db.replication.read_quorum", 1)), "db")
    assert few is not None
    assert dict(few.unseen)[0.0] == pytest.approx(2 / 3)


# What was acknowledged by two is not lost with one; what the primary alone has, is.
@pytest.mark.parametrize(("writes", "lost"), [(1, 60 * 0.001), (2, 0.0), (3, 0.0)])
def test_at_risk(writes: int, lost: float) -> None:
    seen = lagging(solved(stored(300, write_quorum=writes, read_quorum=3)), "db")
    assert seen is not None
    assert seen.writes_at_risk == pytest.approx(lost)
    assert seen.writes_held == pytest.approx(60 * 30)


# A lost member is survived while those that are left are as many as a quorum asks for, and only then.
@pytest.mark.parametrize(
    ("replicas", "quorums", "passes"),
    [
        (2, {}, True),
        (1, {}, False),
        (2, {"read_quorum": 1}, False),
        (2, {"read_quorum": 1, "write_quorum": 2}, True),
        (3, {"read_quorum": 3, "write_quorum": 2}, True),
        (3, {"read_quorum": 4, "write_quorum": 1}, False),
    ],
)
def test_a_member_lost(replicas: int, quorums: Values, *, passes: bool) -> None:
    values = stored(100, replicas=replicas, **quorums)
    values["resilience"]["survive"] = ["node"]
    found = case(values, "node", "db")
    assert found.passes == passes
    assert case(values, "primary", "db").passes == passes
    if not passes:
        assert [(v.constraint, v.value, v.limit) for v in found.violations] == [("nodes", replicas, 1 + replicas)]
        lines = " ".join(line for section in sections(told(values)) for line in section.notes)
        assert f"{replicas} left of the {1 + replicas} that a quorum asks for" in lines


# In that scenario the members that are left are told, with how many it takes; nothing is said of a lag that is over.
@pytest.mark.parametrize(("shards", "told_as"), [(1, "2 x n2 (3 needed)"), (4, "4x2 x n2 (3 each needed)")])
def test_members_left_are_told(shards: int, told_as: str) -> None:
    values = stored(100, replicas=2, read_quorum=3, write_quorum=2, shards=shards)
    values["resilience"]["survive"] = ["node"]
    search = Search.of(resolve(topology(values)))
    evaluation = during(search, search.system.least(), "node:db")
    tier = evaluation.tiers["db"]
    assert (tier.nodes, tier.nodes_needed, tier.serves) == (2 * shards, 3, False)
    assert (tier.details["replicas"], tier.details["quorum"]["nodes"], "lag" in tier.details) == (1, 2, False)
    (shown,) = [row[1] for section in sections(evaluation, ["tiers"]) for row in section.rows if row[0] == "db"]
    assert shown == told_as
    lines = [line for section in sections(evaluation, ["details"]) for line in section.notes]
    assert "db: reads ask 3 members, writes wait for 2: 2 left, which is no quorum" in lines
    with pytest.raises(UsageError, match='TIER "db" without a node of db: 2 left of the 3 that a quorum asks for'):
        explain(topology(values), "db", scenario="node:db")


# Without a quorum nobody writes until the node is replaced, however soon another primary could be found.
def test_no_quorum_takes_a_repair() -> None:
    fact = case(changed(stored(100, read_quorum=3), "components.db.mttr", "10min"), "primary", "db")
    assert (fact.facts["db"]["failover_s"], fact.facts["db"]["repair_s"]) == (None, 600)
    assert told_after(fact) == ["db has no quorum left: it is down until its node is replaced, 10 min"]
    assert case(stored(100), "primary", "db").facts["db"]["failover_s"] == 30


# Those that are left are asked by as many as before: a quorum follows from what there should be, not from what is left.
def test_work_of_those_left() -> None:
    values = stored(300, replicas=4)
    left = case(values, "node", "db")
    each = 240 * 3 / 4 * 0.002
    assert {x.resource: x.used for x in left.limits["db"]}["primary cores"] == pytest.approx(each + 60 * 0.004)
    given = stored(300, replicas=3, read_quorum=3, write_quorum=3)
    wanted = {x.resource: x.used for x in evaluated(given).tiers["db"].limits}
    assert {x.resource: x.used for x in left.limits["db"]} == pytest.approx(wanted)


# A quorum that no count of the file has is an error of the file, with its place and its cure.
@pytest.mark.parametrize(
    ("fields", "path", "cure"),
    [
        ({"replicas": 1, "read_quorum": 3}, "components.db.replication.read_quorum", 'replicas = 2 or more, or "auto"'),
        ({"replicas": 2, "write_quorum": 4}, "components.db.replication.write_quorum", "at most 3: 1 + 2 replicas"),
        (
            {"replicas": "auto", "read_quorum": 9, "max_nodes": 5},
            "components.db.replication.read_quorum",
            "max_nodes of 9",
        ),
    ],
)
def test_a_quorum_that_there_is_not(fields: Values, path: str, cure: str) -> None:
    with pytest.raises(DocumentError) as error:
        document(stored(100, **fields))
    assert path in str(error.value)
    assert cure in str(error.value)


# On another tier's machine there is one member, and the cure is a machine of its own.
def test_a_quorum_on_a_host() -> None:
    values = stored(100, replicas=0, read_quorum=2)
    values["components"]["db"] |= {"host": "app"}
    del values["components"]["db"]["node"]
    with pytest.raises(DocumentError, match="at most 1: 1 \\+ 0 replicas; or a node of its own"):
        document(values)
    lonely = changed(values, "components.db.replication.read_quorum", None)
    assert evaluated(lonely).tiers["db"].details["quorum"] == {"nodes": 1, "reads": 1, "writes": 1, "strict": True}


# The words of a file: the mode, counts from one on, and nothing else.
@pytest.mark.parametrize(
    "wrong", ['mode = "majority"', 'mode = "quorum"\nread_quorum = 0', 'mode = "quorum"\nread_quorum = "all"']
)
def test_what_a_file_cannot_say(wrong: str) -> None:
    text = '[workload.classes.a]\nrate = 1\nentry = "db"\n[components.db]\nkind = "database"\nnode = "r6i.large"\n'
    with pytest.raises(DocumentError, match=r"components\.db\.replication\.(mode|read_quorum)"):
        parse(f'{text}read_time = "1ms"\nwrite_time = "1ms"\n[components.db.replication]\n{wrong}\n', "wrong.toml")


# What means nothing is said: quorums without the mode, and whom reads go to with it.
def test_without_effect() -> None:
    def said(values: Values) -> str:
        return " ".join(w.message for w in evaluated(values).warnings if w.code == "without_effect")

    assert said(stored(100, mode="async", read_quorum=2)) == "components.db.replication.read_quorum means nothing here"
    assert said(stored(100, read_from="primary")) == "components.db.read_from means nothing here"
    assert not said(stored(100))


# What is offered so that no read is old holds for any number of members, as a plan may choose more.
def test_mends_hold_for_any_number() -> None:
    loose = solved(stored(300, read_quorum=1, write_quorum=1))
    tier = loose.system.tiers["db"]
    assert isinstance(tier, Database)
    mends = tier.replication.fresher(loose.places["db"])
    assert len(mends) == 2
    for mend in mends:
        for replicas in (2, 3, 6):
            place = solved(stored(300, replicas=replicas)).places["db"]
            assert mend.changes is not None
            assert mend.changes["replication"].members(place).is_strict
