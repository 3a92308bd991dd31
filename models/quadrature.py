"""The rule of Gauss and Legendre on [0, 1]."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from models.transforms import Floats


@cache
def gauss_legendre(points: int) -> tuple[Floats, Floats]:
    """Return nodes and weights, exact for polynomials of degree 2 * points - 1; found once, when first asked for."""
    nodes, weights = np.polynomial.legendre.leggauss(points)
    return (nodes + 1) / 2, weights / 2
