// The models page: price, window, abilities, state, and who uses what.

import { h, icon } from "./dom.js";
import { NONE, count, dollars, tokens } from "./format.js";
import { spanOf, sums } from "./history.js";
import { attempt } from "./dialog.js";
import { keepPlace } from "./keep.js";
import { marked } from "./marks.js";
import { load } from "./stream.js";

const STATES = { ready: ["ok", "ready"], resting: ["warn", "resting"], unusable: ["idle", "not usable"] };
const SOON_DAYS = 60;
const SHOWN_USERS = 3;

const COLUMNS = [
  ["model", "Model", (row) => row.model],
  ["state", "State", (row) => row.state],
  ["price", "$ in / out", (row) => row.price?.input ?? Infinity, true],
  ["window", "Window", (row) => -(row.contextWindow ?? 0), true],
  ["ability", "Ability", (row) => -(row.ability ?? -1), true],
  ["takes", "Takes", (row) => row.model],
  ["place", "Place", (row) => (row.tiers.length ? row.tiers.join() : "~")],
  ["used", "30 days", (row) => -(row.uses?.requests ?? 0), true],
  ["users", "Used by", (row) => row.users[0]?.client ?? "~"],
];

/** Fills the page; returns `{refresh}`. */
export function modelsPage(page) {
  const state = { rows: [], sort: null, today: null };
  const search = h("input", { id: "model-search", type: "search", "aria-label": "Search models", placeholder: "Search: haiku, openai, images", autocomplete: "off", spellcheck: "false", oninput: draw });
  const all = h("input", { id: "model-all", type: "checkbox", onchange: refresh });
  const told = h("span", { class: "quiet", role: "status" });
  const head = h("tr", {}, ...COLUMNS.map(([key, words, , numeric]) => h("th", { scope: "col", class: numeric ? "number" : null, "data-key": key }, h("button", { type: "button", class: "sort", onclick: () => sortBy(key) }, words))));
  const body = h("tbody", {});
  page.append(
    h("div", { class: "page-head" }, h("h2", { class: "page-title" }, "Models"), h("div", { class: "toolbar" }, search, h("label", { class: "check" }, all, "of all providers"), told)),
    h("div", { class: "card table-card" }, h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Models" }, h("table", { class: "models-table" }, h("thead", {}, head), body))),
  );

  async function refresh({ again = false } = {}) {
    const ask = () => load(`models${all.checked ? "?all=1" : ""}`);
    const answer = again ? await ask().catch(() => null) : await attempt(ask);
    if (!answer) return;
    const [{ models }, users] = await Promise.all([sums(spanOf("30")).catch(() => ({ models: {} })), load(`history/users?since=${spanOf("30").since}`).catch(() => ({ models: {} }))]);
    state.rows = answer.models.map((row) => ({ ...row, uses: models[row.model], users: users.models[row.model] ?? [] }));
    state.today = answer.today;
    draw();
  }

  function sortBy(key) {
    state.sort = state.sort?.key === key ? { key, down: !state.sort.down } : { key, down: false };
    for (const cell of head.children) {
      const chosen = cell.dataset.key === key;
      if (chosen) cell.setAttribute("aria-sort", state.sort.down ? "descending" : "ascending");
      else cell.removeAttribute("aria-sort");
    }
    draw();
  }

  function draw() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = state.rows.filter((row) => words.every((word) => haystack(row).includes(word)));
    if (state.sort) {
      const [, , value] = COLUMNS.find(([key]) => key === state.sort.key);
      const sign = state.sort.down ? -1 : 1;
      found.sort((a, b) => sign * (value(a) < value(b) ? -1 : value(a) > value(b) ? 1 : 0));
    }
    told.textContent = found.length === state.rows.length ? `${count(found.length)} models` : `${count(found.length)} of ${count(state.rows.length)}`;
    keepPlace(body, () => body.replaceChildren(...found.map((row) => line(row, state.today))));
    if (!found.length) body.append(h("tr", {}, h("td", { colspan: COLUMNS.length, class: "nothing" }, state.rows.length ? "No model fits the search." : "No provider can be used yet: add a key under Settings.")));
  }

  return { refresh };
}

function haystack(row) {
  return [row.model, row.title, row.state, ...row.tiers, ...row.aliases, row.images ? "images" : "", row.documents ? "documents" : "", row.tools ? "tools" : "", row.reasons ? "reasoning" : "", ...row.users.flatMap(({ client, agent }) => [client, agent])].join(" ").toLowerCase();
}

function line(row, today) {
  const [dot, words] = STATES[row.state];
  const cells = {
    model: h("th", { scope: "row" }, h("span", { class: "model-title" }, row.title), h("span", { class: "quiet block" }, ...marked(row.model))),
    state: h("td", {}, h("span", { class: `dot state-${dot}` }), words, row.reason ? h("span", { class: "block quiet reason" }, row.reason) : null, retirement(row, today)),
    price: h("td", { class: "number" }, row.price ? `${figure(row.price.input)} / ${figure(row.price.output)}` : h("span", { class: "quiet" }, "not known")),
    window: h("td", { class: "number" }, row.contextWindow ? tokens(row.contextWindow) : NONE),
    ability: h("td", { class: "number" }, row.ability === null ? NONE : row.ability.toFixed(0)),
    takes: h("td", { class: "takes" }, ...abilities(row)),
    place: h("td", {}, ...row.tiers.map(place), ...row.aliases.map((alias) => h("code", { class: "tag idle" }, alias))),
    used: h("td", { class: "number" }, row.uses ? h("span", {}, count(row.uses.requests), h("span", { class: "quiet block" }, dollars(row.uses.paid + row.uses.plan))) : NONE),
  };
  cells.users = h("td", { class: "users" }, ...users(row.users));
  for (const [key, cell] of Object.entries(cells)) cell.dataset.cell = key;
  return h("tr", { class: row.state === "unusable" ? "unusable" : null }, ...COLUMNS.map(([key]) => cells[key]));
}

// With the gateway's own token every client is "default": what tells them apart is the program.
function users(rows) {
  const named = new Map();
  for (const { client, agent, requests } of rows) {
    const name = client && client !== "default" ? client : agent || client || "unknown";
    named.set(name, (named.get(name) ?? 0) + requests);
  }
  const all = [...named].sort((a, b) => b[1] - a[1]);
  const words = all.map(([name, requests]) => `${name} ${count(requests)}`).join(", ");
  const shown = all.slice(0, SHOWN_USERS).map(([name, requests]) => h("span", { class: "user" }, name, h("span", { class: "quiet" }, ` ${count(requests)}`)));
  return all.length > SHOWN_USERS ? [...shown, h("span", { class: "quiet", title: words }, `and ${all.length - SHOWN_USERS} more`)] : shown;
}

function figure(value) {
  return value === null ? NONE : value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}

function place(name) {
  const [tier, number] = name.split(" ");
  return h("span", { class: `chip tier-${tier.toLowerCase()}${number ? " behind" : ""}`, title: number ? `${number}. of ${tier}` : `first of ${tier}` }, number ? `${tier} ${number}` : tier);
}

function abilities(row) {
  const all = [["images", "image", "images"], ["documents", "file", "documents"], ["tools", "tool", "tools"], ["reasons", "thought", "reasoning"]];
  return all.filter(([key]) => row[key]).map(([, drawn, words]) => h("span", { title: words }, icon(drawn), h("span", { class: "sr" }, `${words} `)));
}

function retirement(row, today) {
  if (!row.retires) return null;
  const days = Math.round((Date.parse(row.retires) - Date.parse(today ?? new Date().toISOString())) / 86_400_000);
  const words = days <= 0 ? `retired ${row.retires}` : `retires ${row.retires}`;
  return h("span", { class: `block ${days < SOON_DAYS ? "warn-words" : "quiet"}` }, row.successor ? `${words}, then ${row.successor}` : words);
}
