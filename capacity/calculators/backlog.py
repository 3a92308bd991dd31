"""`capacity backlog`: what a stop of consumers leaves behind, how long it takes to be gone, when messages are lost."""

from __future__ import annotations

from typing import Final

from capacity.calculators.calculator import COUNT, Calculator, Option

CALCULATOR: Final = Calculator(
    name="backlog",
    about=(
        "Tell how a queue of messages is drained: partitions, skew, stops, rebalancing, redelivery, retention.\n\n"
        "With --drain, --p99 or --utilization, --consumers may be left out: the fewest that are enough are found. "
        "Consumers that cannot keep up: by how much, when messages are lost, what mends it. Exit code 1: what is "
        "wanted is not met."
    ),
    examples=(
        "capacity backlog --rate 900/s --service 10ms --consumers 12 --partitions 24 --stop 10min",
        "capacity backlog --rate 900/s --service 10ms --partitions 48 --stop 10min --drain 30min",
        "capacity backlog --rate 1500/s --service 10ms --consumers 12 --partitions 24 --retention 3d --age 1h",
        "capacity backlog --rate 900/s --service 10ms --consumers 12 --pause 20s --every 1h --explain",
        "capacity backlog --rate 900/s --service 10ms --consumers 12 --failed 5% --deliveries 4 --backlog 1e6",
        "capacity backlog --rate 900/s --service 10ms --consumers 10..20 --points 6 --stop 10min",
    ),
    options=(
        Option("rate", "POSITIVE_RATE", "Messages that arrive, like 900/s."),
        Option("service", "POSITIVE_SECONDS", "Mean time that a consumer takes for one, like 10ms."),
        Option("cv2", "NUMBER", "Squared coefficient of variation of that time.", "1", also="variability"),
        Option("consumers", COUNT, "Consumers; left out: the fewest that are enough."),
        Option("partitions", COUNT, "Partitions, each read by one consumer; left out: as many as consumers."),
        Option("hottest", "CEILING", "Share of the messages in the busiest partition; left out: all are equal."),
        Option("stop", "SECONDS", "A stop of all consumers: what it leaves behind, and until when."),
        Option("backlog", "AMOUNT", "Messages that wait already."),
        Option("pause", "SECONDS", "How long all consumers stop for a rebalancing."),
        Option("every", "POSITIVE_SECONDS", "Time from one rebalancing to the next."),
        Option("commit", "SECONDS", "Time from one commit of positions to the next: half of it is done again.", "0s"),
        Option("failed", "FRACTION", "Share of the deliveries that fail and are made again.", "0%"),
        Option("deliveries", COUNT, "Deliveries after which a message is put aside; left out: never."),
        Option("retention", "POSITIVE_SECONDS", "How long a message is kept, read or not."),
        Option("age", "SECONDS", "How old the next message to be read is now.", "0s"),
        Option("message_size", "BYTES", "Size of a message: what the retention takes is told."),
        Option("copies", COUNT, "Copies of each message.", "3"),
        Option("drain", "POSITIVE_SECONDS", "Wanted: the backlog gone this long after the --stop, or from now."),
        Option("p99", "POSITIVE_SECONDS", "Wanted: 99% of the messages done within this, when nothing stops."),
        Option("utilization", "CEILING", "Wanted: no consumer busier than this.", also="utilisation"),
    ),
)
