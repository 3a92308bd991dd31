"""The two lines at the top in words: where one is, and what is not met, each by how much."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from capacity.advice import show
from capacity.scenarios import TITLES
from capacity.telling import left_over
from capacity.units import digits, show_percent
from tui.drawing.text import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capacity.results import Evaluation, Failure
    from tui.scene import Scene
    from tui.session import Session

Span = tuple[str, str]
"""A text and the name of its style."""


class Distance(NamedTuple):
    """One objective: how near its value is to the limit; 1 is at it."""

    name: str
    share: float
    value: str
    limit: str


def status(session: Session, scene: Scene | None, baseline: Scene | None) -> list[list[Span]]:
    """Return what stands in the top line, part by part, the most important first."""
    name = clean(session.now.document.topology.name)
    load = f"load ×{session.load:g}"
    parts = [
        [(f"{name}{' ●' if session.dirty else ''}", "dirty" if session.dirty else "name")],
        [(load, "changed" if session.load != 1 else "dim")],
        [(_scenario(session, scene), "changed" if session.scenario else "dim")],
    ]
    if scene is None:
        return parts
    cost = scene.evaluation.cost
    least = "≥ " if cost.unknown else ""
    money: list[Span] = [(f"{least}{digits(round(cost.monthly, 2))} {clean(cost.currency)}/month", "money")]
    if baseline is not None:
        more = cost.monthly - baseline.evaluation.cost.monthly
        if abs(more) >= 0.005:
            text = f" {'▲+' if more > 0 else '▼-'}{digits(round(abs(more), 2))} {clean(cost.currency)}"
            money.append((text, "worse" if more > 0 else "better"))
        return [*parts, money, [("against baseline", "dim")]]
    return [*parts, money]


def _scenario(session: Session, scene: Scene | None) -> str:
    if session.scenario is None:
        return "normal operation"
    happening = None if scene is None else scene.evaluation.during
    if happening is None or happening.scenario != session.scenario.partition(":")[0]:
        return clean(TITLES.get(session.scenario, session.scenario))
    return clean(happening.when.removeprefix("with ") or TITLES.get(happening.scenario, happening.scenario))


def unanswered(why: str) -> list[list[Span]]:
    """Return what is said instead of objectives, where the numbers that are shown are those of before."""
    return [[("✗ ", "bad"), ("no numbers for this, those of before are shown", "bad")], [("  ", ""), (clean(why), "")]]


def objectives(
    evaluation: Evaluation, unsurvived: Sequence[str] = (), most: int = 3, *, certain: bool = True
) -> list[list[Span]]:
    """Return one line for each of the worst that is not met, or one that says how far everything is.

    `unsurvived` are the events that the file wants survived, and that are not, each with what fails; not `certain`, it
    is of numbers of a moment ago, and no verdict yet.
    """
    good, bad, met, missed = ("good", "bad", "✓ ", "✗ ") if certain else ("dim", "dim", "… ", "… ")
    failures = sorted(evaluation.failures, key=_shortage, reverse=True)
    if failures:
        lines = [[("✗ ", "bad"), *_failure(failure)] for failure in failures[:most]]
        if len(failures) > most:
            lines[-1].append((f"   and {len(failures) - most} more", "dim"))
        return lines
    if unsurvived:
        more = f"   and {len(unsurvived) - 1} more" if len(unsurvived) > 1 else ""
        plain = "" if certain else "dim"
        return [[(missed, bad), ("met now, but not ", plain), (clean(unsurvived[0]), bad), (more, "dim")]]
    excused = _excused(evaluation)
    nearest = max(distances(evaluation), key=lambda distance: distance.share, default=None)
    if nearest is None:
        return [[("✓ ", "good"), ("no limit is exceeded; the file has no objectives", "")]]
    # Short enough to be whole in 80 columns.
    told = f"{nearest.name} at {show_percent(nearest.share)} of {nearest.limit}"
    judged = "everything that is judged is met" if excused else "every objective and limit is met"
    apart = f" (not judged: {', '.join(map(clean, excused))})" if excused else ""
    return [[(met, good), (judged, good), (f"{apart}; nearest: {clean(told)}", "dim")]]


def _excused(evaluation: Evaluation) -> list[str]:
    """Return the classes and tiers that wait for what is down, and are therefore not judged."""
    happening = evaluation.during
    cases = [c for scenario in evaluation.scenarios.values() for c in scenario.cases]
    return [name for c in cases if happening is not None and c.when == happening.when for name in c.excused]


def distances(evaluation: Evaluation) -> list[Distance]:
    """Return how near each objective for a time is to its limit."""
    found, excused = [], _excused(evaluation)
    for scope in (evaluation.classes, evaluation.tiers):
        for name, result in scope.items():
            for goal in result.slo if name not in excused else ():
                if goal.value is not None and goal.limit > 0 and goal.name != "availability":
                    told = show(goal.value, "s"), show(goal.limit, "s")
                    found.append(Distance(f"{name} {goal.name}", goal.value / goal.limit, *told))
    return found


def _shortage(failure: Failure) -> float:
    if failure.value is None or failure.limit == 0:
        return float("inf")
    return failure.value / failure.limit


def _failure(failure: Failure) -> list[Span]:
    name = clean(f"{failure.name} {failure.constraint}")
    if failure.constraint == "nodes":
        return [(f"{clean(failure.name)}: {left_over(failure.value, failure.limit)}", "bad")]
    value = show(failure.value, failure.unit) if failure.value is not None else "no answer"
    limit = show(failure.limit, failure.unit)
    spans: list[Span] = [(f"{name} {value}", "bad"), (f", allowed {limit}", "")]
    if failure.value is not None and failure.limit > 0 and failure.value > failure.limit:
        spans.append((f" (+{show_percent(failure.value / failure.limit - 1)})", "bad"))
    elif failure.value is not None and failure.value <= failure.limit and failure.unit == "s":
        spans.append((" (too many requests fail)", "bad"))
    return spans
