from __future__ import annotations

import re

from capacity.alerts import alerts
from capacity.alerts_report import sections as told_alerts
from capacity.explain_report import sections as told_formulas
from capacity.explaining import explain, explain_class
from capacity.variants import pinned
from tests.tui.viewing import SHOP, answered, notes, read, shown, tables, texts, view
from tui.content import Table
from tui.views import Asked

STARTER = "examples/starter.toml"
SPELLED = re.compile(r"\b(lambda|mu|rho|sigma|kappa|epsilon|omega|alpha|beta|gamma|delta|phi|psi)(_\w+)?\b|\b\w_\d+\b")
"""A symbol that is spelled out."""


# The view of formulas says what `capacity explain` says of the tier that is selected, and asks for one where none is.
def test_explain() -> None:
    found = shown(read(STARTER))
    told = explain(pinned(found.topology, found.counts), "app")
    said = notes(answered("explain", found, "app"))
    assert all(note in said for section in told_formulas(told, whole=True) for note in section.notes)
    assert "Select a tier" in notes(answered("explain", found))


# Of a request class that is selected it says what `capacity explain` says of the class, also where a tier has its name.
def test_explain_a_class() -> None:
    found = shown(read(STARTER))
    name = next(iter(found.topology.workload.classes))
    told = explain_class(pinned(found.topology, found.counts), name)
    said = notes(view("explain").answer(Asked(found, None, name), lambda _: None))
    assert told.kind == "request class"
    assert all(note in said for section in told_formulas(told, whole=True) for note in section.notes)
    assert "mean response time" in said


# Symbols stand there as they are written on paper, not as they are typed.
def test_symbols() -> None:
    found = shown(read(SHOP))
    for said in (
        answered("explain", found, "app"),
        view("explain").answer(Asked(found, None, "browse"), lambda _: None),
    ):
        cells = [
            str(cell.text) for block in said.blocks if isinstance(block, Table) for row in block.rows for cell in row
        ]
        text = "\n".join([notes(said), *cells])
        assert "λ" in text or "T" in text
        assert not SPELLED.search(text), SPELLED.search(text)


# The view of alerts has the thresholds of `capacity alerts` with the counts on the screen.
def test_alerts() -> None:
    found = shown(read(STARTER))
    told = told_alerts(alerts(pinned(found.topology, found.counts)))
    breaks = [section for section in told if section.title.startswith("Before ")]
    seen = tables(answered("alerts", found))
    assert breaks
    for section in breaks:
        rows = texts(seen[section.title])
        assert len(rows) > 0
        assert all(any(str(cell) in str(rows) for cell in row) for row in section.rows[1:])
