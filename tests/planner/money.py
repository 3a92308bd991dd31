"""Files with prices, and what is asked of a bill."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from capacity.plan import as_given
from capacity.report import sections
from tests.planner.systems import Values, changed, evaluated, file, topology

if TYPE_CHECKING:
    from capacity.results import Cost, CostItem, Evaluation

HOURS = 730.0

SECONDS = 2_628_000.0
"""Of a month."""

S13 = {"vcpus": 4, "price": 0.192, "reserved_1y": 0.120, "reserved_3y": 0.081}
"""The m5.xlarge of case S13: on demand, one year and three years without upfront."""

PRICES = {
    "storage": 0.1, "iops": 0.005, "zone_traffic": 0.01, "egress": 0.09, "people_per_node": 40.0,
    "people_per_tier": 300.0,
}  # fmt: skip
"""A price for everything that has one in the money table."""


def priced(values: Values, **money: Any) -> Values:
    """Return a file with a money table."""
    return values | {"money": money}


def on_s13(tier: Values, **money: Any) -> Values:
    """Return a file of one tier on the machine of S13, planned for twice the daily mean."""
    values = priced(file({"app": tier | {"node": "m5"}}, 10, peak_to_mean=2.0), **money)
    return changed(values, "node_types.m5", S13)


def cost(values: Values) -> Cost:
    """Return what a file costs with the counts that it gives."""
    return evaluated(values).cost


def items(found: Cost, what: str) -> list[Any]:
    """Return quantity, price and product of every item of a name."""
    return [(i.quantity, i.unit_price, i.monthly) for i in found.items if i.what == what]


def bought(found: Cost) -> list[Any]:
    """Return name, quantity and product of every item."""
    return [(i.what, i.quantity, i.monthly) for i in found.items]


def only(found: Cost, what: str) -> CostItem:
    """Return the one item of a name."""
    (item,) = [i for i in found.items if i.what == what]
    return item


def quantity(found: Cost, what: str) -> float:
    """Return how much there is of the one item of a name."""
    value = only(found, what).quantity
    assert value is not None
    return value


def text(evaluation: Evaluation) -> str:
    """Return the report's words, one line for each row and note."""
    return "\n".join(line for s in sections(evaluation) for line in (*map(" | ".join, s.rows), *s.notes))


def given(values: Values) -> Evaluation:
    """Return the whole evaluation of the counts that a file gives."""
    return as_given(topology(values)).evaluation
