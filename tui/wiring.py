"""Who calls whom, who asks whom on a miss, who lives where: each place that names a tier can name another one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from capacity.errors import DocumentError
from tui.base import SessionApp

if TYPE_CHECKING:
    from capacity.document import Document
    from capacity.editing import Edited
    from tui.drawing.canvas import Key
    from tui.screens.pick import Choice
    from tui.wires import Wire

Make = Callable[[], "Edited"]
Go = Callable[[], None]


class Wiring(SessionApp):
    """What is done with the edges of the drawing."""

    def action_rewire(self) -> None:
        """List what leads from and to what is selected; then ask where one of these should lead."""
        from tui.screens.pick import Choice, Pick
        from tui.wires import wires

        if self.selected is None:
            return
        document, key = self.session.now.document, self.selected
        choices: list[Choice[Go]] = [
            Choice(one.text, one.what, partial(self._lead, document, one)) for one in wires(document, key)
        ]
        choices += self._further(document, key)
        if not choices:
            self.notify("nothing leads from here or to here", markup=False)
            return

        def chosen(go: Go | None) -> None:
            if go is not None:
                go()

        self.push_screen(Pick(f"Rewire {key.name}", choices), chosen)

    def _further(self, document: Document, key: Key) -> list[Choice[Go]]:
        """Return what can be done besides changing what is there."""
        from capacity import rewiring
        from tui.screens.pick import Choice
        from tui.wires import can_call

        if key.scope != "tier":
            return []
        name, tier = key.name, document.topology.components[key.name]
        found: list[Choice[Go]] = []
        if can_call(document, name):
            add = partial(self._ask_add, document, name)
            found.append(Choice("add a call", f"{name} → …", add))
        if tier.host is not None:
            alone = partial(rewiring.move_tier, document, name, None)
            found.append(Choice("nodes of its own", f"{name} leaves {tier.host}", partial(self._do, alone)))
        elif tier.needs_node:
            found.append(
                Choice("onto another tier's nodes", "host instead of node", partial(self._ask_host, document, name))
            )
        return found

    def _lead(self, document: Document, one: Wire) -> None:
        """Ask where one of the edges should lead, beginning where it does: who only looks changes nothing."""
        from capacity import rewiring
        from tui.screens.pick import Choice

        choices: list[Choice[Make]] = []
        if one.call is not None:
            gone = partial(rewiring.remove_call, document, one.owner.name, one.call)
            choices.append(Choice("remove this call", one.what, gone))
        others = [
            n for n in document.topology.components if n == one.to or (one.owner.scope, n) != ("tier", one.owner.name)
        ]
        start = len(choices) + others.index(one.to)
        choices += [
            Choice(
                f"→ {name}",
                f"{_kind(document, name)}{', as it is' if name == one.to else ''}",
                partial(rewiring.rewire, document, one.path, name),
            )
            for name in others
        ]
        self._choose_edit(f"{one.text}: lead it where?", choices, start)

    def _ask_add(self, document: Document, name: str) -> None:
        from capacity import rewiring
        from tui.screens.pick import Choice

        others = [other for other in document.topology.components if other != name]
        makes: list[Choice[Make]] = [
            Choice(f"→ {to}", _kind(document, to), partial(rewiring.add_call, document, name, to)) for to in others
        ]
        self._choose_edit(f"{name} calls whom?", makes)

    def _ask_host(self, document: Document, name: str) -> None:
        from capacity import rewiring
        from tui.screens.pick import Choice

        others = [other for other in document.topology.components if other != name]
        makes: list[Choice[Make]] = [
            Choice(f"onto {to}", _kind(document, to), partial(rewiring.move_tier, document, name, to)) for to in others
        ]
        self._choose_edit(f"{name} onto whose nodes?", makes)

    def _choose_edit(self, title: str, choices: list[Choice[Make]], start: int | None = None) -> None:
        """Ask which edit to make, beginning on the first that can be made if nothing else is said."""
        from tui.screens.pick import Pick

        if start is None:
            start = next((i for i, choice in enumerate(choices) if refusal(choice.value) is None), 0)

        def chosen(make: Make | None) -> None:
            if make is not None:
                self._do(make)

        self.push_screen(Pick(title, choices, start=start, refused=refusal), chosen)

    def _do(self, make: Make) -> None:
        from tui.screens.form import refused

        try:
            made = make()
            if made.document.values != self.session.now.document.values:
                self.edit(made)
        except DocumentError as error:
            self.notify(refused(error.problems[0]), severity="error", markup=False)


def refusal(make: Make) -> str | None:
    """Return why an edit cannot be made, None where it can."""
    from tui.screens.form import refused

    try:
        make()
    except DocumentError as error:
        return refused(error.problems[0])
    return None


def _kind(document: Document, name: str) -> str:
    return str(document.values["components"][name]["kind"])
