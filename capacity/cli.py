"""The command line. Results go to standard output, everything else to standard error; everything lazy is imported late.

Exit codes: 0 done; 1 an objective or limit is not met, or nothing feasible exists; 2 bad usage or bad file;
70 a bug of ours; 130 interrupted.
"""

from __future__ import annotations

import gc
from typing import Annotated, Final

import typer

from capacity import __version__, ahead, alerting, console, explain_command, stepwise
from capacity.calculators.registry import Commands
from capacity.options import (
    AsFormat,
    AsJson,
    File,
    Force,
    InScenario,
    Load,
    NodeOrder,
    Only,
    OnlyJson,
    Output,
    Overrides,
    Prices,
    book,
    read,
)

_ALLOCATED: Final = 50_000
"""Objects more than were freed before they are looked through for garbage, of which a plan makes next to none."""

app = typer.Typer(
    name="capacity",
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=(
        "How many nodes of which size each tier of a web system needs, and why.\n\n"
        "Start with `capacity init shop.toml`, then `capacity plan shop.toml`."
    ),
)


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
    document = read(file, overrides, load, prices)
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
    document = read(file, overrides, load, prices)
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

    document = read(file, overrides, load, prices)
    evaluation = as_given(document.topology).evaluation
    out.warn_assumed(evaluation)
    if json:
        console.say(render.json({"feasible": evaluation.feasible, "scenarios": evaluation.scenarios}))
    else:
        console.say(report.checked(evaluation))
    if not evaluation.feasible:
        raise typer.Exit(1)


@app.command()
def tui(file: File, *, overrides: Overrides = None, load: Load = "1x", prices: Prices = None) -> None:
    """Open a topology on the screen: change a number and see every other one move.

    --set is the first edit, shown as such and undone by u; nothing is written before you save.

    Examples: capacity tui shop.toml; capacity tui shop.toml --load 2x
    """
    from capacity import output as out  # noqa: PLC0415
    from tui.starting import run  # noqa: PLC0415 - the one place where the planner knows its screen

    code = run(file, overrides or (), out.load_factor(load), book(prices), prices)
    if code:
        raise typer.Exit(code)


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
    document = read(file, overrides, load, prices)
    with out.progress("comparing node types") as tick:
        found = compare(document.topology, tier, family, tick)
    rows = scale_report.csv_table(found)
    out.emit_sections(target, document.source, scale_report.sections(found), found, rows)


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

    known = book(prices)
    entries = pricebook.entries(sort.value, family, known)
    shown = render.json(pricebook.plain(entries, known)) if json else render.text([pricebook.section(entries, known)])
    console.say(shown)


@app.command()
def schema() -> None:
    """Write the JSON Schema of the file, for editors that complete and check TOML.

    Example: capacity schema > capacity.schema.json
    """
    from capacity import render  # noqa: PLC0415
    from capacity.schema import json_schema  # noqa: PLC0415

    console.say(render.json(json_schema()))


for command in (*ahead.COMMANDS, *explain_command.COMMANDS, alerting.alerts):
    app.command()(command)
app.command("next")(stepwise.next_step)


def main() -> None:
    """Run the command line, and turn whatever happens into an exit code and a sentence."""
    from capacity.guard import guarded  # noqa: PLC0415

    gc.set_threshold(_ALLOCATED)
    raise SystemExit(guarded(app))
