// One family in a real browser, all in one case: from the call of a school to the end of the work.
// The case worker and the team leader each do their part and are kept from the other's. The same by
// HTTP, through kills of the server, is in tests/front_door/family.rs.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { answer, holds } from "./lib/answers.mjs";
import { openBrowser, signIn } from "./lib/browser.mjs";
import { check, pictureAt } from "./lib/checks.mjs";
import { addParent, agreeToRegister } from "./lib/consent.mjs";
import { openEngine } from "./lib/engine.mjs";
import * as told from "./lib/family.mjs";
import { caseOf, finish, openTask, take, until } from "./lib/story.mjs";

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

test("one family, from the call of a school to the end of the work", async () => {
  const enter = (role) => signIn(opened.browser, engine, engine.people[role]);
  const [worker, leader] = await Promise.all([enter("case-worker"), enter("team-leader")]);
  const file = await refer(worker);
  await screen(worker, leader, file);
  await agreeToSharing(worker, file);
  await plan(worker, leader, file);
  await buyBeds(worker, leader, file);
  await findHome(worker, file);
  await close(worker, leader, file);
  await readBack(worker, leader, file);
  await worker.context.close();
  await leader.context.close();
});

// Takes the open page's task, answers it and finishes it; pictures it full and after.
async function done(window, name, answers, outcome) {
  await take(window);
  await answer(window.page, answers);
  await check(window, `family-${name}`);
  await finish(window, outcome);
}

async function doTask(window, file, title, name, answers, outcome) {
  await openTask(window, file, title);
  await done(window, name, answers, outcome);
}

// Starts what the page of the case says comes next.
async function goOn({ page }, file, title) {
  const step = () => page.getByRole("link", { name: `Start: ${title}` });
  await until(page, file.path, step);
  await step().click();
  await page.getByText(`In case ${file.number}`).waitFor();
}

async function begin({ page }, file, title) {
  await page.goto(file.path);
  await page.getByRole("link", { name: "Start something in this case" }).click();
  await page.getByRole("link", { name: title }).click();
}

async function barred(window, file, title, name) {
  const { page } = window;
  await openTask(window, file, title);
  await page.getByRole("heading", { name: "You cannot decide this" }).waitFor();
  assert.equal(await page.getByRole("button", { name: /Take|Accept|Approve/ }).count(), 0);
  await check(window, `family-${name}`);
}

async function ended({ page }, file, title) {
  const told = () => page.getByText(`“${title}” came to its end.`);
  await until(page, file.path, told);
}

async function refer(worker) {
  const { page } = worker;
  await page.goto("/start");
  await page.getByRole("link", { name: "Referral or call for help" }).click();
  await page.getByRole("button", { name: "Start" }).click();
  await done(worker, "referral", told.referral);
  await check(worker, "family-referral-written");
  return caseOf(worker);
}

// Whoever wrote the referral down does not decide about it, and is told so.
async function screen(worker, leader, file) {
  const title = /^Decide about the referral/;
  await barred(worker, file, title, "screening-barred");
  await openTask(leader, file, title);
  const shown = await leader.page.locator("main").innerText();
  assert.match(shown, /The older child misses two days of school each week/);
  await done(leader, "screening", told.screening, "Accept");
  await check(leader, "family-screened");
  await ended(worker, file, "Referral or call for help");
  await check(worker, "family-case-accepted");
}

async function agreeToSharing(worker, file) {
  const { page } = worker;
  await page.goto(file.path);
  await page.getByRole("link", { name: "Start something in this case" }).click();
  const heading = `Start something in case ${file.number}`;
  await page.getByRole("heading", { level: 1, name: heading }).waitFor();
  await check(worker, "family-start-list");
  await goOn(worker, file, "Reach the family and ask for consent");
  // What the school told is not typed again: who must not learn of it above all.
  await holds(page, told.engage);
  await check(worker, "family-engage");
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByText("There is somebody who must not learn of it").waitFor();
  await done(worker, "attempt", told.attempt, "Reached");
  const find = "Find an interpreter for the family";
  await doTask(worker, file, find, "interpreter", told.interpreter);
  await doTask(worker, file, /^Explain the service/, "explaining", told.explaining, "Takes part");
  await doTask(worker, file, /^Ask what may be told/, "consent", told.consent);
  await doTask(worker, file, /^Ask how the family may be reached/, "safety", told.safety);
  await ended(worker, file, "Reach the family and ask for consent");
}

// A plan that the family agreed to, and that its writer may not approve.
async function plan(worker, leader, file) {
  const { page } = worker;
  await addParent(worker, file);
  await goOn(worker, file, "The family's plan");
  await check(worker, "family-plan-start");
  await page.getByRole("button", { name: "Send" }).click();
  await done(worker, "assessment", told.assessment);
  await doTask(worker, file, "Write the plan together with the family", "plan", told.plan);
  const agree = /^Ask the family whether they agree/;
  await doTask(worker, file, agree, "agreement", told.agreement, "Agrees");
  const look = /^Look at version 1 of the plan/;
  await barred(worker, file, look, "plan-barred");
  await openTask(leader, file, look);
  const shown = await leader.page.locator("main").innerText();
  assert.match(shown, /A home with a room for the children/);
  await done(leader, "plan-look", told.planLook, "Approve");
  await ended(leader, file, "The family's plan");
  await page.goto(file.path);
  await page.getByRole("link", { name: /^version 1, the family agrees; it is in force/ }).click();
  await page.getByRole("heading", { level: 2, name: "Version 1" }).waitFor();
  await check(worker, "family-plan-versions");
}

async function buyBeds(worker, leader, file) {
  await goOn(worker, file, "Brokerage request, approval and payment");
  await worker.page.getByRole("button", { name: "Start" }).click();
  await done(worker, "brokerage", told.brokerage);
  await doTask(leader, file, /^Brokerage of \$650\.00/, "brokerage-decision", {}, "Approve");
  await until(leader.page, file.path, () => leader.page.getByText("Money was paid out"));
}

// The register decides after the application has come to it; it calls back, or is asked.
async function findHome(worker, file) {
  const { page } = worker;
  await agreeToRegister(worker, file);
  await begin(worker, file, "Application for a home");
  await page.getByRole("button", { name: "Start" }).click();
  await done(worker, "home", told.home);
  await until(page, file.path, () => page.getByText(/Waits for an answer/).first());
  await check(worker, "family-case-waiting");
  const response = await fetch(`${engine.partner}/_ctl/housing`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ state: "registered", needLevel: "high", callbacks: 1 }),
  });
  assert.equal(response.status, 200);
  await openTask(worker, file, "Tell the family what the housing register decided");
  assert.match(await page.locator("main").innerText(), /The family is on the register/);
  await done(worker, "home-decided", {});
  await page.goto(file.path);
  await page.getByRole("link", { name: "what was sent to others" }).click();
  await page.getByText("The housing register").first().waitFor();
  await check(worker, "disclosures");
}

async function close(worker, leader, file) {
  await begin(worker, file, "End the work with a family");
  await worker.page.getByRole("button", { name: "Start" }).click();
  await done(worker, "closure", told.closure);
  const talk = "Talk with the family about ending";
  await doTask(worker, file, talk, "closing-talk", told.closingTalk, "Told");
  const title = /^Approve that the work with the family .* ends/;
  await barred(worker, file, title, "closing-barred");
  await doTask(leader, file, title, "closing-decision", told.closingDecision, "Approve");
  await ended(leader, file, "End the work with a family");
}

// The page of the case tells all of it, the latest first, and nothing is left to be done.
async function readBack(worker, leader, file) {
  const { page } = leader;
  await page.getByText("No open tasks.").waitFor();
  const main = await page.locator("main").innerText();
  assert.match(main, /Closed/);
  assert.match(main, /All goals are reached, or most of them/);
  assert.doesNotMatch(main, /Start something in this case/);
  await readAnswers(leader, file);
  const lines = await page.locator("#timeline ~ ol").allInnerTexts();
  const story = lines.join("\n").split("\n").reverse().join("\n");
  const [casey, lee] = [worker.person.name, leader.person.name];
  let from = 0;
  for (const text of [
    `${casey} opened this case.`,
    `${casey} started “Referral or call for help”.`,
    `${casey} finished “Write down the referral”.`,
    `${lee} finished “Decide about the referral ${file.number}”`,
    "“Referral or call for help” came to its end.",
    `${casey} finished “Ask what may be told, to whom and for what”.`,
    "“Reach the family and ask for consent” came to its end.",
    `${casey} finished “Write the plan together with the family”.`,
    `${casey} finished “Ask the family whether they agree to version 1 of the plan”`,
    `${lee} approved “Look at version 1 of the plan of ${file.number}”.`,
    "“The family's plan” came to its end.",
    `${lee} approved “Brokerage of $650.00`,
    "Money was paid out",
    `${casey} finished “Fill the application for a home”.`,
    `${casey} finished “Tell the family what the housing register decided”.`,
    `${casey} finished “Talk with the family about ending”`,
    `${lee} approved “Approve that the work with the family of ${file.number} ends`,
    "“End the work with a family” came to its end.",
  ]) {
    const at = story.indexOf(text, from);
    assert.ok(at >= 0, `${text} is missing, or not in its place, in ${story}`);
    from = at;
  }
  await check(leader, "family-case");
  await page.getByRole("link", { name: "The family needs help again" }).click();
  await check(leader, "family-start-closed");
  await page.goto(file.path);
  await pictureAt(leader, "family-case-narrow", 320);
}

// The plan and the consents, in the words of their forms.
async function readAnswers(leader, file) {
  const { page } = leader;
  for (const [title, name, texts] of [
    ["Ask what may be told, to whom and for what", "consent-read", ["School, kindergarten or child care", "School mornings"]],
    ["Write the plan together with the family", "plan-read", ["What does the family want?", "Each child sleeps in their own bed"]],
  ]) {
    await page.getByRole("link", { name: title }).first().click();
    await page.getByRole("heading", { level: 1, name: title }).waitFor();
    const shown = await page.locator("main").innerText();
    for (const text of texts) assert.ok(shown.includes(text), `${text} is missing in ${shown}`);
    await check(leader, `family-${name}`);
    await page.getByRole("link", { name: `Back to case ${file.number}` }).click();
    await page.getByRole("heading", { level: 1, name: `Case ${file.number}` }).waitFor();
  }
}
