// Comfort for the console. Nothing here is needed: every action works without it.
"use strict";

// An error summary takes the focus, so that it is read first.
function focusSummary() {
  const summary = document.querySelector("[data-focus]");
  if (summary) summary.focus();
}

// A link of the summary leads into the field, not only to it.
function followSummary(event) {
  const link = event.target.closest(".errors a[href^='#']");
  if (!link) return;
  const field = document.getElementById(link.hash.slice(1));
  if (!field) return;
  event.preventDefault();
  const label = field.labels && field.labels[0];
  (field.closest("fieldset") || label || field).scrollIntoView();
  field.focus({ preventScroll: true });
}

// Leaving a page with words that were not sent asks first.
function guardForms() {
  let unsent = false;
  for (const form of document.querySelectorAll("form[data-guard]")) {
    form.addEventListener("input", () => { unsent = true; });
  }
  document.addEventListener("submit", () => { unsent = false; });
  window.addEventListener("beforeunload", (event) => {
    if (unsent) event.preventDefault();
  });
}

// A second click while the first is under way does nothing; the page's request key makes sure.
function holdButtons() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    setTimeout(() => { delete form.dataset.sent; }, 5000);
  });
  window.addEventListener("pageshow", () => {
    for (const form of document.forms) delete form.dataset.sent;
  });
}

// The numbers of the queue stay fresh, and a line says when the list is old. No case data.
const REFRESH_MS = 60000;

function shown(id) {
  const place = document.getElementById(id);
  return place ? place.textContent.trim() : "";
}

async function refreshCounts(news) {
  if (document.hidden) return;
  const answer = await fetch(news.dataset.counts, { headers: { Accept: "application/json" } });
  if (!answer.ok || answer.redirected) return;
  const counts = await answer.json();
  let changed = false;
  for (const [name, count] of Object.entries(counts)) {
    const place = document.getElementById("count-" + name);
    const text = count >= 100 ? "100+" : String(count);
    if (!place || shown(place.id) === text) continue;
    place.textContent = text;
    changed = true;
  }
  if (changed && !news.firstChild) {
    const link = document.createElement("a");
    link.href = location.href;
    link.textContent = "The list has changed. Show it as it is now.";
    news.append(link);
  }
}

function keepFresh() {
  const news = document.querySelector("[data-counts]");
  if (!news) return;
  const refresh = () => refreshCounts(news).catch(() => {});
  setInterval(refresh, REFRESH_MS);
  document.addEventListener("visibilitychange", refresh);
}

// What was typed is kept on the server now and then, and a line says so. Never touches a field.
const KEEP_MS = 15000;

function keepDrafts() {
  const line = document.querySelector("[data-draft]");
  const form = line && line.closest("form");
  if (!form) return;
  let typed = 0;
  let kept = 0;
  const keep = async () => {
    const now = typed;
    if (now === kept || form.dataset.sent) return;
    const answer = await fetch(line.dataset.draft, {
      method: "POST",
      headers: { Accept: "application/json" },
      body: new URLSearchParams(new FormData(form)),
    });
    if (!answer.ok || answer.redirected) throw new Error("not kept");
    line.textContent = (await answer.json()).text;
    kept = now;
  };
  const orSay = () => keep().catch(() => {
    line.textContent = "Your draft could not be saved. Keep this page open.";
  });
  form.addEventListener("input", () => { typed += 1; });
  form.addEventListener("change", orSay);
  setInterval(orSay, KEEP_MS);
}

focusSummary();
document.addEventListener("click", followSummary);
guardForms();
holdButtons();
keepFresh();
keepDrafts();
document.body.dataset.ready = "yes";
