// Notices: what one should know before it hurts; each can be put away, and comes back when it is another matter.

import { byId, h, icon } from "./dom.js";
import { countdown } from "./format.js";
import { keepPlace } from "./keep.js";
import { load } from "./stream.js";

const KEY = "oauthrouter-notices-put-away";
const SHOWN = 3;
const REMEMBERED = 100;

let all = false;

/** Asks for the notices and shows those that were not put away. */
export async function refreshNotices() {
  const { notices } = await load("notices").catch(() => ({ notices: null }));
  if (notices) show(notices);
}

function show(notices) {
  const away = putAway();
  const left = notices.filter((notice) => !away.includes(notice.id));
  const shown = all ? left : left.slice(0, SHOWN);
  const more = left.length - shown.length;
  const rows = shown.map((notice) => row(notice, () => (remember(notice.id), show(notices))));
  if (more) rows.push(h("li", {}, h("button", { type: "button", class: "link", onclick: () => ((all = true), show(notices)) }, `${more} more`)));
  const box = byId("notices");
  box.hidden = !rows.length;
  keepPlace(box, () => box.replaceChildren(h("ul", { class: "notices" }, ...rows)));
}

function row(notice, close) {
  const until = notice.until && notice.until * 1000 > Date.now() ? `; begins anew in ${countdown(notice.until * 1000)}` : "";
  return h(
    "li",
    { class: `notice ${notice.level}` },
    icon("warn"),
    h("span", {}, h("span", { class: "sr" }, notice.level === "bad" ? "Not working: " : "Soon: "), notice.words + until),
    h("button", { type: "button", class: "ghost small", "aria-label": `Put away: ${notice.words}`, onclick: close }, icon("cross")),
  );
}

function putAway() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(kept) ? kept : [];
  } catch {
    return session;
  }
}

let session = [];

function remember(id) {
  session = [...putAway(), id].slice(-REMEMBERED);
  try {
    localStorage.setItem(KEY, JSON.stringify(session));
  } catch {
    return;
  }
}
