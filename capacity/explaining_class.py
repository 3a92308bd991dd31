"""Where the numbers of a request class come from: the tiers that it goes through, and how often."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from capacity.contributions import contributions
from capacity.explanations import Explanation, Numbers, explanation, shown
from capacity.uptime import Uptime
from capacity.verdict import class_latency
from models.availability import MONTH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from capacity.components.exchange import Operation
    from capacity.results import ClassResult
    from capacity.search import Search
    from capacity.solve import Solution
    from models.formulas import Quantity

_SAME: Final = 1e-9
"""Relative: less is the order in which numbers were added."""


@dataclass(frozen=True, eq=False)
class OfClass:
    """A request class of a solved system with what the evaluation says of it, and the search that it belongs to."""

    solution: Solution
    name: str
    result: ClassResult
    search: Search

    def parts(self) -> Iterator[tuple[str, float, float]]:
        """Yield the visits of one request and their mean time at the tier itself, s; for what it waits for."""
        solution, system = self.solution, self.solution.system
        declared = system.topology.workload.classes[self.name]
        rate = float(declared.rate) * float(system.topology.workload.peak_to_mean)
        reached = system.waited_for(declared.entry, self.name)
        for tier in (n for n in system.order if n in reached):
            arrivals = solution.arrivals(tier)
            rates: dict[Operation, float] = {
                "read": arrivals.reads.get(self.name, 0.0),
                "write": arrivals.writes.get(self.name, 0.0),
            }
            kinds = [kind for kind, each in rates.items() if each > 0]
            for kind in kinds:
                own = solution.answers[tier, self.name, kind].own
                if own is not None and own.mean > 0:
                    yield f"{tier} ({kind}s)" if len(kinds) > 1 else tier, rates[kind] / rate, own.mean


def mean(asked: OfClass) -> Explanation | None:
    """Explain the mean of a class: visits times the mean time of each, and what running at once or giving up saves.

    *Exact*: the mean of a sum is the sum of the means. Calls made together, and tries that a timeout cuts off, are told
    as the difference that they make.
    """
    from models.formulas import Formula, Step, chained  # noqa: PLC0415
    from models.formulas.symbols import RESPONSE, real  # noqa: PLC0415

    value = asked.result.mean_s
    if value is None:
        return _overloaded(asked, "mean", "mean response time")
    numbers, total, above = Numbers(), 0.0, None
    inputs: list[Quantity] = []
    for i, (label, visits, time) in enumerate(asked.parts(), 1):
        often, each = real(f"v_{i}", ""), real(f"T_{i}", "", "s")
        numbers.put(often, visits, f"visits to {label} of one request")
        numbers.put(each, time, f"mean time of one at {label} itself, waiting and working")
        product = often.symbol * each.symbol
        above, inputs, total = (
            product if above is None else above + product,
            [*inputs, often, each],
            total + visits * time,
        )
    if abs(value - total) > _SAME * value or above is None:
        rest, sign = real("D", "", "s"), 1 if value > total else -1
        words = "more by tries that end late" if sign > 0 else "less by calls made at once and tries cut off"
        numbers.put(rest, abs(value - total), words)
        above, inputs = rest.symbol if above is None else above + sign * rest.symbol, [*inputs, rest]
    told = "the mean of a sum is the sum of the means, dependent or not"
    last = Formula("", tuple(inputs), (Step(RESPONSE, above),), "linearity of the mean", exact=True, accuracy="")
    return explanation("mean", "mean response time", chained("", last), numbers, value, "s", [told])


def p99(asked: OfClass) -> Explanation | None:
    """Show what the time at each tier contributes to the p99 of a class; the parts add up."""
    from models.formulas import Formula, Step, chained  # noqa: PLC0415
    from models.formulas.symbols import real  # noqa: PLC0415

    value = asked.result.p99_s
    if value is None:
        return _overloaded(asked, "p99", "p99 of the response time")
    numbers, parts = Numbers(), []
    for i, part in enumerate((c for c in contributions(asked.solution, asked.name) if c.percentile > 0), 1):
        parts.append(real(f"t_{i}", "", "s"))
        numbers.put(parts[-1], part.percentile, f"by the time at {part.tier}: 1% more there is 1% more of this")
    if not parts:
        return None
    result = real("t", "p99", "s")
    above = sum((q.symbol for q in parts[1:]), parts[0].symbol)
    accuracy = "approximate: the parts add up to within 1e-3 of the percentile"
    last = Formula("", tuple(parts), (Step(result, above),), "Euler; Tasche 1999", exact=False, accuracy=accuracy)
    note = "percentiles do not add; what each tier contributes is how much the p99 grows with the time there"
    told = explanation(
        "p99", "p99 of the response time", chained("", last, accuracy=accuracy), numbers, value, "s", [note]
    )
    return msgspec.structs.replace(told, by_formula=None)


def availability(asked: OfClass) -> Explanation | None:
    """Explain the share of time in which a class is served: all that it needs in series. *Exact* for these parts."""
    from models.formulas import Formula, Step, chained  # noqa: PLC0415
    from models.formulas.symbols import real  # noqa: PLC0415

    seen = Uptime(asked.search, asked.solution.counts).of_class(asked.name)
    if seen is None or not seen.parts:
        return None
    numbers, inputs, product = Numbers(), [], None
    for i, (label, down) in enumerate(seen.parts, 1):
        inputs.append(real(f"u_{i}", "", "share"))
        numbers.put(inputs[-1], down, f"share of time lost by {label}")
        product = 1 - inputs[-1].symbol if product is None else product * (1 - inputs[-1].symbol)
    up = real("A", "share of time in which it is served", "share")
    last = Formula("", tuple(inputs), (Step(up, product),), "independent parts in series", exact=True, accuracy="")
    notes = [f"down {shown(seen.unavailability * MONTH, 's')} a month"]
    notes += [f"most of it by {seen.limited_by}"] if seen.limited_by else []
    notes += [f"at most: not known of {', '.join(seen.unknown)}"] if seen.unknown else []
    whole = chained("", last)
    return explanation("availability", up.meaning, whole, numbers, 1 - seen.unavailability, "share", notes)


def _overloaded(asked: OfClass, metric: str, what: str) -> Explanation:
    assert class_latency(asked.solution, asked.name) is None  # noqa: S101 - else there is a number
    culprit = Uptime(asked.search, asked.solution.counts).overload(asked.name)
    told = f"no steady state: {culprit} is overloaded" if culprit else "no steady state: something is overloaded"
    return Explanation(
        metric=metric, what=what, value=None, by_formula=None, unit="s", shown="none", exact=True, source="",
        accuracy="", notes=[told],
    )  # fmt: skip


METRICS: Final[dict[str, Callable[[OfClass], Explanation | None]]] = {
    "mean": mean,
    "p99": p99,
    "availability": availability,
}
"""What can be asked about a class."""
