"""A price book, the built-in one or the user's, as a table and as plain values."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from capacity import pricing
from capacity.decode import nearest
from capacity.errors import UsageError, ascii_quoted, printable
from capacity.section import Section
from capacity.units import show_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capacity.books import Book
    from capacity.pricing import NodeType

Entry = tuple[str, "NodeType"]
"""A node type with its name."""


def entries(sort: str, family: str | None, book: Book | None = None) -> list[Entry]:
    """Return a book sorted by name (in its own order), price, vcpus or memory, of one family or of all.

    The unknown comes last: it is not the least.
    """
    found = list((pricing.book() if book is None else book.node_types).items())
    families = [*dict.fromkeys(node.family for _, node in found if node.family is not None)]
    if family is not None and family not in families:
        near = nearest(family, families)
        hint = f"; did you mean {near}?" if near else ""
        known = ", ".join(families) or "no families in this book"
        raise UsageError(printable(f"--family {ascii_quoted(family)}: there are {known}{hint}"))
    found = [(name, node) for name, node in found if family in (None, node.family)]
    if sort == "price":
        found.sort(key=lambda entry: (entry[1].price is None, entry[1].price or 0.0))
    elif sort == "vcpus":
        found.sort(key=lambda entry: entry[1].vcpus)
    elif sort == "memory":
        found.sort(key=lambda entry: (entry[1].memory is None, entry[1].memory or 0.0))
    return found


def section(found: Sequence[Entry], book: Book | None = None) -> Section:
    """Return a book as a table."""
    currency = pricing.BOOK_CURRENCY if book is None else printable(book.currency)
    rows = [("Node type", "vCPUs", "Memory", "Network", f"{currency}/hour", "3y/hour", f"{currency}/month")]
    for name, node in found:
        month = pricing.monthly(node, 1)
        rows.append(
            (
                printable(name),
                str(node.vcpus),
                "unknown" if node.memory is None else show_bytes(node.memory),
                "unknown" if node.network is None else f"{node.network * 8 / 1e9:.1f} Gbit/s",
                _amount(pricing.hourly(node)),
                _amount(pricing.hourly(node, "reserved_3y")),
                "unknown" if month is None else f"{month:,.2f}",
            )
        )
    hours = f"3y/hour is bought for three years; a month on demand has {pricing.HOURS_PER_MONTH:.0f} hours"
    if book is None:
        note = (
            f"Public list prices of one cloud, Linux, us-east-1, in {pricing.BOOK_CURRENCY}, as of "
            f"{pricing.BOOK_DATE}; {hours}. Check them before money is spent."
        )
        return Section(f"Node types, {pricing.BOOK_DATE}", rows, _NUMBERS, [note])
    date = printable(book.date or "undated")
    note = f"Prices of {printable(book.source)} in {currency}, {date}; {hours}."
    return Section(f"Node types, {date}, {printable(Path(book.source).name)}", rows, _NUMBERS, [note])


_NUMBERS = frozenset({1, 2, 3, 4, 5, 6})


def _amount(price: float | None) -> str:
    return "unknown" if price is None else f"{price:.4f}"


def plain(found: Sequence[Entry], book: Book | None = None) -> dict[str, Any]:
    """Return a book for JSON; keys are added, never renamed."""
    return {
        "date": pricing.BOOK_DATE if book is None else book.date,
        "currency": pricing.BOOK_CURRENCY if book is None else book.currency,
        "hours_per_month": pricing.HOURS_PER_MONTH,
        "node_types": [
            {
                "name": name,
                "family": node.family,
                "vcpus": node.vcpus,
                "memory_bytes": node.memory,
                "network_bytes_per_s": node.network,
                "disk_iops": node.disk_iops,
                "speed": node.speed,
                "price_per_hour": pricing.hourly(node),
                "reserved_1y_per_hour": pricing.hourly(node, "reserved_1y"),
                "reserved_3y_per_hour": pricing.hourly(node, "reserved_3y"),
                "spot_per_hour": pricing.hourly(node, "spot"),
                "price_per_month": pricing.monthly(node, 1),
            }
            for name, node in found
        ],
    }
