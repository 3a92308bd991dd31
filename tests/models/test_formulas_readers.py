from __future__ import annotations

import math
from random import Random
from typing import Any

import mpmath
import numpy as np
import pytest

from models.failover import Loss, takeover_time
from models.formulas import readers
from models.popularity import Popularity
from models.quorum import backwards
from models.replica_lag import ReplicaLag, huge_transaction, lag_growth, replica_lag
from models.service_time import exponential
from models.sessions import going_back_on_key, on_another, own_write_missed, sent_to_primary
from models.staleness import own_write_unseen, stale_replica_reads
from tests.models.formula_checks import (
    Law,
    check_documented,
    check_inverses,
    check_law,
    check_slopes,
    check_thirty_digits,
)

ONE = Popularity(np.ones(1), np.ones(1))

POINTS: list[dict[str, Any]] = []
for r in map(Random, range(12)):
    apply_time, use, nodes, appliers = (
        10 ** r.uniform(-4, -2),
        r.uniform(0.1, 0.9),
        r.randrange(3, 8),
        r.randrange(2, 6),
    )
    delay = r.uniform(0.001, 0.01)
    POINTS.append({
        "s": apply_time, "lambda": use / apply_time, "d": delay, "q": 0.5 ** r.randrange(3, 12), "t": delay + apply_time * r.uniform(0.5, 9),
        "w": 10 ** r.uniform(0, 3), "g": apply_time * r.uniform(0.1, 5), "n": r.randrange(2, 6), "w_u": r.uniform(0.01, 1), "t_w": r.uniform(0.1, 9),
        "d_f": r.uniform(0.01, 0.1), "t_n": r.uniform(1, 30), "B": r.uniform(10, 1e4), "mu": 0.7 * use / apply_time, "t_p": r.uniform(1, 9),
        "T_h": r.uniform(1, 100), "rho": 1 - r.uniform(0.1, 0.9) / appliers, "k": appliers, "N": nodes, "R": r.randrange(1, nodes - 1),
        "W": 1, "v": r.uniform(0.1, 9),
    })  # fmt: skip


def lag(x: dict[str, Any]) -> ReplicaLag:
    return replica_lag(x["lambda"], exponential(x["s"]), network_delay=x.get("d", 0.0))


def spare(x: Any) -> Any:
    return (1 - x["lambda"] * x["s"]) / x["s"]


def density(x: Any, t: Any) -> Any:
    return spare(x) * mpmath.exp(-spare(x) * t)


def precise_stale(x: Any) -> Any:
    """Return P(a write within the lag) by integration over the lag."""
    end = [f / spare(x) for f in (0, 1, 4, 16, 64, 128)]
    return mpmath.quad(lambda t: density(x, t) * -mpmath.expm1(-x["w"] * (x["d"] + t)), end) + mpmath.exp(
        -spare(x) * end[-1]
    )


def precise_back(x: Any) -> Any:
    """Return the difference of two lags beyond the gap, and a write within it, by integration."""
    end = [f / spare(x) for f in (0, 1, 4, 16, 64, 128)]
    ahead = mpmath.quad(lambda t: density(x, t) * -mpmath.expm1(-x["w"] * t), end)
    behind = mpmath.quad(lambda t: density(x, t) * mpmath.exp(-spare(x) * (t + x["g"])), end)
    return (x["n"] - 1) / x["n"] * ahead * behind


LAWS = [
    Law(
        readers.LAG_PERCENTILE,
        lambda x: x["d"] - x["s"] * mpmath.log(x["q"]) / (1 - x["lambda"] * x["s"]),
        lambda x: lag(x).applied.percentile(1 - x["q"]),
        1e-6,
    ),
    Law(
        readers.OWN_WRITE,
        lambda x: mpmath.exp((x["t"] - x["d"]) * (x["lambda"] - 1 / x["s"])),
        lambda x: own_write_missed(lag(x).applied, x["t"]),
        1e-6,
    ),
    Law(readers.STALE_READ, precise_stale, lambda x: stale_replica_reads(ONE, x["w"], lag(x).applied), 1e-7),
    Law(readers.ANOTHER, lambda x: (x["n"] - 1) / x["n"], lambda x: on_another(x["n"])),
    Law(
        readers.TO_PRIMARY,
        lambda x: -mpmath.expm1(-x["w_u"] * x["t_w"]),
        lambda x: sent_to_primary(x["w_u"], x["t_w"]),
    ),
    Law(
        readers.LOST,
        lambda x: mpmath.quad(lambda u: x["lambda"] * (x["d"] + u * x["d_f"]), [0, 1]),
        lambda x: Loss(x["lambda"], x["d"], x["d_f"]).mean,
    ),
    Law(
        readers.LOST_SPAN,
        lambda x: 1 / (1 / (x["d"] + x["d_f"])),
        lambda x: Loss(1.0, x["d"], x["d_f"]).seconds,
    ),
    Law(
        readers.TAKEOVER,
        lambda x: (x["mu"] * (x["t_n"] + x["t_p"]) + x["B"]) / x["mu"],
        lambda x: takeover_time(x["t_n"], x["B"], x["mu"], x["t_p"]),
    ),
    Law(
        readers.HUGE_RECOVERY,
        lambda x: x["T_h"] * mpmath.nsum(lambda k: x["rho"] ** k, [0, mpmath.inf]),
        lambda x: huge_transaction(x["T_h"], x["rho"]).recovery,
    ),
    Law(
        readers.HUGE_UNORDERED,
        lambda x: x["T_h"] * (1 + (1 / x["k"] - (1 - x["rho"])) / (1 - x["rho"])),
        lambda x: huge_transaction(x["T_h"], x["rho"], x["k"], in_order=False).recovery,
    ),
    Law(
        readers.LAG_GROWTH,
        lambda x: (x["lambda"] - x["mu"]) / x["lambda"],
        lambda x: lag_growth(x["lambda"], x["mu"]),
    ),
    Law(
        readers.BACKWARD_QUORUM,
        lambda x: mpmath.exp(mpmath.log(1 - x["R"] / x["N"]) * (1 + x["v"])),
        lambda x: backwards(x["N"], x["R"], x["W"], x["v"]),
    ),
]


BESIDE = [readers.BACKWARD_READ]


# Each closed form equals what is written down again, by another road, to 30 digits, and the numeric function as far as
# it goes; its derivatives are its slopes, its inverse leads back.
@pytest.mark.parametrize(
    "law", [law for law in LAWS if law.formula is not readers.BACKWARD_QUORUM], ids=lambda law: law.name
)
def test_laws(law: Law) -> None:
    check_law(law, POINTS)


# Quorums of one acknowledgement; one answer more and no write is missed, so that it has no slope there.
def test_backward_quorum() -> None:
    law = LAWS[-1]
    points = [x for x in POINTS if x["R"] + 1 < x["N"] - 1]
    check_law(law, points)


# Two lags, each by 40 points: 4e-4 absolute.
def test_backward_reads() -> None:
    check_thirty_digits(readers.BACKWARD_READ, precise_back, POINTS)
    check_slopes(readers.BACKWARD_READ, POINTS[:3])
    check_inverses(readers.BACKWARD_READ, POINTS[0])
    check_documented(readers.BACKWARD_READ)
    for x in POINTS:
        found = going_back_on_key(lag(x).applied, lag(x).applied, x["w"], x["g"]) * on_another(x["n"])
        assert found == pytest.approx(float(readers.BACKWARD_READ.value(x)), abs=4e-4)


# An own write is not seen as often as any write is not applied yet.
def test_own_write() -> None:
    for x in POINTS:
        found = own_write_unseen(lag(x).applied, x["t"])
        assert found == pytest.approx(float(readers.OWN_WRITE.value(x)), rel=1e-6)
    assert math.isclose(own_write_missed(lag(POINTS[0]).applied, 0.001, window=1.0), 0.0)
