"""What is done in the inspector: values typed, stepped, pinned, left out; evaluated at once, undone by stretches."""

from __future__ import annotations

from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, ClassVar, Literal

from textual.binding import Binding, BindingType

from capacity.errors import DocumentError
from tui.base import SessionApp
from tui.widgets.topology import TopologyView

if TYPE_CHECKING:
    from capacity.editing import Edited
    from tui.amending import Stretch
    from tui.inspection import Row
    from tui.session import Session
    from tui.widgets.field_list import FieldList
    from tui.widgets.inspector import Inspector


class Inspecting(SessionApp):
    """What is done to single fields."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "o", "system", "System", id="inspect.system", tooltip="Growth, objectives, resilience, money", show=False
        ),
    ]

    def __init__(self, session: Session | None) -> None:
        super().__init__(session)
        self._stretch: Stretch | None = None

    def action_system(self) -> None:
        """Show the fields of the whole system, or again those of what is selected."""
        from tui.widgets.inspector import Inspector

        inspector = self.query_one(Inspector)
        inspector.show_whole(not inspector.whole)
        inspector.focus_fields()

    def on_inspector_left(self) -> None:
        """Go back to the drawing."""
        self.remove_class("-inspecting")
        self.query_one(TopologyView).focus()

    def become(self, session: Session) -> None:
        """Go on with another session; nothing is wrong with what is typed any more."""
        self._settle("")
        super().become(session)

    def awaited(self) -> None:
        """Show the values of the session before its numbers are known."""
        from tui.widgets.inspector import Inspector

        super().awaited()
        self.query_one(Inspector).follow(self.session)

    def try_text(self, row: Row, text: str) -> None:
        """Evaluate what stands in a field, if it can be read."""
        from tui.amending import said, typed

        stretch = self._begun("typing", row)
        try:
            self._go_on(stretch, typed(stretch.before.document, row, text))
        except DocumentError as error:
            self._settle(said(error, row.path), unsettled=True)

    def on_inspector_ended(self, event: Inspector.Ended) -> None:
        """Keep the last value that could be read, or go back to the one before."""
        stretch, self._stretch = self._stretch, None
        self._settle("")
        if stretch is not None and not event.kept and stretch.last is self.session.now:
            self.become(self.session.undone_for_good())

    def on_field_list_stepped(self, event: FieldList.Stepped) -> None:
        """Step a value; steps that follow soon are taken back together."""
        from capacity.editing import value_at, with_value
        from tui.amending import moved, said
        from tui.inspection import refreshed

        stretch, document = self._begun("stepping", event.row, held=event.held), self.session.now.document
        row = refreshed(document, self.session.now.counts, event.row)
        try:
            edited = moved(document, row, event.direction, big=event.big)
            if edited is not None and stretch.last is not None:
                edited = with_value(stretch.before.document, row.path, value_at(edited.document.values, row.path))
        except DocumentError as error:
            self._settle(said(error, row.path))
            return
        if edited is None:
            self._settle("no step from here: type a value" if row.value is None else "no further step this way")
        else:
            self._go_on(stretch, edited)

    def on_field_list_pinned(self, event: FieldList.Pinned) -> None:
        """Fix a count, or give it back to the plan."""
        from tui.amending import pinned

        found = pinned(self.session, event.row)
        if found is None:
            self._settle("only a count can be pinned, or left to the plan")
        else:
            self.become(found)

    def on_field_list_unset(self, event: FieldList.Unset) -> None:
        """Leave a field out of the file."""
        from tui.amending import removed, said

        if event.row.value is None:
            return
        try:
            self.edit(removed(self.session.now.document, event.row))
        except DocumentError as error:
            self._settle(said(error, event.row.path))

    def _begun(self, doing: Literal["typing", "stepping"], row: Row, *, held: bool = False) -> Stretch:
        """Return the stretch that a change belongs to: the one that goes on, or a new one."""
        from tui.amending import Stretch
        from tui.widgets.inspector import Inspector

        known, now = self._stretch, monotonic()
        if known is not None and known.goes_on(doing, row.path, self.session, known.at if held else now):
            return known
        self.query_one(Inspector).hold(row)
        return Stretch(doing, row.path, self.session.now)

    def _go_on(self, stretch: Stretch, edited: Edited) -> None:
        from tui.amending import change_of, continued

        after = continued(self.session, stretch, edited.document, change_of(stretch, edited))
        self._stretch = replace(stretch, last=None if after.now is stretch.before else after.now, at=monotonic())
        if after is self.session:
            self._settle("")
        else:
            self.become(after)

    def _settle(self, message: str, *, unsettled: bool = False) -> None:
        """Say what is wrong with a field; `unsettled` where the numbers are still those of the value before."""
        from tui.widgets.inspector import Inspector

        self.unsettled = unsettled
        inspector = self.query_one(Inspector)
        inspector.set_class(unsettled, "-stale")
        inspector.say(message)
        self.query_one(TopologyView).fade(stale=unsettled)
