from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from capacity.components import kinds
from capacity.components.base import Call, Tier
from capacity.components.replication import Replication
from capacity.pricing import NodeType
from capacity.schema import json_schema
from capacity.topology import LatencyGoal, Objectives, RequestClass, Resilience, Topology, Workload
from tests.capacity.running import EXAMPLES, capacity, strict_json

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCHEMA = json_schema()
DEFINITIONS: dict[str, Any] = SCHEMA["$defs"]
PARTS: list[type[msgspec.Struct]] = [
    Topology, Workload, RequestClass, Objectives, LatencyGoal, Resilience, NodeType, Call, Replication, *kinds().values()
]  # fmt: skip


def below(value: object) -> Iterator[dict[str, Any]]:
    """Yield every table in a schema."""
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if isinstance(value, dict):
        yield value
    for part in parts:
        yield from below(part)


# What the command writes is JSON, the schema itself, and the same every time.
def test_the_command_writes_it() -> None:
    first, second = capacity("schema"), capacity("schema")
    assert first.out == second.out
    assert strict_json(first.out) == strict_json(msgspec.json.encode(SCHEMA).decode())


# It says which JSON Schema it is, for editors that ask.
def test_it_says_what_it_is() -> None:
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"


# Every struct of the file has its fields in the schema, no more and no fewer, with what is required.
@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__)
def test_fields(part: type[msgspec.Struct]) -> None:
    definition = DEFINITIONS[part.__name__]
    fields = msgspec.structs.fields(part)
    tag = {"kind"} if issubclass(part, Tier) else set()
    assert set(definition["properties"]) == {field.name for field in fields} | tag
    assert set(definition.get("required", ())) == {field.name for field in fields if field.required} | tag
    assert definition["additionalProperties"] is False, "an unknown key is an error in the file too"


# A tier is one of the kinds that exist, told apart by the word that the file uses.
def test_kinds() -> None:
    offered = DEFINITIONS["Topology"]["properties"]["components"]["additionalProperties"]
    names = [reference["$ref"].rpartition("/")[2] for reference in offered["anyOf"]]
    assert offered["discriminator"] == {"propertyName": "kind"}
    assert {DEFINITIONS[name]["properties"]["kind"]["enum"][0] for name in names} == set(kinds())
    assert len(names) == len(kinds())


# Every reference leads to a definition, and every definition is referred to.
def test_references() -> None:
    references = {table["$ref"] for table in below(SCHEMA) if isinstance(table.get("$ref"), str)}
    assert references == {f"#/$defs/{name}" for name in DEFINITIONS}


# A quantity says in words what it may be, with an example.
def test_quantities() -> None:
    assert 'like "1200/s"' in DEFINITIONS["RequestClass"]["properties"]["rate"]["description"]
    assert all("description" in table for table in below(SCHEMA) if table.get("type") == "number")


# Fields of the examples, which run, are fields of the schema.
@pytest.mark.parametrize("path", sorted(EXAMPLES.rglob("*.toml")), ids=lambda path: path.stem)
def test_examples_use_known_fields(path: Path) -> None:
    values = tomllib.loads(path.read_text(encoding="utf-8"))
    assert set(values) <= set(DEFINITIONS["Topology"]["properties"])
    for tier in values["components"].values():
        assert set(tier) <= set(DEFINITIONS[kinds()[tier["kind"]].__name__]["properties"])
