"""Node types and their prices: the built-in book, dated, the user's, the file's own. Unknown is unknown, never 0."""

from __future__ import annotations

import csv
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, get_args

import msgspec

from capacity.units import Bandwidth, Bytes, Money, PerSecond, Positive, Uncertain

if TYPE_CHECKING:
    from collections.abc import Mapping

BOOK_DATE: Final = "2026-08"
"""When the built-in prices were last compared with their source."""

BOOK_CURRENCY: Final = "USD"
"""The currency of the built-in prices."""

HOURS_PER_MONTH: Final = 730.0
"""8760 hours a year over twelve months: the convention of cloud price lists."""

MOST_VCPUS: Final = 4096
"""Several times the largest machine that anybody sells."""

Whole = Annotated[int, msgspec.Meta(ge=1, le=MOST_VCPUS)]

Purchase = Literal["on_demand", "reserved_1y", "reserved_3y", "spot"]
"""How a node is paid for; each way has a price of its own."""


class NodeType(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A machine: what is left out is unknown, limits nothing, and is said to be unknown where it would matter."""

    vcpus: Whole
    """Servers of the queue in front of its cores."""
    memory: Bytes | None = None
    network: Bandwidth | None = None
    """Sustained bytes per second, each way."""
    disk_iops: PerSecond | None = None
    speed: Positive = 1.0
    """Relative to the machine on which `cpu_time` was measured."""
    family: str | None = None
    """Node types of one family differ in size only."""
    price: Money | None = None
    """Per hour, on demand, in the topology's currency; as are those below."""
    reserved_1y: Money | None = None
    """Per hour, bought for a year."""
    reserved_3y: Money | None = None
    """Per hour, bought for three years."""
    spot: Money | None = None
    """Per hour, for a node that may be taken away."""


@cache
def book() -> Mapping[str, NodeType]:
    """Return the built-in price book by name: public list prices of one cloud, Linux, us-east-1."""
    text = resources.files("capacity").joinpath("node_types.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return {
        row["name"]: NodeType(
            vcpus=int(row["vcpus"]),
            memory=float(row["memory_gib"]) * 1024**3,
            network=float(row["network_mbps"]) * 1e6 / 8,
            family=row["family"],
            price=float(row["on_demand_hourly"]),
            reserved_3y=float(row["reserved_3y_hourly"]),
        )
        for row in rows
    }


def in_currency(node_types: Mapping[str, NodeType], theirs: str, wanted: str) -> Mapping[str, NodeType]:
    """Return node types for a file of the wanted currency: prices in another one are unknown, not converted."""
    return node_types if theirs == wanted else {name: _unpriced(node) for name, node in node_types.items()}


def _unpriced(node: NodeType) -> NodeType:
    return msgspec.structs.replace(node, **dict.fromkeys(map(_field, get_args(Purchase))))


def node_type(name: str, own: Mapping[str, NodeType], currency: str) -> NodeType:
    """Return a node type by name, the topology's own first. A price in another currency than its own is unknown."""
    if name in own:
        return own[name]
    found = book()[name]
    return found if currency == BOOK_CURRENCY else _unpriced(found)


def candidates(own: Mapping[str, NodeType], currency: str) -> Mapping[str, NodeType]:
    """Return every node type that a tier may stand on: the built-in ones, and the topology's own, which win."""
    return {**in_currency(book(), BOOK_CURRENCY, currency), **own}


def larger(machine: NodeType, field: str, needed: float, known: Mapping[str, NodeType]) -> list[str]:
    """Return the node types of a machine's family that are known to have so much of a field, the smallest first.

    Of nothing else do they have less, as far as is known. Cores count by their speed, relative to the machine's.
    """
    if machine.family is None:
        return []

    def has(node: NodeType, what: str) -> float | None:
        amount: float | None = getattr(node, what)
        return amount * node.speed / machine.speed if what == "vcpus" and amount is not None else amount

    def enough(node: NodeType, what: str, least: float | None) -> bool:
        amount = has(node, what)
        return (what != field) if amount is None else amount >= (least or 0.0)

    wanted = {what: has(machine, what) for what in ("vcpus", "memory", "network", "disk_iops")} | {field: needed}
    family = {name: node for name, node in known.items() if node.family == machine.family}
    fitting = [name for name, node in family.items() if all(enough(node, what, wanted[what]) for what in wanted)]
    return sorted(fitting, key=lambda name: (has(family[name], "vcpus"), family[name].memory or 0.0))


def as_values(node: NodeType) -> dict[str, Any]:
    """Return a node type as a file would have it: numbers in base units, ranges as written; what is unknown is not."""
    fields = [(field, getattr(node, field.name)) for field in msgspec.structs.fields(node)]
    return {field.name: _plain(value) for field, value in fields if value != field.default}


def _plain(value: float | str) -> float | str:
    if isinstance(value, Uncertain):
        return value.written or float(value)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _field(purchase: Purchase) -> str:
    return "price" if purchase == "on_demand" else purchase


def hourly(node: NodeType, purchase: Purchase = "on_demand") -> float | None:
    """Return the price of a node for an hour, None where it is unknown: never a guess from another price."""
    price: float | None = getattr(node, _field(purchase))
    return price


def monthly(node: NodeType, nodes: int) -> float | None:
    """Return the price of running this many nodes on demand for a month, None where the price is unknown."""
    if nodes == 0:
        return 0.0
    return None if node.price is None else round(node.price * HOURS_PER_MONTH * nodes, 6)
