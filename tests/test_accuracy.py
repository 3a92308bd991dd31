from __future__ import annotations

import re

import pytest

from tests.accuracy.comparison import ROUNDING, Comparison, error_shown
from tests.accuracy.page import PAGE, families, kept, page, worst

ALL = [(family.title, one) for family in families() for one in family.comparisons]


@pytest.fixture(scope="module")
def errors() -> dict[str, float]:
    """Measure everything that is not slow, once."""
    known = kept()
    return {one.name: worst(one, known) for _, one in ALL}


def without_rounding(text: str) -> str:
    """Return a page without the size of errors of rounding, which differ from machine to machine."""
    return re.sub(r"< 1e-\d+", "< rounding", text)


# The page is what its command makes: nobody has edited it, nothing in it is older than the laws.
def test_the_page_is_what_the_command_makes(errors: dict[str, float]) -> None:
    assert without_rounding(PAGE.read_text()) == without_rounding(page(families(), errors))


# Errors of rounding are, on this machine, no more than a hundred times what the page says of the one it was made on.
def test_rounding_is_rounding(errors: dict[str, float]) -> None:
    told = [line for line in PAGE.read_text().splitlines() if line.startswith("| ") and not line.startswith("| Law")]
    assert len(told) == len(ALL)
    for (_, one), line in zip(ALL, told, strict=True):
        bound = re.search(r"\| < (1e-\d+)", line)
        if bound is not None:
            assert errors[one.name] <= 100 * float(bound[1])


# Every bar that the page calls met is met; a missed one stands at the top of the page.
def test_bars(errors: dict[str, float]) -> None:
    text = PAGE.read_text()
    for _, one in ALL:
        if one.bar is not None and errors[one.name] > one.bar:
            assert f"- {one.law}: {one.region}." in text


# No comparison hides another, and slow ones have been measured.
def test_comparisons_have_names() -> None:
    names = [one.name for _, one in ALL]
    assert len(names) == len(set(names))
    assert {one.name for _, one in ALL if one.slow} == set(kept())


# Errors are rounded up, never down: what is shown is not better than what was measured.
@pytest.mark.parametrize(
    ("error", "text"),
    [
        (0.0, "< 1e-16"),
        (3e-14, "< 1e-13"),
        (1.23e-5, "1.3e-5"),
        (0.0123, "1.3 %"),
        (0.36, "36 %"),
        (1.311, "140 %"),
    ],
)
def test_errors_are_rounded_up(error: float, text: str) -> None:
    assert error_shown(error) == text


# An error that is no number is never shown as one.
def test_no_error_is_lost() -> None:
    for wrong in (float("nan"), float("inf")):
        with pytest.raises(ArithmeticError):
            Comparison(law="", against="", region="", measure=lambda w=wrong: [0.0, w]).worst()  # type: ignore[misc]
    with pytest.raises(ArithmeticError):
        Comparison(law="", against="", region="", measure=list).worst()
    assert ROUNDING < 1e-7
