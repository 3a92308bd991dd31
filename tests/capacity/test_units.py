from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from capacity import units
from capacity.units import (
    Uncertain,
    Unit,
    UnitError,
    digits,
    parse,
    show_bytes,
    show_downtime,
    show_percent,
    show_seconds,
)

if TYPE_CHECKING:
    from collections.abc import Callable

property_test = settings(max_examples=200)

EXACT = 1e-15
"""A suffix multiplies once, which rounds once."""

SUFFIXES: dict[Unit, dict[str, float]] = {
    units.SECONDS: {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1, "min": 60, "h": 3600, "d": 86400, "w": 604800},
    units.BYTES: {
        "B": 1, "kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12,
        "kiB": 2**10, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40,
    },
    units.PER_SECOND: {"/s": 1, "rps": 1, "req/s": 1, "/min": 1 / 60, "/h": 1 / 3600, "/d": 1 / 86400},
    units.FRACTION: {"%": 0.01},
    units.MONEY: {"/h": 1},
    units.BANDWIDTH: {
        "kbit/s": 125, "Mbit/s": 125e3, "Gbit/s": 125e6, "kbps": 125, "Mbps": 125e3, "Gbps": 125e6,
        "B/s": 1, "kB/s": 1e3, "KB/s": 1e3, "MB/s": 1e6, "GB/s": 1e9, "TB/s": 1e12,
        "kiB/s": 2**10, "KiB/s": 2**10, "MiB/s": 2**20, "GiB/s": 2**30, "TiB/s": 2**40,
    },
    units.NUMBER: {},
    units.GROWTH: {},
}  # fmt: skip
"""Every suffix of every dimension, and what it is worth by its definition."""

SAMPLES = [(unit, suffix, worth) for unit, suffixes in SUFFIXES.items() for suffix, worth in suffixes.items()]


# A suffix is worth what its definition says, with a space before it or without, in every dimension.
@pytest.mark.parametrize(("unit", "suffix", "worth"), SAMPLES)
def test_suffix(unit: Unit, suffix: str, worth: float) -> None:
    for text, number in ((f"1{suffix}", 1), (f"0.25 {suffix}", 0.25), (f" 2.5e-1{suffix} ", 0.25)):
        assert parse(text, unit) == pytest.approx(number * worth, rel=EXACT)


# No suffix exists that is not tested above, and none is lost.
@pytest.mark.parametrize("unit", SUFFIXES, ids=lambda unit: unit.name)
def test_every_suffix_is_known(unit: Unit) -> None:
    assert set(unit.suffixes) == set(SUFFIXES[unit])


# A suffix of another dimension is refused, and what would be right is said.
@pytest.mark.parametrize("unit", SUFFIXES, ids=lambda unit: unit.name)
def test_wrong_dimension(unit: Unit) -> None:
    foreign = {suffix for _, suffix, _ in SAMPLES} - set(unit.suffixes) - {"%"} | {"parsecs", "S", "Ms", "%/s"}
    for suffix in foreign:
        with pytest.raises(UnitError) as caught:
            parse(f"1{suffix}", unit)
        assert caught.value.allowed.startswith(unit.allowed)
        assert caught.value.found == f"1{suffix}"


# A bare number is in base units; digits may be grouped as in TOML.
def test_bare_numbers() -> None:
    assert parse(3, units.SECONDS) == 3
    assert parse(0.5, units.FRACTION) == 0.5
    assert parse("1_000", units.NUMBER) == 1000
    assert parse("1_000ms", units.SECONDS) == 1
    assert parse("+2", units.NUMBER) == 2


# Text without a unit is refused where there are units to choose from: "0.4" may be meant as seconds or milliseconds.
def test_text_needs_its_unit() -> None:
    with pytest.raises(units.UnitError, match="a bare number is in base units"):
        parse("0.4", units.SECONDS)
    assert parse("0.4", units.FRACTION) == 0.4


# What is no finite quantity in range is refused with the found value and the allowed ones.
@pytest.mark.parametrize(
    ("value", "unit", "allowed"),
    [
        (math.nan, units.SECONDS, 'a time, like "12ms", at least 0'),
        (math.inf, units.SECONDS, 'a time, like "12ms", at least 0'),
        (-math.inf, units.NUMBER, "a number, at least 0"),
        ("1e999s", units.SECONDS, "at least 0"),
        ("nan", units.SECONDS, "a time"),
        ("inf", units.SECONDS, "a time"),
        (-1, units.SECONDS, "at least 0"),
        ("-1ms", units.SECONDS, "at least 0"),
        (0, units.POSITIVE_SECONDS, "above 0"),
        ("0/s", units.POSITIVE_RATE, "above 0"),
        ("100.1%", units.FRACTION, 'a share, like "75%", from 0 to 1'),
        (75, units.FRACTION, "from 0 to 1"),
        ("-1%", units.FRACTION, "from 0 to 1"),
        (0, units.CEILING, "a share"),
        (0.99, units.AT_LEAST_ONE, "at least 1"),
        (True, units.NUMBER, "a number"),
        (None, units.NUMBER, "a number"),
        ([1], units.NUMBER, "a number"),
        ({}, units.SECONDS, "a time"),
        ("", units.SECONDS, "a time"),
        ("ms", units.SECONDS, "a time"),
        ("1 2ms", units.SECONDS, "a time"),
        ("1,5ms", units.SECONDS, "a time"),
        ("0x10", units.NUMBER, "a number"),
        ("20ms..8ms", units.SECONDS, "upside down"),
        ("1..3..2", units.NUMBER, "upside down"),
        ("..2", units.NUMBER, "a number"),
        ("1..", units.NUMBER, "a number"),
        ("1..2..3..4", units.NUMBER, "low..likely..high"),
        ("1ms..2GiB", units.SECONDS, "a time"),
        ("0..50%..150%", units.FRACTION, "from 0 to 1"),
        ("0s..1s", units.POSITIVE_SECONDS, "above 0"),
    ],
)
def test_refused(value: object, unit: Unit, allowed: str) -> None:
    with pytest.raises(UnitError, match="allowed: ") as caught:
        parse(value, unit)
    assert allowed in caught.value.allowed
    assert caught.value.found is value


# An interval is a number, its likeliest value, that remembers its ends; without a likeliest it is the middle.
@property_test
@given(st.lists(st.integers(0, 10**6), min_size=2, max_size=3), st.sampled_from(["ms", "s", " min"]))
def test_interval(ends: list[int], suffix: str) -> None:
    ends.sort()
    worth = {"ms": 0.001, "s": 1, " min": 60}[suffix]
    every = parse("..".join(f"{end}{suffix}" for end in ends), units.SECONDS)
    last = parse(" .. ".join(map(str, ends)) + suffix, units.SECONDS)
    assert isinstance(every, Uncertain)
    assert isinstance(last, Uncertain)
    assert isinstance(every, float)
    likeliest = ends[1] if len(ends) == 3 else (ends[0] + ends[1]) / 2
    # Three roundings: of each end, and of the middle.
    assert (every.low, every, every.high) == pytest.approx(
        (ends[0] * worth, likeliest * worth, ends[-1] * worth), rel=4e-16
    )
    assert (last.low, last, last.high) == (every.low, every, every.high)


# Growth compounds: what it makes of a year is the same in whatever period it is given.
@property_test
@given(st.floats(-50, 1000))
def test_growth(percent: float) -> None:
    month = parse(f"{percent:.6f}%/month", units.GROWTH)
    # Six decimals of a percentage are what the text keeps; a power of at most 52 keeps twelve digits of the rest.
    assert month == pytest.approx(float(f"{percent:.6f}") / 100, rel=1e-12, abs=1e-15)
    # What is left after twelve months of -50% is 2e-4, whose rounding is that of 100%: nine digits are left.
    year = ((1 + month) ** 12 - 1) * 100
    assume(year < 1e9)
    assert parse(f"{year!r}%/year", units.GROWTH) == pytest.approx(month, rel=1e-9, abs=1e-12)
    week = ((1 + month) ** (12 / 52.1775) - 1) * 100
    assert parse(f"{week:.15f}%/week", units.GROWTH) == pytest.approx(month, rel=1e-9, abs=1e-12)


# A bare growth is a share per month; everything else is refused with its periods.
def test_growth_borders() -> None:
    assert parse(0.06, units.GROWTH) == 0.06
    assert parse("0%/year", units.GROWTH) == 0
    for wrong in ("6%", "6%/s", "6/month", "-100%/year", "6ms", -1.5):
        with pytest.raises(UnitError, match="a growth"):
            parse(wrong, units.GROWTH)


# What is shown reads back as the same, to the digits that are shown.
@property_test
@given(st.floats(1e-9, 1e8))
def test_shown_times_read_back(value: float) -> None:
    # Three digits are at most half of the last one off: 0.5 of 100.
    assert parse(show_seconds(value).replace(",", ""), units.SECONDS) == pytest.approx(value, rel=5.01e-3)


# The same for sizes and shares.
@property_test
@given(st.floats(1, 1e16), st.floats(0.001, 1))
def test_shown_sizes_and_shares_read_back(size: float, share: float) -> None:
    assert parse(show_bytes(size).replace(",", ""), units.BYTES) == pytest.approx(size, rel=5.01e-3)
    # Whole per cent from 10% on, tenths below.
    assert parse(show_percent(share), units.FRACTION) == pytest.approx(share, abs=0.00501)


# A larger number never looks smaller.
@property_test
@given(st.floats(1e-9, 1e8), st.floats(1, 1.1))
def test_shown_order(value: float, factor: float) -> None:
    less, more = (parse(show_seconds(v).replace(",", ""), units.SECONDS) for v in (value, value * factor))
    assert less <= more * (1 + 4e-16)


# No number that a person can read has an exponent, and none has more than three digits that count.
@property_test
@given(st.floats(1e-6, 1e15, exclude_max=True) | st.floats(-1e15, -1e-6, exclude_min=True))
def test_digits(value: float) -> None:
    shown = digits(value)
    assert "e" not in shown
    assert float(shown.replace(",", "")) == pytest.approx(value, rel=5.01e-3)
    assert not shown.endswith(".")


# The edges: rounding up does not show 1,000 of a unit where the next one begins, and nothing is -0.
@pytest.mark.parametrize(
    ("show", "value", "shown"),
    [
        (show_downtime, 0.0, "0"),
        (show_downtime, 0.0795e-3, "0"),
        (show_downtime, 0.83, "under 1 s"),
        (show_downtime, 1.0, "1 s"),
        (show_downtime, 35.26, "35 s"),
        (show_downtime, 119.4, "2 min"),
        (show_downtime, 335.1358, "5.6 min"),
        (show_downtime, 335.24, "5.6 min"),
        (show_downtime, 599.0, "10 min"),
        (show_downtime, 905.2, "15.1 min"),
        (show_seconds, 0.0, "0 s"),
        (show_seconds, 4e-10, "0 s"),
        (show_seconds, 6e-10, "0.6 ns"),
        (show_seconds, 0.9994e-6, "999 ns"),
        (show_seconds, 0.9996e-6, "1 us"),
        (show_seconds, 0.9994e-3, "999 us"),
        (show_seconds, 0.9996e-3, "1 ms"),
        (show_seconds, 0.9994, "999 ms"),
        (show_seconds, 0.9996, "1 s"),
        (show_seconds, 119.4, "119 s"),
        (show_seconds, 119.95, "2 min"),
        (show_seconds, 7199, "2 h"),
        (show_seconds, 1e6, "11.6 d"),
        (show_bytes, 0, "0 B"),
        (show_bytes, 1000, "1,000 B"),
        (show_bytes, 1024, "1 KiB"),
        (show_bytes, 180 * 2**30, "180 GiB"),
        (show_bytes, 2.0**60, "1,048,576 TiB"),
        (digits, 0, "0"),
        (digits, 0.0001234, "0.000123"),
        (digits, 9.999, "10"),
        (digits, 99.95, "100"),
        (digits, 1234567, "1,234,567"),
        (digits, 1.5, "1.5"),
        (digits, 1e-6, "0.000001"),
        (show_percent, 0.0, "0.0%"),
        (show_percent, 0.05, "5.0%"),
        (show_percent, 0.75, "75%"),
        (show_percent, 0.9999, "99.99%"),
        (show_percent, 1, "100%"),
        (show_percent, 2.43, "243%"),
    ],
)
def test_edges(show: Callable[[float], str], value: float, shown: str) -> None:
    assert show(value) == shown
