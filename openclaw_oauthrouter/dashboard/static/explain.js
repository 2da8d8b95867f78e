// Try a prompt, a request, or the next turn of a conversation: what would the gateway do with it? Nothing is sent to a provider.

import { h } from "./dom.js";
import { count, dollars, moment, percent, tokens } from "./format.js";
import { RANGES } from "./history.js";
import { skippedList } from "./detail.js";
import { load } from "./stream.js";
import { decisionSum } from "./sum.js";
import { why } from "./why.js";

const EXAMPLES = [
  "What is the capital of Portugal?",
  "Write a Python function that merges two sorted lists, with tests.",
  "Design a rate limiter for a multi-region API and weigh the trade-offs.",
  "Prove that the square root of 2 is irrational.",
];

const HOPS_SHOWN = 5;
const CONVERSATIONS_SHOWN = 30;
const REQUEST_FIELDS = ["body", "messages", "input", "previous_response_id"];

/** Returns `nextTurnOf(event)`, which prepares the form for the next turn of a recorded request's conversation. */
export function setUpExplain(form, result, examples) {
  const { prompt, conversation } = form.elements;
  const told = form.querySelector("[role=status]");
  examples.append(...EXAMPLES.map((text) => h("button", { type: "button", class: "example", onclick: () => use(text) }, text)));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask(prompt.value, conversation.value, result);
  });
  prompt.addEventListener("input", tell);
  prompt.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) form.requestSubmit();
  });
  conversation.addEventListener("focus", () => fillConversations(conversation));
  function tell() {
    told.textContent = asRequest(prompt.value) ? "Read as the JSON of a request." : "";
  }
  function use(text) {
    prompt.value = text;
    tell();
    form.requestSubmit();
  }
  async function nextTurnOf(event) {
    await fillConversations(conversation);
    if (![...conversation.options].some((option) => option.value === event.conversation)) {
      conversation.append(h("option", { value: event.conversation }, `${moment(event.ts)} · ${event.modelIdRouted ?? event.modelIdResolved}`));
    }
    conversation.value = event.conversation;
    prompt.focus();
  }
  return { nextTurnOf };
}

async function fillConversations(select) {
  const found = await load(`history/conversations?${new URLSearchParams({ since: Math.floor(RANGES["7"]()), n: CONVERSATIONS_SHOWN })}`).catch(() => null);
  if (!found) return;
  const chosen = select.value;
  const rows = found.rows.filter((row) => row.conversation).sort((a, b) => b.last - a.last);
  select.replaceChildren(select.options[0], ...rows.map((row) => h("option", { value: row.conversation }, nameOf(row))));
  select.value = rows.some((row) => row.conversation === chosen) ? chosen : "";
}

function nameOf(row) {
  const model = row.models.at(-1) ?? "";
  return [moment(row.last), row.agent, `${count(row.requests)} request${row.requests === 1 ? "" : "s"}`, model.slice(model.indexOf("/") + 1)].filter(Boolean).join(" · ");
}

/** The request that a text is the JSON of; null for a prompt. */
export function asRequest(text) {
  if (!text.trimStart().startsWith("{")) return null;
  try {
    const value = JSON.parse(text);
    return REQUEST_FIELDS.some((name) => name in value) ? value : null;
  } catch {
    return null;
  }
}

async function ask(text, conversation, result) {
  if (!text.trim()) return;
  result.setAttribute("aria-busy", "true");
  try {
    const question = asRequest(text) ?? { prompt: text };
    const answer = await load("../v1/route/explain", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(conversation ? { ...question, conversation } : question),
    });
    result.replaceChildren(...explanation(answer).filter(Boolean));
  } catch (error) {
    result.replaceChildren(h("p", { class: "error" }, `The gateway could not explain this: ${error.message}`));
  } finally {
    result.removeAttribute("aria-busy");
  }
}

function explanation(answer) {
  const hops = (answer.hops ?? []).map((hop) => (typeof hop === "string" ? { model: hop } : hop));
  const bars = decisionSum(hops, hops[0]?.model);
  return [
    ...why({ ...answer, tierName: answer.tier }).filter(Boolean),
    answer.refusal ? h("p", { class: "error" }, answer.model ? answer.refusal.message : `Nobody would be asked: ${answer.refusal.message}`) : null,
    ...circumstances(answer).map((words) => h("p", { class: "quiet" }, words)),
    hops.length ? h("h2", {}, "Would be tried in this order") : null,
    bars ?? list(hops),
    bars ? reserves(hops.filter((hop) => !hop.cost)) : null,
    answer.skipped?.length ? skippedList(answer.skipped) : null,
    answer.costEstimate === undefined ? null : h("p", { class: "estimate" }, money(answer)),
  ];
}

const KINDS = { subagent: "A sub-agent's turn.", compaction: "A compaction of the conversation.", side: "A side request: it moves nothing.", aside: "A question beside the conversation: it moves nothing." };

function circumstances({ kind, conversation, forecast }) {
  const said = KINDS[kind] ? [KINDS[kind]] : [];
  if (conversation?.known) {
    const cached = Object.entries(conversation.cached).map(([model, held]) => `${tokens(held)} tokens in the cache of ${model}`);
    said.push([`Its conversation: ${count(conversation.turns)} answer${conversation.turns === 1 ? "" : "s"}, at ${conversation.model}`, ...cached].join("; ") + ".");
  } else if (conversation) {
    said.push("Nothing is remembered of its conversation: it would be the first turn.");
  }
  if (forecast) said.push(`About ${tokens(forecast.inputTokens)} tokens in, ${tokens(forecast.outputTokens)} out; ${Math.round(forecast.turns)} more calls to come.`);
  return said;
}

function list(hops) {
  const rows = hops.slice(0, HOPS_SHOWN).map(({ model, reason }, place) =>
    h("li", { class: place ? "" : "first" }, h("span", { class: "label" }, model), h("span", { class: "quiet" }, place ? (reason ?? "") : "answers")),
  );
  return h("div", {}, h("ol", { class: "hops" }, ...rows), hops.length > HOPS_SHOWN ? h("p", { class: "quiet" }, `and ${hops.length - HOPS_SHOWN} more in reserve`) : null);
}

function reserves(hops) {
  return hops.length ? h("p", { class: "quiet" }, `in reserve: ${hops.map((hop) => hop.model).join(", ")}`) : null;
}

function money({ costEstimate, savings }) {
  if (costEstimate === null) return "What an answer costs is unknown: no price is stated or published for this model.";
  const saved = savings > 0 ? `, ${percent(savings)} below the baseline` : "";
  return `About ${dollars(costEstimate)} for an answer${saved}.`;
}
