"""Other values in the same text: what did not change keeps every comment, space and line end.

Each difference is spliced into the bytes where the parser says that its part stands, and in the end the text is read
again: what does not say exactly what was wanted is never returned.
"""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any, Final

from capacity.differences import (
    Added,
    Changed,
    Difference,
    ItemInserted,
    ItemRemoved,
    Removed,
    Renamed,
    differences,
)
from capacity.layout import Layout, Pair, Section
from capacity.literals import toml_key, toml_value
from capacity.merging import same

if TYPE_CHECKING:
    from capacity.errors import KeyPath

_MOST_STEPS: Final = 20_000
"""More than any edit of a file of legal size takes: a safeguard against going round."""

Splice = tuple[int, int, str]
"""Bytes from, to, and what replaces them."""


def rewritten(text: str, values: dict[str, Any]) -> str:
    """Return a TOML text changed as little as possible so that it says `values`.

    Raises RuntimeError, a bug of ours, where the outcome would say anything else.
    """
    wanted, newline = values, "\r\n" if "\r\n" in text else "\n"
    result = text
    for _ in range(_MOST_STEPS):
        now = tomllib.loads(result)
        if same(now, wanted):
            break
        steps = list(differences(now, wanted))
        following = _Rewriter(result, newline).applied(steps)
        if following == result:
            raise RuntimeError(f"a change of a file cannot be written: {steps[0]}"[:300])
        result = following
    if text and not text.endswith("\n") and result.endswith("\n"):
        result = result.removesuffix("\n").removesuffix("\r")
    if not same(tomllib.loads(result), wanted):
        raise RuntimeError("a changed file would not say what it should")
    return result


class _Rewriter:
    """One text in which one step is made."""

    def __init__(self, text: str, newline: str) -> None:
        self.source = text.encode()
        self.layout = Layout(self.source)
        self.newline = newline

    def applied(self, steps: list[Difference]) -> str:
        """Return the text after every plain change of a value, or else after the first step."""
        values = self.layout.values
        plain = [step for step in steps if isinstance(step, Changed) and step.path in values]
        splices = [self._changed(step) for step in plain] or self._first(steps[0])
        result = self.source
        for start, end, text in sorted(splices, reverse=True):
            result = result[:start] + text.encode() + result[end:]
        return result.decode()

    def _changed(self, step: Changed) -> Splice:
        node = self.layout.values[step.path]
        number = node.type in ("integer", "float")
        written = (node.text or b"").decode() if number else ""
        return node.start_byte, node.end_byte, toml_value(step.value, written)

    def _first(self, step: Difference) -> list[Splice]:
        match step:
            case Renamed(path, name):
                return self._renamed(path, name)
            case Removed(path) | Changed(path, _):
                return self._removed(path)
            case Added(path, value, after):
                return [self._added(path[:-1], str(path[-1]), value, after)]
            case ItemRemoved(path, position):
                return self._item_removed(path, position)
            case ItemInserted(path, position, value):
                return self._item_inserted(path, position, value)

    def _renamed(self, path: KeyPath, name: str) -> list[Splice]:
        place = sum(isinstance(part, str) for part in path) - 1
        nodes = [section.keys[place] for section in self.layout.below(path)]
        nodes += [pair.keys[len(path) - 1 - len(pair.base)] for pair in self._pairs_of(path)]
        return [(node.start_byte, node.end_byte, toml_key(name)) for node in nodes]

    def _pairs_of(self, path: KeyPath) -> list[Pair]:
        """Return the pairs in whose own key the last part of a path is written."""
        return [p for p in self.layout.pairs if len(p.base) < len(path) and p.path[: len(path)] == path]

    def _removed(self, path: KeyPath) -> list[Splice]:
        sections, pairs = self.layout.below(path), self._pairs_of(path)
        if sections:
            return [self._section_removed(section) for section in sections]
        lines = [pair.node for pair in pairs if not pair.inline]
        if lines:
            return [(self.layout.line_start(n.start_byte), self.layout.line_end(n.end_byte), "") for n in lines]
        return [self._inline_removed(pairs[0])]

    def _inline_removed(self, pair: Pair) -> Splice:
        parent = pair.node.parent
        nodes = [] if parent is None else [node for node in parent.named_children if node.type == "pair"]
        return self._without(nodes, next(i for i, n in enumerate(nodes) if n.start_byte == pair.node.start_byte))

    def _without(self, nodes: list[Any], i: int) -> Splice:
        """Return the removal of one of several things between commas."""
        if i + 1 < len(nodes):
            return nodes[i].start_byte, nodes[i + 1].start_byte, ""
        return (nodes[i - 1].end_byte if i else nodes[i].start_byte), nodes[i].end_byte, ""

    def _after(self, section: Section) -> int:
        """Return where the lines of a section end, comments right below them included, without blank ones."""
        place = self.layout.line_end(section.content_end) if section.content_end else 0
        while place < section.end:
            end = self.layout.line_end(place)
            if not self.source[place:end].lstrip().startswith(b"#"):
                break
            place = end
        return place

    def _section_removed(self, section: Section) -> Splice:
        place = self._after(section)
        while place < section.end:
            end = self.layout.line_end(place)
            if self.source[place:end].strip():
                break
            place = end
        begin = section.begin
        if place == len(self.source):
            kept = self.source[:begin].rstrip()
            begin = self.layout.line_end(len(kept)) if kept else 0
        return begin, place, ""

    def _added(self, table: KeyPath, key: str, value: Any, after: str | None) -> Splice:
        node = self.layout.values.get(table)
        if node is not None:
            pairs = [child for child in node.named_children if child.type == "pair"]
            return self._between(node, pairs, len(pairs), f"{toml_key(key)} = {toml_value(value)}")
        below = self.layout.below(table)
        siblings = [s for s in below if len(s.path) > len(table) and not s.in_list]
        if isinstance(value, dict) and (not table or siblings):
            last = self.layout.below((*table, after)) if after is not None else []
            return self._block(f"[{_dotted((*table, key))}]", value, (last or below)[-1:])
        own = next((s for s in self.layout.sections if s.path == table), None)
        if own is not None:
            return self._line(own, own.path, (*table, key), value, after)
        dotted = self._pairs_of(table)
        if dotted and not dotted[-1].inline:
            section = next(s for s in self.layout.sections if any(p is dotted[-1] for p in s.pairs))
            return self._line(section, section.path, (*table, key), value, after)
        if dotted:
            name = _dotted((*table, key)[len(dotted[-1].base) :])
            end = dotted[-1].node.end_byte
            return end, end, f", {name} = {toml_value(value)}"
        begin, line = below[0].begin, self.newline
        return begin, begin, f"[{_dotted(table)}]{line}{toml_key(key)} = {toml_value(value)}{line}{line}"

    def _line(self, section: Section, base: KeyPath, path: KeyPath, value: Any, after: str | None) -> Splice:
        """Return a new pair on a line of its own: below the key that it comes after, or below all of its table."""
        table, text = path[:-1], f"{_dotted(path[len(base) :])} = {toml_value(value)}"
        near = [p for p in section.pairs if p.path[: len(table)] == table]
        found = [p for p in near if after is not None and p.path[: len(path)] == (*table, after)] or near
        if found:
            start = self.layout.line_start(found[-1].node.start_byte)
            text = self.source[start : found[-1].node.start_byte].decode() + text
            return self._new_line(self.layout.line_end(found[-1].node.end_byte), text)
        if section.path:
            return self._new_line(self.layout.line_end(section.head_end), text)
        if len(self.layout.sections) == 1:
            return self._new_line(len(self.source), text)
        begin = self.layout.sections[1].begin
        return begin, begin, f"{text}{self.newline}{self.newline}"

    def _new_line(self, place: int, text: str) -> Splice:
        before = self.source[:place]
        if before and not before.endswith(b"\n"):
            return place, place, self.newline + text
        return place, place, text + self.newline

    def _block(self, header: str, value: dict[str, Any], last: list[Section]) -> Splice:
        """Return a new section, a blank line around it, after another one or at the end."""
        place = self._after(last[-1]) if last else len(self.source)
        before, behind = self.source[:place], self.source[place:]
        lines = [header, *(f"{toml_key(key)} = {toml_value(part)}" for key, part in value.items())]
        text = "".join(line + self.newline for line in lines)
        text = (self.newline if before.strip() else "") + text
        if before and not before.endswith(b"\n"):
            text = self.newline + text
        if behind.strip() and not behind.lstrip(b" \t\r").startswith(b"\n"):
            text += self.newline
        return place, place, text

    def _item_removed(self, path: KeyPath, i: int) -> list[Splice]:
        if path not in self.layout.items:
            return self._removed((*path, i))
        nodes = self.layout.items[path]
        node, start = nodes[i], self.layout.line_start(nodes[i].start_byte)
        end = self.layout.line_end(node.end_byte)
        alone = not self.source[start : node.start_byte].strip()
        if alone and re.fullmatch(rb"\s*,?\s*(#.*)?\s*", self.source[node.end_byte : end]):
            return [(start, end, "")]
        return [self._without(nodes, i)]

    def _item_inserted(self, path: KeyPath, i: int, value: Any) -> list[Splice]:
        array = self.layout.values.get(path)
        if array is not None:
            return [self._between(array, self.layout.items[path], i, toml_value(value))]
        if not isinstance(value, dict):
            return self._removed(path)
        header = f"[[{_dotted(path)}]]"
        if i:
            return [self._block(header, value, self.layout.below((*path, i - 1)))]
        begin = self.layout.below((*path, 0))[0].begin
        lines = [header, *(f"{toml_key(key)} = {toml_value(part)}" for key, part in value.items()), ""]
        return [(begin, begin, "".join(line + self.newline for line in lines))]

    def _between(self, parent: Any, nodes: list[Any], i: int, text: str) -> Splice:
        """Return something new at the i-th place between the commas of an array or an inline table."""
        if not nodes:
            end = parent.start_byte + 1
            if parent.type == "inline_table":
                return parent.start_byte, parent.end_byte, f"{{ {text} }}"
            return end, end, text
        if i == 0:
            start = nodes[0].start_byte
            line = self.layout.line_start(start)
            gap = self.source[line:start].decode()
            return start, start, f"{text},{self.newline}{gap}" if not gap.strip() else f"{text}, "
        end = nodes[i - 1].end_byte
        gap = self.source[self.layout.line_start(nodes[i - 1].start_byte) : nodes[i - 1].start_byte].decode()
        if gap.strip() or parent.type == "inline_table":
            return end, end, f", {text}"
        return self._on_a_line(nodes[i - 1], gap + text)

    def _on_a_line(self, above: Any, text: str) -> Splice:
        """Return a new item on a line below another one, whose comment stays with it."""
        end = self.layout.line_end(above.end_byte)
        rest = self.source[above.end_byte : end].decode()
        if re.fullmatch(r"\s*,\s*(#.*)?\s*", rest):
            return end, end, f"{text},{self.newline}"
        if re.fullmatch(r"\s*(#.*)?\s*", rest):
            return above.end_byte, end, f",{rest}{text}{self.newline}"
        return above.end_byte, above.end_byte, f", {text.lstrip()}"


def _dotted(path: KeyPath) -> str:
    return ".".join(toml_key(part) for part in path if isinstance(part, str))
