"""Where the parts of a TOML text stand, so that a part can be changed and every other byte stays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import tree_sitter_toml
from tree_sitter import Language, Parser

from capacity.positions import key_nodes, key_parts

if TYPE_CHECKING:
    from tree_sitter import Node

    from capacity.errors import KeyPath


@dataclass(frozen=True)
class Pair:
    """One `key = value`: its whole path, the path of the table that its key is written in, and its nodes."""

    path: KeyPath
    base: KeyPath
    keys: list[Node]
    value: Node
    node: Node
    inline: bool


@dataclass
class Section:
    """What one header opens, from the comments that stand on the header to those that stand on the next one."""

    path: KeyPath
    keys: list[Node]
    in_list: bool
    begin: int
    head_end: int
    pairs: list[Pair]
    end: int = 0

    @property
    def content_end(self) -> int:
        """Return the end of the last pair, or of the header."""
        return self.pairs[-1].node.end_byte if self.pairs else self.head_end


class Layout:
    """The sections, pairs and values of a text. All places are in bytes."""

    def __init__(self, source: bytes) -> None:
        self.source = source
        self.pairs: list[Pair] = []
        self.values: dict[KeyPath, Node] = {}
        self.items: dict[KeyPath, list[Node]] = {}
        self._counts: dict[KeyPath, int] = {}
        root = Parser(Language(tree_sitter_toml.language())).parse(source).root_node
        self.sections = [Section((), [], in_list=False, begin=0, head_end=0, pairs=self._pairs(root, (), inline=False))]
        for node in root.named_children:
            if node.type in ("table", "table_array_element"):
                self._section(node)
        for section, following in zip(self.sections, [*self.sections[1:], None], strict=True):
            section.end = len(source) if following is None else following.begin

    def line_start(self, place: int) -> int:
        """Return where the line of a place begins."""
        return self.source.rfind(b"\n", 0, place) + 1

    def line_end(self, place: int) -> int:
        """Return where the line after that of a place begins."""
        found = self.source.find(b"\n", place)
        return len(self.source) if found < 0 else found + 1

    def below(self, path: KeyPath) -> list[Section]:
        """Return the sections of a table and of all in it."""
        return [s for s in self.sections if s.path[: len(path)] == path and s.path]

    def _section(self, node: Node) -> None:
        keys = key_nodes(node.named_children[0])
        path: KeyPath = ()
        for part in key_parts(node.named_children[0]):
            path = (*path, part)
            if path in self._counts:
                path = (*path, self._counts[path])
        in_list = node.type == "table_array_element"
        if in_list:
            whole: KeyPath = path[:-1] if isinstance(path[-1], int) else path
            self._counts[whole] = self._counts.get(whole, -1) + 1
            path = (*whole, self._counts[whole])
        begin, least = self.line_start(node.start_byte), self.sections[-1].content_end
        while begin > least:
            above = self.line_start(begin - 1)
            if above < least or not self.source[above:begin].lstrip().startswith(b"#"):
                break
            begin = above
        closing = next(child for child in node.children if child.type in ("]", "]]"))
        pairs = self._pairs(node, path, inline=False)
        self.sections.append(Section(path, keys, in_list, begin, closing.end_byte, pairs))

    def _pairs(self, node: Node, path: KeyPath, *, inline: bool) -> list[Pair]:
        found = []
        for child in node.named_children:
            if child.type != "pair":
                continue
            key, value = [part for part in child.named_children if part.type != "comment"][:2]
            pair = Pair((*path, *key_parts(key)), path, key_nodes(key), value, child, inline)
            found.append(pair)
            self._value(value, pair.path)
        self.pairs += found
        return found

    def _value(self, node: Node, path: KeyPath) -> None:
        self.values[path] = node
        if node.type == "inline_table":
            self._pairs(node, path, inline=True)
        elif node.type == "array":
            self.items[path] = [item for item in node.named_children if item.type != "comment"]
            for i, item in enumerate(self.items[path]):
                self._value(item, (*path, i))
