"""A bigger node: the next machine of the same family that is large enough, where more machines are no way out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capacity.components.service import Service
from capacity.pricing import larger
from capacity.steps.base import NOTICEABLE, Proposal, Told, path_of, with_keys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capacity.pricing import NodeType
    from capacity.steps.base import Situation

NAME: Final = "bigger-node"
TITLE: Final = "a bigger node"

_OF_ONE_NODE: Final = ("primary cores", "disk")
"""What more nodes of a tier do not relieve, and a bigger one does."""

_FIELDS: Final = {"memory": "memory", "network": "network", "disk": "disk_iops"}


def proposals(situation: Situation) -> Iterator[Proposal]:
    """Yield each tier that ends with its machine: what one node has to do is much, or the file gives the count."""
    given = situation.system.given()
    for name in situation.system.counted():
        missed = [c for c in situation.missing(name) if c.violation.mend in ("node", "threads")]
        counted = name in given and situation.tiers[name].counted == "nodes"
        busy = situation.pressed(name, *(() if counted else _OF_ONE_NODE)) >= NOTICEABLE
        if missed or (busy and situation.concerned(name)):
            yield from _grown(situation, name)


def _grown(situation: Situation, name: str) -> Iterator[Proposal]:
    machine, known = situation.system.machines[name], situation.node_types(name)
    if machine is None:
        return
    short = [(c.violation.constraint, c.violation.short or 1.0) for c in situation.missing(name)]
    field, factor = max(
        ((_FIELDS.get(what, "vcpus"), by) for what, by in short), key=lambda pair: pair[1], default=("vcpus", 1.0)
    )
    has = float(getattr(machine, field) or 0.0)
    bigger = [n for n in larger(machine, field, has * factor * (1 - 1e-9), known) if _more(known[n], machine, field)]
    if not bigger:
        return
    node, tier = bigger[0], situation.tiers[name]
    cores = known[node].vcpus / machine.vcpus
    values = with_keys(situation.values, path_of(name), node=node)
    text, assumes = f"{name} on {node} instead of {tier.node}", []
    if isinstance(tier, Service) and tier.threads is not None and cores > 1:
        threads = int(tier.threads * cores)
        values = with_keys(values, path_of(name), threads=threads)
        text += f", with {threads} threads for {tier.threads}"
        assumes = [f"threads grow as its cores do, {cores:g} times"]
    risks = ["one node of it lost is more lost", "ends with the largest machine of its family"]
    yield from situation.changed(NAME, name, values, Told(text, tuple(assumes), tuple(risks)))


def _more(node: NodeType, than: NodeType, field: str) -> bool:
    return float(getattr(node, field) or 0.0) > float(getattr(than, field) or 0.0)
