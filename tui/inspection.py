"""The fields of what is selected, line by line: what the file says, what holds where it is silent, what may stand."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from capacity.components.base import Call
from capacity.editing import read_text, short, value_at
from capacity.fields import annotation, only_text
from capacity.forms import Field, fields_of
from capacity.literals import plain, toml_value
from capacity.topology import LatencyGoal, RequestClass, Topology
from capacity.units import BYTES, CEILING, FRACTION, POSITIVE_SECONDS, SECONDS, show_bytes, show_percent, show_seconds
from tui.drawing.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import msgspec

    from capacity.document import Document
    from capacity.errors import KeyPath
    from capacity.system import Counts
    from tui.drawing.canvas import Key

LEFT_OUT: Final = "left out of the file, and what holds then"

NOTHING: Final = "-"
"""Where the file says nothing and nothing holds."""

_GROUPED: Final = 10_000
"""Whole numbers from here on are written with their digits in groups."""


@dataclass(frozen=True)
class Row:
    """One line: a field, or a heading (without a path)."""

    label: str
    path: KeyPath = ()
    field: Field | None = None
    value: Any = None
    """As in the file, None where it is left out."""
    text: str = ""
    """The value as somebody types it; empty where it is left out."""
    shown: str = ""
    """What stands in the column of values."""
    hint: str = ""
    depth: int = 0
    holds: Any = None
    """What holds, where the file is silent."""
    count: int | None = None
    """The count that holds while it is left to the plan."""
    was: str | None = None
    """What the baseline has here, where it is something else."""

    @property
    def meant(self) -> str:
        """What a number without a unit stands for, 150 for 2.5min; empty where the value says it."""
        if self.field is None or self.field.kind != "quantity" or type(self.value) not in {int, float}:
            return ""
        told = quantity_text(float(self.value), self.field)
        return told if told != self.text else ""

    @property
    def given(self) -> bool:
        """Whether the file says it."""
        return self.value is not None and self.count is None

    @property
    def call(self) -> KeyPath | None:
        """The path of the call that this line belongs to."""
        place = len(self.path) - 2
        return self.path[: place + 1] if place >= 0 and self.path[place - 1 : place] == ("calls",) else None


@dataclass(frozen=True)
class Unfolding:
    """What of the lines is open, and which one stays where it is while it is being changed."""

    calls: frozenset[KeyPath] = frozenset()
    held: tuple[KeyPath, bool] | None = None
    """A path, and whether it stands among what is given."""


PLAIN: Final = Unfolding()

_BELOW: Final = Row(LEFT_OUT)

_OF_MACHINES: Final = frozenset({"node", "host", "nodes", "min_nodes", "max_nodes", "memory", "mtbf", "mttr"})


def rows(
    document: Document,
    counts: Counts,
    selected: Key | None,
    baseline: Document | None = None,
    unfolding: Unfolding = PLAIN,
    *,
    before: Iterable[Row] = (),
) -> tuple[Row, ...]:
    """Return the fields of a tier, of a class with its objectives, or of the whole system; given ones first.

    Of the lines of `before` those are kept that are as they were: a key changes one of dozens.
    """
    page = _Page(document, counts, selected, baseline, unfolding, {row.path: row for row in before})
    above: list[Row] = []
    below: list[Row] = []
    for table in page.tables():
        for row in page.table(*table):
            (above if page.stands_above(row) else below).append(row)
    return (*above, *([_BELOW, *below] if below else []))


@dataclass(frozen=True)
class _Page:
    document: Document
    counts: Counts
    selected: Key | None
    baseline: Document | None
    unfolding: Unfolding
    known: Mapping[KeyPath, Row]
    """Lines of before, by their paths."""

    def tables(self) -> Iterator[tuple[KeyPath, type[msgspec.Struct], str]]:
        """Yield the tables of the file that tell what is selected: path, struct, and what to put before each name."""
        if self.selected is None:
            yield (), Topology, ""
        elif self.selected.scope == "tier":
            tier = self.document.topology.components.get(self.selected.name)
            if tier is not None:
                yield ("components", self.selected.name), type(tier), ""
        elif self.selected.name in self.document.topology.workload.classes:
            yield ("workload", "classes", self.selected.name), RequestClass, ""
            yield ("slo", "latency", self.selected.name), LatencyGoal, "objective."

    def table(self, path: KeyPath, struct: type[msgspec.Struct], before: str) -> Iterator[Row]:
        """Yield the lines of one table."""
        for field in fields_of(struct):
            whole = (*path, *field.path)
            value = value_at(self.document.values, whole)
            if value is None and not getattr(struct, "needs_node", True) and field.name in _OF_MACHINES:
                continue  # a partner or a queue stands on no machine of ours
            if field.kind == "calls":
                for i in range(len(value or ())):
                    yield from self.call((*whole, i))
            elif isinstance(value, dict) and field.per_class:
                held = self.unfolding.held
                more = [held[0][-1]] if held is not None and held[0][:-1] == whole and held[0][-1] not in value else []
                for name in [*value, *more]:
                    yield self.row(f"{before}{field.name}.{name}", (*whole, name), field, value.get(name))
            else:
                yield self.row(before + field.name, whole, field, value)

    def call(self, path: KeyPath) -> Iterator[Row]:
        """Yield a call: where it goes, how often, and what else is said of it."""
        table, unfolded = value_at(self.document.values, path), path in self.unfolding.calls
        for field in fields_of(Call):
            whole, value = (*path, *field.path), value_at(table, field.path)
            if field.name == "to":
                yield self.row("calls →", whole, field, value)
            elif value is not None or field.name == "count" or unfolded or self._held(whole):
                yield self.row(field.name, whole, field, value, depth=1)

    def row(self, label: str, path: KeyPath, field: Field, value: Any, depth: int = 0) -> Row:
        """Return the line of one field."""
        holds = None if value else effective(self.document, path)
        count = self.counts[str(path[1])] if self._counts(path) and not isinstance(value, int) else None
        was, label = self._was(path, value), clean(label)
        known = self.known.get(path)
        if (
            known is not None
            and known.value is value
            and known.holds is holds
            and known.field is field  # so that the tier is of the same kind, too
            and (known.label, known.depth, known.count, known.was) == (label, depth, count, was)
        ):
            return known
        text = written(self.document.values, path, value)
        shown = f"{count} auto" if count is not None else clean(text) if text else default_text(holds, field)
        return Row(label, path, field, value, text, shown, _hint(field), depth, holds, count, was)

    def _was(self, path: KeyPath, value: Any) -> str | None:
        before = value if self.baseline is None else value_at(self.baseline.values, path)
        if self.baseline is None or before == value:
            return None
        return clean(written(self.baseline.values, path, before)) or "left out"

    def stands_above(self, row: Row) -> bool:
        """Return whether a line is among what is given."""
        if self._held(row.path) and row.call is None and self.unfolding.held is not None:
            return self.unfolding.held[1]
        return row.given or row.count is not None or row.call is not None

    def _held(self, path: KeyPath) -> bool:
        return self.unfolding.held is not None and self.unfolding.held[0] == path

    def _counts(self, path: KeyPath) -> bool:
        if len(path) != 3 or path[0] != "components" or path[1] not in self.counts:
            return False
        return self.document.topology.components[str(path[1])].counted == path[2]


def refreshed(document: Document, counts: Counts, row: Row) -> Row:
    """Return a line as it is in a document that was changed since."""
    if row.field is None:
        return row
    page = _Page(document, counts, None, None, PLAIN, {})
    return page.row(row.label, row.path, row.field, value_at(document.values, row.path))


def written(values: Any, path: KeyPath, value: Any) -> str:
    """Return a value of the file as somebody would type it; empty for None."""
    if value is None:
        return ""
    if isinstance(value, str):
        hint = annotation(values, path)
        return _as_typed(value, text_only=hint is not None and only_text(hint))
    if isinstance(value, list) and all(isinstance(part, str) and part.isidentifier() for part in value):
        return ", ".join(value)
    if type(value) is int:
        return f"{value:_}" if abs(value) >= _GROUPED else str(value)
    return toml_value(value)


@lru_cache(maxsize=4096)
def _as_typed(value: str, *, text_only: bool) -> str:
    """Return a string as it is typed: without quotes where it is read as the same string all the same."""
    try:
        same = read_text(value, text_only=text_only) == value and value.strip() == value and value.isprintable()
    except ValueError:
        same = False
    return value if same else toml_value(value)


def effective(document: Document, path: KeyPath) -> Any:
    """Return what holds at a path, whether the file says it or not; None where nothing does."""
    here: Any = document.topology
    for key in path:
        if isinstance(here, dict):
            here = here.get(str(key))
        elif isinstance(here, list):
            here = here[key] if isinstance(key, int) and key < len(here) else None
        else:
            here = getattr(here, str(key), None)
    return here


def default_text(value: Any, field: Field) -> str:
    """Return what holds where the file says nothing, with its unit."""
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(map(clean, value)) or NOTHING
    if isinstance(value, float):
        return quantity_text(value, field)
    return clean(str(value))


def quantity_text(value: float, field: Field) -> str:
    """Return a number in base units as a file would write it."""
    if field.unit in (SECONDS, POSITIVE_SECONDS):
        return show_seconds(value).replace(" ", "") if value else "0ms"
    if field.unit is BYTES:
        return show_bytes(value).replace(" ", "") if value else "0KiB"
    if field.unit in (FRACTION, CEILING):
        return show_percent(value) if value else "0%"
    return plain(float(f"{value:.12g}")).removesuffix(".0")


def allowed(field: Field) -> str:
    """Say in full what a field takes."""
    words = ", or ".join(field.choices) if field.kind != "names" else ""
    if field.unit is not None:
        return f"{field.unit.allowed}, or {words}" if words else field.unit.allowed
    if field.kind == "whole":
        found = f"a whole number from {field.least or 0:,} to {field.most or 0:,}"
        return f"{found}, or {words}" if words else found
    return {"switch": "true or false", "text": "text", "names": "names, with commas between"}.get(
        field.kind, words or f"the name of a {field.refers}"
    )


def _hint(field: Field) -> str:
    """Return in a word or two what a field takes."""
    if field.kind == "choice" or (field.kind == "names" and field.choices):
        return " ".join(field.choices)
    if field.unit is not None:
        return field.unit.name.removeprefix("a ").removeprefix("an ")
    if field.kind == "whole":
        return "whole number"
    return {"switch": "true false", "text": "text", "names": "names"}.get(field.kind, field.refers or "")


def about(row: Row | None) -> str:
    """Return what a line means and what it takes."""
    if row is None or row.field is None:
        return ""
    table = row.field.per_class and row.path[-1] == row.field.path[-1]
    sentences = [
        "Left to the plan" if row.count is not None else "",
        row.field.description.rstrip("."),
        f"Takes {allowed(row.field)}{', or a table by request class' if table else ''}",
    ]
    return clean(f"{short(row.path)}: {'. '.join(sentence for sentence in sentences if sentence)}")
