"""Which options nothing beats, and which one is recommended."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.recommending import recommended, with_front
from capacity.scaling import Option
from capacity.units import rounded_downtime
from tests.planner.scaled_systems import SYSTEMS, small
from tests.planner.tier_variants import FAMILY, in_family, scaled_tier

property_test = settings(max_examples=200)


def shown(option: Option) -> tuple[float, ...]:
    """Return cost, p99 and downtime as people read them: in cents, to three digits, "under 1 s"."""
    assert option.monthly is not None
    down = rounded_downtime(option.downtime_s_per_month or 0.0)
    return round(option.monthly, 2), float(f"{option.p99_s or 0.0:.3g}"), down


def brute_front(options: list[Option]) -> set[str]:
    """Return the options that no other beats in cost, p99 and downtime without being worse in one of them."""
    known = {o.node: shown(o) for o in options if None not in (o.monthly, o.p99_s)}
    numbers: dict[str, Any] = {n: m for n, m in known.items() if all(o.out is None for o in options if o.node == n)}
    return {
        name
        for name, mine in numbers.items()
        if not any(all(a <= b for a, b in zip(o, mine, strict=True)) and o != mine for o in numbers.values())
    }


amounts = st.one_of(st.none(), st.sampled_from([1.0, 2.0, 3.0]), st.floats(0, 100))


some_options = st.lists(
    st.tuples(amounts, st.sampled_from([0.1, 0.2, 0.3]), st.sampled_from([0.0, 5.0, 9.0]), st.booleans()), max_size=8
)


# The front is what brute force finds; the recommendation is the cheapest that passes and of which the price is known.
@property_test
@given(some_options, st.integers(0, 7))
def test_front_and_recommendation(drawn: list[tuple[float | None, float, float, bool]], planned_at: int) -> None:
    options = [
        Option(node=f"n{i}", family=None, nodes=1, monthly=None if out else cost, p99_s=None if out else p99,
               downtime_s_per_month=None if out else down, out="no" if out else None, planned=i == planned_at)
        for i, (cost, p99, down, out) in enumerate(drawn)
    ]  # fmt: skip
    marked = with_front(options)
    assert {option.node for option in marked if option.front} == brute_front(options)
    assert [msgspec.structs.replace(option, front=False) for option in marked] == options
    best = recommended(marked)
    costs = {option.node: option.monthly for option in options if option.monthly is not None}
    assert (best is None) == (not costs)
    if best is not None:
        assert round(costs[best.node], 2) == round(min(costs.values()), 2)


# On real systems too, and the recommended one says why it is taken.
@pytest.mark.parametrize("name", ["one tier", "reserved", "zones and deploys"])
def test_front_of_systems(name: str) -> None:
    values = SYSTEMS[name]
    found = scaled_tier(values, "app")
    assert {option.node for option in found.options if option.front} == brute_front(found.options)
    best = found.recommendation
    assert best is not None
    costs = {option.node: option.monthly for option in found.options if option.monthly is not None}
    assert costs[best.node] == min(costs.values())
    assert best.reason.startswith("the file's own" if best.node == "n1" else "the cheapest that passes everything")


# An option without a price is shown as it is, and is neither on the front nor recommended: unknown is not 0.
def test_unknown_price() -> None:
    values = in_family(small(), n2={"vcpus": 2}, n3={"vcpus": 3, "price": 0.01})
    options = {option.node: option for option in scaled_tier(values, "app").options}
    assert options["n2"].monthly is None
    assert options["n2"].nodes == 2
    assert options["n2"].p99_s is not None
    assert options["n2"].out == "price unknown"
    assert not options["n2"].front
    best = scaled_tier(values, "app").recommendation
    assert best is not None
    assert best.node == "n3"
    own = scaled_tier(in_family(small(), n1={"vcpus": 1}), "app").recommendation
    assert own is not None
    assert own.reason.startswith("the cheapest of known price that passes everything; what the file's own costs is")
    foreign = small() | {"currency": "EUR"}
    book = [option for option in scaled_tier(foreign, "app", "all").options if option.family != FAMILY]
    assert book
    assert all(option.monthly is None and not option.front for option in book)


# A downtime that is not known is not 0: nothing is beaten by a type with spot nodes that nobody knows the fate of.
def test_unknown_downtime() -> None:
    values = small((), 150.0, spot=0.5)
    for node in values["node_types"].values():
        node["spot"] = node["price"] * 0.9
    options = {option.node: option for option in scaled_tier(values, "app").options}
    assert options["n1"].downtime_s_per_month is None
    assert options["n2"].downtime_s_per_month is not None
    assert options["n2"].front
