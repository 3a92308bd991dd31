"""What a calculator is: its options, a pure function from what was given to an answer, and the formulas behind it."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from capacity.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from capacity.explanations import Explanation
    from capacity.section import Section

COUNT: Final = "COUNT"
"""A whole number from 1 on."""
FLAG: Final = "FLAG"
TEXT: Final = "TEXT"
FILE: Final = "FILE"
"""The one argument without a name: a path, or - for standard input."""

T = TypeVar("T")

Value = float | int | str | bool | None


@dataclass(frozen=True)
class Option:
    """One --name: what it means and which unit it has, by its name in `capacity.units`, or one of the words above."""

    name: str
    unit: str
    help: str
    default: str | None = None
    """As it would be typed."""
    choices: tuple[str, ...] = ()
    """The words that a TEXT may be; any, if there are none."""
    also: str = ""
    """Another spelling."""
    least: int = 1
    """Of a COUNT."""
    required: bool = False
    """Of a FILE."""

    @property
    def flag(self) -> str:
        """How it is typed."""
        return "FILE" if self.unit == FILE else "--" + self.name.replace("_", "-")

    @property
    def ranges(self) -> bool:
        """Whether it takes a range."""
        return self.unit not in (FLAG, TEXT, FILE)


@dataclass(frozen=True)
class Given:
    """What the options say, in base units; None for what was left out."""

    values: Mapping[str, Value]
    tick: Callable[[int], None] = field(default=lambda _: None, compare=False)
    """To be called now and then by what takes seconds, with how far it is."""
    alone: bool = True
    """Whether this is the one answer, and not a point of a range: then more may be told."""
    files: dict[str, str] = field(default_factory=dict, compare=False)
    """What was read, by name: the points of a range read a file once."""

    def maybe(self, name: str) -> float | None:
        """Return a number, if it was given."""
        value = self.values[name]
        return None if value is None else float(value)

    def number(self, name: str) -> float:
        """Return a number; raises UsageError where it was not given."""
        return self._there(name, self.maybe(name))

    def maybe_count(self, name: str) -> int | None:
        """Return a whole number, if it was given."""
        value = self.values[name]
        return None if value is None else int(value)

    def count(self, name: str) -> int:
        """Return a whole number; raises UsageError where it was not given."""
        return self._there(name, self.maybe_count(name))

    def word(self, name: str) -> str | None:
        """Return a text, if it was given."""
        value = self.values[name]
        return None if value is None else str(value)

    def flag(self, name: str) -> bool:
        """Whether a flag was set."""
        return bool(self.values[name])

    def has(self, name: str) -> bool:
        """Whether an option was given, or has a default."""
        return self.values[name] is not None

    def text(self, name: str, what: str, form: str = "a text file") -> str:
        """Return what a FILE holds, read once; `what` it should be and its form are for errors."""
        source = str(self.values[name])
        if source not in self.files:
            from capacity.reading import read  # noqa: PLC0415

            self.files[source] = read(source, what, form)
        return self.files[source]

    def _there(self, name: str, value: T | None) -> T:
        if value is None:
            raise NeededError(name)
        return value


class NeededError(UsageError):
    """An option without which there is no answer was left out; whoever knows the options says what it means."""

    def __init__(self, name: str, meaning: str = "") -> None:
        told = f": {meaning}" if meaning else ""
        super().__init__(f"--{name.replace('_', '-')} is needed{told}")
        self.name = name


class Row(NamedTuple):
    """One figure of an answer."""

    key: str
    """Its name for scripts, with the unit: wait_mean_s."""
    label: str
    value: Value
    unit: str = ""
    """s, /s, B, B/s, share, availability, downtime (s), "" for a plain number, or a word that follows it."""
    note: str = ""
    column: str = ""
    """Its heading in a table over a range; without one it is not shown there."""
    text: str = ""
    """How it is shown, where its unit does not tell."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a calculator found."""

    headline: str
    """The answer in one sentence."""
    rows: Sequence[Row]
    model: str = ""
    source: str = ""
    exact: bool = True
    accuracy: str = ""
    """What it is exact for, or how far off it was measured to be."""
    notes: Sequence[str] = ()
    met: bool | None = None
    """Whether what was wished for is met; None where nothing was."""
    sections: Sequence[Section] = ()
    """More tables, or a drawing."""
    more: Mapping[str, object] = field(default_factory=dict)
    """What only scripts get."""

    def figure(self, key: str) -> float | None:
        """Return the figure of a row by its key; None where there is no such row, or nothing in it."""
        value = next((row.value for row in self.rows if row.key == key), None)
        return None if value is None else float(value)


@dataclass(frozen=True, kw_only=True)
class Calculator:
    """A command; its work is in modules beside it, imported when it is asked for: describing it costs nothing."""

    name: str
    about: str
    examples: Sequence[str]
    options: Sequence[Option]

    def answer(self, given: Given) -> Answer:
        """Return the answer to what was given; raises UsageError for what makes no sense together."""
        found: Answer = self._beside("answer").answered(given)
        return found

    def explain(self, given: Given, answer: Answer) -> list[Explanation]:
        """Return how each figure of an answer came about: by a closed form, or by a method that has none."""
        told: list[Explanation] = self._beside("explained").explained(given, answer)
        return told

    def _beside(self, part: str) -> Any:
        return import_module(f"capacity.calculators.{self.name}_{part}")
