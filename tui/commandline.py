"""The command that prints what the screen shows, ready for a shell, a script or a colleague."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any, NamedTuple

from capacity.document import parse
from capacity.errors import CapacityError, KeyPath
from capacity.literals import toml_key, toml_value
from capacity.merging import same
from capacity.reading import literal
from capacity.system import resolve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tui.opening import OpenedFile
    from tui.session import Session


class Command(NamedTuple):
    """A line for a shell; `complete` is False where only saving the file first makes it show the same."""

    text: str
    complete: bool


def plan_command(session: Session, file: OpenedFile) -> Command:
    """Return the command that finds the plan of what is shown, at the same load."""
    overrides, complete = _overrides(session, file, {})
    return Command(_line("plan", session, file, overrides), complete)


def evaluate_command(session: Session, file: OpenedFile) -> Command:
    """Return the command that shows the same numbers: the same counts, load and scenario; nothing is solved for."""
    fields: dict[str, dict[str, int]] = {}
    tiers = resolve(session.now.document.topology).tiers
    for name, count in session.now.counts.items():
        counted = tiers[name].counted
        if counted is not None:
            fields[name] = {counted: count}
    overrides, complete = _overrides(session, file, fields)
    scenario = [] if session.scenario is None else ["--scenario", session.scenario]
    return Command(_line("evaluate", session, file, [*scenario, *overrides]), complete)


def _line(command: str, session: Session, file: OpenedFile, rest: list[str]) -> str:
    load = [] if session.load == 1 else ["--load", f"{session.load:.15g}x"]
    prices = [] if file.prices is None else ["--prices", file.prices]
    path = f"./{file.path}" if file.path.startswith("-") else file.path
    return shlex.join(["capacity", command, path, *prices, *load, *rest])


def _overrides(session: Session, file: OpenedFile, counts: dict[str, dict[str, int]]) -> tuple[list[str], bool]:
    """Return the options for all that is not on disk, and whether they say all of it."""
    document = session.now.document
    wanted = dict(document.values)
    if counts:
        tiers = wanted["components"]
        wanted["components"] = {name: {**tier, **counts.get(name, {})} for name, tier in tiers.items()}
    on_disk = parse(file.text, file.path, (), 1.0, document.book).values
    found = [override for path, value in _changes(on_disk, wanted, ()) for override in (_override(path, value),)]
    try:
        complete = same(parse(file.text, file.path, found, 1.0, document.book).values, wanted)
    except CapacityError:
        complete = False
    return [part for override in found for part in ("--set", override)], complete


def _changes(old: Any, new: Any, path: KeyPath) -> Iterator[tuple[KeyPath, Any]]:
    """Yield the smallest places whose value is another one; what was removed cannot be said by an override."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key, value in new.items():
            yield from _changes(old[key], value, (*path, key)) if key in old else [((*path, key), value)]
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for i, value in enumerate(new):
            yield from _changes(old[i], value, (*path, i))
    elif not same(old, new):
        yield path, new


def _override(path: KeyPath, value: Any) -> str:
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{toml_key(part)}" for part in path).removeprefix(".")
    plain = isinstance(value, str) and value.strip() == value and value and literal(value) == value
    return f"{key}={value if plain else toml_value(value)}"
