// A step fails at a partner who is out of order; whoever looks after the runs sees the cause, has the
// run go on, and the supplier is paid once. Every page by axe; the last repair without a script.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { openBrowser, signIn } from "./lib/browser.mjs";
import { check } from "./lib/checks.mjs";
import { openEngine } from "./lib/engine.mjs";
import {
  caseOf, fillRequest, finish, openDecision, startBrokerage, take, until,
} from "./lib/story.mjs";

let engine;
let opened;

before(async () => {
  engine = await openEngine();
  opened = await openBrowser();
});

after(async () => {
  await opened?.close();
  await engine?.stop();
});

function enter(role, options) {
  return signIn(opened.browser, engine, engine.people[role], options);
}

async function refuseNext(nth) {
  const response = await fetch(`${engine.partner}/_ctl/fault`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ path: "/pay/payments", nth, kind: "status:403" }),
  });
  assert.equal(response.status, 204);
}

async function payments() {
  const response = await fetch(`${engine.partner}/_ctl/journal`);
  return (await response.json()).payments.length;
}

test("a failed payment is seen with its cause, tried again, and made once", async () => {
  const before = await payments();
  // The second attempt asks the partner's record first: that is refused as well.
  await refuseNext(1);
  await refuseNext(2);
  const worker = await enter("case-worker");
  await startBrokerage(worker);
  await take(worker);
  await fillRequest(worker);
  await finish(worker);
  const file = await caseOf(worker);
  const leader = await enter("team-leader");
  await openDecision(leader, file);
  await take(leader);
  await leader.page.getByLabel("Reason").fill("Agreed");
  await leader.page.getByRole("button", { name: "Approve" }).click();

  const admin = await enter("administrator");
  const { page } = admin;
  const failed = () => page.getByRole("link", { name: `Case ${file.number}`, exact: true });
  await until(page, "/admin/failures", failed);
  await check(admin, "admin-failures");
  const shown = await page.locator("main").innerText();
  assert.ok(shown.includes("What to do:"), shown);
  assert.ok(!shown.includes("Ridgeview"), "nothing of the family's request is listed");
  await failed().click();
  await page.getByRole("heading", { name: "Why it failed" }).waitFor();
  const address = page.url();
  await check(admin, "admin-run-failed");

  // The partner still refuses: it says that it failed again, not that it is done.
  await page.getByLabel("What was done about the cause").fill("asked them to look");
  await page.getByRole("button", { name: "Try again" }).click();
  await until(page, `${address}?tried=1`, () => page.getByText("failed again"));
  assert.equal(await payments(), before);
  await check(admin, "admin-run-failed-again");

  const plain = await enter("administrator", { javaScriptEnabled: false });
  await plain.page.goto(address);
  await plain.page.getByLabel("What was done about the cause").fill("credential renewed");
  await plain.page.getByRole("button", { name: "Try again" }).click();
  await plain.page.getByText(/It goes on|come to its end/).waitFor();
  await until(page, `${address}?tried=1`, () => page.getByText("come to its end"));
  await check(admin, "admin-run-mended");
  assert.equal(await payments(), before + 1);
  await until(page, "/admin/failures", () => page.getByText("Nothing has failed"));

  await until(leader.page, file.path, () => leader.page.getByText("Money was paid out"));
  const told = (await leader.page.locator("#timeline ~ ol").allInnerTexts()).join("\n");
  assert.ok(told.includes(`${admin.person.name} tried `), told);

  await page.goto("/admin/instances?status=completed");
  await page.getByRole("row", { name: new RegExp(file.number) }).waitFor();
  await check(admin, "admin-runs");
  await page.goto("/admin/schedules");
  await page.getByRole("heading", { name: "What begins by itself" }).waitFor();
  await check(admin, "admin-schedules");

  // Others are not shown the way, and may not go it.
  await worker.page.goto("/tasks");
  assert.equal(await worker.page.getByRole("link", { name: "What failed" }).count(), 0);
  for (const path of ["/admin/failures", "/admin/instances", "/admin/schedules"]) {
    assert.equal((await worker.page.goto(path)).status(), 403, path);
  }
  for (const window of [worker, leader, admin, plain]) await window.context.close();
});
