from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from capacity.aftermath import told
from capacity.document import load
from capacity.plan import plan
from capacity.report import describe_failure, new_failures, sections
from capacity.scenarios import SCENARIOS, TITLES
from tests.tui.asking import EXAMPLES, LADDER, SHOP, answered, notes, seen, table, texts, view
from tui.views import Asked

if TYPE_CHECKING:
    from capacity.results import Evaluation


def planned(example: str) -> Evaluation:
    return plan(load(str(EXAMPLES / example)).topology).evaluation


# The heat table says of every scenario what `plan` prints: verdict, worst case, busiest resource and each p99.
@pytest.mark.parametrize("example", [SHOP, LADDER[3], LADDER[7]])
def test_scenarios_are_those_of_the_plan(example: str) -> None:
    (expected,) = [section for section in sections(planned(example), ["scenarios"]) if section.title == "Scenarios"]
    rows = texts(table(answered("failures", seen(example)), "What may happen"))
    cleaned = [[row[0], *row[2:5], *(text.strip(" ✗!()") for text in row[5:])] for row in rows]
    assert cleaned == [list(row) for row in expected.rows[1:]]


# What is not met, and what else happens, is told in the words of the reports, all of it.
def test_violations_and_facts_are_told_in_words() -> None:
    content, scenarios = answered("failures", seen(SHOP)), planned(SHOP).scenarios
    assert texts(table(content, "What is not met")) == [
        [TITLES[name], describe_failure(failure)] for name in scenarios for failure in new_failures(scenarios, name)
    ]
    happens = texts(table(content, "What else happens"))
    assert happens == [
        [TITLES[name], line] for name, result in scenarios.items() for case in result.cases for line in told(case)
    ]
    assert any("no write for 30 s" in line for _, line in happens)
    assert any("hits" in line and "after" in line for _, line in happens)


# Heat is judgement: what fails an objective is bad and says so without colour, what nobody could help is dim, what
# has room is good.
def test_a_cell_is_as_good_or_bad_as_it_is() -> None:
    heat = {row[0].text: row for row in table(answered("failures", seen(SHOP)), "What may happen").rows}
    browse, checkout = heat["partner slow"][5:7]
    assert checkout == ("100% fail ✗", "bad")
    assert browse.style == "good"
    assert heat["partner down"][6] == ("(100% fail)", "dim")
    assert heat["partner slow"][2] == ("would fail", "warn")
    overloaded = table(answered("failures", seen(SHOP, 3.2)), "What may happen").rows[0]
    assert overloaded[2] == ("FAILS", "bad")
    assert overloaded[5] == ("never ✗", "bad")


# A p99 within its limit but close to it is warned of.
def test_near_a_limit_is_warned_of() -> None:
    near = [
        cell
        for example in LADDER
        for row in table(answered("failures", seen(example)), "What may happen").rows
        for cell in row[5:]
        if cell.style == "warn"
    ]
    assert near
    assert all(cell.text.endswith(" !") for cell in near)


# The scenarios that the file wants survived are told from those that it does not.
def test_required_scenarios_are_marked() -> None:
    rows = table(answered("failures", seen(SHOP)), "What may happen").rows
    assert [row[0].text for row in rows if row[1].text == "yes"] == ["normal", "node lost", "zone lost", "deploy"]
    assert any('"would": not asked for' in note for note in notes(answered("failures", seen(SHOP))))


# Whoever waits is told between two scenarios, and can stop it there.
def test_the_view_ticks_between_scenarios() -> None:
    ticks: list[int] = []
    view("failures").answer(Asked(seen(SHOP), None), ticks.append)
    assert ticks == list(range(len(SCENARIOS)))
