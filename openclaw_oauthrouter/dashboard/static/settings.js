// The settings page: what is in force, and how it is changed. Each change is shown first and can be taken back.

import { accounts } from "./accounts.js";
import { budgets } from "./budgets.js";
import { post } from "./change.js";
import { clientKeys } from "./client_keys.js";
import { ask, attempt, diff, note } from "./dialog.js";
import { h } from "./dom.js";
import { dateAndTime } from "./format.js";
import { noticeSettings } from "./notice_settings.js";
import { aliases, profile, providers } from "./routing.js";
import { keepPlace, settle } from "./keep.js";
import { load } from "./stream.js";
import { Tiers } from "./tiers.js";

const SECTIONS = [
  ["accounts", "Accounts", accounts],
  ["budgets", "Budgets", budgets],
  ["tiers", "Tiers", (settings, tools) => tools.tiers.show(settings)],
  ["profile", "Profile", profile],
  ["aliases", "Aliases", aliases],
  ["client-keys", "Client keys", clientKeys],
  ["providers", "Providers", providers],
  ["notices", "Notices", noticeSettings],
  ["changes", "Latest changes", latest],
];

/** Fills the page; returns `{refresh}`. */
export function settingsPage(page) {
  const boxes = new Map();
  const state = { version: null };
  const lead = h("p", { class: "lead quiet" });
  const jump = h("nav", { class: "jump", "aria-label": "Settings" }, ...SECTIONS.map(([id, title]) => h("a", { href: `#set-${id}`, onclick: (event) => leap(event, id) }, title)));
  const columns = h("div", { class: "cards" });
  for (const [id, title] of SECTIONS) {
    const body = h("div", { class: "card-body" });
    boxes.set(id, body);
    columns.append(h("section", { class: "card", id: `set-${id}`, "aria-labelledby": `set-${id}-heading`, tabindex: "-1" }, h("h2", { id: `set-${id}-heading` }, title), body));
  }
  page.append(h("div", { class: "page-head" }, h("h2", { class: "page-title" }, "Settings"), lead, jump), columns);

  const tools = { propose, undoSecret, refresh, version: () => state.version };
  tools.tiers = new Tiers(tools);

  async function refresh({ again = false } = {}) {
    const settings = again ? await load("settings").catch(() => null) : await attempt(() => load("settings"));
    const text = JSON.stringify(settings);
    if (!settings || (again && text === state.text)) return;
    state.text = text;
    state.version = settings.version;
    lead.textContent = settings.readOnly ? `Nothing can be changed here: ${settings.readOnly}.` : `Kept in ${settings.path}. What is changed here takes effect at once.`;
    page.classList.toggle("read-only", Boolean(settings.readOnly));
    for (const [id, , draw] of SECTIONS) {
      const box = boxes.get(id);
      // The editor of tiers keeps its own draft.
      keepPlace(box, () => box.replaceChildren(...[draw(settings, tools)].flat().filter(Boolean)));
    }
    if (settings.readOnly) for (const field of page.querySelectorAll(".card :is(button, input, select)")) field.disabled = true;
  }

  /** Shows what changes would do, makes them if the user agrees, and offers the way back. */
  async function propose(changes, words, form) {
    const planned = await attempt(() => post("settings/preview", { changes }));
    if (!planned) return false;
    if (!planned.diff) {
      note("That is how it is already.");
      return false;
    }
    if (!(await ask({ title: words, body: shown(planned) }))) return false;
    const made = await attempt(() => post("settings/apply", { changes, version: planned.version }));
    if (made) state.version = made.version;
    if (made) note("Changed.", { undo: () => undo(made.undo, made.version) });
    if (made && form) settle(form);
    await refresh();
    return Boolean(made);
  }

  async function undo(name, version) {
    const done = await attempt(() => post("settings/undo", { name, version }));
    if (done) state.version = done.version;
    if (done) note("Taken back.");
    await refresh();
  }

  async function undoSecret(word) {
    const done = await attempt(() => post("accounts/put-back", { undo: word }));
    if (done) note(`${done.name} is back.`);
    await refresh();
  }

  tools.undo = async (name, words) => {
    const planned = await attempt(() => post("settings/undo", { name, version: state.version, preview: true }));
    if (!planned) return;
    const body = planned.diff ? shown(planned) : [h("p", {}, "The file holds nothing of this change any more.")];
    if (await ask({ title: `Take back: ${words}`, body, yes: "Take back" })) await undo(name, planned.version);
  };

  return { refresh };
}

function shown(planned) {
  const wrong = planned.problems.map((problem) => h("li", {}, `${problem.key}: ${problem.message}`));
  return [diff(planned.diff), wrong.length ? h("div", { class: "problem-words" }, h("p", {}, "Names to look at again:"), h("ul", {}, ...wrong)) : null].filter(Boolean);
}

function leap(event, id) {
  event.preventDefault();
  const section = document.getElementById(`set-${id}`);
  section.scrollIntoView({ block: "start" });
  section.focus({ preventScroll: true });
}

function latest(settings, tools) {
  if (!settings.changes.length) return h("p", { class: "nothing" }, "Nothing has been changed yet, here or by ", h("code", {}, "config set"), ".");
  const rows = settings.changes.slice(0, 12).map((change) => {
    const words = change.settings.join(", ");
    return h(
      "li",
      { class: "line-row" },
      h("span", { class: "grow" }, h("code", {}, words), h("span", { class: "quiet" }, ` ${dateAndTime(change.at * 1000)}`)),
      h("button", { type: "button", class: "toggle", "aria-label": `Undo: ${words}`, onclick: () => tools.undo(change.name, words) }, "Undo"),
    );
  });
  return h("ul", { class: "lines" }, ...rows);
}
