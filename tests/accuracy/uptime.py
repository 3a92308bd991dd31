"""Availability: k of n, zones, repair crews, outages."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import mpmath

from models.availability import fewer_than, in_series, node_unavailability, zoned
from models.outages import burn_rate, error_budget, outage_rate
from models.repair import crewed, crewed_outage_rate
from tests.accuracy.comparison import Comparison, Family, relative

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mpmath import mpf


def binomial_tail(nodes: int, needed: int, down: float) -> mpf:
    """Return the probability that fewer than `needed` are up, with 50 digits, from the likeliest such state on."""
    u = mpmath.mpf(down)
    first = nodes - needed + 1
    term = mpmath.binomial(nodes, first) * u**first * (1 - u) ** (needed - 1)
    total, j = mpmath.mpf(0), first
    while j <= nodes and term > total * mpmath.mpf(10) ** -45:
        total += term
        term *= u / (1 - u) * (nodes - j) / (j + 1)
        j += 1
    return total


def one_group() -> Iterator[float]:
    """Compare k of n with sums in 50 digits."""
    for nodes, down in product((1, 3, 10, 100, 10_000, 1_000_000), (1e-9, 1e-4, 0.01, 0.1)):
        for more in (1, 2, 5, 30):
            needed = nodes - round(nodes * down) - more + 1
            if needed >= 1:
                with mpmath.workdps(50):
                    true = binomial_tail(nodes, needed, down)
                if true > 1e-280:
                    yield float(abs(fewer_than(needed, [(nodes, down)]) / true - 1))


def mixed_groups() -> Iterator[float]:
    """Compare two kinds of nodes, in zones, with every state counted in 50 digits."""
    for needed, down, other, zone in product((2, 3, 4), (1e-6, 0.01), (1e-3, 0.2), (1e-7, 1e-2)):
        with mpmath.workdps(50):
            total = mpmath.mpf(0)
            # Three nodes and two, one after the other over two zones: 0 1 0, 1 0.
            place, chances = (0, 1, 0, 1, 0), (down, down, down, other, other)
            for zones_up in product((0, 1), repeat=2):
                at = mpmath.fprod((1 - mpmath.mpf(zone)) if up else mpmath.mpf(zone) for up in zones_up)
                for up in product((0, 1), repeat=5):
                    if sum(u and zones_up[place[i]] for i, u in enumerate(up)) < needed:
                        total += at * mpmath.fprod(
                            (1 - mpmath.mpf(chances[i])) if u else mpmath.mpf(chances[i]) for i, u in enumerate(up)
                        )
        yield float(abs(zoned(needed, [(3, down), (2, other)], 2, zone) / total - 1))


def chain(nodes: int, crews: int, ratio: float) -> list[mpf]:
    """Return the probabilities of 0..nodes nodes down with 50 digits."""
    weights = [mpmath.mpf(1)]
    for j in range(nodes):
        weights.append(weights[-1] * (nodes - j) * mpmath.mpf(ratio) / min(j + 1, crews))
    total = mpmath.fsum(weights)
    return [w / total for w in weights]


def crews() -> Iterator[float]:
    """Compare repair crews, in share and in number of outages, with the chain in 50 digits."""
    for nodes, few, ratio in product((2, 5, 40, 1000), (1, 2, 7), (1e-6, 1e-3, 0.1)):
        needed = max(1, nodes - 2)
        with mpmath.workdps(50):
            down = chain(nodes, few, ratio)
            share, begin = mpmath.fsum(down[nodes - needed + 1 :]), down[nodes - needed] * needed
        yield float(abs(crewed(needed, nodes, few, 1.0, ratio) / share - 1))
        if begin > 1e-280:
            yield float(abs(crewed_outage_rate(needed, nodes, few, 1.0, ratio) / begin - 1))


def rates() -> Iterator[float]:
    """Compare how often k of n falls short with the binomial law in 50 digits."""
    for nodes, spare, mttr in product((2, 5, 50), (0, 1, 3), (1e-6, 1e-3, 0.1)):
        needed = max(nodes - spare, 1)
        with mpmath.workdps(50):
            u = mpmath.mpf(mttr) / (1 + mpmath.mpf(mttr))
            true = needed * mpmath.binomial(nodes, needed) * (1 - u) ** needed * u ** (nodes - needed)
        yield float(abs(outage_rate(needed, [(nodes, 1.0, mttr)]) / true - 1))


def series() -> Iterator[float]:
    """Compare parts in series with 50 digits."""
    for parts in ([1e-18, 1e-17], [1e-9] * 30, [0.1, 1e-12, 0.5], [0.3] * 9):
        with mpmath.workdps(50):
            true = 1 - mpmath.fprod(1 - mpmath.mpf(p) for p in parts)
        yield float(abs(in_series(parts) / true - 1))


def budgets() -> Iterator[float]:
    """Compare budgets and burn rates with published ones."""
    day = 86400.0
    for objective, period, minutes in ((0.999, 30, 43.2), (0.9999, 365, 52.56), (0.9995, 30, 21.6), (0.99, 90, 1296.0)):
        yield relative(error_budget(objective, period * day), minutes * 60)
    for share, hours, rate in ((0.02, 1, 14.4), (0.05, 6, 6), (0.1, 72, 1)):
        yield relative(burn_rate(share, hours * 3600, 30 * day), rate)
    yield relative(node_unavailability(1000.0, 10.0), 10 / 1010)


FAMILY = Family(
    "Availability",
    70,
    "`models.availability`, `models.repair`, `models.outages`; [theory](theory/availability.md).",
    (
        Comparison(
            law="k of n",
            against="sums in 50 digits",
            region="1 to 1,000,000 nodes, results down to 1e-280",
            measure=one_group,
            bar=1e-12,
        ),
        Comparison(
            law="k of n of two kinds in zones",
            against="every state counted in 50 digits",
            region="3 + 2 nodes in 2 zones",
            measure=mixed_groups,
            bar=1e-12,
        ),
        Comparison(
            law="repair crews: share of time and outages",
            against="birth-death chain in 50 digits",
            region="2 to 1,000 nodes, 1 to 7 crews, results down to 1e-280",
            measure=crews,
            bar=1e-12,
        ),
        Comparison(
            law="outages of k of n",
            against="the binomial law in 50 digits",
            region="2 to 50 nodes, mttr up to a tenth of mtbf",
            measure=rates,
            bar=1e-11,
        ),
        Comparison(
            law="parts in series", against="products in 50 digits", region="1e-18 to 0.5", measure=series, bar=1e-14
        ),
        Comparison(
            law="error budgets and burn rates",
            against="Beyer et al. 2016 and 2018",
            region="99 % to 99.99 %",
            measure=budgets,
            bar=1e-11,
        ),
    ),
)
