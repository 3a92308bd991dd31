"""What is taken elsewhere: exports as files, and text for the clipboard. Only who asks for it loads what writes it."""

from __future__ import annotations

import os
from asyncio import to_thread
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from capacity.errors import CapacityError, UsageError
from tui.filed import Filed, HasValue

if TYPE_CHECKING:
    from tui.commandline import Command
    from tui.exporting import Export
    from tui.screens.choice import Answer


class Sharing(Filed):
    """What is done with the numbers outside of the screen."""

    def action_export(self) -> None:
        """Write the plan, or the screen, to a file."""
        self.converse(self._export)

    async def _export(self) -> None:
        from tui.exporting import EXPORTS, default_name
        from tui.screens.choice import Answer, Choice
        from tui.screens.file_name import FileName

        file = self.file
        if file is None:
            self.say("there is no file to export from", "warning")
            return
        answers = [Answer(export.form, export.key, export.title) for export in EXPORTS]
        load = f" at load ×{self.session.load:g}" if self.session.load != 1 else ""
        form = await self.ask(Choice(f"Export the plan of {file.path}{load} as", answers, otherwise="back"))
        chosen = next((export for export in EXPORTS if export.form == form), None)
        if chosen is None:
            return
        name = await self.ask(FileName(f"Export as {chosen.form} to the file", default_name(file.path, chosen.ending)))
        if not name:
            return
        try:
            text, verdict = await self._exported(chosen)
            if await self._placed(name, text):
                self.say(f"wrote {name}: {len(text.encode()):,} bytes{verdict}")
        except (CapacityError, RuntimeError) as error:
            self.say(str(error).replace("; --force replaces it", ""), "error")

    async def _exported(self, chosen: Export) -> tuple[str, str]:
        if chosen.form == "svg":
            return self.export_screenshot(title=self.session.now.document.topology.name), ""
        from tui.exporting import exported

        session = self.session
        text = await to_thread(self.texts.of, session)
        self.say("searching the cheapest plan")
        self.ask_later()
        work = exported, text, session.now.document, session.load, chosen.form
        found = await to_thread(partial(self.elsewhere.ask, *work, tick=lambda _: None))
        return found.text, "" if found.feasible else "; it does not meet every objective"

    async def _placed(self, name: str, text: str) -> bool:
        """Write an export; what is no result of ours is only replaced when somebody says so."""
        from capacity.output import write_result
        from capacity.saving import write
        from tui.screens.choice import Answer, Choice

        source = "" if self.file is None else self.file.path
        try:
            await to_thread(partial(write_result, name, text, source, force=False))
        except UsageError:
            if not await to_thread(_replaceable, name, source):
                raise
            answers = [Answer("replace", "r", "replace it"), Answer("back", "c", "cancel: write nothing")]
            asked = f"{name} exists and is no result of ours, or was changed since"
            if await self.ask(Choice(asked, answers, otherwise="back")) != "replace":
                return False
            await to_thread(write, name, text)
        return True

    def action_copy(self) -> None:
        """Copy a value, a table or a command line."""
        self.converse(self._copy)

    async def _copy(self) -> None:
        from tui.screens.choice import Choice

        found = self._copies()
        if not found:
            self.say("nothing is selected that could be copied", "warning")
            return
        answer = await self.ask(Choice("Copy", [answer for answer, _ in found], otherwise="back"))
        text = next((text for kind, text in found if kind.id == answer), None)
        if text is None:
            return
        from tui import clipboard

        self.copy_to_clipboard(text)
        self.say(clipboard.told(text, os.environ))

    def _copies(self) -> list[tuple[Answer, str]]:
        """Return what can be copied now, each with its text."""
        from tui import clipboard
        from tui.commandline import evaluate_command, plan_command
        from tui.screens.choice import Answer

        found: list[tuple[Answer, str]] = []
        value = self._value()
        if value:
            found.append((Answer("value", "v", f"the value {value[:40]}"), value))
        table = next((self._table(widget) for widget in self.query("#view")), "")
        if table:
            found.append((Answer("table", "t", "the table of the open view"), table))
        if self.scene is not None and self.selected is not None:
            numbers = clipboard.numbers(self.scene.evaluation, self.selected)
            found.append((Answer("numbers", "n", f"every number of {self.selected.name}"), numbers))
        if self.file is not None:
            shown, planned = evaluate_command(self.session, self.file), plan_command(self.session, self.file)
            found.append((_of(shown, "evaluate", "e", "that shows these numbers"), shown.text))
            found.append((_of(planned, "plan", "p", "that finds the plan"), planned.text))
        return found

    def _value(self) -> str | None:
        """Return the value that stands out: of what has the focus, or of what is around it."""
        for widget in () if self.focused is None else self.focused.ancestors_with_self:
            if isinstance(widget, HasValue):
                return widget.copy_value()
        return None

    def _table(self, widget: object) -> str:
        text = getattr(widget, "table_text", None)
        return str(text()) if text is not None and self.has_class("-viewing") else ""


def _of(command: Command, name: str, key: str, what: str) -> Answer:
    from tui.screens.choice import Answer

    first = "" if command.complete else " once the file is saved"
    return Answer(name, key, f"the command {what}{first}: {command.text}")


def _replaceable(name: str, source: str) -> bool:
    """Whether a file is there that is not the topology itself."""
    return Path(name).is_file() and not (Path(source).exists() and Path(name).samefile(source))
