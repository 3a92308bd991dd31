"""Values and keys as TOML writes them on one line."""

from __future__ import annotations

import re
from typing import Any, Final

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
    import tomli_w  # noqa: PLC0415 - only what is saved pays for it

    return tomli_w.dumps({"v": value}).removeprefix("v = ").removesuffix("\n")


def toml_key(name: str) -> str:
    """Return one part of a key, quoted where it has to be."""
    return name if _BARE.fullmatch(name) else toml_value(name)
