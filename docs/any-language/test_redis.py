"""A TTL boundary, a lost reply and a power loss, with pytest and redis-py."""

import os
import subprocess

import pytest
import redis


@pytest.fixture(scope="session")
def address():
    """One server for all tests; the line that it prints when it is ready ends with its address."""
    command = [os.environ.get("RACEPROOF", "raceproof"), "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        yield server.stdout.readline().split("redis://")[1].strip()
        server.terminate()


@pytest.fixture
def client(address, request):
    """A Redis of this test's own, whose clock stands still: the user of the URL names the universe."""
    client = redis.Redis.from_url(f"redis://{request.node.name}:x@{address}", decode_responses=True)
    raceproof(client, "CLOCK", "FREEZE")
    yield client
    client.close()


def raceproof(client, *command):
    return client.execute_command("RACEPROOF", *command)


def test_a_session_lives_through_its_last_millisecond(client):
    client.set("session", "ada", px=30_000)
    raceproof(client, "CLOCK", "ADVANCE", "30s")
    assert client.get("session") == "ada"
    raceproof(client, "CLOCK", "ADVANCE", 1)
    assert client.get("session") is None


def test_a_lost_reply_is_a_payment_made_twice(client):
    raceproof(client, "FAULT", "ADD", "drop-reply", "ON", "INCRBY", "NTH", 1)
    client.incrby("balance", 100)
    # redis-py has sent the command again; the first one had arrived.
    assert client.get("balance") == "200"


def test_a_power_loss_costs_what_was_not_yet_on_disk(client):
    raceproof(client, "PERSISTENCE", "everysec")
    client.set("order:1", "paid")
    raceproof(client, "CLOCK", "ADVANCE", "3s")
    client.set("order:2", "paid")
    raceproof(client, "CRASH", "POWER")
    assert client.get("order:1") == "paid"
    assert client.get("order:2") is None
