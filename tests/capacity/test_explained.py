"""`--explain` of the calculators: how every figure of an answer came about, by a formula or by a method."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from capacity.calculators.answers import cell
from capacity.calculators.calculator import FILE, Answer, Row
from capacity.calculators.explainer import Explainer
from capacity.calculators.registry import NAMES, calculator
from tests.capacity.running import WIDTH, capacity, columns

if TYPE_CHECKING:
    from pathlib import Path

CASES = """
queue --rate 1200/s --service 9ms --cv2 1.4 --p99 60ms
queue --rate 90/s --service 10ms --servers 1
queue --rate 90/s --service 10ms --servers 1 --cv2 0
queue --rate 90/s --service 10ms --servers 1 --cv2 3
queue --rate 900/s --service 10ms --servers 10 --cv2 0
queue --rate 900/s --service 10ms --servers 10
queue --rate 9/s --service 10ms --servers 10
queue --rate 1900/s --service 10ms --servers 10
queue --rate 90/s --service 100ms --servers 12 --limit 12 --cv2 3
queue --rate 90/s --service 100ms --servers 9 --patience 2s --patience-cv2 0
queue --rate 90/s --service 100ms --servers 8 --patience 2s --patience-cv2 0
queue --rate 90/s --service 100ms --servers 12 --order sharing
queue --rate 9/s --service 100ms --servers 1 --order sharing --cv2 3
queue --rate 90/s --service 100ms --servers 12 --arrival-cv2 3
queue --rate 90/s --service 100ms --servers 300 --cv2 9
queue --service 100ms --servers 12 --p99 600ms
lag --apply 1ms --network 2ms --p99 1ms
lag --rate 300/s --apply 1ms --read-after 5ms --key-rate 2/s --replicas 3 --network 1ms
lag --rate 300/s --apply 1ms --read-after 5ms --key-rate 2/s --replicas 1 --window 10ms --batch 3
lag --rate 1800/s --apply 1ms --log-kept 1d --behind 1h
lag --rate 1800/s --apply 1ms --log-kept 1d --behind 2d
backlog --rate 1500/s --service 10ms --consumers 12 --partitions 24 --retention 3d --age 4d
backlog --rate 900/s --service 10ms --consumers 12 --pause 20s --every 1h --commit 10s
backlog --rate 900/s --service 10ms --consumers 12 --pause 2000s --every 1h --commit 10s
backlog --rate 900/s --service 10ms --consumers 12 --failed 5% --backlog 1e6 --stop 1min
backlog --rate 9/s --service 10ms --consumers 12 --failed 100% --deliveries 3 --retention 1d --message-size 1KiB
backlog --rate 900/s --service 10ms --partitions 2 --drain 1min --stop 1s
limit --rate 95/s --limit 100/s --burst 100
limit --kind sliding --rate 80/s --limit 100/s --window 1s
limit --kind fixed --rate 180/s --limit 100/s --window 1s --retries 3
limit --kind concurrency --rate 200/s --duration 250ms --places 40
limit --kind shaper --rate 90/s --limit 100/s --burst 50
limit --kind shaper --rate 190/s --limit 100/s --burst 5
limit --limit 100/s --rejected 1%
usl --one 995/s --contention 0.027 --coherency 0 --throughput 12000/s
usl --one 995/s --contention 0 --coherency 0 --throughput 12000/s --latency 1ms
usl --one 995/s --contention 1 --coherency 0.1 --nodes 3
usl --one 995/s --contention 0.027 --coherency 0.00077 --nodes 8 --latency 5ms
availability --nodes 4 --needed 3 --mtbf 60d --mttr 10min --restarts 2 --restart-time 5min --failover 30s --zones 2
availability --nodes 3 --needed 1 --mtbf 30d --mttr 1h --crews 1
availability --nodes 1 --mtbf 90d --mttr 0s --failover 10s
availability --nodes 5 --needed 3 --mtbf 90d --mttr 1h --wanted 100%
availability --needed 3 --mtbf 90d --mttr 1h --wanted 99.9999999% --depends 99%
cache --objects 1000 --capacity 100 --policy clock
cache --objects 1000 --zipf 1 --capacity 1000 --nodes 1
cache --objects 1000 --hit-ratio 99% --ttl 1s --rate 1/s
cache --objects 1000 --capacity 50 --rate 1/s
"""

TALKED_OF = [
    words
    for text in [*CASES.split("\n"), *(example for name in NAMES for example in calculator(name).examples)]
    if (words := text.removeprefix("capacity ").split())
    and not any(".." in word or word.endswith((".csv", ".txt")) for word in words)
]
"""Cases, and every example of the help that asks for one answer and reads no file."""

LOOSE = {"hit_ratio": 0.05, "busiest_share": 1e-7}
"""A small cache is answered exactly beside the formula of the characteristic time; Zipf's sum is an integral."""


# Every figure of an answer is explained, with its source and how exact it is; a formula gives the figure's value.
@pytest.mark.parametrize("options", TALKED_OF, ids=" ".join)
def test_every_figure_is_explained(options: list[str]) -> None:
    ended = capacity(*[o for o in options if o not in ("--explain", "--json")], "--explain", "--json")
    assert ended.code in (0, 1), ended.err
    found = ended.json
    explained = [key for one in found["explained"] for key in one["figures"]]
    assert sorted(explained) == sorted(found["result"])
    for one in found["explained"]:
        assert one["source"]
        assert one["accuracy"]
        assert one["lines"] or one["notes"]
        assert one["metric"] == one["figures"][0] or one["lines"]
        if one["by_formula"] is not None:
            figure = one["figures"][0]
            # What percentiles and searches are good for.
            assert one["by_formula"] == pytest.approx(found["result"][figure], rel=LOOSE.get(figure, 1e-6))


# A file's fit, and a trace's own figures, are explained as well.
def test_files_are_explained(tmp_path: Path) -> None:
    test, keys = tmp_path / "load.csv", tmp_path / "keys.txt"
    test.write_text("nodes,throughput\n1,995\n2,1900\n4,3600\n8,6500\n16,10000\n32,13000\n48,13200\n")
    keys.write_text("\n".join("abacabdaabefa" * 9) + "\n")
    for options in (
        ("usl", test, "--nodes", 20),
        ("usl", test, "--throughput", "9000/s"),
        ("cache", "--trace", keys, "--capacity", 3),
    ):
        found = capacity(*options, "--explain", "--json").json
        assert sorted(k for one in found["explained"] for k in one["figures"]) == sorted(found["result"])


# As text: the headline's own figure is among what is explained, within 80 columns.
@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("queue --rate 1200/s --service 9ms --servers 16", "response p99: 41.7 ms"),
        ("lag --rate 800/s --apply 1ms", "lag, 99%: 23 ms"),
        ("quorum --nodes 3 --reads 1 --writes 1 --after 5ms", "read, 50% within"),
        ("availability --nodes 3 --needed 2 --mtbf 30d --mttr 1h", "downtime in a month: "),
    ],
)
def test_as_text(options: str, told: str) -> None:
    shown = capacity(*options.split(), "--explain").out
    assert any(line.startswith(told) for line in shown.splitlines())
    assert all(columns(line) <= WIDTH for line in shown.splitlines())


# What is below a figure is called by it: "  99%" below "lag, mean" is its 99 %.
def test_what_figures_are_called() -> None:
    rows = [Row("a", "lag, mean", 1.0, "s"), Row("b", "  99%", 2.0, "s"), Row("c", "lost", 0.5, "share")]
    told = Explainer(Answer(headline="", rows=rows))
    told.method(["a", "b", "z"], "somehow", "somebody")
    (one,) = told.told()
    assert (one.what, one.shown) == ("lag, mean; lag, 99%", "1 s, 2 s") or one.what == "lag, mean, 99%"
    assert told.left() == ["c"]
    assert cell(rows[2]) == "50%"


# Of a figure that the answer does not have, nothing is told; none is told twice.
def test_nothing_twice() -> None:
    told = Explainer(Answer(headline="", rows=[Row("a", "a", None, "s")]))
    told.method(["b"], "somehow", "somebody")
    told.method(["a"], "somehow", "somebody")
    told.method(["a"], "otherwise", "somebody else", "approximate: a lot")
    (one,) = told.told()
    assert (one.shown, one.value, one.exact) == ("-", None, True)
    assert [o for o in calculator("usl").options if o.unit == FILE]
