"""Where results go: formats, files that are never half written nor replaced by surprise, progress for the patient."""

from __future__ import annotations

import os
import re
import sys
import time
import tomllib
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from capacity import console, render, report
from capacity.decode import nearest
from capacity.errors import UsageError, ascii_quoted
from capacity.plan import digest, to_toml
from capacity.results import to_builtins
from capacity.saving import write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from capacity.document import Document
    from capacity.plan import Plan
    from capacity.results import Evaluation
    from capacity.section import Section

_ENDINGS: Final = {".toml": "toml", ".json": "json", ".csv": "csv", ".md": "markdown"}

RULES_BEGIN: Final = "# Alerting rules for Prometheus, by capacity alerts."
"""How a file of alerting rules begins."""

_PATIENCE: Final = 0.7
"""Seconds after which a person wants to see that something happens."""


def load_factor(text: str) -> float:
    """Return the factor of --load: 2x, 2, 1.5x, 150%."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*([xX%]?)\s*", text)
    factor = float(match[1]) / (100 if match[2] == "%" else 1) if match else 0.0
    if not 0 < factor <= 1e6:
        raise UsageError(f"--load {ascii_quoted(text)}: allowed is a factor above 0, like 2x, 0.5 or 150%")
    return factor


def table_or(form: str | None, target: str | None, *, json: bool) -> str:
    """Return the format of a result that is no plan."""
    found = chosen(form, target, json=json)
    if found == "toml":
        raise UsageError("--format toml: only a plan is written as TOML; there are table, json, csv, markdown")
    return found


def chosen(form: str | None, target: str | None, *, json: bool) -> str:
    """Return the format: the one asked for, else by the ending of the file, else a table."""
    if json:
        if form not in (None, "json"):
            raise UsageError(f"--json and --format {form} contradict each other")
        return "json"
    if form is not None:
        return form
    return _ENDINGS.get(Path(target).suffix.lower(), "table") if target is not None else "table"


@dataclass(frozen=True)
class Target:
    """Where a result goes (None: standard output), in which format, and whether a file may be replaced."""

    file: str | None
    form: str
    force: bool
    only: tuple[str, ...] = ()
    """The parts of a report that are wanted; all, if none is named."""


def parts(only: Sequence[str] | None, form: str) -> tuple[str, ...]:
    """Return the parts of --only, each of which must be one; other formats than tables are always whole."""
    for name in only or ():
        if name not in report.PARTS:
            near = nearest(name, report.PARTS)
            hint = f"; did you mean {near}?" if near else ""
            raise UsageError(f"--only {ascii_quoted(name)}: there are {', '.join(report.PARTS)}{hint}")
    if only and form not in ("table", "markdown"):
        raise UsageError(f"--only chooses parts of a table; --format {form} is always whole")
    return tuple(only or ())


def emit(target: Target, document: Document, result: Plan) -> None:
    """Write a result to a file or to standard output: the same bytes."""
    text = formatted(target, document, result)
    if target.file in (None, "-"):
        console.say(text)
    else:
        write_result(target.file, text, document.source, force=target.force)
        verdict = "" if result.feasible else "; it does not meet every objective"
        console.tell(f"wrote {target.file}{verdict}")
    if target.file is not None or target.form in ("json", "csv", "toml"):
        warn_assumed(result.evaluation)


def emit_sections(
    target: Target,
    source: str,
    found: Sequence[Section],
    plain: object,
    table: Sequence[Sequence[object]] | None = None,
) -> None:
    """Write a result that is no plan: as tables, or as plain values for scripts.

    CSV has the rows of `table`; without one, a row for each value.
    """
    writers: dict[str, Callable[[], str]] = {
        "json": lambda: render.json(plain),
        "csv": lambda: render.csv_rows(plain) if table is None else render.csv_table(table),
        "markdown": lambda: render.markdown(found),
        "table": lambda: render.text(found),
    }
    emit_text(target, source, writers[target.form]())


def emit_text(target: Target, source: str, text: str) -> None:
    """Write what is text already."""
    if target.file in (None, "-"):
        console.say(text)
        return
    write_result(target.file, text, source, force=target.force)
    console.tell(f"wrote {target.file}")


def warn_assumed(evaluation: Evaluation) -> None:
    """Tell standard error of counts that nobody gave, where the report itself is not for eyes."""
    for warning in evaluation.warnings:
        if warning.code == "count_assumed":
            console.tell(f"warning: {warning.tier}: {warning.message}")


def _named_book(document: Document, result: Plan) -> Plan:
    """Return a result whose cost names the user's price book and its date, where a tier's node is from it."""
    book, used = document.book, {tier.node for tier in document.topology.components.values()}
    own = document.values.get("node_types", {})
    if book is None or not any(name in book.node_types and name not in own for name in used):
        return result
    dated = f"of {book.date}" if book.date is not None else "without a date"
    cost = msgspec.structs.replace(result.evaluation.cost, book=f"{book.source}, {dated}")
    return replace(result, evaluation=msgspec.structs.replace(result.evaluation, cost=cost))


def formatted(target: Target, document: Document, result: Plan) -> str:
    """Return a result as text."""
    form, result = target.form, _named_book(document, result)
    if form == "json":
        return render.json(to_builtins(result.evaluation))
    if form == "csv":
        return render.csv_of(result.evaluation)
    if form == "toml":
        import tomli_w  # noqa: PLC0415 - only plans that are exported pay for it

        return tomli_w.dumps(to_toml(document, result))
    found = report.sections(result.evaluation, target.only)
    return render.markdown(found) if form == "markdown" else render.text(found)


def write_new(target: str, text: str, *, force: bool) -> None:
    """Write a file that must not exist yet."""
    if not force and os.path.lexists(target):
        raise UsageError(f"{target} exists: nothing was written; --force replaces it")
    write(target, text)


def write_result(target: str, text: str, source: str, *, force: bool) -> None:
    """Write a result; a topology that somebody wrote by hand is not replaced without --force."""
    path = Path(target)
    try:
        if not force and path.is_file():
            if source != "-" and Path(source).exists() and path.samefile(source):
                raise UsageError(
                    f"{target} is the input: nothing was written; name another file, or --force replaces it"
                )
            if not _is_ours(path):
                raise UsageError(f"{target} exists and is no result of ours: nothing was written; --force replaces it")
    except (OSError, ValueError) as error:
        raise UsageError(f"{target} cannot be written: {getattr(error, 'strerror', None) or error}") from error
    write(target, text)


def _is_ours(path: Path) -> bool:
    """Whether a file is a result that nobody has changed since: a plan by its digest, others by how they begin."""
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix.lower() == ".toml":
            values = tomllib.loads(text)
            return bool(values.get("plan", {}).get("digest") == digest(values))
    except (OSError, ValueError, AttributeError):
        return False
    return text.startswith(
        ('{\n  "schema_version"', "scope,name,metric,value\n", "path,value\n", "tier,node,family,", RULES_BEGIN)
    )


@contextmanager
def progress(what: str, counted: str = "systems solved") -> Iterator[Callable[[int], None]]:
    """Give a function to call with each system solved; on a terminal it shows that the work goes on."""
    started, shown = time.monotonic(), False

    def tick(count: int) -> None:
        nonlocal shown
        if sys.stderr.isatty() and time.monotonic() - started > _PATIENCE:
            shown = True
            sys.stderr.write(f"\r{what}: {count} {counted}")
            sys.stderr.flush()

    try:
        yield tick
    finally:
        if shown:
            sys.stderr.write("\r\x1b[K")
