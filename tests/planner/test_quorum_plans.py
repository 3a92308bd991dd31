"""Plans of databases with quorums: against every count, every state of their nodes, and what is written of them."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

import pytest

from capacity.plan import as_given, plan
from capacity.search import Search
from capacity.system import resolve
from capacity.uptime import Uptime
from tests.planner.brute_force import BruteForce
from tests.planner.systems import Values, changed, database, evaluated, file, planned, service, sized, topology
from tests.planner.test_quorum import stored

if TYPE_CHECKING:
    from tests.planner.brute_force import Vector


class Quorate(BruteForce):
    """Tries every count; a lost member leaves a store that asks as many of fewer, or none if these are too few."""

    def passes(self, counts: Vector) -> bool:
        """Return whether these counts meet everything, and still do with any one node lost."""
        nodes = 1 + counts["db"]
        own = self.values["components"]["db"]["replication"]
        reads, writes = own.get("read_quorum"), own.get("write_quorum")
        if reads is None and writes is None:
            reads = writes = nodes // 2 + 1
        reads = nodes + 1 - writes if reads is None else reads
        writes = max(1, nodes + 1 - reads) if writes is None else writes
        if not self._asks(counts, reads, writes):
            return False
        if not self.survives_node:
            return True
        return all(self._asks({**counts, name: counts[name] - 1}, reads, writes) for name in counts)

    def _asks(self, counts: Vector, reads: int, writes: int) -> bool:
        if counts["app"] < 1 or 1 + counts["db"] < max(reads, writes):
            return False
        values = changed(self.file(counts), "components.db.replication.read_quorum", reads)
        return evaluated(changed(values, "components.db.replication.write_quorum", writes)).feasible


# The plan is the cheapest of all counts, with quorums that are given, half given and left out, on random systems.
@pytest.mark.parametrize("seed", range(24))
def test_cheapest(seed: int) -> None:
    draws = random.Random(seed)  # noqa: S311, nothing is kept secret
    pick = draws.choice
    quorums = pick(
        [{}, {}, {"read_quorum": 2}, {"write_quorum": 2}, {"read_quorum": 2, "write_quorum": 3}, {"read_quorum": 1}]
    )
    calls = [{"to": "db", "count": pick([1, 2]), "writes": pick([0.1, 0.4])}]
    app = service(pick([0.002, 0.005]), None, pick(["n1", "n2"]), calls=calls, max_nodes=6)
    replication = {"mode": "quorum", "apply_time": pick([0.001, 0.003]), "network_delay": pick([0.0, 0.002])} | quorums
    db = database(pick([0.002, 0.005]), 0.004, "auto", pick(["n1", "n2"]), max_nodes=6, replication=replication)
    goal = {"p99": pick([0.05, 0.1, 0.3])}
    values = file(
        {"app": app, "db": db},
        pick([50.0, 100.0, 200.0]),
        survive=pick([(), ("node",)]),
        utilization=0.75,
        latency={"page": goal},
    )
    everything = Quorate(values, 6)
    best, found = everything.cheapest(), sized(values)
    assert (found.conflict is None) == (best is not None), f"{best} against {found.counts}"
    if best is not None:
        assert everything.cost(found.counts) == pytest.approx(best[0]), f"{best[1]} against {found.counts}"
        assert everything.passes(found.counts)


FRAGILE: Values = {"node_mtbf": "9d", "node_mttr": "1d", "zone_mttr": 0.0, "restarts": 0}
"""Nodes that are down a tenth of the time, in one zone that never is."""


# A class is up while as many members are as its own operations need: every state of all nodes counted.
@pytest.mark.parametrize(("replicas", "reads", "writes"), [(2, 2, 2), (4, 2, 4), (4, 4, 2), (4, 3, 3), (3, 1, 4)])
def test_availability_by_counting_states(replicas: int, reads: int, writes: int) -> None:
    values = file(
        {
            "app": service(0.0, calls=[
                {"to": "db", "classes": ["look", "both"]},
                {"to": "db", "writes": 1.0, "classes": ["put", "both"]},
            ]),
            "db": stored(1, replicas=replicas, read_quorum=reads, write_quorum=writes)["components"]["db"],
        },
        {"look": 5.0, "put": 5.0, "both": 5.0},
    )  # fmt: skip
    values["components"]["app"]["mttr"] = 0.0
    values["components"]["db"]["replication"]["failover_time"] = 0.0
    values["resilience"] |= FRAGILE
    uptime = Uptime(Search.of(resolve(topology(values))), {"app": 1, "db": replicas})
    nodes = 1 + replicas
    for name, needed in (("look", reads), ("put", writes), ("both", max(reads, writes))):
        down = math.fsum(
            0.9 ** state.bit_count() * 0.1 ** (nodes - state.bit_count())
            for state in range(2**nodes)
            if state.bit_count() < needed
        )
        found = uptime.of_class(name)
        assert found is not None
        assert found.unavailability == pytest.approx(down, rel=1e-6)
    whole = uptime.tier("db")
    assert whole is not None
    assert whole.needed == max(reads, writes)


# Two zones never leave a majority when one of them goes; three do, and the plan finds how many members that takes.
def test_zones() -> None:
    values = stored(100, replicas="auto")
    values["resilience"] |= {"survive": ["zone"], "zones": 2}
    values["components"]["app"]["nodes"] = 4
    lacking = plan(topology(values))
    assert not lacking.feasible
    assert any("resilience.zones: at least 3" in mend for one in lacking.evaluation.infeasible for mend in one.mends)
    values["resilience"]["zones"] = 3
    found = plan(topology(values))
    assert found.feasible
    assert found.counts["db"] == 2


# A plan that is written and read again says the same.
def test_a_plan_loads_again() -> None:
    values = changed(stored(200, replicas="auto", read_quorum=2), "resilience.survive", ["node"])
    found = plan(topology(changed(values, "components.app.nodes", 2)))
    assert found.feasible
    again = as_given(
        topology(changed(changed(values, "components.app.nodes", 2), "components.db.replicas", found.counts["db"]))
    )
    assert again.evaluation.classes["page"].p99_s == found.evaluation.classes["page"].p99_s
    assert again.evaluation.tiers["db"].availability == found.evaluation.tiers["db"].availability


# A quorum of one leaves the other to ask for every member, and no number of them lets one be lost: the mend is to ask for
# one more, which does it to the letter; with quorums given both, or neither, there is no such mend.
@pytest.mark.parametrize("replicas", ["auto", 2, 4])
@pytest.mark.parametrize(
    ("field", "others"), [("read_quorum", "writes"), ("write_quorum", "reads")], ids=["reads", "writes"]
)
def test_a_quorum_of_all(field: str, others: str, replicas: int | str) -> None:
    values = changed(stored(50.0, replicas=replicas, **{field: 1}), "resilience.survive", ["node"])
    lost = next(a for a in planned(values).evaluation.infeasible if a.constraint == "db without a node of db")
    said = f"components.db.replication.{field}: at least 2, so that {others} do not need every member"
    assert lost.mends[0] == said
    after = planned(changed(values, f"components.db.replication.{field}", 2)).evaluation
    assert not any(a.constraint.startswith("db") for a in after.infeasible)
    members = 9 if replicas == "auto" else 1 + int(replicas)
    both = changed(
        changed(values, "components.db.replication.read_quorum", 1), "components.db.replication.write_quorum", members
    )
    assert not any("do not need" in mend for a in planned(both).evaluation.infeasible for mend in a.mends)
