"""What a schema cannot say: references that lead somewhere, calls that do not go in circles, classes that exist."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from capacity.decode import nearest
from capacity.errors import Problem, ascii_quoted
from capacity.pricing import book

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from capacity.components.base import Tier
    from capacity.decode import Reference
    from capacity.topology import Topology

MOST_TIERS: Final = 400
"""Twice the largest system that anybody has drawn; calls may be nested as deep as this."""

END_OF_TIME: Final = "9900"
"""The year that no forecast may begin in: the calendar ends a hundred years later."""

MOST_NEAREST: Final = 50
"""Wrong names of one file for which the nearest right one is looked for."""

MOST_RATE: Final = 1e12
"""Requests per second, peak and load included."""


OUR_LABELS: Final = ("alertname", "tier", "metric", "resource", "break", "leads", "causes", "severity")
"""Labels of alerting rules that say what an alert is about."""


def check(topology: Topology) -> list[Problem]:
    """Return every problem of a topology whose fields are all well formed and whose references lead somewhere."""
    problems = [*_emptiness(topology), *_rates(topology), *_tiers(topology), *_future(topology), *_labels(topology)]
    return problems or [*_circles(topology), *_per_class(topology)]


def dangling(
    references: Iterable[Reference], values: Mapping[str, Any], priced: Iterable[str] = ()
) -> Iterator[Problem]:
    """Yield the names that name nothing, in a file that need not be well formed otherwise.

    `priced` are the names of node types in the user's price book.
    """
    own = _names(values, "node_types")
    known = {
        "tier": _names(values, "components"),
        "request class": _names(values, "workload", "classes"),
        "node type": [*dict.fromkeys((*own, *priced, *book()))],
    }
    wrong = 0
    for reference in references:
        names = known[reference.what]
        if reference.name in names:
            continue
        allowed = ", ".join(names) or "none is declared"
        if reference.what == "node type":
            allowed = "a name of `capacity nodes`, of [node_types] or of a price book (--prices FILE)"
        found = None if reference.at_key else ascii_quoted(reference.name)
        message = f"there is no {reference.what} of this name"
        # Comparing with every name is slow: a file with a hundred wrong names has another fault than spelling.
        near = nearest(reference.name, names) if wrong < MOST_NEAREST else None
        wrong += 1
        yield Problem(reference.path, message, found, allowed, near, at_key=reference.at_key)


def _names(values: Any, *path: str) -> list[str]:
    for key in path:
        values = values.get(key, {}) if isinstance(values, dict) else {}
    return list(values) if isinstance(values, dict) else []


def _emptiness(topology: Topology) -> Iterator[Problem]:
    if not topology.workload.classes:
        yield Problem(("workload", "classes"), "there is no request class", allowed="at least one")
    if not topology.components:
        yield Problem(("components",), "there is no tier", allowed="at least one")
    if len(topology.components) > MOST_TIERS:
        yield Problem(("components",), "has too many tiers", str(len(topology.components)), f"at most {MOST_TIERS}")


def _future(topology: Topology) -> Iterator[Problem]:
    future = topology.forecast
    if future.season and len(future.season) != 12:
        yield Problem(
            ("forecast", "season"), "is no year", f"{len(future.season)} numbers", "12 numbers, January first"
        )
    if future.start is not None and future.start >= END_OF_TIME:
        yield Problem(("forecast", "start"), "is too far ahead", future.start, f"a day before the year {END_OF_TIME}")
    for what in ("season", "events"):
        if getattr(future, what) and future.start is None:
            cure = 'forecast.start, like "2026-12": the month for which the file gives its rates'
            yield Problem(("forecast", what), "cannot be placed without a start", allowed=cure)


def _labels(topology: Topology) -> Iterator[Problem]:
    for label in topology.alerts.labels:
        if not re.fullmatch("[a-zA-Z_][a-zA-Z0-9_]*", label) or label.startswith("__") or label in OUR_LABELS:
            allowed = f"letters, digits and _, but not {', '.join(OUR_LABELS)} nor what begins with __"
            yield Problem(("alerts", "labels", label), "is no label of ours to give", allowed=allowed, at_key=True)


def _rates(topology: Topology) -> Iterator[Problem]:
    for name, request_class in topology.workload.classes.items():
        rate = request_class.rate * topology.workload.peak_to_mean
        if rate > MOST_RATE or getattr(request_class.rate, "high", 0.0) > MOST_RATE:
            path, allowed = ("workload", "classes", name, "rate"), f"at most {MOST_RATE:g} a second at the peak"
            yield Problem(path, "is too much, peak_to_mean and --load included", f"{rate:g}/s", allowed)


def _tiers(topology: Topology) -> Iterator[Problem]:
    for name, tier in topology.components.items():
        path = ("components", name)
        yield from _machine(topology, name, tier)
        for misfit in tier.misfits(topology.components):
            yield Problem((*path, *misfit.below), misfit.message, misfit.found, misfit.allowed)
        if tier.min_nodes > tier.max_nodes:
            yield Problem((*path, "min_nodes"), "is above max_nodes", str(tier.min_nodes), f"at most {tier.max_nodes}")


def _machine(topology: Topology, name: str, tier: Tier) -> Iterator[Problem]:
    path = ("components", name)
    if tier.node is not None and tier.host is not None:
        yield Problem((*path, "host"), "has a node of its own as well", allowed="node or host, not both")
    if tier.node is None and tier.host is None and tier.needs_node:
        allowed = "node (see `capacity nodes`), or host for a tier on whose nodes it lives"
        yield Problem(path, "has neither node nor host", allowed=allowed)
    if tier.host is None:
        return
    yield from _hosting(topology, name, tier)


def _hosting(topology: Topology, name: str, tier: Tier) -> Iterator[Problem]:
    path = ("components", name)
    seen, root = {name}, tier
    while root.host is not None and root.host in topology.components:
        if root.host in seen:
            yield Problem((*path, "host"), "hosts go round in a circle", ascii_quoted(tier.host), "a tier with a node")
            return
        seen.add(root.host)
        root = topology.components[root.host]
    if root.host is None and not root.may_host:
        yield Problem((*path, "host"), "cannot host other tiers", ascii_quoted(tier.host), "a service")
    if isinstance(tier.nodes, int):
        yield Problem((*path, "nodes"), "lives on its host's nodes", str(tier.nodes), "nodes on the host only")
    if tier.single_on_host and isinstance(root.nodes, int) and root.nodes > 1:
        host = next(key for key, value in topology.components.items() if value is root)
        message, allowed = f"hosts {name}, which is one machine", f"1, or a node of its own for {name}"
        yield Problem(("components", host, "nodes"), message, str(root.nodes), allowed)


def _circles(topology: Topology) -> Iterator[Problem]:
    """Yield one problem for each circle of calls that are waited for."""
    done: set[str] = set()
    for name in topology.components:
        yield from _circles_from(topology, name, [], done)


def _circles_from(topology: Topology, name: str, trail: list[str], done: set[str]) -> Iterator[Problem]:
    """Yield the circles below a tier; those below what is `done` are known."""
    if name in trail:
        circle = [*trail[trail.index(name) :], name]
        path = next(p for to, p, _ in topology.components[circle[-2]].outgoing() if to == name)
        cure = "no circle of calls that are waited for; a queue between two of them would break it"
        yield Problem(("components", circle[-2], *path), "calls go in a circle", " -> ".join(circle), cure)
    elif name not in done:
        for to, _, waited in topology.components[name].outgoing():
            if waited:
                yield from _circles_from(topology, to, [*trail, name], done)
        done.add(name)


def _per_class(topology: Topology) -> Iterator[Problem]:
    """Check that times given by class name existing classes, and all that arrive."""
    arriving = reached(topology)
    for name, tier in topology.components.items():
        for key, value in tier.reads_by_class().items():
            if not isinstance(value, dict):
                continue
            path = ("components", name, key)
            missing = [c for c in arriving.get(name, ()) if c not in value]
            if missing and key == "cpu_time":
                yield Problem(path, f"has no time for {', '.join(missing)}, which arrives here", at_key=True)


def reached(topology: Topology) -> dict[str, list[str]]:
    """Return the request classes that reach each tier."""
    found: dict[str, list[str]] = {}
    for request_class, declared in topology.workload.classes.items():
        waiting = [declared.entry]
        while waiting:
            name = waiting.pop()
            classes = found.setdefault(name, [])
            if request_class not in classes:
                classes.append(request_class)
                waiting += topology.components[name].destinations(request_class)
    return found
