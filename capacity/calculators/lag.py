"""`capacity lag`: how far a replica is behind, what readers see of it, and what is lost if it takes over."""

from __future__ import annotations

from typing import Final

from capacity.calculators.calculator import COUNT, Calculator, Option

CALCULATOR: Final = Calculator(
    name="lag",
    about=(
        "Tell how far a replica is behind its primary: flushes, network, apply queue.\n\n"
        "With --mean or --p99, --rate or --apply may be left out: it is solved for. A replica that cannot keep up "
        "diverges: how fast, and what mends it. Exit code 1: what is wanted is not met."
    ),
    examples=(
        "capacity lag --rate 800/s --apply 1ms --network 2ms",
        "capacity lag --rate 500/s --apply 0.4ms --flush 200ms --network 1ms --explain",
        "capacity lag --apply 1ms --network 2ms --p99 50ms",
        "capacity lag --rate 3000/s --apply 1ms --appliers 4 --read-after 5ms --key-rate 2/s --replicas 3",
        "capacity lag --rate 800/s --apply 1ms --huge 5min --behind 1h --json",
        "capacity lag --rate 100..950/s --apply 1ms --points 10",
    ),
    options=(
        Option("rate", "POSITIVE_RATE", "Writes on the primary, like 800/s; left out: the most that is possible."),
        Option("apply", "POSITIVE_SECONDS", "Mean time to apply a write; left out: the longest that is possible."),
        Option("cv2", "NUMBER", "Squared coefficient of variation of the apply time.", "1", also="variability"),
        Option("appliers", COUNT, "Threads that apply at the same time, as far as dependencies let them.", "1"),
        Option("batch", "AT_LEAST_ONE", "Mean number of writes committed together.", "1"),
        Option("network", "SECONDS", "Network delay, one way.", "0s"),
        Option("flush", "SECONDS", "Time from one flush of the log to the next; 0 if each write is sent.", "0s"),
        Option("mean", "POSITIVE_SECONDS", "Wanted: a mean lag of at most this."),
        Option("p99", "POSITIVE_SECONDS", "Wanted: 99% of the writes visible within this."),
        Option("read_after", "SECONDS", "How long after one's own write one reads."),
        Option("window", "SECONDS", "Reads so soon after an own write go to the primary.", "0s"),
        Option("key_rate", "POSITIVE_RATE", "Writes to the key that is read: stale and backward reads are told."),
        Option("gap", "SECONDS", "Time from one read of it to the next.", "0s"),
        Option("replicas", COUNT, "Replicas, to one of which each read goes at random.", "2"),
        Option("huge", "POSITIVE_SECONDS", "One huge transaction that takes so long to apply."),
        Option("behind", "POSITIVE_SECONDS", "How far the replica is behind: how long it takes to catch up."),
        Option("log_kept", "POSITIVE_SECONDS", "How long the primary keeps its log for a replica that diverges."),
    ),
)
