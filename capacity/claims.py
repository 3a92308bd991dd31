"""Who works on a file: each program has its own place for unsaved work, and sees the others that are running.

A claim is a lock that the kernel takes away when its program ends, however it ends: what is locked is in use, what is
not was left behind.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from capacity.saving import recovery_file

if TYPE_CHECKING:
    from pathlib import Path

try:
    import fcntl
except ImportError:  # a system without such locks: nobody is seen, and nothing breaks
    fcntl = None  # type: ignore[assignment]


@dataclass
class Claim:
    """That a program works on a file; given back by `release`, or by the end of the program."""

    path: str
    owner: str = field(default_factory=lambda: f"{os.getpid()}-{secrets.token_hex(4)}")
    _handle: int | None = None

    def take(self) -> None:
        """Begin to be seen by others; where that is not possible, nothing else is lost."""
        lock = _lock_file(self.path, self.owner)
        try:
            lock.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
            if fcntl is not None:
                fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self.release()

    def release(self) -> None:
        """Be seen no longer."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
            _lock_file(self.path, self.owner).unlink(missing_ok=True)

    def others(self) -> list[int]:
        """Return the process ids of other programs that work on the same file now."""
        return [int(owner.partition("-")[0]) for owner in running(self.path) if owner != self.owner]


def running(path: str) -> list[str]:
    """Return the owners of claims on a file that are held."""
    first = recovery_file(path)
    owners = (lock.name[len(first.stem) + 1 : -len(".lock")] for lock in first.parent.glob(f"{first.stem}.*.lock"))
    return sorted(owner for owner in owners if owner.partition("-")[0].isdecimal() and _held(path, owner))


def _held(path: str, owner: str) -> bool:
    """Return whether a claim is held; the lock of a program that has gone is cleared away."""
    lock = _lock_file(path, owner)
    if fcntl is None:
        return False
    try:
        handle = os.open(lock, os.O_RDWR)
    except OSError:
        return False
    try:
        # A shared lock, so that two that look at the same time do not take each other for the owner.
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    lock.unlink(missing_ok=True)
    return False


def _lock_file(path: str, owner: str) -> Path:
    return recovery_file(path, owner).with_suffix(".lock")
