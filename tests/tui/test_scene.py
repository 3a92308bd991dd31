from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from capacity import solve
from capacity.document import from_values, load
from capacity.editing import with_value
from tui.scene import scene, solved_counts
from tui.session import opened

if TYPE_CHECKING:
    from capacity.solve import Solution

ROOT = Path(__file__).parent.parent.parent
FILES = [ROOT / "bench" / "twelve.toml", *sorted((ROOT / "examples").rglob("*.toml"))]


# What a scene before an edit is good for is time: to the last bit the next one is that from nothing, under any load.
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_near(path: Path) -> None:
    document = load(str(path))
    session = opened(document, solved_counts(document, 1.0)[0])
    near = scene(session.question)
    for tier in document.topology.components:
        for load_factor in (0.3, 1.0, 2.0):
            times = document.values["components"][tier].get("cpu_time")
            if isinstance(times, str):
                session = session.edited(
                    with_value(session.now.document, ("components", tier, "cpu_time"), "3ms").document, ""
                )
            question = replace(session, load=load_factor).question
            again, near = scene(question), scene(question, near)
            assert near.evaluation == again.evaluation


# After a key the system is swept once: the tries per call are known already. From nothing it takes two.
def test_one_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    document = load(str(ROOT / "examples" / "shop.toml"))
    session = opened(document, solved_counts(document, 1.0)[0])
    near, sweeps, swept = scene(session.question), 0, solve._swept

    def counted(solution: Solution) -> Solution:
        nonlocal sweeps
        sweeps += 1
        return swept(solution)

    monkeypatch.setattr(solve, "_swept", counted)
    edited = session.edited(with_value(document, ("components", "app", "cpu_time", "browse"), "9.5ms").document, "")
    scene(edited.question, near)
    assert sweeps == 1
    scene(edited.question)
    assert sweeps == 3


# An edit reads the tier that it changes; every other is the one of before, and its names are still looked after.
def test_one_tier_read() -> None:
    document = load(str(ROOT / "examples" / "shop.toml"))
    edited = with_value(document, ("components", "app", "cpu_time", "browse"), "9.5ms").document
    before, after = document.topology.components, edited.topology.components
    assert [name for name in before if before[name] is not after[name]] == ["app"]


# A scene goes to another process as its question, and is found there again; with its tiers in another order it is another.
def test_arrived_in_its_own_order() -> None:
    values = load(str(ROOT / "examples" / "shop.toml")).values
    turned = {**values, "components": dict(reversed(values["components"].items()))}
    for given in (values, turned, values):
        document = from_values(given, "shop.toml", 1.0)
        left = scene(opened(document, {"web": 3, "app": 11, "redis": 2, "mysql": 1, "fulfilment": 6}).question)
        arrived = pickle.loads(pickle.dumps(left))  # noqa: S301
        assert list(arrived.evaluation.tiers) == list(left.evaluation.tiers) == list(given["components"])
        assert pickle.loads(pickle.dumps(left)) is arrived  # noqa: S301


# A quorum, or a least number of nodes, that asks for more than there were has as many; taken back while it is typed,
# there are as many as before.
def test_counts_are_as_many_as_a_file_asks_for() -> None:
    shop = load(str(ROOT / "examples" / "shop.toml"))
    plain = opened(with_value(shop, ("components", "mysql", "replication", "mode"), "quorum").document, {"mysql": 2})
    path = ("components", "mysql", "replication", "read_quorum")
    larger = with_value(plain.now.document, path, 9).document
    edited = plain.edited(larger, "read_quorum 9")
    assert edited.now.counts["mysql"] == 8
    assert edited.merged(with_value(plain.now.document, path, 2).document, "read_quorum 2").now.counts["mysql"] == 2
    least = with_value(shop, ("components", "app", "min_nodes"), 20).document
    assert opened(shop, {"app": 11}).edited(least, "min_nodes 20").now.counts["app"] == 20
