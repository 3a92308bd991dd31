"""What somebody wants otherwise, as files say it: keys by the ids of what they do, and the theme.

Both are TOML in the user's configuration directory. What makes no sense in them is told, with the nearest that would,
and the rest holds.
"""

from __future__ import annotations

import os
import tomllib
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from textual.keys import KEY_NAME_REPLACEMENTS, Keys

from capacity.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

MODIFIERS: Final = ("ctrl", "shift", "alt", "super", "meta", "hyper")


class Rebound(NamedTuple):
    """Keys by id, and what was wrong with others."""

    keys: dict[str, str]
    problems: list[str]


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that is most like another one."""
    from capacity.decode import nearest

    return nearest(word, known)


def folder() -> Path:
    """Return the user's configuration directory for this program, which need not exist."""
    given = os.environ.get("XDG_CONFIG_HOME", "")
    root = Path(given) if Path(given).is_absolute() else Path.home() / ".config"
    return root / "capacity"


def rebound(text: str, known: Mapping[str, str]) -> Rebound:
    """Return the keys of a keys.toml; `known` has the usual keys of every id."""
    try:
        table = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        return Rebound({}, [f"is not TOML: {error}"])
    keys, problems = dict[str, str](), list[str]()
    for name, value in _flat(table):
        if name not in known:
            near = nearest(name, known)
            problems.append(f"{name}: there is no such id{f'; did you mean {near}?' if near else ''}")
        elif not isinstance(value, str):
            problems.append(f'{name}: a key is a text, like "ctrl+s"')
        else:
            wrong = next((key for key in value.split(",") if not _is_key(key.strip())), None)
            if wrong is None:
                keys[name] = ",".join(key.strip() for key in value.split(","))
            else:
                near = nearest(wrong.strip(), _key_names())
                problems.append(f'{name}: "{wrong}" is no key{f"; did you mean {near}?" if near else ""}')
    return Rebound(keys, [*problems, *_taken(keys, known)])


def theme(text: str, known: Iterable[str]) -> tuple[str | None, list[str]]:
    """Return the theme of a settings.toml, None for the usual one, and what is wrong there."""
    try:
        table = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        return None, [f"is not TOML: {error}"]
    problems = [f"{name}: there is no such setting; did you mean theme?" for name in table if name != "theme"]
    wanted, there = table.get("theme"), list(known)
    if wanted is None or wanted in there:
        return wanted, problems
    near = nearest(str(wanted), there)
    return None, [*problems, f'theme: there is no "{wanted}"{f"; did you mean {near}?" if near else ""}']


def read(name: str) -> str:
    """Return the text of a file of preferences, empty where there is none; raises UsageError where it is no text."""
    try:
        return (folder() / name).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot be read: {getattr(error, 'strerror', None) or 'it is not UTF-8'}") from error


def keep_theme(name: str) -> None:
    """Write a theme into settings.toml, comments kept; raises UsageError where that is not possible."""
    from capacity.rewriting import rewritten
    from capacity.saving import write

    path = folder() / "settings.toml"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        text = read(path.name)
        changed = rewritten(text, {**tomllib.loads(text), "theme": name})
    except OSError as error:
        raise UsageError(f"{path.parent} cannot be made: {error.strerror or error}") from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path} is not TOML, and is left as it is: {error}") from error
    write(str(path), changed)


def _flat(table: dict[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        name = f"{above}{key}"
        if isinstance(value, dict):
            yield from _flat(value, f"{name}.")
        else:
            yield name, value


def _taken(keys: Mapping[str, str], known: Mapping[str, str]) -> list[str]:
    """Return a complaint for each key that now does two things."""
    by_key: dict[str, list[str]] = {}
    for name, usual in known.items():
        for key in dict.fromkeys(keys.get(name, usual).split(",")):
            by_key.setdefault(_long(key.strip()), []).append(name)
    return [
        f'"{key}" does both {" and ".join(names)}: give one of them another key'
        for key, names in by_key.items()
        if len(names) > 1 and any(name in keys for name in names)
    ]


def _long(key: str) -> str:
    """Return a character as textual names its key."""
    if len(key) != 1 or key.isalnum():
        return key
    name = unicodedata.name(key, key).lower().replace("-", "_").replace(" ", "_")
    return KEY_NAME_REPLACEMENTS.get(name, name)


def _is_key(key: str) -> bool:
    if len(key) == 1:
        return key.isprintable()
    if key in _key_names():
        return True
    *modifiers, last = key.split("+")
    if any(modifier not in MODIFIERS for modifier in modifiers):
        return False
    if len(last) == 1:
        return last.isprintable()
    return last in _key_names() or _is_character(last)


def _is_character(name: str) -> bool:
    try:
        unicodedata.lookup(name.replace("_", " ").upper())
    except KeyError:
        return False
    return True


def _key_names() -> list[str]:
    return [key.value for key in Keys if not key.value.startswith("<")] + list(KEY_NAME_REPLACEMENTS.values())
