// Everything known of one request.

import { h, icon } from "./dom.js";
import { NONE, dateAndTime, dollars, milliseconds, percent, tokens } from "./format.js";
import { decisionSum } from "./sum.js";
import { models, status, tags } from "./rows.js";
import { why } from "./why.js";

export function detail(event, { onClose, onNextTurn }) {
  return [
    h(
      "header",
      { class: "detail-head" },
      h("h2", { tabindex: "-1" }, ...models(event)),
      h("button", { class: "ghost", type: "button", onclick: onClose, "aria-label": "Close the request" }, icon("cross")),
    ),
    h("p", { class: "meta" }, status(event), h("time", {}, dateAndTime(event.ts)), tags(event)),
    event.errorMessage ? h("p", { class: "error" }, event.errorMessage) : null,
    section("Why this tier", ...whyOf(event)),
    sumOf(event),
    event.conversation && event.routing?.forecast ? h("button", { type: "button", class: "toggle next-turn", onclick: () => onNextTurn(event) }, "Try its next turn") : null,
    section("Route", attempts(event), skipped(event)),
    section("Time", timing(event)),
    section("Tokens and cost", money(event)),
    event.notes?.length ? section("Changed on the way", notes(event)) : null,
    section("Request", facts(event)),
    event.promptText ? section("Prompt", h("pre", { class: "prompt", tabindex: "0" }, event.promptText)) : null,
    raw(event),
  ];
}

function section(title, ...content) {
  return h("section", {}, h("h3", {}, title), ...content);
}

function sumOf(event) {
  const bars = decisionSum(event.routing?.hops, event.modelIdResolved ?? event.routing?.hops?.[0]?.model);
  return bars ? section("Why this model", bars) : null;
}

function whyOf(event) {
  const routing = event.routing ?? {};
  return why({
    tierName: event.routingTier,
    confidence: event.routingConfidence,
    method: event.routingTier ? routing.method : null,
    score: routing.score,
    reasoning: event.routingReasoning,
    floors: routing.floors,
    dimensions: routing.dimensions,
  });
}

function attempts(event) {
  if (!event.attempts?.length) return h("p", { class: "quiet" }, "No provider was called.");
  const longest = Math.max(...event.attempts.map((attempt) => attempt.latencyMs ?? 0)) || 1;
  const rows = event.attempts.map((attempt) => {
    const fine = attempt.outcome === "ok";
    return h(
      "li",
      { class: fine ? "good" : "bad" },
      h("span", { class: "mark" }, icon(fine ? "check" : "cross"), h("span", { class: "sr" }, fine ? "answered: " : "failed: ")),
      h("span", { class: "label" }, `${attempt.provider}/${attempt.model}`),
      h("span", { class: "took" }, attempt.latencyMs === undefined ? "" : milliseconds(attempt.latencyMs)),
      h("span", { class: "track", "aria-hidden": "true" }, h("span", { style: { width: `${((attempt.latencyMs ?? 0) / longest) * 100}%` } })),
      h("span", { class: "quiet" }, [attempt.status, fine ? null : attempt.outcome, attempt.reason, attempt.credential].filter(Boolean).join(" · ")),
    );
  });
  return h("ol", { class: "attempts" }, ...rows);
}

/** Models that were passed over, with the reason. */
export function skippedList(list) {
  const rows = list.map(({ model, reason }) => h("li", {}, icon("skip"), h("span", { class: "label" }, model), h("span", { class: "quiet" }, reason)));
  return h("ul", { class: "skipped", "aria-label": "Passed over" }, ...rows);
}

function skipped(event) {
  return event.routing?.skipped?.length ? skippedList(event.routing.skipped) : null;
}

function timing(event) {
  const { latencyMs, firstTokenMs, tokensPerSecond } = event;
  if (latencyMs === undefined) return h("p", { class: "quiet" }, "No times.");
  const share = firstTokenMs === undefined ? 1 : Math.min(1, firstTokenMs / (latencyMs || 1));
  return [
    h("div", { class: "timing", "aria-hidden": "true" }, h("span", { class: "until-first", style: { width: `${share * 100}%` } })),
    pairs([
      ["until the first token", firstTokenMs === undefined ? NONE : milliseconds(firstTokenMs)],
      ["whole answer", milliseconds(latencyMs)],
      ["speed", tokensPerSecond ? `${Math.round(tokensPerSecond)} tokens/s` : NONE],
    ]),
  ].flatMap((part) => part);
}

function money(event) {
  const used = event.tokens ?? {};
  const cost = event.cost ?? {};
  const counted = (value) => (value === undefined ? NONE : tokens(value));
  const paid = (value) => (value === undefined ? NONE : dollars(value));
  const saved = cost.saved === undefined ? NONE : `${dollars(cost.saved)}${event.savings ? ` (${percent(event.savings)})` : ""}`;
  return pairs([
    ["tokens in", used.inputEstimated === undefined ? counted(used.input) : `${counted(used.input)} (estimated ${counted(used.inputEstimated)})`],
    ["from cache", counted(used.cacheRead)],
    ["written to cache", counted(used.cacheCreation)],
    ["tokens out", used.reasoning ? `${counted(used.output)} (${counted(used.reasoning)} reasoning)` : counted(used.output)],
    ["cost", cost.unpriced ? `unknown · ${cost.unpriced}` : event.subscription ? `${paid(cost.actual)}, covered by a plan` : event.paidBy === "extra" ? `${paid(cost.actual)}, a plan's extra usage` : paid(cost.actual)],
    ["of the plan", windowShares(event.windows)],
    ["estimated before", paid(cost.estimated)],
    ["at the baseline", cost.baseline === undefined ? NONE : `${paid(cost.baseline)} · ${event.routing?.baselineModel ?? "baseline model"}`],
    ["saved", saved],
    ["spend guard", [event.spend?.decision ?? "not asked", event.spend?.code].filter(Boolean).join(" · ")],
  ]);
}

/** What the answer took of each of its plan's windows; how full they were is told by the provider, the rest is an estimate. */
function windowShares(windows = []) {
  return windows
    .map(({ window, used, estimatedShare }) => `${window}: about ${estimatedShare === undefined ? "?" : `${(100 * estimatedShare).toFixed(2)}%`} (${percent(used)} were used)`)
    .join(", ");
}

function notes(event) {
  const rows = event.notes.map(({ action, subject, reason }) =>
    h("li", {}, h("span", { class: "tag idle" }, action), h("code", {}, subject), h("span", { class: "quiet" }, reason)),
  );
  return h("ul", { class: "notes" }, ...rows);
}

function facts(event) {
  return pairs([
    ["path", `${event.method} ${event.path}`],
    ["client", event.client],
    ["agent", event.userAgent],
    ["conversation", event.conversation],
    ["session", event.sessionKey],
    ["tools", event.toolCount ? String(event.toolCount) : null],
    ["streamed", event.stream ? "yes" : "no"],
    ["finish", event.finishReason],
    ["credential", event.credential],
    ["upstream", event.upstreamUrl],
    ["request id", event.requestId],
    ["trace", event.traceparent],
  ]);
}

function pairs(list) {
  const told = list.filter(([, value]) => value !== undefined && value !== null && value !== "");
  return h("dl", { class: "pairs" }, ...told.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
}

function raw(event) {
  const text = JSON.stringify(event, null, 2);
  return h("details", { class: "raw" }, h("summary", {}, "As JSON"), h("pre", { tabindex: "0" }, text));
}
