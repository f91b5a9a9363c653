// The engine that the tests talk to: one that runs already, or a demo of this checkout that is
// started here and stopped afterwards.
//
//   CASEWRIGHT_READY=/path/ready.json   use the engine that wrote this ready file
//   CASEWRIGHT_BIN=/path/casewright     start this binary instead of building one

import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const checkout = fileURLToPath(new URL("../../../", import.meta.url));
const LOOK_EVERY_MS = 250;
const START_MS_MAX = 20 * 60 * 1000;

async function readyFile(path) {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    if (error.code === "ENOENT") return null;
    throw error;
  }
}

function demo(folder, ready) {
  const args = ["demo", "--port", "0", "--data", join(folder, "data"), "--ready-file", ready];
  const binary = process.env.CASEWRIGHT_BIN;
  const [command, whole] = binary
    ? [binary, args]
    : ["cargo", ["run", "--quiet", "--locked", "--bin", "casewright", "--", ...args]];
  return spawn(command, whole, { cwd: checkout, stdio: ["ignore", "ignore", "inherit"] });
}

function pause(ms) {
  return new Promise((done) => setTimeout(done, ms));
}

// Gives { url, partner, people, stop }: people by role, each with signIn, name and passphrase.
export async function openEngine() {
  if (process.env.CASEWRIGHT_READY) {
    const told = await readyFile(process.env.CASEWRIGHT_READY);
    if (!told) throw new Error(`no ready file at ${process.env.CASEWRIGHT_READY}`);
    return { ...described(told), stop: async () => {} };
  }
  const folder = await mkdtemp(join(tmpdir(), "casewright-console-"));
  const ready = join(folder, "ready.json");
  const child = demo(folder, ready);
  const ended = new Promise((done) => child.once("exit", done));
  let code;
  ended.then((found) => { code = found ?? "a signal"; });
  const stop = async () => {
    child.kill("SIGTERM");
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  for (let waited = 0; waited < START_MS_MAX; waited += LOOK_EVERY_MS) {
    const told = await readyFile(ready);
    if (told) return { ...described(told), stop };
    if (code !== undefined) throw new Error(`the demo ended with ${code}`);
    await pause(LOOK_EVERY_MS);
  }
  await stop();
  throw new Error("the demo was not ready in time");
}

function described(told) {
  const people = {};
  for (const person of told.signIns) people[person.role] ??= person;
  const [url, partner] = [told.url, told.partner].map((address) => address?.replace(/\/$/, ""));
  return { url, partner, people };
}
