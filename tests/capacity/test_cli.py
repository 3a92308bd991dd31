from __future__ import annotations

import csv
import re
import shutil
import tomllib
from typing import TYPE_CHECKING

import pytest

from capacity import examples, pricing
from tests.capacity.running import EXAMPLES, MINIMAL, WIDTH, capacity, columns, process, strict_json

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLE_NAMES = examples.names()
STARTER = EXAMPLES / "starter.toml"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Return the shop, in a folder that may be written to."""
    target = tmp_path / "shop.toml"
    shutil.copy(EXAMPLES / "shop.toml", target)
    return target


@pytest.fixture
def exported(shop: Path) -> Path:
    """Return the plan of the shop, exported."""
    target = shop.with_name("plan.toml")
    ended = capacity("plan", shop, "-o", target)
    assert ended == type(ended)(0, "", f"wrote {target}\n")
    return target


# A first file is made once, says what to do next, and is never replaced by surprise.
def test_init_refuses_to_overwrite(tmp_path: Path) -> None:
    target = tmp_path / "shop.toml"
    first = capacity("init", target)
    assert (first.code, first.out) == (0, "")
    assert f"capacity plan {target}" in first.err
    target.write_text("mine")
    second = capacity("init", target, "--example", "shop")
    assert (second.code, second.out, target.read_text()) == (2, "", "mine")
    assert "--force" in second.err
    assert capacity("init", target, "--example", "shop", "--force").code == 0
    assert target.read_text() == (EXAMPLES / "shop.toml").read_text()


# A link that leads nowhere is a file that exists: init does not write through it.
def test_init_does_not_follow_a_dangling_link(tmp_path: Path) -> None:
    (tmp_path / "link.toml").symlink_to(tmp_path / "elsewhere.toml")
    assert capacity("init", tmp_path / "link.toml").code == 2
    assert not (tmp_path / "elsewhere.toml").exists()


# Every example is listed, is written out as it is, and is planned without an error.
@pytest.mark.parametrize("name", EXAMPLE_NAMES)
def test_every_example_runs(name: str, tmp_path: Path) -> None:
    assert any(line.split()[0] == name for line in capacity("init", "-", "--example", "list").out.splitlines())
    target = tmp_path / "a.toml"
    assert capacity("init", target, "--example", name).code == 0
    assert capacity("init", "-", "--example", name).out == target.read_text()
    planned = capacity("plan", target, "--json")
    assert planned.code == (0 if planned.json["feasible"] else 1)


# An example that does not exist is an error that names the nearest and writes nothing.
def test_unknown_example(tmp_path: Path) -> None:
    ended = capacity("init", tmp_path / "a.toml", "--example", "shpo")
    assert (ended.code, ended.out) == (2, "")
    assert "did you mean shop?" in ended.err
    assert not list(tmp_path.iterdir())


# A plan that is exported and read back has the numbers of the plan, tier by tier and class by class.
@pytest.mark.parametrize("name", EXAMPLE_NAMES)
def test_a_plan_reads_back_as_itself(name: str, tmp_path: Path) -> None:
    source, target = EXAMPLES / f"{name}.toml", tmp_path / "plan.toml"
    planned = capacity("plan", source, "--json")
    capacity("plan", source, "-o", target)
    again = capacity("evaluate", target, "--json")
    assert (again.code, again.err) == (0, "")
    before, after = planned.json, again.json
    for tier in [*before["tiers"].values(), *after["tiers"].values()]:
        del tier["why"]
    for part in ("name", "feasible", "classes", "tiers", "scenarios", "cost"):
        assert after[part] == before[part], part


# The numbers in the exported [plan] are those of the JSON, without the keys that have no value.
def test_the_export_holds_the_numbers(shop: Path, exported: Path) -> None:
    table = tomllib.loads(exported.read_text())["plan"]
    numbers = capacity("plan", shop, "--json").json
    assert table["cost"] == numbers["cost"]
    assert {n: t["nodes"] for n, t in table["tiers"].items()} == {n: t["nodes"] for n, t in numbers["tiers"].items()}
    assert table["classes"]["browse"]["p99_s"] == numbers["classes"]["browse"]["p99_s"]


# A plan at twice the load, exported, needs no --load to be read back as the same.
def test_an_exported_load_is_in_the_rates(tmp_path: Path) -> None:
    capacity("plan", STARTER, "--load", "2x", "-o", tmp_path / "double.toml")
    doubled = capacity("plan", STARTER, "--load", "2x", "--json").json
    assert doubled["classes"]["page"]["arrival_rate_per_s"] == 800
    assert capacity("evaluate", tmp_path / "double.toml", "--json").json["classes"] == doubled["classes"]


# A plan passes its own check, for CI to rely on.
def test_check_passes_a_plan(exported: Path) -> None:
    ended = capacity("check", exported)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("ok ")


# Under three times its load the same plan fails, and each line says what, where, how much and what is allowed.
def test_check_says_what_fails(exported: Path) -> None:
    ended = capacity("check", exported, "--load", "3x")
    assert (ended.code, ended.err) == (1, "")
    text = " ".join(ended.out.split())
    assert text.startswith("FAIL")
    assert re.search(r"normal: app cores: [\d.]+ cores, 33 cores allowed \(\d+% over\)", text), "75% of 11 x 4 cores"
    assert "normal: browse p99: overloaded, 300 ms allowed" in text
    assert "zone lost: redis cores without a zone" in text
    assert text.count("orders delay p99") == 1, "what fails anyhow is not told again for a lost node"


# The verdict of check for scripts is that for eyes.
def test_check_as_json(exported: Path) -> None:
    for load, code in (("1x", 0), ("3x", 1)):
        ended = capacity("check", exported, "--load", load, "--json")
        assert ended.code == code
        assert ended.json["feasible"] == (code == 0)
        asked = [s for s in ended.json["scenarios"].values() if s["required"]]
        assert any(s["violations"] for s in asked) == (code == 1)


# An override counts as if the file said it, and so does a load.
def test_overrides_and_load(shop: Path) -> None:
    ended = capacity(
        "plan", shop, "--set", "components.app.max_nodes=50", "--set", "components.fulfilment.nodes=7", "--json"
    )
    assert ended.json["tiers"]["fulfilment"]["nodes"] == 7
    given = ended.json["tiers"]["fulfilment"]["why"]
    assert given == [{"constraint": "given", "nodes": 7}]
    for text, factor in (("2x", 2), ("0.5", 0.5), ("150%", 1.5), ("1e1X", 10)):
        loaded = capacity("evaluate", shop, "--load", text, "--json").json
        assert loaded["classes"]["browse"]["arrival_rate_per_s"] == 1800 * factor


# Counts that are fixed too low for a load leave nothing feasible: the answer is 1, and what to change.
def test_four_nodes_are_not_enough(shop: Path) -> None:
    ended = capacity("plan", shop, "--set", "components.app.nodes=4", "--load", "2x")
    assert ended.code == 1
    assert ended.err == ""
    head = ended.out[: ended.out.index("\nTiers\n")].splitlines()
    assert len(head) <= 25, "what is wrong stands before the tables, on the first screen"
    assert "NO PLAN IS FEASIBLE" in head[0]
    text = " ".join(" ".join(head).split())
    assert "app: cores" in text, "the constraint"
    assert "6 cores (75% of 8 cores) without a zone" in text, "the best: two nodes of four cores are left"
    assert "mend: components.app.nodes" in text, "what to change"


# The same in JSON, for every example under more than any number of nodes can carry: a constraint, the best, a mend.
@pytest.mark.parametrize("name", EXAMPLE_NAMES)
def test_infeasible_says_what_helps(name: str) -> None:
    ended = capacity("plan", EXAMPLES / f"{name}.toml", "--load", "1e6", "--json")
    assert ended.code == 1
    assert ended.json["feasible"] is False
    assert ended.json["infeasible"]
    for advice in ended.json["infeasible"]:
        assert advice["constraint"]
        assert advice["best"]
    assert any(advice["mends"] for advice in ended.json["infeasible"])


# Where nothing is feasible, the share of the load that is said to be feasible is.
def test_the_feasible_load_is_feasible(shop: Path) -> None:
    infeasible = capacity("plan", shop, "--load", "4x", "--json")
    share = infeasible.json["feasible_load"]
    assert infeasible.code == 1
    assert 0 < share < 1
    assert capacity("plan", shop, "--load", f"{4 * share}x").code == 0


# The price book is sorted by price and dated; a family that does not exist names the nearest.
def test_nodes() -> None:
    ended = capacity("nodes", "--sort", "price", "--json")
    prices = [entry["price_per_hour"] for entry in ended.json["node_types"]]
    assert prices == sorted(prices)
    assert ended.json["date"] == pricing.BOOK_DATE
    assert all(0 < entry["reserved_3y_per_hour"] < entry["price_per_hour"] for entry in ended.json["node_types"])
    assert all(entry["spot_per_hour"] is entry["reserved_1y_per_hour"] is None for entry in ended.json["node_types"])
    table = capacity("nodes", "--sort", "price")
    assert pricing.BOOK_DATE in table.out.splitlines()[0]
    assert max(map(columns, table.out.splitlines())) <= WIDTH
    assert "did you mean r6i?" in capacity("nodes", "--family", "r6").err


# A topology from standard input is planned like the file, byte for byte.
def test_standard_input(shop: Path) -> None:
    from_file = process("plan", shop)
    from_pipe = process("plan", "-", stdin=shop.read_bytes())
    assert (from_pipe.returncode, from_pipe.stderr, from_pipe.stdout) == (0, b"", from_file.stdout)


# Twice the same command gives twice the same bytes, to a pipe and to a file, in every format.
@pytest.mark.parametrize("form", ["table", "json", "csv", "markdown", "toml"])
def test_the_same_bytes(form: str, tmp_path: Path) -> None:
    target = tmp_path / "out.txt"
    first, second = (process("plan", STARTER, "--format", form) for _ in range(2))
    process("plan", STARTER, "--format", form, "-o", target)
    assert first.stdout == second.stdout == target.read_bytes()
    assert first.stdout.endswith(b"\n")
    assert b"\x1b" not in first.stdout


# The same where every kind of tier is at work, in processes whose sets have another order.
def test_the_same_bytes_of_a_large_topology(shop: Path) -> None:
    assert process("plan", shop, "--json").stdout == process("plan", shop, "--json").stdout


# Each machine format is what its own parser reads, and holds the same numbers.
def test_formats_agree(shop: Path) -> None:
    text = {form: capacity("plan", shop, "--format", form).out for form in ("json", "csv", "toml", "markdown")}
    p99 = strict_json(text["json"])["classes"]["browse"]["p99_s"]
    rows = {tuple(row[:3]): row[3] for row in csv.reader(text["csv"].splitlines())}
    assert float(rows["classes", "browse", "p99_s"]) == p99
    assert tomllib.loads(text["toml"])["plan"]["classes"]["browse"]["p99_s"] == p99
    tables = [line for line in text["markdown"].splitlines() if line.startswith("|")]
    assert tables
    assert all(line.endswith("|") for line in tables)


# The ending of the file says the format, unless --format does; two formats at once are a contradiction.
def test_the_ending_says_the_format(tmp_path: Path) -> None:
    for ending, form in (("json", "json"), ("csv", "csv"), ("md", "markdown"), ("toml", "toml"), ("txt", "table")):
        target = tmp_path / f"result.{ending}"
        assert capacity("plan", STARTER, "-o", target).code == 0
        assert target.read_text() == capacity("plan", STARTER, "--format", form).out
    assert capacity("plan", STARTER, "--json", "--format", "csv").code == 2


# Reports fit a terminal of 80 columns, for every example: its plan, and what becomes of its least counts when overloaded.
@pytest.mark.parametrize(("command", "load"), [("plan", "1x"), ("evaluate", "30x")])
@pytest.mark.parametrize("name", EXAMPLE_NAMES)
def test_eighty_columns(name: str, command: str, load: str) -> None:
    ended = capacity(command, EXAMPLES / f"{name}.toml", "--load", load)
    assert [line for line in ended.out.splitlines() if columns(line) > WIDTH] == []


# So does the report of a plan that is not feasible.
def test_eighty_columns_of_advice(shop: Path) -> None:
    ended = capacity("plan", shop, "--load", "1e6")
    assert [line for line in ended.out.splitlines() if columns(line) > WIDTH] == []


# The schema of the file is JSON on standard output and nothing else.
def test_schema() -> None:
    ended = capacity("schema")
    assert (ended.code, ended.err) == (0, "")
    assert ended.json["title"] == "capacity topology"


# Counts that nobody gave are said on standard error, where standard output is for a machine.
def test_messages_go_to_standard_error(tmp_path: Path) -> None:
    source = tmp_path / "a.toml"
    source.write_text(MINIMAL)
    ended = capacity("evaluate", source, "--json")
    assert ended.code == 0
    assert ended.json["tiers"]["web"]["nodes"] == 1
    assert ended.err == "warning: web: nodes not given: 1 taken; `capacity plan` finds it\n"


# Wrong usage is 2, on standard error only.
@pytest.mark.parametrize("arguments", [(), ("plan",), ("plna",), ("plan", "a.toml", "--format", "xml")])
def test_wrong_usage(arguments: tuple[str, ...]) -> None:
    ended = capacity(*arguments)
    assert ended.code == 2
    assert ended.out == "" or arguments == ()


# Asking for the version or for help is no error.
@pytest.mark.parametrize("arguments", ["--version", "--help", "plan --help", "check --help"])
def test_help(arguments: str) -> None:
    ended = capacity(*arguments.split())
    assert (ended.code, ended.err) == (0, "")
    assert ended.out


# A report names what has to be survived; of a single scenario that is looked at, the file need not have asked for it.
def test_one_scenario_is_not_said_to_be_asked_for() -> None:
    example = str(EXAMPLES / "ladder" / "5-read-replicas.toml")
    assert "to be survived: normal, node lost" in capacity("evaluate", example).out
    seen = capacity("evaluate", example, "--scenario", "surge").out
    assert "in a surge of" in seen
    assert "to be survived" not in seen
