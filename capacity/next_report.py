"""What comes next, as people read it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capacity.errors import printable
from capacity.next_steps import A_MOMENT, HARDLY
from capacity.section import Section
from capacity.units import digits, show_seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capacity.next_steps import ClassOutcome, Next, Outcome


_ANSWERED: Final = "answered"


def sections(found: Next) -> list[Section]:
    """Return the file as it is, the steps that have a plan, what each of them takes and risks, and those without."""
    able = [step for step in found.steps if step.feasible]
    rest = [step for step in found.steps if not step.feasible]
    return [_head(found, able), *_table(found, able), *words(able), *not_enough(rest)]


def _head(found: Next, able: list[Outcome]) -> Section:
    load = "" if found.load == 1 else f" at {digits(found.load)}x the rates of the file"
    now = found.now
    notes = []
    if now.feasible:
        notes.append(f"as it is: {total(now, found.currency)}, every objective is met")
        notes += _farther(now)
    else:
        notes.append(f"as it is: NO PLAN; {rest_only(now, found.currency)}, and miss:")
        notes += [f"  {printable(fail)}" for fail in now.fails]
        notes += _farther(now)
    if not found.steps:
        at = tight_at(found)
        notes.append(f"{no_step(found)}{f'; `--load {at}` asks where it ends' if at else ''}")
    elif not able:
        notes.append("no single step is enough; those that leave least are below")
    else:
        chosen = printable(f"{able[0].name}:{able[0].subject}")
        notes.append(f"`--apply {chosen} -o FILE` writes the file with that step")
    notes += without_effect(found)
    return Section(f"{printable(found.name)}{load}: what comes next", notes=notes)


def no_step(found: Next) -> str:
    """Return why no step applies: nothing is tight enough, or against what is missed none is known."""
    if not found.now.feasible or not found.now.carries:
        return "no step that is known here helps against that"
    if found.now.then is None:
        return f"nothing is tight enough for a step, nor will it be up to {digits(found.now.carries)}x this load"
    return "nothing is tight enough for a step yet"


def without_effect(found: Next) -> list[str]:
    """Return in one line the steps that change nothing."""
    names = [printable(f"{step.name}:{step.subject}") for step in found.without_effect]
    return [f"changes nothing at this load: {', '.join(names)}"] if names else []


def tight_at(found: Next) -> str | None:
    """Return the load at which to ask again where no step applies: as much of the file's as it carries; None: nowhere.

    There what ends it is nearly all used, and steps that relieve it apply.
    """
    now = found.now
    if found.steps or not now.feasible or not now.carries or now.then is None:
        return None
    return f"{float(f'{found.load * now.carries:.3g}'):g}x"


def _farther(now: Outcome) -> Iterator[str]:
    if now.carries is not None:
        then = f", then: {printable(now.then)}" if now.then else ""
        least = "no plan exists at a small part of this load either"
        yield f"a plan exists up to {digits(now.carries)}x this load{then}" if now.carries else least


def total(outcome: Outcome, currency: str) -> str:
    """Return what a plan costs, as far as that is known."""
    least = "at least " if outcome.unknown else ""
    return f"{least}{outcome.monthly:,.2f} {printable(currency)}/month"


def _table(found: Next, steps: list[Outcome]) -> list[Section]:
    if not steps:
        return []
    rows: list[tuple[str, ...]] = [("Step", f"{printable(found.currency)}/month", "Change", "p99", "Down/month")]
    for step in steps:
        cells = (printable(f"{step.name}:{step.subject}"), f"{step.monthly:,.2f}", _change(step.monthly_change))
        rows.append((*cells, faster(step), less_down(step, found.now)))
    answered = not found.now.feasible and any(row[3] == _ANSWERED for row in rows)
    notes = [against(found), *(["answered: a class that gets no answer as it is"] if answered else [])]
    return [Section("Steps with which every objective is met", rows, frozenset({1, 2}), notes)]


def _change(change: float | None) -> str:
    if change is None:
        return "unknown"
    return f"{change:+,.2f}" if round(change, 2) else "0"


def rest_only(now: Outcome, currency: str) -> str:
    """Return what the counts are, and cost, that a file without a plan is told by: of what it misses, it meets none."""
    counts = ", ".join(f"{name} {count}" for name, count in now.counts.items())
    return f"counts that meet all the rest ({printable(counts)}) cost {total(now, currency)}"


def against(found: Next) -> str:
    """Return what changes are measured against: a plan, or without one the counts that meet the rest."""
    of = "p99 and downtime of the class that changes most"
    if found.now.feasible:
        return f"{of}, against the file as it is"
    return f"changes are against the counts above, which are no plan; {of}"


def faster(step: Outcome) -> str:
    """Return the p99 of the class that changes most, and by how much."""

    def relative(seen: ClassOutcome) -> float:
        return abs(seen.p99_change_s or 0.0) / (seen.p99_s or 1.0)

    name = max(step.classes, key=lambda n: relative(step.classes[n]), default="")
    if not name or relative(step.classes[name]) < HARDLY:
        unanswered = any(seen.p99_s is not None and seen.p99_change_s is None for seen in step.classes.values())
        return _ANSWERED if unanswered else "same"
    return f"{printable(name)} {_signed(step.classes[name].p99_change_s or 0.0)}"


def less_down(step: Outcome, now: Outcome) -> str:
    """Return the change of the downtime of the class that changes most."""
    both = [(seen.downtime_s_per_month, now.classes[name].downtime_s_per_month) for name, seen in step.classes.items()]
    changes = [after - before for after, before in both if after is not None and before is not None]
    most = max(changes, key=abs, default=0.0)
    return _signed(most) if abs(most) >= A_MOMENT else "same"


def _signed(seconds: float) -> str:
    return f"{'-' if seconds < 0 else '+'}{show_seconds(abs(seconds))}"


def words(steps: list[Outcome]) -> Iterator[Section]:
    """Yield for each step what it does, brings, assumes and risks."""
    for step in steps:
        notes = [printable(step.text)]
        notes += [f"assumed: {printable(text)}" for text in step.assumes]
        notes += [f"risk: {printable(text)}" for text in step.risks]
        brings = ", ".join(step.brings) or "brings nothing here"
        carries = "" if step.carries is None else f"; up to {digits(step.carries)}x this load"
        yield Section(printable(f"{step.name}:{step.subject}: {brings}{carries}"), notes=notes)


def not_enough(steps: list[Outcome]) -> list[Section]:
    """Return the steps without a plan, each with the first thing that is still not met."""
    if not steps:
        return []
    rows: list[tuple[str, ...]] = [("Step", "What is still not met")]
    rows += [(printable(f"{step.name}:{step.subject}"), printable(step.fails[0])) for step in steps]
    return [Section("Steps that are not enough by themselves", rows)]
