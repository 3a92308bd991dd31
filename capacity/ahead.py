"""Commands that look ahead and around: when it breaks, over which range, which input matters."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final

import typer

from capacity.options import AsFormat, AsJson, File, Force, Load, Output, Overrides, Prices, read

if TYPE_CHECKING:
    from collections.abc import Callable


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
    document = read(file, overrides, load, prices)
    with out.progress("looking ahead") as tick:
        found = ahead(document.topology, months or document.topology.forecast.months, tick)
    out.emit_sections(target, document.source, forecast_report.sections(found), found)


class SweepFormat(StrEnum):
    """How a sweep is written."""

    table = "table"
    plot = "plot"
    json = "json"
    csv = "csv"
    markdown = "markdown"


def sweep(
    file: File,
    *,
    overrides: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=LOW..HIGH", help="A range, or ONE,TWO,THREE: an axis (one or two). Else an override."
        ),
    ] = None,
    points: Annotated[int, typer.Option(help="Values of each range.", min=2, max=10_000)] = 20,
    log: Annotated[bool, typer.Option("--log", help="Ranges in equal ratios instead of equal steps.")] = False,
    planned: Annotated[
        bool, typer.Option("--plan", help="A cheapest plan for every point, instead of the same nodes.")
    ] = False,
    load: Load = "1x",
    prices: Prices = None,
    output: Output = None,
    form: Annotated[
        SweepFormat | None, typer.Option("--format", help="Left out: by the ending of -o FILE, else a table.")
    ] = None,
    json: AsJson = False,
    force: Force = False,
) -> None:
    """Show every number over a range of one input, or of two.

    Examples: capacity sweep shop.toml --set workload.classes.browse.rate=100/s..5000/s --points 50;
    capacity sweep shop.toml --set components.app.threads=100..400 --set components.redis.ttl=1min,10min --plan;
    capacity sweep shop.toml --set workload.classes.browse.rate=100/s..5000/s --format plot
    """
    from capacity import output as out  # noqa: PLC0415
    from capacity import sweep_report  # noqa: PLC0415
    from capacity.errors import UsageError  # noqa: PLC0415
    from capacity.sweep import MOST_AXES, axis, is_range  # noqa: PLC0415
    from capacity.sweep import sweep as over  # noqa: PLC0415

    target = out.Target(output, out.table_or(form, output, json=json), force)
    given = overrides or []
    document = read(file, [text for text in given if not is_range(text)], load, prices)
    axes = [axis(document, text, points, log=log) for text in given if is_range(text)]
    if not 1 <= len(axes) <= MOST_AXES:
        raise UsageError(f"--set: {len(axes)} ranges; write one or two, like components.app.cpu_time=5ms..20ms")
    with out.progress("sweeping") as tick:
        found = over(document, axes, planned=planned, tick=tick)
    if target.form == "plot":
        from capacity.sweep_plot import plotted  # noqa: PLC0415

        out.emit_text(target, document.source, plotted(found))
        return
    out.emit_sections(target, document.source, sweep_report.swept(found), found, sweep_report.sweep_rows(found))


def sensitivity(
    file: File,
    *,
    overrides: Overrides = None,
    load: Load = "1x",
    prices: Prices = None,
    output: Output = None,
    form: AsFormat = None,
    json: AsJson = False,
    force: Force = False,
) -> None:
    """Tell which input matters: the elasticity of p99, cost and the tightest resource to every number of the file.

    Examples: capacity sensitivity shop.toml; capacity sensitivity shop.toml --json
    """
    from capacity import output as out  # noqa: PLC0415
    from capacity import sweep_report  # noqa: PLC0415
    from capacity.sensitivity import sensitivity as ranked  # noqa: PLC0415

    target = out.Target(output, out.table_or(form, output, json=json), force)
    document = read(file, overrides, load, prices)
    with out.progress("varying every input") as tick:
        found = ranked(document.topology, tick)
    out.emit_sections(target, document.source, sweep_report.sensitive(found), found)


def diff(
    before: Annotated[str, typer.Argument(metavar="A", help="A topology or a plan.")],
    after: Annotated[str, typer.Argument(metavar="B", help="Another one.")],
    *,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 1 where anything differs; for scripts.")
    ] = False,
    load: Load = "1x",
    prices: Prices = None,
    output: Output = None,
    form: AsFormat = None,
    json: AsJson = False,
    force: Force = False,
) -> None:
    """Compare two topologies or plans, key by key and number by number.

    Examples: capacity diff plan.toml plan-new.toml; capacity diff shop.toml cached.toml --load 2x --json;
    capacity diff a.toml b.toml --exit-code
    """
    from capacity import comparing_report  # noqa: PLC0415
    from capacity import output as out  # noqa: PLC0415
    from capacity.comparing import compare  # noqa: PLC0415

    target = out.Target(output, out.table_or(form, output, json=json), force)
    first, second = (read(file, None, load, prices) for file in (before, after))
    with out.progress("comparing") as tick:
        found = compare(first, second, tick)
    out.emit_sections(target, second.source, comparing_report.sections(found), found)
    if exit_code and found.differ:
        raise typer.Exit(1)


COMMANDS: Final[tuple[Callable[..., None], ...]] = (forecast, sweep, sensitivity, diff)
