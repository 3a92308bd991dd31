"""What a plan minimises is what is really paid: reserved and spot prices, what comes with a node, the user's book."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import tomli_w

from tests.capacity.running import capacity
from tests.planner.brute_force import BruteForce
from tests.planner.systems import Values, changed, database, evaluated, file, planned, service

if TYPE_CHECKING:
    from pathlib import Path

HOURS = 730.0


def either(**machine: float) -> Values:
    """Return a file whose mean can be met by a third node of either tier, on machines of 0.10 and 0.12 an hour."""
    tiers = {"app": service(0.015, None, "a1", calls=[{"to": "below"}]), "below": service(0.015, None, "b1")}
    values = file(tiers, 100, latency={"page": {"mean": 0.053}})
    values = changed(values, "node_types.a1", {"vcpus": 1, "price": 0.10, "reserved_3y": 0.09, "spot": 0.08})
    return changed(values, "node_types.b1", {"vcpus": 1, "price": 0.12, "reserved_3y": 0.04, "spot": 0.03} | machine)


# A plan is the cheapest by what is really paid: the third node goes where it is cheaper as it is bought.
@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        ({}, (3, 2)),
        ({"money.commitment": "3y"}, (2, 3)),
        ({"money.commitment": "3y", "money.coverage": 0.0}, (3, 2)),
        ({"components.below.spot": 1.0}, (2, 3)),
        ({"components.app.spot": 1.0, "components.below.spot": 0.3}, (3, 2)),
        ({"money.commitment": "3y", "node_types.b1.reserved_3y": None}, (3, 2)),
    ],
)
def test_plan_minimises_what_is_paid(changes: Values, counts: tuple[int, int]) -> None:
    values = either()
    for path, value in changes.items():
        values = changed(values, path, value)
    found = planned(values)
    assert (found.counts["app"], found.counts["below"]) == counts
    everything = BruteForce(values, 4)
    passing = [v for v in everything.vectors() if everything.passes(v)]
    paid = [bill.monthly for v in passing if not (bill := evaluated(everything.file(v)).cost).unknown]
    assert found.evaluation.cost.unknown or found.evaluation.cost.monthly == pytest.approx(min(paid))


# All that a node brings is paid with it: a replica that is cheaper than a web server holds another copy of the data.
@pytest.mark.parametrize(("money", "counts"), [({}, (2, 3)), ({"storage": 0.1}, (3, 2)), ({"iops": 0.1}, (3, 2))])
def test_plan_minimises_what_comes_with_a_node(money: Values, counts: tuple[int, int]) -> None:
    db = database(0.015, 0, "auto", "b1", storage="1TiB", provisioned_iops=1000)
    tiers = {"app": service(0.015, None, "a1", calls=[{"to": "db"}]), "db": db}
    values = changed(either(price=0.08), "slo.latency.page.mean", 0.078) | {"components": tiers, "money": money}
    everything = BruteForce(values, 4)
    cheapest = min(evaluated(everything.file(v)).cost.monthly for v in everything.vectors() if everything.passes(v))
    found = planned(values)
    assert (found.counts["app"], found.counts["db"]) == counts
    assert found.evaluation.cost.monthly == pytest.approx(cheapest)


# A price book of the user's is planned and paid with, in either form, spot and reserved; in another currency its
# prices are unknown, not converted.
@pytest.mark.parametrize("form", ["toml", "csv"])
def test_prices_of_a_book(tmp_path: Path, form: str) -> None:
    values = either()
    machines = {name: values["node_types"][name] for name in ("a1", "b1")}
    columns = {"price": "on_demand_hourly", "reserved_3y": "reserved_3y_hourly", "spot": "spot_hourly"}
    rows = [",".join([name, *map(str, node.values())]) for name, node in machines.items()]
    header = ",".join(["name", *(columns.get(key, key) for key in machines["a1"])])
    texts = {"toml": tomli_w.dumps({"node_types": machines}), "csv": "\n".join([header, *rows])}
    book, path = tmp_path / f"book.{form}", tmp_path / "a.toml"
    book.write_text(texts[form])
    path.write_text(tomli_w.dumps(changed(values, "node_types", None)))
    told = capacity("plan", path, "--prices", book, "--json", "--set", "money.commitment=3y")
    assert [(i["what"], i["quantity"]) for i in told.json["cost"]["items"]] == [
        ("a1, reserved 3y", 2), ("b1, reserved 3y", 3),
    ]  # fmt: skip
    assert told.json["cost"]["monthly"] == pytest.approx((2 * 0.09 + 3 * 0.04) * HOURS)
    plain = capacity("plan", path, "--prices", book, "--json")
    assert plain.json["cost"]["monthly"] == pytest.approx((3 * 0.10 + 2 * 0.12) * HOURS)
    euros = capacity("plan", path, "--prices", book, "--json", "--set", "currency=EUR")
    assert euros.json["cost"]["unknown"] == ["app", "below"]
    assert euros.json["cost"]["monthly"] == 0
    assert "prices in USD are unknown to a topology in EUR" in euros.err
