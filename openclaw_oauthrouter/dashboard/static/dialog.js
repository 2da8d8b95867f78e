// Asks before something is changed, and says afterwards what was done and how to take it back.

import { byId, h, icon } from "./dom.js";

const NOTE_SECONDS = 12;

/** A dialog with a question; resolves to whether the answer is yes. */
export function ask({ title, body = [], yes = "Apply", danger = false }) {
  const dialog = byId("ask");
  const form = h(
    "form",
    { method: "dialog" },
    h("h2", { id: "ask-heading" }, title),
    h("div", { class: "ask-body" }, ...body),
    h(
      "div",
      { class: "form-row end" },
      h("button", { class: "toggle", value: "no", autofocus: danger }, "Cancel"),
      h("button", { class: danger ? "primary danger" : "primary", value: "yes", autofocus: !danger }, yes),
    ),
  );
  dialog.replaceChildren(form);
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    const closed = () => {
      // What it showed may be a token: nothing of it stays on the page.
      dialog.replaceChildren();
      resolve(dialog.returnValue === "yes");
    };
    dialog.addEventListener("close", closed, { once: true });
  });
}

/** The lines of a file that differ, as a diff. */
export function diff(text) {
  const lines = text.split("\n").filter((line) => line && !line.startsWith("---") && !line.startsWith("+++"));
  const kind = (line) => (line.startsWith("+") ? "added" : line.startsWith("-") ? "removed" : line.startsWith("@@") ? "place" : "");
  return h("pre", { class: "diff", tabindex: "0", "aria-label": "Lines of the file that change" }, ...lines.map((line) => h("span", { class: kind(line) }, `${line}\n`)));
}

/** A short word on what was done, with a way back where there is one. */
export function note(words, { undo, bad = false } = {}) {
  const box = byId("notes");
  const close = () => shown.remove();
  const shown = h(
    "div",
    { class: bad ? "note-card bad" : "note-card", role: bad ? "alert" : "status" },
    icon(bad ? "warn" : "check"),
    h("span", {}, words),
    undo ? h("button", { type: "button", class: "link", onclick: () => (close(), undo()) }, "Undo") : null,
    h("button", { type: "button", class: "ghost", "aria-label": "Dismiss", onclick: close }, icon("cross")),
  );
  box.replaceChildren(shown);
  setTimeout(close, NOTE_SECONDS * 1000);
}

/** Runs something that may be refused; the refusal is shown. */
export async function attempt(work) {
  try {
    return await work();
  } catch (error) {
    note(error.message, { bad: true });
    return null;
  }
}
