"""`capacity limit`: what a rate or concurrency limit turns away or makes wait, and what retries make of it."""

from __future__ import annotations

from typing import Final

from capacity.calculators.calculator import COUNT, TEXT, Calculator, Option

KINDS: Final = ("bucket", "sliding", "fixed", "concurrency", "shaper")


CALCULATOR: Final = Calculator(
    name="limit",
    about=(
        "Tell what a limit turns away (token bucket, sliding log, fixed window, concurrency), or makes wait.\n\n"
        "With --rejected (of a shaper --wait-p99), --rate, --limit, --burst or --places may be left out: it is solved "
        "for. Exit code 1: what is wanted is not met."
    ),
    examples=(
        "capacity limit --rate 95/s --limit 100/s --burst 10",
        "capacity limit --rate 95/s --limit 100/s --rejected 0.1%",
        "capacity limit --kind sliding --rate 80/s --limit 100/s --window 1s --retries 2 --budget 10%",
        "capacity limit --kind concurrency --rate 200/s --duration 250ms --rejected 0.01%",
        "capacity limit --kind shaper --rate 90/s --limit 100/s --burst 5 --wait-p99 200ms",
        "capacity limit --rate 50..150/s --limit 100/s --burst 20 --points 5",
        "capacity limit --kind fixed --rate 95/s --limit 100/s --window 1s --explain",
    ),
    options=(
        Option("kind", TEXT, "How it counts.", KINDS[0], KINDS),
        Option("rate", "POSITIVE_RATE", "Requests, like 95/s; left out: the most that is possible."),
        Option("limit", "POSITIVE_RATE", "Requests that are let pass, like 100/s; left out: the least that is enough."),
        Option("burst", COUNT, "Tokens that a bucket holds; left out: 1, or the fewest that are enough."),
        Option("window", "POSITIVE_SECONDS", "Over which sliding and fixed windows count.", "1s"),
        Option("places", COUNT, "Requests in progress that are allowed; left out: the fewest that are enough."),
        Option("duration", "POSITIVE_SECONDS", "How long one is in progress."),
        Option("retries", COUNT, "Times that a request turned away is tried again.", "0", least=0),
        Option("budget", "FRACTION", "Retries allowed, as a share of the requests, like 10%; left out: all."),
        Option("rejected", "CEILING", "Wanted: at most this share of the tries turned away."),
        Option("wait_p99", "POSITIVE_SECONDS", "Wanted of a shaper: 99% wait no longer than this."),
    ),
)
