"""An answer as people and as scripts read it."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final

from capacity import judging
from capacity.calculators.calculator import Answer, Row
from capacity.errors import printable
from capacity.results import SCHEMA_VERSION
from capacity.section import Section
from capacity.units import digits, show_amount, show_availability, show_downtime, show_seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capacity.calculators.calculator import Calculator, Option, Value
    from capacity.explanations import Explanation


def shown(value: Value, unit: str) -> str:
    """Return a figure with its unit, a share in per cent; a dash for what there is not."""
    if value is None:
        return "-"
    if isinstance(value, bool | str):
        return printable(value) if isinstance(value, str) else "yes" if value else "no"
    if unit in _SHOWN:
        return _SHOWN[unit](float(value))
    if isinstance(value, int):
        return f"{value:,} {unit}".rstrip()
    return show_amount(value, unit) if unit else digits(value)


def cell(row: Row) -> str:
    """Return a row's figure as it is shown."""
    return row.text or shown(row.value, row.unit)


def _share(value: float) -> str:
    if 0.99 < value < 1:
        return show_availability(value)
    return f"{digits(value * 100)}%"


def finite(answer: Answer) -> Answer:
    """Return an answer in which what is endless is None; a figure that is no number is a bug."""
    rows = []
    for row in answer.rows:
        if isinstance(row.value, float) and not math.isfinite(row.value):
            if math.isnan(row.value):
                raise ArithmeticError(f"{row.key} is not a number")
            rows.append(row._replace(value=None))
        else:
            rows.append(row)
    return Answer(**{**{f: getattr(answer, f) for f in answer.__dataclass_fields__}, "rows": rows})


def _seconds(value: float) -> str:
    return "0 s" if not value else "< 1 ns" if 0 < value < 1e-9 else show_seconds(value)


_SHOWN: Final = {"s": _seconds, "share": _share, "availability": show_availability, "downtime": show_downtime}


def sections(calculator: Calculator, answer: Answer) -> list[Section]:
    """Return an answer as tables: its headline, its figures, what it stands on."""
    noted = any(row.note for row in answer.rows)
    rows = [("Figure", "Value", "")[: 2 + noted]]
    rows += [(row.label, cell(row), row.note)[: 2 + noted] for row in answer.rows]
    notes = [printable(note) for note in answer.notes]
    if answer.model:
        kind = "exact" if answer.exact else "approximate"
        accuracy = answer.accuracy
        kind = accuracy if accuracy.startswith(kind) else f"{kind}: {accuracy}" if accuracy else kind
        notes.append(f"model: {answer.model}, {kind}")
    if answer.source:
        notes.append(f"source: {answer.source}")
    title = f"{calculator.name}: {answer.headline}"
    return [Section(title, rows if answer.rows else (), frozenset({1}), notes), *answer.sections]


def plain(
    calculator: Calculator, given: dict[str, Value], answer: Answer, explained: Sequence[Explanation] | None
) -> dict[str, object]:
    """Return an answer for scripts."""
    found: dict[str, object] = {
        "schema_version": SCHEMA_VERSION,
        "calculator": calculator.name,
        "inputs": given,
        "headline": answer.headline,
        "met": answer.met,
        "model": answer.model,
        "exact": answer.exact,
        "accuracy": answer.accuracy,
        "source": answer.source,
        "result": {row.key: row.value for row in answer.rows},
        "notes": list(answer.notes),
        **answer.more,
    }
    return found if explained is None else {**found, "explained": list(explained)}


def over(
    calculator: Calculator, option: Option, values: Sequence[Value], answers: Sequence[Answer], unit: str
) -> list[Section]:
    """Return answers along a range as one table: the columns that any of them has, as far as a line holds them.

    The last ones are left out first, and that is told: a number is never cut.
    """
    columns = {row.key: row for answer in answers for row in answer.rows if row.column}
    judged = any(answer.met is not None for answer in answers)
    table = [[option.name, *(shown(value, unit) for value in values)]]
    for key, row in columns.items():
        cells = [{row.key: _counted(row) for row in answer.rows}.get(key, "-") for answer in answers]
        if key != option.name or cells != table[0][1:]:
            table.append([row.column, *cells])
    verdicts = [judging.word(answer.met) for answer in answers]
    last = [["Wanted", *verdicts]] if judged else []
    kept = _fitting(table, last)
    rows = [*zip(*kept, *last, strict=True)]
    notes = list(dict.fromkeys(note for answer in answers for note in answer.notes))
    models = _models(answers)
    if len(kept) < len(table):
        left = ", ".join(column[0] for column in table[len(kept) :])
        models.append(f"no room for {left}: --format csv or json has every figure")
    title = f"{calculator.name} over {option.flag}"
    return [Section(title, rows, frozenset(range(len(rows[0]))), [*map(printable, notes[:6]), *models])]


def _counted(row: Row) -> str:
    """Return a figure under a heading that says what is counted."""
    return cell(row).removesuffix(f" {row.unit}") if row.unit in ("objects", "messages") else cell(row)


def _fitting(table: Sequence[Sequence[str]], last: Sequence[Sequence[str]]) -> Sequence[Sequence[str]]:
    """Return as many of the columns, from the left, as a line holds beside the last ones; at least two."""
    from capacity.render import WIDTH, width  # noqa: PLC0415

    def taken(columns: Sequence[Sequence[str]]) -> int:
        return sum(max(map(width, column)) + 2 for column in (*columns, *last)) - 2

    kept = len(table)
    while kept > 2 and taken(table[:kept]) > WIDTH:
        kept -= 1
    return table[:kept]


def _models(answers: Sequence[Answer]) -> list[str]:
    """Return what the answers stand on, those that differ in their servers alone as one."""
    told: dict[str, str] = {}
    for answer in answers:
        if answer.model:
            exact = "exact" if answer.exact else "approximate"
            alike = f"model: {re.sub(r'/[0-9]+', '/c', answer.model)}, {exact}"
            one = f"model: {answer.model}, {exact}"
            told[alike] = one if told.get(alike, one) == one else alike
    return list(told.values())


def over_plain(
    calculator: Calculator, option: Option, given: Sequence[dict[str, Value]], answers: Sequence[Answer]
) -> dict[str, object]:
    """Return answers along a range for scripts."""
    return {
        "schema_version": SCHEMA_VERSION,
        "calculator": calculator.name,
        "inputs": {name: value for name, value in given[0].items() if name != option.name},
        "over": option.name,
        "points": [
            {
                option.name: at[option.name],
                "headline": answer.headline,
                "met": answer.met,
                "model": answer.model,
                "exact": answer.exact,
                "result": {row.key: row.value for row in answer.rows},
            }
            for at, answer in zip(given, answers, strict=True)
        ],
    }


def over_table(option: Option, given: Sequence[dict[str, Value]], answers: Sequence[Answer]) -> list[list[object]]:
    """Return answers along a range as rows for CSV, the names first: every figure that any of them has."""
    keys = list(dict.fromkeys(row.key for answer in answers for row in answer.rows))
    table: list[list[object]] = [[option.name, "met", "model", "exact", *keys]]
    for at, answer in zip(given, answers, strict=True):
        known = {row.key: row.value for row in answer.rows}
        figures = ["" if known.get(key) is None else known[key] for key in keys]
        table.append([at[option.name], "" if answer.met is None else answer.met, answer.model, answer.exact, *figures])
    return table


__all__ = ["Answer", "Row", "finite", "over", "over_plain", "over_table", "plain", "sections", "shown"]
