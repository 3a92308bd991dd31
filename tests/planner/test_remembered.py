"""What is remembered from one evaluation to the next changes no number, and spares the work that an edit does not touch."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from capacity.document import load
from capacity.editing import value_at, with_value
from capacity.errors import CapacityError
from capacity.evaluate import describe
from capacity.plan import plan
from capacity.search import Search
from capacity.system import resolve
from models.latency import Latency
from models.remembered import forget, worked_out
from tests.planner.random_systems import random_system
from tests.planner.systems import document, external, file, service, solved

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capacity.document import Document
    from capacity.results import Evaluation

SHOP = str(Path(__file__).parents[2] / "examples" / "shop.toml")

COUNTS = {"web": 3, "app": 14, "redis": 3, "mysql": 3, "fulfilment": 6}
"""With which the shop is not overloaded."""


def answered(subject: Document) -> Evaluation | str:
    """Return what a document evaluates to, or why it does not."""
    system = resolve(subject.topology)
    counts = {**system.least(), **{name: n for name, n in COUNTS.items() if name in system.tiers}}
    try:
        return describe(Search.of(system).at(counts))
    except CapacityError as error:
        return str(error)


def numbers(values: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Return the key paths of all numbers, with a unit or without."""
    if isinstance(values, dict | list):
        parts = values.items() if isinstance(values, dict) else enumerate(values)
        return [found for key, part in parts for found in numbers(part, (*path, key))]
    text = str(values)
    return [path] if text[:1].isdigit() and ".." not in text and not isinstance(values, bool) else []


def versions(start: Document, seed: int, edits: int) -> list[Document]:
    """Return what random edits of numbers lead to, one after another; now and then one is taken back."""
    chance, found = random.Random(seed), [start]  # noqa: S311, a repeatable sequence
    while len(found) <= edits:
        before = chance.choice(found[-3:])
        path = chance.choice(numbers(before.values))
        old = str(value_at(before.values, path))
        digits = len(old) - len(old.lstrip("0123456789._"))
        number = float(old[:digits].replace("_", "")) * chance.choice([0.5, 0.9, 1.1, 1.5])
        whole = isinstance(value_at(before.values, path), int)
        new: Any = max(1, round(number)) if whole else f"{number:.4g}{old[digits:]}"
        try:
            found.append(with_value(before, path, new).document)
        except CapacityError:
            continue
    return found


# Numbers after any sequence of edits are to the last bit those of a process that has just started.
@pytest.mark.parametrize("seed", range(6))
def test_same_bits(seed: int) -> None:
    start = load(SHOP) if seed % 3 == 0 else document(random_system(random.Random(seed)))  # noqa: S311
    every = versions(start, seed, 20)
    warm = [answered(each) for each in every]
    again = [answered(each) for each in reversed(every)][::-1]
    cold = []
    for each in every:
        forget()
        cold.append(answered(each))
    assert warm == cold
    assert again == cold
    assert len({repr(each) for each in cold}) > 5, "edits that change something"


# Neither does it matter for a plan, whose search has asked much else before, nor for what is asked after that.
def test_same_plan() -> None:
    start = load(SHOP)
    forget()
    before = answered(start)
    warm = plan(start.topology)
    assert answered(start) == before
    forget()
    assert plan(start.topology) == warm


# Threads that evaluate at the same time get what each of them would get alone.
def test_same_in_threads() -> None:
    every = versions(load(SHOP), 7, 12)
    alone = [answered(each) for each in every]
    forget()
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(answered, every * 3)) == alone * 3


# Two queues that are equal in everything are still two: their waits add up as independent ones.
@pytest.mark.parametrize(
    ("first", "second"),
    [
        (service(0.005, 1, calls=[{"to": "b"}]), service(0.005, 1)),
        (service(0.0, 1, calls=[{"to": "b"}, {"to": "c"}]), external(0.005, concurrency_limit=1)),
        (service(0.0, 1, calls=[{"to": "b"}, {"to": "c"}]), external(0.005, rate_limit=150.0)),
    ],
)
def test_equal_queues_are_two(first: dict[str, Any], second: dict[str, Any]) -> None:
    tiers = {"a": first, "b": second} | ({"c": second} if second["kind"] == "external" else {})
    total = solved(file(tiers, 100.0)).latency("a", "page", "read")
    assert total is not None
    assert [[n for _, n in term.marks] for term in total.terms] == [[1, 1]] * len(total.terms)


def work(before: Document, after: Document, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    """Return how many pools and how many sets of percentiles an edit has worked out anew."""
    found: list[Latency] = []
    search = Latency._computed

    def counted(subject: Latency, fractions: list[float], limits: Sequence[float]) -> list[float]:
        found.append(subject)
        return search(subject, fractions, limits)

    monkeypatch.setattr(Latency, "_computed", counted)
    forget()
    answered(before)
    found.clear()
    pools = worked_out()["capacity.solve._station"]
    answered(after)
    return worked_out()["capacity.solve._station"] - pools, len(found)


# An edit of one tier works out its own pools, its own percentiles, and those of the classes and queues that wait for it.
@pytest.mark.parametrize(
    ("edit", "pools", "percentiles"),
    [
        (("courier", "latency", "260ms"), 0, 2),  # its own; the delay of the queue before it
        (("payments", "latency", "270ms"), 0, 2),  # its own; checkout
        (("fulfilment", "cpu_time", "41ms"), 1, 2),  # its own; the delay of the queue before it
        (("redis", "operation_time", "61us"), 1, 2),  # its own; browse
        (("mysql", "read_time", "1.3ms"), 2, 4),  # its own; its lag; browse, checkout
        (("web", "cpu_time", "0.9ms"), 1, 3),  # its own; browse, checkout
        (("mysql", "max_connections", 2000), 0, 0),
        (("orders", "delay", "6s"), 0, 0),
    ],
)
def test_work_is_that_of_the_edit(
    edit: tuple[str, str, str | int], pools: int, percentiles: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, (tier, field, value) = load(SHOP), edit
    after = with_value(before, ("components", tier, field), value).document
    found = work(before, after, monkeypatch)
    assert found[0] <= pools
    assert found[1] <= percentiles
    assert answered(after) != answered(before)


# An evaluation that was asked for before works out nothing at all.
def test_nothing_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    before = load(SHOP)
    assert work(before, before, monkeypatch) == (0, 0)


# Every memory has an end: after many edits it holds no more than at most a few systems of this size need.
def test_memory_has_an_end() -> None:
    forget()
    for each in versions(load(SHOP), 11, 60):
        answered(each)
    many = Latency.__add__.cache_info()  # type: ignore[attr-defined]
    assert many.misses > many.maxsize >= many.currsize
