// Workflows, forms, packs and tests as an author sees them in an editor: the language server that editors use for YAML,
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
  const schema = (kind) => {
    const file = join(folder, `${kind}.schema.json`);
    writeFileSync(file, execFileSync(binary, ["schema", "--kind", kind, "--pack", pack], { cwd: root }));
    return pathToFileURL(file).href;
  };
  // Files of these kinds name their schema in their first line, as those of a new agency do.
  for (const kind of ["form", "pack", "test"]) schema(kind);
  server = new Server();
  await server.ask("initialize", {
    processId: process.pid,
    rootUri: pathToFileURL(folder).href,
    capabilities: { textDocument: { hover: { contentFormat: ["markdown"] } } },
  });
  server.tell("initialized", {});
  const yaml = {
    schemas: { [schema("workflow")]: "*.yaml" },
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

// The text with a first line that names the schema of its folder's kind.
function named(name, text) {
  const kind = { forms: "../form", tests: "../test" }[name.split("/")[0]] ?? "pack";
  return `# yaml-language-server: $schema=${kind}.schema.json\n${text}`;
}

test("nothing is found in the sample pack, its forms and its tests", async () => {
  const of = (name) => readdirSync(join(pack, name)).map((file) => `${name}/${file}`);
  const names = ["pack.yaml", ...of("forms"), ...of("tests")];
  assert.ok(names.length > 40);
  for (const name of names) {
    const { found } = await server.open(name, named(name, readFileSync(join(pack, name), "utf8")));
    assert.deepEqual(found.map((one) => `${name}:${one.range.start.line + 1} ${one.message}`), []);
  }
});

// What stands in a file of each kind up to the cursor, and what must be offered there.
const OFFERED = [
  ["a pack's keys", "pack-a.yaml", "namespace: a\n|\n", ["timeZone", "funds", "caseNumber"]],
  ["a pack's roles", "pack-b.yaml", "policies:\n  a:\n    - role: |\n", ["team-leader"]],
  ["installed plugins", "pack-c.yaml", "plugins:\n  |\n", ["payment-issue", "evidence-check"]],
  ["a form's keys", "forms/a.yaml", "title: A\n|\n", ["schema", "layout"]],
  ["keywords of a field", "forms/b.yaml", "title: A\nschema:\n  type: object\n  properties:\n    a:\n      |\n", ["type", "title", "maxLength", "format"]],
  ["controls", "forms/c.yaml", "title: A\nlayout:\n  - field: a\n    control: |\n", ["long", "radio", "yes-no"]],
  ["keys of a test", "tests/a.test.yaml", "tests:\n  - test: A\n    |\n", ["steps", "people", "plugins"]],
  ["words of a step", "tests/b.test.yaml", "tests:\n  - test: A\n    steps:\n      - |\n", ["start", "complete", "ended"]],
  ["workflows", "tests/c.test.yaml", "workflow: |\n", ["brokerage"]],
  ["roles of people", "tests/d.test.yaml", "people:\n  casey: |\n", ["case-worker", "team-leader"]],
  ["functions that answer", "tests/e.test.yaml", "plugins:\n  |\n", ["payment-issue.pay"]],
  ["codes of refusals", "tests/f.test.yaml", "tests:\n  - test: A\n    steps:\n      - complete: decision\n        refused: |\n", ["self-approval", "over-limit"]],
];

for (const [what, name, text, wanted] of OFFERED) {
  test(`it is offered: ${what}`, async () => {
    const offered = await server.complete(name, named(name, text));
    for (const one of wanted) assert.ok(offered.includes(one), `${one} in ${offered}`);
  });
}

// What a key is for, in a file of each kind.
const EXPLAINED = [
  ["forms/h.yaml", "title: A\nlayout:\n  - field: a\n    h|int: Look\n", /line of help/],
  ["tests/h.test.yaml", "tests:\n  - test: A\n    steps:\n      - { complete: a, as: b, ref|used: self-approval }\n", /refused, with this code/],
  ["pack-h.yaml", "roles:\n  a:\n    title: A\n    st|arts: true\n", /start workflows/],
];

for (const [name, text, words] of EXPLAINED) {
  test(`what a key is for is shown in ${name}`, async () => {
    assert.match(await server.hover(name, named(name, text)), words);
  });
}

// What an author gets wrong in them, the line that is marked, and a word of what is said.
const ELSEWHERE = [
  ["a keyword that does not exist", "forms/m.yaml", "title: A\nschema:\n  type: object\n  properties:\n    a: { type: string, maxLenght: 3 }\n", 5, /maxLenght/],
  ["a control that does not exist", "forms/n.yaml", "title: A\nschema: { type: object, properties: {} }\nlayout:\n  - { field: a, control: lon }\n", 4, /long/],
  ["a role nobody has", "tests/m.test.yaml", "people:\n  casey: case-wroker\ntests: []\n", 2, /case-worker/],
  ["a word that a step does not know", "tests/n.test.yaml", "tests:\n  - test: A\n    steps:\n      - { claim: a, as: b, data: {} }\n", 4, /"as"/],
  ["a day that is none", "tests/o.test.yaml", "begins: tomorrow\ntests: []\n", 1, /2026-11-25/],
  ["a misspelt key of a pack", "pack-m.yaml", "namespace: a\ntitle: A\ntimeZone: UTC\ncaseNumbr: A-{number}\n", 4, /caseNumbr/],
];

for (const [what, name, text, line, words] of ELSEWHERE) {
  test(`it is marked where it stands: ${what}`, async () => {
    const { found } = await server.open(name, named(name, text));
    const told = found.map((one) => `${one.range.start.line}: ${one.message}`).join("\n");
    const marked = found.some((one) => one.range.start.line === line && words.test(one.message));
    assert.ok(marked, `line ${line} ${words}\n${told}`);
  });
}

test("a new agency has its own names beside its workflow", async () => {
  execFileSync(binary, ["init", join(folder, "north-team")]);
  for (const name of ["pack.yaml", "forms/request.yaml", "tests/ask-for-help.test.yaml"]) {
    const text = readFileSync(join(folder, "north-team/pack", name), "utf8");
    assert.deepEqual((await server.open(`north-team/pack/${name}`, text)).found, []);
  }
  const people = "# yaml-language-server: $schema=../test.schema.json\nworkflow: |\n";
  const workflows = await server.complete("north-team/pack/tests/more.test.yaml", people);
  assert.ok(workflows.includes("ask-for-help") && !workflows.includes("brokerage"), workflows.join());
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
