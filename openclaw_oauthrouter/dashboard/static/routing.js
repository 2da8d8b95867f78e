// Profile, aliases and providers: what is short enough to need no page of its own.

import { field } from "./accounts.js";
import { h } from "./dom.js";

const PROFILES = { economy: "cheaper models sooner", balanced: "as measured", quality: "stronger models sooner" };

export function profile(settings, tools) {
  const choices = Object.entries(PROFILES).map(([name, words]) =>
    h(
      "label",
      { class: "choice" },
      h("input", { type: "radio", name: "profile", value: name, checked: settings.routing.profile === name, onchange: () => tools.propose([{ key: ["routing", "profile"], value: name }], `Profile: ${name}`).then((done) => done || tools.refresh()) }),
      h("span", {}, h("b", {}, name), h("span", { class: "quiet block" }, words)),
    ),
  );
  return h("div", { class: "choices", role: "radiogroup", "aria-label": "Profile" }, ...choices);
}

export function aliases(settings, tools) {
  const rows = Object.entries(settings.routing.aliases).map(([name, model]) =>
    h(
      "li",
      { class: "line-row" },
      h("span", { class: "grow" }, h("code", {}, name), " means ", h("code", {}, model)),
      h("button", { type: "button", class: "toggle", "aria-label": `Remove the alias ${name}`, onclick: () => tools.propose([{ key: ["routing", "aliases", name], value: null }], `Remove the alias ${name}`) }, "Remove"),
    ),
  );
  const name = h("input", { id: "alias-name", type: "text", required: true, autocomplete: "off", placeholder: "fast" });
  const model = h("input", { id: "alias-model", type: "text", required: true, autocomplete: "off", list: "model-names", placeholder: "provider/model" });
  const form = h("form", { class: "add-form" }, field("Name a client may use", name), field("Model", model), h("div", { class: "form-row" }, h("button", { type: "submit", class: "toggle" }, "Review alias")));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    tools.propose([{ key: ["routing", "aliases", name.value.trim()], value: model.value.trim() }], `Alias ${name.value.trim()}`, form);
  });
  return [rows.length ? h("ul", { class: "lines" }, ...rows) : h("p", { class: "nothing" }, "No aliases."), form];
}

export function providers(settings, tools) {
  const shown = settings.providers.filter((provider) => provider.usable || provider.own || !provider.enabled);
  const rows = shown.map((provider) => {
    const turn = () => tools.propose([{ key: ["providers", provider.name, "enabled"], value: provider.enabled ? false : null }], `${provider.enabled ? "Switch off" : "Switch on"} ${provider.title}`);
    const state = provider.enabled ? (provider.usable ? "ok" : "idle") : "bad";
    const words = provider.enabled ? `${provider.models} models` : "switched off";
    return h(
      "li",
      { class: "line-row" },
      h("span", { class: `dot state-${state}` }),
      h("span", { class: "grow" }, h("b", {}, provider.title), h("span", { class: "quiet" }, ` ${[provider.name === provider.title ? null : provider.name, words].filter(Boolean).join(" · ")}`), provider.address ? h("span", { class: "quiet block address" }, provider.address) : null),
      h("button", { type: "button", class: "toggle", "aria-label": `${provider.enabled ? "Switch off" : "Switch on"} ${provider.title}`, onclick: turn }, provider.enabled ? "Switch off" : "Switch on"),
    );
  });
  return [rows.length ? h("ul", { class: "lines" }, ...rows) : h("p", { class: "nothing" }, "No provider can be used yet. Add a key above."), addForm(settings, tools)];
}

function addForm(settings, tools) {
  const known = settings.presets.filter((preset) => preset.addressHint).map((preset) => h("option", { value: preset.name }));
  const name = h("input", { id: "provider-name", type: "text", required: true, autocomplete: "off", placeholder: "my-server", list: "presets-with-address", pattern: "[A-Za-z0-9][A-Za-z0-9_.\\-]{0,63}" });
  const address = h("input", { id: "provider-address", type: "url", required: true, autocomplete: "off", placeholder: "http://127.0.0.1:8000/v1" });
  const form = h(
    "form",
    { class: "add-form" },
    h("datalist", { id: "presets-with-address" }, ...known),
    field("Name", name),
    field("Address", address),
    h("div", { class: "form-row" }, h("button", { type: "submit", class: "toggle" }, "Review provider")),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    tools.propose([{ key: ["providers", name.value.trim()], value: { api_base: address.value.trim() } }], `Add the provider ${name.value.trim()}`, form);
  });
  return h("details", {}, h("summary", {}, "An endpoint of your own"), form);
}
