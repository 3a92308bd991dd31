"""Line and column of a key path in a TOML text. Imported only where there is something to point at."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import tree_sitter_toml
from tree_sitter import Language, Parser

if TYPE_CHECKING:
    from tree_sitter import Node

    from capacity.errors import KeyPath

Position = tuple[int, int]


class Positions:
    """Where each key and value of a text stands. Lines and columns count from 1, columns in characters."""

    def __init__(self, text: str) -> None:
        self._lines = text.encode().split(b"\n")
        self._keys: dict[KeyPath, Node] = {}
        self._values: dict[KeyPath, Node] = {}
        self._arrays: dict[KeyPath, int] = {}
        root = Parser(Language(tree_sitter_toml.language())).parse(text.encode()).root_node
        self._pairs(root, ())
        for node in root.named_children:
            if node.type in ("table", "table_array_element"):
                self._table(node)

    def of(self, path: KeyPath, *, key: bool) -> Position | None:
        """Return the place of a key or of its value; of the nearest one above where the path has none."""
        first, second = (self._keys, self._values) if key else (self._values, self._keys)
        while path:
            node = first.get(path) or second.get(path)
            if node is not None:
                row, column = node.start_point
                return row + 1, len(self._lines[row][:column].decode(errors="replace")) + 1
            path, first, second = path[:-1], self._keys, self._values
        return None

    def _table(self, node: Node) -> None:
        name = node.named_children[0]
        path: KeyPath = tuple(key_parts(name))
        if node.type == "table_array_element":
            position = self._arrays.get(path, 0)
            self._arrays[path] = position + 1
            path = (*path, position)
        for length in range(1, len(path) + 1):
            self._keys.setdefault(path[:length], name)
        self._pairs(node, path)

    def _pairs(self, node: Node, path: KeyPath) -> None:
        for pair in node.named_children:
            if pair.type != "pair":
                continue
            key, value = [child for child in pair.named_children if child.type != "comment"][:2]
            whole = (*path, *key_parts(key))
            self._note(whole, key)
            self._value(value, whole)

    def _note(self, path: KeyPath, node: Node) -> None:
        """Note where each part of a key stands; what is above it stands at its first part, unless noted before."""
        parts = key_nodes(node)
        for length in range(1, len(path) + 1):
            part = parts[max(0, length - 1 - (len(path) - len(parts)))]
            self._keys.setdefault(path[:length], part)

    def _value(self, node: Node, path: KeyPath) -> None:
        self._values[path] = node
        if node.type == "inline_table":
            self._pairs(node, path)
        elif node.type == "array":
            items = [item for item in node.named_children if item.type != "comment"]
            for i, item in enumerate(items):
                self._value(item, (*path, i))


def key_nodes(node: Node) -> list[Node]:
    """Return the parts of a bare, quoted or dotted key, in order."""
    parts: list[Node] = []
    while node.type == "dotted_key":
        node, last = node.named_children[0], node.named_children[-1]
        parts.append(last)
    return [node, *reversed(parts)]


def key_parts(node: Node) -> list[str]:
    """Return the names that the parts of a key stand for, escapes resolved."""
    names = []
    for part in key_nodes(node):
        text = (part.text or b"").decode(errors="replace")
        names.append(next(iter(tomllib.loads(f"{text} = 0"))) if part.type == "quoted_key" else text)
    return names
