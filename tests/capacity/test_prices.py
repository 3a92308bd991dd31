from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest
import tomli_w

from capacity.books import Book, parse_toml
from capacity.document import parse
from capacity.errors import DocumentError
from capacity.plan import as_given, plan, to_toml
from capacity.pricing import NodeType, as_values, book, candidates, hourly, larger, monthly
from tests.capacity.marked import SYSTEM
from tests.capacity.running import capacity
from tests.capacity.test_books import TOML

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

EURO = 'currency = "EUR"\n'
ON_SMALL = SYSTEM.replace("c6i.large", "m.small")
"""The smallest topology, on a node type of the book."""


def mine(text: str = TOML) -> Book:
    """Return a book of the user's."""
    return parse_toml(text, "mine.toml")


@pytest.fixture
def prices(tmp_path: Path) -> Path:
    """Return the book in a file."""
    path = tmp_path / "mine.toml"
    path.write_text(TOML)
    return path


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Return a topology that needs the book."""
    path = tmp_path / "a.toml"
    path.write_text(EURO + ON_SMALL)
    return path


def known(text: str, theirs: str = TOML) -> Mapping[str, NodeType]:
    """Return the node types that a topology knows with a book."""
    return parse(text, "f.toml", book=mine(theirs)).topology.node_types


# A file's own node type wins over the book's of the same name, and the book's over the built-in one.
def test_whose_node_type_wins() -> None:
    assert known(EURO + ON_SMALL)["m.small"] == mine().node_types["m.small"]
    assert known(EURO + ON_SMALL + '[node_types."m.small"]\nvcpus = 2\n')["m.small"] == NodeType(vcpus=2)
    assert "c6i.large" not in known(SYSTEM), "the built-in ones are known anyway"
    cheaper = mine('[node_types."c6i.large"]\nvcpus = 2\nprice = 0.01\n')
    document = parse(SYSTEM, "f.toml", book=cheaper)
    assert as_given(document.topology).evaluation.cost.monthly == pytest.approx(7.3)
    assert document.values == tomllib.loads(SYSTEM), "the file stays as it was written"


# Without the book its names are unknown; with it a misspelt one is told the nearest.
def test_names_of_the_book_are_known() -> None:
    with pytest.raises(DocumentError, match=r"f.toml:6:8: components.web.node: there is no node type of this name"):
        parse(ON_SMALL, "f.toml")
    with pytest.raises(DocumentError, match=r"of a price book \(--prices FILE\); did you mean m.small\?"):
        parse(ON_SMALL.replace("m.small", "m.smal"), "f.toml", book=mine())


# Euros are not dollars: in a topology of another currency every price of the book is unknown, and that is said.
def test_another_currency(source: Path, prices: Path) -> None:
    assert known(ON_SMALL)["m.small"] == NodeType(vcpus=4, family="m", memory=16 * 1024.0**3, network=1.25e8)
    ended = capacity("plan", source, "--prices", prices, "--set", "currency=USD")
    assert "at least 0.00 USD/month plus unknown (no price for web)" in ended.out
    assert ended.err == f"warning: {prices}: prices in EUR are unknown to a topology in USD\n"
    same = capacity("plan", source, "--prices", prices, "--json")
    assert same.err == ""
    assert same.json["cost"]["unknown"] == []
    assert same.json["cost"]["monthly"] == pytest.approx(0.2 * 730 * same.json["tiers"]["web"]["nodes"])


# Every command on a file takes a book.
@pytest.mark.parametrize("command", ["plan", "evaluate", "check"])
def test_commands(command: str, source: Path, prices: Path) -> None:
    alone = ("--set", "resilience.survive=[]")
    assert capacity(command, source, *alone).code == 2
    assert capacity(command, source, *alone, "--prices", prices).code == 0


# An exported plan needs no book: what its tiers took from it stands in it, ranges as written, and nothing else of it.
def test_export_loads_without_the_book(source: Path, prices: Path) -> None:
    ranged = TOML.replace('"16GiB"', '"8..16GiB"').replace("price = 0.2", 'price = "0.1..0.3"')
    document = parse(EURO + ON_SMALL + "[node_types.own]\nvcpus = 1\n", "f.toml", book=mine(ranged))
    found = plan(document.topology)
    exported = tomli_w.dumps(to_toml(document, found))
    again = parse(exported, "plan.toml")
    assert again.topology.node_types == {name: document.topology.node_types[name] for name in ("own", "m.small")}
    assert as_given(again.topology).evaluation.cost == found.evaluation.cost
    assert tomllib.loads(exported)["node_types"]["m.small"]["memory"] == "8..16GiB"
    target = source.with_name("plan.toml")
    assert [capacity("plan", source, "--prices", prices, "-o", target).code for _ in range(2)] == [0, 0]
    assert capacity("check", target).code == 0
    small = {"vcpus": 4, "memory": 16 * 1024**3, "network": 125_000_000, "family": "m"}
    priced = {"price": 0.2, "reserved_1y": 0.15, "reserved_3y": 0.1}
    assert tomllib.loads(target.read_text())["node_types"] == {"m.small": small | priced}


# What is unknown of a node type is not written, so that it stays unknown.
def test_as_values() -> None:
    assert as_values(NodeType(vcpus=1)) == {"vcpus": 1}
    assert as_values(NodeType(vcpus=1, price=0.0, speed=2.0)) == {"vcpus": 1, "price": 0, "speed": 2}


# A range in a book is warned of where a tier stands on it, and nowhere else.
def test_ranges_of_a_book() -> None:
    ranged = TOML.replace("price = 0.2", 'price = "0.1..0.3"').replace("price = 0.8", 'price = "1..2"')
    topology = parse(EURO + ON_SMALL, "f.toml", book=mine(ranged)).topology
    told = [w.message for w in as_given(topology).evaluation.warnings if w.code == "likeliest_value"]
    assert told == ['node_types."m.small".price is uncertain (0.1..0.3): its likeliest value is used']


# Each way to pay has its own price, and none is guessed from another.
def test_hourly() -> None:
    node = NodeType(vcpus=1, price=0.4, reserved_3y=0.1)
    assert (hourly(node), hourly(node, "on_demand"), hourly(node, "reserved_3y")) == (0.4, 0.4, 0.1)
    assert hourly(node, "reserved_1y") is hourly(node, "spot") is None
    assert monthly(node, 2) == pytest.approx(584)
    assert hourly(book()["c6i.large"], "reserved_3y") == 0.03257
    assert all(hourly(node, "spot") is hourly(node, "reserved_1y") is None for node in book().values())


# What a tier may stand on: the built-in types, unpriced in another currency, and the topology's own, which win.
def test_candidates() -> None:
    own = {"c6i.large": NodeType(vcpus=3, price=7.0), "m": NodeType(vcpus=1)}
    dollars, euros = candidates(own, "USD"), candidates(own, "EUR")
    assert list(dollars) == [*book(), "m"]
    assert dollars["c6i.large"] == euros["c6i.large"] == own["c6i.large"]
    assert dollars["c6i.xlarge"].price == 0.17
    assert hourly(euros["c6i.xlarge"]) is hourly(euros["c6i.xlarge"], "reserved_3y") is None


# A larger node is one of the family that is known to have enough, has no less of anything, the smallest first.
def test_larger() -> None:
    types = {
        "huge": NodeType(vcpus=16, memory=64, family="m"),
        "big": NodeType(vcpus=8, memory=32, family="m"),
        "lean": NodeType(vcpus=2, memory=64, family="m"),
        "fast": NodeType(vcpus=4, memory=32, speed=2.0, family="m"),
        "unknown": NodeType(vcpus=64, family="m"),
        "other": NodeType(vcpus=8, memory=32, family="c"),
    }
    machine = NodeType(vcpus=4, memory=16, family="m")
    assert larger(machine, "memory", 20, types) == ["big", "fast", "huge"]
    assert larger(machine, "vcpus", 8, types) == ["big", "fast", "huge", "unknown"]
    assert larger(machine, "vcpus", 9, types) == ["huge", "unknown"]
    assert larger(machine, "memory", 99, types) == []
    assert larger(NodeType(vcpus=4), "memory", 1, types) == []


# Where a tier does not fit on its node, the mend is the next of its family, of the book as of the built-in types.
@pytest.mark.parametrize(
    ("node", "memory", "mend"),
    [
        ("m.small", "20GiB", 'components.web.node = "m.large" instead of m.small'),
        ("m.small", "100GiB", 'node_types."m.small".memory: at least 134 GiB'),
        ("c6i.large", "6GiB", 'components.web.node = "c6i.xlarge" instead of c6i.large'),
        ("c6i.large", "1TiB", "no c6i node is large enough for memory: 341 x c6i.large"),
    ],
)
def test_a_mend_is_of_the_family(node: str, memory: str, mend: str) -> None:
    text = SYSTEM.replace("c6i.large", node) + f'memory = "{memory}"\n'
    (advice,) = plan(parse(text, "f.toml", book=mine()).topology).evaluation.infeasible
    assert advice.mends == [mend]
