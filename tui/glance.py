"""A file as it is first seen: names, kinds and who calls whom, drawn before anything heavy is loaded.

Only the TOML is read. Numbers, and whether the file is right at all, follow a moment later.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tui.drawing.canvas import Key
from tui.drawing.picture import WORDS, Box, Edge, Fact, Picture
from tui.drawing.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tui.opening import Opening

UNKNOWN: Final = "…"
"""What stands for a number that is not known yet."""


@dataclass(frozen=True)
class Glance:
    """The name of a system, and its tiers and request classes without a number that has to be worked out."""

    name: str
    picture: Picture


class Reading(NamedTuple):
    """A file that is still to be read: what a glance showed of it, and how it is opened."""

    glance: Glance
    open: Callable[[], Opening]


def glanced(path: str) -> Glance | None:
    """Return what a file looks like at first, None for one that does not look like a topology: only a check can tell.

    What is drawn here is not checked: a file with an error may look right until the check is through.
    """
    try:
        values = tomllib.loads(Path(path).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return None
    return seen(values)


def seen(values: dict[str, Any]) -> Glance | None:
    """Return what the values of a file look like, None where they do not look like a topology."""
    tiers, classes = values.get("components"), _table(values.get("workload")).get("classes")
    if not tiers or not classes or not isinstance(tiers, dict) or not isinstance(classes, dict):
        return None
    if not all(isinstance(one, dict) and isinstance(one.get("kind"), str) for one in tiers.values()):
        return None
    entries: list[Any] = [_table(one).get("entry") for one in classes.values()]
    if not all(isinstance(entry, str) and entry in tiers for entry in entries):
        return None
    boxes = [_box(Key("class", name), "class", "users", "") for name in classes]
    boxes += [
        _box(Key("tier", name), tier["kind"], WORDS.get(tier["kind"], tier["kind"]), _where(tier))
        for name, tier in tiers.items()
    ]
    edges: dict[tuple[Key, Key], Edge] = {}
    for name, entry in zip(classes, entries, strict=True):
        ends = Key("class", name), Key("tier", entry)
        edges[ends] = Edge(*ends, "call", None)
    for name, tier in tiers.items():
        for to in _called(tier, tiers):
            ends = Key("tier", name), Key("tier", to)
            if to != name:
                edges.setdefault(ends, Edge(*ends, _kind(tier["kind"], tiers[to]["kind"]), None))
    return Glance(str(values.get("name", "unnamed")), Picture(tuple(boxes), tuple(edges.values())))


def shape(values: dict[str, Any]) -> Picture | None:
    """Return what there is to draw of values while the counts are not known."""
    found = seen(values)
    return None if found is None else found.picture


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _called(tier: dict[str, Any], tiers: dict[str, Any]) -> Iterator[str]:
    """Yield the tiers that a tier names anywhere but as its host: whom it calls, its origin, its consumers."""
    for key, value in tier.items():
        if key in ("kind", "host", "node"):
            continue
        calls = value if isinstance(value, list) else []
        found = [value, *(call.get("to") for call in calls if isinstance(call, dict))]
        yield from (name for name in found if isinstance(name, str) and name in tiers)


def _kind(caller: str, callee: str) -> str:
    if caller in ("queue", "cache"):
        return {"queue": "consumes", "cache": "miss"}[caller]
    return "async" if callee == "queue" else "call"


def _where(tier: dict[str, Any]) -> str:
    """Return the nodes of a tier with their number where the file has it; else it is what the plan finds."""
    host, node, nodes = tier.get("host"), tier.get("node"), tier.get("nodes")
    if isinstance(host, str):
        return f"on {host}"
    if not isinstance(node, str):
        return ""
    return f"{nodes if isinstance(nodes, int) else UNKNOWN}×{node}"


def _box(key: Key, kind: str, word: str, where: str) -> Box:
    return Box(
        key=key,
        name=clean(key.name),
        word=clean(word),
        kind=kind,
        where=Fact(clean(where)),
        utilization=None,
        load=Fact(""),
        resource="",
        ceiling=1.0,
        severity="calm",
        bottleneck=False,
        facts=(Fact(UNKNOWN),),
        rate=Fact(""),
    )
