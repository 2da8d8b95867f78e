// The sum of a decision: what each candidate would cost, in its parts, as one small bar a candidate; the shortest was taken first.

import { h } from "./dom.js";
import { dollars } from "./format.js";

const SHOWN = 6;
const MICRO = 1_000_000;

// A plan does not charge list price: its windows' shadow price is a share of it, so that share is what counts.
const PARTS = [
  ["turn", "accent", "this call", (cost) => cost.turn * cost.shadow],
  ["coming", "simple", "calls to come", (cost) => cost.coming * cost.shadow],
  ["shortfall", "warn", "below the tier it needs", (cost) => cost.shortfall],
  ["preference", "quiet", "behind the model you put first", (cost) => cost.preference],
];

/** The bars of `[{model, reason, cost}]`; null where no sum was drawn up. */
export function decisionSum(hops, chosen) {
  const drawn = (hops ?? []).filter((hop) => hop.cost);
  if (!drawn.length) return null;
  const shown = drawn.slice(0, SHOWN);
  const top = Math.max(...shown.map((hop) => Math.max(0, hop.cost.total))) || 1;
  const used = PARTS.filter(([, , , part]) => shown.some((hop) => part(hop.cost) > 0));
  return h(
    "div",
    { class: "sums" },
    h("ul", { class: "legend" }, ...used.map(([, tone, words]) => h("li", {}, h("span", { class: `dot tone-${tone}` }), words))),
    h("ol", {}, ...shown.map((hop) => line(hop, top, hop.model === chosen))),
    drawn.length > SHOWN ? h("p", { class: "quiet" }, `and ${drawn.length - SHOWN} more that would cost more`) : null,
  );
}

function line({ model, reason, cost }, top, chosen) {
  const parts = PARTS.map(([key, tone, words, part]) => ({ key, tone, words, value: Math.max(0, part(cost)) })).filter((part) => part.value > 0);
  const told = parts.map((part) => `${part.words} ${dollars(part.value / MICRO)}`).join(", ");
  return h(
    "li",
    { class: chosen ? "chosen" : null, title: [reason, told].filter(Boolean).join(": ") },
    h("span", { class: "label" }, model),
    h("b", {}, dollars(cost.total / MICRO)),
    h(
      "span",
      { class: "track", role: "img", "aria-label": told || "nothing" },
      ...parts.map((part) => h("span", { class: `tone-${part.tone}`, style: { width: `${(part.value / top) * 100}%` } })),
    ),
    cost.shadow < 1 ? h("span", { class: "quiet" }, `a plan: its windows count ${Math.round(cost.shadow * 100)} % of the list price`) : null,
  );
}
