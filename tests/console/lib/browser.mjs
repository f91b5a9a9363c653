// A headless Chromium with nothing of its own, and people who use the console in it.

import { access, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { chromium } from "playwright-core";

const PLACES = [
  process.env.CHROMIUM,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
];

async function executable() {
  for (const place of PLACES) {
    if (!place) continue;
    try {
      await access(place);
      return place;
    } catch {
      // The next place may have one.
    }
  }
  throw new Error("no Chromium found: install it or name it in CHROMIUM");
}

// A browser that calls nobody but the pages it is shown.
export async function openBrowser() {
  const profile = await mkdtemp(join(tmpdir(), "casewright-chromium-"));
  const browser = await chromium.launch({
    executablePath: await executable(),
    env: { ...process.env, HOME: profile, XDG_CONFIG_HOME: profile, XDG_CACHE_HOME: profile },
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--disable-dev-shm-usage",
    ],
  });
  return {
    browser,
    close: async () => {
      await browser.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}

// Errors of the console and of the page; an answer that is not 2xx is told by the tests themselves.
function watch(page, complaints) {
  page.on("console", (message) => {
    const told = message.text().startsWith("Failed to load resource");
    if (message.type() === "error" && !told) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
}

// Opens a window for one person, signed in. `complaints` collects what the browser objects to.
export async function signIn(browser, engine, person, options = {}) {
  const context = await browser.newContext({
    baseURL: engine.url,
    locale: "en-AU",
    timezoneId: "America/Chicago",
    reducedMotion: "reduce",
    ...options,
  });
  const page = await context.newPage();
  const complaints = [];
  watch(page, complaints);
  page.setDefaultTimeout(20_000);
  await page.goto("/sign-in");
  await page.getByLabel("Name").fill(person.signIn);
  await page.getByLabel("Passphrase").fill(person.passphrase);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { level: 1, name: "Team tasks" }).waitFor();
  return { context, page, person, complaints };
}
