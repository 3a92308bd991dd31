"""The command that tells where a number comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from capacity.options import AsFormat, AsJson, File, Force, InScenario, Load, Output, Overrides, Prices, read

if TYPE_CHECKING:
    from collections.abc import Callable


def explain(
    file: File,
    tier: Annotated[
        str, typer.Argument(help="The tier, or the request class, whose numbers are explained.", metavar="TIER")
    ],
    metric: Annotated[
        str | None,
        typer.Argument(
            help="utilization, headroom, wait, mean, total, p99, hit_ratio, lag, backlog, drain, threads, rejected, "
            "nodes, availability or cost; of a class mean, p99 or availability; left out, all of them in short.",
            metavar="[METRIC]",
        ),
    ] = None,
    *,
    latex: Annotated[bool, typer.Option("--latex", help="The formulas in LaTeX, for documents.")] = False,
    scenario: InScenario = None,
    overrides: Overrides = None,
    load: Load = "1x",
    prices: Prices = None,
    output: Output = None,
    form: AsFormat = None,
    json: AsJson = False,
    force: Force = False,
) -> None:
    """Tell where a number comes from: formula, this tier's numbers in it, source, what each input does to it.

    Examples: capacity explain plan.toml app; capacity explain plan.toml app wait; capacity explain plan.toml mysql lag
    --latex; capacity explain shop.toml checkout mean;
    capacity explain shop.toml app wait --scenario node --load 2x --json
    """
    from capacity import console, explain_report  # noqa: PLC0415
    from capacity import output as out  # noqa: PLC0415
    from capacity.errors import UsageError  # noqa: PLC0415
    from capacity.explaining import explain as explained  # noqa: PLC0415

    target = out.Target(output, out.table_or(form, output, json=json), force)
    if latex and (json or form is not None):
        raise UsageError("--latex is a format of its own: leave out --json and --format")
    document = read(file, overrides, load, prices)
    with out.progress("looking for the nodes") as tick:
        found = explained(document.topology, tier, metric, scenario, tick)
    if not latex:
        out.emit_sections(target, document.source, explain_report.sections(found, whole=metric is not None), found)
    elif output in (None, "-"):
        console.say(explain_report.latex(found))
    else:
        out.write_new(str(output), explain_report.latex(found), force=force)
        console.tell(f"wrote {output}")


COMMANDS: Final[tuple[Callable[..., None], ...]] = (explain,)
