from __future__ import annotations

from itertools import pairwise

import pytest

from capacity.cache_curves import over_size, over_ttl, room, warm_up
from capacity.evaluate import evaluate
from capacity.outcomes import during
from tests.planner.systems import cache, database, document, external, file, service
from tests.tui.viewing import LADDER, SHOP, answered, charts, everything, notes, read, shown, tables, texts
from tui.blocks import percent
from tui.views.cache import HERE

LOCAL = f"{LADDER}/6-local-cache.toml"
CASES = [(SHOP, "redis"), (LOCAL, "cache")]


# Where one is on each curve is what the evaluation says, and the charts mark it.
@pytest.mark.parametrize(("path", "name"), CASES)
def test_here_is_the_evaluation(path: str, name: str) -> None:
    found = shown(read(path))
    said = found.evaluation.tiers[name].details["hit_ratio"]
    content = answered("cache", found, name)
    for title in ("size", "TTL"):
        chart = charts(content)[f"{name}: hit ratio over {title}"]
        here = next(mark.at for mark in chart.marks if mark.name == HERE)
        assert dict(chart.series[0].points)[here] == said
    assert texts(next(iter(tables(content).values())))["hit ratio of reads"] == [percent(said)]


# Another size or TTL of the curve is what an evaluation of the file with that value says: nothing is computed twice.
@pytest.mark.parametrize(("path", "name"), CASES)
def test_points_are_evaluations_of_changed_files(path: str, name: str) -> None:
    found = shown(read(path))
    size, ttl = over_size(found.solution, name), over_ttl(found.solution, name)
    assert size is not None
    assert ttl is not None
    copies = 1 if found.solution.places[name].hosted else found.counts[name]
    nodes = [f"components.{n}.{found.search.system.tiers[n].counted}={c}" for n, c in found.counts.items()]
    for x, hit_ratio in size.points[3:12:4]:
        changed = evaluate(read(path, *nodes, f"components.{name}.memory={x / copies!r}").topology)
        assert changed.tiers[name].details["hit_ratio"] == pytest.approx(hit_ratio, rel=1e-9)
    for x, hit_ratio in ttl.points[2::6]:
        changed = evaluate(read(path, *nodes, f"components.{name}.ttl={x!r}").topology)
        assert changed.tiers[name].details["hit_ratio"] == pytest.approx(hit_ratio, rel=1e-9)


# More room and a longer life never hit less often, and no TTL is the limit of a long one.
@pytest.mark.parametrize(("path", "name"), CASES)
def test_more_hits_more(path: str, name: str) -> None:
    solution = shown(read(path)).solution
    for curve in (over_size(solution, name), over_ttl(solution, name), warm_up(solution, name)):
        assert curve is not None
        # The solver of the characteristic time stops at 1e-13.
        assert all(a <= b + 1e-12 for (_, a), (_, b) in pairwise(curve.points))
    ttl = over_ttl(solution, name)
    assert ttl is not None
    assert ttl.without is not None
    assert ttl.points[-1][1] <= ttl.without + 1e-12


# Filling from empty ends at the steady hit ratio, and its mark is the recovery that the scenario "cache cold" tells.
def test_filling_is_the_scenario() -> None:
    found = shown(read(SHOP))
    curve = warm_up(found.solution, "redis")
    facts = during(found.search, found.counts, "cache_cold:redis").scenarios["cache_cold"].cases[0].facts["redis"]
    assert curve is not None
    assert curve.here is not None
    assert curve.here == facts["recovery_s"]
    assert curve.hit_ratio == facts["steady_hit_ratio"] == curve.points[-1][1]
    assert dict(curve.points)[curve.here] == facts["recovering"][-1]["hit_ratio"]


# Memory: what a full cache uses is all that there is; what everything fits into is used as far as there are objects.
def test_memory_of_a_node() -> None:
    solution = shown(read(SHOP)).solution
    found, machine = room(solution, "redis"), solution.system.machines["redis"]
    assert found is not None
    assert machine is not None
    assert found.available == machine.memory
    assert found.available is not None
    assert 0 < found.used < found.available
    full = room(shown(read(SHOP, 'components.redis.memory="100MiB"')).solution, "redis")
    # The characteristic time is solved so that the mean number of objects fills the room.
    assert full is not None
    assert full.used == pytest.approx(100 * 1024**2, rel=1e-9)
    assert full.available == 100 * 1024**2


# Only a selected cache has charts; of several, all are told as tables.
def test_several_caches_are_tables() -> None:
    tiers = {
        "app": service(0.001, 2, calls=[{"to": "near"}, {"to": "far"}]),
        "near": cache("db", host="app", memory=1e5),
        "far": cache("db", 0.00001),
        "db": database(0.001),
    }
    found = shown(document(file(tiers, 50)))
    assert not charts(answered("cache", found, "app"))
    assert {"near: hit ratio over size", "far: hit ratio over size"} <= set(tables(answered("cache", found, "app")))
    assert "far: hit ratio over size" in charts(answered("cache", found, "far"))
    assert "near" not in everything(answered("cache", found, "far"))


# Without a cache it is said how one is added; one that nobody reads, or whose memory is unknown, has no such number.
def test_nothing_to_show() -> None:
    none = shown(document(file({"pay": external(0.1)}, 5)))
    assert "No tier is a cache" in notes(answered("cache", none))
    tiers = {
        "app": service(0.001, 2, calls=[{"to": "kept", "writes": 1.0}]),
        "kept": cache("db", 0.00001),
        "db": database(0.001, 0.001),
    }
    unread = answered("cache", shown(document(file(tiers, 50))), "kept")
    assert "Nothing is read through kept" in notes(unread)
    assert texts(next(iter(tables(unread).values())))["  available"] == ["unknown"]
