"""From parsed TOML to frozen structs, collecting every problem on the way instead of stopping at the first.

The structs are the schema: their annotations say type, unit and range, and this module walks them.
"""

from __future__ import annotations

import difflib
import types
import typing
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, TypeVar, Union, get_args, get_origin

import msgspec

from capacity.components import kinds
from capacity.components.base import Tier
from capacity.errors import KeyPath, Problem, ascii_quoted
from capacity.units import Unit, UnitError, day_of, parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

T = TypeVar("T", bound=msgspec.Struct)

_TABLE = "a table"


class Rejected(Exception):  # noqa: N818
    """A value that cannot be decoded; the problem is noted already."""


class Reference(NamedTuple):
    """A name in the file that must be the name of something: a tier, a request class, a node type."""

    path: KeyPath
    name: str
    what: str
    at_key: bool


class Decoded(NamedTuple):
    """What was read from a table or a list of a file, with the names that it refers to."""

    given: object
    found: object
    references: tuple[Reference, ...]
    parts: Mapping[str | int, Decoded]
    """The tables and lists in it."""


class Decoder:
    """Turns plain values into structs and notes what is wrong with them in `problems`.

    `before` are the parts of the same file before an edit: those that are the same object are not read again.
    """

    def __init__(self, before: Mapping[str | int, Decoded] = {}) -> None:
        self.problems: list[Problem] = []
        self.references: list[Reference] = []
        self.parts: dict[str | int, Decoded] = {}
        """Tables and lists in what is being read, as far as they were without a problem."""
        self._before = before

    def struct(self, kind: type[T], value: object, path: KeyPath = ()) -> T:
        """Return a struct; raises Rejected when a part of it was wrong."""
        if not isinstance(value, dict):
            self._reject(path, f"must be {_TABLE}", value, _TABLE)
        hints = hints_of(kind)
        tag = "kind" if issubclass(kind, Tier) else None
        fields, wrong = {}, False
        for key, part in value.items():
            if key == tag:
                continue
            if key not in hints:
                self._unknown(path, key, [*hints, *([tag] if tag else [])])
                wrong = True
                continue
            try:
                fields[key] = self.value(hints[key], part, (*path, key))
            except Rejected:
                wrong = True
        for name in _required(kind):
            if name not in value:
                self.problems.append(Problem(path, f"{name} is missing", allowed=_describe(hints[name])))
                wrong = True
        if wrong:
            raise Rejected
        return kind(**fields)

    def value(self, hint: Any, value: object, path: KeyPath) -> object:
        """Return a value of the annotated type."""
        return self._part(hint, value, path) if path and isinstance(value, dict | list) else self._of(hint, value, path)

    def _part(self, hint: Any, value: object, path: KeyPath) -> object:
        """Return a table or a list of the annotated type, the one of before where it is the same."""
        key, around, begun = path[-1], (self._before, self.parts), len(self.references)
        known = self._before.get(key)
        if known is not None and known.given is value:
            self.references += known.references
        else:
            alike = known is not None and _kind(known.given) == _kind(value)  # else its parts were read as others
            self._before, self.parts = known.parts if known is not None and alike else {}, {}
            try:
                found = self._of(hint, value, path)
                known = Decoded(value, found, tuple(self.references[begun:]), self.parts)
            finally:
                self._before, self.parts = around
        self.parts[key] = known
        return known.found

    def _of(self, hint: Any, value: object, path: KeyPath) -> object:
        origin = get_origin(hint)
        if origin is Annotated:
            return self._annotated(hint, value, path)
        if origin in (Union, types.UnionType):
            return self._union([a for a in get_args(hint) if a is not type(None)], value, path)
        if origin is dict:
            name, part = get_args(hint)
            return self._table(name, part, value, path)
        if origin is list:
            return self._list(get_args(hint)[0], value, path)
        if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
            return self._tier(value, path) if issubclass(hint, Tier) else self.struct(hint, value, path)
        if origin is Literal and (not isinstance(value, str) or value not in get_args(hint)):
            self._choice(path, value, [str(a) for a in get_args(hint)])
        if hint in (str, bool, int) and type(value) is not hint:
            self._reject(path, "has the wrong type", value, _describe(hint))
        return value

    def _unknown(self, path: KeyPath, key: str, known: Iterable[str]) -> None:
        """Note a key that means nothing here."""
        self.problems.append(
            Problem((*path, key), "unknown key", allowed=", ".join(known), nearest=nearest(key, known), at_key=True)
        )

    def _annotated(self, hint: Any, value: object, path: KeyPath) -> object:
        base, meta = get_args(hint)
        refers = (meta.extra or {}).get("refers")
        if refers is not None:
            name = self.value(str, value, path)
            self.references.append(Reference(path, str(name), refers, at_key=False))
            return name
        unit = (meta.extra or {}).get("unit")
        if isinstance(unit, Unit):
            try:
                return parse(value, unit)
            except UnitError as error:
                self._reject(path, f"is not {unit.name}", value, error.allowed)
        if "day" in (meta.extra or {}):
            return day_of(value) or self._reject(path, "is no day", value, _describe(hint))
        if base is int:
            allowed = _describe(hint)
            if type(value) is not int:
                self._reject(path, "is not a whole number", value, allowed)
            if not meta.ge <= value <= meta.le:
                self._reject(path, "is out of range", value, allowed)
        return value

    def _union(self, options: list[Any], value: object, path: KeyPath) -> object:
        """Decode by the shape of the value: a table, one of the known words, or else the plain option."""
        words = [o for o in options if get_origin(o) is Literal]
        if words and isinstance(value, str) and value in get_args(words[0]):
            return value
        tables = [o for o in options if get_origin(o) is dict]
        if tables and isinstance(value, dict):
            return self._of(tables[0], value, path)
        plain = next(o for o in options if o not in tables and o not in words)
        if words and isinstance(value, str):
            allowed = ", or ".join(_describe(option) for option in options)
            self._reject(path, "is neither a count nor a known word", value, allowed)
        return self._of(plain, value, path)

    def _table(self, name: Any, hint: Any, value: object, path: KeyPath) -> dict[str, object]:
        if not isinstance(value, dict):
            self._reject(path, f"must be {_TABLE}", value, _TABLE)
        result, wrong = {}, False
        refers = get_args(name)[1].extra["refers"] if get_origin(name) is Annotated else None
        for key, part in value.items():
            if refers is not None:
                self.references.append(Reference((*path, key), key, refers, at_key=True))
            try:
                result[key] = self.value(hint, part, (*path, key))
            except Rejected:
                wrong = True
        if wrong:
            raise Rejected
        return result

    def _list(self, hint: Any, value: object, path: KeyPath) -> list[object]:
        if not isinstance(value, list):
            self._reject(path, "must be a list", value, "a list, like [ … ]")
        result, wrong = [], False
        for i, part in enumerate(value):
            try:
                result.append(self.value(hint, part, (*path, i)))
            except Rejected:
                wrong = True
        if wrong:
            raise Rejected
        return result

    def _tier(self, value: object, path: KeyPath) -> Tier:
        if not isinstance(value, dict):
            self._reject(path, f"must be {_TABLE}", value, _TABLE)
        known = kinds()
        if "kind" not in value:
            self.problems.append(Problem(path, "kind is missing", allowed=", ".join(known)))
            raise Rejected
        if not isinstance(value["kind"], str) or value["kind"] not in known:
            self._choice((*path, "kind"), value["kind"], list(known))
        return self.struct(known[value["kind"]], value, path)

    def _choice(self, path: KeyPath, value: object, allowed: list[str]) -> typing.NoReturn:
        near = nearest(value, allowed) if isinstance(value, str) else None
        self.problems.append(Problem(path, "is not one of these", ascii_quoted(value), ", ".join(allowed), near))
        raise Rejected

    def _reject(self, path: KeyPath, message: str, value: object, allowed: str) -> typing.NoReturn:
        found = ascii_quoted(value) if not isinstance(value, dict | list) else type_name(value)
        self.problems.append(Problem(path, message, found, allowed))
        raise Rejected


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known name that was probably meant."""
    by_lower = {name.lower(): name for name in known}
    found = difflib.get_close_matches(word.lower(), list(by_lower), n=1, cutoff=0.6)
    return by_lower[found[0]] if found else None


def type_name(value: object) -> str:
    """Return what TOML calls the type of a value."""
    names = {dict: "a table", list: "a list", str: "a string", bool: "a boolean", int: "a number", float: "a number"}
    return names.get(type(value), "a date or time")


def _kind(value: object) -> object:
    return value.get("kind") if isinstance(value, dict) else None


@cache
def _required(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    return tuple(field.name for field in msgspec.structs.fields(kind) if field.required)


@cache
def hints_of(kind: type) -> dict[str, Any]:
    """Return the annotation of every field of a struct: its type, unit and range."""
    hints = typing.get_type_hints(kind, include_extras=True)
    return {field.name: hints[field.name] for field in msgspec.structs.fields(kind)}


def _describe(hint: Any) -> str:
    """Say in words what an annotation allows."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _describe_annotated(*arguments)
    if origin in (Union, types.UnionType):
        return ", or ".join(_describe(a) for a in arguments if a is not type(None))
    if origin is Literal:
        return " or ".join(f'"{a}"' for a in arguments)
    if origin is dict:
        return f"a table of such by {_describe(arguments[0])}" if arguments[0] is not str else _TABLE
    return {str: "a string", bool: "true or false", int: "a whole number", list: "a list"}.get(origin or hint, _TABLE)


def _describe_annotated(base: type, meta: msgspec.Meta) -> str:
    if meta.description:
        return meta.description
    if meta.extra and "refers" in meta.extra:
        return f"the name of a {meta.extra['refers']}"
    return f"a whole number from {meta.ge:,} to {meta.le:,}" if base is int else "a number"
