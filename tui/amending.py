"""What is done to a field, as pure functions: a value typed, stepped, pinned or left out; a stretch of it one undo."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Literal

from capacity.editing import Edited, in_unit_of, short, with_value, without_value
from capacity.errors import DocumentError, Problem
from capacity.fields import annotation
from capacity.pricing import candidates
from capacity.stepping import stepped
from capacity.units import UnitError, parse
from tui.inspection import allowed, default_text, effective

if TYPE_CHECKING:
    from capacity.document import Document
    from capacity.errors import KeyPath
    from capacity.stepping import Direction
    from tui.inspection import Row
    from tui.session import Session, Version

SOON: Final = 1.0
"""Seconds within which a further step is one with the step before."""

_MOST_TRIED: Final = 60
"""Names that are tried before nothing else is said to fit: in a large file each takes some milliseconds."""


@dataclass(frozen=True)
class Stretch:
    """Changes of one field that are taken back as one."""

    doing: Literal["typing", "stepping"]
    path: KeyPath
    before: Version
    last: Version | None = None
    """What it made; a stretch ends when something else is done."""
    at: float = 0.0

    def goes_on(self, doing: str, path: KeyPath, session: Session, now: float) -> bool:
        """Return whether what is done now belongs to it."""
        same = self.doing == doing and self.path == path and session.now is (self.last or self.before)
        return same and (doing == "typing" or now - self.at <= SOON)


def continued(session: Session, stretch: Stretch, document: Document, label: str) -> Session:
    """Return the session after one more change of a stretch; a return to where it began leaves no trace."""
    if stretch.last is None:
        return session if document.values == session.now.document.values else session.edited(document, label)
    if document.values == stretch.before.document.values:
        return session.undone_for_good()
    return session.merged(document, label)


def change_of(stretch: Stretch, edited: Edited) -> str:
    """Return what a stretch changes, in a few words; a count that the file left to the plan was that of the plan."""
    path, before = stretch.path, stretch.before
    tier = before.document.topology.components.get(str(path[1])) if len(path) == 3 else None
    name, equals, value = edited.name.partition(f"{short(path)} = ")
    if tier is None or path[0] != "components" or path[2] != tier.counted or not equals or name:
        return edited.name
    count = before.counts.get(str(path[1]))
    return edited.name if count is None else f"{short(path)} {count} (plan) → {value}"


def typed(document: Document, row: Row, text: str) -> Edited:
    """Return the document with a typed value in a field; without the field where nothing is typed.

    A bare number takes the unit that is shown: after 9ms, 12 is 12ms and not twelve seconds on the way
    there. Raises DocumentError for what does not fit.
    """
    if not text.strip():
        if row.value is None:
            return Edited(document, "")
        return removed(document, row)
    value: Any = text
    if row.field is not None and row.field.kind == "quantity":
        value = in_unit_of(text, row.text or row.shown)
    if row.field is not None and row.field.kind == "names" and not text.lstrip().startswith("["):
        value = [part.strip() for part in text.split(",") if part.strip()]
    return with_value(document, row.path, value)


def removed(document: Document, row: Row) -> Edited:
    """Return the document without a field; raises DocumentError where it is needed."""
    if row.field is not None and row.field.required and len(row.path) > 1:
        raise DocumentError([Problem(row.path, "is needed", allowed=allowed(row.field))])
    return without_value(document, row.path)


def moved(document: Document, row: Row, direction: Direction, *, big: bool) -> Edited | None:
    """Return the document with the next value of a field up or down, None where there is none.

    A name goes on to the next one that fits. Raises DocumentError for a step that something else in the file forbids.
    """
    if row.field is None:
        return None
    if row.field.kind == "name":
        return _next_name(document, row, direction, big=big)
    value = _from(document, row)
    if value is None:
        return None
    hint = annotation(document.values, row.path)
    found = stepped(value, hint, direction, big=big)
    return None if found == value and type(found) is type(value) else with_value(document, row.path, found)


def _from(document: Document, row: Row) -> Any:
    """Return the value that a step starts from: that of the file, the plan's count, or what holds otherwise."""
    if row.count is not None or row.given or row.field is None:
        return row.value if row.count is None else row.count
    text = default_text(effective(document, row.path), row.field)
    if row.field.kind == "switch":
        return text == "true"
    if row.field.kind == "choice":
        return text
    try:
        if row.field.unit is not None:
            parse(text if row.field.unit.suffixes else float(text), row.field.unit)
            return text if row.field.unit.suffixes else float(text)
        return int(text) if row.field.kind == "whole" else None
    except (UnitError, ValueError):
        return None


def _next_name(document: Document, row: Row, direction: Direction, *, big: bool) -> Edited | None:
    names = names_for(document, row)
    if row.field is not None and row.field.refers == "node type" and row.value in names:
        names = _kin(document, str(row.value), big=big)
    if not names or row.value is None:
        return None
    here = names.index(row.value) if row.value in names else -1
    around = [names[(here + direction * step) % len(names)] for step in range(1, len(names))]
    for name in islice(around, _MOST_TRIED):
        try:
            return with_value(document, row.path, name)
        except DocumentError:
            continue
    return None


def _kin(document: Document, name: str, *, big: bool) -> list[str]:
    """Return the node types of a family by size, or for a big step those of the same size, of every family."""
    known = candidates(document.topology.node_types, document.topology.currency)
    here = known[name]
    alike = [
        other
        for other, node in known.items()
        if (node.vcpus == here.vcpus if big else node.family is not None and node.family == here.family)
    ]
    order = sorted(alike, key=lambda other: (known[other].vcpus, known[other].memory or 0.0, other))
    return order if len(order) > 1 else sorted(known)


def names_for(document: Document, row: Row) -> list[str]:
    """Return what may be suggested for a field."""
    if row.field is None:
        return []
    topology, words = document.topology, list(row.field.choices)
    if row.field.kind == "switch":
        return ["true", "false"]
    if row.field.refers == "tier":
        own = row.path[1] if row.path[:1] == ("components",) else None
        return [*words, *(name for name in topology.components if name != own)]
    if row.field.refers == "node type":
        return [*words, *candidates(topology.node_types, topology.currency)]
    return [*words, *topology.workload.classes] if row.field.refers == "request class" else words


def pinned(session: Session, row: Row) -> Session | None:
    """Return the session with a count written into the file, or given back to the plan; None for other fields."""
    if row.count is not None:
        edited = with_value(session.now.document, row.path, row.count)
        return session.edited(edited.document, f"pin {edited.name}")
    tier = session.now.document.topology.components.get(str(row.path[1])) if len(row.path) == 3 else None
    if tier is None or row.path[0] != "components" or tier.counted != row.path[2] or tier.host is not None:
        return None
    if not isinstance(row.value, int):
        return None
    edited = without_value(session.now.document, row.path)
    after = session.edited(edited.document, f"unpin {edited.name.removeprefix('remove ')}")
    # The plan has not been asked yet: what was pinned stays until it is.
    return replace(after, now=replace(after.now, counts={**after.now.counts, str(row.path[1]): row.value}))


def said(error: DocumentError, path: KeyPath) -> str:
    """Return the first problem in words; its place only where it is another one."""
    problem = replace(error.problems[0], source="", line=None, column=None)
    return (replace(problem, path=()) if problem.path == path else problem).text()
