// Answers a form as people do: by the questions that are read on it and the choices beneath them.

import assert from "node:assert/strict";

// A day from today, as forms take it; in agencies ahead of this clock it may be a day off.
export function day(fromToday) {
  return new Date(Date.now() + fromToday * 86_400_000).toISOString().slice(0, 10);
}

// `answers` by question: a text or choice, several choices, or several rows of answers.
export async function answer(scope, answers) {
  for (const [question, given] of Object.entries(answers)) await answerOne(scope, question, given);
}

async function answerOne(scope, question, given) {
  const name = named(question);
  if (Array.isArray(given) && typeof given[0] === "object") {
    await answerRows(scope, question, given);
    return;
  }
  const group = scope.getByRole("group", { name });
  if (await group.count()) {
    for (const choice of [given].flat()) await group.getByLabel(choice, { exact: true }).check();
    return;
  }
  const field = scope.getByLabel(name);
  const kind = await field.evaluate((element) => element.tagName);
  if (kind === "SELECT") await field.selectOption({ label: given });
  else await field.fill(given);
}

// The form has these answers already; those of texts and single and several choices.
export async function holds(scope, answers) {
  for (const [question, given] of Object.entries(answers)) {
    const name = named(question);
    const group = scope.getByRole("group", { name });
    if (!await group.count()) {
      assert.equal(await scope.getByLabel(name).evaluate(shown), given, question);
      continue;
    }
    const ticked = group.locator("input:checked + label");
    assert.deepEqual(await ticked.allInnerTexts(), [given].flat(), question);
  }
}

// In a list to choose from, what is read there.
function shown(field) {
  return field.tagName === "SELECT" ? field.selectedOptions[0].text : field.value;
}

async function answerRows(page, question, rows) {
  for (const [index, answers] of rows.entries()) {
    const row = page.getByRole("group", { name: `${question}, number ${index + 1}`, exact: true });
    if (!await row.count()) {
      const all = page.getByRole("group", { name: named(question) });
      await all.getByRole("button", { name: /^Add another/ }).click();
      await row.waitFor();
    }
    await answer(row, answers);
  }
}

function named(question) {
  return new RegExp(`^${question.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}( \\(optional\\))?$`);
}
