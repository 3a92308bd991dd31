"""The price book as a table and as plain values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from capacity import pricing
from capacity.decode import nearest
from capacity.errors import UsageError, ascii_quoted
from capacity.report import Section
from capacity.units import show_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capacity.pricing import BookEntry


def entries(sort: str, family: str | None) -> list[BookEntry]:
    """Return the book sorted by name (in its own order), price, vcpus or memory, of one family or of all."""
    found = list(pricing.book().values())
    families = list(dict.fromkeys(entry.family for entry in found))
    if family is not None and family not in families:
        near = nearest(family, families)
        hint = f"; did you mean {near}?" if near else ""
        raise UsageError(f"--family {ascii_quoted(family)}: there are {', '.join(families)}{hint}")
    found = [entry for entry in found if family in (None, entry.family)]
    if sort == "price":
        found.sort(key=lambda entry: (entry.node_type.price is None, entry.node_type.price or 0.0))
    elif sort == "vcpus":
        found.sort(key=lambda entry: entry.node_type.vcpus)
    elif sort == "memory":
        found.sort(key=lambda entry: entry.node_type.memory or 0.0)
    return found


def section(found: Sequence[BookEntry]) -> Section:
    """Return the book as a table."""
    rows = [("Node type", "vCPUs", "Memory", "Network", "USD/hour", "USD/month")]
    for entry in found:
        node = entry.node_type
        network = "unknown" if node.network is None else f"{node.network * 8 / 1e9:.1f} Gbit/s"
        memory = "unknown" if node.memory is None else show_bytes(node.memory)
        hourly = "unknown" if node.price is None else f"{node.price:.4f}"
        month = pricing.monthly(node, 1)
        rows.append(
            (entry.name, str(node.vcpus), memory, network, hourly, "unknown" if month is None else f"{month:,.2f}")
        )
    note = (
        f"Public on-demand list prices of one cloud, Linux, us-east-1, in {pricing.BOOK_CURRENCY}, as of "
        f"{pricing.BOOK_DATE}; a month has {pricing.HOURS_PER_MONTH:.0f} hours. Check them before money is spent."
    )
    return Section(f"Node types, {pricing.BOOK_DATE}", rows, frozenset({1, 2, 3, 4, 5}), [note])


def plain(found: Sequence[BookEntry]) -> dict[str, Any]:
    """Return the book for JSON."""
    return {
        "date": pricing.BOOK_DATE,
        "currency": pricing.BOOK_CURRENCY,
        "hours_per_month": pricing.HOURS_PER_MONTH,
        "node_types": [
            {
                "name": entry.name,
                "family": entry.family,
                "vcpus": entry.node_type.vcpus,
                "memory_bytes": entry.node_type.memory,
                "network_bytes_per_s": entry.node_type.network,
                "speed": entry.node_type.speed,
                "price_per_hour": entry.node_type.price,
                "price_per_month": pricing.monthly(entry.node_type, 1),
            }
            for entry in found
        ],
    }
