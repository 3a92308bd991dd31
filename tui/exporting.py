"""What leaves the screen as a file: the same bytes that `capacity plan -o` writes for the same file and load."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from capacity.document import parse
from capacity.output import Target, formatted
from capacity.plan import plan

if TYPE_CHECKING:
    from collections.abc import Callable

    from capacity.document import Document


class Export(NamedTuple):
    """A way to write a plan, or the screen."""

    form: str
    """As `--format` calls it; "svg" is the screen."""
    ending: str
    title: str
    key: str


EXPORTS: Final = (
    Export("toml", ".plan.toml", "TOML: the sized topology with its numbers, loads again", "t"),
    Export("json", ".plan.json", "JSON: every number, for scripts", "j"),
    Export("markdown", ".plan.md", "Markdown: the report, for people", "m"),
    Export("csv", ".plan.csv", "CSV: every number in a row of its own", "c"),
    Export("svg", ".svg", "SVG: this screen as a picture", "v"),
)


class Exported(NamedTuple):
    """The text of an export, and whether what it shows meets every limit and objective."""

    text: str
    feasible: bool


def exported(text: str, like: Document, load: float, form: str, tick: Callable[[int], None]) -> Exported:
    """Return the plan of a text at a load in one of the formats, byte for byte as the command writes it.

    `like` is a document that was read from the same place with the same price book.
    """
    document = parse(text, like.source, (), load, like.book)
    result = plan(document.topology, tick)
    return Exported(formatted(Target(None, form, force=False), document, result), result.feasible)


def default_name(path: str, ending: str) -> str:
    """Return where an export goes if nobody says otherwise: beside the topology."""
    here = Path(path)
    return str(here.with_name(here.name.removesuffix(".toml").removesuffix(".plan") + ending))
