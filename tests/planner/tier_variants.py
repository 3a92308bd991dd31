"""The same file with one tier on other machines, written out: what `capacity scale` must agree with, from scratch."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from capacity.plan import as_given
from capacity.scaling import scale
from tests.planner.systems import changed, topology

if TYPE_CHECKING:
    from collections.abc import Mapping

    from capacity.results import Evaluation
    from capacity.scaling import TierScaling
    from tests.planner.systems import Values

FAMILY = "n"
"""The family of the machines of the tests."""


def in_family(values: Values, **machines: Values) -> Values:
    """Return the file with all of its node types in one family, and with these added or replaced."""
    values = copy.deepcopy(values)
    values["node_types"] |= machines
    for node in values["node_types"].values():
        node.setdefault("family", FAMILY)
    return values


def scaled_tier(values: Values, tier: str, family: str | None = None) -> TierScaling:
    """Return what `capacity scale` tells of one tier."""
    return scale(topology(values), tier, family).tiers[tier]


def pinned(values: Values, counts: Mapping[str, int]) -> Values:
    """Return the file with these counts."""
    for name, count in counts.items():
        field = "replicas" if values["components"][name]["kind"] == "database" else "nodes"
        values = changed(values, f"components.{name}.{field}", count)
    return values


def standing_on(values: Values, counts: Mapping[str, int], tier: str, node: str, shards: int | None = None) -> Values:
    """Return the file with these counts, one tier on another node type or in other shards."""
    values = changed(pinned(values, counts), f"components.{tier}.node", node)
    return values if shards is None else changed(values, f"components.{tier}.shards", shards)


def judged(values: Values) -> Evaluation:
    """Return the evaluation of a file with all of its scenarios."""
    return as_given(topology(values)).evaluation


def failing(values: Values) -> set[str]:
    """Return what a file does not meet in anything that it has to survive, in the words in which reasons begin."""
    required = [found for found in judged(values).scenarios.values() if found.required]
    return {
        "nothing is left" if v.constraint == "nodes" else f"{v.name} {v.constraint} "
        for found in required
        for v in found.violations
    }
