"""Files: load, override, validate, point at the bad line. A file is data; nothing in it is ever evaluated."""

from __future__ import annotations

import copy
import re
import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import msgspec

from capacity.checks import check, dangling
from capacity.decode import Decoder, Rejected, nearest
from capacity.errors import DocumentError, KeyPath, Problem, UsageError, ascii_quoted, show_path
from capacity.pricing import as_values
from capacity.reading import STDIN, literal, placed, read, toml
from capacity.topology import Topology
from capacity.units import Uncertain
from models.remembered import Same, remembered

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from capacity.books import Book
    from capacity.decode import Decoded


@dataclass(frozen=True)
class Document:
    """A validated file: its topology, and its values as the user wrote them, for export.

    The topology's node types are those of the file and of the price book that it was read with.
    """

    source: str
    topology: Topology
    values: dict[str, Any]
    load_factor: float
    book: Book | None = None
    """The price book that it was read with, which an edit is checked against as well."""
    parts: Mapping[str | int, Decoded] = field(default_factory=dict, repr=False, compare=False)
    """What was read from each table of the values: an edit reads again what it changes."""


def load(source: str, overrides: Sequence[str] = (), load_factor: float = 1.0, book: Book | None = None) -> Document:
    """Return the document of a path, or of standard input for "-", with `key.path=value` overrides applied.

    The topology knows the node types of the user's price book as well; the file's own win. Raises DocumentError with
    all problems of the file, or UsageError for an override that makes no sense.
    """
    return parse(read(source), "<stdin>" if source == STDIN else source, overrides, load_factor, book)


def parse(
    text: str, source: str, overrides: Sequence[str] = (), load_factor: float = 1.0, book: Book | None = None
) -> Document:
    """Return the document of a TOML text."""
    values = toml(text, source)
    if not values:
        cure = "a [workload] with classes and [components]; `capacity init FILE` writes one to start from"
        raise DocumentError([Problem((), "is empty", allowed=cure, source=source)])
    given = {tuple(_override(values, override)): override for override in overrides}
    try:
        return from_values(values, source, load_factor, book)
    except DocumentError as error:
        raise DocumentError(placed(error.problems, text, source, given)) from None


def from_values(
    values: dict[str, Any],
    source: str,
    load_factor: float = 1.0,
    book: Book | None = None,
    before: Mapping[str | int, Decoded] = {},
) -> Document:
    """Return the document of values as a file has them; raises DocumentError with problems that have no line yet.

    `before` are the parts of a document of which these values are an edit.
    """
    decoder = Decoder(before)
    topology = _topology(decoder, values)
    decoder.problems += dangling(decoder.references, values, book.node_types if book is not None else ())
    if topology is not None and not decoder.problems:
        topology = scaled(_with_book(topology, book), load_factor)
        decoder.problems += check(topology)
    if topology is None or decoder.problems:
        raise DocumentError(decoder.problems)
    return Document(source, topology, values, load_factor, book, decoder.parts)


def _topology(decoder: Decoder, values: dict[str, Any]) -> Topology | None:
    try:
        return decoder.struct(Topology, values)
    except Rejected:
        return None


def _with_book(topology: Topology, book: Book | None) -> Topology:
    """Return the topology with the node types of a price book beside its own, which win."""
    if book is None:
        return topology
    node_types = {**book.in_currency(topology.currency), **topology.node_types}
    return msgspec.structs.replace(topology, node_types=node_types)


def scaled(topology: Topology, factor: float) -> Topology:
    """Return the topology with every class's rate multiplied."""
    if factor == 1:
        return topology
    classes = {
        name: msgspec.structs.replace(c, rate=times(c.rate, factor)) for name, c in topology.workload.classes.items()
    }
    return msgspec.structs.replace(topology, workload=msgspec.structs.replace(topology.workload, classes=classes))


def times(number: float, factor: float) -> float:
    """Return a number of the file multiplied, its range with it."""
    if isinstance(number, Uncertain):
        return Uncertain(number.low * factor, float(number) * factor, number.high * factor)
    return number * factor


def _written(number: float) -> float | str:
    """Return a rate of the topology as a file would have it."""
    return f"{number.low}..{float(number)}..{number.high}/s" if isinstance(number, Uncertain) else float(number)


_CERTAIN: Final = frozenset({float, int, str, bool, type(None)})
"""Types of values that are no interval and hold none; an interval is a float of a type of its own."""


def uncertain_fields(value: object) -> Sequence[tuple[KeyPath, Uncertain]]:
    """Return every interval in a struct with its key path."""
    if isinstance(value, Uncertain):
        return [((), value)]
    if isinstance(value, msgspec.Struct):
        return _uncertain_in(Same(value))
    parts: Iterable[tuple[str | int, object]] = ()
    if isinstance(value, dict):
        parts = value.items()
    elif isinstance(value, list):
        parts = enumerate(value)
    return _uncertain_parts(parts)


@remembered(2048)
def _uncertain_in(struct: Same[msgspec.Struct]) -> Sequence[tuple[KeyPath, Uncertain]]:
    """Return the intervals in a struct; at a keystroke nearly all of a file is what it was before."""
    value = struct.value
    return _uncertain_parts([(name, getattr(value, name)) for name in value.__struct_fields__ if name != "plan"])


def _uncertain_parts(parts: Iterable[tuple[str | int, object]]) -> Sequence[tuple[KeyPath, Uncertain]]:
    inside = [(key, part) for key, part in parts if type(part) not in _CERTAIN]
    return [((key, *path), found) for key, part in inside for path, found in uncertain_fields(part)]


def exported(document: Document, counts: dict[str, dict[str, int]]) -> dict[str, Any]:
    """Return the user's values with counts filled in and the load applied, ready to be written as TOML.

    What is written loads without a price book: the node types that tiers took from one are written as the file's own.
    """
    values = {key: copy.deepcopy(value) for key, value in document.values.items() if key != "plan"}
    for name, fields in counts.items():
        values["components"][name].update(fields)
    if document.load_factor != 1:
        for name, c in document.topology.workload.classes.items():
            values["workload"]["classes"][name]["rate"] = _written(c.rate)
    borrowed = _borrowed(document)
    if borrowed:
        values["node_types"] = {**values.get("node_types", {}), **borrowed}
    return values


def _borrowed(document: Document) -> dict[str, dict[str, Any]]:
    """Return the node types on which tiers stand and which the file owes to a price book, as values of a file."""
    known, own = document.topology.node_types, document.values.get("node_types", {})
    used = dict.fromkeys(tier.node for tier in document.topology.components.values() if tier.node is not None)
    return {name: as_values(known[name]) for name in used if name in known and name not in own}


def _override(values: dict[str, Any], override: str) -> list[str]:
    """Apply one `key.path=value` to parsed TOML; return its path."""
    key, equals, text = override.partition("=")
    if not equals or not key.strip():
        raise UsageError(f"--set {override}: write KEY.PATH=VALUE, like components.app.nodes=4")
    try:
        override.encode()
        path = _dotted(re.sub(r"\[(\d+)\]", r".\1", key.strip()))
        value = literal(text.strip())
    except (ValueError, RecursionError) as error:
        raise UsageError(f"--set {override[:200]}: {error or 'nested too deeply'}") from error
    if len(path) > 1 and path[0] not in values and path[0] in values.get("components", {}):
        raise UsageError(f"--set {override}: did you mean components.{key}?")
    table: Any = values
    for i, part in enumerate(path[:-1]):
        if isinstance(table, dict) and part not in table and i == 1 and path[0] in ("components", "node_types"):
            near = nearest(part, table)
            hint = f"; did you mean {near}?" if near else f"; there are {', '.join(table)}"
            raise UsageError(f"--set {override}: there is no {show_path(tuple(path[: i + 1]))}{hint}")
        table = _inside(table, part, override)
    if isinstance(table, list):
        table[_position(table, path[-1], override)] = value
    elif isinstance(table, dict):
        table[path[-1]] = value
    else:
        raise UsageError(f"--set {override}: {show_path(tuple(path[:-1]))} is not a table")
    return path


def key_path(values: dict[str, Any], key: str, option: str) -> KeyPath:
    """Return the key path that a dotted key of the command line names; positions in lists are numbers.

    Raises UsageError where a table on the way does not exist, or the key is none.
    """
    try:
        parts = _dotted(re.sub(r"\[(\d+)\]", r".\1", key))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{option} {ascii_quoted(key)}: {error or 'nested too deeply'}") from error
    path: list[str | int] = []
    here: Any = values
    for part in parts:
        step = _position(here, part, key) if isinstance(here, list) else part
        if not isinstance(here, list | dict) or (isinstance(here, dict) and part not in here and len(path) < 2):
            raise UsageError(f"{option} {ascii_quoted(key)}: there is no {show_path((*path, part))}")
        here = here.get(part, {}) if isinstance(here, dict) else here[int(step)]
        path.append(step)
    return tuple(path)


def _inside(table: Any, part: str, override: str) -> Any:
    if isinstance(table, list):
        return table[_position(table, part, override)]
    if isinstance(table, dict):
        return table.setdefault(part, {})
    raise UsageError(f"--set {override}: {part} is not in a table")


def _position(table: list[Any], part: str, override: str) -> int:
    if part.isascii() and part.isdigit() and int(part) < len(table):
        return int(part)
    raise UsageError(f"--set {override}: {part} is not a position from 0 to {len(table) - 1}")


def _dotted(key: str) -> list[str]:
    """Return the parts of a dotted TOML key."""
    parts: list[str] = []
    parsed: Any = tomllib.loads(f"{key} = 0")
    while isinstance(parsed, dict):
        if len(parsed) != 1:
            raise ValueError("not the name of one key")
        ((part, parsed),) = parsed.items()
        parts.append(part)
    return parts
