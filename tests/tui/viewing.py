"""A scene of a file, and what a view says of it as plain texts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from capacity.document import load
from tui.content import Chart, Content, Note, Table
from tui.scene import scene, solved_counts
from tui.session import opened
from tui.views import Asked, View, views

if TYPE_CHECKING:
    from capacity.document import Document
    from tui.scene import Scene

ROOT = Path(__file__).parents[2]
SHOP = "examples/shop.toml"
LADDER = "examples/ladder"


def read(path: str, *overrides: str) -> Document:
    """Return an example as it is read."""
    return load(str(ROOT / path), overrides)


def shown(document: Document, factor: float = 1.0, scenario: str | None = None) -> Scene:
    """Return the scene of a file whose open counts are those of its plan at the file's own load."""
    session = opened(document, solved_counts(document, 1.0)[0])
    return scene(replace(session, load=factor, scenario=scenario).question)


def view(name: str) -> View:
    """Return a view by its id."""
    return next(found for found in views() if found.id == name)


def answered(name: str, found: Scene, tier: str | None = None, baseline: Scene | None = None) -> Content:
    """Return what a view says."""
    return view(name).answer(Asked(found, tier, None, baseline), lambda _: None)


def notes(content: Content) -> str:
    """Return all notes as one text."""
    return "\n".join(block.text for block in content.blocks if isinstance(block, Note))


def tables(content: Content) -> dict[str, Table]:
    """Return the tables by their titles."""
    return {block.title: block for block in content.blocks if isinstance(block, Table)}


def charts(content: Content) -> dict[str, Chart]:
    """Return the charts by their titles."""
    return {block.title: block for block in content.blocks if isinstance(block, Chart)}


def texts(table: Table) -> dict[str, list[str]]:
    """Return the rows by their first cell."""
    return {row[0].text: [cell.text for cell in row[1:]] for row in table.rows}


def everything(content: Content) -> str:
    """Return every text that is shown, charts as their tables."""
    found = []
    for block in content.blocks:
        if isinstance(block, Note):
            found.append(block.text)
            continue
        table = block.twin() if isinstance(block, Chart) else block
        found += [table.title, *table.columns, *(cell.text for row in table.rows for cell in row)]
    return "\n".join(found)
