"""Saving, and making one of what was edited here and what somebody else wrote meanwhile."""

from __future__ import annotations

import os
import shutil
from asyncio import to_thread
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from capacity.errors import DocumentError, UsageError
from tui.filed import Filed
from tui.session import Version

if TYPE_CHECKING:
    from capacity.document import Document
    from tui.opening import OpenedFile
    from tui.screens.choice import Answer
    from tui.session import Session


class Storing(Filed):
    """What puts the session on disk, and takes in what is there."""

    def action_save(self) -> None:
        """Write the file, whatever its comments and layout kept."""
        self.converse(self.save)

    def action_save_as(self) -> None:
        """Write under another name, and go on with that file."""
        self.converse(self._save_as)

    async def save(self) -> bool:
        """Save, asking where that would lose what somebody else wrote; return whether all is on disk."""
        from capacity.saving import changed_on_disk

        file = self.file
        if file is None:
            self.say("there is no file to save to", "warning")
            return False
        if await to_thread(changed_on_disk, file.path, file.fingerprint):
            return await self._differing(file)
        if not self.session.dirty:
            self.say(f"nothing to save: {file.path} says what is shown")
            return True
        return await self._written(file.path)

    async def _written(self, path: str) -> bool:
        from capacity.claims import Claim
        from capacity.saving import discard, save
        from tui.opening import OpenedFile
        from tui.screens.choice import Choice

        session, file = self.session, self.file
        try:
            text, stale = await to_thread(self._written_text, session)
            known = await to_thread(save, path, text)
        except (UsageError, RuntimeError) as error:
            asked = f"{error}. Nothing is lost: the work stays here, and is kept should the program end."
            if await self.ask(Choice(asked, [_elsewhere(), _back()], otherwise="back")) == "elsewhere":
                return await self._save_as()
            return False
        if file is not None and self.claim is not None and file.path != path:
            await to_thread(discard, file.path, self.claim.owner)
            self.claim.release()
            self.claim = Claim(path)
            self.claim.take()
        self.file = OpenedFile(path, text, known, None if file is None else file.prices)
        self.session = replace(self.session, saved=session.now)
        self.changed_on_disk = False
        await to_thread(self.keep_now)
        self.told()
        self.say(f"saved {path}" + ("; its [plan] is out of date and says so: e exports a new one" if stale else ""))
        return True

    def _written_text(self, session: Session) -> tuple[str, bool]:
        """Return what is written for a session, and whether it has the numbers of a plan that it is no longer."""
        text, values = self.texts.of(session), session.now.document.values
        if "plan" not in values:
            return text, False
        from tui.planned import marked, out_of_date

        return marked(text, values), out_of_date(values)

    async def _save_as(self) -> bool:
        from tui.screens.choice import Answer, Choice
        from tui.screens.file_name import FileName

        if self.file is None:
            return False
        name = await self.ask(FileName("Save under the name", self.file.path))
        if not name:
            return False
        if name != self.file.path and await to_thread(os.path.lexists, name):
            answers = [Answer("replace", "r", "replace it"), _back()]
            if await self.ask(Choice(f"{name} exists", answers, otherwise="back")) != "replace":
                return False
        return await self._written(name)

    # The file is another one than that which was read.

    def action_reload(self) -> None:
        """See what is on disk, if it is something else."""
        self.converse(self._reload)

    async def _reload(self) -> None:
        from capacity.saving import changed_on_disk

        file = self.file
        if file is not None and await to_thread(changed_on_disk, file.path, file.fingerprint):
            await self._differing(file)
        elif file is not None:
            self.say(f"{file.path} has not changed on disk")

    async def _differing(self, file: OpenedFile) -> bool:
        """Ask what to do with another text on disk; return whether all that is shown is on disk in the end."""
        from capacity.document import parse
        from capacity.reading import read
        from capacity.saving import fingerprint
        from tui.opening import OpenedFile
        from tui.reconciling import told
        from tui.screens.choice import Answer, Choice

        again = Answer("overwrite", "o", "write the file again")
        what = "was changed by somebody else"
        if not await to_thread(os.path.lexists, file.path):
            answers, about, found = [again, _elsewhere(), _back()], ["there is no file of this name any more"], None
            what = "is gone from disk"
        else:
            known = await to_thread(fingerprint, file.path)
            try:
                text = await to_thread(read, file.path)
                theirs = parse(text, file.path, (), 1.0, self.session.now.document.book)
            except DocumentError as error:
                problems = [problem.text() for problem in error.problems]
                found, about = None, ["what is there now is no topology:", *problems]
            else:
                found = theirs, OpenedFile(file.path, text, known, file.prices)
                about = told(self._base(), theirs.values) or ["only comments or layout"]
                about = ["changed on disk:", *about]
            answers = self._answers(found is not None)
        answer = await self.ask(Choice(f"{file.path} {what}", answers, about, "back"))
        if answer == "overwrite":
            return await self._overwritten(file.path)
        if answer == "elsewhere":
            return await self._save_as()
        if found is not None and answer == "reload":
            self._reloaded(*found)
            return True
        if found is not None and answer == "merge":
            done = await self.merge(self._base(), self.session.now.document, *found)
            return done and not self.session.dirty
        return False

    def _answers(self, readable: bool) -> list[Answer]:  # noqa: FBT001
        from tui.screens.choice import Answer

        answers = [_elsewhere(), _back()]
        if self.session.dirty:
            answers = [Answer("overwrite", "o", "overwrite it; what is there now is kept as .bak"), *answers]
        if readable:
            dropped = "; undo brings what is here back" if self.session.dirty else ""
            answers = [Answer("reload", "r", f"reload: take what is on disk{dropped}"), *answers]
        if readable and self.session.dirty:
            answers = [
                Answer("merge", "m", "merge: the changes of both, asking where they meet; saved by ctrl+s"),
                *answers,
            ]
        return answers

    def _base(self) -> dict[str, Any]:
        saved = self.session.saved
        return {} if saved is None else saved.document.values

    async def _overwritten(self, path: str) -> bool:
        """Write over what somebody else wrote, of which a copy is kept."""
        try:
            if await to_thread(os.path.lexists, path):
                kept = _unused(path)
                await to_thread(shutil.copy2, path, kept)
                self.say(f"what was there is kept as {kept}")
        except OSError as error:
            self.say(f"nothing was written, no copy can be made: {error.strerror or error}", "error")
            return False
        return await self._written(path)

    def _reloaded(self, theirs: Document, file: OpenedFile) -> None:
        self.texts.give(theirs, file.text)
        session = self.session.edited(theirs, "reload from disk")
        self._on_disk(file)
        self.become(replace(session, saved=session.now))

    async def merge(self, base: dict[str, Any], mine: Document, theirs: Document, file: OpenedFile) -> bool:
        """Take in their changes since `base`; return whether that was done.

        The outcome is only saved where somebody says so while choosing sides.
        """
        from capacity.merging import merged, same
        from tui.reconciling import checked, settled
        from tui.screens.conflicts import Conflicts, Decided

        values, conflicts = merged(base, mine.values, theirs.values)
        chosen = await self.ask(Conflicts(conflicts)) if conflicts else Decided(frozenset(), save=False)
        if chosen is None:
            return False
        values = settled(values, conflicts, chosen.theirs)
        try:
            document = checked(values, theirs)
        except DocumentError as error:
            self.say(f"nothing was merged, the two make no topology together: {error.problems[0].text()}", "error")
            return False
        from capacity.rewriting import rewritten

        self.texts.give(document, rewritten(file.text, document.values))
        session = self.session.edited(document, "merge with disk")
        self._on_disk(file)
        self.become(replace(session, saved=Version(theirs, {}, "on disk")))
        if chosen.save and self.session.dirty:
            await self._written(file.path)
            return True
        left = "nothing of yours is left to save" if same(values, theirs.values) else "NOT SAVED yet: ctrl+s writes it"
        self.say(f"merged; {left}")
        return True

    def _on_disk(self, file: OpenedFile) -> None:
        self.file, self.changed_on_disk = file, False


def _elsewhere() -> Answer:
    from tui.screens.choice import Answer

    return Answer("elsewhere", "n", "save under another name")


def _back() -> Answer:
    from tui.screens.choice import Answer

    return Answer("back", "c", "cancel: change nothing")


def _unused(path: str) -> str:
    """Return a name for a copy beside a file that nothing has yet."""
    names = (f"{path}.bak{'' if number == 1 else number}" for number in range(1, 10_000))
    return next(name for name in names if not Path(name).exists())
