// Consent on the page of a person, as a case worker writes it down.

import { answer, day } from "./answers.mjs";
import { check } from "./checks.mjs";

const registerConsent = {
  "For what": ["Finding a home"],
  "To whom": ["The housing register"],
  "Which facts, in the words that were used": "Who lives with us, when we were born, what we earn",
  "How it was given": "Spoken",
  "Last day on which it holds": day(90),
};

// Whoever agrees to something is a person of the case first.
export async function addParent({ page }, file) {
  await page.goto(file.path);
  await page.getByRole("link", { name: "Add a person" }).click();
  await page.getByLabel("Name", { exact: true }).fill("Mai Nguyen");
  await page.getByLabel("What this person is to the case").selectOption("parent");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("The person was saved.").waitFor();
}

// Nothing about a family goes to the register before somebody of it has agreed to that.
export async function agreeToRegister(worker, file) {
  const { page } = worker;
  await page.goto(file.path);
  await page.getByRole("link", { name: /^Consent/ }).click();
  await page.getByText("No consent was recorded yet.").waitFor();
  await page.getByRole("button", { name: "Save the consent" }).click();
  await page.getByRole("heading", { name: "There is a problem" }).waitFor();
  await check(worker, "register-consent-errors");
  await answer(page.locator("main"), registerConsent);
  await page.getByRole("button", { name: "Save the consent" }).click();
  await page.getByRole("region", { name: "What was agreed to" }).getByRole("cell", { name: /^Finding a home/ }).waitFor();
  await check(worker, "register-consent");
}
