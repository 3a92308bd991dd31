from __future__ import annotations

import tomllib
from typing import Annotated, Any, Literal, get_args, get_origin

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity import units
from capacity.components.base import Count
from capacity.decode import Decoder
from capacity.examples import names
from capacity.examples import text as example_text
from capacity.fields import annotation, plain
from capacity.stepping import stepped
from capacity.units import AtLeastOne, Bytes, Ceiling, Fraction, Growth, Number, PerSecond, Seconds
from tests.capacity.test_rewriting import leaves


# The steps that a person expects.
@pytest.mark.parametrize(
    ("value", "hint", "up", "big"),
    [
        (6, Count | Literal["auto"] | None, 7, 7),
        (200, Count, 201, 220),
        ("9ms", Seconds, "9.5ms", "11ms"),
        ("9 ms", Seconds, "9.5 ms", "11 ms"),
        ("900/s", PerSecond, "950/s", "1100/s"),
        ("180GiB", Bytes, "190GiB", "230GiB"),
        ("75%", Ceiling, "76%", "85%"),
        ("99.95%", Fraction, "99.96%", "99.96%"),
        ("6%/month", Growth, "7%/month", "16%/month"),
        (0.75, Fraction, 0.76, 0.85),
        (0.9, Number, 0.95, 1.1),
        (3, Number, 4, 4),
        ("8ms..20ms", Seconds, "8.5ms..21ms", "10ms..25ms"),
        ("auto", Count | Literal["auto"], 1, 1),
        ("lru", Literal["lru", "fifo"], "fifo", "fifo"),
        (False, bool, True, True),
    ],
)
def test_steps(value: Any, hint: Any, up: Any, big: Any) -> None:
    assert stepped(value, hint, 1) == up
    assert stepped(value, hint, 1, big=True) == big
    assert type(stepped(value, hint, 1)) is type(up)


# At the end of its range, and where a step means nothing, a value stays.
@pytest.mark.parametrize(
    ("value", "hint", "direction"),
    [
        (1, Count, -1),
        (1_000_000, Count, 1),
        ("100%", Fraction, 1),
        ("0%", Fraction, -1),
        ("0ms", Seconds, -1),
        ("1%", Ceiling, -1),
        (1.0, AtLeastOne, -1),
        ({"browse": "9ms"}, Seconds | dict[str, Seconds], 1),
        ("nonsense", Seconds, 1),
        ("", Seconds, 1),
        ("my shop", str, 1),
        (None, str, 1),
        (["node"], list[str], 1),
    ],
)
def test_no_step(value: Any, hint: Any, direction: Literal[1, -1]) -> None:
    for big in (False, True):
        assert stepped(value, hint, direction, big=big) == value


# A number with more than six digits is rounded first, so that no way leads back: a step may add one digit.
NUMBERS = st.decimals("0.01", 999, places=2).map(lambda d: f"{d.normalize():f}")
QUANTITIES = st.one_of(
    st.tuples(NUMBERS.map(lambda n: f"{n}ms"), st.just(Seconds)),
    st.tuples(NUMBERS.map(lambda n: f"{n}KiB"), st.just(Bytes)),
    st.tuples(NUMBERS.map(float), st.just(Number)),
    st.tuples(st.decimals(1, 98, places=1).map(lambda d: f"{d}%"), st.just(Fraction)),
    st.tuples(st.integers(1, 10**5), st.just(Count)),
)


# Up is more, and down from there is where it began.
@settings(max_examples=400)
@given(QUANTITIES, st.booleans())
def test_up_then_down(field: tuple[Any, Any], big: bool) -> None:  # noqa: FBT001
    value, hint = field
    up = stepped(value, hint, 1, big=big)
    decode = Decoder().value
    assert decode(hint, up, ()) > decode(hint, value, ())  # type: ignore[operator]
    if not (hint is Fraction and float(value[:-1]) + 10 > 100):  # a large step that did not fit was a small one
        assert decode(hint, stepped(up, hint, -1, big=big), ()) == pytest.approx(decode(hint, value, ()), rel=1e-12)


# Down is less, or nothing where the range ends; a step is never more than a third of the value for times.
@settings(max_examples=300)
@given(QUANTITIES, st.booleans())
def test_down(field: tuple[Any, Any], big: bool) -> None:  # noqa: FBT001
    value, hint = field
    before, after = (Decoder().value(hint, v, ()) for v in (value, stepped(value, hint, -1, big=big)))
    assert after <= before  # type: ignore[operator]
    if hint is Seconds:
        assert after >= before * 0.6  # type: ignore[operator]


# An interval stays one, and all of it moves.
@settings(max_examples=300)
@given(st.lists(st.decimals("0.1", 999, places=1), min_size=2, max_size=3, unique=True).map(sorted))
def test_intervals_move_as_a_whole(numbers: list[Any]) -> None:
    value = "..".join(f"{n}ms" for n in numbers)
    up, now = (units.parse(v, units.SECONDS) for v in (stepped(value, Seconds, 1), value))
    assert isinstance(up, units.Uncertain)
    assert isinstance(now, units.Uncertain)
    assert (up.low > now.low, up > now, up.high > now.high) == (True, True, True)
    assert units.parse(stepped(stepped(value, Seconds, 1), Seconds, -1), units.SECONDS).high == now.high  # type: ignore[attr-defined]


# Every field of every example has an annotation, and whatever a step makes of it the schema still takes.
@pytest.mark.parametrize("name", names())
def test_steps_of_the_examples_fit_the_schema(name: str) -> None:
    values = tomllib.loads(example_text(name))
    for path, value in leaves(values):
        hint = annotation(values, path)
        assert hint is not None, path
        for direction in (1, -1):
            for big in (False, True):
                found = stepped(value, hint, direction, big=big)
                decoder = Decoder()
                decoder.value(hint, found, path)
                assert decoder.problems == []
        if get_origin(plain(hint)) is Annotated and get_args(plain(hint))[0] is not str:
            assert stepped(value, hint, 1) != value, path
