// Accounts: keys and sign-ins, whether they work, and which are left alone. A stored secret never comes here.

import { post } from "./change.js";
import { ask, attempt, note } from "./dialog.js";
import { h, icon } from "./dom.js";
import { dateAndTime } from "./format.js";
import { settle } from "./keep.js";
import { load } from "./stream.js";

const KINDS = { api_key: "API key", token: "token", oauth: "sign-in" };
const SIGN_IN_LOOKS = 2000;

export function accounts(settings, tools) {
  const rows = settings.accounts.filter((account) => account.name).map((account) => row(account, settings, tools));
  const broken = settings.accounts.filter((account) => !account.name).map((account) => h("li", { class: "problem-words" }, `${account.source}: ${account.reason}`));
  return [
    rows.length ? h("ul", { class: "lines" }, ...rows, ...broken) : h("p", { class: "nothing" }, "No key and no sign-in yet. Add one below."),
    addForm(settings, tools),
    signInLine(tools),
  ];
}

function row(account, settings, tools) {
  const state = account.paused ? ["idle", "paused"] : account.usable ? ["ok", "usable"] : ["bad", "not usable"];
  const told = h("span", { class: "quiet result", role: "status" });
  const paused = settings.accounts.filter((one) => one.paused).map((one) => one.name);
  const others = paused.filter((name) => name !== account.name);
  const next = account.paused ? others : [...others, account.name];
  const pause = () => tools.propose([{ key: ["credentials", "paused"], value: next.length ? next : null }], account.paused ? `Use ${account.name} again` : `Leave ${account.name} alone`);
  return h(
    "li",
    { class: "line-row account" },
    h("span", { class: `dot state-${state[0]}` }),
    h("span", { class: "grow" }, h("b", {}, account.name), h("span", { class: "quiet" }, ` ${[account.provider, KINDS[account.kind], state[1]].filter(Boolean).join(" · ")}`), reason(account), told),
    button("Test", `Test ${account.name}`, () => test({ provider: account.provider, name: account.name }, told), account.paused),
    button(account.paused ? "Resume" : "Pause", `${account.paused ? "Resume" : "Pause"} ${account.name}`, pause),
    account.ours ? button("Remove", `Remove ${account.name}`, () => remove(account, tools)) : null,
  );
}

function reason(account) {
  const until = account.expiresAt ? `until ${dateAndTime(account.expiresAt * 1000)}` : null;
  const words = [until, account.usable || account.paused ? null : account.reason].filter(Boolean).join(" · ");
  return words ? h("span", { class: "quiet block" }, words) : null;
}

function button(words, label, onclick, disabled = false) {
  return h("button", { type: "button", class: "toggle", "aria-label": label, onclick, disabled }, words);
}

async function test(body, told) {
  told.textContent = " asking …";
  const found = await attempt(() => post("accounts/test", body));
  told.textContent = found ? ` ${found.words}` : "";
  told.className = `result ${found?.works ? "good-words" : "bad-words"}`;
}

async function remove(account, tools) {
  const body = [h("p", {}, "It is taken out of this gateway's own store. For ten minutes it can be put back.")];
  if (!(await ask({ title: `Remove ${account.name}?`, body, yes: "Remove", danger: true }))) return;
  const done = await attempt(() => post("accounts/remove", { name: account.name }));
  if (done) note(`${done.name} is removed.`, { undo: () => tools.undoSecret(done.undo) });
  await tools.refresh();
}

function addForm(settings, tools) {
  const names = [...settings.presets.filter((preset) => !preset.plan).map(({ name, title }) => [name, title]), ...settings.providers.filter((one) => one.own).map(({ name }) => [name, name])];
  const provider = h("select", { id: "key-provider", name: "provider" }, ...names.map(([name, title]) => h("option", { value: name }, title)));
  const secret = h("input", { id: "key-secret", name: "secret", type: "password", autocomplete: "off", spellcheck: "false" });
  const told = h("span", { class: "result", role: "status" });
  const hint = h("span", { class: "quiet block" });
  const describe = () => {
    const preset = settings.presets.find((one) => one.name === provider.value);
    secret.disabled = Boolean(preset?.local) || Boolean(settings.readOnly);
    const address = preset?.addressHint ? `It needs an address as well, such as ${preset.addressHint}: add it under Providers. ` : "";
    hint.textContent = preset?.local ? "Runs on this machine and takes no key." : `${address}${preset?.keys ? `Keys are made at ${preset.keys}` : ""}`;
  };
  provider.addEventListener("change", describe);
  describe();
  const body = () => ({ provider: provider.value, ...(secret.value ? { secret: secret.value } : {}) });
  const form = h(
    "form",
    { class: "add-form", autocomplete: "off" },
    field("Provider", provider),
    field("Key or token", secret),
    h("div", { class: "form-row" }, h("button", { type: "button", class: "toggle", onclick: () => test(body(), told) }, "Test"), h("button", { type: "submit", class: "primary" }, "Add key"), told),
    hint,
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const kept = await attempt(() => post("accounts/add", body()));
    if (!kept) return;
    secret.value = "";
    settle(form);
    note(`Kept as ${kept.name}.`);
    await tools.refresh();
  });
  return form;
}

/** A field with its label above it. */
export function field(words, input) {
  return h("div", { class: "field" }, h("label", { for: input.id }, words), input);
}

function signInLine(tools) {
  const told = h("span", { class: "quiet", role: "status" });
  const begin = async () => {
    const answer = await attempt(() => post("sign-in"));
    if (!answer) return;
    told.replaceChildren("Finish at ", h("a", { href: answer.url, target: "_blank", rel: "noopener noreferrer" }, "the sign-in page"), "; this page waits.");
    const timer = setInterval(async () => {
      const state = await load("sign-in").catch(() => null);
      if (state?.state === "waiting") return;
      clearInterval(timer);
      told.textContent = state?.words ?? "";
      if (state?.state === "done") await tools.refresh();
    }, SIGN_IN_LOOKS);
  };
  return h("div", { class: "form-row" }, h("button", { type: "button", class: "toggle", onclick: begin }, icon("arrow"), " Sign in with ChatGPT"), told);
}
