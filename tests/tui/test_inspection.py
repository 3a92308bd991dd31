from __future__ import annotations

import re
import tomllib
from contextlib import suppress
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from capacity.components import kinds
from capacity.document import Document, load
from capacity.editing import in_unit_of, value_at, with_value
from capacity.errors import DocumentError
from capacity.literals import toml_value
from tests.planner.systems import database, document, file, service
from tui.amending import Stretch, continued, moved, names_for, pinned, removed, said, typed
from tui.because import Because, because
from tui.drawing.canvas import Key
from tui.drawing.picture import picture
from tui.drawing.text import columns
from tui.findings import findings
from tui.inspection import LEFT_OUT, Row, Unfolding, about, refreshed, rows
from tui.scene import Scene, followed_up, scene, solved_counts
from tui.session import Session, opened
from tui.telling import status

ROOT = Path(__file__).parents[2]
SHOP = load(str(ROOT / "examples" / "shop.toml"))
APP = Key("tier", "app")


def session(of: Document = SHOP) -> Session:
    return opened(of, {"app": 9})


def row(label: str, key: Key | None = APP, of: Document = SHOP, **unfolding: object) -> Row:
    found = rows(of, session(of).now.counts, key, None, Unfolding(**unfolding))  # type: ignore[arg-type]
    return next(one for one in found if one.label == label)


def shown(lines: object) -> str:
    return "\n".join("".join(text for text, _ in line) for line in lines)  # type: ignore[attr-defined]


# What the file says comes first and as it is written there; below it stands what holds where the file is silent.
def test_rows_of_a_tier() -> None:
    found = rows(SHOP, session().now.counts, APP)
    labels = [one.label for one in found]
    above, below = labels[: labels.index(LEFT_OUT)], labels[labels.index(LEFT_OUT) + 1 :]
    assert above[:5] == ["node", "nodes", "cpu_time.browse", "cpu_time.checkout", "variability"]
    assert "thread_memory" in below
    assert "spot" in below
    assert {one.label: one.shown for one in found if one.label.startswith("cpu")} == {
        "cpu_time.browse": "9ms", "cpu_time.checkout": "22ms",
    }  # fmt: skip
    assert row("nodes").shown == "9 auto"
    assert row("spot").shown == "0%"
    assert not row("spot").given


# Lines that are as they were are the same objects; those that are kept are never those of another file or of before.
def test_rows_kept() -> None:
    edits: list[tuple[tuple[str | int, ...], object]] = [
        (("components", "app", "cpu_time"), "10ms"), (("components", "app", "cpu_time", "browse"), "12ms"),
        (("components", "app", "nodes"), 4), (("components", "app", "calls", 0, "count"), 5),
        (("components", "app", "calls", 1, "timeout"), "2s"), (("components", "mysql", "replicas"), 2),
        (("components", "redis", "kind"), "cache"), (("slo", "latency", "browse", "p99"), "1s"), (("name",), "other"),
        (("workload", "peak_to_mean"), 3.0), (("components", "app", "spot"), 0.0), (("components", "app", "host"), ""),
    ]  # fmt: skip
    made = [SHOP]
    for path, value in edits:
        with suppress(DocumentError):
            made.append(with_value(SHOP, path, value).document)
    assert len(made) > 8
    keys = [None, APP, Key("tier", "mysql"), Key("class", "browse")]
    calls = frozenset({("components", "app", "calls", 1)})
    unfoldings = [Unfolding(), Unfolding(calls, (("components", "app", "spot"), True))]
    for before, after, key, baseline in product(made, made, keys, (None, SHOP)):
        for was, now in product(unfoldings, unfoldings):
            known = rows(before, {"app": 9}, key, baseline, was)
            fresh = rows(after, {"app": 9}, key, baseline, now)
            assert rows(after, {"app": 9}, key, baseline, now, before=known) == fresh
            assert rows(after, {"app": 8}, key, None, now, before=known) == rows(after, {"app": 8}, key, None, now)
    known = rows(SHOP, {"app": 9}, APP)
    typed_on = rows(with_value(SHOP, ("components", "app", "variability"), 2.0).document, {"app": 9}, APP, before=known)
    assert [new.label for old, new in zip(known, typed_on, strict=True) if old is not new] == ["variability"]


# Each call is a group of its own: its tier, how often, and what else is said; the rest of it where it is unfolded.
def test_rows_of_calls() -> None:
    path = ("components", "app", "calls", 1)
    found = [one for one in rows(SHOP, {}, APP) if one.call == path]
    assert [(one.label, one.shown, one.depth) for one in found] == [
        ("calls →", "mysql", 0), ("count", "4", 1), ("writes", "50%", 1), ("classes", "checkout", 1),
    ]  # fmt: skip
    unfolded = rows(SHOP, {}, APP, None, Unfolding(calls=frozenset({path})))
    assert [one.label for one in unfolded if one.call == path] == [
        "calls →", "count", "writes", "classes", "parallel", "timeout", "retries", "pool",
    ]  # fmt: skip


# A class has its objectives among its fields; the whole system has growth, objectives, resilience and money.
def test_rows_of_classes_and_the_system() -> None:
    assert row("objective.p99", Key("class", "browse")).path == ("slo", "latency", "browse", "p99")
    labels = {one.label for one in rows(SHOP, {}, None)}
    wanted = {"workload.growth", "workload.peak_to_mean", "slo.utilization", "slo.availability", "resilience.zones",
              "resilience.deploy.surge", "money.egress"}  # fmt: skip
    assert wanted <= labels


# Every field of every kind can be told about, whatever the kind.
@pytest.mark.parametrize("name", SHOP.topology.components)
def test_every_field_is_told(name: str) -> None:
    found = [one for one in rows(SHOP, session().now.counts, Key("tier", name)) if one.path]
    assert all(about(one) and one.hint and one.shown for one in found)
    assert {kind.__name__ for kind in kinds().values()} >= {type(SHOP.topology.components[name]).__name__}


# A field keeps its place while it is changed, or the cursor would be torn from under the fingers.
def test_a_held_field_stays() -> None:
    path = ("components", "app", "spot")
    after = typed(SHOP, row("spot"), "30%").document
    held = [one.label for one in rows(after, {}, APP, None, Unfolding(held=(path, False)))]
    free = [one.label for one in rows(after, {}, APP)]
    assert held.index("spot") > held.index(LEFT_OUT)
    assert free.index("spot") < free.index(LEFT_OUT)


# A small number is written with its zeros, as the file has it: nobody should have to count places after an e.
def test_no_exponents() -> None:
    small = with_value(SHOP, ("components", "app", "coherency"), 0.00005).document
    assert row("coherency", APP, small).text == row("coherency", APP, small).shown == "0.00005"
    assert [toml_value(one) for one in (5e-05, [1e-7], 1e16, 1.5, -2e-5)] == [
        "0.00005",
        "[0.0000001]",
        "10000000000000000.0",
        "1.5",
        "-0.00002",
    ]
    assert toml_value(1e-300) == "1e-300"
    assert all(tomllib.loads(f"v = {toml_value(one)}")["v"] == one for one in (5e-05, 1e16, 1e22, 1e-300, 123456.789))
    shown_texts = [
        one.shown
        for key in (None, *(Key("tier", name) for name in SHOP.topology.components))
        for one in rows(small, {}, key)
    ]
    assert not [text for text in shown_texts if re.fullmatch(r"-?[\d.]+e[+-]?\d+", text)]


# With a baseline, a field says what it was there.
def test_what_a_field_was() -> None:
    after = typed(SHOP, row("threads"), "300").document
    found = {one.label: one.was for one in rows(after, {}, APP, SHOP)}
    assert found["threads"] == "200"
    assert found["variability"] is None


# A bare number takes the unit that is written, so that "12" over "9ms" is not twelve seconds for a moment.
@pytest.mark.parametrize(
    ("text", "before", "meant"),
    [
        ("12", "9ms", "12ms"), ("12", "180ms..260ms..900ms", "12ms"), ("75", "50%", "75%"), ("7", "6%/month", "7%/month"),
        ("1_200", "900/s", "1_200/s"), ("12s", "9ms", "12s"), ("12", "0.009", "12"), ("12", "", "12"), ("x", "9ms", "x"),
        ("1e3", "9ms", "1e3"), ("2.5", "180 GiB", "2.5 GiB"), ("3", "1e-05", "3"),
    ],
)  # fmt: skip
def test_unit_of_a_bare_number(text: str, before: str, meant: str) -> None:
    assert in_unit_of(text, before) == meant


# Where no unit is written, it is said what the number stands for.
def test_what_a_bare_number_means() -> None:
    bare = with_value(SHOP, ("components", "app", "spot"), 0.5).document
    assert row("spot", of=bare).meant == "50%"
    assert row("cpu_time.browse").meant == ""
    late = with_value(SHOP, ("components", "orders", "delay"), 150).document
    assert row("delay", Key("tier", "orders"), late).meant == "2.5min"


# What cannot be read raises with its reason; nothing typed leaves the field out, unless it is needed.
def test_typed() -> None:
    with pytest.raises(DocumentError) as problem:
        typed(SHOP, row("cpu_time.browse"), "12parsecs")
    assert said(problem.value, row("cpu_time.browse").path).startswith('is not a time; found "12parsecs"')
    assert "threads" not in typed(SHOP, row("threads"), " ").document.values["components"]["app"]
    with pytest.raises(DocumentError, match="is needed"):
        typed(
            document(file({"app": service(0.001)}, 10)),
            row("cpu_time", of=document(file({"app": service(0.001)}, 10))),
            "",
        )
    assert typed(SHOP, row("host"), "").document is SHOP
    listed = typed(SHOP, row("classes"), "browse, checkout").document
    assert value_at(listed.values, row("classes").path) == ["browse", "checkout"]


# Steps start from what is shown: a number of the file, the plan's count, or the default; up and down returns.
@pytest.mark.parametrize(
    ("label", "after"),
    [("threads", 201), ("nodes", 10), ("spot", "1%"), ("stateful", True), ("balancing", "round_robin"), ("mtbf", None)],
)
def test_steps(label: str, after: object) -> None:
    edited = moved(SHOP, row(label), 1, big=False)
    if after is None:
        assert edited is None
        return
    assert edited is not None
    assert value_at(edited.document.values, row(label).path) == after
    back = moved(edited.document, refreshed(edited.document, {}, row(label)), -1, big=False)
    assert back is not None
    assert refreshed(back.document, {}, row(label)).text in (row(label).text, row(label).shown.removesuffix(" auto"))


# A name goes on to the next that fits: node types by size within their family, or by family at the same size.
def test_next_names() -> None:
    def node(**how: bool) -> object:
        edited = moved(SHOP, row("node"), 1, big=how.get("big", False))
        assert edited is not None
        return value_at(edited.document.values, row("node").path)

    assert node() == "c6i.2xlarge"
    assert str(node(big=True)).endswith(".xlarge")
    to = moved(SHOP, row("calls →"), 1, big=False)
    assert to is not None
    assert value_at(to.document.values, row("calls →").path) in names_for(SHOP, row("calls →"))


# Pinning writes the count that holds; giving it back leaves it as it was until the plan is asked.
def test_pinning() -> None:
    begun = session()
    fixed = pinned(begun, row("nodes"))
    assert fixed is not None
    assert fixed.now.document.values["components"]["app"]["nodes"] == 9
    given = refreshed(fixed.now.document, fixed.now.counts, row("nodes"))
    back = pinned(fixed, given)
    assert back is not None
    assert back.now.document.values == SHOP.values
    assert back.now.counts["app"] == 9
    assert pinned(begun, row("threads")) is None


# A stretch of changes is one undo; one that ends where it began is none.
def test_stretches() -> None:
    begun, field = session(), row("threads")
    stretch = Stretch("typing", field.path, begun.now)
    first = typed(SHOP, field, "3")
    one = continued(begun, stretch, *first)
    stretch = Stretch("typing", field.path, begun.now, one.now)
    two = continued(one, stretch, *typed(SHOP, field, "300"))
    assert [version.label for version in (*two.past, two.now)] == ["opened", "app.threads 200 → 300"]
    assert two.undone().now is begun.now
    stretch = Stretch("typing", field.path, begun.now, two.now)
    assert continued(two, stretch, *typed(SHOP, field, "200")) == begun
    assert not stretch.goes_on("typing", field.path, two.undone(), 0.0)
    assert not stretch.goes_on("stepping", field.path, two, 0.0)


# Leaving a field out of the file is refused where the file needs it.
def test_removed() -> None:
    assert removed(SHOP, row("threads")).name == "remove app.threads"
    with pytest.raises(DocumentError):
        removed(SHOP, row("calls →"))


@pytest.fixture(scope="module")
def solved() -> Scene:
    return scene(opened(SHOP, solved_counts(SHOP, 1.0)[0]).question)


# No line is wider than its room, and none is lost: whatever is selected, at any width, with or without a baseline.
@pytest.mark.parametrize("width", [30, 62, 78, 120])
def test_findings_fit(solved: Scene, width: int) -> None:
    keys = [None, *(Key("tier", name) for name in SHOP.topology.components), Key("class", "browse")]
    for key in keys:
        for baseline in (None, solved):
            lines = findings(solved, key, baseline, width, Because())
            assert lines
            assert max(sum(columns(text) for text, _ in line) for line in lines) <= width


# Against a baseline, every number beside which there is one has its difference, with sign, arrow and unit.
def test_differences_have_units(solved: Scene) -> None:
    more = {**solved.counts, "app": solved.counts["app"] + 2}
    after = scene(replace(opened(SHOP, more), load=1.25).question)
    app = shown(findings(after, APP, solved, 100, Because()))
    for pattern in (
        r"cores .*[▲▼][+-][\d.]+pp",
        r"p99 [\d.]+ ms [▲▼][+-][\d.]+ [mu]s",
        r"gets [\d,.]+/s ▲\+[\d.]+k?/s",
        rf"{more['app']} ▲\+2 × ",
        r"/month ▲\+[\d.,]+ USD",
    ):
        assert re.search(pattern, app), f"{pattern} in {app}"
    redis = shown(findings(after, Key("tier", "redis"), solved, 100, Because()))
    assert " was " not in redis
    assert re.search(
        r"rate +[\d,.]+/s ▲\+[\d.]+k?/s", shown(findings(after, Key("class", "browse"), solved, 100, Because()))
    )
    assert re.search(r"/month ▲\+[\d.,]+ USD", shown(findings(after, None, solved, 100, Because())))
    top = "".join(text for part in status(opened(SHOP, more), after, solved) for text, _ in part)
    assert re.search(r"/month ▲\+[\d.,]+ USD", top)


# The inspector says what the evaluation says: limits with their ceiling, latency, cost, and what asks for the nodes.
def test_findings_of_a_tier(solved: Scene) -> None:
    tier = solved.evaluation.tiers["app"]
    text = shown(findings(solved, APP, None, 100, because(solved, "app", lambda _: None)))
    assert tier.response.p99_s is not None
    assert f"{tier.response.p99_s * 1000:.3g} ms" in text
    assert "cores" in text
    assert "┊" in text
    assert "threads" in text
    assert f"{tier.nodes}  zone lost: app cores ← decides" in text


# What is not judged is neither met nor missed, and says what is not known; the drawing names it.
def test_what_is_not_judged_says_why(solved: Scene) -> None:
    found = replace(solved, evaluation=followed_up(solved).evaluation)
    text = " ".join(shown(findings(found, Key("class", "checkout"), None, 78, Because())).split())
    assert "availability ? not judged (asked for 99.950%" in text
    assert "how often these fail: orders, payments (their field availability" in text
    box = next(b for b in picture(found.topology, found.evaluation).boxes if b.name == "checkout")
    assert box.facts[1].text == "availability ?"


# Where something is not met, or the file fixes the count, no reason is made up.
def test_no_made_up_reasons() -> None:
    few = scene(opened(SHOP, {"app": 1}).question)
    assert because(few, "app", lambda _: None) == Because((), met=False)
    assert "s solves" in shown(findings(few, APP, None, 100, Because((), met=False)))
    fixed = document(file({"app": service(0.001, 2)}, 10))
    assert "fixed in the file" in shown(findings(scene(opened(fixed, {}).question), APP, None, 100, Because()))


# Fewer members than a quorum asks for are neither none nor overloaded: how many are left, and how many it takes.
def test_no_quorum_left() -> None:
    replication = {"mode": "quorum", "read_quorum": 3, "write_quorum": 1}
    tiers = {"app": service(0.001, 2, calls=[{"to": "db"}]), "db": database(0.001, 0.001, 2, replication=replication)}
    found = scene(replace(opened(document(file(tiers, 10)), {}), scenario="node:db").question)
    box = next(b for b in picture(found.topology, found.evaluation).boxes if b.name == "db")
    assert (box.where.text, box.facts[0].text) == ("1+1×n1", "no quorum left")
    text = shown(findings(found, Key("tier", "db"), None, 100, Because()))
    assert "2 left of the 3 that a quorum asks for" in text
    assert "tightest" not in text
    assert "always fresh" not in text


# Names are text, whatever is in them.
def test_markup_is_text() -> None:
    values = file({"[red]": service(0.001, 2)}, 10)
    values["workload"]["classes"] = {"[b]": {**next(iter(values["workload"]["classes"].values())), "entry": "[red]"}}
    named = document(values)
    assert about(row("nodes", Key("tier", "[red]"), named)).startswith('"[red]".nodes')
    assert row("entry", Key("class", "[b]"), named).shown == "[red]"
