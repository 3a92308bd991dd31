"""Which change to the architecture comes next: every step that applies, tried on this file and ranked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capacity import next_report
from capacity.next_steps import next_steps
from capacity.units import digits
from tui.blocks import UNKNOWN, change, name, of_section, table
from tui.content import Cell, Content, Note
from tui.steps import at_load
from tui.views import View

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from capacity.next_steps import Next, Outcome
    from tui.content import Block, Style, Table
    from tui.scene import Scene
    from tui.views import Asked

_COLUMNS: Final = ("Change", "p99", "Down/month", "Brings", "Assumes", "Risks")


def answer(asked: Asked, tick: Callable[[int], None]) -> Content:
    """Return the ranking of `capacity next --ahead 0`, for the file and the load on the screen."""
    scene = asked.scene
    found = next_steps(at_load(scene.question.version.document, scene.question.load), ahead=0, tick=tick)
    able = [step for step in found.steps if step.feasible]
    rest = [step for step in found.steps if not step.feasible]
    blocks: list[Block] = [*_as_it_is(scene, found), *_best(found, able)]
    blocks += [Note(f"{text[0].upper()}{text[1:]}.", "dim") for text in next_report.without_effect(found)]
    if able:
        blocks.append(_steps(found, able))
        against = next_report.against(found)
        blocks.append(
            Note(
                f"{against[0].upper()}{against[1:]}. What each assumes and risks is below.",
                "dim",
            )
        )
    for section in next_report.not_enough(rest):
        blocks += of_section(section)
    for section in next_report.words(able):
        blocks += [Note(section.title, "strong"), *(Note(text, _style(text)) for text in section.notes)]
    return Content(tuple(blocks))


def _style(text: str) -> Style:
    return "warn" if text.startswith("risk:") else "dim" if text.startswith("assumed:") else ""


def _as_it_is(scene: Scene, found: Next) -> Iterator[Note]:
    now, load = found.now, "" if found.load == 1 else f" at {digits(found.load)}x the rates of the file"
    total, rest = next_report.total(now, found.currency), next_report.rest_only(now, found.currency)
    if now.feasible:
        yield Note(f"As it is{load}, every objective is met for {total}.", "good")
    else:
        yield Note(f"As it is{load}, there is NO PLAN; {rest}, and miss:", "bad")
        yield from (Note(f"  {name(fail)}", "bad") for fail in now.fails)
    others = [f"{name(n)} {scene.counts[n]} instead of {c}" for n, c in now.counts.items() if scene.counts.get(n) != c]
    if others:
        yield Note(f"Cheapest plans are compared. The screen shows other counts: {', '.join(others)}.", "warn")


def _best(found: Next, able: list[Outcome]) -> Iterator[Note]:
    if not found.steps:
        at = next_report.tight_at(found)
        turn = f"; turn the load up (]) to {at}, where it ends" if at else ""
        yield Note(f"No step applies: {next_report.no_step(found)}{turn}.")
    elif not able:
        yield Note("No single step is enough; n takes one all the same.", "warn")
    elif not able[0].brings:
        yield Note("No step brings anything now: it is well as it is. Turn the load up (]) to see what comes then.")
    else:
        first = able[0]
        brings = ", ".join(map(name, first.brings))
        yield Note(f"Next: {name(first.name)}:{name(first.subject)}: {brings}. n takes a step into the file.", "strong")


def _steps(found: Next, steps: list[Outcome]) -> Table:
    rows = [
        (
            Cell(f"{name(step.name)}:{name(step.subject)}", "strong" if step.brings else "dim"),
            Cell(f"{step.monthly:,.2f}", "warn") if step.unknown else f"{step.monthly:,.2f}",
            UNKNOWN if step.monthly_change is None else change(step.monthly_change),
            next_report.faster(step),
            next_report.less_down(step, found.now),
            Cell(", ".join(map(name, step.brings)), "good") if step.brings else Cell("nothing here", "dim"),
            f"{len(step.assumes)}",
            f"{len(step.risks)}",
        )
        for step in steps
    ]
    columns = ("Step", f"{name(found.currency)}/month", *_COLUMNS)
    return table("Steps with which every objective is met", columns, rows, left=(0, 3, 4, 5))


VIEW = View(
    "next",
    "8",
    "Next",
    "Which change to the architecture comes next, and what does it bring?",
    answer,
    of_scenario=False,
    work="each step that applies, tried on this file with its cheapest plan",
)
