from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, Any

import pytest
import tomli_w

from capacity.document import load
from capacity.render import json as as_json
from capacity.scaling import scale
from tests.capacity.running import EXAMPLES, WIDTH, Ended, capacity, columns, process
from tests.planner.systems import cache, changed, database, external, file, service
from tests.planner.tier_variants import in_family

if TYPE_CHECKING:
    from pathlib import Path

    from tests.planner.systems import Values

LADDER = EXAMPLES / "ladder"


def shop(node: str = "n1", **app: Any) -> Values:
    """Return a small system with every kind of tier, and one that nobody reaches."""
    calls = [{"to": "near", "writes": 0.1}, {"to": "pay"}, {"to": "jobs"}]
    tiers = {
        "app": service(0.005, None, node, threads=50, calls=calls) | app,
        "near": cache("db", 0.00001, host="app", memory=100e3),
        "db": database(0.002, 0.003, "auto", replication={"network_delay": 0.001}),
        "jobs": {"kind": "queue", "consumers": "worker", "partitions": 12},
        "worker": service(0.01, None),
        "pay": external(0.02),
        "idle": service(0.01, None),
    }
    values = file(tiers, 100, survive=("node",), utilization=0.75, latency={"page": {"p99": 0.2}})
    return in_family(values) | {"name": "a small shop"}


SINGLE = in_family(file({"web": service(0.01, None)}, 100, survive=("node",), utilization=0.75))
"""One tier."""


@pytest.fixture
def scaled(tmp_path: Path) -> Any:
    """Return a function that scales a file of these values, with arguments behind the file."""

    def run(values: Values, *arguments: object) -> Ended:
        (tmp_path / "in.toml").write_text(tomli_w.dumps(values), encoding="utf-8")
        return capacity("scale", tmp_path / "in.toml", *arguments)

    return run


def fits(text: str) -> bool:
    """Return whether every terminal has room for a text, and none is told to do anything by it."""
    printable = all(c.isprintable() or c == "\n" for c in text)
    return printable and all(columns(line) <= WIDTH for line in text.splitlines())


# JSON is the whole result, number by number, with the version of its shape first; nothing else is on either stream.
def test_json(scaled: Any, tmp_path: Path) -> None:
    ended = scaled(shop(), "--json")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == as_json(scale(load(str(tmp_path / "in.toml")).topology))
    assert ended.out.startswith('{\n  "schema_version": 1,\n  "name": "a small shop",\n  "currency": "USD"')
    assert list(ended.json["tiers"]) == ["app", "db", "worker"]
    assert scaled(shop(), "--format", "json").out == ended.out
    for tier in ended.json["tiers"].values():
        assert [option["node"] for option in tier["options"]] == ["n1", "n2", "n4", "n8"]
        assert {side["way"] for side in tier["crossing"]["sides"]} == {"one", "up", "out"}


# CSV has one row for every option of every tier, with the values of the JSON under the names of its keys.
def test_csv(scaled: Any) -> None:
    values = shop()
    del values["node_types"]["n4"]["price"]
    rows = list(csv.DictReader(io.StringIO(scaled(values, "--format", "csv").out)))
    tiers = scaled(values, "--json").json["tiers"]
    options = [(name, option) for name, tier in tiers.items() for option in tier["options"]]
    assert [(row["tier"], row["node"]) for row in rows] == [(name, option["node"]) for name, option in options]
    for row, (name, option) in zip(rows, options, strict=True):
        best = tiers[name]["recommendation"]
        assert row.pop("tier") == name
        assert row.pop("recommended") == str((option["node"], option["nodes"]) == (best["node"], best["nodes"]))
        assert row == {key: "" if option[key] is None else str(option[key]) for key in row}
    assert {row["out"] for row in rows} == {"", "price unknown"}


# The table shows every type that passes with its nodes and cost, what is to be taken, the classic table, and where up
# and out end; Markdown has the same cells in the same order.
def test_table_and_markdown(scaled: Any) -> None:
    table, marked = scaled(shop(), "app"), scaled(shop(), "app", "--format", "markdown")
    found = scaled(shop(), "app", "--json").json["tiers"]["app"]
    assert (table.code, marked.code, table.err + marked.err) == (0, 0, "")
    assert fits(table.out)
    for option in found["options"]:
        if option["out"] is None:
            row = rf"^{option['node']} +{option['nodes']} +{option['monthly']:,.2f} "
            assert re.search(row, table.out, re.MULTILINE)
            assert f"| {option['node']} | {option['nodes']} | {option['monthly']:,.2f} |" in marked.out
    best = found["recommendation"]
    assert f"take {best['nodes']} x {best['node']}: " in table.out
    for words in ("one machine", "up: few and large", "out: more of them", "lost with one node", "ends at"):
        assert words in table.out
        assert words in marked.out
    rows = [line.count("|") - line.count(r"\|") for line in marked.out.splitlines() if line.startswith("|")]
    assert set(rows) == {9, 5}


# What scaling out breaks is told with what mends it: the local cache that hears of no write elsewhere, on the tier whose
# nodes hold it, and the replicas that lag.
def test_what_scaling_out_breaks(scaled: Any) -> None:
    found = scaled(shop(), "--json").json["tiers"]
    assert [d["tier"] for d in found["app"]["differences"]] == ["near"]
    assert [d["tier"] for d in found["db"]["differences"]] == ["db"]
    assert not found["worker"]["differences"]
    text = scaled(shop(), "app").out
    assert "What scaling out breaks" in text
    assert "invalidation = true" in text


# A tier that is not there, or that has no nodes to scale, ends with 2 and names those that have, and nothing else is
# said: hosted tiers, queues, partners and what nobody reaches are no tiers to scale.
@pytest.mark.parametrize("tier", ["nope", "near", "jobs", "pay", "idle", "", "[red]"])
def test_unknown_tier(scaled: Any, tier: str) -> None:
    ended = scaled(shop(), tier)
    assert (ended.code, ended.out) == (2, "")
    assert f'"{tier}"' in ended.err
    assert re.search(r"app, db, worker$", ended.err.strip())
    assert len(ended.err.strip().splitlines()) == 1


# A family that is not there ends with 2 and names those that are; `all` is one of them.
@pytest.mark.parametrize("family", ["zz", "", "C6I"])
def test_unknown_family(scaled: Any, family: str) -> None:
    ended = scaled(shop(), "app", "--family", family)
    assert (ended.code, ended.out) == (2, "")
    assert re.search(r"there are all, c6i, .*, n, r6i", ended.err)


# `--family` takes another family beside the tier's own type, or all: then every type of the book is an option.
def test_family(scaled: Any) -> None:
    other = scaled(shop(), "worker", "--family", "c6i", "--json").json["tiers"]["worker"]["options"]
    assert {option["family"] for option in other} == {"n", "c6i"}
    assert [option["node"] for option in other if option["planned"]] == ["n1"]
    everything = scaled(SINGLE, "--family", "all", "--json").json["tiers"]["web"]["options"]
    assert len(everything) > 40
    assert fits(scaled(SINGLE, "--family", "all").out)


# A comparison is no topology: TOML ends with 2, asked for or by the ending of a file, and no file is made.
def test_toml_is_refused(scaled: Any, tmp_path: Path) -> None:
    ended = scaled(SINGLE, "--format", "toml")
    assert (ended.code, ended.out) == (2, "")
    assert "table, json, csv, markdown" in ended.err
    target = tmp_path / "out.toml"
    assert scaled(SINGLE, "-o", target).code == 2
    assert not target.exists()
    assert scaled(SINGLE, "--json", "--format", "csv").code == 2


# -o writes the same bytes to a file as to the screen, in the format of its ending, and says so on standard error; a
# result of ours is replaced, the input and what somebody wrote by hand are not.
@pytest.mark.parametrize(("name", "form"), [("a.json", "json"), ("a.csv", "csv"), ("a.md", "markdown"), ("a", "table")])
def test_output_file(scaled: Any, tmp_path: Path, name: str, form: str) -> None:
    target = tmp_path / name
    ended = scaled(SINGLE, "-o", target)
    assert (ended.code, ended.out, ended.err) == (0, "", f"wrote {target}\n")
    assert target.read_bytes().decode() == scaled(SINGLE, "--format", form).out
    assert scaled(SINGLE, "-o", target).code == (0 if form in ("json", "csv") else 2)
    target.write_text("mine")
    assert scaled(SINGLE, "-o", target).code == 2
    assert target.read_text() == "mine"
    assert scaled(SINGLE, "-o", target, "--force").code == 0
    assert scaled(SINGLE, "-o", tmp_path / "in.toml", "--format", "json").code == 2
    assert scaled(SINGLE, "-o", "-").out == scaled(SINGLE).out


# Where no plan is feasible the comparison is an answer still, with 0, as with `evaluate`: it says so in its first line
# and in JSON, and what an overloaded tier needs is shown.
def test_infeasible_is_an_answer(scaled: Any) -> None:
    ended = scaled(shop(nodes=1), "app")
    assert ended.code == 0
    assert "FEASIBLE" in ended.out.splitlines()[0]
    assert fits(ended.out)
    found = scaled(shop(nodes=1), "app", "--json").json
    assert found["feasible"] is False
    free = scaled(shop(), "app", "--json").json
    assert free["feasible"] is True
    shown, true = (
        [(o["node"], o["nodes"]) for o in x["tiers"]["app"]["options"] if not (o["planned"] and o["out"])]
        for x in (found, free)
    )
    assert shown == true
    assert "the file's 1 x n1 is out: " in ended.out
    assert "the file gives 1 x n1; 2 are the fewest that pass" in ended.out
    assert "it takes 2 x n1" in " ".join(ended.out.split()), "what survives what is to be survived"
    overloaded = scaled(changed(shop(), "components.pay.rate_limit", 50.0), "app")
    assert overloaded.code == 0
    assert "pay rate at most 50/s" in overloaded.out


# A system of one tier has one comparison; one of partners only has none to make, and says so.
def test_small_systems(scaled: Any) -> None:
    ended = scaled(SINGLE)
    assert ended.code == 0
    assert fits(ended.out)
    assert ended.out.count(" at 100/s") == 1
    assert list(scaled(SINGLE, "--json").json["tiers"]) == ["web"]
    partners = file({"p": external(0.05)}, 100)
    ended = scaled(partners)
    assert (ended.code, scaled(partners, "--json").json["tiers"]) == (0, {})
    assert "there is nothing to scale" in ended.out
    assert scaled(partners, "p").code == 2
    assert "none" in scaled(partners, "p").err


# Load, overrides, prices and standard input are those of every command: twice the load, another node, another price.
def test_inputs(scaled: Any, tmp_path: Path) -> None:
    twice = scaled(shop(), "worker", "--load", "2x", "--json").json["tiers"]["worker"]
    assert twice["arrival_rate_per_s"] == pytest.approx(200)
    larger = scaled(shop(), "worker", "--set", "components.worker.node=n4", "--json").json["tiers"]["worker"]
    assert [option["node"] for option in larger["options"] if option["planned"]] == ["n4"]
    book = tmp_path / "book.csv"
    book.write_text("name,vcpus,on_demand_hourly,family\nn3,3,0.01,n\n")
    priced = scaled(shop(), "worker", "--prices", book, "--json").json["tiers"]["worker"]
    assert priced["recommendation"]["node"] == "n3"
    piped = capacity("scale", "-", "worker", "--json", stdin=tomli_w.dumps(shop()).encode())
    assert piped.out == scaled(shop(), "worker", "--json").out


# Names are text: marks of rich or Markdown, wide characters and long names are shown as they are, in 80 columns.
@pytest.mark.parametrize(
    "name", ["[bold red]x[/]", "a|b*c_d`<b>", "数据库服务器" * 4, "x" * 50, "x y" * 40, "c6i.large "]
)
def test_names(scaled: Any, name: str) -> None:
    values = in_family(file({name: service(0.01, None, "n1")}, 150, survive=("node",), utilization=0.75))
    values["node_types"][name] = {"vcpus": 16, "price": 0.05, "family": "n"}
    ended = scaled(values, name)
    assert ended.code == 0
    assert fits(ended.out)
    assert name[:8] in ended.out
    marked = scaled(values, name, "--format", "markdown").out
    head = {line.count("|") - line.count(r"\|") for line in marked.splitlines() if line.startswith("|")}
    assert head == {9, 5}
    found = scaled(values, "--json").json["tiers"]
    assert list(found) == [name]
    assert found[name]["recommendation"]["node"] == name


# A price that is not known is "?", and why the type is not compared; its nodes and its latency are told all the same.
# What ends each way is told, one machine that is too small with what it takes instead.
def test_unknown_price_and_ends(scaled: Any) -> None:
    values = shop()
    del values["node_types"]["n2"]["price"]
    text = scaled(values, "app").out
    assert re.search(r"^n2 +2 +\? +[\d.]+ ms ", text, re.MULTILINE)
    assert "n2 is out: price unknown" in text
    assert "ended by: cores of app (one machine, up)" in text
    busy = scaled(changed(SINGLE, "workload.classes.page.rate", 900.0)).out
    assert re.search(r"carries today's load +no +yes +yes", busy)
    assert (
        "no one machine carries today's load (web cores at most 6 cores (75% of 8 cores)); it takes 3 x n8"
        in " ".join(busy.split())
    )


# Every example is compared in 80 columns, without an error and without a word on standard error.
@pytest.mark.parametrize("name", ["1-one-server", "2-separate-database", "4-load-balanced"])
def test_examples(name: str) -> None:
    ended = capacity("scale", LADDER / f"{name}.toml")
    assert (ended.code, ended.err) == (0, "")
    assert fits(ended.out)
    assert ended.out.startswith(f"{name[0]} {name[2:].replace('-', ' ')}: scale up or scale out\n")


# The same bytes every time, in this process and in one of its own, on the screen and in a pipe.
def test_deterministic() -> None:
    first, again = (capacity("scale", LADDER / "1-one-server.toml", "--family", "c6i") for _ in range(2))
    assert first == again
    assert process("scale", LADDER / "1-one-server.toml", "--family", "c6i").stdout == first.out.encode()


# The command tells of itself, with an example for each of its ways.
def test_help() -> None:
    ended = capacity("scale", "--help")
    assert ended.code == 0
    for words in ("[TIER]", "--family", "--format", "--output", "capacity scale shop.toml app"):
        assert words in ended.out


# A name of a node type is no command to the terminal.
def test_no_escape_reaches_the_terminal(scaled: Any) -> None:
    values = in_family(file({"web": service(0.01, None)}, 100, survive=("node",), utilization=0.75))
    values["node_types"]["\x1b[31mred"] = {"vcpus": 16, "price": 1.0, "family": "n"}
    assert "\x1b" not in scaled(values).out
