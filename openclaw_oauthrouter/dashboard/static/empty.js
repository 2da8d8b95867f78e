// What a new user sees: the next step, ready to be copied.

import { h, icon } from "./dom.js";

/** The welcome shown until the first request comes in. */
export function welcome(tryPrompt) {
  const base = new URL("../v1", document.baseURI).href;
  return [
    h("h3", {}, "Waiting for the first request"),
    h("p", {}, "Point a client at this address, ask for the model ", h("code", {}, "auto"), ", and watch it arrive here."),
    snippet("Any OpenAI client", `OPENAI_BASE_URL=${base}\nOPENAI_API_KEY=$(openclaw-oauthrouter token)`),
    snippet(
      "Or from a shell",
      `curl ${base}/chat/completions \\\n  -H "Authorization: Bearer $(openclaw-oauthrouter token)" \\\n  -H "Content-Type: application/json" \\\n  -d '{"model": "auto", "messages": [{"role": "user", "content": "hi"}]}'`,
    ),
    h(
      "p",
      { class: "quiet" },
      "No credentials yet? ",
      h("code", {}, "openclaw-oauthrouter doctor"),
      " says what is missing. Or ",
      h("button", { type: "button", class: "link", onclick: tryPrompt }, "try a prompt"),
      " without sending it.",
    ),
  ];
}

function snippet(title, text) {
  const copy = h("button", { type: "button", class: "ghost", "aria-label": `Copy: ${title}`, onclick: () => copied(copy, text) }, icon("copy"), "Copy");
  return h("div", { class: "snippet" }, h("p", {}, title, copy), h("pre", { tabindex: "0" }, h("code", {}, text)));
}

async function copied(button, text) {
  try {
    await navigator.clipboard.writeText(text);
    button.lastChild.textContent = "Copied";
  } catch {
    // Browsers forbid the clipboard on plain-HTTP addresses other than localhost; the text can still be selected.
    button.lastChild.textContent = "Select and copy";
  }
}
