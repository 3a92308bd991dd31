"""What a person has done so far, as one frozen value: the versions of the file, the load, the scenario, the baseline.

The history is a list of frozen topologies (each in its document, with the words of its file) and nothing else: undo
steps back in it, an edit after that forgets what was ahead. Everything that is shown follows from a `Session`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from capacity.document import Document
    from capacity.system import Counts

LOADS: Final = (
    0.1, 0.25, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.8, 2.0, 2.2, 2.4, 2.6, 2.8, 3.0, 3.2, 3.6,
    4.0, 5.0, 6.0, 8.0, 10.0, 15.0, 20.0, 30.0, 50.0, 100.0,
)  # fmt: skip
"""Multiples of the file's load that a key steps through."""


@dataclass(frozen=True)
class Version:
    """The file at one moment, and the counts of the tiers whose count it leaves to the plan."""

    document: Document
    counts: Counts
    label: str
    """What was changed to get here."""


@dataclass(frozen=True)
class Session:
    """Everything that what is on the screen depends on, but for where the cursor is."""

    past: tuple[Version, ...]
    now: Version
    future: tuple[Version, ...] = ()
    saved: Version | None = None
    """What is on disk."""
    load: float = 1.0
    scenario: str | None = None
    """NAME or NAME:SUBJECT; None is normal operation."""
    baseline: Question | None = None

    @property
    def question(self) -> Question:
        """What is to be evaluated."""
        return Question(self.now, self.load, self.scenario)

    @property
    def dirty(self) -> bool:
        """Whether there is something that is not on disk."""
        return self.saved is None or self.saved.document.values != self.now.document.values

    def edited(self, document: Document, label: str, counts: Counts | None = None) -> Session:
        """Return the session after an edit; the counts stay as they are, so that its effect is seen.

        `counts` are further ones, of tiers that the edit named.
        """
        return self._at(Version(document, counts_for(document, {**self.now.counts, **(counts or {})}), label))

    def merged(self, document: Document, label: str) -> Session:
        """Return the session with the last edit replaced by a further one: one undo for one stretch of typing."""
        before = self.past[-1].counts if self.past else {}
        return replace(
            self, now=Version(document, counts_for(document, {**self.now.counts, **before}), label), future=()
        )

    def counted(self, counts: Counts, label: str) -> Session:
        """Return the session with counts that a plan found."""
        return self._at(Version(self.now.document, counts, label))

    def _at(self, version: Version) -> Session:
        return replace(self, past=(*self.past, self.now), now=version, future=())

    def undone(self) -> Session:
        """Return the session one step back; itself at the beginning."""
        if not self.past:
            return self
        return replace(self, past=self.past[:-1], now=self.past[-1], future=(self.now, *self.future))

    def undone_for_good(self) -> Session:
        """Return the session one step back, from which nothing leads ahead: as if the last edit had not been."""
        return replace(self.undone(), future=())

    def redone(self) -> Session:
        """Return the session one step ahead; itself at the end."""
        if not self.future:
            return self
        return replace(self, past=(*self.past, self.now), now=self.future[0], future=self.future[1:])

    @property
    def versions(self) -> tuple[Version, ...]:
        """Every version, the first one first; the present one is at `len(past)`."""
        return (*self.past, self.now, *self.future)

    def at(self, position: int) -> Session:
        """Return the session at another of its versions."""
        every = self.versions
        return replace(self, past=every[:position], now=every[position], future=every[position + 1 :])

    def stepped_load(self, steps: int) -> Session:
        """Return the session with the next larger (or smaller) load."""
        larger = [load for load in LOADS if load > self.load * (1 + 1e-9)]
        smaller = [load for load in LOADS if load < self.load * (1 - 1e-9)]
        around = larger[:steps] if steps > 0 else smaller[steps:]
        return replace(self, load=(around[-1] if steps > 0 else around[0]) if around else self.load)


@dataclass(frozen=True)
class Question:
    """A version under some load in some scenario."""

    version: Version
    load: float
    scenario: str | None


def opened(document: Document, counts: Counts) -> Session:
    """Return the session of a file as it is on disk."""
    version = Version(document, counts_for(document, counts), "opened")
    return Session((), version, saved=version)


def counts_for(document: Document, known: Counts) -> Counts:
    """Return a count for every tier whose count the file leaves out: the known one, or the least that makes sense.

    Also where that is more now: a quorum that was just made larger asks for more members than there were.
    """
    from capacity.system import resolve

    system = resolve(document.topology)
    given, least = system.given(), system.least()
    return {name: max(known.get(name, 0), least[name]) for name in system.counted() if name not in given}
