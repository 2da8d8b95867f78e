// Client keys: a token for each person or program, with limits; a token is shown once, when it is made.

import { field } from "./accounts.js";
import { post } from "./change.js";
import { ask, attempt, note } from "./dialog.js";
import { h } from "./dom.js";
import { dollars } from "./format.js";
import { settle } from "./keep.js";

export function clientKeys(settings, tools) {
  const rows = settings.clientKeys.map((key) => row(key, tools));
  return [
    rows.length ? h("ul", { class: "lines" }, ...rows) : h("p", { class: "nothing" }, "No client keys: everybody sends the gateway's own token."),
    addForm(tools),
  ];
}

function row(key, tools) {
  const limits = [
    key.daily_cost_budget === null ? null : `${dollars(key.daily_cost_budget)} a day`,
    key.daily_request_budget === null ? null : `${key.daily_request_budget} requests a day`,
    key.allowlist_models.length ? key.allowlist_models.join(", ") : "all models",
  ];
  return h(
    "li",
    { class: "line-row" },
    h("span", { class: "grow" }, h("b", {}, key.name), h("span", { class: "quiet" }, ` ${limits.filter(Boolean).join(" · ")}`)),
    h("button", { type: "button", class: "toggle", "aria-label": `Remove ${key.name}`, onclick: () => remove(key.name, tools) }, "Remove"),
  );
}

async function remove(name, tools) {
  const body = [h("p", {}, "Whoever sends its token is refused from then on.")];
  if (!(await ask({ title: `Remove the client key ${name}?`, body, yes: "Remove", danger: true }))) return;
  const done = await attempt(() => post("client-keys/remove", { name, version: tools.version() }));
  await tools.refresh();
  if (done) note(`${name} is removed.`, { undo: () => tools.undo(done.undo, name) });
}

function addForm(tools) {
  const name = h("input", { id: "client-name", type: "text", required: true, autocomplete: "off", pattern: "[A-Za-z0-9][A-Za-z0-9_.\\-]{0,63}" });
  const cost = h("input", { id: "client-cost", type: "number", min: "0", step: "any", inputmode: "decimal" });
  const requests = h("input", { id: "client-requests", type: "number", min: "0", step: "1", inputmode: "numeric" });
  const form = h(
    "form",
    { class: "add-form" },
    field("Name", name),
    field("Dollars a day", cost),
    field("Requests a day", requests),
    h("div", { class: "form-row" }, h("button", { type: "submit", class: "primary" }, "Add client")),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const limits = { daily_cost_budget: number(cost), daily_request_budget: number(requests) };
    const made = await attempt(() => post("client-keys/add", { name: name.value, limits, version: tools.version() }));
    if (!made) return;
    const title = `The token of ${name.value}`;
    settle(form);
    await tools.refresh();
    await ask({ title, body: [h("p", {}, "It is not shown again."), h("pre", { class: "token", tabindex: "0" }, made.token)], yes: "I have it" });
  });
  return form;
}

function number(input) {
  return input.value === "" ? null : Number(input.value);
}
