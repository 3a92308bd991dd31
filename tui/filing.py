"""Files: what a crash left behind, what changed on disk, leaving; saving, exporting and copying stand beside it."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from asyncio import to_thread
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from textual.worker import get_current_worker

from capacity.errors import DocumentError
from tui.arriving import Arriving
from tui.elsewhere import Outdated
from tui.session import counts_for
from tui.sharing import Sharing
from tui.storing import Storing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.timer import Timer

    from capacity.document import Document
    from capacity.saving import Recovered
    from tui.glance import Reading
    from tui.opening import Opening
    from tui.scene import Scene
    from tui.session import Session
    from tui.telling import Span

KEPT_WITHIN: Final = 0.4
"""Seconds after a change until it is being kept: a crash may cost one, writing included."""

LOOKED_EVERY: Final = 2.0
"""Seconds between two looks at whether the file on disk has changed."""

NOTICED: Final = 1.0
"""Seconds after which somebody has begun to read the first numbers, and is told that there are others."""


class Filing(Sharing, Storing, Arriving):
    """What is done with the file as a whole."""

    def __init__(
        self, session: Session | None, opening: Opening | None = None, *, reading: Reading | None = None
    ) -> None:
        super().__init__(session, opening, reading=reading)
        self._to_keep: Timer | None = None
        self._seen: tuple[int, int, int] | None = None
        self._told_of: str | None = None
        self._judged: tuple[Document, bool] | None = None
        """Whether the plan that a document carries is out of date."""
        self.others: tuple[int, ...] = ()
        """The processes in which the file is open as well."""
        self.solving = False
        """Whether the counts of the plan are still being looked for: the fewest that make sense are shown."""

    def on_mount(self) -> None:
        """End in order when told to."""
        if (self.opening is not None or self.reading is not None) and not self.is_headless:
            loop = asyncio.get_running_loop()
            loop.add_signal_handler(signal.SIGTERM, self._terminated)
            loop.add_signal_handler(signal.SIGHUP, self._hung_up)

    @property
    def awaits_counts(self) -> bool:
        """Whether the file is shown as it was opened, and the plan has not said yet how many nodes there are."""
        return self.solving and not self.session.past

    def begin(self, found: Scene) -> None:
        """Offer what a crash left, and watch the file."""
        from capacity.claims import running
        from capacity.saving import recoverable

        super().begin(found)
        if self.opening is None or self.file is None:
            return
        self.others = self._claimed()
        left = recoverable(self.file.path, running(self.file.path))
        if left is not None:
            self.undecided = True
            self.converse(lambda: self._recover(left))
        else:
            self._schedule()
        self.set_interval(LOOKED_EVERY, self._look)
        if not self.opening.solved:
            self.solving = True
            self.told()
            self.painted()
            self.run_worker(self._solve_opened, group="opened", thread=True)

    # Work that is not saved.

    def become(self, session: Session) -> None:
        """Go on with another session, which the next start finds should this one end."""
        super().become(session)
        self._schedule()

    def _schedule(self) -> None:
        if self._to_keep is None and self.file is not None:
            self._to_keep = self.set_timer(KEPT_WITHIN, self._keep)

    def _keep(self) -> None:
        self._to_keep = None
        self.run_worker(self.keep_now, group="keep", thread=True)

    async def _recover(self, found: Recovered) -> None:
        from capacity.document import parse
        from capacity.reading import toml
        from tui.reconciling import told
        from tui.screens.choice import Answer, Choice

        if self.file is None:
            return
        path, now = self.file.path, self.session.now.document
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(found.kept_at))
        document: Document | None = None
        try:
            document = parse(found.text, path, (), 1.0, now.book)
        except DocumentError as error:
            about = ["it is no topology:", *(problem.text() for problem in error.problems)]
        else:
            about = told(now.values, document.values) or ["only comments or layout"]
            if found.base_changed:
                about = ["the file was changed since; compared with what it says now:", *about]
        answers = [
            Answer("discard", "d", "discard it for good"),
            Answer("leave", "q", "leave, and decide at the next start"),
        ]
        if document is not None:
            merging = "; the changes of the file since are merged in" if found.base_changed and found.base_text else ""
            answers.insert(0, Answer("recover", "r", f"recover it{merging}; undo takes it back"))
        answer = await self.ask(Choice(f"Unsaved work of {when} on {path}", answers, about))
        if answer == "leave":
            self.exit()
            return
        if answer == "recover" and document is not None:
            if found.base_changed and found.base_text is not None:
                base, theirs = toml(found.base_text, path), parse(self.file.text, path, (), 1.0, now.book)
                if not await self.merge(base, document, theirs, self.file):
                    await self._recover(found)
                    return
            else:
                self.texts.give(document, found.text)
                self.become(self.session.edited(document, "recovered"))
        await self._forget(found, path, recovered=answer == "recover")

    async def _forget(self, found: Recovered, path: str, *, recovered: bool) -> None:
        """Forget work that was decided about, once this session keeps it itself; then offer what is older."""
        from capacity.claims import running
        from capacity.saving import discard, recoverable, recovery_file

        self.undecided = False
        await to_thread(self.keep_now)
        if not recovered or not self.session.dirty or (self.claim and recovery_file(path, self.claim.owner).exists()):
            await to_thread(discard, path, found.owner)
        self._schedule()
        earlier = None if recovered else recoverable(path, running(path))
        if earlier is not None:
            self.undecided = True
            await self._recover(earlier)

    def _claimed(self) -> tuple[int, ...]:
        """Begin to be seen by others that open the file, and return those that have it open."""
        if self.claim is None:
            return ()
        self.claim.take()
        others = tuple(self.claim.others())
        if others:
            self._say_others(others)
        return others

    def _say_others(self, others: Sequence[int]) -> None:
        who = ", ".join(map(str, others))
        path = "" if self.file is None else self.file.path
        self.say(f"{path} is open in another editor as well (process {who}): whoever saves second merges", "warning")

    def on_unmount(self) -> None:
        """Be seen no longer."""
        if self.claim is not None:
            self.claim.release()

    # The end.

    async def action_quit(self) -> None:
        """Leave, by whatever way that is asked for."""
        self.action_leave()

    def action_leave(self) -> None:
        """Leave; asks before anything is lost."""
        self.converse(self._leave)

    async def _leave(self) -> None:
        from tui.reconciling import told
        from tui.screens.choice import Answer, Choice

        if self.session.dirty:
            name = self.session.now.document.topology.name if self.file is None else self.file.path
            answers = [Answer("discard", "d", "leave without saving"), Answer("stay", "c", "cancel: stay here")]
            if self.file is not None:
                answers = [Answer("save", "s", "save and leave"), *answers]
            changes = told(self._base(), self.session.now.document.values)
            answer = await self.ask(Choice(f"{name} has changes that are not saved", answers, changes, "stay"))
            if answer == "stay" or (answer == "save" and not await self.save()):
                return
        self.left = True
        await to_thread(self.keep_now)
        self.exit()

    def _terminated(self) -> None:
        self.keep_now()
        self.exit(return_code=128 + signal.SIGTERM)

    def _hung_up(self) -> None:
        """Keep the work and end at once: there is no terminal left to put in order, and writing to it may hang."""
        self.keep_now()
        os._exit(128 + signal.SIGHUP)

    # The file on disk.

    def _look(self) -> None:
        self.run_worker(self._compare, group="look", exclusive=True, thread=True)

    def _compare(self) -> None:
        """Notice another file on disk; its content is only read when its time or size is another one."""
        from capacity.saving import fingerprint

        worker, file = get_current_worker(), self.file
        if file is None:
            return
        others = tuple(self.claim.others()) if self.claim is not None else ()
        if others != self.others and not worker.is_cancelled:
            self.call_from_thread(self._met, others)
        try:
            found = Path(file.path).stat()
            seen = (found.st_mtime_ns, found.st_size, found.st_ino)
        except OSError:
            seen = None
        if seen is not None and seen == self._seen:
            return
        now = fingerprint(file.path)
        if not worker.is_cancelled and self.file is file:
            self._seen = seen
            self.call_from_thread(self._compared, now, file.fingerprint)

    def _met(self, others: tuple[int, ...]) -> None:
        """Tell of another editor that has the file open since; that one has gone shows in the top line."""
        more = [one for one in others if one not in self.others]
        self.others = others
        if more:
            self._say_others(more)
        self.told()

    def _compared(self, now: str | None, known: str | None) -> None:
        was, self.changed_on_disk = self.changed_on_disk, now != known
        if self.changed_on_disk and (not was or now != self._told_of) and self.file is not None:
            what = "is gone from disk" if now is None else "was changed on disk by somebody else"
            self.say(f"{self.file.path} {what}: ctrl+s shows the choices", "warning")
        self._told_of = now
        if was != self.changed_on_disk:
            self.told()

    def file_status(self) -> list[list[Span]]:
        """Return what is to be said of the file in the top line."""
        changed = "gone from disk" if self._told_of is None else "changed on disk"
        found: list[list[Span]] = [[(changed, "bad")]] if self.changed_on_disk else []
        found += [[("also open elsewhere", "bad")]] if self.others else []
        found += [[("[plan] out of date", "changed")]] if self._plan_is_old() else []
        return [*found, [("finding the plan", "changed")]] if self.solving else found

    def _plan_is_old(self) -> bool:
        """Return whether the file has the numbers of a plan that what is shown is no longer."""
        document = self.session.now.document
        if "plan" not in document.values:
            return False
        if self._judged is None or self._judged[0] is not document:
            from tui.planned import out_of_date

            self._judged = document, out_of_date(document.values)
        return self._judged[1]

    # Counts that the file leaves out, where finding them took longer than the first paint could wait.

    def _solve_opened(self) -> None:
        from tui.scene import solved_counts

        worker, document, began = get_current_worker(), self.session.now.document, time.monotonic()

        def tick(_: int) -> None:
            if worker.is_cancelled:
                raise Outdated

        if not self.is_headless:
            self.elsewhere.open()
        try:
            counts, met = self.elsewhere.ask(solved_counts, document, self.session.load, tick=tick)
        except Outdated:
            return

        def take() -> None:
            self.solving = False
            now = self.session.now
            if now.document is not document:
                self.told()
                self.painted()
                self.say("the plan of the file as it was opened is found; s solves for what is shown now")
                return
            self.become(replace(self.session, now=replace(now, counts=counts_for(document, counts))))
            if not met:
                self.say("no counts meet everything; the best are shown")
            elif time.monotonic() - began > NOTICED:
                self.say("the counts of the plan are shown")

        if not worker.is_cancelled:
            self.call_from_thread(take)
