"""One-way delays of production systems as fitted by Bailis et al. 2012, PVLDB 5(8), table 3, in seconds.

Of Yammer's writes the paper prints the Pareto index 3.35; its table was computed with 3.5, which is what its authors'
simulator draws, and what stands here (`docs/theory/replication.md`).
"""

from __future__ import annotations

from typing import Final

from models.messages import exponential_message, mixed_message, pareto_message
from models.quorum import Replica

_MS: Final = 1e-3

_SSD: Final = mixed_message([0.9122, 0.0878], [pareto_message(0.235 * _MS, 10), exponential_message(_MS / 1.66)])
_DISK: Final = mixed_message([0.38, 0.62], [pareto_message(1.05 * _MS, 1.51), exponential_message(_MS / 0.183)])
_WRITE: Final = mixed_message([0.939, 0.061], [pareto_message(3 * _MS, 3.5), exponential_message(_MS / 0.0028)])
_OTHER: Final = mixed_message([0.982, 0.018], [pareto_message(1.5 * _MS, 3.8), exponential_message(_MS / 0.0217)])

SSD: Final = Replica(_SSD, _SSD, _SSD, _SSD)
"""LinkedIn's Voldemort on solid-state disks (LNKD-SSD)."""

DISK: Final = Replica(_DISK, _SSD, _SSD, _SSD)
"""The same on spinning disks (LNKD-DISK)."""

YAMMER: Final = Replica(_WRITE, _OTHER, _OTHER, _OTHER)
"""Yammer's Riak (YMMR)."""
