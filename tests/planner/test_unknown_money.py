"""What has no price or no quantity: never 0, and always named."""

from __future__ import annotations

import pytest

from capacity.money_report import total
from tests.planner.money import SECONDS, cost, given, items, priced, quantity, text
from tests.planner.systems import Values, cache, changed, database, evaluated, external, file, service


# An unknown price is in no sum and never 0: the item says so, the list of what is unknown, JSON, and the report. One
# way to buy says nothing about another: without a price of its own a reserved or a spot node has none.
@pytest.mark.parametrize(
    ("tier", "path", "value"),
    [({}, "node_types.n1.price", None), ({}, "money.commitment", "1y"), ({"spot": 1.0}, "node_types.n1.spot", None)],
)
def test_unknown_price(tier: Values, path: str, value: object) -> None:
    tiers = {"app": service(0.001, 2, calls=[{"to": "b"}], **tier), "b": service(0.001, 1, "n2")}
    values = changed(changed(file(tiers, 10), "node_types.n2.reserved_1y", 0.2), path, value)
    found = given(values)
    item = found.cost.items[0]
    assert (item.tier, item.quantity, item.unit_price, item.monthly) == ("app", 2, None, None)
    assert found.cost.unknown == ["app"]
    assert found.tiers["app"].monthly_cost is None
    assert found.cost.monthly == pytest.approx(146.0)
    assert total(found) == "at least 146.00 USD/month plus unknown (no price for app)"
    assert f"app ({item.what}) | 2 | unknown | unknown" in text(found)
    assert "0.00 over" not in text(found)


# So is an unknown quantity: nobody knows how much is sent where no size is given.
@pytest.mark.parametrize(("key", "what"), [("egress", "traffic to users"), ("zone_traffic", "traffic between zones")])
def test_unknown_quantity(key: str, what: str) -> None:
    tiers = {"app": service(0.001, 1, calls=[{"to": "db"}]), "db": database(0.001)}
    found = evaluated(changed(priced(file(tiers, 10), **{key: 0.1}), "resilience.zones", 3))
    assert items(found.cost, what) == [(None, 0.1, None)]
    assert found.cost.unknown == [what]
    assert found.cost.monthly == pytest.approx(146.0)
    assert total(found).startswith("at least 146.00 USD/month plus unknown")
    assert total(found).endswith(f"(no size for {what} of {'app' if key == 'egress' else 'db'})"), "the price is given"


# What is not known of some tiers makes the total a lower bound, beside what is known of others; and what is exactly
# nothing is 0: nothing crosses zones where there is one tier, nobody is answered where nobody asks.
def test_partly_known_traffic() -> None:
    calls = [{"to": "sized"}, {"to": "other"}]
    tiers = {
        "app": service(0.001, 2, response_size="10kB", calls=calls),
        "sized": service(0.001, 2, response_size="20kB"),
        "other": service(0.001, 2),
    }
    prices = {"zone_traffic": 0.01, "egress": 0.09}
    values = changed(priced(file(tiers, 10), **prices), "resilience.zones", 2)
    found = evaluated(values)
    known, unknown = (i for i in found.cost.items if i.what == "traffic between zones")
    assert known.quantity == pytest.approx(2 * (1 - 1 / 2) * 10 * 20e3 * SECONDS / 1e9)
    assert (unknown.quantity, unknown.monthly, unknown.of) == (None, None, ["other"])
    assert total(found).startswith("at least ")
    assert "no size for traffic between zones of other" in total(found)
    both = changed(values, "workload.classes.buy", {"rate": 5, "entry": "other"})
    assert [i.of for i in cost(both).items if i.what == "traffic to users"] == [[], ["other"]]
    told = changed(values, "components.other.response_size", 0)
    assert cost(told).unknown == [], "an explicit nothing is known"
    single = changed(priced(file({"app": tiers["app"] | {"calls": []}}, 10), **prices), "resilience.zones", 3)
    assert quantity(cost(single), "traffic between zones") == 0
    silent = changed(priced(file({"app": service(0.001, 2)}, 0), **prices), "resilience.zones", 3)
    assert cost(silent).unknown == []
    assert quantity(cost(silent), "traffic to users") == 0


# Of partners without a price those are named that have none, where others have one.
def test_partners_without_a_price() -> None:
    tiers = {
        "app": service(0.001, 1, calls=[{"to": "p"}, {"to": "q"}]),
        "p": external(0.01, price_per_call=0.1),
        "q": external(0.01),
    }
    assert "the bills of q" in cost(file(tiers, 10)).not_counted


EVERYTHING = ["traffic between zones", "traffic to users", "storage", "people", "partners' bills"]


# What has no price is named as missing from every total, and no more once it has one; what there is none of is not.
def test_what_has_no_price_is_told() -> None:
    tiers = {
        "app": service(0.001, 1, calls=[{"to": "db"}, {"to": "p"}]),
        "db": database(0.001, storage="1GiB"),
        "p": external(0.01),
    }
    values = changed(file(tiers, 10), "resilience.zones", 2)
    assert cost(values).not_counted == EVERYTHING
    assert "in no total, since [money] has no price for it: traffic between zones, traffic" in text(given(values))
    prices = {"zone_traffic": EVERYTHING[0], "egress": EVERYTHING[1], "storage": "storage", "people_per_tier": "people"}
    for key, what in prices.items():
        assert cost(changed(values, f"money.{key}", 0.1)).not_counted == [e for e in EVERYTHING if e != what]
    assert "partners' bills" not in cost(changed(values, "components.p.price_per_call", 0.1)).not_counted
    assert cost(file({"app": service(0.001, 1)}, 10)).not_counted == ["traffic to users", "people"]


# Whatever is kept or provisioned is named while it has no price: what a queue retains, the IOPS of disks; and data of
# which nobody knows how much, even with a price. What a cache holds in memory is paid with its nodes.
@pytest.mark.parametrize(
    ("tier", "money", "told"),
    [
        (service(0.001), {}, []),
        (cache("below"), {}, []),
        (database(0.001, storage="1GiB"), {}, ["storage"]),
        (database(0.001, provisioned_iops=3000, storage="1GiB"), {"storage": 0.1}, ["IOPS"]),
        (database(0.001, provisioned_iops=3000), {"storage": 0.1, "iops": 0.01}, ["storage"]),
        ({"kind": "queue", "consumers": "below", "message_size": "1KiB", "retention": "3d"}, {}, ["storage"]),
    ],
)
def test_what_is_kept_is_told(tier: Values, money: Values, told: list[str]) -> None:
    tiers = {"app": service(0.001, 1, calls=[{"to": "t"}]), "t": tier, "below": service(0.001, 1)}
    assert cost(priced(file(tiers, 10), egress=0.0, people_per_node=0.0, **money)).not_counted == told
