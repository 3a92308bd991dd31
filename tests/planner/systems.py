"""Small systems for the tests, written as the values of a file and read through the front door."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import tomli_w

from capacity.document import parse
from capacity.evaluate import evaluate
from capacity.plan import plan
from capacity.search import Search
from capacity.sizing import size
from capacity.solve import solve
from capacity.system import resolve

if TYPE_CHECKING:
    from collections.abc import Mapping

    from capacity.document import Document
    from capacity.plan import Plan
    from capacity.results import Evaluation
    from capacity.sizing import Sizing
    from capacity.solve import Solution
    from capacity.topology import Topology

Values = dict[str, Any]
"""What a file holds, as tables and numbers."""

MACHINES: Values = {f"n{cores}": {"vcpus": cores, "price": 0.1 * cores} for cores in (1, 2, 4, 8)}
"""Machines of 1, 2, 4 and 8 cores that cost what they bring."""


def file(
    components: Values,
    rates: float | Mapping[str, float] = 100.0,
    *,
    survive: tuple[str, ...] = (),
    utilization: float = 1.0,
    latency: Values | None = None,
    **workload: Any,
) -> Values:
    """Return a file whose classes enter at its first tier; `workload` holds more keys of that table."""
    entry = next(iter(components))
    by_class = rates if not isinstance(rates, int | float) else {"page": float(rates)}
    return {
        "workload": {"classes": {c: {"rate": float(r), "entry": entry} for c, r in by_class.items()}} | workload,
        "slo": {"utilization": utilization, "latency": latency or {}},
        "resilience": {"survive": list(survive)},
        "node_types": copy.deepcopy(MACHINES),
        "components": copy.deepcopy(components),
    }


def service(cpu_time: float | Values, nodes: int | None = 1, node: str = "n1", **fields: Any) -> Values:
    """Return a service; its queue is shared by all of its cores unless the fields say otherwise."""
    own = {"kind": "service", "node": node, "cpu_time": cpu_time, "balancing": "shared_queue"}
    return own | ({} if nodes is None else {"nodes": nodes}) | fields


def database(
    read_time: float, write_time: float = 0.0, replicas: int | str = 0, node: str = "n1", **fields: Any
) -> Values:
    """Return a database."""
    own = {"kind": "database", "node": node, "read_time": read_time, "write_time": write_time}
    return own | {"replicas": replicas} | fields


def external(latency: float, **fields: Any) -> Values:
    """Return a partner."""
    return {"kind": "external", "latency": latency} | fields


def cache(origin: str, operation_time: float = 0.0, nodes: int | None = 1, **fields: Any) -> Values:
    """Return a global cache, or with a host a local one."""
    own = {"kind": "cache", "origin": origin, "operation_time": operation_time, "objects": 1000, "object_size": 1000}
    where = {} if "host" in fields else {"node": "n1"} | ({} if nodes is None else {"nodes": nodes})
    return own | where | fields


def document(values: Values) -> Document:
    """Return the values as a file that was read."""
    return parse(tomli_w.dumps(values), "test.toml")


def topology(values: Values) -> Topology:
    """Return the topology of a file."""
    return document(values).topology


def evaluated(values: Values) -> Evaluation:
    """Return what a file evaluates to."""
    return evaluate(topology(values))


def solved(values: Values) -> Solution:
    """Return the solved system of a file with the counts that it gives."""
    system = resolve(topology(values))
    return solve(system, system.least())


def planned(values: Values) -> Plan:
    """Return the plan of a file."""
    return plan(topology(values))


def sized(values: Values) -> Sizing:
    """Return what the search finds: the counts of a plan, without the advice that an impossible one costs."""
    return size(Search.of(resolve(topology(values))))


def changed(values: Values, path: str, value: Any) -> Values:
    """Return the same file with one key changed, named by its dotted path; a value of None takes the key away."""
    result = copy.deepcopy(values)
    *tables, key = path.split(".")
    table = result
    for name in tables:
        table = table[int(name)] if isinstance(table, list) else table.setdefault(name, {})
    if value is None:
        table.pop(key, None)
    else:
        table[key] = value
    return result
