"""The command line. Results go to standard output, everything else to standard error; everything lazy is imported late.

Exit codes: 0 done; 1 an objective or limit is not met, or nothing feasible exists; 2 bad usage or bad file;
70 a bug of ours; 130 interrupted.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from capacity import __version__, console

if TYPE_CHECKING:
    from capacity.books import Book
    from capacity.document import Document

app = typer.Typer(
    name="capacity",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=(
        "How many nodes of which size each tier of a web system needs, and why.\n\n"
        "Start with `capacity init shop.toml`, then `capacity plan shop.toml`."
    ),
)


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


def _book(prices: str | None) -> Book | None:
    """Return the user's price book, if there is one."""
    if prices is None:
        return None
    from capacity.books import load_book  # noqa: PLC0415

    return load_book(prices)


def _read(file: str, overrides: list[str] | None, load: str, prices: str | None) -> Document:
    """Return the document of a command's arguments."""
    from capacity import output as out  # noqa: PLC0415
    from capacity.document import load as read  # noqa: PLC0415

    book = _book(prices)
    document = read(file, overrides or (), out.load_factor(load), book)
    if book is not None and book.currency != document.topology.currency:
        wanted = document.topology.currency
        console.tell(f"warning: {prices}: prices in {book.currency} are unknown to a topology in {wanted}")
    return document


@app.callback(invoke_without_command=True)
def _root(
    *,
    version: Annotated[bool, typer.Option("--version", help="Show the version and end.")] = False,
) -> None:
    if version:
        console.say(f"capacity {__version__}\n")
        raise typer.Exit


@app.command()
def init(
    file: Annotated[
        str, typer.Argument(help="The file to make; left out, it goes to the screen.", metavar="FILE")
    ] = "-",
    *,
    example: Annotated[str, typer.Option(help="Which example to start from; `list` shows them.")] = "starter",
    force: Force = False,
) -> None:
    """Make a commented topology to start from.

    Examples: capacity init my.toml; capacity init --example list; capacity init my.toml --example shop
    """
    from capacity import examples, output  # noqa: PLC0415

    if example == "list":
        console.say("".join(f"{name:34}{what}\n" for name, what in examples.listed()))
        return
    text = examples.text(example)
    if file == "-":
        console.say(text)
        return
    output.write_new(file, text, force=force)
    console.tell(f"wrote {file}; next: capacity plan {file}")


@app.command()
def plan(
    file: File,
    *,
    overrides: Overrides = None,
    load: Load = "1x",
    prices: Prices = None,
    output: Output = None,
    form: AsFormat = None,
    only: Only = None,
    json: AsJson = False,
    force: Force = False,
) -> None:
    """Find the cheapest node counts that meet every objective, and say why that many.

    Examples: capacity plan shop.toml; capacity plan shop.toml --load 2x -o plan.toml; cat shop.toml | capacity plan -
    """
    from capacity import output as out  # noqa: PLC0415
    from capacity.plan import plan as find  # noqa: PLC0415

    chosen = out.chosen(form, output, json=json)
    target = out.Target(output, chosen, force, out.parts(only, chosen))
    document = _read(file, overrides, load, prices)
    with out.progress("searching the cheapest plan") as tick:
        result = find(document.topology, tick)
    out.emit(target, document, result)
    if not result.feasible:
        raise typer.Exit(1)


@app.command()
def evaluate(
    file: File,
    *,
    scenario: InScenario = None,
    overrides: Overrides = None,
    load: Load = "1x",
    prices: Prices = None,
    output: Output = None,
    form: AsFormat = None,
    only: Only = None,
    json: AsJson = False,
    force: Force = False,
) -> None:
    """Show the same numbers for the counts that the file gives; nothing is solved for.

    Examples: capacity evaluate plan.toml --set components.app.nodes=6; capacity evaluate plan.toml --scenario zone;
    capacity evaluate plan.toml --scenario partner_down:payments --json
    """
    from capacity import output as out  # noqa: PLC0415
    from capacity.plan import as_given  # noqa: PLC0415

    chosen = out.chosen(form, output, json=json)
    target = out.Target(output, chosen, force, out.parts(only, chosen))
    document = _read(file, overrides, load, prices)
    out.emit(target, document, as_given(document.topology, scenario))


@app.command()
def check(
    file: File, *, overrides: Overrides = None, load: Load = "1x", prices: Prices = None, json: OnlyJson = False
) -> None:
    """Exit with 1 and say what fails, when the counts of the file miss an objective or limit; for CI.

    Examples: capacity check plan.toml; capacity check plan.toml --load 1.5x
    """
    from capacity import output as out  # noqa: PLC0415
    from capacity import render, report  # noqa: PLC0415
    from capacity.plan import as_given  # noqa: PLC0415

    document = _read(file, overrides, load, prices)
    evaluation = as_given(document.topology).evaluation
    out.warn_assumed(evaluation)
    if json:
        console.say(render.json({"feasible": evaluation.feasible, "scenarios": evaluation.scenarios}))
    else:
        console.say(report.checked(evaluation))
    if not evaluation.feasible:
        raise typer.Exit(1)


@app.command()
def scale(
    file: File,
    tier: Annotated[str | None, typer.Argument(help="One tier; left out, all of them.", metavar="[TIER]")] = None,
    *,
    family: Annotated[
        str | None, typer.Option(help="One family of node types, or all; left out, the tier's own family.")
    ] = None,
    overrides: Overrides = None,
    load: Load = "1x",
    prices: Prices = None,
    output: Output = None,
    form: AsFormat = None,
    json: AsJson = False,
    force: Force = False,
) -> None:
    """Compare bigger machines with more of them: cost, latency, downtime, and where each way ends.

    Examples: capacity scale shop.toml app; capacity scale shop.toml mysql --family all; capacity scale shop.toml --json
    """
    from capacity import output as out  # noqa: PLC0415
    from capacity import scale_report  # noqa: PLC0415
    from capacity.scaling import scale as compare  # noqa: PLC0415

    target = out.Target(output, out.table_or(form, output, json=json), force)
    document = _read(file, overrides, load, prices)
    with out.progress("comparing node types") as tick:
        found = compare(document.topology, tier, family, tick)
    rows = scale_report.csv_table(found)
    out.emit_sections(target, document.source, scale_report.sections(found), found, rows)


@app.command()
def forecast(
    file: File,
    *,
    months: Annotated[
        int | None, typer.Option(help="How far ahead; left out, forecast.months of the file.", min=1, max=120)
    ] = None,
    overrides: Overrides = None,
    load: Load = "1x",
    prices: Prices = None,
    output: Output = None,
    form: AsFormat = None,
    json: AsJson = False,
    force: Force = False,
) -> None:
    """Tell when it stops being enough: what breaks first, the plan of every month, where nodes help no more.

    Examples: capacity forecast shop.toml; capacity forecast shop.toml --months 12 --set forecast.start=2026-12;
    capacity forecast shop.toml --set workload.growth=10%/month --json
    """
    from capacity import forecast_report  # noqa: PLC0415
    from capacity import output as out  # noqa: PLC0415
    from capacity.forecast import forecast as ahead  # noqa: PLC0415

    target = out.Target(output, out.table_or(form, output, json=json), force)
    document = _read(file, overrides, load, prices)
    with out.progress("looking ahead") as tick:
        found = ahead(document.topology, months or document.topology.forecast.months, tick)
    out.emit_sections(target, document.source, forecast_report.sections(found), found)


@app.command()
def nodes(
    *,
    sort: Annotated[NodeOrder, typer.Option(help="What to sort by.")] = NodeOrder.name,
    family: Annotated[str | None, typer.Option(help="Only one family, like c6i.")] = None,
    prices: Prices = None,
    json: OnlyJson = False,
) -> None:
    """Show the node types that a file may name, with their dated prices.

    Examples: capacity nodes --sort price; capacity nodes --family r6i; capacity nodes --prices mine.toml
    """
    from capacity import pricebook, render  # noqa: PLC0415

    book = _book(prices)
    entries = pricebook.entries(sort.value, family, book)
    shown = render.json(pricebook.plain(entries, book)) if json else render.text([pricebook.section(entries, book)])
    console.say(shown)


@app.command()
def schema() -> None:
    """Write the JSON Schema of the file, for editors that complete and check TOML.

    Example: capacity schema > capacity.schema.json
    """
    from capacity import render  # noqa: PLC0415
    from capacity.schema import json_schema  # noqa: PLC0415

    console.say(render.json(json_schema()))


def main() -> None:
    """Run the command line, and turn whatever happens into an exit code and a sentence."""
    from capacity.guard import guarded  # noqa: PLC0415

    raise SystemExit(guarded(app))
