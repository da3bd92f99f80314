// A TTL boundary, a lost reply and a power loss, with Node's test runner and ioredis.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { after, test } from "node:test";
import { Redis } from "ioredis";

// One server for all tests; the line that it prints when it is ready ends with its address.
const server = spawn(process.env.RACEPROOF ?? "raceproof", ["serve", "--port", "0"]);
const [line] = await once(server.stdout, "data");
const address = String(line).split("redis://")[1].trim();
after(() => server.kill());

// A Redis of the test's own, whose clock stands still: the user of the URL names the universe.
async function connect(t) {
  const client = new Redis(`redis://${encodeURIComponent(t.name)}:x@${address}`);
  t.after(() => client.disconnect());
  await client.call("RACEPROOF", "CLOCK", "FREEZE");
  return client;
}

test("a session lives through its last millisecond", async (t) => {
  const client = await connect(t);
  await client.set("session", "ada", "PX", 30_000);
  await client.call("RACEPROOF", "CLOCK", "ADVANCE", "30s");
  assert.equal(await client.get("session"), "ada");
  await client.call("RACEPROOF", "CLOCK", "ADVANCE", 1);
  assert.equal(await client.get("session"), null);
});

test("a lost reply is a payment made twice", async (t) => {
  const client = await connect(t);
  await client.call("RACEPROOF", "FAULT", "ADD", "drop-reply", "ON", "INCRBY", "NTH", 1);
  await client.incrby("balance", 100);
  // ioredis has connected and sent the command again; the first one had arrived.
  assert.equal(await client.get("balance"), "200");
});

test("a power loss costs what was not yet on disk", async (t) => {
  const client = await connect(t);
  await client.call("RACEPROOF", "PERSISTENCE", "everysec");
  await client.set("order:1", "paid");
  await client.call("RACEPROOF", "CLOCK", "ADVANCE", "3s");
  await client.set("order:2", "paid");
  await client.call("RACEPROOF", "CRASH", "POWER");
  assert.equal(await client.get("order:1"), "paid");
  assert.equal(await client.get("order:2"), null);
});
