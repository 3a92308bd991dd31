from __future__ import annotations

from pathlib import Path

import pytest
from rich.cells import cell_len

from capacity.document import load, parse, scaled
from capacity.evaluate import evaluate
from capacity.plan import as_given, plan
from tests.planner.systems import cache, database, external, file, service, topology
from tests.tui.pictures import followed
from tui.drawing.canvas import Key
from tui.drawing.draw import draw
from tui.drawing.picture import Picture, picture, rate

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").rglob("*.toml"))


def shown(path: Path, *overrides: str) -> Picture:
    declared = load(str(path), overrides).topology
    return picture(declared, evaluate(declared))


# Every example is drawn at the width of a large terminal as boxes, with every edge to be followed and every name whole.
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_are_boxes_at_160(path: Path) -> None:
    seen = shown(path)
    drawing = draw(seen, 160)
    assert drawing.form == "boxes"
    assert drawing.width <= 160
    assert drawing.height < 40
    assert followed(drawing) == {(edge.start, edge.end) for edge in seen.edges}
    assert all(box.name in drawing.text and box.word in drawing.text for box in seen.boxes if box.kind != "class")
    assert sum("BOTTLENECK" in line for line in drawing.text.splitlines()) == 1


# In 80 columns and 24 lines every example is a tree with nothing cut away: name, kind, nodes, utilisation, p99, rate.
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_fit_80_by_24(path: Path) -> None:
    seen = shown(path)
    drawing = draw(seen, 80)
    assert drawing.form == "tree"
    assert drawing.height <= 20
    assert "…" not in drawing.text
    for box in seen.boxes:
        region = drawing.regions[box.key]
        line = "".join(text for text, _ in drawing.rows[region.y])
        told = [box.name, box.where.text, box.load.text, box.facts[0].text.removeprefix("p99 ")]
        assert all(text in line for text in told), line


# A box says how many nodes of which type there are, how busy and how fast, as the report does.
def test_a_box_tells_what_the_evaluation_says() -> None:
    values = file(
        {"app": service(0.004, 2, "n2", calls=[{"to": "db"}, {"to": "later"}]), "db": database(0.001, replicas=2),
         "later": {"kind": "queue", "consumers": "worker", "partitions": 7}, "worker": service(0.001),
         "on": {"kind": "service", "host": "app", "cpu_time": 0.0}, "partner": external(0.1)},
        100,
    )  # fmt: skip
    seen = picture(topology(values), evaluate(topology(values)))
    by_name = {box.name: box for box in seen.boxes if box.kind != "class"}
    assert {name: box.where.text for name, box in by_name.items()} == {
        "app": "2×n2", "db": "1+2×n1", "later": "7 partitions", "worker": "1×n1", "on": "on app", "partner": "",
    }  # fmt: skip
    assert by_name["app"].load.text == "10%"
    assert by_name["partner"].facts[0].text == "idle"
    assert by_name["partner"].word == "partner"


# Edges carry the rates of the evaluation; how they are waited for is part of them.
def test_edges() -> None:
    tiers = {
        "app": service(0.001, calls=[{"to": "near", "count": 2}, {"to": "later"}]),
        "near": cache("db", host="app", memory=100_000.0, ttl=20.0),
        "db": database(0.0001),
        "later": {"kind": "queue", "consumers": "worker"},
        "worker": service(0.001, calls=[{"to": "db"}]),
    }
    declared = topology(file(tiers, 100))
    evaluation = evaluate(declared)
    edges = {(e.start.name, e.end.name): (e.kind, e.rate) for e in picture(declared, evaluation).edges}
    misses = 200 * (1 - evaluation.tiers["near"].details["hit_ratio"])
    assert edges == {
        ("page", "app"): ("call", 100),
        ("app", "near"): ("call", pytest.approx(200)),
        ("app", "later"): ("async", pytest.approx(100)),
        ("near", "db"): ("miss", pytest.approx(misses)),
        ("later", "worker"): ("consumes", pytest.approx(100)),
        ("worker", "db"): ("call", pytest.approx(100)),
    }
    assert misses > 0


# A class and a tier of the same name are two boxes.
def test_a_class_named_like_a_tier() -> None:
    declared = topology(file({"page": service(0.001)}, {"page": 10.0}))
    seen = picture(declared, evaluate(declared))
    assert [box.key for box in seen.boxes] == [Key("class", "page"), Key("tier", "page")]
    for width in (120, 20):
        assert set(draw(seen, width).regions) == {box.key for box in seen.boxes}


# How near a tier is to its end is one word: below its ceiling, near it, above it, beyond what it can do.
@pytest.mark.parametrize(("load", "word"), [(40, "calm"), (65, "busy"), (80, "over"), (120, "overloaded")])
def test_severity(load: float, word: str) -> None:
    declared = topology(file({"app": service(0.01)}, load, utilization=0.75))
    seen = picture(declared, evaluate(declared)).boxes[1]
    assert seen.severity == word
    text = draw(picture(declared, evaluate(declared)), 100).text
    assert ("!" in text) == (word in ("over", "overloaded"))
    assert ("overloaded" in text) == (word == "overloaded")


# A queue that never drains and a caller that waits for ever are overloaded, though no resource of theirs may be.
def test_overload_spreads_to_who_waits() -> None:
    tiers = {
        "app": service(0.001, calls=[{"to": "slow"}, {"to": "later"}]),
        "slow": service(0.02),
        "later": {"kind": "queue", "consumers": "worker"},
        "worker": service(0.02),
    }
    declared = topology(file(tiers, 100))
    words = {box.name: box.severity for box in picture(declared, evaluate(declared)).boxes if box.kind != "class"}
    assert words["slow"] == words["later"] == words["worker"] == "overloaded"


# The bottleneck is what breaks first as load grows: as near to its own ceiling as nothing else, a partner's limit
# (which may be used to the end) included; a tier on another's nodes is not blamed for their cores.
def test_bottleneck() -> None:
    tiers = {
        "app": service(0.01, calls=[{"to": "partner"}]),
        "web": {"kind": "service", "host": "app", "cpu_time": 0.0},
        "partner": external(0.1, rate_limit=100.0),
    }
    for rate_, name in ((60.0, "app"), (79.0, "app")):
        declared = topology(file(tiers, rate_, utilization=0.7))
        assert [b.name for b in picture(declared, evaluate(declared)).boxes if b.bottleneck] == [name]
    declared = topology(file(tiers | {"app": service(0.005, calls=[{"to": "partner"}])}, 60, utilization=0.9))
    assert [b.name for b in picture(declared, evaluate(declared)).boxes if b.bottleneck] == ["partner"]
    idle = topology(file(tiers, 0.0))
    assert not any(box.bottleneck for box in picture(idle, evaluate(idle)).boxes)


# A caller whose threads are all held by calls to something overloaded is not blamed for it.
def test_a_blocked_caller_is_not_the_bottleneck() -> None:
    tiers = {
        "app": service(0.001, threads=50, calls=[{"to": "partner"}]),
        "partner": external(0.1, rate_limit=90.0),
    }
    declared = topology(file(tiers, 100, utilization=0.5))
    evaluation = evaluate(declared)
    assert evaluation.tiers["app"].binding == "threads"
    assert [b.name for b in picture(declared, evaluation).boxes if b.bottleneck] == ["partner"]
    slow = topology(file(tiers | {"partner": external(2.0)}, 100))
    assert [b.name for b in picture(slow, evaluate(slow)).boxes if b.bottleneck] == ["app"]


# What no user gets an answer from because a partner is down is said not to be judged.
def test_what_waits_for_a_partner_that_is_down_is_excused() -> None:
    declared = load(str(ROOT / "examples" / "shop.toml")).topology
    evaluation = as_given(declared, "partner_down:payments").evaluation
    seen = {box.key: box.severity for box in picture(declared, evaluation).boxes}
    assert seen[Key("class", "checkout")] == "excused"
    assert seen[Key("class", "browse")] != "excused"


# Against a baseline each number says by how much it changed and in which direction, with a sign and an arrow.
def test_changes_against_a_baseline() -> None:
    path = ROOT / "examples" / "ladder" / "8-queue-and-partner.toml"
    document = load(str(path))
    before = plan(document.topology)
    counts = [f"components.{n}.nodes={c}" for n, c in before.counts.items() if n != "db"]
    counts.append(f"components.db.replicas={before.counts['db']}")
    pinned = load(str(path), counts).topology
    fewer = load(str(path), [*counts, f"components.app.nodes={before.counts['app'] - 1}"]).topology
    seen = picture(fewer, evaluate(fewer), evaluate(pinned))
    app = next(box for box in seen.boxes if box.name == "app")
    assert app.where.change == ("▼-1", "changed")
    assert app.load.change.trend == "worse"
    assert app.load.change.text.startswith("▲+")
    assert "▼-1" in draw(seen, 300).text
    for width, form in ((300, "boxes"), (150, "boxes"), (100, "tree"), (80, "tree")):
        drawing = draw(seen, width)
        assert drawing.form == form
        for box in seen.boxes:
            for change in (box.where.change, box.load.change, box.facts[0].change):
                assert change.text in drawing.text, f"{box.name} at {width}"
        told = {text.strip() for row in drawing.rows for text, style in row if style.startswith("change")}
        assert not told & {"▲", "▼"}, "an arrow always has its amount"
    fewer_users = picture(pinned, evaluate(pinned), evaluate(scaled(pinned, 1.25)))
    assert {edge.change.text[:2] for edge in fewer_users.edges} == {"▼-"}
    for width in (300, 100):
        drawing = draw(fewer_users, width)
        assert all(f"{edge.change.text}" in drawing.text for edge in fewer_users.edges)
    texts = [draw(fewer_users, width).text for width in range(150, 240, 5)]
    assert any("/s ▼" in text and "/s ▼-" not in text for text in texts), "at least an arrow where amounts are too long"
    same = picture(pinned, evaluate(pinned), evaluate(pinned))
    assert "▲" not in draw(same, 300).text
    assert "▼" not in draw(same, 300).text


# Rates are never longer than the seven columns that a short one has.
@pytest.mark.parametrize(("value", "text"), [(0.0, "0/s"), (0.0213, "0.0213/s"), (999.4, "999/s"), (999.9, "1k/s"), (12345.0, "12.3k/s"), (1.2e6, "1.2M/s")])  # fmt: skip
def test_short_rates(value: float, text: str) -> None:
    assert rate(value, short=True) == text


# An overload by any factor draws: no number in a drawing is NaN or infinite.
@pytest.mark.parametrize("factor", [0.001, 1.0, 50.0, 1e6])
def test_any_load(factor: float) -> None:
    declared = scaled(load(str(ROOT / "examples" / "shop.toml")).topology, factor)
    seen = picture(declared, evaluate(declared))
    for width in (200, 80, 30):
        text = draw(seen, width).text.lower()
        assert "nan" not in text
        assert " inf" not in text


# Names from a file that would be markup, or longer than any box, or wide, are drawn as what they are.
def test_names_from_a_file() -> None:
    text = (ROOT / "examples" / "starter.toml").read_text(encoding="utf-8")
    strange = "[bold]데이터베이스-아주-긴-이름[/bold]"
    first = next(iter(load(str(ROOT / "examples" / "starter.toml")).topology.components))
    text = text.replace(f"[components.{first}]", f'[components."{strange}"]').replace(f'"{first}"', f'"{strange}"')
    declared = parse(text, "strange.toml").topology
    seen = picture(declared, evaluate(declared))
    assert "[bold]데이터베이스" in draw(seen, 160).text
    assert all(sum(cell_len(part) for part, _ in row) == 60 for row in draw(seen, 60).rows)
