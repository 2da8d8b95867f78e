// The sum of a decision: what each candidate would cost, in its parts, as one small bar a candidate; the shortest was taken first.
// A bar opens to its figures, so that they can be read without a mouse.

import { h, icon } from "./dom.js";
import { tokens } from "./format.js";

const SHOWN = 6;
const MICRO = 1_000_000;

// A plan does not charge list price: its windows' shadow price is a share of it, so that share is what counts.
const PARTS = [
  ["accent", "this call", (cost) => cost.turn * cost.shadow],
  ["simple", "calls to come", (cost) => cost.coming * cost.shadow],
  ["warn", "below the tier it needs", (cost) => cost.shortfall],
  ["quiet", "behind the model you put first", (cost) => cost.preference],
];

/** The bars of `[{model, reason, cost}]`; null where no sum was drawn up. */
export function decisionSum(hops, chosen) {
  const drawn = (hops ?? []).filter((hop) => hop.cost);
  if (!drawn.length) return null;
  const shown = drawn.slice(0, SHOWN);
  const first = shown.findIndex((hop) => hop.model === chosen); // other accounts may stand behind it with the same model
  const top = Math.max(...shown.map((hop) => Math.max(0, hop.cost.total))) || 1;
  const used = PARTS.filter(([, , part]) => shown.some((hop) => part(hop.cost) > 0));
  return h(
    "div",
    { class: "sums" },
    h("ul", { class: "legend" }, ...used.map(([tone, words]) => h("li", {}, h("span", { class: `dot tone-${tone}` }), words))),
    h("ol", {}, ...shown.map((hop, place) => line(hop, top, place === first))),
    drawn.length > SHOWN ? h("p", { class: "quiet" }, `and ${drawn.length - SHOWN} more that would cost more`) : null,
  );
}

function line({ model, reason, cost, credential }, top, chosen) {
  const amount = inDollars(top);
  const parts = PARTS.map(([tone, words, part]) => ({ tone, words, value: Math.max(0, part(cost)) })).filter((part) => part.value > 0);
  const bar = parts.map((part) => h("span", { class: `tone-${part.tone}`, style: { width: `${(part.value / top) * 100}%` } }));
  const plan = cost.shadow < 1 ? `a plan at ${Math.round(cost.shadow * 100)} % of list price` : null;
  return h(
    "li",
    { class: chosen ? "chosen" : null },
    h(
      "details",
      {},
      h(
        "summary",
        {},
        h("span", { class: "label" }, icon("chevron"), model),
        h("b", {}, amount(cost.total)),
        h("span", { class: "track", "aria-hidden": "true" }, ...bar),
        plan || (chosen && reason) ? h("span", { class: "quiet" }, [chosen ? reason : null, plan].filter(Boolean).join(" · ")) : null,
      ),
      figures(cost, parts, { "listed as": chosen ? null : reason, account: credential }, amount),
    ),
  );
}

function figures(cost, parts, facts, amount) {
  const rows = parts.map(({ words, value }) => [words, amount(value)]);
  if (cost.shadow < 1) rows.push(["at list price", `${amount(cost.turn)} + ${amount(cost.coming)}`]);
  if (cost.cachedTokens) rows.push(["in its prompt cache", `${tokens(cost.cachedTokens)} tokens`]);
  rows.unshift(...Object.entries(facts).filter(([, value]) => value));
  return h("dl", { class: "pairs" }, ...rows.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
}

// Sums are small, and close to one another: all with as many digits as tell the largest ones apart.
function inDollars(top) {
  const digits = Math.min(6, Math.max(2, 3 - Math.floor(Math.log10(top / MICRO))));
  return (micro) => `${micro < 0 ? "−" : ""}$${(Math.abs(micro) / MICRO).toFixed(digits)}`;
}
