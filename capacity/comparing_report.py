"""Two files side by side as people read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from capacity.errors import ascii_quoted, printable, shortened
from capacity.literals import toml_value
from capacity.section import Section
from capacity.units import digits, show_amount, show_availability, show_percent, show_seconds

if TYPE_CHECKING:
    from capacity.comparing import Comparison, NumberChange


def sections(found: Comparison) -> list[Section]:
    """Return the keys that differ, then the numbers."""
    verdicts = ["meets every objective" if feasible else "NO PLAN IS FEASIBLE" for feasible in found.feasible]
    head = [f"- {printable(found.before)}: {verdicts[0]}", f"+ {printable(found.after)}: {verdicts[1]}"]
    if not found.differ:
        head.append("no difference")
    keys = [("", "Key", "Before", "After")]
    marks = {"added": "+", "removed": "-", "changed": "~"}
    keys += [(marks[f.kind], printable(f.key), _written(f.before), _written(f.after)) for f in found.fields]
    numbers = [("Where", "Number", "Before", "After", "Change")]
    numbers += [
        (printable(n.name), n.metric, _shown(n.before, n.unit), _shown(n.after, n.unit), _change(n))
        for n in found.numbers
    ]
    parts = [Section("Comparison", notes=head)]
    parts += [Section("In the files", keys, frozenset())] if found.fields else []
    parts += [Section("In what follows", numbers, frozenset({2, 3, 4}))] if found.numbers else []
    return parts


def _written(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, dict):
        return f"{{ {', '.join(map(printable, value))} }}" if value else "{ }"
    if isinstance(value, list):
        return shortened(toml_value(value))
    return printable(value) if isinstance(value, str) else ascii_quoted(value)


def _shown(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    if unit == "s":
        return show_seconds(value)
    if unit in ("share", "availability"):
        return show_percent(value) if unit == "share" else show_availability(value)
    return f"{value:,.2f}" if unit == "money" else show_amount(value, unit) if unit else digits(value)


def _change(number: NumberChange) -> str:
    before, after = number.before, number.after
    if before is None or after is None:
        return "new" if before is None else "gone"
    if number.unit == "":
        return f"{after - before:+g}"
    if number.unit == "money":
        return f"{after - before:+,.2f}"
    if number.unit in ("share", "availability") or before == 0:
        return f"{(after - before) * 100:+.2g} pp" if abs(after - before) >= 1e-6 else "about 0"
    return f"{after / before - 1:+.1%}"
