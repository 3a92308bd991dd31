"""`capacity queue`: one queue before equal servers; the number that is left out is solved for."""

from __future__ import annotations

from typing import Final

from capacity.calculators.calculator import COUNT, TEXT, Calculator, Option

ORDERS: Final = ("fcfs", "sharing")


_PERCENTILES: Final = tuple(
    Option(name, "POSITIVE_SECONDS", f"Wanted: {share} of the requests answered within this time.")
    for name, share in (("p50", "50%"), ("p90", "90%"), ("p95", "95%"), ("p99", "99%"), ("p999", "99.9%"))
)

CALCULATOR: Final = Calculator(
    name="queue",
    about=(
        "Tell how long requests wait for a server and are answered: M/M/c, M/G/c, G/G/c and their kin.\n\n"
        "Of --rate, --service and --servers one may be left out: it is solved for, so that all that is wanted is met. "
        "Exit code 1: what is wanted is not met."
    ),
    examples=(
        "capacity queue --rate 1200/s --service 9ms --servers 16",
        "capacity queue --rate 1200/s --service 9ms --p99 50ms",
        "capacity queue --service 9ms --servers 16 --cv2 1.4 --utilization 70%",
        "capacity queue --rate 100..2000/s --service 9ms --servers 20 --points 20",
        "capacity queue --rate 90/s --service 100ms --servers 12 --limit 40 --json",
        "capacity queue --rate 90/s --service 100ms --servers 9 --patience 2s --explain",
    ),
    options=(
        Option("rate", "POSITIVE_RATE", "Requests that arrive, like 1200/s; left out: the most that is possible."),
        Option("service", "POSITIVE_SECONDS", "Mean service time, like 9ms; left out: the longest that is possible."),
        Option("servers", COUNT, "Equal servers; left out: the fewest that are enough."),
        Option("cv2", "NUMBER", "Squared coefficient of variation of the service time.", "1", also="variability"),
        Option("arrival_cv2", "NUMBER", "The same of the gaps between arrivals.", "1", also="burstiness"),
        Option("limit", COUNT, "Places, those in service included: whoever finds them taken is turned away."),
        Option("patience", "POSITIVE_SECONDS", "Mean time after which whoever still waits gives up."),
        Option("patience_cv2", "NUMBER", "Squared CV of the patience; 0 is a timeout, the same for all.", "1"),
        Option("order", TEXT, "First come first served, or all at once (processor sharing).", "fcfs", ORDERS),
        *_PERCENTILES,
        Option("mean", "POSITIVE_SECONDS", "Wanted: a mean response of at most this."),
        Option("wait_mean", "POSITIVE_SECONDS", "Wanted: a mean wait of at most this."),
        Option("wait_p99", "POSITIVE_SECONDS", "Wanted: 99% wait no longer than this."),
        Option("wait_probability", "CEILING", "Wanted: no more than this share waits at all."),
        Option("utilization", "CEILING", "Wanted: servers no busier than this.", also="utilisation"),
        Option("lost", "CEILING", "Wanted: no more than this share turned away or giving up."),
    ),
)
