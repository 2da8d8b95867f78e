// One record as one row of the feed.

import { h, icon } from "./dom.js";
import { agent } from "./filter.js";
import { NONE, dateAndTime, dollars, milliseconds, moment, percent, tokens } from "./format.js";
import { marked } from "./marks.js";

const STATUS_WORDS = { 429: "limited", 499: "hung up" };

/** Columns in order: key, heading, and whether the cell holds a number. */
export const COLUMNS = [
  ["time", "Time"],
  ["client", "Client"],
  ["model", "Requested → answered"],
  ["tier", "Tier"],
  ["status", "Status"],
  ["latency", "Latency", true],
  ["first", "First token", true],
  ["tokens", "Tokens", true],
  ["cost", "Cost", true],
];

const CELLS = {
  time: (event) => h("time", { datetime: new Date(event.ts).toISOString(), title: dateAndTime(event.ts) }, moment(event.ts)),
  client: (event) => who(event),
  model: (event) => [h("span", { class: "models" }, ...models(event)), tags(event)],
  tier: (event) => (event.routingTier ? tier(event.routingTier, event.routingConfidence) : h("span", { class: "quiet" }, "as asked")),
  status: (event) => status(event),
  latency: (event) => (event.latencyMs === undefined ? NONE : milliseconds(event.latencyMs)),
  first: (event) => (event.firstTokenMs === undefined ? NONE : milliseconds(event.firstTokenMs)),
  tokens: (event) => tokenPair(event.tokens),
  cost: (event) => cost(event),
};

export function row(event, index, selected) {
  const cells = COLUMNS.map(([key, , numeric]) =>
    h("div", { role: "gridcell", class: `cell ${key}${numeric ? " number" : ""}` }, ...[CELLS[key](event)].flat()),
  );
  return h(
    "div",
    {
      role: "row",
      class: `row${(event.status ?? 0) >= 400 ? " problem" : ""}`,
      tabindex: "-1",
      "aria-rowindex": index + 2,
      "aria-selected": String(selected),
    },
    ...cells,
  );
}

// With the gateway's own token every client is "default": what tells them apart is the program.
function who(event) {
  const named = event.client && event.client !== "default" ? event.client : null;
  return named ?? agent(event) ?? event.sessionKey ?? event.client ?? NONE;
}

export function tier(name, confidence) {
  const sure = confidence === undefined ? [] : [h("span", { class: "confidence", title: "confidence" }, percent(confidence))];
  return h("span", { class: "tier-and-confidence" }, h("span", { class: `chip tier-${name.toLowerCase()}` }, name), ...sure);
}

export function status(event) {
  const code = event.status;
  if (code === undefined) return h("span", { class: "pill idle" }, "none");
  const kind = code < 400 ? "good" : code === 429 || code === 499 || code === 403 ? "warn" : "bad";
  const words = STATUS_WORDS[code];
  return h("span", { class: `pill ${kind}`, title: event.errorMessage }, String(code), words ? h("span", { class: "sr" }, ` ${words}`) : null);
}

export function models(event) {
  const asked = event.modelIdRequested ?? NONE;
  const answered = event.modelIdRouted ?? event.modelIdResolved;
  const kind = event.modelIdRouted ? "answered" : "unanswered";
  if (!answered || answered === asked) return [h("span", { class: kind, title: asked }, ...marked(asked))];
  const arrow = [h("span", { class: "sr" }, kind === "answered" ? " answered by " : " meant for "), icon("arrow")];
  return [h("span", { class: "asked", title: asked }, ...marked(asked)), ...arrow, h("span", { class: kind, title: answered }, ...marked(answered))];
}

export function tags(event) {
  const found = [];
  if (event.preRoute?.triggered) found.push(["pre-route", "warn", `${event.preRoute.reason ?? "first choice out of order"}`]);
  if (event.fallback?.triggered) found.push([fallbackLabel(event), "warn", `fell back to ${event.fallback.fallbackModel}`]);
  const notes = event.notes ?? [];
  for (const action of ["repaired", "dropped"]) {
    const number = notes.filter((note) => note.action === action).length;
    if (number) found.push([`${number} ${action}`, "idle", notes.map((note) => `${note.action} ${note.subject}`).join(", ")]);
  }
  if (event.spend?.decision && event.spend.decision !== "allowed") found.push([`spend ${event.spend.decision}`, "warn", event.spend.code]);
  if (event.subscription) found.push(["plan", "idle", "paid by a subscription"]);
  return h("span", { class: "tags" }, ...found.map(([label, kind, title]) => h("span", { class: `tag ${kind}`, title }, label)));
}

function fallbackLabel(event) {
  const statuses = event.fallback.attempts.map((step) => step.fromStatus).filter(Boolean);
  return statuses.length ? `fallback ${statuses.join(", ")}` : "fallback";
}

function tokenPair(counts) {
  if (counts?.output === undefined) return NONE;
  return [
    h("span", { title: "tokens in" }, tokens(counts.input)),
    h("span", { class: "quiet", "aria-hidden": "true" }, " / "),
    h("span", { title: "tokens out" }, tokens(counts.output)),
  ];
}

function cost(event) {
  const actual = event.cost?.actual;
  if (event.cost?.unpriced) return h("span", { class: "quiet", title: `no price is known for ${event.cost.unpriced}` }, "unknown");
  if (actual === undefined || actual === null) return NONE;
  return event.subscription ? h("span", { class: "quiet", title: "worth, paid by a subscription" }, dollars(actual)) : dollars(actual);
}
