"""The command that tells what to watch, and writes it as alerting rules."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from capacity.options import AsJson, File, Force, Load, Output, Overrides, Prices, read


class AlertFormat(StrEnum):
    """How alerts are written."""

    table = "table"
    prometheus = "prometheus"
    json = "json"
    csv = "csv"
    markdown = "markdown"


_RULES_ENDINGS = (".yml", ".yaml")


def alerts(
    file: File,
    *,
    lead: Annotated[str, typer.Option(metavar="TIME", help="How long before a break is still early.")] = "30d",
    overrides: Overrides = None,
    load: Load = "1x",
    prices: Prices = None,
    output: Output = None,
    form: Annotated[
        AlertFormat | None,
        typer.Option("--format", help="Left out: by the ending of -o FILE (.yml: prometheus), else a table."),
    ] = None,
    json: AsJson = False,
    force: Force = False,
) -> None:
    """Tell what to watch: each metric's threshold at which something breaks, and at which it is still early.

    Examples: capacity alerts shop.toml; capacity alerts shop.toml --format prometheus -o rules.yml;
    capacity alerts shop.toml --lead 14d --json
    """
    from capacity import alerts_report, alerts_rules  # noqa: PLC0415
    from capacity import output as out  # noqa: PLC0415
    from capacity.alerts import alerts as watch  # noqa: PLC0415
    from capacity.errors import UsageError  # noqa: PLC0415
    from capacity.units import POSITIVE_SECONDS, Uncertain, UnitError, parse  # noqa: PLC0415

    try:
        ahead = parse(lead, POSITIVE_SECONDS)
    except UnitError as error:
        raise UsageError(f"--lead: allowed is {error.allowed}") from error
    if isinstance(ahead, Uncertain):
        raise UsageError("--lead: one time, like 30d")
    if form is None and not json and output is not None and Path(output).suffix.lower() in _RULES_ENDINGS:
        form = AlertFormat.prometheus
    target = out.Target(output, out.table_or(form, output, json=json), force)
    document = read(file, overrides, load, prices)
    with out.progress("looking for what breaks first") as tick:
        found = watch(document.topology, ahead, tick)
    if target.form == "prometheus":
        out.emit_text(target, document.source, alerts_rules.rules(found, document.topology.alerts))
    else:
        out.emit_sections(target, document.source, alerts_report.sections(found), found, alerts_report.rows(found))
