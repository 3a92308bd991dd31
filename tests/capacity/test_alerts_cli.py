from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from tests.capacity.running import EXAMPLES, MINIMAL, WIDTH, capacity

if TYPE_CHECKING:
    from pathlib import Path

FIRST = str(EXAMPLES / "ladder" / "1-one-server.toml")


# The table says what breaks first and fits a terminal; it is the same in a file.
def test_table(tmp_path: Path) -> None:
    ended = capacity("alerts", FIRST)
    assert ended.code == 0, ended.err
    assert "first to break" in ended.out
    assert all(len(line) <= WIDTH for line in ended.out.splitlines())
    target = tmp_path / "alerts.txt"
    assert capacity("alerts", FIRST, "-o", str(target)).code == 0
    assert target.read_text() == ended.out


# Rules are chosen by name or by the ending of the file, and replace rules of ours, but nothing that somebody wrote.
def test_rules(tmp_path: Path) -> None:
    ended = capacity("alerts", FIRST, "--format", "prometheus")
    target = tmp_path / "rules.yml"
    for _ in range(2):
        assert capacity("alerts", FIRST, "-o", str(target)).code == 0
    assert target.read_text() == ended.out
    assert 'severity": "page"' in ended.out
    target.write_text("groups: []\n")
    assert capacity("alerts", FIRST, "-o", str(target)).code == 2
    assert target.read_text() == "groups: []\n"


# Scripts get every threshold with its reasons, in JSON and in CSV alike.
def test_json_and_csv() -> None:
    found = capacity("alerts", FIRST, "--json").json
    assert found["schema_version"] == 1
    rows = list(csv.DictReader(io.StringIO(capacity("alerts", FIRST, "--format", "csv").out)))
    assert [(r["tier"], r["metric"], r["page_because"]) for r in rows] == [
        (a["tier"], a["metric"], a["page_because"]) for a in found["alerts"]
    ]
    assert [float(r["page"]) for r in rows] == [a["page"] for a in found["alerts"]]
    assert rows


# A longer lead is earlier, and a lead that is no time is refused.
def test_lead() -> None:
    grows = ("--set", "workload.growth=5%/month")
    soon, late = (capacity("alerts", FIRST, *grows, "--lead", lead, "--json").json for lead in ("7d", "60d"))
    for short, long in zip(soon["alerts"], late["alerts"], strict=True):
        assert long["early"] < short["early"] < short["page"]
    for wrong in ("soon", "0s", "1d..2d"):
        ended = capacity("alerts", FIRST, "--lead", wrong)
        assert ended.code == 2
        assert "--lead" in ended.err


# A system that nobody asks for anything has no load that breaks it: that is said, and the rules are an empty group.
def test_nothing_breaks(tmp_path: Path) -> None:
    file = tmp_path / "idle.toml"
    file.write_text(MINIMAL.replace("10/s", "0/s"))
    assert "no load breaks anything" in capacity("alerts", str(file)).out
    assert "rules: []" in capacity("alerts", str(file), "--format", "prometheus").out
