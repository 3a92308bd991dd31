"""Files of the user's are replaced whole or not at all, never unnoticed, and unsaved work outlives a crash."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from capacity.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection

_MARK: Final = b"\xef\xbb\xbf"
"""What some editors put before the first line; who had it keeps it."""

_WRITABLE: Final = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


def write(target: str, text: str, mode: int | None = None) -> None:
    """Write a file whole or not at all; a link stays a link, and a file keeps its mode unless one is given.

    Raises UsageError where that is not possible; what was there is then still there.
    """
    try:
        path = Path(target).resolve()
        if path.exists() and not path.is_file():
            path.write_text(text, encoding="utf-8")
            return
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            kept = path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask()
            Path(temporary).chmod(kept if mode is None else mode)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except (OSError, ValueError) as error:
        raise UsageError(f"{target} cannot be written: {getattr(error, 'strerror', None) or error}") from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def save(path: str, text: str) -> str | None:
    """Replace a topology by a new text, atomically; return the fingerprint of what is there now.

    Raises UsageError where that is not possible, or where the file is meant to stay as it is: made read-only by its
    owner. What was there is then still there.
    """
    if _read_only(path):
        raise UsageError(f"{path} is read-only: nothing was written")
    marked = "\ufeff" if _content(path, len(_MARK)) == _MARK else ""
    write(path, marked + text.removeprefix("\ufeff"))
    return fingerprint(path)


def _read_only(path: str) -> bool:
    """Whether nobody may write to a file: replacing it would need only its folder, and go round what was meant."""
    try:
        return not stat.S_IMODE(os.stat(path).st_mode) & _WRITABLE or not os.access(path, os.W_OK)  # noqa: PTH116
    except (OSError, ValueError):
        return False


def fingerprint(path: str) -> str | None:
    """Return what tells one content of a file from another; None where there is none to read."""
    content = _content(path)
    return None if content is None else hashlib.sha256(content).hexdigest()


def changed_on_disk(path: str, known: str | None) -> bool:
    """Whether a file is another one than that whose fingerprint is known; a vanished file has changed."""
    return fingerprint(path) != known


def _content(path: str, most: int = -1) -> bytes | None:
    try:
        with Path(path).open("rb") as file:
            return file.read(most)
    except (OSError, ValueError):
        return None


@dataclass(frozen=True)
class Recovered:
    """Work that was not saved when the program ended: its text, and the file that it was made from."""

    text: str
    base: str | None
    """The fingerprint of the file when the work began."""
    base_changed: bool
    """Whether the file has changed since, so that the two would have to be merged."""
    kept_at: float
    """When it was kept, in seconds since 1970."""
    base_text: str | None = None
    """The text of the file when the work began: with it, the two can be merged."""
    owner: str = ""
    """The session that kept it."""


def recovery_file(path: str, owner: str = "") -> Path:
    """Return where unsaved work on a file is kept: in the user's state directory, by the file's absolute path.

    Each of several sessions, the `owner`, has its own place, so that none writes over what another keeps.
    """
    state = os.environ.get("XDG_STATE_HOME", "")
    root = Path(state) if Path(state).is_absolute() else Path.home() / ".local" / "state"
    name = hashlib.sha256(os.fsencode(Path(path).resolve())).hexdigest()[:32]
    return root / "capacity" / f"{name}{f'.{owner}' if owner else ''}.json"


def keep(path: str, text: str, base: str | None, base_text: str | None = None, owner: str = "") -> None:
    """Keep unsaved work, and what it was made from, where only its user can read it.

    Raises UsageError where that is not possible.
    """
    target = recovery_file(path, owner)
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{target.parent} cannot be made: {error.strerror or error}") from error
    content = {"path": str(Path(path).resolve()), "base": base, "text": text, "base_text": base_text}
    write(str(target), json.dumps(content) + "\n", mode=0o600)


def recoverable(path: str, running: Collection[str] = ()) -> Recovered | None:
    """Return the latest unsaved work on a file that no `running` session keeps; None if there is none.

    What the file says anyway is none.
    """
    first = recovery_file(path)
    owners = [
        "",
        *(kept.name[len(first.stem) + 1 : -len(".json")] for kept in first.parent.glob(f"{first.stem}.*.json")),
    ]
    found = [work for owner in owners if owner not in running and (work := _kept(path, owner)) is not None]
    return max(found, key=lambda work: work.kept_at, default=None)


def _kept(path: str, owner: str) -> Recovered | None:
    target = recovery_file(path, owner)
    try:
        kept_at = target.stat().st_mtime
        content = json.loads(target.read_text(encoding="utf-8"))
        text, base, base_text = content["text"], content["base"], content.get("base_text")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    if not isinstance(text, str) or not isinstance(base, str | None) or not isinstance(base_text, str | None):
        return None
    if (_content(path) or b"").removeprefix(_MARK) == text.encode(errors="replace"):
        return None
    return Recovered(text, base, changed_on_disk(path, base), kept_at, base_text, owner)


def discard(path: str, owner: str = "") -> None:
    """Forget the unsaved work of a session on a file."""
    try:
        recovery_file(path, owner).unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"{recovery_file(path, owner)} cannot be removed: {error.strerror or error}") from error
