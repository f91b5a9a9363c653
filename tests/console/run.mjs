// The console in a real browser: the brokerage story from the request to the payment, every page in
// every state checked by axe, with a script and without one, wide and narrow.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { openBrowser, signIn } from "./lib/browser.mjs";
import { check, checked, pictureAt } from "./lib/checks.mjs";
import { addParent, agreeToRegister } from "./lib/consent.mjs";
import { openEngine } from "./lib/engine.mjs";
import {
  caseOf, fillQuote, fillRequest, finish, openDecision, openTask, startBrokerage, take, until,
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

async function ask(options) {
  const worker = await enter("case-worker", options);
  await startBrokerage(worker);
  await take(worker);
  await fillRequest(worker);
  await finish(worker);
  return { worker, file: await caseOf(worker) };
}

test("a request is asked for, decided by somebody else, paid and told", async () => {
  const worker = await enter("case-worker");
  await check(worker, "queue");
  await worker.page.goto("/tasks?view=mine");
  await check(worker, "queue-mine");
  await worker.page.goto("/start");
  await check(worker, "start-list");
  await worker.page.getByRole("link", { name: /Brokerage/ }).click();
  await check(worker, "start");
  await startBrokerage(worker);
  await check(worker, "task-open");
  await take(worker);
  await check(worker, "request-empty");

  // What is missing is said first, in the title and where the focus is; a link leads to the field.
  const { page } = worker;
  await page.getByRole("button", { name: "Save and finish" }).click();
  await page.getByRole("heading", { name: "There is a problem" }).waitFor();
  assert.match(await page.title(), /^Error: /);
  const focused = () => page.evaluate(() => document.activeElement.className || document.activeElement.id);
  assert.equal(await focused(), "errors");
  await check(worker, "request-errors");
  await page.locator(".errors a").nth(1).click();
  assert.equal(await focused(), "f-item");

  await fillRequest(worker, "1,300.00");
  await page.getByRole("button", { name: /^Add another.*Quotes/ }).click();
  await page.getByRole("group", { name: "Quotes, number 2" }).last().waitFor();
  assert.equal(await page.getByLabel("What will be bought?").inputValue(), "Car seat and a bed");
  await fillQuote(worker, 2, "Another Shop", "1450");
  await check(worker, "request-filled");
  await finish(worker);
  await check(worker, "request-sent");
  const file = await caseOf(worker);

  await openDecision(worker, file);
  await page.getByRole("heading", { name: "You cannot decide this" }).waitFor();
  assert.equal(await page.getByRole("button", { name: /Take|Approve|Decline/ }).count(), 0);
  await check(worker, "decision-barred");

  const leader = await enter("team-leader");
  await leader.page.goto("/tasks");
  const row = leader.page.getByRole("row", { name: file.number });
  assert.match(await row.innerText(), /\b\d{1,2} \w{3} \d{4}\b/);
  await check(leader, "queue-leader");
  await openDecision(leader, file);
  const shown = await leader.page.locator("main").innerText();
  for (const text of ["$1,300.00", "Budget left", "Ridgeview Furniture", worker.person.name]) {
    assert.ok(shown.includes(text), `${text} is missing in ${shown}`);
  }
  await check(leader, "decision-open");
  await take(leader);
  await check(leader, "decision");
  await pictureAt(leader, "decision-narrow", 320);
  await leader.page.getByRole("button", { name: "Decline" }).click();
  await leader.page.getByRole("link", { name: "Enter a reason to decline" }).waitFor();
  await check(leader, "decision-errors");

  // Two quick clicks are one answer.
  await leader.page.getByLabel("Reason").fill("Agreed with the plan");
  await leader.page.getByRole("button", { name: "Approve" }).dblclick();
  await leader.page.getByText("This task is closed").waitFor();
  await check(leader, "decision-made");

  await until(leader.page, file.path, () => leader.page.getByText("Money was paid out"));
  await leader.page.getByRole("link", { name: "Brokerage request, approval and payment" }).click();
  await leader.page.getByRole("region", { name: "The way it goes" }).waitFor();
  const drawn = await leader.page.locator("svg.picture").textContent();
  for (const text of ["Start", "Decision", "Team leader", "Done", "End"]) {
    assert.ok(drawn.includes(text), `${text} is missing in ${drawn}`);
  }
  const pay = leader.page.getByRole("row", { name: /^Pay: Send/ });
  assert.match(await pay.innerText(), /Done/);
  await check(leader, "instance-picture");
  await leader.page.goBack();

  const told = await leader.page.locator("#timeline ~ ol").allInnerTexts();
  const timeline = told.join("\n");
  for (const text of [
    `${worker.person.name} started “`,
    `${leader.person.name} approved “Brokerage of $1,300.00`,
    "Agreed with the plan",
    "Money was set aside",
    "Money was paid out",
    "came to its end.",
  ]) {
    assert.ok(timeline.includes(text), `${text} is missing in ${timeline}`);
  }
  assert.equal(timeline.split(`${leader.person.name} approved`).length, 2);
  assert.equal(timeline.split("Money was paid out").length, 2);
  await check(leader, "case");
  await leader.page.getByRole("link", { name: "Show every step and who looked at this case" }).click();
  await leader.page.getByText("“Payment issue: pay” was done.").waitFor();
  await check(leader, "case-readings");
  await leader.page.goto("/cases");
  await check(leader, "cases");
  await leader.page.emulateMedia({ media: "print" });
  await leader.page.goto(file.path);
  await leader.page.getByText(`Printed`).waitFor();
  await pictureAt(leader, "case-print", 800);
  await worker.context.close();
  await leader.context.close();
});

test("an application for a home is filled, sent, and its answer awaited", async () => {
  const worker = await enter("case-worker");
  const { page } = worker;
  await page.goto("/start");
  await page.getByRole("link", { name: /Application for a home/ }).click();
  await page.getByRole("button", { name: "Start" }).click();
  await take(worker);
  const file = await caseOf(worker);
  await addParent(worker, file);
  await agreeToRegister(worker, file);
  await openTask(worker, file, "Fill the application for a home");
  await check(worker, "housing-empty");
  await page.getByRole("button", { name: "Save and finish" }).click();
  await page.getByRole("heading", { name: "There is a problem" }).waitFor();
  await check(worker, "housing-errors");
  const who = page.getByRole("group", { name: /Who would live there.*number 1/ }).last();
  await who.getByLabel("Applicant", { exact: true }).check();
  await page.getByLabel("Suburb").fill("Logan Central");
  await page.getByLabel("How many bedrooms do they need?").fill("3");
  await page.getByRole("group", { name: /leaving violence/ }).getByLabel("No").check();
  const choose = (label, option) => page.getByLabel(label).selectOption({ label: option });
  await choose("What is the first reason, beyond money?", "The family has no home");
  await choose("What is the second reason, beyond money?", "Somebody's health");
  await page.getByLabel("Income of the household in a week, before tax").fill("680");
  await finish(worker);
  await until(page, file.path, () => page.getByText(/Waits for an answer/).first());
  await check(worker, "case-waiting-for-partner");
  await worker.context.close();
});

test("services are looked up, and shown with the reasons", async () => {
  const worker = await enter("case-worker");
  const { page } = worker;
  await page.goto("/start");
  await page.getByRole("link", { name: /Look for a service/ }).click();
  await page.getByRole("button", { name: "Start" }).click();
  await take(worker);
  await check(worker, "service-need");
  await page.getByLabel("What kind of help is it?").selectOption({ label: "A home" });
  await page.getByLabel("Where does the family live?").fill("4114");
  await finish(worker);
  const file = await caseOf(worker);
  const link = () => page.getByRole("link", { name: /Look at these services/ });
  await until(page, file.path, link);
  await link().click();
  await page.getByText("Ridgeview Tenancy Sustainment (Ridgeview Housing Inc): can help").waitFor();
  await page.getByText("telephone 07 5550 0100, its address is secret").waitFor();
  await check(worker, "services-found");
  await worker.context.close();
});

test("people and notes are kept with the case, an address only shown to who asks", async () => {
  const { worker, file } = await ask();
  const { page } = worker;
  await page.goto(file.path);
  await page.getByRole("link", { name: "Add a person" }).click();
  await check(worker, "person-empty");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("heading", { name: "There is a problem" }).waitFor();
  await check(worker, "person-errors");
  await page.getByLabel("Name", { exact: true }).fill("Mai Nguyen");
  await page.getByLabel("What this person is to the case").selectOption("parent");
  await page.getByLabel("Is it safe to contact this person?").selectOption("safe");
  await page.getByLabel("How and when it is safe (optional)").fill("Mornings, ring twice");
  await page.getByLabel("Address (optional)").fill("1 Hidden Lane");
  await page.getByLabel(/^Confidential/).check();
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("The person was saved.").waitFor();
  assert.ok(!(await page.content()).includes("Hidden Lane"));
  await check(worker, "case-people");
  await pictureAt(worker, "case-people-narrow", 320);
  await page.getByRole("button", { name: /^Show the confidential address/ }).click();
  await page.getByText("1 Hidden Lane").waitFor();
  await check(worker, "address");
  await page.goto(file.path);
  await page.getByRole("link", { name: "Mai Nguyen", exact: true }).click();
  await page.getByText("Leave this empty to keep it").waitFor();
  await check(worker, "person");

  await page.goto(file.path);
  await page.getByLabel("What you want to note").fill("Spoke with the school.\nThey agree.");
  await page.getByRole("button", { name: "Save the note" }).click();
  await page.getByText("Your note was saved.").waitFor();
  await page.getByRole("blockquote").getByText("Spoke with the school.").waitFor();
  await check(worker, "case-note");
  await worker.context.close();
});

test("a quote is kept with the case and comes back as a file", async () => {
  const { worker, file } = await ask();
  const { page } = worker;
  await page.goto(file.path);
  await page.getByRole("link", { name: "Add a document" }).click();
  await check(worker, "document-empty");
  await page.getByRole("button", { name: "Add the document" }).click();
  await page.getByRole("heading", { name: "There is a problem" }).waitFor();
  await check(worker, "document-errors");
  const send = async (name, buffer) => {
    await page.getByLabel("What the document is").selectOption({ label: "Quote" });
    await page.getByLabel("The document", { exact: true }).setInputFiles({ name, mimeType: "application/pdf", buffer });
    await page.getByRole("button", { name: "Add the document" }).click();
  };
  // Eleven million bytes: refused, and told why, though nobody reads them to the end.
  await send("large.pdf", Buffer.concat([Buffer.from("%PDF-1.7\n"), Buffer.alloc(11_000_000)]));
  await page.getByRole("link", { name: "Choose a document of at most 10 MB" }).waitFor();
  const content = Buffer.concat([Buffer.from("%PDF-1.7\n"), Buffer.alloc(300_000, "quote ")]);
  await send("Quote Ridgeview.pdf", content);
  await page.getByText("The document was saved.").waitFor();
  await check(worker, "case-documents");
  const coming = page.waitForEvent("download");
  await page.getByRole("link", { name: "Quote Ridgeview.pdf" }).click();
  const download = await coming;
  assert.equal(download.suggestedFilename(), "Quote Ridgeview.pdf");
  const pieces = [];
  for await (const piece of await download.createReadStream()) pieces.push(piece);
  assert.ok(Buffer.concat(pieces).equals(content));
  await worker.context.close();
});

test("it all works without a script", async () => {
  const noScript = { javaScriptEnabled: false };
  const { worker, file } = await ask(noScript);
  const leader = await enter("team-leader", noScript);
  await openDecision(leader, file);
  await take(leader);
  await leader.page.getByRole("button", { name: "Ask for changes" }).click();
  await leader.page.getByRole("link", { name: "Enter a reason to ask for changes" }).waitFor();
  await leader.page.getByLabel("Reason").fill("One more quote, please");
  await leader.page.getByRole("button", { name: "Ask for changes" }).click();
  await leader.page.getByText("This task is closed").waitFor();

  // The request comes back to be changed, with what was asked and what was there before.
  await openTask(worker, file, "Ask for brokerage");
  await take(worker);
  assert.match(await worker.page.locator("main").innerText(), /One more quote, please/);
  assert.equal(await worker.page.getByLabel("Amount", { exact: true }).inputValue(), "1300.00");
  await worker.page.getByLabel("Amount", { exact: true }).fill("900");
  await finish(worker);
  await until(leader.page, file.path, () => leader.page.getByText("Brokerage of $900.00").first());
  await leader.page.getByRole("link", { name: "Brokerage of $900.00" }).click();
  await leader.page.getByRole("button", { name: "Take this task" }).waitFor();
  await worker.context.close();
  await leader.context.close();
});

test("two who take it at once: one gets it, the other is told", async () => {
  const { worker, file } = await ask();
  const [leader, manager] = await Promise.all([enter("team-leader"), enter("service-manager")]);
  await Promise.all([openDecision(leader, file), openDecision(manager, file)]);
  const click = ({ page }) => page.getByRole("button", { name: "Take this task" }).click();
  await Promise.all([click(leader), click(manager)]);
  const outcomes = await Promise.all([leader, manager].map(async (window) => {
    const { page } = window;
    const mine = page.getByRole("heading", { name: "Your decision" });
    const late = page.getByRole("alert").getByRole("heading", { name: "Somebody else has this task" });
    await mine.or(late).first().waitFor();
    if (await mine.count()) return "mine";
    await check(window, "task-taken");
    return "late";
  }));
  assert.deepEqual(outcomes.sort(), ["late", "mine"]);
  for (const window of [worker, leader, manager]) await window.context.close();
});

test("an answer to what was decided meanwhile loses nothing that was typed", async () => {
  const { worker, file } = await ask();
  const leader = await enter("team-leader");
  await openDecision(leader, file);
  await take(leader);
  const other = await leader.context.newPage();
  await other.goto(leader.page.url());
  await other.getByLabel("Reason").fill("Written in the other window");
  await leader.page.getByRole("button", { name: "Approve" }).click();
  await leader.page.getByText("This task is closed").waitFor();
  await other.getByRole("button", { name: "Decline" }).click();
  await other.getByRole("alert").getByText("This has been decided").waitFor();
  assert.match(await other.locator("main").innerText(), /Written in the other window/);
  await check({ ...leader, page: other }, "decided-meanwhile");
  await worker.context.close();
  await leader.context.close();
});

test("what was typed is kept on the server, by the button and by the script", async () => {
  const plain = await enter("case-worker", { javaScriptEnabled: false });
  await startBrokerage(plain);
  await take(plain);
  await plain.page.getByLabel("What will be bought?").fill("A half-written wish");
  await plain.page.getByLabel("Amount", { exact: true }).fill("about 30");
  await plain.page.getByRole("button", { name: "Save and come back later" }).click();
  await plain.page.getByText("Your draft is saved.").waitFor();
  const address = plain.page.url();
  await plain.context.close();

  // A new sign-in, with a script: what is typed is kept without a button, and shown again.
  const worker = await enter("case-worker");
  const { page } = worker;
  await page.goto(address);
  const wish = page.getByLabel("What will be bought?");
  assert.equal(await wish.inputValue(), "A half-written wish");
  assert.equal(await page.getByLabel("Amount", { exact: true }).inputValue(), "about 30");
  await check(worker, "draft-shown");
  const saved = page.waitForResponse((answer) => answer.url().endsWith("/draft"));
  await wish.fill("A bed");
  await wish.blur();
  assert.equal((await saved).status(), 200);
  await page.locator("#draft", { hasText: "Draft saved" }).waitFor();
  assert.equal(await wish.inputValue(), "A bed");
  const other = await worker.context.newPage();
  await other.goto(address);
  assert.equal(await other.getByLabel("What will be bought?").inputValue(), "A bed");
  await other.close();
  await fillRequest(worker);
  await finish(worker);
  await worker.context.close();
});

test("a task waits with a reason, and the queue can be narrowed to what counts", async () => {
  const worker = await enter("case-worker");
  const { page } = worker;
  await startBrokerage(worker);
  await take(worker);
  const address = page.url();
  await page.getByText("Put this task on hold").click();
  await check(worker, "hold-form");
  await page.getByRole("button", { name: "Put on hold" }).click();
  await page.getByRole("heading", { name: "This task was not put on hold" }).waitFor();
  await check(worker, "hold-refused");
  await page.getByText("Put this task on hold").click();
  await page.getByLabel("What does it wait for?").fill("The family is away");
  await page.getByRole("button", { name: "Put on hold" }).click();
  await page.getByRole("heading", { name: "You have put this task on hold" }).waitFor();
  await check(worker, "on-hold");

  const here = page.locator(`a[href="${new URL(address).pathname}"]`);
  await page.goto("/tasks?mine=1");
  const row = page.getByRole("row").filter({ has: here });
  assert.match(await row.innerText(), /On hold/);
  await check(worker, "queue-on-hold");
  await page.getByLabel("Overdue only").check();
  await page.getByRole("button", { name: "Show", exact: true }).click();
  await page.waitForURL(/overdue=yes/);
  assert.match(page.url(), /view=mine/);
  assert.equal(await here.count(), 0);
  assert.ok(await page.getByLabel("Overdue only").isChecked());
  await check(worker, "queue-overdue");

  await page.goto(address);
  await page.getByRole("button", { name: "Take it off hold" }).click();
  await page.getByRole("button", { name: "Save and finish" }).waitFor();
  await page.goto((await caseOf(worker)).path);
  const timeline = await page.locator("#timeline ~ ol").allInnerTexts();
  assert.match(timeline.join("\n"), /put “Ask for brokerage” on hold/);
  assert.match(timeline.join("\n"), /The family is away/);
  await worker.context.close();
});

test("the keyboard is enough, and the focus is always seen", async () => {
  const leader = await enter("team-leader");
  const { page } = leader;
  await page.goto("/tasks");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to the main part");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "main");
  await page.goto("/tasks");
  const stops = await page.locator("a[href], button, select, input:not([type=hidden])").count();
  for (let stop = 0; stop < stops; stop += 1) {
    await page.keyboard.press("Tab");
    const outline = await page.evaluate(() => {
      const style = getComputedStyle(document.activeElement);
      return [document.activeElement.tagName, style.outlineStyle, parseFloat(style.outlineWidth)];
    });
    assert.ok(outline[1] === "solid" && outline[2] >= 2, `focus is not seen on ${outline}`);
  }
  await leader.context.close();
});

test("pages outside the story are checked as well", async () => {
  const worker = await enter("case-worker");
  const { page } = worker;
  for (const [path, name] of [["/nowhere", "not-found"], ["/tasks/none", "task-not-found"]]) {
    const answer = await page.goto(path);
    assert.equal(answer.status(), 404);
    await check(worker, name);
  }
  await page.goto("/tasks");
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("heading", { level: 1, name: "Sign in" }).waitFor();
  await check(worker, "sign-in");
  await page.getByLabel("Name").fill("casey");
  await page.getByLabel("Passphrase").fill("wrong");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "There is a problem" }).waitFor();
  await check(worker, "sign-in-errors");
  await page.goto("/tasks");
  await page.getByRole("heading", { level: 1, name: "Sign in" }).waitFor();
  await worker.context.close();
});

test("every page was checked", () => {
  const names = checked();
  assert.ok(names.length >= 28, names.join(", "));
});
