"""The words in which every face says whether what is wanted is met: `evaluate`, `check` and the calculators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capacity.units import show_percent

if TYPE_CHECKING:
    from collections.abc import Iterable

OK: Final = "ok"
MISSED: Final = "MISSED"


def word(met: bool | None) -> str:  # noqa: FBT001, what is put into words
    """Return one word for a verdict; a dash where nothing was wanted."""
    return "-" if met is None else OK if met else MISSED


def over(value: float | None, limit: float) -> str:
    """Return by how much a value exceeds what is allowed, with a space before; nothing where it does not."""
    if value is None or limit <= 0 or value <= limit:
        return ""
    return f" ({show_percent(value / limit - 1)} over)"


def allowed(met: bool, limit: str, beyond: str = "") -> str:  # noqa: FBT001, what is put into words
    """Return the verdict on what must not be more than a limit; `beyond` is from `over`."""
    return f"{word(met)}, {limit} allowed{'' if met else beyond}"


def wanted(met: bool, least: str) -> str:  # noqa: FBT001, what is put into words
    """Return the verdict on what must not be less than something."""
    return f"{word(met)}, {least} wanted"


def ending(missed: Iterable[str], *, judged: bool) -> str:
    """Return the end of a headline: what is missed, or that nothing is; nothing where nothing was wanted."""
    names = list(missed)
    if not judged:
        return ""
    return f"; {MISSED}: {' and '.join(names)}" if names else f"; {OK}"
