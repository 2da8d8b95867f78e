// A mark of two letters stands for a provider, so that its name need not be repeated on every row.

import { h } from "./dom.js";

const MARKS = {
  anthropic: "An",
  azure: "Az",
  bedrock: "Be",
  cerebras: "Ce",
  cohere: "Co",
  deepseek: "DS",
  fireworks: "Fw",
  "github-models": "GH",
  google: "Go",
  gemini: "Ge",
  groq: "Gq",
  huggingface: "HF",
  lmstudio: "LM",
  minimax: "MM",
  mistral: "Mi",
  moonshot: "Ms",
  nvidia: "Nv",
  ollama: "Ol",
  openai: "OA",
  "openai-codex": "Cx",
  openrouter: "OR",
  perplexity: "Px",
  qwen: "Qw",
  together: "To",
  vertex: "Vx",
  vllm: "vL",
  xai: "xA",
  zai: "ZA",
};

/** The mark of a provider: initials where its name has parts. */
export function mark(provider) {
  const parts = provider.split(/[-_.: ]+/).filter(Boolean);
  const letters = MARKS[provider] ?? (parts.length > 1 ? parts[0][0] + parts[1][0] : provider.slice(0, 2));
  return h("span", { class: "mark", "aria-hidden": "true", title: provider }, letters);
}

/** A model as mark and name; the provider is read out, and told where the pointer rests. */
export function marked(model) {
  const slash = model.indexOf("/");
  if (slash < 0) return [model];
  const provider = model.slice(0, slash);
  return [mark(provider), h("span", { class: "sr" }, `${provider}/`), model.slice(slash + 1)];
}
