"""Where a number comes from, as people read it: in symbols, with numbers, and what each input does to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capacity.errors import printable
from capacity.explanations import shown
from capacity.section import Section

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capacity.explanations import Effect, Explained, Explanation, Input, Line

_FELT = 5e-4
"""The least relative effect of one per cent more that is shown as a number, in per cent."""


def sections(found: Explained, *, whole: bool) -> list[Section]:
    """Return one number in full, or all of them in short."""
    if not whole:
        return [_short(found)]
    return [section for one in found.metrics for section in full(f"{_title(found)}, ", one)]


def latex(found: Explained) -> str:
    """Return the formulas in LaTeX, ready for a document that uses amsmath."""
    return "\n".join(line for one in found.metrics for line in _latex(found, one)) + "\n"


def _latex(found: Explained, one: Explanation) -> Iterator[str]:
    yield f"% {printable(found.tier)} {one.metric}: {one.what}, {one.shown}"
    if not one.lines:
        yield from (f"% {printable(note)}" for note in one.notes)
        return
    yield r"\begin{align*}"
    yield " \\\\\n".join("  " + line.latex.replace(" = ", " &= ", 1) for line in one.lines)
    yield r"\end{align*}"
    for given in one.inputs:
        yield f"% {given.name} = {given.value!r} {given.unit}: {printable(given.meaning)}"


def _title(found: Explained) -> str:
    when = f" {printable(found.when)}" if found.when else ""
    return f"{printable(found.name)}{when}: {printable(found.tier)}"


def _short(found: Explained) -> Section:
    rows: list[tuple[str, ...]] = [("Number", "Here", "Formula", "")]
    for one in found.metrics:
        formula = "inverted from a transform" if one.metric == "p99" else one.lines[-1].symbols if one.lines else "-"
        rows.append((one.metric, one.shown, formula, _kind(one)))
    notes = ["one of these as METRIC: the whole formula, with this tier's numbers, its source and its derivatives"]
    if not found.metrics:
        rows, notes = [], ["no request reaches it: there is nothing to explain"]
    return Section(f"{_title(found)} ({found.kind})", rows, frozenset({1}), notes)


def _kind(one: Explanation) -> str:
    if one.value is None:
        return "overloaded"
    return "exact" if one.exact else "approximate"


def full(where: str, one: Explanation) -> Iterator[Section]:
    """Return one number in full; `where` stands before it in the title."""
    notes = [printable(note) for note in one.notes]
    if one.source:
        notes.append(f"source: {one.source}")
    if one.accuracy and one.value is not None:
        notes.append(one.accuracy if one.accuracy.startswith(_kind(one)) else f"{_kind(one)}: {one.accuracy}")
    yield Section(f"{where}{one.what}: {one.shown}", notes=notes)
    if one.lines:
        yield Section("Formula", notes=[line for step in one.lines for line in _step(step)])
    if one.inputs:
        yield Section("Inputs", notes=[_input(given) for given in one.inputs])
    if one.effects:
        result = one.moved
        rows: list[tuple[str, ...]] = [("Change", f"{result} changes by", f"d{result}/d", "In symbols")]
        effects = sorted(one.effects, key=lambda e: -abs(e.relative or 0.0))
        rows += [_effect(effect) for effect in effects]
        rows = rows if any(row[3] for row in rows[1:]) else [row[:3] for row in rows]
        yield Section("", rows, frozenset({1, 2}), ["all other inputs as they are"])


def _step(line: Line) -> Iterator[str]:
    yield f"{line.symbols}"
    yield f"  = {line.numbers} = {line.shown}  ({printable(line.meaning)})"


def _input(given: Input) -> str:
    key = f" ({given.key})" if given.key is not None else ""
    return f"{given.symbol} = {given.shown}  {printable(given.meaning + key)}"


def _effect(effect: Effect) -> tuple[str, str, str, str]:
    if effect.relative is None:
        moved = "-"
    elif effect.counts:
        moved = f"{effect.relative:+.1%}" if abs(effect.relative) < 10 else f"{effect.relative:+,.0%}"
    else:
        moved = "0" if abs(effect.relative) < _FELT else f"{effect.relative:+.3g}%"
        moved = moved if abs(effect.relative) < 1000 else f"{effect.relative:+,.0f}%"
    change = f"{effect.symbol} {'one more' if effect.counts else '1% more'}"
    slope = "-" if effect.counts else shown(effect.derivative, "")
    return change, moved, slope, effect.formula or ""
