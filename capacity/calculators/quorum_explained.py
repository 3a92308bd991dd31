"""How every figure of an answer about a quorum came about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capacity.calculators.explainer import Explainer
from capacity.explanations import Numbers

if TYPE_CHECKING:
    from capacity.calculators.calculator import Answer, Given
    from capacity.explanations import Explanation
    from models.formulas import Difference

_BAILIS: Final = "Bailis et al. 2012, Probabilistically bounded staleness"
_INTEGRAL: Final = "exact for independent messages; integrated to 1e-7"


def explained(given: Given, found: Answer) -> list[Explanation]:
    """Return how every figure came about: a closed form for versions behind, integrals for the rest."""
    told, known = Explainer(found), found.more["quorum"]
    strict = bool(found.more["strict"])
    how = "the fewest with which --consistent holds, counted up"
    told.method(["reads", "writes"], how, _BAILIS)
    if strict:
        meet = "R + W > N: every read meets a replica that has the write"
        told.method(["consistent", "stale", "visible_after_s"], meet, "Gifford 1979")
    fresh = "over the sets that answer first: P(none of them had the write when it was asked), integrated"
    told.method(["consistent", "stale"], fresh, _BAILIS, _INTEGRAL)
    told.method(["visible_after_s"], "where that share is reached, by halving", _BAILIS, _INTEGRAL)
    for name, count, what in (("read", "R", "answers"), ("write", "W", "acknowledgements")):
        keys = [f"{name}_{p}_s" for p in ("p50", "p99", "p999")]
        how = f"the time of the {count}-th of the {what}: two messages each, one after the other, sorted"
        told.method(keys, how, _BAILIS, _INTEGRAL)
    _versions(given, told, known, strict=strict)
    told.method(["reads_survive"], "N - R", "definition")
    told.method(["writes_survive"], "N - W", "definition")
    return told.told()


def _versions(given: Given, told: Explainer, known: object, *, strict: bool) -> None:
    from models.formulas import streams  # noqa: PLC0415

    if isinstance(known, list) and not strict:
        here = Numbers({**dict(zip("NRW", known, strict=True)), "k": given.count("versions")})
        # One replica more on either side, and no read misses a write: there is no formula for that.
        none: list[Difference] = []
        last = known[1] + known[2] == known[0]
        told.formula("versions_behind", streams.VERSIONS_BEHIND, here, effects=none if last else None)
    told.method(["versions_behind"], "none: every read meets every write", "Gifford 1979")
