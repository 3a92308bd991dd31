"""What to watch, as people read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capacity.errors import printable
from capacity.section import Section
from capacity.units import digits, show_amount, show_percent, show_seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capacity.alerts import Alert, Alerts


def sections(found: Alerts) -> list[Section]:
    """Return what breaks first, the thresholds, their reasons, and what has none."""
    parts = [_head(found)]
    if found.alerts:
        parts += [*_thresholds(found), _reasons(found)]
    if found.unwatched:
        notes = [printable(f"{_where(x.tier, x.metric, x.resource)}: {x.why}") for x in found.unwatched]
        parts.append(Section("Without an alert", notes=notes))
    return parts


def rows(found: Alerts) -> list[list[object]]:
    """Return one row for each alert, for CSV; the first names the columns."""
    head: list[object] = ["tier", "metric", "resource", "comparison", "now", "early", "page", "unit"]
    head += ["breaks", "leads", "causes", "early_because", "early_then", "page_because", "page_then"]
    return [head, *([getattr(alert, str(key)) for key in head] for alert in found.alerts)]


def _head(found: Alerts) -> Section:
    nodes = ", ".join(f"{printable(name)} {count}" for name, count in found.nodes.items())
    notes = [f"today's counts (of databases the replicas): {nodes}" if nodes else "no tier has nodes of its own"]
    first = found.first_break
    if first is not None:
        rate = f"{digits(round(first.load, 3))}x the load ({digits(first.arrival_rate_per_s)}/s at the peak)"
        notes.append(printable(f"first to break as all load grows, at {rate}: {first.constraint}"))
        notes.append(f"early: {show_seconds(found.lead_s)} of {found.rising} before that, or one node lost")
    else:
        notes.append("no load breaks anything that less load meets: there is no threshold")
    notes += [printable(f"missed at any load, and set aside: {what}") for what in found.hopeless]
    return Section(f"{printable(found.name)}: what to watch", notes=notes)


def _thresholds(found: Alerts) -> Iterator[Section]:
    """Yield a table for each break: first the one to page, then what causes the break, then what tells the load."""
    groups: dict[str, list[Alert]] = {}
    for alert in found.alerts:
        groups.setdefault(alert.breaks, []).append(alert)
    for what, alerts in groups.items():
        table: list[tuple[str, ...]] = [("Tier", "Metric", "", "Now", "Early", "Page", "")]
        for alert in alerts:
            values = (_shown(alert, value) for value in (alert.now, alert.early, alert.page))
            metric = printable(alert.resource or alert.metric.replace("_", " "))
            part = "page on this" if alert.leads else "causes it" if alert.causes else "tells the load"
            table.append((printable(alert.tier), metric, alert.comparison, *values, part))
        yield Section(f"Before {printable(what)}", table, frozenset({3, 4, 5}))


def _reasons(found: Alerts) -> Section:
    """Return each reason once, with all that it holds for."""
    notes = []
    for when in ("page", "early"):
        grouped: dict[str, list[Alert]] = {}
        for alert in found.alerts:
            grouped.setdefault(getattr(alert, f"{when}_because"), []).append(alert)
        for because, alerts in grouped.items():
            names = dict.fromkeys(f"{a.tier} hit ratio" if a.comparison == "<" else a.tier for a in alerts)
            notes.append(printable(f"{when} ({', '.join(names)}): {because}"))
    notes.append('one page for each break: in Alertmanager, `group_by: [break]`, or let leads="yes" inhibit the others')
    return Section("Why there", notes=notes)


def _where(tier: str, metric: str, resource: str) -> str:
    return f"{tier} {resource or metric.replace('_', ' ')}"


def _shown(alert: Alert, value: float | None) -> str:
    if value is None:
        return "-"
    return (
        show_percent(value) if not alert.unit else show_amount(value, alert.unit if alert.unit == "s" else "").strip()
    )
