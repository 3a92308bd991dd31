"""JSON Schema of the file, from the structs that read it, so that editors complete and check it."""

from __future__ import annotations

from typing import Any

import msgspec

from capacity.components import kinds
from capacity.topology import Topology


def json_schema() -> dict[str, Any]:
    """Return a JSON Schema (2020-12) of a topology; the kinds of tier are told apart by `kind`."""
    known = kinds()
    (top,), definitions = msgspec.json.schema_components([Topology], ref_template="#/$defs/{name}")
    _, rooms = msgspec.json.schema_components(list(known.values()), ref_template="#/$defs/{name}")
    definitions = {**definitions, **rooms}
    definitions.pop("Tier", None)
    topology = definitions["Topology"]
    topology["additionalProperties"] = False
    topology["properties"]["components"]["additionalProperties"] = {
        "anyOf": [{"$ref": f"#/$defs/{kind.__name__}"} for kind in known.values()],
        "discriminator": {"propertyName": "kind"},
    }
    _allow_units(definitions)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "capacity topology",
        **top,
        "$defs": dict(sorted(definitions.items())),
    }


def _allow_units(value: Any) -> None:
    """Let every quantity be a number in base units or a string with its unit."""
    if isinstance(value, list):
        for part in value:
            _allow_units(part)
    elif isinstance(value, dict):
        if value.pop("quantity", None):
            value["type"] = ["number", "string"]
        for part in value.values():
            _allow_units(part)
