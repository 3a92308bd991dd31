from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tests.capacity.running import EXAMPLES, WIDTH, capacity

FIRST = str(EXAMPLES / "ladder" / "1-one-server.toml")


# The table names the step to apply, fits a terminal, and is the same in a file.
def test_table(tmp_path: Path) -> None:
    ended = capacity("next", FIRST, "--load", "2x", "--ahead", "0")
    assert ended.code == 0
    assert "`--apply separate:db -o FILE`" in ended.out
    assert "NO PLAN" in ended.out
    assert all(len(line) <= WIDTH for line in ended.out.splitlines())
    target = tmp_path / "next.txt"
    assert capacity("next", FIRST, "--load", "2x", "--ahead", "0", "-o", str(target)).code == 0
    assert target.read_text() == ended.out


# Steps that change nothing are named in one line, not listed among the offers.
def test_without_effect() -> None:
    third = str(EXAMPLES / "ladder" / "3-web-and-app-servers.toml")
    ended = capacity("next", third, "--ahead", "20")
    assert "changes nothing at this load: more-nodes:web, read-replicas:db\n" in ended.out
    assert ended.out.count("read-replicas:db") == 1
    only = capacity("next", third, "--ahead", "20", "--json").json
    assert [step["subject"] for step in only["without_effect"]] == ["web", "db"]


# Scripts get every number, the changes against the file as it is included.
def test_json() -> None:
    found = capacity("next", FIRST, "--load", "2x", "--ahead", "0", "--json").json
    assert found["schema_version"] == 1
    assert found["now"]["feasible"] is False
    first = found["steps"][0]
    assert (first["name"], first["subject"], first["feasible"]) == ("separate", "db", True)
    assert first["monthly_change"] == pytest.approx(first["monthly"] - found["now"]["monthly"])
    assert set(first["classes"]["browse"]) >= {"p99_s", "p99_change_s", "availability", "availability_change"}


# --apply writes a file that plans, with the comments of the one it came from, to a file, a pipe and from one alike.
def test_apply(tmp_path: Path) -> None:
    target = tmp_path / "apart.toml"
    ended = capacity("next", FIRST, "--apply", "separate:db", "-o", str(target))
    assert ended.code == 0, ended.err
    written = target.read_text()
    assert tomllib.loads(written)["components"]["db"]["node"] == "r6i.large"
    assert "# web server: TLS, compression, images, slow clients" in written
    assert capacity("plan", str(target), "--load", "2x").code == 0
    assert capacity("next", FIRST, "--apply", "separate:db").out == written
    piped = capacity("next", "-", "--apply", "separate:db", stdin=Path(FIRST).read_bytes())
    assert piped.out == written


# What was written for is told: the load, of which the file's rates know nothing, is not written.
def test_load_is_not_written() -> None:
    ended = capacity("next", FIRST, "--apply", "separate:db", "--load", "2x")
    assert ended.out == capacity("next", FIRST, "--apply", "separate:db").out
    assert "--load 2" in ended.err


# The numbers of an exported plan are those of another file once a step is taken, and go.
def test_a_plan_loses_its_numbers(tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    assert capacity("plan", FIRST, "-o", str(plan)).code == 0
    written = tomllib.loads(capacity("next", str(plan), "--apply", "separate:db").out)
    assert "plan" not in written


# A step that is none, and formats that do not go with a topology, are errors that say what would do; the input stays.
def test_errors(tmp_path: Path) -> None:
    wrong = capacity("next", FIRST, "--apply", "global-cash")
    assert wrong.code == 2
    assert "separate:db" in wrong.err
    assert capacity("next", FIRST, "--apply", "separate:db", "--json").code == 2
    mine = tmp_path / "mine.toml"
    mine.write_text((EXAMPLES / "ladder" / "1-one-server.toml").read_text())
    kept = capacity("next", str(mine), "--apply", "separate:db", "-o", str(mine))
    assert kept.code == 2
    assert mine.read_text() == (EXAMPLES / "ladder" / "1-one-server.toml").read_text()


# Where no load at all has a plan, it says so and tells no load of 0.
def test_no_load_is_small_enough() -> None:
    ended = capacity("next", FIRST, "--set", "slo.latency.order.p99=1ms", "--ahead", "1")
    assert "no plan exists at a small part of this load either" in ended.out
    assert "0x" not in ended.out


# On a calm system it is said that nothing is tight yet and at which load to ask; there, steps apply and a plan exists.
def test_calm() -> None:
    calm = capacity("next", str(EXAMPLES / "starter.toml"), "--load", "2x", "--ahead", "0")
    assert "nothing is tight enough for a step yet" in calm.out
    found = re.search(r"`--load (\S+)x` asks where it ends", " ".join(calm.out.split()))
    assert found is not None
    there = capacity("next", str(EXAMPLES / "starter.toml"), "--load", f"{found[1]}x", "--ahead", "0", "--json").json
    assert there["now"]["feasible"]
    assert there["steps"]
    beyond = capacity("plan", str(EXAMPLES / "starter.toml"), "--load", f"{float(found[1]) * 1.06}x")
    assert beyond.code == 1, "a plan beyond where it is said to end"
