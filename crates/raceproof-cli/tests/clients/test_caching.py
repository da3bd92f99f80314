"""Client-side caching of redis-py: what was read once comes from its memory until somebody changes it, or its time is over."""

import os
import subprocess
import time

import pytest
import redis
from redis.cache import CacheConfig


@pytest.fixture(scope="module")
def address():
    # redis-py does this with servers of version 7.4 and later only.
    command = [os.environ["RACEPROOF"], "serve", "--port", "0", "--version", "7.4"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        yield server.stdout.readline().split("redis://")[1].strip()
        server.terminate()


@pytest.fixture
def other(address, request):
    client = redis.Redis.from_url(f"redis://{request.node.name}:x@{address}", decode_responses=True)
    client.execute_command("RACEPROOF", "CLOCK", "FREEZE")
    yield client
    client.close()


@pytest.fixture
def caching(address, request, other):
    url = f"redis://{request.node.name}:x@{address}"
    client = redis.Redis.from_url(url, protocol=3, decode_responses=True, cache_config=CacheConfig())
    yield client
    client.close()


def asked(client, command):
    """How often the server was asked."""
    return client.info("commandstats").get(f"cmdstat_{command}", {}).get("calls", 0)


def until(client, key, value):
    """An invalidation is on its way to the client when the writer has its reply, and not more."""
    deadline = time.monotonic() + 30
    while client.get(key) != value:
        assert time.monotonic() < deadline, f"{key} is never {value!r}"


def test_what_was_read_once_is_not_asked_for_again(caching, other):
    other.set("k", "v")
    assert [caching.get("k") for _ in range(5)] == ["v"] * 5
    assert asked(other, "get") == 1
    assert caching.get_cache().size == 1


def test_a_write_of_another_client_invalidates(caching, other):
    other.set("k", "old")
    assert caching.get("k") == "old"
    other.set("k", "new")
    until(caching, "k", "new")
    before = asked(other, "get")
    assert caching.get("k") == "new"
    assert asked(other, "get") == before


def test_a_write_of_another_key_does_not(caching, other):
    other.mset({"k": "v", "l": "v"})
    caching.get("k")
    other.set("l", "w")
    assert caching.ping() and caching.get("k") == "v"
    assert asked(other, "get") == 1


def test_a_time_to_live_that_ends_invalidates(caching, other):
    other.set("k", "v", px=1000)
    assert caching.get("k") == "v"
    other.execute_command("RACEPROOF", "CLOCK", "ADVANCE", 1000)
    assert caching.get("k") == "v"
    other.execute_command("RACEPROOF", "CLOCK", "ADVANCE", 1)
    until(caching, "k", None)


def test_a_transaction_and_a_flush_invalidate(caching, other):
    other.hset("h", "f", "1")
    assert caching.hget("h", "f") == "1"
    with other.pipeline(transaction=True) as pipe:
        pipe.hset("h", "f", "2")
        pipe.set("k", "v")
        pipe.execute()
    until(caching, "k", "v")
    assert caching.hget("h", "f") == "2"
    other.flushall()
    until(caching, "k", None)
    assert caching.hget("h", "f") is None
