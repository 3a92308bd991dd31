from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.memory import memcached_bytes, memcached_items, redis_bytes
from tests.cases import Case, cache_cases, cache_run

lengths = st.integers(0, 5000)


# Measured sizes of strings in Redis 7.0.15: 0.02 bytes, what the server needs for itself over so many keys.
@pytest.mark.parametrize(
    "case", cache_run("redis_memory")["cases"], ids=lambda c: f"{c['N']}-{c['key_len']}-{c['value_len']}-{c['ttl']}"
)
def test_redis(case: Case) -> None:
    found = redis_bytes(case["key_len"], case["value_len"], case["N"], ttl=case["ttl"])
    assert found == pytest.approx(case["bytes_per_key"], abs=0.02)
    assert found - case["key_len"] - case["value_len"] == pytest.approx(case["overhead"], abs=0.02)
    # MEMORY USAGE leaves out the TTL, and of the table 16 bytes where it is full, 18.5 where it is not.
    without = redis_bytes(case["key_len"], case["value_len"], case["N"])
    assert 15.9 < without - case["memory_usage_cmd"] < 18.6
    # What the operating system sees, as the module says it.
    low, high = (1.04, 1.2) if case["value_len"] >= 1000 else (1.19, 2.8)
    assert low < case["rss_ratio"] < high


# A memcached 1.6.18 of 20 MB held exactly so many items of 10 + 100 bytes.
def test_memcached() -> None:
    case = cache_cases("memcached_real")[0]
    assert memcached_items(case["m_MB"], 10, 100) == case["curr_items"]
    assert memcached_bytes(10, 100) == 192


# A longer key or value never takes less, and more than it is long; a TTL takes 40 to 48 bytes.
@given(lengths, lengths, st.integers(1, 300), st.integers(1, 10**9))
def test_redis_properties(key: int, value: int, more: int, keys: int) -> None:
    found = redis_bytes(key, value, keys)
    assert found > key + value + 56
    assert redis_bytes(key + more, value, keys) >= found
    # What is embedded in its object up to 44 bytes wastes less than what is not.
    assert redis_bytes(key, value + more, keys) >= found
    if keys >= 4:
        assert 40 <= redis_bytes(key, value, keys, ttl=True) - found < 48


# Chunks grow with their items and waste at most a quarter, and 8 bytes to align.
@given(st.integers(0, 250), st.integers(0, 100_000), st.integers(1, 500))
def test_memcached_properties(key: int, value: int, more: int) -> None:
    found = memcached_bytes(key, value)
    wanted = 59 + key + value
    assert wanted <= found <= max(96, wanted * 1.25 + 16)
    assert memcached_bytes(key, value + more) >= found


# Lengths below 0, chunks that do not grow, items that are cut into parts: refused.
def test_senseless_input_is_refused() -> None:
    for key, value, keys in ((-1, 1, 1), (1, -1, 1), (1, 1, 0)):
        with pytest.raises(ValueError, match="at least"):
            redis_bytes(key, value, keys)
    with pytest.raises(ValueError, match="factor above 1"):
        memcached_bytes(1, 1, growth=1.0)
    with pytest.raises(ValueError, match="in parts"):
        memcached_bytes(1, 10**6)
