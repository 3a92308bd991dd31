from __future__ import annotations

import math
import tomllib
from contextlib import suppress
from copy import deepcopy
from typing import Any

import tomli_w
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from capacity.document import Document, parse
from capacity.errors import DocumentError, UsageError
from capacity.plan import as_given
from capacity.render import csv_of, json, markdown, text
from capacity.report import sections
from capacity.results import to_builtins
from tests.capacity.marked import SYSTEM
from tests.capacity.running import EXAMPLES, capacity, strict_json

SHOP = (EXAMPLES / "shop.toml").read_text(encoding="utf-8")
VALUES = tomllib.loads(SHOP)

Path = tuple[str | int, ...]


def fuzz(examples: int) -> settings:
    """Return settings that are the same on every run and take seconds."""
    return settings(max_examples=examples, suppress_health_check=[HealthCheck.too_slow])


def paths(value: object, above: Path = ()) -> list[Path]:
    """Return the path of every key and position."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path for key, part in parts for path in [(*above, key), *paths(part, (*above, key))]]


def read(text: str, *overrides: str) -> Document | None:
    """Return the document, or None for an error that says where and what; anything else is a failure."""
    try:
        return parse(text, "f.toml", overrides)
    except DocumentError as error:
        found = error.problems
    assert found
    for problem in found:
        assert problem.text().startswith(("f.toml", "--set "))
        assert "\n" not in problem.text()
        assert problem.line is None or problem.line <= text.count("\n") + 1
    return None


def numbers(value: object) -> list[float]:
    """Return every number in plain values."""
    if isinstance(value, dict | list):
        return [n for part in (value.values() if isinstance(value, dict) else value) for n in numbers(part)]
    return [value] if isinstance(value, int | float) else []


def assert_evaluates(document: Document) -> None:
    """Check that a document has an evaluation of finite numbers, and that each format can write it."""
    evaluation = as_given(document.topology).evaluation
    # JSON would hide them: the encoder writes NaN and infinity as null.
    assert all(map(math.isfinite, numbers(to_builtins(evaluation))))
    strict_json(json(to_builtins(evaluation)))
    shown = [text(sections(evaluation)), markdown(sections(evaluation)), csv_of(evaluation)]
    assert not any(word in part.split() for part in shown for word in ("nan", "inf", "None"))


SPELLINGS = st.sampled_from(list("abwe.\"[]{}=,#\n\t '\\-_0159%/µ数🚀\x1b\r\x00")).map(str)


# Any text is a topology or an error with its place.
@fuzz(300)
@given(st.text() | st.lists(SPELLINGS, max_size=40).map("".join))
@example("\ufeff")
def test_any_text(text: str) -> None:
    read(text)


# Any bytes on standard input end with an exit code that has a meaning, never with a bug.
@fuzz(150)
@given(st.binary(max_size=200))
def test_any_bytes(content: bytes) -> None:
    ended = capacity("check", "-", stdin=content)
    assert (ended.code, ended.out) == (2, "")


EDITS = st.lists(
    st.tuples(st.integers(0, len(SHOP)), st.integers(0, 30), SPELLINGS | st.text(max_size=3)), min_size=1, max_size=4
)


# A shop that somebody's cat has walked over is a topology or an error with its place.
@fuzz(120)
@given(EDITS)
def test_a_mutated_file(edits: list[tuple[int, int, str]]) -> None:
    mutated = SHOP
    for start, length, put in edits:
        mutated = mutated[:start] + put + mutated[start + length :]
    document = read(mutated)
    if document is not None:
        assert_evaluates(document)


LINES = SHOP.splitlines(keepends=True)


# Nor do lines that are lost, doubled or moved elsewhere do more than that.
@fuzz(150)
@given(st.lists(st.tuples(st.integers(0, len(LINES) - 1), st.integers(0, len(LINES)), st.integers(0, 2)), max_size=4))
def test_moved_lines(moves: list[tuple[int, int, int]]) -> None:
    lines = list(LINES)
    for source, target, kind in moves:
        line = lines[source % len(lines)]
        if kind != 1:
            lines.remove(line)
        if kind != 0:
            lines.insert(target, line)
    document = read("".join(lines))
    if document is not None:
        assert_evaluates(document)


QUANTITY = st.one_of(
    st.integers(-2, 10),
    st.sampled_from([0, 1, 1_000, 1_000_000, 10**9, 10**18, -1, -1e300, math.nan, math.inf]),
    st.floats(0.001, 1) | st.floats(-1e6, 0),
    st.builds(
        "{}{}".format,
        st.integers(0, 2000),
        st.sampled_from(["", "ms", "s", "us", "d", "GiB", "B", "/s", "/d", "%", "%/month"]),
    ),
    st.builds("{}..{}ms".format, st.integers(0, 50), st.integers(0, 50)),
)
WORD = st.sampled_from(
    [*VALUES["components"], "browse", "checkout", "auto", "random", "primary", "any", "sync", "lfu", "reject", ""]
)
ANYTHING = st.recursive(
    QUANTITY | WORD | st.booleans() | st.text(max_size=5) | st.dates() | st.floats(),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(max_size=3) | WORD, part, max_size=3),
    max_leaves=4,
)
PLACES = paths(VALUES)
FIELDS = [path for path in PLACES if not isinstance(path[-1], int) and path[0] in ("workload", "slo", "components")]


def changed(path: Path, value: object) -> dict[str, Any]:
    """Return the shop with another value at a path."""
    values = deepcopy(VALUES)
    table: Any = values
    for key in path[:-1]:
        table = table[key]
    table[path[-1]] = value
    return values


# Any value at any place of the shop is accepted or refused; what is accepted has an evaluation.
@fuzz(150)
@given(st.sampled_from(PLACES), ANYTHING)
def test_any_value_anywhere(path: Path, value: object) -> None:
    document = read(tomli_w.dumps(changed(path, value)))
    if document is not None:
        assert_evaluates(document)


# A quantity in place of another is accepted more often: every accepted one has an evaluation of finite numbers.
@fuzz(150)
@given(st.sampled_from(FIELDS), QUANTITY | WORD)
def test_any_quantity_at_a_field(path: Path, value: object) -> None:
    document = read(tomli_w.dumps(changed(path, value)))
    if document is not None:
        assert_evaluates(document)


# Any text as an override is an override, an error of usage or a problem of the file.
@fuzz(200)
@given(st.text(max_size=20) | st.lists(SPELLINGS, max_size=20).map("".join), st.text(max_size=8) | QUANTITY.map(str))
def test_any_override(key: str, value: str) -> None:
    with suppress(UsageError):
        read(SYSTEM, f"{key}={value}")
