"""The fields of what is selected, to be changed; its limits, its latency, and why it has this many nodes."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache, partial
from textwrap import wrap
from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message
from textual.worker import get_current_worker

from tui.amending import names_for
from tui.because import Because, asks_why, because
from tui.drawing.text import clean, cut
from tui.findings import findings
from tui.inspection import PLAIN, Unfolding, about, rows
from tui.later import Later
from tui.widgets.field_list import FieldList
from tui.widgets.finding_lines import Findings
from tui.widgets.lines import Lines
from tui.widgets.still import StillContainer, StillScroll
from tui.widgets.value_input import ValueInput

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult
    from textual.screen import Screen

    from tui.drawing.canvas import Key
    from tui.inspection import Row
    from tui.scene import Scene
    from tui.session import Session

_PATIENCE: Final = 0.3
"""Seconds for which nothing must change before the reasons for a count are looked for: typing comes first."""

_SIDE_BY_SIDE: Final = 100
"""Columns from which fields and findings stand beside each other."""


class Outdated(Exception):  # noqa: N818
    """Nobody waits for the answer any more."""


class Inspector(StillContainer):
    """Shows one tier or request class, or the whole system."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back", id="field.leave", tooltip="Back to the drawing"),
    ]
    DEFAULT_CSS: ClassVar[str] = """
    Inspector { layers: base edit; }
    Inspector > #inspector-title { height: 1; padding: 0 1; background: $surface; width: 100%; }
    Inspector > #inspector-body { height: 1fr; layout: vertical; }
    Inspector #fields { height: 3fr; min-height: 4; }
    Inspector #inspector-findings { height: 2fr; padding: 0 1; border-top: dashed $panel; }
    Inspector #inspector-findings { scrollbar-size: 1 1; scrollbar-gutter: stable; }
    Inspector #inspector-findings:focus { background: $boost; }
    Inspector.-beside > #inspector-body { layout: horizontal; }
    Inspector.-beside #fields { height: 1fr; width: 1fr; }
    Inspector.-beside #inspector-findings { height: 1fr; width: 1fr; border-top: none; border-left: solid $panel; }
    Inspector > #inspector-about { height: 2; padding: 0 1; width: 100%; background: $surface; }
    Inspector.-stale Findings { text-opacity: 50%; }
    """

    class Left(Message):
        """Somebody wants back to the drawing."""

    class Ended(Message):
        """Typing has ended; what was typed is kept, or not."""

        def __init__(self, row: Row, *, kept: bool) -> None:
            super().__init__()
            self.row, self.kept = row, kept

    def __init__(
        self,
        tried: Callable[[Row, str], None],
        *,
        id: str | None = None,  # noqa: A002, textual's own name
    ) -> None:
        super().__init__(id=id)
        self._tried = tried
        """What is told at once of a text that stands in a field, so that it is painted together with its numbers."""
        self.whole = False
        """Whether the system is shown and not what is selected."""
        self._session: Session | None = None
        self._scene: Scene | None = None
        self._selected: Key | None = None
        self._baseline: Scene | None = None
        self._unfolding: Unfolding = PLAIN
        self._editing: Row | None = None
        self._message = ""
        self._why = Because()
        self._why_of: tuple[Scene, str] | None = None
        self._waiting = Later()
        self._width = 0

    def compose(self) -> ComposeResult:
        """Put the fields above or beside what the numbers say."""
        yield Lines(id="inspector-title")
        with StillContainer(id="inspector-body"):
            yield FieldList(id="fields")
            with StillScroll(id="inspector-findings"):
                yield Findings(id="findings")
        yield Lines(id="inspector-about")
        yield ValueInput(self._try)

    @property
    def key(self) -> Key | None:
        """What is shown, None for the whole system."""
        return None if self.whole else self._selected

    # What is shown.

    def show(self, session: Session, scene: Scene, selected: Key | None, baseline: Scene | None) -> None:
        """Show what is selected, with its numbers."""
        if selected != self._selected:
            self.whole, self._selected, self._message, self._unfolding = False, selected, "", PLAIN
            self.query_one(FieldList).cursor = 0
        self._session, self._scene, self._baseline = session, scene, baseline
        self._show_rows()
        self._show_findings()

    def follow(self, session: Session) -> None:
        """Show the values of a session whose numbers are still worked out."""
        self._session = session
        self._show_rows()

    def show_whole(self, whole: bool) -> None:  # noqa: FBT001 - the value of a switch
        """Show the fields of the whole system, or of what is selected."""
        self.whole, self._message, self._unfolding = whole, "", PLAIN
        self.query_one(FieldList).cursor = 0
        self._show_rows()
        self._show_findings()

    def say(self, message: str) -> None:
        """Say beside the field under the cursor what is wrong with it; nothing for an empty message."""
        if message == self._message:
            return
        self._message = message
        self.query_one(ValueInput).set_class(bool(message) and self._editing is not None, "-wrong")
        self._show_rows()

    def _show_rows(self) -> None:
        if self._session is None or self._scene is None:
            return
        # The session may be ahead of the scene by an edit, never by a change of what is selected.
        counts = {**self._scene.counts, **self._session.now.counts}
        before = None if self._baseline is None else self._baseline.question.version.document
        fields = self.query_one(FieldList)
        document = self._session.now.document
        found = rows(document, counts, self.key, before, self._unfolding, before=fields.rows)
        fields.show(found, self._message)
        self._show_about()
        name = clean(document.topology.name) if self.key is None else clean(self.key.name)
        word = "the whole system" if self.key is None else self._word(self.key)
        self.query_one("#inspector-title", Lines).show(
            [[(f" {name}", "name"), (f"  {word} · a digit begins a value; v lists the views", "dim")]]
        )

    def _word(self, key: Key) -> str:
        tier = self._scene.evaluation.tiers.get(key.name) if self._scene is not None else None
        return "request class" if key.scope == "class" else clean(tier.kind) if tier is not None else ""

    def _show_about(self) -> None:
        width = self.content_size.width - 2
        text = self._message or about(self.query_one(FieldList).row)
        lines = _wrapped(text, max(width, 20))[:2]
        style = "bad" if self._message else "dim"
        self.query_one("#inspector-about", Lines).show([[(cut(line, width), style)] for line in lines])

    def _show_findings(self) -> None:
        scene = self._scene
        if scene is None:
            return
        self._look_for_reasons(scene)
        width = self.query_one("#inspector-findings").scrollable_content_region.width
        if width > 0:
            self.query_one(Findings).show(findings(scene, self.key, self._baseline, width, self._why))

    def _look_for_reasons(self, scene: Scene) -> None:
        tier = asks_why(scene, self.key)
        wanted = None if tier is None else (scene, tier)
        if wanted == self._why_of:
            return
        self._why, self._why_of = Because(), wanted
        self.workers.cancel_group(self, "why")
        self._waiting.drop()
        if wanted is not None:
            self._waiting.do(_PATIENCE, partial(self._ask_why, *wanted))

    def _ask_why(self, scene: Scene, tier: str) -> None:
        if not self.is_running:
            return
        # Described, or every number of the scene would be written out to describe it.
        work = partial(self._answer_why, scene, tier)
        self.run_worker(work, group="why", description="reasons", exclusive=True, thread=True)

    def _answer_why(self, scene: Scene, tier: str) -> None:
        worker = get_current_worker()

        def tick(_: int) -> None:
            if worker.is_cancelled:
                raise Outdated

        try:
            found = because(scene, tier, tick)
        except Outdated:
            return
        if not worker.is_cancelled:
            self.app.call_from_thread(self._take_reasons, scene, tier, found)

    def _take_reasons(self, scene: Scene, tier: str, found: Because) -> None:
        if self._why_of == (scene, tier):
            self._why = found
            self._show_findings()

    # What is done.

    def focus_fields(self) -> None:
        """Go to the fields, on a narrow screen instead of the drawing."""
        self.app.add_class("-inspecting")
        self.query_one(FieldList).focus()

    def action_leave(self) -> None:
        """Go back to the drawing."""
        self.post_message(self.Left())

    def hold(self, row: Row) -> None:
        """Keep a field where it stands while it is being changed."""
        if self._unfolding.held is None or self._unfolding.held[0] != row.path:
            self._unfolding = replace(self._unfolding, held=(row.path, row.given or row.count is not None))

    def on_field_list_moved(self) -> None:
        """Tell about another field."""
        self._message = ""
        self._unfolding = replace(self._unfolding, held=None)
        self._show_rows()

    def on_field_list_unfolded(self, event: FieldList.Unfolded) -> None:
        """Show all fields of a call, or no longer."""
        if event.row.call is not None:
            self._unfolding = replace(self._unfolding, calls=self._unfolding.calls ^ {event.row.call})
            self._show_rows()

    def on_field_list_edited(self, event: FieldList.Edited) -> None:
        """Lay the input over a value."""
        if self._session is None:
            return
        self.hold(event.row)
        self._editing = event.row
        place = self.query_one(FieldList).cell().translate((-self.content_region.x, -self.content_region.y))
        place = Region(place.x, place.y, min(place.width, self.content_size.width - place.x), 1)
        text = event.row.text if event.row.count is None else str(event.row.count)
        names = names_for(self._session.now.document, event.row)
        editor = self.query_one(ValueInput)
        editor.begin(text if event.first is None else event.first, place, names, selected=event.first is None)
        self.query_one(FieldList).typed = event.first
        if event.first is not None:
            self._tried(event.row, event.first)

    def _try(self, text: str) -> None:
        """Have what stands in the input tried."""
        if self._editing is not None:
            self.query_one(FieldList).typed = text
            self._tried(self._editing, text)

    def on_value_input_ended(self, event: ValueInput.Ended) -> None:
        """Put the input away, unless there is something wrong with what is to be kept."""
        event.stop()
        row, editor = self._editing, self.query_one(ValueInput)
        if row is None or (event.kept and self._message and editor.has_focus):
            return
        self._editing = None
        focused = editor.has_focus
        editor.end()
        self.query_one(FieldList).typed = None
        self._unfolding = replace(self._unfolding, held=None)
        self._show_rows()
        self.post_message(self.Ended(row, kept=event.kept))
        if focused:
            self.query_one(FieldList).focus()
        if event.steps:
            self.query_one(FieldList).action_move(event.steps)

    def on_mount(self) -> None:
        """Lay out for every width; a resize is not always told where a view opens and closes in quick succession."""
        self.screen.screen_layout_refresh_signal.subscribe(self, self._fit)

    def _fit(self, _: Screen[object]) -> None:
        if self.size.width != self._width:
            self._width = self.size.width
            self.set_class(self._width >= _SIDE_BY_SIDE, "-beside")
            self.call_after_refresh(self._show_rows)
            self.call_after_refresh(self._show_findings)

    def on_findings_widened(self, event: Findings.Widened) -> None:
        """Tell the findings again in as many columns as there are now."""
        event.stop()
        self._show_findings()


@lru_cache(maxsize=64)
def _wrapped(text: str, width: int) -> tuple[str, ...]:
    return tuple(wrap(text, width))
