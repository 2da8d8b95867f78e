// When and how notices are given; the command they run is set in a terminal only.

import { field } from "./accounts.js";
import { h } from "./dom.js";

export function noticeSettings(settings, tools) {
  const said = settings.notices;
  const window = h("input", { id: "notice-window", type: "number", min: "1", max: "100", step: "1", value: Math.round(said.window_at * 100) });
  const days = h("input", { id: "notice-days", type: "number", min: "0", step: "1", value: said.retires_within_days });
  const desktop = h("input", { id: "notice-desktop", type: "checkbox", checked: said.desktop });
  const form = h(
    "form",
    { class: "add-form" },
    field("Plan window used, %", window),
    field("Days before a model retires", days),
    h("label", { class: "check" }, desktop, "Also on the desktop"),
    h("div", { class: "form-row" }, h("button", { type: "submit", class: "toggle" }, "Review notices")),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const values = { window_at: Number(window.value) / 100, retires_within_days: Number(days.value), desktop: desktop.checked };
    const changes = Object.entries(values).filter(([name, value]) => value !== said[name]).map(([name, value]) => ({ key: ["notices", name], value }));
    if (changes.length) tools.propose(changes, "Change notices", form);
  });
  const command = said.hasCommand ? ["A command of yours runs at each notice."] : ["A command can run at each notice: ", h("code", {}, "openclaw-oauthrouter config set notices.command"), "."];
  return [form, h("p", { class: "quiet" }, ...command)];
}
