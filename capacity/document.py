"""Files: load, override, validate, point at the bad line. A file is data; nothing in it is ever evaluated."""

from __future__ import annotations

import copy
import re
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from capacity.checks import check, dangling
from capacity.decode import Decoder, Rejected, nearest
from capacity.errors import DocumentError, KeyPath, Problem, UsageError, ascii_quoted, show_path
from capacity.topology import Topology
from capacity.units import Uncertain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST_BYTES: Final = 8 * 1024 * 1024
"""A topology of a thousand tiers is a tenth of this."""

STDIN: Final = "-"


@dataclass(frozen=True)
class Document:
    """A validated file: its topology, and its values as the user wrote them, for export."""

    source: str
    topology: Topology
    values: dict[str, Any]
    load_factor: float


def load(source: str, overrides: Sequence[str] = (), load_factor: float = 1.0) -> Document:
    """Return the document of a path, or of standard input for "-", with `key.path=value` overrides applied.

    Raises DocumentError with all problems of the file, or UsageError for an override that makes no sense.
    """
    return parse(read(source), "<stdin>" if source == STDIN else source, overrides, load_factor)


def read(source: str) -> str:
    """Return the text of a path or of standard input."""
    try:
        data = _bytes(source)
    except OSError as error:
        reason = error.strerror or str(error)
        raise DocumentError([Problem((), f"cannot be read: {reason}", source=source)]) from error
    except ValueError as error:
        raise DocumentError([Problem((), f"cannot be read: {error}", source=ascii_quoted(source))]) from error
    if len(data) > MOST_BYTES:
        allowed = f"at most {MOST_BYTES // 1024**2} MiB"
        raise DocumentError(
            [Problem((), "is too large for a topology", f"{len(data):,} bytes", allowed, source=source)]
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        problem = Problem((), "is not text in UTF-8", f"byte 0x{data[error.start]:02x}", "a TOML file", source=source)
        raise DocumentError([problem.placed(source, line, None)]) from error


def _bytes(source: str) -> bytes:
    if source == STDIN:
        return sys.stdin.buffer.read(MOST_BYTES + 1)
    with Path(source).open("rb") as file:
        return file.read(MOST_BYTES + 1)


def parse(text: str, source: str, overrides: Sequence[str] = (), load_factor: float = 1.0) -> Document:
    """Return the document of a TOML text."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DocumentError([_syntax_problem(str(error), source, text)]) from error
    except (RecursionError, ValueError) as error:
        raise DocumentError([Problem((), f"is not TOML: {type(error).__name__}", source=source)]) from error
    if not values:
        cure = "a [workload] with classes and [components]; `capacity init FILE` writes one to start from"
        raise DocumentError([Problem((), "is empty", allowed=cure, source=source)])
    given = {tuple(_override(values, override)): override for override in overrides}
    decoder = Decoder()
    topology = _topology(decoder, values)
    decoder.problems += dangling(decoder.references, values)
    if topology is not None and not decoder.problems:
        topology = scaled(topology, load_factor)
        decoder.problems += check(topology)
    if topology is None or decoder.problems:
        raise DocumentError(_placed(decoder.problems, text, source, given))
    return Document(source, topology, values, load_factor)


def _topology(decoder: Decoder, values: dict[str, Any]) -> Topology | None:
    try:
        return decoder.struct(Topology, values)
    except Rejected:
        return None


def scaled(topology: Topology, factor: float) -> Topology:
    """Return the topology with every class's rate multiplied."""
    if factor == 1:
        return topology
    classes = {
        name: msgspec.structs.replace(c, rate=_times(c.rate, factor)) for name, c in topology.workload.classes.items()
    }
    return msgspec.structs.replace(topology, workload=msgspec.structs.replace(topology.workload, classes=classes))


def _times(number: float, factor: float) -> float:
    if isinstance(number, Uncertain):
        return Uncertain(number.low * factor, float(number) * factor, number.high * factor)
    return number * factor


def _written(number: float) -> float | str:
    """Return a rate of the topology as a file would have it."""
    return f"{number.low}..{float(number)}..{number.high}/s" if isinstance(number, Uncertain) else float(number)


def uncertain_fields(value: object, path: KeyPath = ()) -> list[tuple[KeyPath, Uncertain]]:
    """Return every interval in a struct with its key path."""
    if isinstance(value, Uncertain):
        return [(path, value)]
    if isinstance(value, msgspec.Struct):
        parts = [(name, getattr(value, name)) for name in value.__struct_fields__ if name != "plan"]
        return [found for name, part in parts for found in uncertain_fields(part, (*path, name))]
    if isinstance(value, dict):
        return [found for name, part in value.items() for found in uncertain_fields(part, (*path, name))]
    if isinstance(value, list):
        return [found for i, part in enumerate(value) for found in uncertain_fields(part, (*path, i))]
    return []


def exported(document: Document, counts: dict[str, dict[str, int]]) -> dict[str, Any]:
    """Return the user's values with counts filled in and the load applied, ready to be written as TOML."""
    values = {key: copy.deepcopy(value) for key, value in document.values.items() if key != "plan"}
    for name, fields in counts.items():
        values["components"][name].update(fields)
    if document.load_factor != 1:
        for name, c in document.topology.workload.classes.items():
            values["workload"]["classes"][name]["rate"] = _written(c.rate)
    return values


def _override(values: dict[str, Any], override: str) -> list[str]:
    """Apply one `key.path=value` to parsed TOML; return its path."""
    key, equals, text = override.partition("=")
    if not equals or not key.strip():
        raise UsageError(f"--set {override}: write KEY.PATH=VALUE, like components.app.nodes=4")
    try:
        override.encode()
        path = _dotted(re.sub(r"\[(\d+)\]", r".\1", key.strip()))
        value = _literal(text.strip())
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


def _literal(text: str) -> Any:
    """Return a TOML value; what is none is a string, so that 12ms needs no quotes."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _syntax_problem(message: str, source: str, text: str) -> Problem:
    match = re.search(r"^(.*) \(at line (\d+), column (\d+)\)$", message, re.DOTALL)
    if match is None:
        return Problem((), f"is not TOML: {message[:200]}", source=source)
    what, line, column = " ".join(match[1].split())[:200], int(match[2]), int(match[3])
    if "overwrite" not in what and "twice" not in what:
        return Problem((), f"is not TOML: {what}").placed(source, line, column)
    written = text.splitlines()[line - 1] if line <= len(text.splitlines()) else ""
    key = written.partition("=")[0].strip()
    place = len(written) - len(written.lstrip()) + 1
    return Problem((), "duplicate key", ascii_quoted(key), "each key once").placed(source, line, place)


def _placed(
    problems: Sequence[Problem], text: str, source: str, overrides: Mapping[tuple[str, ...], str]
) -> list[Problem]:
    """Return the problems with their places: line and column, or the override that caused them."""
    from capacity.positions import Positions  # noqa: PLC0415 - only errors pay for the parser

    try:
        positions = Positions(text)
    except RecursionError:
        return [problem.placed(source, None, None) for problem in problems]
    placed = []
    for problem in problems:
        path = tuple(str(key) for key in problem.path)
        override = next((o for start, o in overrides.items() if path[: len(start)] == start), None)
        if override is not None:
            placed.append(problem.placed(f"--set {override}", None, None))
            continue
        line, column = positions.of(problem.path, key=problem.at_key) or (None, None)
        placed.append(problem.placed(source, line, column))
    return sorted(placed, key=lambda p: (p.line or 0, p.column or 0))
