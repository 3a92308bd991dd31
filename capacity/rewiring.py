"""Edits of whole tiers and request classes, and of what leads to them. The schema says where names are used."""

from __future__ import annotations

import copy
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

import msgspec

from capacity.checks import reached
from capacity.components import kinds
from capacity.decode import Decoder, Reference, Rejected
from capacity.editing import Edited, edited, placed_at, removed_at, short, shown, value_at
from capacity.errors import DocumentError, KeyPath, Problem, ascii_quoted
from capacity.naming import free
from capacity.partners import partners
from capacity.pricing import book
from capacity.topology import Topology

if TYPE_CHECKING:
    from capacity.document import Document

_TIERS: Final[KeyPath] = ("components",)
_CLASSES: Final[KeyPath] = ("workload", "classes")
_WHERE: Final[dict[KeyPath, str]] = {_TIERS: "tier", _CLASSES: "request class"}


def add_tier(document: Document, name: str, kind: str, called_by: str | None = None) -> Edited:
    """Return the document with a tier whose fields are a start; nothing leads to it but a call of `called_by`.

    Where it needs another tier behind it, that is the first of its partners that fits, else one that it brings along.
    Raises DocumentError where there is none.
    """
    _fresh(document, _TIERS, name)
    if called_by is not None:
        _known(document, _TIERS, called_by)
    if kind not in kinds():
        raise DocumentError(
            [Problem((*_TIERS, name, "kind"), "is not one of these", ascii_quoted(kind), ", ".join(kinds()))]
        )
    room = kinds()[kind]
    tier = _begun(document, kind)
    required = [f.name for f in msgspec.structs.fields(room) if f.required and f.name not in tier]
    values, label = document.values, f"add {shown(name)}"
    if called_by is not None:
        values = _with_call(values, called_by, {"to": name})
    if not required:
        return edited(document, placed_at(values, (*_TIERS, name), tier), label, (*_TIERS, name))
    refused: DocumentError | None = None
    for other in partners(document.topology, room, called_by):
        found = placed_at(values, (*_TIERS, name), {**tier, **dict.fromkeys(required, other)})
        try:
            return edited(document, found, label, (*_TIERS, name))
        except DocumentError as error:
            refused = refused or error
    if room.brings is None:
        raise refused or DocumentError([Problem((*_TIERS, name, required[0]), room.lacking)])
    wanted, its_kind = room.brings
    other = free(wanted, [*document.topology.components, name])
    brought = _begun(document, its_kind, called_by)
    values = placed_at(values, (*_TIERS, other), brought)
    values = placed_at(values, (*_TIERS, name), {**tier, **dict.fromkeys(required, other)})
    return edited(document, values, f"{label} and {shown(other)}, the {its_kind} behind it", (*_TIERS, name))


def copy_tier(document: Document, name: str, new: str) -> Edited:
    """Return the document with a second tier like one, after it; what it calls the copy calls, nothing calls it."""
    return _copied(document, _TIERS, name, new)


def copy_class(document: Document, name: str, new: str) -> Edited:
    """Return the document with a second class like one: the same calls, times and objectives."""
    found = _copied_values(document, _CLASSES, name, new)
    for reference in _references(document.values, "request class", name):
        *table, key = reference.path
        parent = value_at(found, tuple(table))
        if reference.at_key:
            found = placed_at(found, tuple(table), _after(parent, str(key), new, copy.deepcopy(parent[key])))
        else:
            found = placed_at(found, tuple(table), [*parent, new])
    return edited(document, found, f"copy {shown(name)} to {shown(new)}", (*_CLASSES, new))


def add_class(document: Document, name: str, rate: Any = "1/s", entry: str | None = None) -> Edited:
    """Return the document with a request class that enters where the first one does, or at `entry`.

    Where it arrives and times are given by class, it gets those of the first class there.
    """
    _fresh(document, _CLASSES, name)
    first = next(iter(document.values["workload"]["classes"].values()))
    values = placed_at(document.values, (*_CLASSES, name), {"rate": rate, "entry": entry or first["entry"]})
    decoder = Decoder()
    try:
        topology = decoder.struct(Topology, values)
    except Rejected:
        raise DocumentError(decoder.problems) from None
    if topology.workload.classes[name].entry in topology.components:
        for tier, classes in reached(topology).items():
            for key, times in topology.components[tier].reads_by_class().items():
                if name in classes and isinstance(times, dict) and times and name not in times:
                    table = values["components"][tier][key]
                    values = placed_at(values, (*_TIERS, tier, key, name), next(iter(table.values())))
    return edited(document, values, f"add {shown(name)}", (*_CLASSES, name))


def remove_tier(document: Document, name: str, *, with_dependents: bool = False) -> Edited:
    """Return the document without a tier and without the calls to it.

    What cannot be without it (a cache its origin, a queue its consumers, a class its entry) is an error that names
    all of these, or goes too with `with_dependents`.
    """
    return _removed(document, _TIERS, name, with_dependents=with_dependents)


def remove_class(document: Document, name: str) -> Edited:
    """Return the document without a class, its times, its objectives and the calls that only it makes."""
    return _removed(document, _CLASSES, name, with_dependents=False)


def rename_tier(document: Document, name: str, new: str) -> Edited:
    """Return the document with another name for a tier, wherever it is named."""
    return _renamed(document, _TIERS, name, new)


def rename_class(document: Document, name: str, new: str) -> Edited:
    """Return the document with another name for a class, wherever it is named."""
    return _renamed(document, _CLASSES, name, new)


def add_call(document: Document, caller: str, to: str, **fields: Any) -> Edited:
    """Return the document with one more call of a tier, after those it makes."""
    _known(document, _TIERS, caller)
    values = _with_call(document.values, caller, {"to": to, **fields})
    path = (*_TIERS, caller, "calls", len(values["components"][caller]["calls"]) - 1)
    return _not_twice(edited(document, values, f"{shown(caller)} calls {shown(to)}", path), path)


def remove_call(document: Document, caller: str, position: int) -> Edited:
    """Return the document without one of a tier's calls."""
    path = (*_TIERS, caller, "calls", position)
    call = value_at(document.values, path)
    if call is None:
        raise DocumentError([Problem(path, "there is no such call")])
    name = f"{shown(caller)} no longer calls {shown(call['to'])}"
    return edited(document, _without_item(document.values, path), name, path)


def rewire(document: Document, path: KeyPath, to: str) -> Edited:
    """Return the document in which a field that names a tier (a call's to, a host, an origin) names another one."""
    old = value_at(document.values, path)
    name = f"{short(path)} {shown(old)} → {shown(to)}" if old is not None else f"{short(path)} = {shown(to)}"
    found = edited(document, placed_at(document.values, path, to), name, path)
    return found if old == to else _not_twice(found, path[:-1])


def move_tier(document: Document, name: str, host: str | None) -> Edited:
    """Return the document with a tier on another tier's nodes, or on nodes of its own of the type that it was on."""
    _known(document, _TIERS, name)
    path = (*_TIERS, name)
    gone = ("node", "nodes", "host")
    kept = {key: part for key, part in value_at(document.values, path).items() if key not in gone}
    if host is not None:
        label = f"{shown(name)} onto {shown(host)}"
        return edited(document, placed_at(document.values, path, {**kept, "host": host}), label, path)
    under = document.topology.components[name]
    while under.host is not None:
        under = document.topology.components[under.host]
    node = under.node or _usual_node(document, str(kept["kind"]))
    label = f"{shown(name)} on nodes of its own"
    return edited(document, placed_at(document.values, path, {**kept, "node": node}), label, path)


def referrers(document: Document, name: str) -> list[KeyPath]:
    """Return the key paths of all fields that name a tier."""
    return [reference.path for reference in _references(document.values, "tier", name)]


def _references(values: dict[str, Any], what: str, name: str) -> list[Reference]:
    decoder = Decoder()
    try:
        decoder.struct(Topology, values)
    except Rejected:
        raise DocumentError(decoder.problems) from None
    return [r for r in decoder.references if r.what == what and r.name == name]


def _known(document: Document, where: KeyPath, name: str) -> None:
    there = value_at(document.values, where)
    if name not in there:
        message = f"there is no {_WHERE[where]} of this name"
        raise DocumentError([Problem((*where, name), message, allowed=", ".join(there), at_key=True)])


def _fresh(document: Document, where: KeyPath, name: str) -> None:
    """Raise DocumentError for a name that is taken or is none."""
    path = (*where, name)
    if not name.strip() or not name.isprintable():
        raise DocumentError([Problem(path, "is no name", ascii_quoted(name), "letters, digits, - and _", at_key=True)])
    if name in value_at(document.values, where):
        raise DocumentError([Problem(path, "exists already", allowed="a name that is free", at_key=True)])


def _not_twice(made: Edited, path: KeyPath) -> Edited:
    """Return an edit; DocumentError where the call at a path is one that its caller makes already."""
    *table, position = path
    if table[-1:] != ["calls"]:
        return made
    calls = value_at(made.document.values, tuple(table))
    every = list(made.document.values["workload"]["classes"])
    same = [(call["to"], set(call.get("classes", every))) for call in calls]
    if same.count(same[int(position)]) > 1:
        to, caller = shown(calls[int(position)]["to"]), shown(table[1])
        raise DocumentError([Problem((*path, "to"), f"{caller} calls {to} already, for the same request classes")])
    return made


def _begun(document: Document, kind: str, beside: str | None = None) -> dict[str, Any]:
    """Return the fields that a new tier starts with, on nodes like those of the tier `beside` it if that has some."""
    room = kinds()[kind]
    tier: dict[str, Any] = {"kind": kind, **copy.deepcopy(dict(room.begins_as))}
    if room.needs_node:
        known = document.topology.components[beside].node if beside is not None else None
        tier["node"] = known or _usual_node(document, kind)
    return tier


def _usual_node(document: Document, kind: str) -> str:
    """Return the node type that tiers of a kind have here, else any tier, else the first that there is."""
    tiers = document.topology.components.values()
    alike = [tier for tier in tiers if isinstance(tier, kinds()[kind])]
    used = [tier.node for tier in chain(alike, tiers) if tier.node is not None]
    return next(iter([*used, *document.topology.node_types, *book()]))


def _with_call(values: dict[str, Any], caller: str, call: dict[str, Any]) -> dict[str, Any]:
    path = (*_TIERS, caller, "calls")
    found: dict[str, Any] = placed_at(values, path, [*(value_at(values, path) or []), call])
    return found


def _copied(document: Document, where: KeyPath, name: str, new: str) -> Edited:
    values = _copied_values(document, where, name, new)
    return edited(document, values, f"copy {shown(name)} to {shown(new)}", (*where, new))


def _copied_values(document: Document, where: KeyPath, name: str, new: str) -> dict[str, Any]:
    _known(document, where, name)
    _fresh(document, where, new)
    there = value_at(document.values, where)
    found: dict[str, Any] = placed_at(document.values, where, _after(there, name, new, copy.deepcopy(there[name])))
    return found


def _after(table: dict[str, Any], before: str, key: str, value: Any) -> dict[str, Any]:
    """Return a table with one more key, behind another one."""
    found = {}
    for name, part in table.items():
        found[name] = part
        if name == before:
            found[key] = value
    return found


def _renamed(document: Document, where: KeyPath, name: str, new: str) -> Edited:
    _known(document, where, name)
    _fresh(document, where, new)
    values = document.values
    references = _references(values, _WHERE[where], name)
    for reference in references:
        if not reference.at_key:
            values = placed_at(values, reference.path, new)
    for path in [*(r.path for r in references if r.at_key), (*where, name)]:
        table = {new if key == name else key: part for key, part in value_at(values, path[:-1]).items()}
        values = placed_at(values, path[:-1], table)
    return edited(document, values, f"{shown(name)} → {shown(new)}", (*where, new))


def _removed(document: Document, where: KeyPath, name: str, *, with_dependents: bool) -> Edited:
    _known(document, where, name)
    values, doomed, needed = document.values, [(where, name)], list[Problem]()
    while doomed:
        place, gone = doomed.pop(0)
        what = _WHERE[place]
        if gone not in value_at(values, place):
            continue
        # A removal moves the items behind it, so the references are asked for again after each.
        kept: list[KeyPath] = []
        while found := [
            r for r in _references(values, what, gone) if r.path not in kept and not _inside(r.path, place, gone)
        ]:
            path = found[0].path
            if found[0].at_key:
                values = removed_at(values, path)
            elif any(isinstance(key, int) for key in path):
                values = _without_item(values, path)
            else:
                kept.append(path)
                owner = next(start for start in _WHERE if path[: len(start)] == start)
                doomed.append((owner, str(path[len(owner)])))
                needed.append(Problem(path, f"cannot be without {shown(gone)}", ascii_quoted(gone), "another tier"))
        values = removed_at(values, (*place, gone))
    if needed and not with_dependents:
        raise DocumentError([problem for problem in needed if value_at(document.values, problem.path) == name])
    return edited(document, values, f"remove {shown(name)}", (*where, name))


def _inside(path: KeyPath, where: KeyPath, name: str) -> bool:
    return path[: len(where) + 1] == (*where, name)


def _without_item(values: dict[str, Any], path: KeyPath) -> dict[str, Any]:
    """Return values without the innermost item of a list on a path; a list that this empties takes its owner along.

    The calls of nobody are no calls: `classes = []` stands for a call that is never made.
    """
    last = max(i for i, key in enumerate(path) if isinstance(key, int))
    path = path[: last + 1]
    outer = path[:-1]
    if len(value_at(values, outer)) == 1:
        if any(isinstance(key, int) for key in outer):
            return _without_item(values, outer)
        path = outer
    found: dict[str, Any] = removed_at(values, path)
    return found
