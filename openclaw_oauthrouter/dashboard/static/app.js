// Puts the page together.

import { byId, h } from "./dom.js";
import { detail } from "./detail.js";
import { welcome } from "./empty.js";
import { setUpExplain } from "./explain.js";
import { Feed } from "./feed.js";
import { isProblem, isSubstituted, parseFilter } from "./filter.js";
import { count } from "./format.js";
import { Panels, tick } from "./panels.js";
import { MOST, Store } from "./store.js";
import { LiveStream, load } from "./stream.js";
import { setUpTabs } from "./tabs.js";
import { setUpTheme } from "./theme.js";

const PANELS_EVERY = 5000;
const FILTER_DELAY = 120;
const TAKE_EVERY = 60;

const store = new Store();
const options = { range: "1 h" };
const panels = new Panels({ strip: byId("strip"), rail: byId("panels"), options });
const feed = new Feed({ element: byId("feed"), store, onOpen: open });
const tabs = setUpTabs();
const stream = new LiveStream({ onEvents: arrived, onState: connectionChanged });
const waiting = [];
let paused = false;
let unseen = 0;
let cleared = false;
let due = 0;

const EMPTINESS = {
  "": () => [],
  new: () => welcome(() => tabs.show("try")),
  cleared: () => [h("h3", {}, "Cleared"), h("p", { class: "quiet" }, "New requests appear here; older ones come back when the page is loaded again.")],
  filtered: () => [h("h3", {}, "Nothing matches"), h("p", { class: "quiet" }, "No request on this page fits the filter.")],
};

setUpTheme(byId("theme"));
setUpExplain(byId("explain"), byId("explanation"), byId("examples"));
setUpFilter();
setUpButtons();
stream.connect();
refreshPanels();
setInterval(refreshPanels, PANELS_EVERY);
setInterval(tick, 1000);
document.addEventListener("visibilitychange", refreshPanels);

// ------------------------------------------------------------------ records

// A burst is taken at once: every single record would otherwise make the browser lay the page out anew.
function arrived(events) {
  waiting.push(...events);
  if (waiting.length > MOST) waiting.splice(0, waiting.length - MOST);
  if (!due) due = setTimeout(takeWaiting, TAKE_EVERY);
}

function takeWaiting() {
  due = 0;
  if (!paused) take(waiting.splice(0));
  showCount();
}

function take(events) {
  const shown = store.add(events);
  if (byId("feed").scrollTop > 0) unseen += shown;
  feed.added(shown);
  showNewer();
  showEmptiness();
}

function showEmptiness() {
  const empty = byId("empty");
  const was = empty.dataset.why;
  empty.dataset.why = store.matches.length ? "" : store.size ? "filtered" : cleared ? "cleared" : "new";
  empty.hidden = empty.dataset.why === "";
  if (was !== empty.dataset.why) empty.replaceChildren(...EMPTINESS[empty.dataset.why]());
}

function showCount() {
  const total = store.size;
  const matching = store.matches.length;
  const held = paused ? ` · ${count(waiting.length)} waiting` : "";
  byId("count").textContent = (matching === total ? `${count(total)} requests` : `${count(matching)} of ${count(total)}`) + held;
}

// The count changes with every request; read out is only what the user himself brought about.
function announce(words) {
  byId("announcement").textContent = words;
}

function showNewer() {
  if (byId("feed").scrollTop === 0) unseen = 0;
  byId("newer").hidden = unseen === 0;
  byId("newer").textContent = `${count(unseen)} new`;
}

// ------------------------------------------------------------------ controls

function setUpFilter() {
  let timer = 0;
  byId("filter").addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(applyFilter, FILTER_DELAY);
  });
  for (const id of ["problems", "substituted"]) {
    byId(id).addEventListener("click", () => {
      press(byId(id), byId(id).getAttribute("aria-pressed") !== "true");
      applyFilter();
    });
  }
}

function applyFilter() {
  const tests = [parseFilter(byId("filter").value)];
  if (byId("problems").getAttribute("aria-pressed") === "true") tests.push(isProblem);
  if (byId("substituted").getAttribute("aria-pressed") === "true") tests.push(isSubstituted);
  store.filter((event) => tests.every((test) => test(event)));
  unseen = 0;
  feed.toTop();
  feed.redraw();
  showNewer();
  showEmptiness();
  showCount();
  announce(byId("count").textContent);
}

function setUpButtons() {
  byId("pause").addEventListener("click", () => {
    paused = !paused;
    press(byId("pause"), paused);
    byId("pause").textContent = paused ? "Resume" : "Pause";
    takeWaiting();
    announce(paused ? "Paused" : "Resumed");
  });
  byId("clear").addEventListener("click", () => {
    store.clear();
    cleared = true;
    waiting.length = 0;
    unseen = 0;
    feed.redraw();
    take([]);
    showCount();
    announce("Cleared");
  });
  byId("newer").addEventListener("click", () => feed.toTop());
  byId("feed").addEventListener("scroll", showNewer, { passive: true });
  for (const button of document.querySelectorAll("[data-range]")) {
    button.addEventListener("click", () => {
      options.range = button.dataset.range;
      for (const other of document.querySelectorAll("[data-range]")) press(other, other === button);
      panels.redraw();
    });
  }
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && feed.selected) close();
  });
}

function press(button, on) {
  button.setAttribute("aria-pressed", String(on));
}

// ------------------------------------------------------------------ one request

function open(event) {
  feed.select(event);
  byId("detail").replaceChildren(...detail(event, { onClose: close }).filter(Boolean));
  tabs.show("request");
  byId("request").scrollTop = 0;
  byId("detail").querySelector("h2").focus({ preventScroll: true });
}

function close() {
  feed.select(null);
  byId("detail").replaceChildren(h("p", { class: "nothing" }, "Choose a request on the list to see why it went where it went."));
  tabs.home();
  byId("feed").querySelector("[tabindex='0']")?.focus({ preventScroll: true });
}

// ------------------------------------------------------------------ panels and connection

async function refreshPanels() {
  if (document.hidden || stream.state === "signed-out") return;
  try {
    panels.show((await load("panels")).panels);
  } catch (error) {
    // A tunnel that hangs shows here first: the stream itself just stays silent.
    if (error.status === undefined) stream.suspect();
  }
}

function connectionChanged(state, seconds) {
  const words = { connecting: "Connecting", live: "Live", waiting: "Reconnecting", "signed-out": "Signed out" };
  byId("connection").className = `connection ${state}`;
  byId("connection").textContent = words[state];
  const banner = byId("banner");
  banner.hidden = !["waiting", "signed-out"].includes(state);
  if (state === "waiting") {
    banner.replaceChildren(
      `The gateway does not answer. Trying again in ${Math.round(seconds)} s. `,
      h("button", { type: "button", class: "link", onclick: () => stream.connect() }, "Try now"),
    );
  } else if (state === "signed-out") {
    banner.replaceChildren("You are signed out. Ask for a new link with ", h("code", {}, "openclaw-oauthrouter dashboard"), ".");
  } else if (state === "live") {
    refreshPanels();
  }
}
