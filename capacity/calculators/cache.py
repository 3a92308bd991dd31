"""`capacity cache`: how often a cache hits; the size is solved for where a hit ratio is wanted."""

from __future__ import annotations

from typing import Final

from capacity.calculators.calculator import COUNT, FLAG, TEXT, Calculator, Option

POLICIES: Final = (
    "lru", "fifo", "random", "lfu", "clock", "slru", "2q", "s3fifo", "redis-lru", "redis-lfu", "w-tinylfu", "sieve",
    "arc",
)  # fmt: skip
STORES: Final = ("redis", "memcached")


CALCULATOR: Final = Calculator(
    name="cache",
    about=(
        "Tell how often a cache hits, or how large it must be for a wanted hit ratio.\n\n"
        "Keys are asked for by Zipf's law, or as in a --trace. Of room (--capacity or --size) and --hit-ratio one is "
        "enough; with both, exit code 1 says that the hit ratio is missed."
    ),
    examples=(
        "capacity cache --objects 1e6 --zipf 0.9 --capacity 100_000",
        "capacity cache --objects 1e6 --zipf 0.9 --hit-ratio 90% --object-size 2KiB",
        "capacity cache --objects 2e6 --size 1GiB --object-size 1KiB --store redis --rate 20000/s --policy redis-lru",
        "capacity cache --objects 1e6 --capacity 1e5 --rate 5000/s --ttl 60s --writes 50/s --explain",
        "capacity cache --objects 1e6 --capacity 1000..1e6 --log --points 7 --policy s3fifo",
        "capacity cache --objects 1e6 --capacity 1e5 --rate 9000/s --locals 16 --local-capacity 1000 --nodes 3",
        "capacity cache --trace keys.txt --hit-ratio 80%",
    ),
    options=(
        Option("objects", COUNT, "Different objects that are asked for, up to 1e12."),
        Option("zipf", "NUMBER", "Zipf exponent: how uneven; 0 is all alike.", "1", also="popularity"),
        Option("trace", TEXT, "A text file with one key per line, up to 8 MiB, or - for standard input."),
        Option("capacity", COUNT, "Objects that there is room for."),
        Option("size", "BYTES", "The same as memory, with --object-size."),
        Option("hit_ratio", "CEILING", "Wanted: this share of the reads hits; without room, the room for it."),
        Option("policy", TEXT, "What is evicted.", "lru", POLICIES, also="eviction"),
        Option("object_size", "BYTES", "Mean size of a value."),
        Option("key_size", "BYTES", "Size of a key, for the overhead of a --store.", "40B"),
        Option("store", TEXT, "Count the memory that this store needs for a key.", None, STORES),
        Option("rate", "POSITIVE_RATE", "Reads of all objects; times are told in seconds, not in reads."),
        Option("writes", "PER_SECOND", "Writes to all objects, each of which makes its object invalid.", "0/s"),
        Option("ttl", "POSITIVE_SECONDS", "Time to live, from insertion."),
        Option("sliding", FLAG, "The time to live begins anew with each read."),
        Option("samples", COUNT, "Keys that Redis draws to evict one of them.", "5"),
        Option("locals", COUNT, "Local LRU caches in front, which share the reads evenly."),
        Option("local_capacity", COUNT, "Objects that each of them has room for."),
        Option("nodes", COUNT, "Nodes over which the keys are spread: the loss of one, and the busiest."),
    ),
)
