"""The app with the file that it edits: where it is, its text, and the work on it that outlives a crash."""

from __future__ import annotations

from math import inf
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Final, Literal, Protocol, TypeVar, runtime_checkable

from capacity.claims import Claim
from capacity.errors import UsageError, printable
from tui.base import SessionApp
from tui.texts import Texts

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.screen import Screen

    from tui.opening import OpenedFile, Opening
    from tui.session import Session

Given = TypeVar("Given")

_QUESTION_WITHIN: Final = 5.0
"""Seconds for which keys wait for a question: a disk that takes longer must not take the keyboard as well."""


@runtime_checkable
class HasValue(Protocol):
    """A widget on which one value stands out."""

    def copy_value(self) -> str | None:
        """Return the value as text, None where none is selected."""


class Filed(SessionApp):
    """Knows the file; without one, as in tests of other parts, nothing is kept or written."""

    def __init__(self, session: Session | None, opening: Opening | None = None) -> None:
        super().__init__(session)
        self.opening: Opening | None = None
        self.file: OpenedFile | None = None
        """What is known to be on disk."""
        self.claim: Claim | None = None
        """That this program works on the file; held while the screen is there."""
        self.texts = Texts()
        if opening is not None:
            self.take_in(opening)
        self.changed_on_disk = False
        """Whether the file was changed by somebody else since it was read or written."""
        self.left = False
        """Whether the session ended as it should: nothing is to be recovered."""
        self.undecided = False
        """Whether work of an earlier session is still to be recovered or not: nothing may take its place."""
        self._keeping = Lock()
        self._talking = False
        self._question_due: float | None = None
        """Since when the next question of a conversation may come at any moment."""

    def take_in(self, opening: Opening) -> None:
        """Go on with a file that was opened."""
        self.session, self.opening, self.file = opening.session, opening, opening.file
        self.claim = Claim(opening.file.path)
        self.texts.give(opening.on_disk, opening.file.text)

    @property
    def failure(self) -> Exception | None:
        """The bug that ended the app, if one did."""
        return self._exception

    def _print_error_renderables(self) -> None:
        """Print no traceback: whoever started the app turns a failure into a report."""

    def keep_now(self) -> None:
        """Keep what is not saved where the next start finds it; forget it where there is no such work."""
        from capacity.saving import discard, keep

        with self._keeping:
            file = self.file
            if file is None or self.undecided or self.claim is None:
                return
            session = self.session
            try:
                if session.dirty and not self.left:
                    keep(file.path, self.texts.of(session), file.fingerprint, file.text, self.claim.owner)
                else:
                    discard(file.path, self.claim.owner)
            except (UsageError, RuntimeError) as error:
                self.say(f"unsaved work is not kept against a crash: {error}", "warning")

    def say(self, text: str, severity: Literal["information", "warning", "error"] = "information") -> None:
        """Tell something in passing; may be called from any thread."""
        self.notify(printable(text), severity=severity, markup=False, timeout=10 if severity != "information" else 6)

    def converse(self, talk: Callable[[], Awaitable[object]]) -> None:
        """Do something that asks questions on the way; one such thing at a time."""
        if self._talking:
            if not self.screen.is_modal:
                self.say("what was asked for before is not done yet: one thing at a time", "warning")
            return
        self._talking, self._question_due = True, monotonic()
        self.run_worker(self._conversation(talk), group="file")

    async def _conversation(self, talk: Callable[[], Awaitable[object]]) -> None:
        try:
            await talk()
        finally:
            self._talking, self._question_due = False, None

    async def ask(self, screen: Screen[Given]) -> Given:
        """Return the answer to a question on the screen."""
        self._question_due = inf  # from the answer on, whenever that is
        answer = await self.push_screen_wait(screen)
        self._question_due = monotonic()
        return answer

    @property
    def about_to_ask(self) -> bool:
        """Whether a conversation is between two questions, or before its first."""
        due = self._question_due
        return due is not None and len(self.screen_stack) == 1 and monotonic() - due < _QUESTION_WITHIN

    def ask_later(self) -> None:
        """Let keys do what they do while a conversation is busy with something that takes long."""
        self._question_due = None
