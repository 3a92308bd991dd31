"""Thresholds as alerting rules for Prometheus: YAML whose every scalar is a JSON string, which YAML reads as it is.

A name of the file may hold anything: in an expression it is escaped as within PromQL quotes, in an annotation so that
Prometheus does not take it for a template.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from capacity.output import RULES_BEGIN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capacity.alerts import Alert, Alerts
    from capacity.topology import Alerting

_PLAIN: Final = frozenset("\"'`\\{}")
"""What would end a quoted PromQL string, or begin something else in it."""


def rules(found: Alerts, declared: Alerting) -> str:
    """Return a rule file with one group: for each alert a rule that pages, and one that warns while it is early."""
    lines = [
        RULES_BEGIN,
        "groups:",
        f"  - name: {_text(f'capacity: {found.name}')}",
    ]
    each = [line for alert in found.alerts for line in _both(alert, declared)]
    return "\n".join([*lines, "    rules:" if each else "    rules: []", *each]) + "\n"


def _both(alert: Alert, declared: Alerting) -> Iterator[str]:
    if alert.early is not None:
        yield from _rule(alert, declared, "warning")
    yield from _rule(alert, declared, "page")


def _rule(alert: Alert, declared: Alerting, severity: str) -> Iterator[str]:
    page = severity == "page"
    threshold = alert.page if page or alert.early is None else alert.early
    because, then = (alert.page_because, alert.page_then) if page else (alert.early_because, alert.early_then)
    lasting = float(declared.page_after if page else declared.early_after)
    high = "High" if alert.comparison == ">" else "Low"
    words = alert.metric.replace("_", " ").title().replace(" ", "")
    labels = {**declared.labels, "tier": alert.tier, "metric": alert.metric}
    labels |= {"resource": alert.resource} if alert.resource else {}
    labels |= {"break": alert.breaks, "leads": _yes(alert.leads), "causes": _yes(alert.causes), "severity": severity}
    where = f"{alert.resource or alert.metric.replace('_', ' ')} of {alert.tier}"
    summary = f"{where}: {'something breaks here' if page else 'still early'}"
    yield f"      - alert: {_text(f'Capacity{words}{high}')}"
    yield f"        expr: {_text(expression(alert, declared, threshold))}"
    yield f"        for: {_text(_duration(lasting))}"
    yield "        labels:"
    yield from (f"          {_text(key)}: {_text(_untemplated(value))}" for key, value in labels.items())
    yield "        annotations:"
    yield f"          summary: {_text(_untemplated(summary))}"
    yield f"          description: {_text(_untemplated(f'{because}; {then}'))}"


def _yes(is_so: bool) -> str:  # noqa: FBT001
    return "yes" if is_so else "no"


def expression(alert: Alert, declared: Alerting, threshold: float) -> str:
    """Return the PromQL of a rule: the file's expression for the metric, compared with a threshold of 6 digits."""
    mapped = str(getattr(declared.metrics, alert.metric))
    parts = mapped.split("{tier}")
    named = quoted(alert.tier).join(part.replace("{resource}", quoted(alert.resource)) for part in parts)
    return f"({named}) {alert.comparison} {float(f'{threshold:.6g}')!r}"


def quoted(name: str) -> str:
    """Return a name as it stands within quotes in PromQL, whichever quotes they are but backticks."""
    return "".join(f"\\u{ord(c):04x}" if ord(c) < 0x20 or c in _PLAIN or 0x7F <= ord(c) < 0xA0 else c for c in name)


def _duration(seconds: float) -> str:
    return f"{round(seconds * 1000)}ms" if seconds != round(seconds) else f"{round(seconds)}s"


def _untemplated(text: str) -> str:
    return text.replace("{{", '{{"{{"}}')


def _text(text: str) -> str:
    """Return a YAML scalar: a JSON string, with what YAML may not hold as it is written by its number."""
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in json.dumps(text, ensure_ascii=False))
