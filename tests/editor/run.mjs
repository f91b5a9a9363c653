// Workflows as an author sees them in an editor: the language server that editors use for YAML,
// over its standard input and output, with the schema that `casewright schema` prints.
//
// CASEWRIGHT_BIN names the binary; plugins must be built, as `tests/run` does.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { readFileSync, readdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";

const root = resolve(import.meta.dirname, "../..");
const pack = join(root, "workflows/intensive-family-support");
const binary = process.env.CASEWRIGHT_BIN ?? join(root, "target/debug/casewright");

// A language server over standard input and output.
class Server {
  constructor() {
    const program = join(import.meta.dirname, "node_modules/yaml-language-server/bin/yaml-language-server");
    this.process = spawn(process.execPath, [program, "--stdio"], { stdio: ["pipe", "pipe", "inherit"] });
    this.process.stdout.on("data", (bytes) => this.take(bytes));
    this.read = Buffer.alloc(0);
    this.asked = new Map();
    this.diagnosed = new Map();
    this.number = 0;
    this.settings = {};
  }

  take(bytes) {
    this.read = Buffer.concat([this.read, bytes]);
    for (;;) {
      const end = this.read.indexOf("\r\n\r\n");
      if (end < 0) return;
      const length = Number(/content-length: (\d+)/i.exec(this.read.toString("utf8", 0, end))[1]);
      if (this.read.length < end + 4 + length) return;
      const message = JSON.parse(this.read.toString("utf8", end + 4, end + 4 + length));
      this.read = this.read.subarray(end + 4 + length);
      this.hear(message);
    }
  }

  hear(message) {
    if (message.method === "textDocument/publishDiagnostics") {
      const { uri, diagnostics } = message.params;
      this.diagnosed.get(uri)?.(diagnostics);
    } else if (message.method && message.id !== undefined) {
      const wanted = message.params?.items ?? [];
      const settings = wanted.map((item) => this.settings[item.section] ?? {});
      this.send({ id: message.id, result: message.method === "workspace/configuration" ? settings : null });
    } else if (message.id !== undefined) {
      const answer = this.asked.get(message.id);
      this.asked.delete(message.id);
      if (message.error) answer.reject(new Error(message.error.message));
      else answer.resolve(message.result);
    }
  }

  send(message) {
    const text = JSON.stringify({ jsonrpc: "2.0", ...message });
    this.process.stdin.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
  }

  ask(method, params) {
    const id = ++this.number;
    const answer = new Promise((resolve, reject) => this.asked.set(id, { resolve, reject }));
    this.send({ id, method, params });
    return answer;
  }

  tell(method, params) {
    this.send({ method, params });
  }

  // Opens a document; gives its address and what is found in it.
  async open(name, text) {
    const uri = pathToFileURL(join(folder, name)).href;
    const found = new Promise((resolve) => this.diagnosed.set(uri, resolve));
    this.tell("textDocument/didOpen", { textDocument: { uri, languageId: "yaml", version: 1, text } });
    return { uri, found: await found };
  }

  // `text` with `|` where the cursor is; `ask` is the method.
  async at(name, text, ask) {
    const before = text.slice(0, text.indexOf("|"));
    const { uri } = await this.open(name, text.replace("|", ""));
    const line = before.split("\n").length - 1;
    const character = before.length - before.lastIndexOf("\n") - 1;
    return this.ask(ask, { textDocument: { uri }, position: { line, character } });
  }

  async complete(name, text) {
    const answer = await this.at(name, text, "textDocument/completion");
    return (answer.items ?? answer).map((item) => item.label);
  }

  async hover(name, text) {
    const answer = await this.at(name, text, "textDocument/hover");
    return answer?.contents?.value ?? "";
  }
}

let server;
let folder;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "casewright-editor-"));
  const schema = join(folder, "workflow.schema.json");
  writeFileSync(schema, execFileSync(binary, ["schema", "--pack", pack], { cwd: root }));
  server = new Server();
  await server.ask("initialize", {
    processId: process.pid,
    rootUri: pathToFileURL(folder).href,
    capabilities: { textDocument: { hover: { contentFormat: ["markdown"] } } },
  });
  server.tell("initialized", {});
  const yaml = {
    schemas: { [pathToFileURL(schema).href]: "*.yaml" },
    validate: true,
    completion: true,
    hover: true,
    schemaStore: { enable: false },
  };
  server.settings = { yaml };
  server.tell("workspace/didChangeConfiguration", { settings: { yaml } });
});

after(() => {
  server?.process.kill();
  rmSync(folder, { recursive: true, force: true });
});

const HEAD = "document: { dsl: '1.0.3', namespace: family-services, name: it, version: '1.0.0' }\ndo:\n";

test("nothing is found in the sample workflows", async () => {
  const names = readdirSync(pack).filter((name) => name.endsWith(".yaml") && name !== "pack.yaml");
  assert.ok(names.length > 5);
  for (const name of names) {
    const { found } = await server.open(name, readFileSync(join(pack, name), "utf8"));
    assert.deepEqual(found.map((one) => `${name}:${one.range.start.line + 1} ${one.message}`), []);
  }
});

test("functions of the engine and of plugins are offered", async () => {
  const offered = await server.complete("call.yaml", `${HEAD}  - pay:\n      call: |\n`);
  for (const name of ["human-task", "approval", "fund.reserve", "payment-issue.pay"]) {
    assert.ok(offered.includes(name), `${name} in ${offered}`);
  }
});

test("the keys of a task are offered, and those of its kind", async () => {
  const offered = await server.complete("key.yaml", `${HEAD}  - ask:\n      |\n`);
  for (const key of ["call", "listen", "switch", "then"]) assert.ok(offered.includes(key), `${key} in ${offered}`);
  const asked = `${HEAD}  - ask:\n      call: approval\n      with:\n        title: Look\n        |\n`;
  const arguments_ = await server.complete("with.yaml", asked);
  for (const key of ["assign", "due", "rules", "form"]) assert.ok(arguments_.includes(key), `${key} in ${arguments_}`);
});

test("forms, roles and funds of the pack are offered", async () => {
  const human = `${HEAD}  - ask:\n      call: human-task\n      with:\n        title: Look\n`;
  const forms = await server.complete("form.yaml", `${human}        form: |\n`);
  assert.ok(forms.includes("brokerage-request"), forms.join());
  const roles = await server.complete("role.yaml", `${human}        assign:\n          role: |\n`);
  assert.ok(roles.includes("team-leader"), roles.join());
  const fund = `${HEAD}  - keep:\n      call: fund.reserve\n      with:\n        fund: |\n`;
  const funds = await server.complete("fund.yaml", fund);
  assert.ok(funds.includes("qld-fs-2026"), funds.join());
});

test("arguments of a plugin's function are offered and explained", async () => {
  const pay = `${HEAD}  - pay:\n      call: payment-issue.pay\n      with:\n        |\n`;
  const offered = await server.complete("plugin.yaml", pay);
  const schema = JSON.parse(readFileSync(join(folder, "workflow.schema.json"), "utf8"));
  const known = Object.keys(schema.definitions["function-payment-issue.pay"].properties);
  assert.ok(known.length > 1);
  for (const name of known) assert.ok(offered.includes(name), `${name} in ${offered}`);
});

test("what a key is for is shown under the pointer", async () => {
  const text = `${HEAD}  - ask:\n      call: approval\n      with:\n        title: Look\n        assign: { role: team-leader }\n        d|ue: 3 business days\n`;
  assert.match(await server.hover("hover.yaml", text), /By when/);
});

test("a new agency has its own names beside its workflow", async () => {
  execFileSync(binary, ["init", join(folder, "north-team")]);
  const name = "north-team/pack/ask-for-help.yaml";
  const text = readFileSync(join(folder, name), "utf8");
  assert.deepEqual((await server.open(name, text)).found, []);
  const forms = await server.complete("north-team/pack/more.yaml", text.replace("form: request", "form: |"));
  assert.ok(forms.includes("request") && !forms.includes("brokerage-request"), forms.join());
});

// What an author gets wrong, the line that is marked, and a word of what is said.
const MISTAKES = [
  ["a misspelt key", "  - a:\n      cal: human-task\n", 4, /cal/],
  ["a misspelt root", "  - a: { set: { b: 1 } }\nschedul: { cron: 0 8 * * * }\n", 4, /schedul/],
  ["nobody asked", "  - a:\n      call: human-task\n      with:\n        title: Look\n", 5, /assign/],
  ["a form that is not there", "  - a:\n      call: human-task\n      with:\n        title: Look\n        assign: { role: team-leader }\n        form: brokerage-reqest\n", 8, /brokerage-request/],
  ["a role that is not there", "  - a:\n      call: human-task\n      with:\n        title: Look\n        assign: { role: teamleader }\n", 7, /team-leader/],
  ["a duration in words", "  - a:\n      wait: 3 days\n", 4, /PT30S/],
  ["money with a point", "  - a:\n      call: fund.reserve\n      with: { fund: brokerage, money: 12.50 }\n", 5, /./],
  ["an argument of the wrong kind", "  - a:\n      call: payment-issue.pay\n      with: { money: many }\n", 5, /./],
  ["a case without a way", "  - a:\n      switch:\n        - b: { when: .x }\n", 5, /then/],
  ["two kinds of who", "  - a:\n      call: human-task\n      with:\n        title: Look\n        assign: { role: team-leader, team: north }\n", 7, /./],
];

for (const [what, tasks, line, words] of MISTAKES) {
  test(`it is marked where it stands: ${what}`, async () => {
    const { found } = await server.open(`${what.replaceAll(" ", "-")}.yaml`, HEAD + tasks);
    const told = found.map((one) => `${one.range.start.line + 1}: ${one.message}`).join("\n");
    const marked = found.some((one) => one.range.start.line + 1 === line && words.test(one.message));
    assert.ok(marked, `line ${line} ${words}\n${told}`);
  });
}
