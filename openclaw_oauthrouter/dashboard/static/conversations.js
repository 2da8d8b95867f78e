// Conversations: the requests of each folded together, with the agent that leads it, its cost and its cache share.

import { attempt } from "./dialog.js";
import { h, icon } from "./dom.js";
import { count, dateAndTime, dollars, milliseconds, moment, percent, tokens } from "./format.js";
import { RANGES, earlier } from "./history.js";
import { keepPlace } from "./keep.js";
import { marked } from "./marks.js";
import { load } from "./stream.js";

const SHOWN = 100;

/** Fills the page; returns `{refresh}`. `openRequest` shows one request. */
export function conversationsPage(page, openRequest) {
  const range = h("select", { "aria-label": "Conversations of", onchange: refresh }, ...[["today", "Today"], ["7", "7 days"], ["30", "30 days"]].map(([value, words]) => h("option", { value }, words)));
  range.value = "7";
  let shown = "";
  const told = h("span", { class: "quiet", role: "status" });
  const list = h("ul", { class: "conversations" });
  page.append(
    h("div", { class: "page-head" }, h("h2", { class: "page-title" }, "Conversations"), h("div", { class: "toolbar" }, range, told)),
    h("div", { class: "card" }, list),
  );

  async function refresh({ again = false } = {}) {
    const since = Math.floor(RANGES[range.value]());
    const ask = () => load(`history/conversations?${new URLSearchParams({ since, n: SHOWN })}`);
    const answer = again ? await ask().catch(() => null) : await attempt(ask);
    if (!answer || JSON.stringify(answer) === shown) return;
    shown = JSON.stringify(answer);
    const folded = fold(answer.rows);
    told.textContent = answer.matches > SHOWN ? `the latest ${SHOWN} of ${count(answer.matches)}` : `${count(folded.length)} conversation${folded.length === 1 ? "" : "s"}`;
    keepPlace(list, () => {
      list.replaceChildren(...folded.map((one) => entry(one, since, openRequest)));
      if (!folded.length) list.append(h("li", { class: "nothing" }, "No conversation in this time."));
    });
  }

  return { refresh };
}

// Those of one session belong together: the one that began first leads, the others are its sub-agents.
function fold(rows) {
  const sessions = new Map();
  for (const row of [...rows].sort((a, b) => a.first - b.first)) {
    const key = row.session ?? JSON.stringify([row.conversation, row.client, row.agent]);
    if (sessions.has(key)) sessions.get(key).below.push(row);
    else sessions.set(key, { lead: row, below: [] });
  }
  return [...sessions.values()].sort((a, b) => lastOf(b) - lastOf(a));
}

function lastOf({ lead, below }) {
  return Math.max(lead.last, ...below.map((row) => row.last));
}

function entry({ lead, below }, since, openRequest) {
  const whole = below.reduce(add, lead);
  return h("li", {}, line(whole, below.length, since, openRequest, lead), below.length ? h("ul", { class: "below", "aria-label": "Sub-agents" }, ...below.map((row) => h("li", {}, line(row, 0, since, openRequest, row)))) : null);
}

function add(sum, row) {
  const added = ["requests", "failed", "input", "output", "cached", "paid", "plan", "unpriced"].map((name) => [name, (sum[name] ?? 0) + (row[name] ?? 0)]);
  return { ...sum, ...Object.fromEntries(added), last: Math.max(sum.last, row.last), models: [...new Set([...sum.models, ...row.models])] };
}

function line(row, helpers, since, openRequest, own) {
  const inside = h("ol", { class: "turns" });
  const fill = async () => {
    if (inside.childElementCount) return;
    const found = await attempt(() => earlier({ since, query: queryOf(own) }));
    inside.replaceChildren(...(found?.events ?? []).map((event) => turn(event, openRequest)));
  };
  const details = h(
    "details",
    { "data-key": JSON.stringify([own.conversation, own.client, own.agent]) },
    h(
      "summary",
      {},
      h("span", { class: "who" }, icon("chevron"), h("b", {}, agentOf(row)), helpers ? h("span", { class: "tag idle" }, `${helpers} sub-agent${helpers === 1 ? "" : "s"}`) : null, row.failed ? h("span", { class: "tag warn" }, `${row.failed} failed`) : null),
      h("span", { class: "models-said quiet" }, row.models.map((model) => model.slice(model.indexOf("/") + 1)).slice(0, 3).join(", "), row.models.length > 3 ? ` and ${row.models.length - 3} more` : ""),
      h("span", { class: "when quiet" }, row.last > row.first ? `${dateAndTime(row.first)} · ${milliseconds(row.last - row.first)}` : dateAndTime(row.first)),
      figure(count(row.requests), row.requests === 1 ? "request" : "requests"),
      figure(tokens(row.input ?? 0), "tokens in"),
      figure(percent(row.input ? (row.cached ?? 0) / row.input : 0), "from cache", row.input ? (row.cached ?? 0) / row.input : 0),
      figure(cost(row), row.plan && !row.paid ? "worth, on plans" : "cost"),
    ),
    inside,
  );
  details.addEventListener("toggle", () => details.open && fill());
  return details;
}

function queryOf({ conversation, client, agent }) {
  const terms = Object.entries({ conversation, client, agent }).filter(([, value]) => value);
  return terms.map(([name, value]) => `${name}:"${value.replaceAll('"', "")}"`).join(" ");
}

function agentOf(row) {
  const named = row.client && row.client !== "default" ? row.client : null;
  return [named, row.agent].filter(Boolean).join(" · ") || "unknown";
}

function cost(row) {
  const known = dollars((row.paid ?? 0) || (row.plan ?? 0));
  return row.unpriced ? `${known} +?` : known;
}

function figure(value, words, share) {
  const bar = share === undefined ? null : h("span", { class: "share-line", "aria-hidden": "true" }, h("span", { style: { width: `${share * 100}%` } }));
  return h("span", { class: "fig" }, h("span", {}, value), h("span", { class: "quiet" }, words), bar);
}

function turn(event, openRequest) {
  const failed = (event.status ?? 0) >= 400;
  return h(
    "li",
    {},
    h(
      "button",
      { type: "button", class: "turn", onclick: () => openRequest(event.requestId) },
      h("time", { class: "quiet" }, moment(event.ts)),
      h("span", {}, ...marked(event.modelIdRouted ?? event.modelIdRequested ?? "")),
      failed ? h("span", { class: "tag warn" }, String(event.status)) : h("span", { class: "quiet" }, event.routingTier ?? "as asked"),
      h("span", { class: "quiet" }, event.tokens ? `${tokens(event.tokens.input ?? 0)} / ${tokens(event.tokens.output ?? 0)}` : ""),
      h("span", {}, event.cost.actual === undefined ? "" : dollars(event.cost.actual)),
      icon("arrow"),
    ),
  );
}
