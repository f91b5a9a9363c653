// The steps of the brokerage story, as people take them: by labels, buttons and links.

import assert from "node:assert/strict";

import { answer } from "./answers.mjs";

export const request = {
  item: "Car seat and a bed",
  why: "Goal 2: the children sleep and travel safely",
  supplier: "Ridgeview Furniture",
  account: "sec:pay/ridgeview",
  amount: "1300",
};

export async function startBrokerage({ page }) {
  await page.getByRole("link", { name: "Start something" }).first().click();
  await page.getByRole("link", { name: /Brokerage/ }).click();
  await page.getByRole("button", { name: "Start" }).click();
  await page.getByRole("button", { name: "Take this task" }).waitFor();
}

export async function take({ page }) {
  await page.getByRole("button", { name: "Take this task" }).click();
  await page.getByText("You have taken this task").waitFor();
}

export async function fillRequest({ page }, amount = request.amount) {
  await page.getByLabel("Things for the children").check();
  await page.getByLabel("What will be bought?").fill(request.item);
  await page.getByLabel("How does it help with a goal of the plan?").fill(request.why);
  await page.getByRole("group", { name: /Is this goal active/ }).getByLabel("Yes").check();
  const asked = page.getByRole("group", { name: "What other sources did you ask first?, number 1" }).last();
  await answer(asked, { "Who was asked?": "A charity", "What did they answer?": "They would, but too late" });
  await answer(page, { "What does the family give?": "They cannot pay anything" });
  await page.getByLabel("Name of the supplier").fill(request.supplier);
  await page.getByLabel("Account of the supplier").fill(request.account);
  await page.getByLabel("Amount", { exact: true }).fill(amount);
  await answer(page, { "How do things get to the family?": "A worker collects them and brings them" });
  await fillQuote({ page }, 1, "Ridgeview Furniture", amount);
}

export async function fillQuote({ page }, number, supplier, amount) {
  const row = page.getByRole("group", { name: `Quotes, number ${number}` }).last();
  await row.getByLabel("Who gave the quote?").fill(supplier);
  await row.getByLabel("Amount of the quote").fill(amount);
  // Quotes must be recent.
  const date = new Date(Date.now() - 5 * 86_400_000).toISOString().slice(0, 10);
  await row.getByLabel("Date of the quote").fill(date);
}

export async function finish({ page }, outcome = "Save and finish") {
  await page.getByRole("button", { name: outcome, exact: true }).click();
  await page.getByText("This task is closed").waitFor();
}

// The case that a task page belongs to: its number and address.
export async function caseOf({ page }) {
  const link = page.getByRole("link", { name: /^Case / });
  return { number: (await link.innerText()).replace("Case ", ""), path: await link.getAttribute("href") };
}

// Opens the decision of a case; it comes up when the checks before it are through.
export async function openDecision(window, file) {
  await openTask(window, file, /^Brokerage of /);
}

// Opens a task from the page of its case, once it stands there.
export async function openTask({ page }, { path }, name) {
  // Finished ones stand on the same page, further down.
  const open = page.getByRole("region", { name: "What has to be done" });
  const link = () => open.getByRole("link", { name });
  await until(page, path, link);
  await link().click();
  await page.getByRole("heading", { level: 1, name }).waitFor();
}

// Loads a page again and again until it shows something; each look is a request, none is a guess.
export async function until(page, path, place) {
  const end = Date.now() + 30_000;
  while (Date.now() < end) {
    await page.goto(path);
    if (await place().count()) return;
  }
  assert.fail(`${path} did not come to show it: ${await page.locator("main").innerText()}`);
}
