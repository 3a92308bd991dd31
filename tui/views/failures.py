"""What becomes of every class of requests in everything that may happen, as a table of heat and in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capacity.aftermath import told
from capacity.outcomes import outcome
from capacity.report import answered, describe_failure, new_failures, passing
from capacity.scenarios import SCENARIOS, TITLES
from capacity.units import show_percent
from tui.content import Cell, Content, Note, Table
from tui.drawing.text import clean, columns
from tui.views import View

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from capacity.results import ScenarioResult
    from capacity.topology import Topology
    from tui.content import Block, Style
    from tui.views import Asked

_TOGETHER: Final = 36
"""Columns of classes beside each other in one table: what 80 leave for them."""

_SHORTEST: Final = 9
"""Columns of one class, however short its name."""

_NEAR: Final = 0.9
"""Of its limit, from which a p99 is warned of."""


def answer(asked: Asked, tick: Callable[[int], None]) -> Content:
    """Return scenarios against classes, then what each of them fails, then what else it does."""
    scene = asked.scene
    found: dict[str, ScenarioResult] = {}
    for done, name in enumerate(SCENARIOS):
        tick(done)
        result = outcome(scene.search, name, scene.counts)
        if result is not None:
            found[name] = result
    blocks: list[Block] = [*_heat(found, scene.topology), *_violations(found), *_facts(found)]
    return Content(tuple(blocks))


def _heat(found: dict[str, ScenarioResult], topology: Topology) -> Iterator[Block]:
    names = list(topology.workload.classes)
    whole = ("Scenario", "Asked", "Verdict", "Worst", "Busiest")
    first = 0
    for shown in _groups(names):
        rows = []
        for scenario, result in found.items():
            seen = [_seen(result, name, topology) for name in shown]
            rows.append((*_told(scenario, result), *seen))
        more = f", classes {first + 1} to {first + len(shown)} of {len(names)}" if len(names) > len(shown) else ""
        first += len(shown)
        heads = (*whole, *(f"{name} p99" for name in shown))
        yield Table(f"What may happen{more}", heads, tuple(rows), frozenset({0, 1, 2, 3, 4}))
    if any(not result.required for result in found.values()):
        yield Note('"would": not asked for by resilience.survive, and of no weight for the plan', "dim")


def _groups(names: list[str]) -> list[list[str]]:
    """Return the classes as many at a time as stand beside each other."""
    found: list[list[str]] = [[]]
    room = _TOGETHER
    for name in names:
        wide = max(columns(clean(name)) + 1, _SHORTEST)
        if found[-1] and wide > room:
            found.append([])
            room = _TOGETHER
        found[-1].append(name)
        room -= wide
    return found


def _told(scenario: str, result: ScenarioResult) -> tuple[Cell, ...]:
    """Return what is told of a scenario as a whole: of the case that is worst."""
    worst = next((case for case in result.cases if case.subject == result.worst), None)
    busiest = None if worst is None else worst.busiest
    used = "-" if busiest is None else f"{show_percent(busiest.utilization)} {busiest.tier}"
    failing: Style = "bad" if result.required else "warn"
    return (
        Cell(TITLES[scenario], "strong" if result.required else ""),
        Cell("yes" if result.required else "-", "" if result.required else "dim"),
        Cell(passing(result), "good" if result.passes else failing),
        Cell(result.worst or "-", "" if result.worst else "dim"),
        Cell(used, "bad" if busiest is not None and busiest.utilization >= 1 else ""),
    )


def _seen(result: ScenarioResult, name: str, topology: Topology) -> Cell:
    """Return what a class sees in a scenario, and how that is to be judged."""
    seen, goal = result.classes[name], topology.slo.latency.get(name)
    limit = None if goal is None else goal.p99
    text = answered(seen)
    if any(failure.scope == "class" and failure.name == name for failure in result.violations):
        return Cell(f"{text} ✗", "bad")
    if any(name in case.excused for case in result.cases):
        return Cell(f"({text})", "dim")
    if seen.p99_s is None:
        return Cell(text, "bad")
    near = limit is not None and seen.p99_s > _NEAR * limit
    return Cell(f"{text} !" if near else text, "warn" if near else "good" if goal is not None else "")


def _violations(found: dict[str, ScenarioResult]) -> Iterator[Block]:
    rows = [
        (Cell(TITLES[scenario], "bad" if result.required else "warn"), Cell(describe_failure(failure)))
        for scenario, result in found.items()
        for failure in new_failures(found, scenario)
    ]
    if rows:
        yield Table(
            "What is not met (beyond what is not met in normal operation)",
            ("Scenario", "what"),
            tuple(rows),
            frozenset({0, 1}),
        )
    else:
        yield Note("Every limit and objective is met in all of them.", "good")


def _facts(found: dict[str, ScenarioResult]) -> Iterator[Block]:
    rows = [
        (Cell(TITLES[scenario]), Cell(line))
        for scenario, result in found.items()
        for case in result.cases
        for line in told(case)
    ]
    if rows:
        yield Table("What else happens", ("Scenario", "what"), tuple(rows), frozenset({0, 1}))


VIEW: Final = View(
    "failures",
    "4",
    "Failures",
    "What happens when something fails?",
    answer,
    of_scenario=False,
    work="what every event that the file can meet does",
)
