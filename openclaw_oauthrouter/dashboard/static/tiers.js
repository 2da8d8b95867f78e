// Tiers: four lists of models, put in order by dragging or by the keyboard; nothing changes until the draft is reviewed.

import { h, icon } from "./dom.js";
import { keepPlace } from "./keep.js";
import { load } from "./stream.js";

const NAMES = ["SIMPLE", "MEDIUM", "COMPLEX", "REASONING"];
const SHOWN = 6;

export class Tiers {
  #draft = new Map();
  #settings = null;
  #box = h("div", { class: "tier-editor" });
  #dragged = null;
  #names = null;
  #open = null;

  constructor(tools) {
    this.tools = tools;
  }

  /** Draws what is in force, and over it the draft that was begun. */
  show(settings) {
    this.#settings = settings;
    this.#draw();
    this.#loadNames();
    return this.#box;
  }

  #models(tier) {
    return this.#draft.get(tier) ?? this.#settings.tiers[tier].models.map((row) => row.model);
  }

  #draw(focus) {
    const changed = this.#draft.size > 0;
    const buttons = h(
      "div",
      { class: "form-row" },
      h("button", { type: "button", class: "primary", disabled: !changed, onclick: () => this.#review() }, "Review tiers"),
      h("button", { type: "button", class: "toggle", disabled: !changed, onclick: () => this.#discard() }, "Discard"),
      h("span", { class: "quiet" }, "Drag models, press one for its moves, or use the arrow keys; Delete takes one out."),
    );
    const names = h("datalist", { id: "model-names" }, ...(this.#names ?? []).map((value) => h("option", { value })));
    keepPlace(this.#box, () => this.#box.replaceChildren(h("div", { class: "tier-columns" }, ...NAMES.map((tier) => this.#column(tier))), buttons, names));
    if (this.#settings.readOnly) for (const field of this.#box.querySelectorAll("button, input")) field.disabled = true;
    if (focus) this.#box.querySelector(`[data-tier="${focus.tier}"] [data-model="${CSS.escape(focus.model)}"]`)?.focus();
  }

  #column(tier) {
    const { computed } = this.#settings.tiers[tier];
    const drafted = this.#draft.has(tier);
    const models = this.#models(tier);
    const list = h("ol", { class: "tier-list", "aria-label": `Models of ${tier}` }, ...models.slice(0, drafted || !computed ? models.length : SHOWN).map((model, place) => this.#item(tier, model, place)));
    const rest = computed && !drafted ? models.length - SHOWN : 0;
    const column = h(
      "div",
      { class: "tier-column", "data-tier": tier },
      h("h3", {}, h("span", { class: `chip tier-${tier.toLowerCase()}` }, tier), h("span", { class: "quiet" }, drafted ? "changed" : computed ? "computed" : "chosen")),
      list,
      rest > 0 ? h("p", { class: "quiet" }, `and ${rest} more in reserve`) : null,
      this.#adding(tier),
      !computed && !drafted ? h("button", { type: "button", class: "link", onclick: () => this.tools.propose([{ key: ["routing", "tiers", tier], value: null }], `Compute ${tier} again`) }, "Compute it again") : null,
    );
    column.addEventListener("dragover", (event) => this.#dragged && event.preventDefault());
    column.addEventListener("drop", (event) => this.#drop(event, tier));
    return column;
  }

  #item(tier, model, place) {
    const row = this.#settings.tiers[tier].models.find((one) => one.model === model);
    const problem = row?.problem;
    const element = h(
      "li",
      { class: `tier-item${place ? "" : " first"}${problem ? " unusable" : ""}`, draggable: this.#settings.readOnly ? null : "true" },
      h(
        "button",
        {
          type: "button",
          class: "tier-name",
          "data-model": model,
          "data-key": `${tier} ${model}`,
          title: problem ?? row?.why,
          "aria-label": `${model}, ${place + 1} of ${tier}${problem ? `, ${problem}` : ""}; arrows move it`,
          "aria-expanded": String(this.#isOpen(tier, model)),
          onclick: () => this.#toggle(tier, model),
          onkeydown: (event) => this.#key(event, tier, model),
        },
        icon("grip"),
        h("span", {}, model),
      ),
      h("button", { type: "button", class: "ghost small", "aria-label": `Take ${model} out of ${tier}`, onclick: () => this.#remove(tier, model) }, icon("cross")),
      this.#isOpen(tier, model) ? this.#moves(tier, model, place) : null,
    );
    element.addEventListener("dragstart", (event) => {
      this.#dragged = { tier, model };
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", model);
    });
    element.addEventListener("dragend", () => (this.#dragged = null));
    element.addEventListener("dragover", () => element.classList.add("over"));
    element.addEventListener("dragleave", () => element.classList.remove("over"));
    return element;
  }

  #isOpen(tier, model) {
    return this.#open?.tier === tier && this.#open.model === model;
  }

  #toggle(tier, model) {
    this.#open = this.#isOpen(tier, model) || this.#settings.readOnly ? null : { tier, model };
    this.#draw({ tier, model });
  }

  // For fingers, and for whoever does not drag.
  #moves(tier, model, place) {
    const last = this.#models(tier).length - 1;
    const move = (words, to, at, disabled = false) => h("button", { type: "button", class: "toggle", "data-key": `${words} ${tier} ${model}`, disabled, onclick: () => this.#put(model, tier, to, at) }, words);
    const others = NAMES.filter((name) => name !== tier);
    return h(
      "div",
      { class: "tier-moves", role: "group", "aria-label": `Move ${model}` },
      move("First", tier, 0, place === 0),
      move("Up", tier, place - 1, place === 0),
      move("Down", tier, place + 1, place === last),
      ...others.map((name) => move(`To ${name}`, name, 0)),
    );
  }

  #discard() {
    this.#draft.clear();
    this.#open = null;
    this.#draw();
  }

  #adding(tier) {
    const input = h("input", { type: "text", list: "model-names", "aria-label": `Add a model to ${tier}`, placeholder: "Add a model", autocomplete: "off", spellcheck: "false" });
    const form = h("form", { class: "tier-add" }, input, h("button", { type: "submit", class: "ghost small", "aria-label": `Add it to ${tier}` }, icon("plus")));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const model = input.value.trim();
      if (model) this.#put(model, null, tier, this.#models(tier).length);
    });
    return form;
  }

  #drop(event, tier) {
    event.preventDefault();
    if (!this.#dragged) return;
    const items = [...event.currentTarget.querySelectorAll(".tier-item")];
    const before = items.findIndex((item) => event.clientY < item.getBoundingClientRect().top + item.offsetHeight / 2);
    const { tier: from, model } = this.#dragged;
    this.#dragged = null;
    this.#put(model, from, tier, before < 0 ? items.length : before);
  }

  #key(event, tier, model) {
    const place = this.#models(tier).indexOf(model);
    const column = NAMES.indexOf(tier);
    const moves = {
      ArrowUp: [tier, place - 1],
      ArrowDown: [tier, place + 1],
      ArrowLeft: [NAMES[column - 1], place],
      ArrowRight: [NAMES[column + 1], place],
    };
    if (event.key === "Delete") this.#remove(tier, model);
    else if (moves[event.key]?.[0] && moves[event.key][1] >= 0) this.#put(model, tier, ...moves[event.key]);
    else return;
    event.preventDefault();
  }

  /** Moves a model within or between tiers; a place counts among the models as they stand before. */
  #put(model, from, tier, place) {
    const present = this.#models(tier).indexOf(model);
    const target = this.#models(tier).filter((one) => one !== model);
    const dropped = present >= 0 && place > present && from === tier && place - present > 1 ? place - 1 : place;
    target.splice(Math.min(dropped, target.length), 0, model);
    if (from && from !== tier) this.#draft.set(from, this.#models(from).filter((one) => one !== model));
    this.#draft.set(tier, target);
    if (from && this.#isOpen(from, model)) this.#open = { tier, model };
    this.#draw({ tier, model });
  }

  #remove(tier, model) {
    this.#draft.set(tier, this.#models(tier).filter((one) => one !== model));
    this.#draw();
  }

  async #review() {
    const changes = [...this.#draft].map(([tier, [primary, ...fallback]]) => ({ key: ["routing", "tiers", tier], value: primary ? { primary, fallback } : null }));
    if (await this.tools.propose(changes, "Change tiers")) this.#discard();
  }

  async #loadNames() {
    if (this.#names) return;
    this.#names = await load("models?all=1").then(({ models }) => models.map((row) => row.model), () => []);
    this.#box.querySelector("datalist")?.replaceChildren(...this.#names.map((value) => h("option", { value })));
  }
}
