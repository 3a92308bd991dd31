"""Where the money goes: every total opened into its products."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capacity.money import base_load, by_part, changes
from capacity.money_report import total
from capacity.units import digits, show_percent
from tui.blocks import UNKNOWN, bar, change, money, name, table
from tui.content import Cell, Content, Note
from tui.views import View

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from capacity.results import Cost, CostItem
    from tui.content import Block, Table
    from tui.scene import Scene
    from tui.views import Asked


def answer(asked: Asked, tick: Callable[[int], None]) -> Content:  # noqa: ARG001, the answer is at hand
    """Return the cost of the evaluation: parts, products, what reserving would bring, what is in no total."""
    evaluation = asked.scene.evaluation
    cost = evaluation.cost
    before = None if asked.baseline is None else asked.baseline.evaluation.cost
    blocks: list[Block] = [
        Note(f"Total: {total(evaluation)}.", "warn" if cost.unknown else "strong"),
        Note(_horizon(cost)),
        *_against(cost, before),
        _parts(cost, before),
        _products(cost),
        *_reserving(asked.scene),
        *_not_told(cost),
    ]
    return Content(tuple(blocks))


def _horizon(cost: Cost) -> str:
    least = "at least " if cost.unknown or cost.one_off is None else ""
    once = f", {cost.one_off:,.2f} of it once" if cost.one_off else ", what is paid once unknown"
    return (
        f"Over {cost.horizon_months} months: {least}{cost.over_horizon:,.2f} {name(cost.currency)}"
        f"{'' if cost.one_off == 0 else once}."
    )


def _against(cost: Cost, before: Cost | None) -> Iterator[Note]:
    if before is None:
        return
    if before.currency != cost.currency:
        yield Note("The baseline is in another currency: there is no difference to tell.", "warn")
        return
    if not cost.unknown and not before.unknown and abs(cost.monthly - before.monthly) < 0.005:
        yield Note("Against the baseline: no difference.", "dim")
        return
    more = change(None if cost.unknown or before.unknown else cost.monthly - before.monthly)
    known = f"{change(cost.monthly - before.monthly).text} in what is known" if more is UNKNOWN else more.text
    yield Note(f"Against the baseline: {known} a month.", more.style)


def _parts(cost: Cost, before: Cost | None) -> Table:
    """Return a bar for each tier, and its difference to the baseline."""
    changed = changes(before, cost) if before is not None else {}
    rows, seen = [], set()
    for part in by_part(cost):
        key = part.tier, part.name
        seen.add(key)
        amount = f"{'≥ ' if part.unknown and part.monthly else ''}{part.monthly:,.2f}"
        monthly = UNKNOWN if part.unknown and not part.monthly else Cell(amount, "warn" if part.unknown else "")
        share = Cell("-", "dim") if part.share is None else Cell(show_percent(part.share))
        more = [change(changed[key])] if key in changed else []
        rows.append((Cell(name(part.name), "" if part.tier else "dim"), monthly, share, *more, Cell(bar(part.share))))
    for key, more_monthly in changed.items():
        if key not in seen:
            gone = (Cell(f"{name(key[1])} (gone)", "dim"), Cell("0.00", "dim"), Cell("-", "dim"))
            rows.append((*gone, change(more_monthly), Cell("")))
    columns = ("Part", f"{name(cost.currency)}/month", "Share", *(["Baseline"] if changed else []), "")
    return table("Where the money goes", columns, rows, left=(0, len(columns) - 1))


def _products(cost: Cost) -> Table:
    rows = [
        (
            Cell(name(item.tier) if item.tier else "(all)", "" if item.tier else "dim"),
            name(item.what),
            _quantity(item),
            money(item.unit_price),
            money(item.monthly),
        )
        for item in cost.items
    ]
    columns = ("Tier", "What", "Quantity", "x each/month", "= per month")
    return table("Every product", columns, rows, left=(0, 1))


def _quantity(item: CostItem) -> Cell:
    return UNKNOWN if item.quantity is None else Cell(f"{digits(item.quantity)} {item.unit}")


def _reserving(scene: Scene) -> Iterator[Block]:
    """Yield the base load of every tier, and from which use on reserving it pays."""
    system, offers = scene.search.system, scene.evaluation.cost.reserving
    rows: list[Sequence[Cell | str]] = []
    for tier in system.counted():
        nodes = system.tiers[tier].machines(scene.counts[tier])
        base = base_load(system, tier, scene.counts[tier])
        found = [offer for offer in offers if offer.tier == tier]
        first = (name(tier), f"{base} of {nodes}")
        for offer in found:
            pays, saves = f"over {show_percent(offer.break_even)} of hours", f"{offer.saves_monthly:,.2f}"
            rows.append((*first, offer.commitment, f"{offer.nodes}", pays, Cell(saves, "good")))
        if not found:
            rows.append((*first, *[Cell("-", "dim")] * 4))
    if rows:
        columns = ("Tier", "Base load", "Reserve for", "Nodes", "Pays if a node runs", "Saves/month")
        yield table("Base load and reserving", columns, rows)
        bought = system.topology.money.commitment
        words = f"The file reserves for {bought} already. " if bought != "none" else ""
        yield Note(
            f"{words}Base load: the nodes that the daily mean keeps as busy as the peak keeps all; of databases and"
            " caches all nodes, since none can be sent away at night. Only these are worth reserving; only where both"
            " prices are known is there an offer.",
            "dim",
        )


def _not_told(cost: Cost) -> Iterator[Note]:
    if cost.unknown:
        names = ", ".join(map(name, cost.unknown))
        yield Note(f"No price is known for {names}: the total is at least what is shown, never less.", "warn")
    if cost.not_counted:
        yield Note(f"In no total, since [money] has no price for it: {', '.join(cost.not_counted)}.", "warn")
    if cost.prices_of is not None:
        yield Note(f"Built-in list prices of {cost.prices_of}: check them before money is spent.", "dim")
    yield Note("Products are exact; nodes run all month, traffic and calls are counted at the daily mean.", "dim")


VIEW = View(
    "cost",
    "3",
    "Cost",
    "Where does the money go, and what would reserving bring?",
    answer,
    of_scenario=False,
    work="what everything costs",
)
