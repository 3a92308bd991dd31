"""Values and keys as TOML writes them on one line."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Any, Final

_READABLE: Final = (1e-12, 1e18)
"""Magnitudes between which nobody wants to count places after an e."""

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")


def toml_value(value: Any, written: str = "") -> str:
    """Return a value on one line of TOML; a number groups its digits if the one `written` before did."""
    if isinstance(value, dict):
        pairs = ", ".join(f"{toml_key(key)} = {toml_value(part)}" for key, part in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(toml_value, value))}]"
    if "_" in written and type(value) in (int, float) and "e" not in repr(value):
        return f"{value:_}"
    if type(value) is float:
        return plain(value) if math.isfinite(value) else repr(value)
    import tomli_w  # noqa: PLC0415 - only what is saved pays for it

    return tomli_w.dumps({"v": value}).removeprefix("v = ").removesuffix("\n")


def plain(value: float) -> str:
    """Return the digits of a number, all that tell it from others, without an exponent where they can be read."""
    text = repr(value)
    if "e" not in text or not _READABLE[0] <= abs(value) < _READABLE[1]:
        return text
    found = f"{Decimal(text):f}"
    return found if "." in found else f"{found}.0"


def toml_key(name: str) -> str:
    """Return one part of a key, quoted where it has to be."""
    return name if _BARE.fullmatch(name) else toml_value(name)
