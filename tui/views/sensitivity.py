"""Which inputs matter: by how many per cent what users see, pay and have left moves when one of them moves by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capacity import sweep_report
from capacity.sensitivity import sensitivity
from tui.blocks import bar, name, table
from tui.content import Cell, Content, Note
from tui.views import View

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from capacity.sensitivity import Effect, Input, Sensitivity
    from tui.content import Block, Table
    from tui.views import Asked

_STRONG: Final = 0.5
"""The elasticity from which on an input is one of those that decide."""


def answer(asked: Asked, tick: Callable[[int], None]) -> Content:
    """Return the elasticities of `capacity sensitivity`, at the load and with the counts on the screen."""
    found = sensitivity(asked.scene.topology, tick, asked.scene.counts)
    felt = [one for one in found.inputs if one.weight >= sweep_report.FELT]
    blocks: list[Block] = [_now(found), _elasticities(found, felt)]
    blocks.append(
        Note(
            "Per cent that an output moves for one per cent of the input; with the nodes on the screen, in normal"
            " operation. In use: what the busy share of the nodes costs. Tightest: use of the resource that is nearest"
            " to its end. Differences over one per cent either way: exact but for the curvature in between.",
            "dim",
        )
    )
    blocks += _ranges(found)
    faint = [one.key for one in found.inputs if one.weight < sweep_report.FELT]
    for words, keys in ((f"Less than {sweep_report.FELT:g}%", faint), ("No effect", found.without_effect)):
        if keys:
            blocks.append(Note(f"{words}: {', '.join(map(sweep_report.short, keys))}.", "dim"))
    return Content(tuple(blocks))


def _now(found: Sensitivity) -> Note:
    outputs = (f"{name(o)} {sweep_report.output(o, value)}" for o, value in found.outputs.items())
    return Note(f"Now: {', '.join(outputs)}.", "bad" if None in found.outputs.values() else "")


def _elasticities(found: Sensitivity, felt: list[Input]) -> Table:
    most = max((one.weight for one in felt), default=1.0)
    rows: list[Sequence[Cell | str]] = [
        (
            Cell(sweep_report.short(one.key), "strong" if one.weight >= _STRONG else ""),
            sweep_report.written(one),
            *(_moved(one.effects[output]) for output in found.outputs),
            bar(one.weight / most, 12),
        )
        for one in felt
    ]
    headings = (name(sweep_report.heading(output)) for output in found.outputs)
    columns = ("Input", "Value", *headings, "")
    return table("What to measure better", columns, rows, left=(0, len(columns) - 1))


def _moved(effect: Effect) -> Cell:
    felt = effect.elasticity is not None and abs(effect.elasticity) >= sweep_report.FELT
    strong = effect.elasticity is not None and abs(effect.elasticity) >= _STRONG
    return Cell(sweep_report.elasticity(effect), "strong" if strong else "" if felt else "dim")


def _ranges(found: Sensitivity) -> Iterator[Block]:
    """Yield what the outputs become at both ends of every range of the file."""
    ranged = [one for one in found.inputs if one.low is not None]
    rows = [
        (
            sweep_report.short(one.key),
            sweep_report.written(one),
            name(sweep_report.heading(output)),
            sweep_report.output(output, effect.span[0]),
            sweep_report.output(output, effect.span[1]),
        )
        for one in ranged
        for output, effect in one.effects.items()
        if effect.span is not None and effect.span[0] != effect.span[1]
    ]
    if rows:
        columns = ("Input", "Range", "Moves", "At its low end", "At its high end")
        yield table("What is not known exactly", columns, rows, left=(0, 2))
    else:
        yield Note(
            'No number of the file has a range that matters: write "8ms..20ms" where one is not known exactly, and what'
            " that leaves open is told here.",
            "dim",
        )


VIEW = View(
    "sensitivity",
    "9",
    "Sensitivity",
    "Which input matters most, and should be measured better?",
    answer,
    of_scenario=False,
    work="each input moved by one per cent either way",
)
