from __future__ import annotations

import json
import math
import re
import shutil
import subprocess
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from capacity.alerts import Alert, Alerts, alerts
from capacity.alerts_rules import expression, rules
from capacity.course import DAYS_OF_MONTH, Course
from capacity.document import load, parse, scaled
from capacity.errors import DocumentError
from capacity.evaluate import describe
from capacity.gauges import Gauge, gauges
from capacity.leading import before, rise
from capacity.scenarios import events
from capacity.search import Search
from capacity.solve import solve
from capacity.system import Conditions, resolve
from capacity.verdict import violations
from tests.planner.systems import file, service, topology

if TYPE_CHECKING:
    from capacity.topology import Topology

PROMTOOL = shutil.which("promtool")
SHOP = Path(__file__).parents[2] / "examples" / "shop.toml"


def two_tiers(**more: Any) -> Topology:
    """Return web in front of app, three nodes each, whose pages are to be fast."""
    tiers = {
        "web": service(0.002, 3, "n1", calls=[{"to": "app"}], threads=50),
        "app": service(0.02, 3, "n1", threads=20),
    }
    limits: dict[str, Any] = {"utilization": 0.9, "growth": "10%/month", "latency": {"page": {"p99": 0.2}}}
    return topology(file(tiers, 60.0, **(limits | more)))


@pytest.fixture(scope="module")
def shop() -> tuple[Topology, Alerts]:
    subject = load(str(SHOP)).topology
    return subject, alerts(subject)


def misses(subject: Topology, counts: dict[str, int], factor: float) -> bool:
    """Return whether anything is not met in normal operation, evaluated from scratch."""
    search = Search.of(resolve(scaled(subject, factor)))
    return bool(search.everything(search.normal, counts))


def shows(subject: Topology, counts: dict[str, int], factor: float) -> dict[Gauge, float | None]:
    solution = solve(resolve(scaled(subject, factor)), counts)
    return {gauge: reading.value for gauge, reading in gauges(solution).items()}


def by_gauge(found: Alerts) -> dict[Gauge, Alert]:
    return {Gauge(a.tier, a.metric, a.resource): a for a in found.alerts}


# Everything is met just below the load that pages and something is missed just above; twice the root's own error apart.
@pytest.mark.parametrize("latency", [{"page": {"p99": 0.2}}, {}])
def test_page_is_where_it_breaks(latency: dict[str, Any]) -> None:
    subject = two_tiers(latency=latency)
    found = alerts(subject)
    assert found.first_break is not None
    edge = found.first_break.load
    assert not misses(subject, found.nodes, edge * (1 - 2e-6))
    assert misses(subject, found.nodes, edge * (1 + 2e-6))


# The same on the example, whose counts come from its plan: the numbers are those of that load, from scratch.
def test_thresholds_are_evaluations(shop: tuple[Topology, Alerts]) -> None:
    subject, found = shop
    assert found.first_break is not None
    edge = found.first_break.load
    assert not misses(subject, found.nodes, edge * (1 - 2e-6))
    assert misses(subject, found.nodes, edge * (1 + 2e-6))
    page, today = shows(subject, found.nodes, edge), shows(subject, found.nodes, 1.0)
    rising = {gauge: a for gauge, a in by_gauge(found).items() if a.comparison == ">"}
    assert len(rising) > 10
    for gauge, alert in rising.items():
        # Where retries swing in, another start of the sweeps ends within their own tolerance.
        assert alert.page == pytest.approx(page[gauge], rel=1e-7)
        assert alert.now == pytest.approx(today[gauge], rel=1e-7)


# A share of cores at the ceiling pages at the ceiling itself: the limit is what breaks.
def test_utilization_pages_at_its_ceiling() -> None:
    found = alerts(two_tiers(latency={}))
    assert found.first_break is not None
    assert found.first_break.load == pytest.approx(0.9 * 3 / (60 * 0.02), rel=2e-6)  # the root's precision
    app = by_gauge(found)[Gauge("app", "utilization", "cores")]
    assert app.page == pytest.approx(0.9, rel=2e-6)
    assert app.causes
    assert not by_gauge(found)[Gauge("web", "utilization", "cores")].causes


# What is early comes before what pages, and what is said of today is between nothing and both.
def test_early_is_before_page(shop: tuple[Topology, Alerts]) -> None:
    for found in (shop[1], alerts(two_tiers())):
        assert any(a.early is not None for a in found.alerts)
        for a in found.alerts:
            if a.early is not None:
                assert a.early < a.page if a.comparison == ">" else a.early > a.page
            assert all(math.isfinite(v) for v in (a.now, a.early, a.page) if v is not None)


# Without growth the early load of a tier is that at which one node of it less breaks something.
def test_early_is_the_loss_of_a_node() -> None:
    subject = two_tiers(growth="0%/month")
    found = alerts(subject)
    app = by_gauge(found)[Gauge("app", "utilization", "cores")]
    assert app.early is not None
    factor = app.early * 3 / (60 * 0.02)

    def lost(load: float) -> bool:
        search = Search.of(resolve(scaled(subject, load)))
        event = next(e for e in events(search.system, "node") if e.subject == "app")
        return bool(search.everything(event, found.nodes))

    assert not lost(factor * (1 - 2e-6))
    assert lost(factor * (1 + 2e-6))


# With growth and a lead, the early load grows to the load that breaks within the lead.
@pytest.mark.parametrize("shape", ["compound", "linear"])
def test_early_is_the_lead_of_growth(shape: str) -> None:
    subject = topology(
        file({"app": service(0.02, 8)}, 300.0, utilization=0.9, growth="10%/month") | {"forecast": {"shape": shape}}
    )
    month = DAYS_OF_MONTH * 86400
    assert rise(subject, month) == pytest.approx(1.1, rel=1e-12)  # one rounding of a power
    edge = 0.9 * 8 / (300 * 0.02)
    expected = edge / 1.1 if shape == "compound" else edge - 0.1
    assert before(subject, edge, month) == pytest.approx(expected, rel=1e-12)
    early = by_gauge(alerts(subject, month / 30))[Gauge("app", "utilization", "cores")].early
    grown = edge / 1.1 ** (1 / 30) if shape == "compound" else edge - 0.1 / 30
    lost = 0.9 * 7 / (300 * 0.02)
    assert early == pytest.approx(min(grown, lost) * 0.9 / edge, rel=2e-6)  # the root's precision


# With seasons and events a lead is as steep as the steepest that comes: whenever it begins, what was early is in time.
@pytest.mark.parametrize(
    "future",
    [
        {"season": [1, 1, 1, 1, 1, 1, 1, 1, 1, 1.2, 1.5, 1.6]},
        {"events": [{"date": "2027-01-15", "factor": 1.6, "days": 3}]},
        {"events": [{"date": "2027-02-01", "factor": 3.0, "classes": ["page"]}], "shape": "linear"},
    ],
)
def test_early_is_in_time_for_seasons_and_events(future: dict[str, Any]) -> None:
    values = file({"app": service(0.02, 8)}, {"page": 200.0, "other": 100.0}, utilization=0.9, growth="2%/month")
    subject = topology(values | {"forecast": {"start": "2026-06-01", "months": 12, **future}})
    course = Course(subject, date(2026, 6, 1))
    lead, days = 30, course.months(12)[-1].end
    loads = [200 * f["page"] + 100 * f["other"] for f in map(course.factors, range(days))]
    reached = before(subject, 1.0, lead * 86400)
    after = [max(loads[day : day + lead + 1]) / loads[day] for day in range(days)]
    assert max(after) > 1.25, "nothing steep to be in time for"
    assert reached * max(after) == pytest.approx(1.0, rel=1e-12)  # one division
    assert "seasons and events" in alerts(subject, lead * 86400).alerts[0].early_because


# Alerts stand break by break; of each exactly one leads, and it is the gauge of what breaks or of what that stands on.
def test_one_alert_leads_each_break(shop: tuple[Topology, Alerts]) -> None:
    _, found = shop
    breaks = [alert.breaks for alert in found.alerts]
    assert breaks == sorted(breaks, key=breaks.index), "a break in two places"
    leading = [alert for alert in found.alerts if alert.leads]
    assert [alert.breaks for alert in leading] == list(dict.fromkeys(breaks))
    assert all(alert.causes for alert in leading)
    assert (leading[0].tier, leading[0].metric) == ("orders", "delay")
    cores = alerts(two_tiers(latency={})).alerts[0]
    assert (cores.tier, cores.resource, cores.leads) == ("app", "cores", True)


# A hit ratio is the one at which something breaks at today's load: with a little less of the cache it does.
def test_hit_ratio_is_where_it_breaks(shop: tuple[Topology, Alerts]) -> None:
    subject, found = shop
    redis = by_gauge(found)[Gauge("redis", "hit_ratio")]
    system = resolve(subject)

    def at(warm: float) -> tuple[float, bool]:
        solution = solve(system, found.nodes, conditions=Conditions(warm=(("redis", warm),)))
        return float(describe(solution).tiers["redis"].details["hit_ratio"]), bool(violations(solution))

    low, high = 0.0, 1.0
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (middle, high) if at(middle)[1] else (low, middle)
    assert at(low)[1]
    assert not at(high)[1]
    assert redis.page == pytest.approx(at(high)[0], abs=2e-6)  # the root's precision, of all of the cache
    assert redis.now is not None
    assert redis.page < redis.now


# Connections are opened by count: they have no alert, and it is said why.
def test_what_does_not_move_has_no_alert(shop: tuple[Topology, Alerts]) -> None:
    _, found = shop
    assert Gauge("mysql", "connections") not in by_gauge(found)
    assert any(x.metric == "connections" and "does not move" in x.why for x in found.unwatched)
    assert any(x.metric == "replication_lag" and "hardly moves" in x.why for x in found.unwatched)
    assert not {Gauge(x.tier, x.metric, x.resource) for x in found.unwatched} & set(by_gauge(found))


# What is hardly used even when something breaks has no alert: what else a node does would set it off.
@pytest.mark.parametrize(("network", "watched"), [(1e6, True), (1e9, False)])
def test_what_is_hardly_used_has_no_alert(network: float, watched: bool) -> None:  # noqa: FBT001
    values = file({"app": service(0.02, 3, "n1", request_size=100.0)}, 60.0, utilization=0.9)
    values["node_types"]["n1"]["network"] = network
    found = alerts(topology(values))
    gauge = Gauge("app", "utilization", "network")
    assert (gauge in by_gauge(found)) == watched
    assert any(x.resource == "network" and "too little to measure" in x.why for x in found.unwatched) != watched


# Where today is broken already, the load that pages is below today's.
def test_broken_today() -> None:
    found = alerts(scaled(two_tiers(latency={}), 4.0))
    assert found.first_break is not None
    assert found.first_break.load == pytest.approx(0.9 * 3 / (4 * 60 * 0.02), rel=2e-6)  # the root's precision


# What no load meets is said and set aside, so that the rest is still watched.
def test_hopeless_is_set_aside() -> None:
    found = alerts(two_tiers(latency={"page": {"p50": 0.001}}))
    assert found.hopeless == ["page: p50 within 1 ms"]
    assert found.first_break is not None
    assert "cores of app" in found.first_break.constraint


# Every line of a rule file is of the few shapes that YAML and Prometheus agree on, and every rule is whole. Where the
# checker of Prometheus is installed, it agrees.
def test_rules_are_yaml(shop: tuple[Topology, Alerts], tmp_path: Path) -> None:
    subject, found = shop
    read = read_rules(rules(found, subject.alerts))
    assert len(read) == sum(1 if a.early is None else 2 for a in found.alerts)
    for rule in read:
        assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}
        assert rule["labels"]["severity"] in ("page", "warning")
        assert rule["annotations"]["description"]
    assert len({json.dumps([r["alert"], r["labels"]], sort_keys=True) for r in read}) == len(read)
    if PROMTOOL is not None:
        target = tmp_path / "rules.yml"
        target.write_text(rules(found, subject.alerts), encoding="utf-8")
        ended = subprocess.run([PROMTOOL, "check", "rules", str(target)], capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stderr


def read_rules(text: str) -> list[dict[str, Any]]:
    """Read the subset of YAML that the rules are written in: block maps, one list, double-quoted scalars."""
    head, *parts = text.split("      - ")
    assert re.fullmatch(r'#[^\n]*\ngroups:\n  - name: "[^\n]*"\n    rules:(?: \[\])?\n', head)
    found = []
    for part in parts:
        rule: dict[str, Any] = {}
        inside = rule
        for line in ("        " + part).splitlines():
            match = re.fullmatch(r'( +)(\w+|"[^"]+"):(?: ("(?:[^"\\]|\\.)*"))?', line)
            assert match is not None, line
            indent, key, value = len(match[1]), match[2].strip('"'), match[3]
            assert indent == (8 if value is None or inside is rule or indent == 8 else 10)
            if value is None:
                inside = rule[key] = {}
            else:
                (rule if indent == 8 else inside)[key] = json.loads(re.sub(r"\\U0000(....)", r"\\u\1", value))
        found.append(rule)
    return found


# Names are data: no tier can end a string of PromQL, open a template of an annotation or a line of YAML.
def test_names_stay_names() -> None:
    name = 'a"} or vector(1) # {{ $value }}\n\u2028\x7f\\'
    tiers = {name: service(0.02, 3)}
    found = alerts(topology(file(tiers, 60.0, utilization=0.9)))
    read = read_rules(rules(found, two_tiers().alerts))
    assert read
    for rule in read:
        (inner,) = re.findall(r'tier="((?:[^"\\]|\\.)*)"', rule["expr"])
        assert json.loads(f'"{inner}"') == name
        assert "{{ $value" not in rule["annotations"]["description"]
        assert rule["labels"]["tier"].replace('{{"{{"}}', "{{") == name


# The file says what metrics are called, and which labels come beside ours.
def test_metrics_are_mapped() -> None:
    text = """
    [workload.classes.page]
    rate = "60/s"
    entry = "app"
    [components.app]
    kind = "service"
    node = "c6i.large"
    nodes = 3
    cpu_time = "20ms"
    [alerts]
    page_after = "90s"
    labels = { team = "web" }
    [alerts.metrics]
    utilization = 'avg(cpu_busy{app="{tier}", kind="{resource}"})'
    """
    subject = parse(text, "mapped").topology
    found = alerts(subject)
    cores = by_gauge(found)[Gauge("app", "utilization", "cores")]
    assert expression(cores, subject.alerts, 0.5) == '(avg(cpu_busy{app="app", kind="cores"})) > 0.5'
    paging = [rule for rule in read_rules(rules(found, subject.alerts)) if rule["labels"]["severity"] == "page"]
    assert all(rule["for"] == "90s" and rule["labels"]["team"] == "web" for rule in paging)
    with pytest.raises(DocumentError, match="did you mean utilization"):
        parse(text.replace("utilization =", "utilisation ="), "mapped")
    with pytest.raises(DocumentError, match="severity"):
        parse(text.replace("team =", "severity ="), "mapped")
