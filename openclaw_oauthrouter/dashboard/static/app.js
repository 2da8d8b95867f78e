// Puts the page together.

import { readAddress, writeAddress } from "./address.js";
import { keepChangeKey } from "./change.js";
import { byId, h } from "./dom.js";
import { detail } from "./detail.js";
import { welcome } from "./empty.js";
import { setUpExplain } from "./explain.js";
import { Feed } from "./feed.js";
import { isProblem, isSubstituted, parseFilter } from "./filter.js";
import { Figures } from "./figures.js";
import { count } from "./format.js";
import { RANGES, dayBefore, earlier, ownDays, spanOf, whole } from "./history.js";
import { refreshNotices } from "./notices.js";
import { tick } from "./panels.js";
import { MOST, Store } from "./store.js";
import { LiveStream, load } from "./stream.js";
import { suggestions } from "./suggest.js";
import { setUpTabs } from "./tabs.js";
import { setUpTheme } from "./theme.js";
import { setUpViews } from "./views.js";

const PANELS_EVERY = 5000;
const NOTICES_EVERY = 20_000;
const PAGE_EVERY = 15_000;
const FILTER_DELAY = 120;
const TAKE_EVERY = 60;

const live = new Store();
const past = new Store();
keepChangeKey();
const address = readAddress();
let store = live;
let near = "1 h";
let demo = false;
const figures = new Figures({ range: rangeName, near: () => near, demo: () => demo, onIndexing: showIndexing });
const feed = new Feed({ element: byId("feed"), store, onOpen: open, onEnd: turnPage });
const tabs = setUpTabs();
const stream = new LiveStream({ onEvents: arrived, onState: connectionChanged });
const waiting = [];
let paused = false;
let unseen = 0;
let cleared = false;
let due = 0;
let page = null;

const EMPTINESS = {
  "": () => [],
  new: () => welcome(() => tabs.show("try")),
  cleared: () => [h("h3", {}, "Cleared"), h("p", { class: "quiet" }, "New requests appear here; older ones come back when the page is loaded again.")],
  filtered: () => [h("h3", {}, "Nothing matches"), h("p", { class: "quiet" }, "No request on this page fits the filter.")],
};

const PAGES = {
  conversations: async (page) => (await import("./conversations.js")).conversationsPage(page, openElsewhere),
  models: async (page) => (await import("./models.js")).modelsPage(page),
  compare: async (page) => (await import("./compare.js")).comparePage(page, openElsewhere),
  settings: async (page) => (await import("./settings.js")).settingsPage(page),
};

setUpTheme(byId("theme"));
const explain = setUpExplain(byId("explain"), byId("explanation"), byId("examples"));
setUpFilter();
setUpButtons();
setUpRange();
setUpKeys();
let started = false;
const views = setUpViews(PAGES, () => started && remember());
views.show(address.view);
started = true;
addEventListener("hashchange", () => views.show(readAddress().view));
stream.connect();
refreshPanels();
refreshNotices();
setInterval(() => document.hidden || refreshNotices(), NOTICES_EVERY);
setInterval(refreshPage, PAGE_EVERY);
if (address.request) openById(address.request);
suggest();
load("gateway").then((told) => {
  demo = Boolean(told.demo);
  byId("demo").hidden = !demo;
  if (demo) refreshPanels();
}, () => {});
setInterval(refreshPanels, PANELS_EVERY);
setInterval(tick, 1000);
if (address.q || address.problems || address.substituted) applyFilter();
document.addEventListener("visibilitychange", () => {
  refreshPanels();
  refreshPage();
});

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
  const shown = live.add(events);
  if (store !== live) return;
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
  if (store === past) {
    byId("count").textContent = page ? `${page.counted ? "" : "more than "}${count(page.matches)} requests` : "";
    return;
  }
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
  byId("filter").value = address.q;
  press(byId("problems"), address.problems);
  press(byId("substituted"), address.substituted);
  byId("filter").addEventListener("input", () => {
    suggest();
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

function suggest() {
  byId("terms").replaceChildren(...suggestions(byId("filter").value, store.matches).map((value) => h("option", { value })));
}

function applyFilter() {
  const { test, problem } = parseFilter(byId("filter").value);
  const tests = [test];
  if (isPressed("problems")) tests.push(isProblem);
  if (isPressed("substituted")) tests.push(isSubstituted);
  byId("filter-problem").textContent = problem ?? "";
  byId("filter-problem").hidden = !problem;
  byId("filter").setAttribute("aria-invalid", String(Boolean(problem)));
  live.filter((event) => tests.every((test) => test(event)));
  remember();
  if (store === past) {
    if (!problem) showPast();
    return;
  }
  unseen = 0;
  feed.toTop();
  feed.redraw();
  showNewer();
  showEmptiness();
  showCount();
  announce(byId("count").textContent);
}

function isPressed(id) {
  return byId(id).getAttribute("aria-pressed") === "true";
}

function query() {
  const words = [byId("filter").value, isPressed("problems") ? "failed:true" : "", isPressed("substituted") ? "rerouted:true" : ""];
  return words.filter(Boolean).join(" ");
}

function remember(request = feed.selected?.requestId) {
  writeAddress({ view: document.body.dataset.view, q: byId("filter").value, range: rangeName(), request, problems: isPressed("problems"), substituted: isPressed("substituted") });
}

// ------------------------------------------------------------------ earlier days

function setUpRange() {
  const [from, to] = ownDays(address.range);
  byId("range").value = from ? "own" : address.range in RANGES ? address.range : "live";
  byId("from-day").value = from ?? dayBefore(7);
  byId("to-day").value = to ?? dayBefore(0);
  byId("range").addEventListener("change", showRange);
  for (const id of ["from-day", "to-day"]) byId(id).addEventListener("change", showRange);
  if (byId("range").value !== "live") showRange();
}

/** The span looked at, as the address says it. */
function rangeName() {
  return byId("range").value === "own" ? `${byId("from-day").value}..${byId("to-day").value}` : byId("range").value;
}

function showRange() {
  byId("own-days").hidden = byId("range").value !== "own";
  byId("near").hidden = byId("range").value !== "live";
  store = byId("range").value === "live" ? live : past;
  feed.show(store);
  remember();
  refreshPanels();
  if (store === past) showPast();
  else applyFilter();
}

async function showPast() {
  past.forget();
  page = null;
  feed.redraw();
  feed.toTop();
  await turnPage();
  announce(byId("count").textContent);
}

async function turnPage() {
  if (store !== past || page?.loading || page?.more === false) return;
  const { since, until } = spanOf(rangeName());
  const asked = { since, until, query: query(), before: page?.last };
  page = { ...page, loading: true };
  try {
    const answer = await earlier(asked);
    page = answer;
    past.addOlder(answer.events);
    showIndexing(answer.indexing);
  } catch (error) {
    page = { more: false, matches: 0, counted: true };
    showNotice(error.message);
  }
  feed.redraw();
  showEmptiness();
  showCount();
}

/** Requests that came in since the page was turned to a span that still goes on. */
async function followPast() {
  const { since, until } = spanOf(rangeName());
  const newest = past.newest;
  if (store !== past || !page || page.loading || (until && until <= Date.now())) return;
  const answer = await earlier({ since: Math.max(since, newest ? newest.ts : since), query: query() });
  if (store !== past) return;
  const added = past.add(answer.events.filter((event) => !past.has(event.requestId)).reverse());
  if (!added) return;
  page = { ...page, matches: page.matches + added };
  if (byId("feed").scrollTop > 0) unseen += added;
  feed.added(added);
  showNewer();
  showEmptiness();
  showCount();
}

function showIndexing(indexing) {
  const words = indexing ? `The trace files are still being read (${Math.round((100 * indexing.done) / indexing.total)}%); sums and searches are not complete yet.` : "";
  byId("indexing").hidden = !words;
  byId("indexing").textContent = words;
}

function showNotice(words) {
  byId("filter-problem").textContent = words;
  byId("filter-problem").hidden = !words;
}

function setUpKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || /^(input|textarea|select)$/i.test(event.target.tagName)) return;
    if (event.key === "/") {
      event.preventDefault();
      const search = document.querySelector(`#page-${document.body.dataset.view} input[type=search]`);
      if (search) {
        search.focus();
        return;
      }
      views.show("requests");
      tabs.show(innerWidth <= 900 ? "live" : document.body.dataset.tab);
      byId("filter").focus();
    } else if ((event.key === "j" || event.key === "k") && document.body.dataset.view === "requests") {
      feed.step(event.key === "j" ? 1 : -1);
    } else if (event.key === "?") {
      byId("keys").showModal();
    }
  });
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
    live.clear();
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
      near = button.dataset.range;
      for (const other of document.querySelectorAll("[data-range]")) press(other, other === button);
      refreshPanels();
    });
  }
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && document.body.dataset.tab === "request" && !byId("keys").open) close();
  });
}

function press(button, on) {
  button.setAttribute("aria-pressed", String(on));
}

// ------------------------------------------------------------------ one request

async function open(event) {
  feed.select(event);
  remember(event.requestId);
  show(event);
  if (!event.partial) return;
  try {
    const found = await whole(event.requestId);
    if (feed.selected === event) show(found);
  } catch (error) {
    if (feed.selected === event) byId("detail").append(h("p", { class: "quiet" }, error.message));
  }
}

function show(event) {
  byId("detail").replaceChildren(...detail(event, { onClose: close, onNextTurn }).filter(Boolean));
  tabs.show("request");
  byId("request").scrollTop = 0;
  byId("detail").querySelector("h2").focus({ preventScroll: true });
}

function onNextTurn(event) {
  tabs.show("try");
  explain.nextTurnOf(event);
}

function openElsewhere(id) {
  views.show("requests");
  openById(id);
}

async function openById(id) {
  try {
    show(await whole(id));
  } catch (error) {
    byId("detail").replaceChildren(h("p", { class: "nothing" }, error.message));
    tabs.show("request");
  }
}

function close() {
  feed.select(null);
  remember(null);
  byId("detail").replaceChildren(h("p", { class: "nothing" }, "Choose a request on the list to see why it went where it went."));
  tabs.home();
  byId("feed").querySelector("[tabindex='0']")?.focus({ preventScroll: true });
}

// ------------------------------------------------------------------ panels and connection

async function refreshPanels() {
  if (document.hidden || stream.state === "signed-out") return;
  try {
    await figures.refresh();
    await followPast();
  } catch (error) {
    // A tunnel that hangs shows here first: the stream itself just stays silent.
    if (error.status === undefined) stream.suspect();
  }
}

/** What the page shown holds may have changed; whoever answers a question is left in peace. */
function refreshPage() {
  if (!document.hidden && stream.state === "live" && !document.querySelector("dialog[open]")) views.refresh();
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
