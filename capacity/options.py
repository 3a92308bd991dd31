"""What commands have in common: their options, and the document that these stand for."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from capacity import console

if TYPE_CHECKING:
    from capacity.books import Book
    from capacity.document import Document


class Format(StrEnum):
    """How a result is written."""

    table = "table"
    json = "json"
    csv = "csv"
    markdown = "markdown"
    toml = "toml"


class NodeOrder(StrEnum):
    """What the price book is sorted by."""

    name = "name"
    price = "price"
    vcpus = "vcpus"
    memory = "memory"


File = Annotated[str, typer.Argument(help="A topology in TOML; - reads standard input.", metavar="FILE")]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override a value, like components.app.nodes=4. May be repeated."),
]
Load = Annotated[str, typer.Option("--load", metavar="FACTOR", help="Multiply every rate, like 2x or 0.5.")]
Prices = Annotated[
    str | None,
    typer.Option("--prices", metavar="FILE", help="A price book of your own: TOML, or CSV by its ending .csv."),
]
InScenario = Annotated[
    str | None,
    typer.Option(
        "--scenario",
        metavar="NAME",
        help="As it is in the worst case of a scenario: mean, node, zone, deploy, cache_cold, primary, partner, "
        "partner_down, surge; NAME:TIER for one case.",
    ),
]
Only = Annotated[
    list[str] | None,
    typer.Option(
        "--only",
        metavar="PART",
        help="Show only tiers, classes, objectives, scenarios, why, availability, cost, details or warnings.",
    ),
]
Output = Annotated[
    str | None, typer.Option("-o", "--output", metavar="FILE", help="Write to a file, not to the screen.")
]
AsJson = Annotated[bool, typer.Option("--json", help="The same as --format json.")]
OnlyJson = Annotated[bool, typer.Option("--json", help="For scripts: JSON.")]
AsFormat = Annotated[Format | None, typer.Option("--format", help="Left out: by the ending of -o FILE, else a table.")]
Force = Annotated[bool, typer.Option("--force", help="Replace a file that exists.")]


def book(prices: str | None) -> Book | None:
    """Return the user's price book, if there is one."""
    if prices is None:
        return None
    from capacity.books import load_book  # noqa: PLC0415

    return load_book(prices)


def read(file: str, overrides: list[str] | None, load: str, prices: str | None) -> Document:
    """Return the document of a command's arguments."""
    from capacity import reading  # noqa: PLC0415

    return document_of(reading.read(file), file, overrides, load, prices)


def document_of(text: str, file: str, overrides: list[str] | None, load: str, prices: str | None) -> Document:
    """Return the document of a text that was read from a file, by a command's arguments."""
    from capacity import output as out  # noqa: PLC0415
    from capacity.document import parse  # noqa: PLC0415
    from capacity.reading import STDIN  # noqa: PLC0415

    known = book(prices)
    source = "<stdin>" if file == STDIN else file
    document = parse(text, source, overrides or (), out.load_factor(load), known)
    if known is not None and known.currency != document.topology.currency:
        wanted = document.topology.currency
        console.tell(f"warning: {prices}: prices in {known.currency} are unknown to a topology in {wanted}")
    return document
