"""What it costs as people read it: every total opened into its products."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capacity.errors import printable
from capacity.pricing import BOOK_CURRENCY, book
from capacity.section import Section
from capacity.units import digits

if TYPE_CHECKING:
    from capacity.results import Evaluation


def cost_section(evaluation: Evaluation) -> Section:
    """Return the products, their total, what is left out of it, and what reserving would save."""
    rows = [("Cost", "Quantity", "Each/month", "Per month")]
    cost = evaluation.cost
    for item in cost.items:
        name = printable(item.what) if item.tier is None else f"{printable(item.tier)} ({printable(item.what)})"
        name += f" ({', '.join(map(printable, item.of))})" if item.of else ""
        quantity = "unknown" if item.quantity is None else _quantity(item.quantity)
        counted = quantity if item.unit == "nodes" else f"{quantity} {item.unit}"
        rows.append((name, counted, _money(item.unit_price), _money(item.monthly)))
    least = "at least " if cost.unknown or cost.one_off is None else ""
    notes = [f"total: {total(evaluation)}; {least}{_money(cost.over_horizon)} over {cost.horizon_months} months"]
    for moved in cost.once:
        paid = f"{printable(moved.tier)} ({printable(moved.what)}): {_money(moved.amount)}"
        notes.append(f"paid once, in the total over the horizon: {paid}")
    if cost.book:
        notes.append(f"prices of your own book: {printable(cost.book)}")
    if cost.currency != BOOK_CURRENCY and any(item.unit_price is None and item.what in book() for item in cost.items):
        cure = "give yours as price in [node_types], or with --prices"
        notes.append(f"built-in prices are in {BOOK_CURRENCY} and not converted to {printable(cost.currency)}: {cure}")
    if cost.prices_of is not None:
        notes.append(f"built-in list prices of {cost.prices_of}: check them before money is spent (--prices: your own)")
    notes += _reserving(evaluation)
    if cost.not_counted:
        notes.append(f"in no total, since [money] has no price for it: {', '.join(cost.not_counted)}")
    return Section("", rows if len(rows) > 1 else (), frozenset({1, 2, 3}), notes)


def _quantity(value: float) -> str:
    """Return a quantity with as many digits as its product can be checked by."""
    return f"{value:,.0f}" if value >= 1000 or value == int(value) else digits(value)


def _money(value: float | None) -> str:
    if value is None:
        return "unknown"
    return f"{value:,.2f}" if value >= 0.01 or value == 0 else f"{value:.2g}"


def _reserving(evaluation: Evaluation) -> list[str]:
    """Return what reserving the base load would save, one line for each length."""
    lines = []
    for commitment, years in (("1y", "1 year"), ("3y", "3 years")):
        found = [item for item in evaluation.cost.reserving if item.commitment == commitment]
        if found:
            saved = sum(item.saves_monthly for item in found)
            share = max(item.break_even for item in found)
            nodes = sum(item.nodes for item in found)
            lines.append(
                f"reserving the base load ({nodes} nodes) for {years} saves {_money(saved)}/month; "
                f"it pays for a node that runs more than {_share(share)} of its hours"
            )
    return lines


def _share(value: float) -> str:
    """Return a share in per cent to a tenth, since the step from 62.5 to 62 may decide."""
    return f"{round(value * 100, 1):g}%"


def total(evaluation: Evaluation) -> str:
    """Return the monthly cost: a lower bound and what is unknown, where a price is."""
    cost = evaluation.cost
    known = f"{cost.monthly:,.2f} {printable(cost.currency)}/month"
    if not cost.unknown:
        return known
    names = dict.fromkeys(item.tier or item.what for item in cost.items if item.unit_price is None)
    prices = [f"no price for {', '.join(printable(name) for name in names)}"] if names else []
    sizes = [
        f"no size for {item.what} of {', '.join(map(printable, item.of))}"
        for item in cost.items
        if item.quantity is None
    ]
    return f"at least {known} plus unknown ({'; '.join([*prices, *sizes])})"
