"""Changes of the structure: tiers and classes that come, go, are renamed and copied."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from capacity.errors import DocumentError, Problem
from capacity.naming import free
from tui.base import SessionApp
from tui.drawing.canvas import Key
from tui.drawing.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable

    from capacity.document import Document
    from capacity.editing import Edited
    from tui.screens.form import Answers, Filled

WORDS = {"tier": "tier", "class": "request class"}


class Structuring(SessionApp):
    """What is done with tiers and classes as a whole."""

    def action_new_tier(self) -> None:
        """Ask for a kind, a name and who calls it, and add the tier."""
        from capacity import rewiring
        from capacity.components import kinds
        from tui.screens.form import Ask, Form
        from tui.wires import can_call

        document = self.session.now.document
        tiers = tuple(document.topology.components)
        callers = tuple(name for name in tiers if can_call(document, name))
        there = [str(tier["kind"]) for tier in document.values["components"].values()]
        first = max(kinds(), key=there.count)
        caller = self.selected.name if self.selected is not None and self.selected.scope == "tier" else ""

        def attempt(answers: Answers) -> Edited:
            return rewiring.add_tier(document, answers["name"], answers["kind"], answers["caller"] or None)

        def place(problem: Problem, answers: Answers) -> str:
            path = problem.path
            if path[:2] == ("components", answers["name"]):
                return "name" if len(path) == 2 else "kind"
            return "caller" if answers["caller"] and path[:2] == ("components", answers["caller"]) else ""

        def done(filled: Filled | None) -> None:
            if filled is not None:
                self.edit(filled.edited, selected=Key("tier", filled.answers["name"]))

        asks = [
            Ask("kind", "Kind", first, tuple(kinds())),
            Ask("name", "Name", free(first, tiers)),
            Ask("caller", "Called by", caller if caller in callers else "", ("", *callers), "nobody yet"),
        ]
        form = Form(
            "Add a tier",
            asks,
            attempt,
            place,
            follow=lambda answers: {"name": free(answers["kind"], tiers)},
            told="Its other fields start with usual values: change them beside the drawing.",
        )
        self.push_screen(form, done)

    def action_new_class(self) -> None:
        """Ask for a name, a rate and where it enters, and add the class."""
        from capacity import rewiring
        from tui.screens.form import Ask, Form

        document = self.session.now.document
        classes, tiers = document.topology.workload.classes, tuple(document.topology.components)
        entry = next(iter(classes.values())).entry

        def place(problem: Problem, answers: Answers) -> str:
            if problem.path[:3] != ("workload", "classes", answers["name"]):
                return ""
            return str(problem.path[3]) if len(problem.path) > 3 and problem.path[3] in ("rate", "entry") else "name"

        def done(filled: Filled | None) -> None:
            if filled is not None:
                self.edit(filled.edited, selected=Key("class", filled.answers["name"]))

        asks = [
            Ask("name", "Name", free("requests", classes)),
            Ask("rate", "Rate", "10/s"),
            Ask("entry", "Enters at", entry, tiers),
        ]
        form = Form(
            "Add a request class",
            asks,
            lambda answers: rewiring.add_class(document, answers["name"], answers["rate"], answers["entry"]),
            place,
        )
        self.push_screen(form, done)

    def action_remove(self) -> None:
        """Remove what is selected; ask first where others refer to it."""
        from tui.screens.confirm import Confirm
        from tui.screens.form import said

        if self.selected is None:
            return
        document, key = self.session.now.document, self.selected
        try:
            edited, lines = removal(document, key)
        except DocumentError as error:
            self.notify(clean(said(error.problems[0])), title="Cannot be removed", severity="error", markup=False)
            return
        if not lines:
            self.edit(edited)
            self.notify(f"{clean(key.name)} is removed; undo brings it back", markup=False)
            return

        def done(yes: bool | None) -> None:  # noqa: FBT001, called with the answer
            if yes:
                self.edit(edited)

        self.push_screen(Confirm(f"Remove {key.name}?", lines, "Remove"), done)

    def action_rename(self) -> None:
        """Ask for another name of what is selected; whatever names it follows."""
        from capacity import rewiring
        from tui.wires import wire

        if self.selected is None:
            return
        document, key = self.session.now.document, self.selected
        rename = rewiring.rename_tier if key.scope == "tier" else rewiring.rename_class
        named = rewiring.referrers(document, key.name) if key.scope == "tier" else []
        told = f"What names it follows: {', '.join(wire(document, path).text for path in named)}." if named else ""
        self._name_it(f"Rename {key.name}", key.name, partial(rename, document, key.name), told)

    def action_duplicate(self) -> None:
        """Ask for the name of a second one like what is selected."""
        from capacity import rewiring

        if self.selected is None:
            return
        document, key = self.session.now.document, self.selected
        copied = rewiring.copy_tier if key.scope == "tier" else rewiring.copy_class
        told = "It calls what the first one calls; nothing calls it yet." if key.scope == "tier" else ""
        name = free(key.name, _known(document, key))
        self._name_it(f"Copy {key.name}", name, partial(copied, document, key.name), told)

    def action_pin(self) -> None:
        """Fix the count of the selected tier at what it is, or leave it to the plan again."""
        from capacity.editing import with_value, without_value
        from tui.screens.form import said

        if self.selected is None or self.selected.scope != "tier":
            return
        document, name = self.session.now.document, self.selected.name
        tier = document.topology.components[name]
        if tier.counted is None or tier.host is not None:
            self.notify(f"{clean(name)} has no count of its own", markup=False)
            return
        path = ("components", name, tier.counted)
        given, known = tier.given_count(), self.session.now.counts.get(name)
        try:
            if given is None:
                self.edit(with_value(document, path, known))
            else:
                self.edit(without_value(document, path), counts={name: given})
        except DocumentError as error:
            self.notify(clean(said(error.problems[0])), severity="error", markup=False)

    def _name_it(self, title: str, value: str, make: partial[Edited], told: str) -> None:
        from tui.screens.form import Ask, Form

        key, counts = self.selected, self.session.now.counts
        if key is None:
            return

        def done(filled: Filled | None) -> None:
            if filled is not None:
                name = filled.answers["name"]
                kept = {name: counts[key.name]} if key.scope == "tier" and key.name in counts else None
                self.edit(filled.edited, selected=Key(key.scope, name), counts=kept)

        def place(problem: Problem, answers: Answers) -> str:
            return "name" if problem.at_key and problem.path[-1] == answers["name"] else ""

        asks = [Ask("name", "Name", value)]
        self.push_screen(Form(title, asks, lambda answers: make(answers["name"]), place, told=told), done)


def removal(document: Document, key: Key) -> tuple[Edited, list[str]]:
    """Return the edit that removes a tier or a class, and what it takes along or changes elsewhere, line by line.

    Raises DocumentError where nothing valid would be left.
    """
    from capacity import rewiring
    from tui.wires import wire

    needed = _needed(document, key)
    if needed is not None:
        raise DocumentError([needed])
    if key.scope == "class":
        return rewiring.remove_class(document, key.name), []
    callers = [path for path in rewiring.referrers(document, key.name) if path[:2] != ("components", key.name)]
    edited = rewiring.remove_tier(document, key.name, with_dependents=True)
    before, after = document.topology, edited.document.topology
    gone = [
        f"{WORDS[scope]} {name}"
        for scope, old, new in (
            ("tier", before.components, after.components),
            ("class", before.workload.classes, after.workload.classes),
        )
        for name in old
        if name not in new and (scope, name) != key
    ]
    lines = [f"{one.text} ({one.what}) goes" for one in (wire(document, path) for path in callers)]
    return edited, [*lines, *(f"{one} cannot be without it and goes too" for one in gone)]


def _needed(document: Document, key: Key) -> Problem | None:
    """Return why a system cannot be without a tier or a class at all; None where it can."""
    name, topology = clean(key.name), document.topology
    if list(_known(document, key)) == [key.name]:
        return Problem((), f"{name} is the only {WORDS[key.scope]}, and a system needs one: add another first")
    entering = [one for one, declared in topology.workload.classes.items() if declared.entry == key.name]
    if key.scope == "tier" and len(entering) == len(topology.workload.classes):
        every = f"{'the only request class enters' if len(entering) == 1 else 'all request classes enter'} here"
        return Problem((), f"{every} ({', '.join(map(clean, entering))}): have it enter elsewhere first (w on it)")
    return None


def _known(document: Document, key: Key) -> Iterable[str]:
    topology = document.topology
    return topology.components if key.scope == "tier" else topology.workload.classes
