from __future__ import annotations

import math

import pytest

from capacity.money import base_load, by_part, changes
from capacity.money_report import total
from tests.planner.systems import document, external, file, service
from tests.tui.viewing import LADDER, ROOT, SHOP, answered, everything, notes, read, shown, tables, texts

EXAMPLES = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "examples").rglob("*.toml"))


# Every total is opened into its products: the parts and the products add up to what the evaluation says it costs.
@pytest.mark.parametrize("path", [SHOP, f"{LADDER}/8-queue-and-partner.toml"])
def test_parts_and_products_add_up(path: str) -> None:
    found = shown(read(path))
    cost, content = found.evaluation.cost, answered("cost", found)
    assert total(found.evaluation) in notes(content)
    assert math.fsum(part.monthly for part in by_part(cost)) == pytest.approx(cost.monthly)
    assert math.fsum(part.share or 0.0 for part in by_part(cost)) == pytest.approx(1.0)
    parts = texts(tables(content)["Where the money goes"])
    assert {name: row[0] for name, row in parts.items()} == {p.name: f"{p.monthly:,.2f}" for p in by_part(cost)}
    products = tables(content)["Every product"].rows
    assert [row[-1].text for row in products] == [f"{item.monthly:,.2f}" for item in cost.items]
    assert f"{cost.over_horizon:,.2f}" in notes(content)
    assert all(what in notes(content) for what in cost.not_counted)


# The longest bar belongs to the dearest part: bars are as long as shares.
def test_bars_follow_shares() -> None:
    rows = tables(answered("cost", shown(read(SHOP))))["Where the money goes"].rows
    lengths = [len(row[-1].text) for row in rows]
    assert lengths == sorted(lengths, reverse=True)
    assert lengths[0] > lengths[-1] > 0


# Base load, break-even and saving are those of the evaluation.
def test_reserving_is_that_of_the_evaluation() -> None:
    found = shown(read(SHOP))
    rows = texts(tables(answered("cost", found))["Base load and reserving"])
    offers = {(offer.tier, offer.commitment): offer for offer in found.evaluation.cost.reserving}
    assert offers
    for (tier, commitment), offer in offers.items():
        base = base_load(found.search.system, tier, found.counts[tier])
        assert rows[tier][0].startswith(f"{base} of ")
        assert rows[tier][1:3] == [commitment, f"{offer.nodes}"]
        assert f"{offer.break_even:.0%}" in rows[tier][3]
        assert rows[tier][4] == f"{offer.saves_monthly:,.2f}"


# Against a baseline each part shows what it costs more, and what is gone shows what is saved; they add up.
def test_differences_to_a_baseline() -> None:
    before = shown(read(SHOP))
    after = shown(read(SHOP, "components.app.nodes=14", "components.redis.nodes=1"))
    more = changes(before.evaluation.cost, after.evaluation.cost)
    known = [value for value in more.values() if value is not None]
    assert math.fsum(known) == pytest.approx(after.evaluation.cost.monthly - before.evaluation.cost.monthly)
    rows = texts(tables(answered("cost", after, baseline=before))["Where the money goes"])
    assert rows["app"][2].startswith("▲+")
    assert rows["redis"][2].startswith("▼-")
    assert rows["web"][2] == "="
    assert "no difference" in notes(answered("cost", before, baseline=before))


# A tier that the baseline has and the file no longer has is shown with what it saves.
def test_what_is_gone_is_shown() -> None:
    two = {"web": service(0.001, 1, calls=[{"to": "app"}]), "app": service(0.01, 2)}
    before, after = shown(document(file(two, 50))), shown(document(file({"web": service(0.001, 1)}, 50)))
    rows = texts(tables(answered("cost", after, baseline=before))["Where the money goes"])
    assert rows["app (gone)"][2] == "▼-146.00"  # two nodes at 0.1 an hour, 730 hours


# An unknown price stays unknown: it is named, never counted as nothing, and no difference is claimed for it.
def test_unknown_prices_are_named() -> None:
    values = file({"web": service(0.001, 1, "odd", calls=[{"to": "app"}]), "app": service(0.01, 2)}, 50)
    values["node_types"]["odd"] = {"vcpus": 1}
    found = shown(document(values))
    content = answered("cost", found, baseline=found)
    assert texts(tables(content)["Where the money goes"])["web"][0] == "unknown"
    assert texts(tables(content)["Where the money goes"])["web"][2] == "unknown"
    assert "at least" in notes(content)
    assert "No price is known for web" in notes(content)


# Two currencies are not compared.
def test_another_currency_is_not_compared() -> None:
    before, after = shown(read(SHOP)), shown(read(SHOP, 'currency="XTS"'))
    assert changes(before.evaluation.cost, after.evaluation.cost) == {}
    assert "another currency" in notes(answered("cost", after, baseline=before))


# Names are text, whatever is in them, and a system that costs nothing divides by nothing.
def test_names_are_text_and_nothing_costs_nothing() -> None:
    found = shown(document(file({"[red]a[/]": service(0.001, 1)}, 5)))
    assert "[red]a[/]" in texts(tables(answered("cost", found))["Where the money goes"])
    free = shown(document(file({"pay": external(0.1)}, 5)))
    assert "Total: 0.00" in notes(answered("cost", free))


# Every example can be shown, without anything undefined.
@pytest.mark.parametrize("path", EXAMPLES)
@pytest.mark.parametrize("view", ["cost", "cache", "replication"])
def test_every_example_is_shown(path: str, view: str) -> None:
    words = everything(answered(view, shown(read(path)))).split()
    assert words
    assert not {"nan", "inf", "-inf", "None"} & {word.strip("%().,;") for word in words}
