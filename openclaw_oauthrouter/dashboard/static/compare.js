// Send a prompt from the page, to one model or to two side by side: the answers, and what each took in time and money.

import { changeHeaders } from "./change.js";
import { attempt, note } from "./dialog.js";
import { h } from "./dom.js";
import { dollars, milliseconds, tokens } from "./format.js";
import { load } from "./stream.js";

const TRACE_TRIES = 8;
const TRACE_PAUSE = 250;

/** Fills the page; returns `{refresh}`. `openRequest` shows one request. */
export function comparePage(page, openRequest) {
  const prompt = h("textarea", { id: "compare-prompt", rows: "4", placeholder: "Type a prompt", required: true });
  const most = h("input", { id: "compare-most", type: "number", min: "1", step: "1", value: "1000", inputmode: "numeric" });
  const sides = ["First model", "Second model"].map((words, place) => new Side(words, place, openRequest));
  const send = h("button", { type: "submit", class: "primary" }, "Send");
  const stop = h("button", { type: "button", class: "toggle", hidden: true, onclick: () => sides.forEach((side) => side.stop()) }, "Stop");
  const form = h(
    "form",
    { class: "card compare-form" },
    h("div", { class: "field" }, h("label", { for: "compare-prompt" }, "Prompt"), prompt),
    h("div", { class: "add-form" }, ...sides.map((side) => side.field), h("div", { class: "field" }, h("label", { for: "compare-most" }, "Tokens at most"), most), h("div", { class: "form-row" }, send, stop)),
    h("p", { class: "quiet" }, "Sent to real providers, and counted and paid for as any other request."),
    h("datalist", { id: "compare-models" }),
  );
  page.append(h("div", { class: "page-head" }, h("h2", { class: "page-title" }, "Compare")), form, h("div", { class: "sides" }, ...sides.map((side) => side.card)));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    send.disabled = true;
    stop.hidden = false;
    await Promise.all(sides.map((side) => side.ask(prompt.value, Number(most.value) || 1000)));
    send.disabled = false;
    stop.hidden = true;
  });
  prompt.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) form.requestSubmit();
  });

  async function refresh() {
    const answer = await attempt(() => load("models"));
    const names = (answer?.models ?? []).filter((row) => row.state !== "unusable").map((row) => row.model);
    form.querySelector("datalist").replaceChildren(...["auto", ...names].map((value) => h("option", { value })));
  }

  return { refresh };
}

class Side {
  #stop = null;

  constructor(words, place, openRequest) {
    this.openRequest = openRequest;
    this.model = h("input", { id: `compare-${place}`, type: "text", list: "compare-models", autocomplete: "off", spellcheck: "false", value: place ? "" : "auto", placeholder: place ? "none" : "auto", required: !place });
    this.field = h("div", { class: "field" }, h("label", { for: this.model.id }, words), this.model);
    this.title = h("h3", {}, words);
    this.answer = h("div", { class: "answer", tabindex: "0", role: "region", "aria-label": `Answer of the ${words.toLowerCase()}`, "aria-live": "off" });
    this.told = h("dl", { class: "told" });
    this.more = h("div", { class: "form-row" });
    this.card = h("section", { class: "card side", hidden: Boolean(place) }, this.title, this.answer, this.told, this.more);
  }

  stop() {
    this.#stop?.abort();
  }

  async ask(text, most) {
    const model = this.model.value.trim();
    this.card.hidden = !model;
    if (!model) return;
    this.#stop = new AbortController();
    this.title.textContent = model;
    this.answer.replaceChildren();
    this.told.replaceChildren();
    this.more.replaceChildren();
    this.answer.setAttribute("aria-busy", "true");
    const began = performance.now();
    try {
      const { id, first } = await this.#stream({ model, stream: true, max_tokens: most, messages: [{ role: "user", content: text }] }, began);
      this.#tell([["first words", first === null ? "–" : milliseconds(first)], ["whole answer", milliseconds(performance.now() - began)]]);
      await this.#tellTrace(id);
    } catch (error) {
      if (error.name !== "AbortError") this.answer.replaceChildren(h("p", { class: "error" }, error.message));
      else note("Stopped.");
    } finally {
      this.answer.removeAttribute("aria-busy");
    }
  }

  async #stream(body, began) {
    const response = await fetch("try/v1/chat/completions", { method: "POST", headers: changeHeaders(), body: JSON.stringify(body), signal: this.#stop.signal });
    const id = response.headers.get("x-request-id");
    if (!response.ok) {
      const said = await response.json().catch(() => null);
      throw new Error(said?.error?.message ?? `the gateway answered ${response.status}`);
    }
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let kept = "";
    let first = null;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return { id, first };
      const lines = (kept + value).split("\n");
      kept = lines.pop();
      for (const line of lines) {
        const words = deltaOf(line);
        if (!words) continue;
        first ??= performance.now() - began;
        this.answer.append(words);
      }
    }
  }

  // The record is written when the answer has ended, a moment after its last word.
  async #tellTrace(id) {
    for (let tries = 0; tries < TRACE_TRIES; tries += 1) {
      const { events } = await load("routing-trace?n=20");
      const event = events.find((one) => one.requestId === id);
      if (event) {
        this.#tellEvent(event);
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, TRACE_PAUSE));
    }
  }

  #tellEvent(event) {
    const cost = event.cost?.actual;
    this.#tell([
      ["answered by", event.modelIdRouted ?? "–"],
      ["tier", event.routingTier ?? "as asked"],
      ["tokens", event.tokens?.output === undefined ? "–" : `${tokens(event.tokens.input)} / ${tokens(event.tokens.output)}`],
      ["cost", cost === undefined || cost === null ? "unknown" : `${dollars(cost)}${event.subscription ? ", on a plan" : ""}`],
    ]);
    this.more.append(h("button", { type: "button", class: "toggle", onclick: () => this.openRequest(event.requestId) }, "Why this model"));
  }

  #tell(pairs) {
    this.told.append(...pairs.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
  }
}

function deltaOf(line) {
  if (!line.startsWith("data: ") || line === "data: [DONE]") return "";
  const event = JSON.parse(line.slice(6));
  if (event.error) throw new Error(event.error.message);
  return event.choices?.[0]?.delta?.content ?? "";
}
