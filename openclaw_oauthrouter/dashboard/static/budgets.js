// Budgets: how much may be spent in an hour, a day, a week, a month; for everybody, and for single providers, models or clients.

import { field } from "./accounts.js";
import { h } from "./dom.js";
import { count, dollars } from "./format.js";

const LIMITS = [
  ["hourly_cost_budget", "Dollars an hour"],
  ["daily_cost_budget", "Dollars a day"],
  ["weekly_cost_budget", "Dollars a week"],
  ["monthly_cost_budget", "Dollars a month"],
  ["daily_request_budget", "Requests a day"],
];
const PERIODS = ["hour", "day", "week", "month", "request"];
const QUANTITIES = { cost: "dollars", requests: "requests", input_tokens: "tokens in", output_tokens: "tokens out" };

export function budgets(settings, tools) {
  const fields = LIMITS.map(([name, words]) => [name, words, h("input", { id: `budget-${name}`, type: "number", min: "0", step: "any", inputmode: "decimal", value: settings.spend[name] ?? "", placeholder: "no limit" })]);
  const exceeded = h("select", { id: "budget-exceeded" }, option("refuse", "refuse the request"), option("downgrade", "try cheaper models"));
  exceeded.value = settings.spend.on_exceeded;
  const form = h(
    "form",
    { class: "add-form" },
    ...fields.map(([, words, input]) => field(words, input)),
    field("When money is short", exceeded),
    h("div", { class: "form-row" }, h("button", { type: "submit", class: "primary" }, "Review budgets")),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const values = [...fields.map(([name, , input]) => [name, input.value === "" ? null : Number(input.value)]), ["on_exceeded", exceeded.value]];
    const changes = values.filter(([name, value]) => value !== (settings.spend[name] ?? null)).map(([name, value]) => ({ key: ["spend_controls", name], value }));
    if (changes.length) tools.propose(changes, "Change budgets", form);
  });
  return [form, rows(settings, tools), addForm(settings, tools)];
}

function rows(settings, tools) {
  const list = settings.spend.budgets;
  if (!list.length) return null;
  const lines = list.map((budget, place) => {
    const words = describe(budget);
    const rest = list.filter((_, other) => other !== place);
    const change = { key: ["spend_controls", "budgets"], value: rest.length ? rest : null };
    return h(
      "li",
      { class: "line-row" },
      h("span", { class: "grow" }, words),
      h("button", { type: "button", class: "toggle", "aria-label": `Remove: ${words}`, onclick: () => tools.propose([change], `Remove: ${words}`) }, "Remove"),
    );
  });
  return h("ul", { class: "lines" }, ...lines);
}

function describe(budget) {
  const quantity = Object.keys(QUANTITIES).find((name) => budget[name] !== undefined);
  const amount = quantity === "cost" ? dollars(budget.cost) : `${count(budget[quantity])} ${QUANTITIES[quantity]}`;
  const whom = budget.provider ?? budget.model ?? budget.client ?? (budget.each ? `each ${budget.each}` : "everybody");
  return `${amount} ${budget.period === "hour" ? "an" : "a"} ${budget.period} for ${whom}`;
}

function addForm(settings, tools) {
  const quantity = h("select", { id: "more-quantity" }, ...Object.entries(QUANTITIES).map(([value, words]) => option(value, words)));
  const amount = h("input", { id: "more-amount", type: "number", min: "0", step: "any", required: true, inputmode: "decimal" });
  const period = h("select", { id: "more-period" }, ...PERIODS.map((name) => option(name, name)));
  period.value = "day";
  const whom = h("select", { id: "more-whom" }, option("provider", "a provider"), option("model", "a model"), option("client", "a client key"), option("each", "each client, conversation, model or provider"));
  const name = h("input", { id: "more-name", type: "text", required: true, autocomplete: "off", placeholder: "openai" });
  whom.addEventListener("change", () => (name.placeholder = { provider: "openai", model: "openai/gpt-5.4", client: "nightly", each: "conversation" }[whom.value]));
  const form = h(
    "form",
    { class: "add-form" },
    field("Limit", amount),
    field("Counted in", quantity),
    field("In each", period),
    field("For", whom),
    field("Its name", name),
    h("div", { class: "form-row" }, h("button", { type: "submit", class: "toggle" }, "Review limit")),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const budget = { period: period.value, [quantity.value]: Number(amount.value), [whom.value]: name.value };
    tools.propose([{ key: ["spend_controls", "budgets"], value: [...settings.spend.budgets, budget] }], `Add: ${describe(budget)}`, form);
  });
  return h("details", {}, h("summary", {}, "One more limit"), form);
}

/** An option of a choice. */
export function option(value, words) {
  return h("option", { value }, words);
}
