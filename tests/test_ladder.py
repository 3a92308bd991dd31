"""The comments of the ladder's files quote what the program really computes."""

from __future__ import annotations

import functools
import re
import shlex
from pathlib import Path
from typing import NamedTuple

import pytest

from capacity import render, report
from capacity.document import load
from capacity.output import load_factor
from capacity.plan import Plan, plan
from capacity.units import show_amount, show_percent

LADDER = Path(__file__).parent.parent / "examples" / "ladder"
STEPS = sorted(path.stem for path in LADDER.glob("*.toml"))
ELSEWHERE = {  # other plans that a step's comments compare with: its number, then the step and its options
    "1": [("1", "--load 3x --set components.app.node=m6i.2xlarge")],
    "3": [
        ("1", "--load 3x --set components.app.node=m6i.2xlarge"),
        ("2", "--load 1.5x --set components.app.node=c6i.2xlarge"),
    ],
    "4": [("1", "--load 4x --set components.app.node=m6i.4xlarge")],
    "5": [("4", "--load 3x --set components.db.node=r6i.4xlarge")],
    "8": [("7", "--load 1.33x --set slo.latency.order.p99=500ms")],
}
OPTION = r"--(?:load|set) (?:'[^']*'|\S+)"
TRY = re.compile(rf"#   ({OPTION}(?: {OPTION})*)\s+(\S.*(?:\n# {{30,}}\S.*)*)")
MONEY = re.compile(r"(?<![\w.,])\d[\d,]*\.\d\d(?!\d)(?! ?(?:ms|us|s|x|cores|threads)\b)(?!%|/s)")
COST = re.compile(rf"(?:What it costs|it is right): ({MONEY.pattern}) USD a month")
SAVED = re.compile(rf"({MONEY.pattern}) (?:less|more)\b")
FIGURE = re.compile(r"(?<![\w.,])(\d[\d,]*(?:\.\d+)?) ?(ms\b|us\b|s\b|cores\b|threads\b|%|/s\b)")


class Try(NamedTuple):
    """A line to try: the step's name, the options, what the comment says comes out."""

    step: str
    options: str
    said: str


def comment(step: str) -> str:
    """Return the comment that a step begins with."""
    return (LADDER / f"{step}.toml").read_text(encoding="utf-8").partition("\nname = ")[0]


def prose(text: str) -> str:
    """Return a comment as one line."""
    return re.sub(r"\s*\n#\s*", " ", text)


def tries(step: str) -> list[Try]:
    """Return the lines to try of a step."""
    return [Try(step, options, prose(said)) for options, said in TRY.findall(comment(step))]


@functools.cache
def planned(step: str, options: str = "") -> Plan:
    """Return the plan of a step with the options of the command line."""
    words = shlex.split(options)
    given = list(zip(words[::2], words[1::2], strict=True))
    factor = next((load_factor(value) for name, value in given if name == "--load"), 1.0)
    return plan(load(str(LADDER / f"{step}.toml"), [v for name, v in given if name == "--set"], factor).topology)


def total(found: Plan) -> str:
    """Return what a plan costs a month, as the comments write it."""
    assert found.evaluation.cost.monthly is not None
    return f"{found.evaluation.cost.monthly:,.2f}"


def compared(step: str) -> list[Plan]:
    """Return the plans that the comment of a step may quote: of this step, of the one before, and those listed."""
    near = STEPS[max(0, STEPS.index(step) - 1) : STEPS.index(step) + 1]
    pairs = [(name, options) for name in near for options in ("", *(t.options for t in tries(name)))]
    pairs += [(STEPS[int(number) - 1], options) for number, options in ELSEWHERE.get(step[0], [])]
    return [planned(*pair) for pair in pairs]


def figures(text: str) -> set[str]:
    """Return every number of a text that has a unit, without the space between."""
    return {number + unit for number, unit in FIGURE.findall(text)}


def shown(found: Plan) -> str:
    """Return all that a plan says: its report, and each tier's limits, of which the report has only the busiest."""
    limits = [limit for tier in found.evaluation.tiers.values() for limit in tier.limits]
    uses = [f"{show_percent(limit.utilization)} {show_amount(limit.used, limit.unit)}" for limit in limits]
    return " ".join([*render.text(report.sections(found.evaluation)).split(), *uses])


# All eight steps are read, and none lost its lines to try: a pattern that finds nothing would prove nothing.
def test_every_step_has_lines_to_try() -> None:
    assert [step[0] for step in STEPS] == list("12345678")
    for step in STEPS:
        assert len(tries(step)) == len(re.findall(r"^#   --", comment(step), re.MULTILINE)) >= 3


# Where a comment says "no plan" there is none, elsewhere there is one, and it costs what the comment says.
@pytest.mark.parametrize("line", [line for step in STEPS for line in tries(step)], ids=lambda t: f"{t[0][0]} {t[1]}")
def test_a_line_to_try_says_what_comes_out(line: Try) -> None:
    found = planned(line.step, line.options)
    assert found.feasible == ("no plan" not in line.said)
    money = MONEY.findall(line.said)
    assert not money or (found.feasible and money[0] == total(found))


# Each step is feasible as it stands and costs what its comment says.
@pytest.mark.parametrize("step", STEPS)
def test_a_step_costs_what_it_says(step: str) -> None:
    assert planned(step).feasible
    assert COST.findall(prose(comment(step))) == [total(planned(step))]


# Money that a comment quotes is a total, a tier's or a node's cost; "less" and "more" are between two totals.
@pytest.mark.parametrize("step", STEPS)
def test_money_is_that_of_a_plan(step: str) -> None:
    text, plans = prose(comment(step)), compared(step)
    totals = {float(total(found).replace(",", "")) for found in plans}
    apart = {f"{abs(one - other):,.2f}" for one in totals for other in totals}
    assert set(SAVED.findall(text)) <= apart
    costs = {amount for found in plans for amount in MONEY.findall(shown(found))}
    assert set(MONEY.findall(SAVED.sub("", text))) <= costs


# Every other figure with a unit is one that a plan shows, or one that stands in the file or in the one before.
@pytest.mark.parametrize("step", STEPS)
def test_figures_are_those_of_a_plan(step: str) -> None:
    near = STEPS[max(0, STEPS.index(step) - 1) : STEPS.index(step) + 1]
    given = [(LADDER / f"{name}.toml").read_text(encoding="utf-8").partition("\nname = ")[2] for name in near]
    text = prose(TRY.sub(lambda found: found[2], comment(step)))
    assert len(figures(text)) >= 3
    assert figures(text) <= figures(" ".join([*given, *map(shown, compared(step))]))
