"""From a question to all numbers on the screen: the evaluation, as frozen as what it follows from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from capacity.advice import advise, show
from capacity.document import scaled
from capacity.evaluate import describe
from capacity.outcomes import during, with_uptime
from capacity.search import Search
from capacity.sizing import size
from capacity.system import resolve
from capacity.telling import left_over
from capacity.units import show_percent

if TYPE_CHECKING:
    from collections.abc import Callable

    from capacity.document import Document
    from capacity.results import Advice, Evaluation
    from capacity.solve import Solution
    from capacity.system import Counts
    from capacity.topology import Topology
    from capacity.verdict import Violation
    from tui.session import Question


@dataclass(frozen=True, eq=False)
class Scene:
    """A question and its answer. `evaluation` is of the scenario that was asked for."""

    question: Question
    topology: Topology
    """Under the load of the question."""
    counts: Counts
    """Of every tier that has one, those of the file among them."""
    search: Search
    evaluation: Evaluation

    @property
    def solution(self) -> Solution:
        """The solved system in normal operation."""
        return self.search.at(self.counts)

    def __reduce__(self) -> tuple[Callable[[Question], Scene], tuple[Question]]:
        """Travel to another process as the question, which is small; there it is worked out again."""
        return _arrived, (self.question,)


def scene(question: Question, near: Scene | None = None) -> Scene:
    """Return everything that is to be shown. Pure: equal questions give equal scenes.

    `near` is the scene before an edit, after which an answer is found sooner. What takes as long again, and is looked
    at less often, is left to `followed_up`. Raises UsageError for a scenario that cannot happen to this system.
    """
    topology = scaled(question.version.document.topology, question.load)
    system = resolve(topology)
    search, counts = Search.of(system), {**system.least(), **question.version.counts}
    solution = search.at(counts) if near is None else search.at_near(counts, near.solution)
    evaluation = describe(solution) if question.scenario is None else during(search, counts, question.scenario)
    return Scene(question, topology, counts, search, evaluation)


_ARRIVED: Final[list[Scene]] = []
"""The last scenes that came from another process, the latest last: most are asked about again."""

_KEPT: Final = 3
"""What is shown, the baseline, and what was shown before."""


def _arrived(question: Question) -> Scene:
    """Return the scene of a question that comes from another process."""
    found = next((known for known in _ARRIVED if _alike(known.question, question)), None)
    if found is None:
        found = scene(question)
    else:
        _ARRIVED.remove(found)
    _ARRIVED.append(found)
    del _ARRIVED[:-_KEPT]
    return found


def _alike(a: Question, b: Question) -> bool:
    """Return whether two questions have one scene: equal ones, with tiers and classes in the same order."""
    return a == b and repr(a.version.document.values) == repr(b.version.document.values)


class Solved(NamedTuple):
    """The counts of the cheapest plan; what cannot be met, and how it could be, where there is none."""

    counts: Counts
    advice: tuple[Advice, ...]


def solved(document: Document, load: float, tick: Callable[[int], None] = lambda _: None) -> Solved:
    """Return the counts of the cheapest plan at a load; where none meets everything, of one that meets the rest."""
    system = resolve(scaled(document.topology, load))
    sizing = size(Search.of(system, tick))
    return Solved(sizing.counts, tuple(advise(system, sizing)))


def solved_counts(document: Document, load: float, tick: Callable[[int], None] = lambda _: None) -> tuple[Counts, bool]:
    """Return the counts of the cheapest plan at a load, and whether it meets everything."""
    found = solved(document, load, tick)
    return found.counts, not found.advice


class FollowUp(NamedTuple):
    """The same evaluation with the availability of everything, and what these counts do not survive."""

    evaluation: Evaluation
    unsurvived: tuple[str, ...]
    """What the file wants survived and is not, a line for each kind of event with what fails."""


def _by_how_much(violation: Violation) -> str:
    """Return what fails, and how far it is off."""
    if violation.constraint == "nodes":
        return f"{violation.name}: {left_over(violation.value, violation.limit)}"
    value = "no answer" if violation.value is None else show(violation.value, violation.unit)
    short = violation.short or 0.0
    more = f" (+{show_percent(short - 1)})" if short > 1 else ""
    return f"{violation.name} {violation.constraint} {value}, allowed {show(violation.limit, violation.unit)}{more}"


def followed_up(found: Scene, tick: Callable[[int], None] = lambda _: None) -> FollowUp:
    """Return what there is to say of a scene in normal operation beside its numbers."""
    search = Search.of(found.search.system, tick)  # its own: other threads look things up in the scene's
    worst: dict[str, str] = {}
    for conflict in search.conflicts(found.counts):
        if conflict.phrase:
            worst.setdefault(conflict.event.scenario, f"{conflict.phrase}: {_by_how_much(conflict.violation)}")
    return FollowUp(with_uptime(found.evaluation, search, found.counts), tuple(worst.values()))
