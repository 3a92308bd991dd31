"""How every figure of an answer about a limit came about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from capacity.calculators.explainer import Explainer
from capacity.explanations import Numbers

if TYPE_CHECKING:
    from capacity.calculators.calculator import Answer, Given
    from capacity.explanations import Explanation
    from models.formulas import Formula

_MOST_SUMMED: Final = 2000
"""Terms of a sum that are written out with numbers in a moment."""
_MOST_ALTERNATING: Final = 40
"""Terms of a sum of alternating signs up to which forty digits leave all that are shown."""
_MOST_TOKENS: Final = 10
"""Tokens up to which the share that waits, 1 less a sum, keeps the digits that are shown."""

_METHODS: Final = {
    "bucket": ("the two dominant exponentials of the work of M/D/1", "exact to 2e-7 of shares above 1e-7"),
    "sliding": ("Erlang's recursion over the requests that pass in a window", "exact for Poisson requests"),
    "fixed": ("a sum of Poisson probabilities, from the likeliest on", "exact for Poisson requests"),
    "concurrency": ("Erlang's recursion over the places", "exact for Poisson requests, however long they take"),
}


def explained(given: Given, found: Answer) -> list[Explanation]:
    """Return how every figure came about: closed forms where there are any, else the method."""
    told, used, kind = Explainer(found), found.more.get("inputs_used"), given.word("kind") or "bucket"
    if not isinstance(used, dict):
        return told.told()
    _solved_for(given, found, told)
    _demand(given, told, used, kind)
    if kind == "shaper":
        _waiting(found, told, used)
    else:
        _rejected(given, found, told, used, kind)
    return told.told()


def _solved_for(given: Given, found: Answer, told: Explainer) -> None:
    name = found.more.get("solved_for")
    wished = "--wait-p99" if given.word("kind") == "shaper" else "--rejected"
    law = "the most" if name == "rate" else "the fewest" if name in ("burst", "places") else "the least"
    how = f"{law} with which {wished} holds: the law below, searched by doubling and halving"
    keys = ["rate_per_s", "limit_per_s", "burst", "places"]
    told.method(keys, how, found.source, "exact to 1e-9 of itself" if name in ("rate", "limit") else "exact")


def _demand(given: Given, told: Explainer, used: dict[str, Any], kind: str) -> None:
    """Explain what is asked for over what there is."""
    from models.formulas import backlogs, waiting, work  # noqa: PLC0415

    here = Numbers({"lambda": used["rate"], "U": used["rate"], "mu": used.get("limit")})
    if kind == "concurrency":
        here.given |= {"S": given.number("duration"), "c": int(used["places"])}
        here.meanings |= {"S": "mean time that one takes", "c": "places"}
        told.formula("utilization", waiting.UTILIZATION, here)
    else:
        here.given["K"] = used["limit"]
        here.meanings |= {"U": "requests, 1/s", "K": "the limit, 1/s"}
        told.formula("utilization", work.SHARE, here)
        told.formula("backlog_growth_per_s", backlogs.GROWTH, here)


def _law(given: Given, used: dict[str, Any], kind: str) -> tuple[Formula, Numbers, float]:
    """Return the formula of a kind of limit, its numbers, and how many terms it has."""
    from models.formulas import refused, streams, waiting  # noqa: PLC0415

    rate, limit, window = used["rate"], used.get("limit", 1.0), given.number("window")
    if kind == "bucket":
        burst = int(used.get("burst", 1))
        return waiting.TOKEN_BUCKET, Numbers({"lambda": rate, "mu": limit, "b": burst}), rate / limit * burst
    passing = int(used["places"]) if kind == "concurrency" else round(limit * window)
    if kind == "fixed":
        return streams.FIXED_WINDOW, Numbers({"lambda": rate, "L": passing, "T_w": window}), passing
    held = given.number("duration") if kind == "concurrency" else window
    words = {} if kind == "concurrency" else {"T_h": "time that one holds its place: the window", "c": "places"}
    return refused.IN_PROGRESS, Numbers({"lambda": rate, "T_h": held, "c": passing}, words), passing


def _rejected(given: Given, found: Answer, told: Explainer, used: dict[str, Any], kind: str) -> None:
    """Explain what is turned away, and what comes of retries."""
    retries = given.count("retries")
    formula, here, terms = _law(given, used, kind)
    how, accuracy = _METHODS[kind]
    if retries:
        how = "the share at the rate of all tries, which is the fixed point: more rejections, more retries"
        told.method(["rejected"], how, found.source, "approximate: retries taken as independent of the state they met")
        _retried(given, told, used)
    elif terms <= (_MOST_ALTERNATING if kind == "bucket" else _MOST_SUMMED):
        told.formula("rejected", formula, here)
    told.method(["rejected"], how, found.source, accuracy)
    told.method(["passed_per_s"], "tries less those turned away", "definition", "as exact as the share turned away")
    told.method(["across_boundary"], "twice the limit of a window: at its end, and at the beginning of the next",
                "definition")  # fmt: skip


def _retried(given: Given, told: Explainer, used: dict[str, Any]) -> None:
    from models.formulas import refused  # noqa: PLC0415

    here = Numbers({"lambda": used["rate"], "f": told.value("rejected"), "m": given.count("retries") + 1})
    here.meanings["f"] = "share of the tries that is turned away"
    free = not told.has("retries_allowed") or told.value("retries_allowed") >= 1
    if free and 0 < told.value("rejected") < 1:
        told.formula("tries_per_s", refused.TRIED, here)
        told.formula("failed", refused.FAILED_FOR_GOOD, here)
    capped = "approximate: as the share turned away"
    told.method(["tries_per_s"], "requests and the retries that the budget allows", "definition", capped)
    told.method(["failed"], "requests less those that pass", "definition", capped)
    told.method(["retries_allowed"], "what the budget allows over what is wanted, by halving", "definition", capped)


def _waiting(found: Answer, told: Explainer, used: dict[str, Any]) -> None:
    """Explain the wait of a shaper."""
    from models.formulas import refused  # noqa: PLC0415

    burst = int(used.get("burst", 1))
    if burst <= _MOST_TOKENS and told.has("wait_probability"):
        told.formula(
            "wait_probability", refused.SHAPER, Numbers({"lambda": used["rate"], "mu": used["limit"], "b": burst})
        )
    sums = "Franx' sums for M/D/1, less the tokens saved"
    told.method(["wait_probability"], sums, found.source, "exact, to 1e-12")
    told.method(["wait_mean_s"], f"the tail integrated: {sums}", found.source, "exact, to 1e-9")
    told.method(["wait_p99_s", "wait_p999_s"], f"where the tail is 1 and 0.1 %, by halving: {sums}", found.source,
                "exact, to 1e-12")  # fmt: skip
