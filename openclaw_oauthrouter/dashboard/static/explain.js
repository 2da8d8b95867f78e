// Try a prompt: what would the gateway do with it? Nothing is sent to a provider.

import { h } from "./dom.js";
import { dollars, percent } from "./format.js";
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

export function setUpExplain(form, result, examples) {
  const prompt = form.elements.prompt;
  examples.append(...EXAMPLES.map((text) => h("button", { type: "button", class: "example", onclick: () => use(text) }, text)));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask(prompt.value, result);
  });
  prompt.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) form.requestSubmit();
  });
  function use(text) {
    prompt.value = text;
    form.requestSubmit();
  }
}

async function ask(prompt, result) {
  if (!prompt.trim()) return;
  result.setAttribute("aria-busy", "true");
  try {
    const answer = await load("../v1/route/explain", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ prompt }),
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
  const rows = hops.slice(0, HOPS_SHOWN).map(({ model, reason }, place) =>
    h("li", { class: place ? "" : "first" }, h("span", { class: "label" }, model), h("span", { class: "quiet" }, place ? (reason ?? "") : "answers")),
  );
  return [
    ...why({ ...answer, tierName: answer.tier }).filter(Boolean),
    rows.length ? h("h2", {}, "Would be tried in this order") : null,
    rows.length ? h("ol", { class: "hops" }, ...rows) : null,
    hops.length > HOPS_SHOWN ? h("p", { class: "quiet" }, `and ${hops.length - HOPS_SHOWN} more in reserve`) : null,
    decisionSum(hops, hops[0]?.model),
    answer.skipped?.length ? skippedList(answer.skipped) : null,
    answer.costEstimate === undefined ? null : h("p", { class: "estimate" }, money(answer)),
  ];
}

function money({ costEstimate, savings }) {
  if (costEstimate === null) return "What an answer costs is unknown: no price is stated or published for this model.";
  const saved = savings > 0 ? `, ${percent(savings)} below the baseline` : "";
  return `About ${dollars(costEstimate)} for an answer${saved}.`;
}
