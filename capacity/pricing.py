"""Node types and their prices: the built-in book, dated, and the file's own. An unknown price is unknown, never 0."""

from __future__ import annotations

import csv
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Annotated, Final

import msgspec

from capacity.units import Bandwidth, Bytes, Money, PerSecond, Positive

if TYPE_CHECKING:
    from collections.abc import Mapping

BOOK_DATE: Final = "2026-08"
"""When the built-in prices were last compared with their source."""

BOOK_CURRENCY: Final = "USD"
"""The currency of the built-in prices."""

HOURS_PER_MONTH: Final = 730.0
"""8760 hours a year over twelve months: the convention of cloud price lists."""

Whole = Annotated[int, msgspec.Meta(ge=1, le=4096)]


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
    price: Money | None = None
    """Per hour, on demand, in the topology's currency."""


class BookEntry(msgspec.Struct, frozen=True):
    """One line of the built-in book."""

    name: str
    family: str
    node_type: NodeType
    reserved_3y: float | None


@cache
def book() -> Mapping[str, BookEntry]:
    """Return the built-in price book by name: public list prices of one cloud, Linux, us-east-1."""
    text = resources.files("capacity").joinpath("node_types.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return {
        row["name"]: BookEntry(
            row["name"],
            row["family"],
            NodeType(
                vcpus=int(row["vcpus"]),
                memory=float(row["memory_gib"]) * 1024**3,
                network=float(row["network_mbps"]) * 1e6 / 8,
                price=float(row["on_demand_hourly"]),
            ),
            float(row["reserved_3y_hourly"]),
        )
        for row in rows
    }


def node_type(name: str, own: Mapping[str, NodeType], currency: str) -> NodeType:
    """Return a node type by name, the file's own first. A price in another currency than the file's is unknown."""
    if name in own:
        return own[name]
    found = book()[name].node_type
    return found if currency == BOOK_CURRENCY else msgspec.structs.replace(found, price=None)


def monthly(node: NodeType, nodes: int) -> float | None:
    """Return the price of running this many nodes for a month, None where the price is unknown."""
    if nodes == 0:
        return 0.0
    return None if node.price is None else round(node.price * HOURS_PER_MONTH * nodes, 6)
