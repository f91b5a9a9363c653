// What must hold on every page: WCAG 2.2 AA by axe, no sideways scroll at 320 px, plain words.

import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const axeFile = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const axe = await readFile(axeFile, "utf8");
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const BANNED = /\b(instances?|payload|resume|null|undefined)\b|\{"|\[object/i;

const pictures = process.env.CASEWRIGHT_PICTURES
  ?? fileURLToPath(new URL("../../../target/console", import.meta.url));
const seen = new Set();

// Runs axe over the DevTools protocol: the page's own policy lets no foreign script in, and stays.
async function violations(page) {
  const session = await page.context().newCDPSession(page);
  const { frameTree } = await session.send("Page.getFrameTree");
  const { executionContextId } = await session.send("Page.createIsolatedWorld", {
    frameId: frameTree.frame.id,
    worldName: "axe",
  });
  const evaluate = async (expression) => {
    const { result, exceptionDetails } = await session.send("Runtime.evaluate", {
      contextId: executionContextId,
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    assert.equal(exceptionDetails, undefined, JSON.stringify(exceptionDetails));
    return result.value;
  };
  await evaluate(axe);
  const run = `axe.run(document, { runOnly: ${JSON.stringify(TAGS)} }).then((found) => ({
    passes: found.passes.length,
    violations: found.violations.map((one) => ({
      id: one.id, help: one.help, nodes: one.nodes.map((node) => node.html),
    })),
  }))`;
  const found = await evaluate(run);
  await session.detach();
  assert.ok(found.passes > 5, "axe looked at the page");
  return found.violations;
}

async function sidewaysScroll(page) {
  const before = page.viewportSize();
  await page.setViewportSize({ width: 320, height: 640 });
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  await page.setViewportSize(before);
  return width;
}

// Checks the page that is shown, under a name, and keeps a picture of it.
export async function check(window, name) {
  const { page, complaints } = window;
  assert.deepEqual(await violations(page), [], `${name}: axe`);
  assert.ok((await sidewaysScroll(page)) <= 320, `${name}: scrolls sideways at 320 px`);
  const words = await page.locator("body").innerText();
  assert.doesNotMatch(words, BANNED, `${name}: words`);
  assert.equal(await page.locator("h1").count(), 1, `${name}: one heading of level 1`);
  assert.match(await page.title(), / – Casewright$/, `${name}: title`);
  assert.deepEqual(complaints, [], `${name}: console`);
  await mkdir(pictures, { recursive: true });
  const path = join(pictures, `${name}.png`);
  await page.screenshot({ path, fullPage: true });
  seen.add(name);
}

export async function pictureAt(window, name, width) {
  const before = window.page.viewportSize();
  await window.page.setViewportSize({ width, height: 900 });
  await mkdir(pictures, { recursive: true });
  await window.page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
  await window.page.setViewportSize(before);
}

// The names of all pages that were checked.
export function checked() {
  return [...seen].sort();
}
