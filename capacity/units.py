"""Unit strings of the file, "12ms", "8GiB", "1200/s", "6%/month", "8ms..20ms", to numbers in base units.

The only place where unit strings exist. An interval becomes an `Uncertain`: a float, its likeliest value, that also
knows its low and high end, so that every formula takes it as the number that it is.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from itertools import pairwise
from typing import Annotated, Final, Self

import msgspec

_NUMBER: Final = re.compile(r"([+-]?(?:\d[\d_]*)(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*(\S.*)?")


class UnitError(ValueError):
    """A value that is not a quantity of the wanted unit. `allowed` says what would be."""

    def __init__(self, found: object, allowed: str) -> None:
        self.found, self.allowed = found, allowed
        super().__init__(f"found {found!r}; allowed: {allowed}")


class Uncertain(float):
    """A number of which only a range is known; as a float it is its likeliest value.

    `low` and `high` enclose 90 % of belief. Without a likeliest value in the file it is the middle.
    """

    low: float
    high: float
    written: str
    """The range as the file has it."""

    def __new__(cls, low: float, likeliest: float, high: float, written: str = "") -> Self:
        """Return the likeliest value, which remembers its range."""
        value = super().__new__(cls, likeliest)
        value.low, value.high, value.written = low, high, written
        return value

    def __reduce__(self) -> tuple[type[Uncertain], tuple[float, float, float, str]]:
        """Return what a copy, in another process too, is made of."""
        return Uncertain, (self.low, float(self), self.high, self.written)


@dataclass(frozen=True)
class Unit:
    """One dimension: its suffixes and what each is worth in base units, an example, and the range that makes sense."""

    name: str
    example: str
    suffixes: dict[str, float] = field(hash=False)
    least: float = 0.0
    most: float = 1e12
    above_least: bool = False
    bare_text: bool = False
    """Whether text without a suffix is a value too."""
    smallest: float = 1e-12
    """What is closer to 0 than this is taken for a slip: it would only overflow later."""

    @property
    def allowed(self) -> str:
        """Say in words what a value may be."""
        text = f'{self.name}, like "{self.example}"' if self.suffixes else self.name
        if self.most <= 1 and self.above_least:
            return f"{text}, above {self.least:g}, at most {self.most:g}"
        if self.most <= 1:
            return f"{text}, from {self.least:g} to {self.most:g}"
        return f"{text}, {'above' if self.above_least else 'at least'} {self.least:g}"


_SECONDS = {
    "ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0,
    "w": 604800.0,
}  # fmt: skip
_BYTES = {"B": 1.0} | {
    prefix + suffix: float(base**power)
    for power, prefix in enumerate("kMGT", 1)
    for suffix, base in (("B", 1000), ("iB", 1024))
}
_BYTES |= {"KB": 1000.0, "KiB": 1024.0}
_PER = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_RATES = {f"/{per}": 1 / seconds for per, seconds in _PER.items()} | {"rps": 1.0, "req/s": 1.0}
_BANDWIDTH = (
    {f"{size}/s": worth for size, worth in _BYTES.items()}
    | {f"{prefix}bit/s": worth / 8 for prefix, worth in (("k", 1e3), ("M", 1e6), ("G", 1e9))}
    | {f"{prefix}bps": worth / 8 for prefix, worth in (("k", 1e3), ("M", 1e6), ("G", 1e9))}
)
_MONTHS = {"month": 1.0, "year": 12.0, "week": 12 / 52.1775, "day": 12 / 365.2425}

SECONDS: Final = Unit("a time", "12ms", _SECONDS, most=1e9)
POSITIVE_SECONDS: Final = Unit("a time", "12ms", _SECONDS, above_least=True, most=1e9)
BYTES: Final = Unit("a size", "8GiB", _BYTES, most=1e18)
PER_SECOND: Final = Unit("a rate", "1200/s", _RATES)
POSITIVE_RATE: Final = Unit("a rate", "1200/s", _RATES, above_least=True)
FRACTION: Final = Unit("a share", "75%", {"%": 0.01}, most=1.0, bare_text=True)
CEILING: Final = Unit("a share", "75%", {"%": 0.01}, most=1.0, above_least=True, bare_text=True)
GROWTH: Final = Unit("a growth", "6%/month", {}, least=-1.0, most=1e3)
BANDWIDTH: Final = Unit("a bandwidth", "10Gbit/s", _BANDWIDTH, above_least=True, most=1e15)
NUMBER: Final = Unit("a number", "1.4", {}, most=1e6)
POSITIVE: Final = Unit("a number", "1.4", {}, above_least=True, most=1e4, smallest=1e-4)
AT_LEAST_ONE: Final = Unit("a number", "2.0", {}, least=1.0, most=1e6)
AMOUNT: Final = Unit("an amount of money", "0.09", {}, most=1e12)
MONEY: Final = Unit("an amount", "0.17", {"/h": 1.0}, most=1e9, bare_text=True)


_SYMBOLS: Final = {"a time": "s", "a size": "B", "a rate": "/s", "a bandwidth": "B/s"}


def symbol(unit: Unit | None) -> str:
    """Return the base unit of a dimension as `show_amount` takes it; empty for shares and plain numbers."""
    return "" if unit is None else _SYMBOLS.get(unit.name, "")


def parse(value: object, unit: Unit) -> float:
    """Return a value of the file in base units; an interval as an `Uncertain`.

    Raises UnitError for what is no quantity, has another dimension, is not finite, out of range or upside down.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise UnitError(value, unit.allowed)
    if not isinstance(value, str):
        try:
            return _in_range(float(value), unit, value)
        except OverflowError as error:
            raise UnitError(f"{str(value)[:20]}…", unit.allowed) from error
    parts = value.split("..")
    if not 1 <= len(parts) <= 3:
        raise UnitError(value, f"{unit.allowed}, or low..high, or low..likely..high")
    suffixed = [bool((_NUMBER.fullmatch(part.strip()) or [None, None, None])[2]) for part in parts]
    if any(suffixed) and not suffixed[-1]:
        raise UnitError(value, f"{unit.allowed}; in an interval the unit stands on the last number or on each")
    last_suffix = (_NUMBER.fullmatch(parts[-1].strip()) or [None, None, None])[2]
    numbers = [_in_range(_one(part.strip(), unit, value, last_suffix), unit, value) for part in parts]
    if len(numbers) == 1:
        return numbers[0]
    if any(a > b for a, b in pairwise(numbers)):
        raise UnitError(value, "an interval from low to high; this one is upside down")
    low, high = numbers[0], numbers[-1]
    return Uncertain(low, numbers[1] if len(numbers) == 3 else (low + high) / 2, high, value)


def parse_range(value: str, unit: Unit | None) -> tuple[float, float]:
    """Return both ends of LOW..HIGH in base units; a suffix of the second counts for the first as well.

    Raises UnitError for what is no range. Numbers without any suffix are in base units.
    """
    parts = value.split("..")
    if len(parts) != 2:
        raise UnitError(value, "a range, like 100/s..5000/s")
    suffix = (_NUMBER.fullmatch(parts[1].strip()) or [None, None, None])[2]
    dimension = unit or NUMBER
    if all(_bare(part) for part in parts):
        low, high = (float(part.replace("_", "")) for part in parts)
    else:
        low, high = (_one(part.strip(), dimension, value, suffix) for part in parts)
    if low >= high:
        raise UnitError(value, "a range from low to high")
    return _in_range(low, dimension, value), _in_range(high, dimension, value)


def _bare(text: str) -> bool:
    """Whether a text is a number without a suffix, and so in base units."""
    match = _NUMBER.fullmatch(text.strip())
    return match is not None and match[2] is None


def _one(text: str, unit: Unit, whole: str, last_suffix: str | None) -> float:
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise UnitError(whole, unit.allowed)
    number, suffix = float(match[1].replace("_", "")), match[2] or last_suffix
    if suffix is None:
        if unit.suffixes and not unit.bare_text:
            raise UnitError(whole, f"{unit.allowed}: text carries its unit; a bare number is in base units")
        return number
    if unit is GROWTH:
        return _growth(number, suffix, whole)
    if suffix not in unit.suffixes:
        known = ", ".join(unit.suffixes)
        raise UnitError(whole, f"{unit.allowed}; its units are {known}" if known else unit.allowed)
    return number / 100 if suffix == "%" else number * unit.suffixes[suffix]


def _growth(number: float, suffix: str, whole: str) -> float:
    """Return a compound growth per month."""
    share, _, per = suffix.partition("/")
    if share != "%" or per not in _MONTHS or number <= -100:
        raise UnitError(whole, f"{GROWTH.allowed}; per {', '.join(_MONTHS)}")
    try:
        return float((1 + number / 100) ** (1 / _MONTHS[per]) - 1)
    except OverflowError as error:
        raise UnitError(whole, GROWTH.allowed) from error


def _in_range(number: float, unit: Unit, found: object) -> float:
    too_low = number <= unit.least if unit.above_least else number < unit.least
    if not math.isfinite(number) or too_low:
        raise UnitError(found, unit.allowed)
    if number > unit.most:
        raise UnitError(found, f"{unit.allowed}, at most {unit.most:g}" if unit.most > 1 else unit.allowed)
    if 0 < abs(number) < unit.smallest:
        raise UnitError(found, f"{unit.allowed}, and not as close to 0 as {unit.smallest:g}")
    return number


def _quantity(unit: Unit) -> msgspec.Meta:
    return msgspec.Meta(
        description=unit.allowed,
        extra_json_schema={"quantity": True},
        extra={"unit": unit},
    )


Seconds = Annotated[float, _quantity(SECONDS)]
PositiveSeconds = Annotated[float, _quantity(POSITIVE_SECONDS)]
Bytes = Annotated[float, _quantity(BYTES)]
PerSecond = Annotated[float, _quantity(PER_SECOND)]
PositiveRate = Annotated[float, _quantity(POSITIVE_RATE)]
Fraction = Annotated[float, _quantity(FRACTION)]
Ceiling = Annotated[float, _quantity(CEILING)]
Growth = Annotated[float, _quantity(GROWTH)]
Bandwidth = Annotated[float, _quantity(BANDWIDTH)]
Number = Annotated[float, _quantity(NUMBER)]
Positive = Annotated[float, _quantity(POSITIVE)]
AtLeastOne = Annotated[float, _quantity(AT_LEAST_ONE)]
Amount = Annotated[float, _quantity(AMOUNT)]
Money = Annotated[float, _quantity(MONEY)]


def _name_of(what: str) -> msgspec.Meta:
    return msgspec.Meta(extra={"refers": what})


Day = Annotated[
    str, msgspec.Meta(description='a day, like "2026-11-27", or a month, like "2026-11"', extra={"day": True})
]
TierName = Annotated[str, _name_of("tier")]
ClassName = Annotated[str, _name_of("request class")]
NodeTypeName = Annotated[str, _name_of("node type")]


def day_of(value: object) -> str | None:
    """Return a date of the file as YYYY-MM-DD, a month as its first day; None for what is neither."""
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d{2}(-\d{2})?", value.strip()):
        return None
    try:
        return date.fromisoformat(f"{value.strip()}-01"[:10]).isoformat()
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def show_seconds(value: float) -> str:
    """Return a time with three digits and the unit that suits it; less than half of a nanosecond is none."""
    if abs(value) < 5e-10:
        return "0 s"
    rounded = float(f"{value:.3g}")
    for worth, suffix, most in ((1e-9, "ns", 1e-6), (1e-6, "us", 1e-3), (1e-3, "ms", 1.0), (1.0, "s", 120.0)):
        if rounded < most:
            return f"{digits(rounded / worth)} {suffix}"
    if rounded >= 7 * 86400:
        return f"{digits(value / 86400)} d"
    return f"{digits(value / 60)} min" if rounded < 7200 else f"{digits(value / 3600)} h"


def show_downtime(seconds: float | None) -> str:
    """Return a downtime with no more digits than assumed lifetimes can bear: two, three from ten minutes on."""
    if seconds is None:
        return "unknown"
    rounded = rounded_downtime(seconds)
    return "0" if rounded == 0 else "under 1 s" if rounded < 1 else show_seconds(rounded)


def rounded_downtime(seconds: float) -> float:
    """Return a downtime as it is shown: what is less than a second counts as half of one, less than 1 ms as none."""
    if seconds < 1:
        return 0.0 if seconds < 1e-3 else 0.5
    unit = 60.0 if 120 <= seconds < 600 else 1.0
    return float(f"{seconds / unit:.{2 if seconds < 600 else 3}g}") * unit


def show_bytes(value: float) -> str:
    """Return a size in binary units."""
    power = 0
    while power < 4 and round(value / 1024**power) >= 1024:
        power += 1
    return f"{digits(value / 1024**power)} {('B', 'KiB', 'MiB', 'GiB', 'TiB')[power]}"


def show_amount(value: float, unit: str) -> str:
    """Return a number with its unit as the reports use it: s, B, B/s, /s, or a word."""
    if unit == "s":
        return show_seconds(value)
    if unit in ("B", "B/s"):
        return show_bytes(value) + unit[1:]
    return f"{digits(value)}{unit}" if unit.startswith("/") else f"{digits(value)} {unit}"


@lru_cache(maxsize=4096)
def digits(value: float) -> str:
    """Return a number with three significant digits, thousands separated, without an exponent where one can read it."""
    if value == 0:
        return "0"
    if abs(value) >= 1e15 or abs(value) < 1e-6:
        return f"{value:.2e}"
    places = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def show_percent(value: float) -> str:
    """Return a share in per cent, with two digits near 100 %."""
    return f"{value * 100:.2f}%" if 0.995 <= value < 1 else f"{value * 100:.1f}%" if value < 0.1 else f"{value:.0%}"


def show_availability(value: float) -> str:
    """Return an availability with the digits that tell how far it is from 100 %."""
    down = 1 - value
    if down <= 1e-12 or value <= 0:
        return "100%" if value > 0 else "0%"
    return f"{value * 100:.{max(1, 1 - math.floor(math.log10(down * 100) + 1e-9))}f}%"


def rounded_up(value: float) -> float:
    """Return a value rounded up to three digits, so that following advice is enough."""
    step = 10.0 ** (math.floor(math.log10(value)) - 2)
    return math.ceil(value / step * (1 - 1e-12)) * step
