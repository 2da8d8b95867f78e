// Draws panels by the view their state names, so that a panel of a third party needs no script.

import { seriesChart } from "./charts.js";
import { h } from "./dom.js";
import { keepPlace } from "./keep.js";
import { countdown, inUnit, percent } from "./format.js";

const STATE_WORDS = { ok: "fine", warn: "careful", bad: "out of order", idle: "not used" };

const VIEWS = {
  figures: (panel) => h("dl", { class: "figures" }, ...panel.items.map(figure)),
  series: (panel, options) => seriesChart(panel, options),
  shares,
  gauges: (panel) => h("ul", { class: "gauges" }, ...panel.items.map(gauge)),
  states: (panel) => h("ul", { class: "states" }, ...panel.items.map(state)),
  table,
  error: (panel) => h("p", { class: "failed" }, `This panel failed: ${panel.error}`),
};

/** Keeps a box per panel; draws again only what has changed. */
export class Panels {
  #drawn = new Map();

  constructor({ strip, rail }) {
    this.strip = strip;
    this.rail = rail;
  }

  /** `options`: the range of charts that have several, and how it is called. */
  show(panels, options) {
    for (const panel of panels) this.#show(panel, options);
  }

  #show(panel, options) {
    const state = JSON.stringify([panel, options]);
    const known = this.#drawn.get(panel.name) ?? this.#box(panel);
    if (known.state === state) return;
    known.state = state;
    known.heading.textContent = panel.title;
    // What is being read or selected stays; the next look brings it up to date.
    keepPlace(known.body, () => known.body.replaceChildren(body(panel, options)));
  }

  #box(panel) {
    const id = `panel-${panel.name}`;
    const known = { state: "", heading: h("h2", { id }), body: h("div", { class: "panel-body" }) };
    this.#drawn.set(panel.name, known);
    const home = panel.view === "figures" && panel.wide ? this.strip : this.rail;
    home.append(h("section", { class: `panel view-${panel.view}`, "aria-labelledby": id }, known.heading, known.body));
    return known;
  }
}

/** Brings every countdown on the page up to date. */
export function tick() {
  for (const element of document.querySelectorAll("[data-until]")) {
    const left = element.dataset.until * 1000 - Date.now();
    element.textContent = left > 0 ? `${element.dataset.words} ${countdown(element.dataset.until * 1000)}` : element.dataset.over;
  }
}

function body(panel, options) {
  const draw = VIEWS[panel.view];
  if (!draw) return h("pre", {}, JSON.stringify(panel, null, 1));
  const things = panel.items ?? panel.rows;
  if (things?.length === 0) return h("p", { class: "nothing" }, panel.empty ?? "Nothing yet.");
  return draw(panel, options);
}

function figure({ label, value, unit, note, tone }) {
  return h(
    "div",
    { class: "figure" },
    h("dt", {}, label),
    h("dd", {}, h("span", { class: `value${tone && value > 0 ? ` ${tone}` : ""}` }, inUnit(value, unit)), note ? h("span", { class: "note" }, note) : null),
  );
}

function shares(panel) {
  const total = panel.items.reduce((sum, item) => sum + item.value, 0);
  const parts = panel.items.filter((item) => item.value > 0);
  const bar = parts.map((item) => h("span", { class: `tone-${item.tone ?? "accent"}`, style: { "flex-grow": item.value } }));
  const rows = panel.items.map((item) =>
    h(
      "li",
      {},
      h("span", { class: `dot tone-${item.tone ?? "accent"}` }),
      h("span", { class: "label" }, item.label),
      h("span", { class: "amount" }, inUnit(item.value, panel.unit)),
      h("span", { class: "share" }, percent(total ? item.value / total : 0)),
    ),
  );
  return h("div", { class: "shares" }, h("div", { class: "share-bar", "aria-hidden": "true" }, ...bar), h("ul", {}, ...rows));
}

function gauge({ label, used, note, resetsAt, state: given, lasts }) {
  const part = Math.min(Math.max(used ?? 0, 0), 1);
  const pace = forecast(part, resetsAt, lasts);
  const kind = given ?? (part >= 0.95 ? "bad" : part >= 0.8 ? "warn" : "ok");
  return h(
    "li",
    { class: kind },
    h("div", { class: "line" }, h("span", { class: "label" }, label), h("b", {}, percent(part))),
    h(
      "div",
      { class: "meter", role: "meter", "aria-label": `${label} used`, "aria-valuenow": Math.round(part * 100), "aria-valuemin": 0, "aria-valuemax": 100 },
      h("span", { style: { width: `${part * 100}%` } }),
      pace ? h("i", { class: "pace", style: { left: `${pace.elapsed * 100}%` } }) : null,
    ),
    pace ? h("div", { class: `line quiet${pace.short ? " short" : ""}` }, pace.words) : null,
    h("div", { class: "line quiet" }, h("span", {}, note ?? ""), until(resetsAt, "resets in", "reset due")),
  );
}

// What becomes of a window if it goes on as so far; of no use before a little of it has passed.
function forecast(used, resetsAt, lasts) {
  if (!lasts || !resetsAt) return null;
  const left = resetsAt - Date.now() / 1000;
  const elapsed = 1 - left / lasts;
  if (left <= 0 || elapsed < 0.03 || elapsed > 1) return null;
  const end = used / elapsed;
  if (end < 1) return { elapsed, words: `at this pace ${percent(end)} at its end` };
  const full = Date.now() + ((1 - used) / (used / (elapsed * lasts))) * 1000;
  return { elapsed, short: true, words: used >= 1 ? "used up" : `at this pace used up in ${countdown(full)}` };
}

function state({ label, state: kind, note, until: moment }) {
  return h(
    "li",
    { class: kind },
    h("span", { class: `dot state-${kind}` }),
    h("span", { class: "label" }, label, h("span", { class: "sr" }, `: ${STATE_WORDS[kind] ?? kind}`)),
    h("span", { class: "quiet note" }, note ?? STATE_WORDS[kind] ?? ""),
    until(moment, "again in", "trying again"),
  );
}

function until(moment, words, over) {
  if (!moment) return null;
  const left = moment * 1000 - Date.now();
  const text = left > 0 ? `${words} ${countdown(moment * 1000)}` : over;
  return h("span", { class: "until", "data-until": moment, "data-words": words, "data-over": over }, text);
}

function table(panel) {
  const tops = panel.columns.map((_, place) => Math.max(...panel.rows.map((cells) => Number(cells[place]) || 0)));
  const heads = panel.columns.map((column) => h("th", { scope: "col", class: column.unit ? "number" : null }, column.label));
  const cell = (value, place) => {
    const column = panel.columns[place];
    if (!column.unit) return h("th", { scope: "row", title: value }, value);
    const bar = panel.bars && tops[place] && value ? h("span", { class: "cell-bar", style: { width: `${(value / tops[place]) * 100}%` } }) : null;
    return h("td", { class: "number" }, bar, h("span", {}, inUnit(value, column.unit)));
  };
  const rows = panel.rows.map((cells) => h("tr", {}, ...cells.map(cell)));
  return h("div", { class: "scroll" }, h("table", {}, h("thead", {}, h("tr", {}, ...heads)), h("tbody", {}, ...rows)));
}
