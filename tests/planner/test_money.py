"""What a system costs, each product from its own hand arithmetic: a month has 730 hours, 2,628,000 seconds."""

from __future__ import annotations

import random
from typing import Any

import pytest

from capacity import money
from capacity.plan import as_given
from tests.planner.money import HOURS, PRICES, SECONDS, bought, cost, given, items, on_s13, only, priced, quantity, text
from tests.planner.random_systems import random_system
from tests.planner.systems import Values, cache, changed, database, evaluated, external, file, service, solved, topology


# On demand: nodes, by the price of an hour, by 730 hours. Shards and their primaries are nodes as any other.
def test_on_demand() -> None:
    tiers = {"app": service(0.001, 3, "n2", calls=[{"to": "db"}]), "db": database(0.001, 0, 2, "n4", shards=2)}
    found = cost(file(tiers, 10))
    assert [(i.tier, i.what, i.quantity, i.unit) for i in found.items] == [
        ("app", "n2", 3, "nodes"),
        ("db", "n4", 6, "nodes"),
    ]
    assert items(found, "n2") == [(3, pytest.approx(0.2 * HOURS), pytest.approx(438.0))]
    assert items(found, "n4") == [(6, pytest.approx(0.4 * HOURS), pytest.approx(1752.0))]
    assert found.monthly == pytest.approx(2190.0)


# The base load is what an ordinary hour keeps as busy as the peak keeps all, 7 / 2 rounded up, of a tier that can do
# with fewer nodes; what holds state holds it all day. Of it the coverage, rounded down, is reserved.
@pytest.mark.parametrize(
    ("tier", "coverage", "reserved", "rest"),
    [
        (service(0.001, 7), 1.0, 4, 3),
        (service(0.001, 7), 0.6, 2, 5),
        (service(0.001, 7), 0.0, 0, 7),
        (service(0.001, 8), 1.0, 4, 4),
        (service(0.001, 7, stateful=True), 1.0, 7, 0),
        (service(0.001, 7, stateful=True), 0.6, 4, 3),
        (database(0.001, 0, 2, shards=2), 1.0, 6, 0),
        (database(0.001, 0, 2, shards=2), 0.9, 5, 1),
    ],
)
@pytest.mark.parametrize("commitment", ["1y", "3y"])
def test_reserved(tier: Values, coverage: float, reserved: int, rest: int, commitment: str) -> None:
    found, hourly = cost(on_s13(tier, commitment=commitment, coverage=coverage)), {"1y": 0.120, "3y": 0.081}[commitment]
    expected = [(f"m5, reserved {commitment}", reserved, hourly), ("m5", rest, 0.192)]
    assert bought(found) == [
        (what, nodes, pytest.approx(nodes * price * HOURS)) for what, nodes, price in expected if nodes
    ]
    assert found.monthly == pytest.approx((reserved * hourly + rest * 0.192) * HOURS)


# The spot share is of what is not reserved, rounded down: of 7 nodes 4 are reserved, 3 x 0.5 is one.
@pytest.mark.parametrize(
    ("share", "commitment", "expected"), [(0.5, "1y", (4, 1, 2)), (1.0, "1y", (4, 3, 0)), (0.5, "none", (0, 3, 4))]
)
def test_spot(share: float, commitment: str, expected: tuple[int, int, int]) -> None:
    values = changed(on_s13(service(0.001, 7, spot=share), commitment=commitment), "node_types.m5.spot", 0.07)
    found = cost(values)
    names, hourly = ("m5, reserved 1y", "m5, spot", "m5"), (0.120, 0.07, 0.192)
    wanted = [(n, k, pytest.approx(k * p * HOURS)) for n, k, p in zip(names, expected, hourly, strict=True) if k]
    assert bought(found) == wanted


# S13: reserving an m5.xlarge for a year pays from 62.5 % of the hours on, for three years from 42.2 %.
def test_break_even() -> None:
    found = cost(on_s13(service(0.001, 7)))
    assert [(r.commitment, r.nodes) for r in found.reserving] == [("1y", 4), ("3y", 4)]
    assert [r.break_even for r in found.reserving] == pytest.approx([0.625, 0.421875])
    year = found.reserving[0]
    assert year.saves_monthly == pytest.approx((0.192 - 0.120) * 4 * HOURS)
    assert "saves 210.24/month" in text(given(on_s13(service(0.001, 7))))
    assert cost(on_s13(service(0.001, 7), commitment="1y")).reserving == [], "it is reserved already"
    # Running for the break-even share of the hours costs the same both ways.
    assert year.break_even * 0.192 * HOURS == pytest.approx(0.120 * HOURS)


# What reserving is said to save is the difference between two whole bills, however the nodes are bought now.
@pytest.mark.parametrize("spot", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("commitment", ["1y", "3y"])
def test_saving_is_the_difference_of_two_bills(spot: float, commitment: str) -> None:
    values = changed(on_s13(service(0.001, 7, spot=spot)), "node_types.m5.spot", 0.06)
    now = cost(values)
    saving = sum(r.saves_monthly for r in now.reserving if r.commitment == commitment)
    reserved = cost(changed(values, "money.commitment", commitment)).monthly
    assert saving == pytest.approx(now.monthly - reserved if saving else 0.0)


# Storage: 100 GiB of data on three nodes of their shard, and 10 messages/s x 1 KiB x 3 days x 3 copies, at the mean.
def test_storage() -> None:
    tiers = {
        "app": service(0.001, 2, calls=[{"to": "db"}, {"to": "jobs"}]),
        "db": database(0.001, 0, 2, "n1", shards=4, storage="100GiB"),
        "jobs": {
            "kind": "queue", "consumers": "worker", "message_size": "1KiB", "retention": "3d", "replication_factor": 3,
        },
        "worker": service(0.001, 1),
    }  # fmt: skip
    found = cost(priced(file(tiers, 10, peak_to_mean=4.0), storage=0.1))
    kept = 10 * 1024 * 259_200 * 3 / 1024**3
    assert items(found, "storage") == [
        (pytest.approx(300.0), 0.1, pytest.approx(30.0)),
        (pytest.approx(kept), 0.1, pytest.approx(kept * 0.1, abs=1e-6)),
    ]


# Provisioned IOPS are those of each node, here 2 shards of 2; operations are paid for every shard beyond the first.
def test_disks_and_shards() -> None:
    db = database(0.001, 0, 1, shards=2, provisioned_iops=3000, operations_cost=400.0)
    values = priced(file({"app": service(0.001, 1, calls=[{"to": "db"}]), "db": db}, 10), iops=0.005)
    assert items(cost(values), "disks") == [(12_000.0, 0.005, pytest.approx(60.0))]
    assert items(cost(values), "operations of shards") == [(1.0, 400.0, 400.0)]
    assert items(cost(changed(values, "components.db.shards", 5)), "operations of shards") == [(4.0, 400.0, 1600.0)]
    assert items(cost(changed(values, "components.db.shards", 1)), "operations of shards") == []


def between_zones(zones: int, **workload: Any) -> Values:
    """Return an app with a local cache, a database of which a fifth of the calls write, and a partner."""
    sizes = {"request_size": "1kB", "response_size": "9kB"}
    near = cache("db", host="app", memory=1000.0) | sizes  # one object fits
    tiers = {
        "app": service(0.001, 4, calls=[{"to": "near"}, {"to": "db", "writes": 0.2}, {"to": "p"}]) | sizes,
        "near": near | {"objects": 10**9, "popularity": 0.0},
        "db": database(0.001, 0.001, 2) | sizes,
        "p": external(0.01) | sizes,
    }
    return changed(priced(file(tiers, 100, **workload), zone_traffic=0.01), "resilience.zones", zones)


# Between zones goes what leaves a machine for another tier of ours, and every copied write, a share 1 - 1 / zones of
# it, paid on both sides: (200/s x 10 kB + 20/s x 1 kB x 2 replicas) x 2,628,000 s, at the daily mean. What a local
# cache is asked stays where it is, what a partner is asked leaves; nothing hits this cache.
@pytest.mark.parametrize(("zones", "share"), [(2, 1 / 2), (3, 2 / 3), (4, 3 / 4)])
def test_traffic_between_zones(zones: int, share: float) -> None:
    moved = (200 * 10e3 + 20 * 1e3 * 2) * SECONDS / 1e9
    for values in (between_zones(zones), between_zones(zones, peak_to_mean=3.0)):
        item = only(cost(values), "traffic between zones")
        assert item.quantity == pytest.approx(2 * share * moved, rel=1e-6)
        assert item.monthly == pytest.approx(2 * share * moved * 0.01, rel=1e-6)
    assert items(cost(between_zones(1)), "traffic between zones") == []


# To users go the responses of the tier that they reach, at the daily mean; what comes back to it through a queue not.
@pytest.mark.parametrize("back", [0.0, 0.5])
def test_traffic_to_users(back: float) -> None:
    tiers = {
        "web": service(0.0001, 2, "n8", response_size="50kB", calls=[{"to": "jobs"}]),
        "jobs": {"kind": "queue", "consumers": "worker"},
        "worker": service(0.0001, 2, "n8", calls=[{"to": "web", "count": back}] if back else []),
    }
    values = priced(file(tiers, {"page": 30, "buy": 10}, peak_to_mean=2.0), egress=0.09)
    item, sent = only(cost(values), "traffic to users"), 40 * 50e3 * SECONDS / 1e9
    assert item.quantity == pytest.approx(sent)
    assert item.monthly == pytest.approx(sent * 0.09)


# People are paid for every machine, brokers too, and for every kind of machine; partners look after their own.
@pytest.mark.parametrize("brokers", [0, 3])
def test_people(brokers: int) -> None:
    jobs: Values = {"kind": "queue", "consumers": "worker"} | ({"node": "n1", "nodes": brokers} if brokers else {})
    tiers = {
        "app": service(0.001, 3, calls=[{"to": "near"}, {"to": "p"}, {"to": "jobs"}]),
        "near": cache("db", host="app"),
        "db": database(0.001, 0, 1, shards=2),
        "p": external(0.01),
        "jobs": jobs,
        "worker": service(0.001, 1),
    }
    found = cost(priced(file(tiers, 10), people_per_node=40.0, people_per_tier=300.0))
    nodes, kinds = 3 + 4 + 1 + brokers, 3 + (brokers > 0)
    assert items(found, "people, per node") == [(nodes, 40.0, nodes * 40.0)]
    assert items(found, "people, per tier") == [(kinds, 300.0, kinds * 300.0)]


# A partner's calls: two for each request, at the daily mean.
def test_calls() -> None:
    tiers = {"app": service(0.001, 1, calls=[{"to": "p", "count": 2}]), "p": external(0.01, price_per_call=0.0004)}
    item = only(cost(file(tiers, 10, peak_to_mean=5.0)), "calls")
    assert item.quantity == pytest.approx(20 * SECONDS)
    assert item.monthly == pytest.approx(20 * SECONDS * 0.0004)


# What is turned away is not billed: one call at a time and one Erlang asked for leave half (Erlang B), at the mean.
def test_rejected_calls_are_not_billed() -> None:
    p = external(0.1, concurrency_limit=1, overflow="reject", price_per_call=0.0004)
    tiers = {"app": service(0.001, 1, calls=[{"to": "p"}]), "p": p}
    assert quantity(cost(file(tiers, 10)), "calls") == pytest.approx(5 * SECONDS)
    assert quantity(cost(file(tiers, 10, peak_to_mean=6.0)), "calls") == pytest.approx(5 * SECONDS)


def metered(retries: int, **workload: Any) -> Values:
    """Return a file with everything that is paid by use: a partner that turns away what exceeds its rate."""
    p = external(0.01, rate_limit=120.0, overflow="reject", price_per_call=0.0004, request_size="1kB")
    tiers = {
        "app": service(0.001, 4, "n4", response_size="10kB", calls=[{"to": "c"}, {"to": "p", "retries": retries}]),
        "c": cache("db", ttl=5.0, request_size="1kB"),
        "db": database(0.001, 0, 1, "n4", request_size="1kB"),
        "p": p,
    }
    return changed(priced(file(tiers, 100, **workload), **PRICES), "resilience.zones", 3)


# What is metered is paid for the mean hours of a month: how high the peak is, with all that it makes retry, is no
# matter.
@pytest.mark.parametrize("retries", [0, 2])
def test_metered_items_do_not_depend_on_the_peak(retries: int) -> None:
    calm, spiky = cost(metered(retries)), cost(metered(retries, peak_to_mean=2.5))
    for what in ("calls", "traffic between zones", "traffic to users"):
        assert quantity(spiky, what) == pytest.approx(quantity(calm, what), rel=1e-9), what


# A bill is that of a month, whatever happens in the hour that is looked at: nodes are bought for the peak all the same.
@pytest.mark.parametrize("scenario", ["mean", "surge"])
def test_the_bill_is_that_of_the_month(scenario: str) -> None:
    values = on_s13(service(0.001, 7, response_size="1kB"), commitment="1y", egress=0.09)
    assert as_given(topology(values), scenario).evaluation.cost == given(values).cost


# Every total is the sum of its products, and over the horizon as many months of it.
@pytest.mark.parametrize("seed", range(12))
def test_totals_are_sums_of_products(seed: int) -> None:
    draws = random.Random(seed)  # noqa: S311, nothing is kept secret
    prices = {key: draws.uniform(0.01, 1) for key in PRICES if draws.random() < 0.7}
    values = priced(random_system(draws), horizon=draws.randint(1, 120), **prices)
    values = changed(values, "resilience.zones", draws.choice([1, 3]))
    values = changed(values, "components.db.storage", "20GiB")
    found = cost(changed(values, "components.app.response_size", "10kB"))
    for item in found.items:
        assert (item.monthly is None) == (item.quantity is None or item.unit_price is None)
        if item.quantity is not None and item.unit_price is not None:
            assert item.monthly == pytest.approx(item.quantity * item.unit_price, abs=2e-6)
    assert found.monthly == pytest.approx(sum(i.monthly for i in found.items if i.monthly is not None), abs=1e-5)
    assert found.over_horizon == pytest.approx(found.monthly * found.horizon_months)
    assert found.unknown == [i.tier or i.what for i in found.items if i.monthly is None]


# A migration to more shards than one is paid once: in the total over the horizon, where the file says what it costs.
@pytest.mark.parametrize(("shards", "paid"), [(1, 0.0), (2, 9000.0), (4, 9000.0)])
def test_migration_is_paid_once(shards: int, paid: float) -> None:
    tiers = {
        "app": service(0.001, 1, calls=[{"to": "db"}]),
        "db": database(0.001, shards=shards, migration_cost=9000.0),
    }
    found = given(priced(file(tiers, 10), horizon=12))
    assert found.cost.one_off == pytest.approx(sum(item.amount for item in found.cost.once)) == paid
    assert found.cost.monthly == pytest.approx(73.0 * (1 + shards))
    assert found.cost.over_horizon == pytest.approx(12 * 73.0 * (1 + shards) + paid)
    assert (f"db (migration to {shards} shards): 9,000.00" in text(found)) == (paid > 0)
    assert evaluated(changed(file(tiers, 10), "components.db.migration_cost", None)).cost.once == []


# What nothing metered is paid by is not worked out: no price, no second solution of the system.
def test_no_second_solution_without_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    def solved_again(*_: Any) -> None:
        raise AssertionError("the system is solved for an ordinary hour")

    monkeypatch.setattr(money, "solve", solved_again)
    calls = [{"to": "partner", "timeout": 0.3, "retries": 2}]
    tiers = {"app": service(0.005, 3, calls=calls), "partner": external(0.1)}
    assert bought(cost(file(tiers, 100.0, peak_to_mean=2.0))) == [("n1", 3, 219.0)]
    billed = tiers | {"partner": external(0.1, price_per_call=0.001)}
    with pytest.raises(AssertionError, match="ordinary hour"):
        cost(file(billed, 100.0, peak_to_mean=2.0))


# The traffic of an ordinary hour is that of the whole system solved at the daily mean, retries and pools or not.
@pytest.mark.parametrize("seed", range(8))
def test_ordinary_hour(seed: int) -> None:
    values = priced(random_system(random.Random(seed)), zone_traffic=0.01)  # noqa: S311, systems and no secrets
    values = changed(values, "resilience.zones", 3)
    calm = solved(changed(values, "workload.peak_to_mean", 1.0))
    busy = solved(changed(values, "workload.peak_to_mean", 1.7))
    assert money._ordinary(busy) == calm.traffic
