"""The cheapest plan by trying every count: what the search has to find, told by evaluations of whole files only."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

from tests.planner.systems import changed, evaluated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.planner.systems import Values

Vector = dict[str, int]
"""Nodes of services and caches, replicas of databases."""

HOURS = 730.0


class BruteForce:
    """Tries counts up to `most` for every tier of a file that has any; a lost node is the same file with one less."""

    def __init__(self, values: Values, most: int) -> None:
        self.values, self.most = values, most
        self.fields = {
            name: "replicas" if tier["kind"] == "database" else "nodes"
            for name, tier in values["components"].items()
            if tier["kind"] in ("service", "cache", "database") and "host" not in tier
        }
        self.survives_node = "node" in values["resilience"]["survive"]
        self._passes: dict[tuple[int, ...], bool] = {}

    def vectors(self) -> Iterator[Vector]:
        """Yield all counts, the file's own where it gives them."""
        ranges = []
        for name, field in self.fields.items():
            given = self.values["components"][name].get(field, "auto")
            least = 0 if field == "replicas" else 1
            ranges.append(range(least, least + self.most) if given == "auto" else [given])
        for counts in product(*ranges):
            yield dict(zip(self.fields, counts, strict=True))

    def cost(self, counts: Vector) -> float:
        """Return nodes times price of every tier."""
        total = 0.0
        for name, count in counts.items():
            tier = self.values["components"][name]
            nodes = tier.get("shards", 1) * (1 + count) if tier["kind"] == "database" else count
            total += nodes * self.values["node_types"][tier["node"]]["price"] * HOURS
        return total

    def passes(self, counts: Vector) -> bool:
        """Return whether these counts meet everything, and still do with any one node lost."""
        if not self._normal(counts):
            return False
        if not self.survives_node:
            return True
        return all(self._normal({**counts, name: counts[name] - 1}) for name in counts)

    def cheapest(self) -> tuple[float, Vector] | None:
        """Return the least cost of all counts that pass, and such counts."""
        for counts in sorted(self.vectors(), key=self.cost):
            if self.passes(counts):
                return self.cost(counts), counts
        return None

    def _normal(self, counts: Vector) -> bool:
        key = tuple(counts.values())
        if key not in self._passes:
            self._passes[key] = self._serves(counts) and evaluated(self.file(counts)).feasible
        return self._passes[key]

    def _serves(self, counts: Vector) -> bool:
        kinds = {name: self.values["components"][name]["kind"] for name in counts}
        return all(count >= (1 if kinds[name] == "service" else 0) for name, count in counts.items())

    def file(self, counts: Vector) -> Values:
        """Return the file with these counts; who called a cache without nodes calls its origin."""
        values = self.values
        for name, count in counts.items():
            if values["components"][name]["kind"] == "cache" and count == 0:
                values = _without_cache(values, name)
            else:
                values = changed(values, f"components.{name}.{self.fields[name]}", count)
        return values


def _without_cache(values: Values, cache: str) -> Values:
    origin = values["components"][cache]["origin"]
    values = changed(values, f"components.{cache}", None)
    for tier in values["components"].values():
        calls: list[dict[str, Any]] = tier.get("calls", [])
        for call in calls:
            if call["to"] == cache:
                call["to"] = origin
    return values
