from __future__ import annotations

import copy
import difflib
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
import tomli_w
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from capacity.examples import names
from capacity.examples import text as example_text
from capacity.merging import same
from capacity.rewriting import rewritten

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capacity.errors import KeyPath


def leaves(value: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    if isinstance(value, dict | list):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(part, (*path, key))
    else:
        yield path, value


def with_leaf(values: dict[str, Any], path: KeyPath, value: Any) -> dict[str, Any]:
    found = copy.deepcopy(values)
    table: Any = found
    for key in path[:-1]:
        table = table[key]
    table[path[-1]] = value
    return found


def another(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    return value * 2 + 1 if isinstance(value, int | float) else f'{value} "\\ é'


def changed_lines(before: str, after: str) -> tuple[list[str], list[str]]:
    found = [line for line in difflib.ndiff(before.split("\n"), after.split("\n")) if line[0] in "+-"]
    return [line[2:] for line in found if line[0] == "-"], [line[2:] for line in found if line[0] == "+"]


# Changing any one value of an example touches its line only: every other byte stays, with either kind of line end.
@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("name", names())
def test_one_value_one_line(name: str, newline: str) -> None:
    text = example_text(name).replace("\n", newline)
    values = tomllib.loads(text)
    for path, value in leaves(values):
        wanted = with_leaf(values, path, another(value))
        before, after = text.split("\n"), rewritten(text, wanted).split("\n")
        assert len(before) == len(after)
        differing = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
        assert len(differing) == 1, path
        old, new = differing[0]
        assert old.partition("=")[0] == new.partition("=")[0]
        assert old[old.rfind(" #") :] == new[new.rfind(" #") :] or " #" not in old


# Values that did not change leave the text as it is.
@pytest.mark.parametrize("name", names())
def test_nothing_changed(name: str) -> None:
    text = example_text(name)
    assert rewritten(text, tomllib.loads(text)) == text


# A renamed table keeps its place, its values and its comments: only its header is another one.
@pytest.mark.parametrize("new", ["b", "new name", "a.b", 'quo"ted', "ä"])
@pytest.mark.parametrize("name", names())
def test_a_renamed_tier_keeps_its_place(name: str, new: str) -> None:
    text = example_text(name)
    values = tomllib.loads(text)
    for tier in values["components"]:
        tiers = {new if key == tier else key: part for key, part in values["components"].items()}
        result = rewritten(text, {**values, "components": tiers})
        gone, come = changed_lines(text, result)
        assert [line.partition("]")[0] for line in gone] == [f"[components.{tier}"]
        assert len(come) == 1
        assert list(tomllib.loads(result)["components"]) == list(tiers)


# A removed tier takes its own lines along, and nothing else.
@pytest.mark.parametrize("name", names())
def test_a_removed_tier(name: str) -> None:
    text = example_text(name)
    values = tomllib.loads(text)
    for tier in values["components"]:
        tiers = {key: part for key, part in values["components"].items() if key != tier}
        gone, come = changed_lines(text, rewritten(text, {**values, "components": tiers}))
        assert come == []
        assert next(line for line in gone if line.startswith("[")).startswith(f"[components.{tier}]")
        assert sum(line.startswith("[") for line in gone) == 1


CASES: dict[str, tuple[str, dict[str, Any], str]] = {
    "digits stay in groups": ("a = 2_000_000 # many\n", {"a": 3000000}, "a = 3_000_000 # many\n"),
    "a new key comes after the one before it": ("a = 1 # x\nc = 3\n", {"a": 1, "b": 2, "c": 3}, "a = 1 # x\nb = 2\nc = 3\n"),
    "no line end at the end": ("a = 1", {"a": 1, "b": 2}, "a = 1\nb = 2"),
    "an inline table stays inline": ("a = { x = 1 }  # y\n", {"a": {"x": 1, "z": 2}}, "a = { x = 1, z = 2 }  # y\n"),
    "an inline table loses a key": ("a = { x = 1, z = 2 }\n", {"a": {"x": 1}}, "a = { x = 1 }\n"),
    "dotted keys stay dotted": ("a.x = 1\nb = 2\n", {"a": {"x": 1, "y": 3}, "b": 2}, "a.x = 1\na.y = 3\nb = 2\n"),
    "an item on a line of its own": (
        "a = [\n  { t = 1 }, # one\n  { t = 2 },\n]\n",
        {"a": [{"t": 1}, {"t": 2}, {"t": 3}]},
        "a = [\n  { t = 1 }, # one\n  { t = 2 },\n  { t = 3 },\n]\n",
    ),
    "an item after one without a comma": ("a = [\n  1,\n  2 # two\n]\n", {"a": [1, 2, 3]}, "a = [\n  1,\n  2, # two\n  3\n]\n"),
    "the first item goes with its comment": ("a = [\n  1, # one\n  2, # two\n]\n", {"a": [2]}, "a = [\n  2, # two\n]\n"),
    "arrays of tables grow": ("[[a]]\nx = 1\n", {"a": [{"x": 1}, {"x": 2}]}, "[[a]]\nx = 1\n\n[[a]]\nx = 2\n"),
    "arrays of tables shrink": ("[[a]]\nx = 1 # one\n\n[[a]]\nx = 2 # two\n", {"a": [{"x": 2}]}, "[[a]]\nx = 2 # two\n"),
    "a table that had no header": ("[a.b]\nx = 1\n", {"a": {"b": {"x": 1}, "y": 2}}, "[a]\ny = 2\n\n[a.b]\nx = 1\n"),
    "the comment above a table goes with it": ("x = 1\n\n# about a\n[a]\ny = 1\n\n# about b\n[b]\n", {"x": 1, "b": {}}, "x = 1\n\n# about b\n[b]\n"),
    "a new table comes after its neighbour": (
        "[c.a]\nx = 1\n# y = 2\n\n# about d\n[d]\n",
        {"c": {"a": {"x": 1}, "b": {"x": 3}}, "d": {}},
        "[c.a]\nx = 1\n# y = 2\n\n[c.b]\nx = 3\n\n# about d\n[d]\n",
    ),
    "CRLF": ("[a]\r\nx = 1\r\n", {"a": {"x": 1}, "b": {"y": 2}}, "[a]\r\nx = 1\r\n\r\n[b]\r\ny = 2\r\n"),
    "1 becomes 1.0 and true": ("a = [1, 1]\n", {"a": [1.0, True]}, "a = [1.0, true]\n"),
    "a # in a string is no comment": ('[a]\nx = """\n# no"""\n[b]\n', {"a": {"x": "# no"}}, '[a]\nx = """\n# no"""\n'),
}  # fmt: skip


# Each way to write a value in TOML stays that way.
@pytest.mark.parametrize("case", CASES)
def test_style_stays(case: str) -> None:
    text, values, wanted = CASES[case]
    assert rewritten(text, values) == wanted


KEYS = st.sampled_from(["a", "b", "c", "long-key", "x y", "a.b", '"', "é", ""])
SCALARS = st.one_of(
    st.integers(-(10**6), 10**6), st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.text(max_size=6)
)
VALUES = st.recursive(
    SCALARS, lambda part: st.lists(part, max_size=3) | st.dictionaries(KEYS, part, max_size=3), max_leaves=8
)
TABLES = st.dictionaries(KEYS, VALUES, max_size=4)


def shortened(values: Any) -> Any:
    """Return values whose text has no surrogates, which no file can hold."""
    return tomllib.loads(tomli_w.dumps(values))


# Whatever the file says and whatever it shall say, it says it afterwards, and its comments on untouched lines stay.
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(TABLES, TABLES, st.sampled_from(["\n", "\r\n"]))
@example({"a": {"b": 1}}, {"a": 1}, "\n")
@example({"a": [{"b": 1}, {"c": 2}]}, {"a": [3]}, "\n")
def test_any_values_from_any_values(old: dict[str, Any], new: dict[str, Any], newline: str) -> None:
    text = "# first\n\n" + tomli_w.dumps(old) + "\n# last\n"
    text = text.replace("\n", newline)
    result = rewritten(text, shortened(new))
    assert same(tomllib.loads(result), shortened(new))
    assert "# first" in result
    assert "# last" in result


# Every one of several edits of a real file is written, whatever their order.
@settings(max_examples=60)
@given(st.data())
def test_random_edits_of_the_shop(data: st.DataObject) -> None:
    text = example_text("shop")
    values: Any = tomllib.loads(text)
    for _ in range(data.draw(st.integers(1, 4))):
        tables = [(path, part) for path, part in containers(values) if part]
        _, table = data.draw(st.sampled_from(tables))
        keys = list(table) if isinstance(table, dict) else list(range(len(table)))
        key = data.draw(st.sampled_from(keys))
        action = data.draw(st.sampled_from(["remove", "change", "add", "copy"]))
        if action == "remove":
            del table[key]
        elif action == "change":
            table[key] = data.draw(SCALARS)
        elif isinstance(table, list):
            table.insert(key, copy.deepcopy(table[key]) if action == "copy" else data.draw(VALUES))
        else:
            table[data.draw(KEYS)] = copy.deepcopy(table[key]) if action == "copy" else data.draw(VALUES)
    wanted = shortened(values)
    assert same(tomllib.loads(rewritten(text, wanted)), wanted)


def containers(value: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    if isinstance(value, dict | list):
        yield path, value
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from containers(part, (*path, key))
