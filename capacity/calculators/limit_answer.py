"""What `capacity limit` answers: what is turned away or waits, retries, and the number that was left out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from capacity import judging
from capacity.calculators.answers import shown
from capacity.calculators.calculator import Answer, Row
from capacity.calculators.overload import SLOWLY, all_or_more, just_full, over, verdict
from capacity.calculators.searching import largest
from capacity.errors import UsageError
from capacity.fewest import fewest
from capacity.units import digits, show_percent, show_seconds
from models.erlang import UnstableQueueError
from models.limits import rate_limit_rejection
from models.retry_budgets import rejects_at_most, with_retries
from models.windows import (
    ShaperWait,
    burst_for,
    concurrency_for,
    concurrency_rejection,
    fixed_window_rejection,
    sliding_log_rejection,
    window_limit_for,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from capacity.calculators.calculator import Given

_WINDOWS: Final = {"sliding": sliding_log_rejection, "fixed": fixed_window_rejection}
_SOURCES: Final = {
    "bucket": "M/D/1 cut at the burst: Tijms 2003, section 9.4.2",
    "sliding": "Erlang 1917: M/D/L/L",
    "fixed": "E[(X - L)+] / E[X], X Poisson",
    "concurrency": "Erlang 1917, Sevastyanov 1957",
    "shaper": "M/D/1 (Erlang 1909, Franx 2001), less the tokens saved",
}
_ALLOWED: Final = {
    "bucket": ("limit", "burst"),
    "sliding": ("limit",),
    "fixed": ("limit",),
    "concurrency": ("places",),
    "shaper": ("limit", "burst"),
}
_MOST_BURST: Final = 1 << 30
_MOST_SUMMED: Final = 2000
"""Terms of a sum that are written out with numbers in a moment."""


def answered(given: Given) -> Answer:
    """Return the answer to what was given."""
    kind = given.word("kind") or "bucket"
    wished = "wait_p99" if kind == "shaper" else "rejected"
    other = "rejected" if kind == "shaper" else "wait_p99"
    if given.has(other):
        raise UsageError(f"--{other.replace('_', '-')}: a {kind} has none; it has --{wished.replace('_', '-')}")
    for name in ("limit", "burst", "places"):
        if given.has(name) and name not in _ALLOWED[kind]:
            raise UsageError(f"--{name}: of no meaning for --kind {kind}; it takes --{' and --'.join(_ALLOWED[kind])}")
    if kind == "shaper" and given.count("retries"):
        raise UsageError("--retries: a shaper turns nobody away")
    values = {name: given.maybe(name) for name in ("rate", "limit", "burst", "places")}
    missing = [name for name in ("rate", *_ALLOWED[kind]) if values[name] is None]
    if "burst" in missing and (len(missing) > 1 or not given.has(wished)):
        values["burst"] = 1.0
        missing.remove("burst")
    if len(missing) > 1:
        raise UsageError(f"{' and '.join('--' + name for name in missing)} are missing: one of them can be solved for")
    if not missing:
        return _answer(given, kind, values, None)
    if not given.has(wished):
        raise UsageError(
            f"--{missing[0]} is left out: to solve for it, say what is wanted: --{wished.replace('_', '-')}"
        )
    return _solved(given, kind, values, missing[0], given.number(wished))


def _solved(given: Given, kind: str, values: dict[str, float | None], name: str, wanted: float) -> Answer:
    if wanted >= 1 and kind != "shaper":
        raise UsageError("--rejected: found 100%; allowed: less, to solve for something")
    found: float | None
    rate, limit = values["rate"] or 1.0, values["limit"] or 1.0
    if kind == "shaper":
        found = _shaped(values, name, wanted)
    elif given.count("retries") or name == "rate" or (kind, name) == ("bucket", "limit"):
        found = _searched(given, kind, values, name, wanted)
    elif kind in _WINDOWS:
        window = given.number("window")
        found = window_limit_for(_WINDOWS[kind], rate, window, wanted) / window
    elif kind == "concurrency":
        found = concurrency_for(rate, given.number("duration"), wanted)
    else:
        found = burst_for(rate, limit, wanted)
    if found is None or math.isinf(found):
        note = f"even without end a burst lets no more than {digits(limit)}/s pass"
        headline = f"no {name} is enough" if name != "rate" else "no rate is low enough"
        return Answer(
            headline=headline, rows=[], notes=[note] if name == "burst" else [], met=False, more={"solved_for": name}
        )
    return _answer(given, kind, {**values, name: found}, name)


def _searched(given: Given, kind: str, values: dict[str, float | None], name: str, wanted: float) -> float | None:
    """Return the number with which no more than is wanted of all tries, retries included, is turned away."""
    rate, limit, window = values["rate"] or 1.0, values["limit"] or 1.0, given.number("window")
    budget = given.maybe("budget")

    def enough(law: Callable[[float], float], rate: float) -> bool:
        return rejects_at_most(rate, law, given.count("retries"), wanted, math.inf if budget is None else budget)

    def good(value: float) -> bool:
        found = {**values, name: value}
        return enough(_law(given, kind, found), found["rate"] or 1.0)

    if name == "rate":
        return largest(good, limit)
    if name == "places":
        return fewest(good, 1, _MOST_BURST)
    if name == "burst":
        endless = enough(lambda tries: max(0.0, 1 - limit / tries), rate)
        return fewest(good, 1, _MOST_BURST) if endless else None
    if kind in _WINDOWS:
        passing = fewest(lambda count: good(count / window), 1, _MOST_BURST)
        return None if passing is None else passing / window
    slow = largest(lambda gap: good(1 / gap), 1 / rate)
    return None if slow is None else 1 / slow


def _shaped(values: dict[str, float | None], name: str, wanted: float) -> float | None:
    def good(rate: float, limit: float, burst: int) -> bool:
        try:
            return ShaperWait(rate, limit, burst).percentile(0.99) <= wanted * (1 + 1e-9)
        except UnstableQueueError:
            return False

    rate, limit, burst = values["rate"] or 1.0, values["limit"] or 1.0, int(values["burst"] or 1)
    if name == "rate":
        return largest(lambda trial: good(trial, limit, burst), 0.5 * limit)
    if name == "burst":
        return fewest(lambda trial: good(rate, limit, trial), 1, _MOST_BURST) if rate < limit else None
    slow = largest(lambda gap: good(rate, 1 / gap, burst), 0.5 / rate)
    return None if slow is None else 1 / slow


def _law(given: Given, kind: str, values: dict[str, float | None]) -> Callable[[float], float]:
    """Return the share turned away by the rate of tries."""
    limit, burst, window = values["limit"] or 1.0, int(values["burst"] or 1), given.number("window")
    if kind == "bucket":
        return lambda rate: rate_limit_rejection(rate, limit, burst)
    if kind == "concurrency":
        duration, places = given.number("duration"), int(values["places"] or 1)
        return lambda rate: concurrency_rejection(rate, duration, places)
    passing = limit * window
    if passing < 1 - 1e-9 or abs(passing - round(passing)) > 1e-6 * passing:
        raise UsageError(f"--limit: {limit:.12g}/s in a --window of {show_seconds(window)} is no whole number >= 1")
    return lambda rate: _WINDOWS[kind](rate, round(passing), window)


def _answer(given: Given, kind: str, values: dict[str, float | None], solved: str | None) -> Answer:
    rate = values["rate"] or 1.0
    rows = [_found(solved, values[solved] or 0.0)] if solved else []
    more: dict[str, object] = {"solved_for": solved, "inputs_used": {k: v for k, v in values.items() if v is not None}}
    if kind == "shaper":
        return _waiting(given, rate, values, rows, more)
    law = _law(given, kind, values)
    budget = given.maybe("budget")
    found = with_retries(rate, law, given.count("retries"), math.inf if budget is None else budget)
    met = found.rejected <= given.number("rejected") * (1 + 1e-9) if given.has("rejected") else None
    capacity = _capacity(given, kind, values)
    rows += [
        Row("utilization", "demand of the limit", rate / capacity, "share", "", "Demand"),
        Row("rejected", "tries turned away", found.rejected, "share", _judged(given, "rejected", found.rejected, met),
            "Rejected"),
        *_retried(given, found.tries, found.failed, found.allowed),
        Row("passed_per_s", "requests that pass", found.passed, "/s", "", "Passed"),
    ]  # fmt: skip
    if kind == "fixed":
        passing = 2 * round((values["limit"] or 1.0) * given.number("window"))
        rows.append(Row("across_boundary", "may pass at once across a boundary", passing, "requests"))
    headline = f"{shown(found.rejected, 'share')} of {digits(found.tries)} tries/s turned away"
    if rate > capacity:
        headline += f": {digits(rate - capacity)}/s more than the limit"
    headline += judging.ending([] if met else ["rejected tries"], judged=met is not None)
    notes = []
    if given.count("retries"):
        storm = with_retries(rate, law, given.count("retries"), math.inf if budget is None else budget, worst=True)
        notes.append("retries are taken to come so late that they find another state: sooner, more of them fail")
        if storm.tries > found.tries * (1 + 1e-6):
            notes.append(f"after a storm of retries it stays at {digits(storm.tries)} tries/s")
    if rate > capacity and given.alone:
        notes.append(f"the smallest mend: a limit above {digits(rate)}/s" if kind != "concurrency"
                     else f"the smallest mend: {math.floor(rate * given.number('duration')) + 1} places")  # fmt: skip
    return Answer(
        headline=headline,
        rows=rows,
        model=kind,
        source=_SOURCES[kind],
        exact=not given.count("retries"),
        accuracy="for Poisson requests" if not given.count("retries") else "retries taken as Poisson",
        notes=notes,
        met=met,
        more=more,
    )


def _judged(given: Given, name: str, value: float, met: bool | None) -> str:  # noqa: FBT001, what is put into words
    if met is None:
        return ""
    limit = given.number(name)
    text = show_seconds(limit) if name == "wait_p99" else show_percent(limit)
    return judging.allowed(met, text, judging.over(value, limit))


def _capacity(given: Given, kind: str, values: dict[str, float | None]) -> float:
    return (values["places"] or 1.0) / given.number("duration") if kind == "concurrency" else values["limit"] or 1.0


def _found(name: str, value: float) -> Row:
    if name in ("rate", "limit"):
        what = "at most" if name == "rate" else "at least"
        return Row(f"{name}_per_s", f"{name}, {what}", value, "/s", "solved for", name.capitalize())
    return Row(name, f"{name}, at least", int(value), "", "solved for", name.capitalize())


def _retried(given: Given, tries: float, failed: float, allowed: float) -> Iterator[Row]:
    if given.count("retries"):
        yield Row("tries_per_s", "tries, first ones included", tries, "/s", "", "Tries")
        yield Row("failed", "requests that never pass", failed, "share", "", "Failed")
        if given.has("budget"):
            yield Row("retries_allowed", "retries that the budget allows", allowed, "share")


def _waiting(
    given: Given, rate: float, values: dict[str, float | None], rows: list[Row], more: dict[str, object]
) -> Answer:
    limit, burst, wished = values["limit"] or 1.0, int(values["burst"] or 1), given.maybe("wait_p99")
    try:
        wait = ShaperWait(rate, limit, burst)
    except UnstableQueueError:
        growing = SLOWLY if just_full(rate, limit) else ""
        rows += [
            Row("utilization", "demand of the limit", rate / limit, "share", all_or_more(rate, limit), "Demand"),
            Row("backlog_growth_per_s", "those waiting grow by", over(rate, limit), "/s", growing),
        ]
        headline = f"{verdict(rate, limit)}: {digits(rate)}/s for a limit of {digits(limit)}/s"
        headline += ", the wait grows without end"
        note = f"the smallest mend: a limit above {digits(rate)}/s, or less than {digits(limit)}/s"
        met = False if wished is not None else None
        return Answer(headline=headline, rows=rows, notes=[note], met=met, more={**more, "overloaded": True})
    p99 = wait.percentile(0.99)
    met = None if wished is None else p99 <= wished * (1 + 1e-9)
    noted = _judged(given, "wait_p99", p99, met)
    rows += [
        Row("utilization", "demand of the limit", rate / limit, "share", "", "Demand"),
        Row("wait_probability", "requests that wait", wait.probability, "share", "", "Wait"),
        Row("wait_mean_s", "wait, mean", wait.mean, "s", "", "Mean"),
        Row("wait_p99_s", "  99%", p99, "s", noted, "P99"),
        Row("wait_p999_s", "  99.9%", wait.percentile(0.999), "s"),
    ]
    headline = (
        f"{shown(wait.probability, 'share')} wait, {shown(wait.mean, 's')} on average, 99% within {shown(p99, 's')}"
    ) + judging.ending([] if met else ["wait p99"], judged=met is not None)
    return Answer(
        headline=headline, rows=rows, model="shaper", source=_SOURCES["shaper"], accuracy="for Poisson requests",
        met=met, more=more,
    )  # fmt: skip
