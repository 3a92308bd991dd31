from __future__ import annotations

from capacity.alerts import alerts
from capacity.alerts_report import sections as told_alerts
from capacity.explain_report import sections as told_formulas
from capacity.explaining import explain
from capacity.variants import pinned
from tests.tui.viewing import answered, notes, read, shown, tables, texts

STARTER = "examples/starter.toml"


# The view of formulas says what `capacity explain` says of the tier that is selected, and asks for one where none is.
def test_explain() -> None:
    found = shown(read(STARTER))
    told = explain(pinned(found.topology, found.counts), "app")
    said = notes(answered("explain", found, "app"))
    assert all(note in said for section in told_formulas(told, whole=True) for note in section.notes)
    assert "Select a tier" in notes(answered("explain", found))


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
