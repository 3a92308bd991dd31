"""Which of a tier's options to take: the cheapest that passes everything, beside those that nothing beats."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from capacity.units import rounded_downtime
from capacity.variants import PRICE_UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capacity.scaling import Option

Measures = tuple[float, float, float]
"""Cost by the month, p99 and downtime as they are shown: who sees no difference pays for none."""


class Recommendation(msgspec.Struct, frozen=True):
    """The option to take, and why."""

    node: str
    nodes: int
    shards: int | None
    reason: str


def with_front(options: Sequence[Option]) -> list[Option]:
    """Return the options with those marked that nothing beats in cost, p99 and availability together."""
    able = _able(options)
    front = {id(o) for m, o in able if not any(_dominates(other, m) for other, _ in able)}
    return [msgspec.structs.replace(o, front=id(o) in front) for o in options]


def _able(options: Sequence[Option]) -> list[tuple[Measures, Option]]:
    """Return what can be compared. What all that passes has to move for, at an unknown cost, is as dear for each."""
    passing = [option for option in options if option.out is None]
    moving = bool(passing) and all(option.one_off is None for option in passing)
    found = [(_measures(msgspec.structs.replace(o, one_off=0.0) if moving else o), o) for o in passing]
    return [(measures, option) for measures, option in found if measures is not None]


def _measures(option: Option) -> Measures | None:
    p99 = option.p99_s if option.p99_s is not None else max(option.classes.values(), default=None)
    if option.monthly is None or p99 is None or option.one_off is None:
        return None
    seconds = option.downtime_s_per_month
    down = math.inf if seconds is None else rounded_downtime(seconds)
    return round(option.monthly + option.one_off / option.horizon_months, 2), _shown(p99), down


def _shown(seconds: float) -> float:
    return float(f"{seconds:.3g}")


def _dominates(first: Measures, second: Measures) -> bool:
    return all(x <= y for x, y in zip(first, second, strict=True)) and first != second


def recommended(options: Sequence[Option]) -> Recommendation | None:
    """Return the cheapest option that passes everything; among equals the file's own, then the faster, the safer."""
    able = _able(options)
    if not able:
        return None
    (cost, _, _), best = min(able, key=lambda pair: (pair[0][0], not pair[1].planned, *pair[0][1:]))
    planned = next((option for option in options if option.planned), None)
    reasons = "; ".join(_reasons(best, cost, able, planned))
    return Recommendation(best.node, best.nodes or 0, best.shards, reasons)


def _reasons(
    best: Option, cost: float, able: Sequence[tuple[Measures, Option]], planned: Option | None
) -> Iterator[str]:
    measures = next((measures for measures, option in able if option.planned), None)
    if best.planned:
        yield "the file's own, and the cheapest that passes everything"
    elif measures is not None and planned is not None:
        less, than = measures[0] - cost, f"the file's {planned.nodes} x {planned.node}"
        yield f"the cheapest that passes everything: {less:,.2f} less a month than {than}"
    elif planned is not None and planned.out in (None, PRICE_UNKNOWN):
        yield "the cheapest of known price that passes everything; what the file's own costs is not known"
    else:
        yield "the cheapest that passes everything; the file's own does not"
    if best.one_off is None:
        yield "what passes takes more shards, and what going there costs is not known (migration_cost)"
    dear = [(measures, o) for measures, o in able if measures[0] > cost and o.front]
    fast = min(dear, key=lambda pair: pair[0][1], default=None)
    if fast is not None and fast[0][1] < (best.p99_s or 0.0) * 0.95:
        yield f"{fast[1].nodes} x {fast[1].node} would be the fastest, for {fast[0][0] - cost:,.2f} more"
