// What may be meant by the last word of a filter: a term, or a value that the records on the page have.

import { TERMS, agent } from "./filter.js";

const MOST = 20;
const LOOKED_AT = 2000;

const FIXED = {
  tier: ["simple", "medium", "complex", "reasoning", "none"],
  status: ["2xx", "4xx", "429", "5xx", ">=400"],
  latency: [">2s", ">10s", ">1m", "<500ms"],
  first: [">500ms", ">2s"],
  cost: [">0.01", ">0.1", ">1"],
  saved: [">0.01", ">1"],
  input: [">10k", ">100k"],
  output: [">1k", ">10k"],
  stream: ["true", "false"],
  failed: ["true", "false"],
  rerouted: ["true", "false"],
  plan: ["true", "false"],
};

const SEEN = {
  model: (event) => event.modelIdRouted ?? event.modelIdRequested,
  provider: (event) => event.providerId,
  client: (event) => event.client,
  agent,
  path: (event) => event.path,
  session: (event) => event.sessionKey,
  conversation: (event) => event.conversation,
  error: (event) => event.errorMessage,
};

/** Whole texts for the filter box, each what was typed with its last word continued. */
export function suggestions(text, events) {
  const [, before, minus, key, begun] = /^(.*?)(-?)(?:([a-z]+):\s*)?("[^"]*|[^\s"]*)$/is.exec(text) ?? [];
  if (before === undefined || (before && !/[\s"]$/.test(before))) return [];
  const name = key?.toLowerCase();
  const wanted = begun.replace('"', "").toLowerCase();
  const found = name ? values(name, events).filter((value) => value.toLowerCase().includes(wanted)).map((value) => `${name}:${quoted(value)}`) : TERMS.filter((term) => term.startsWith(wanted));
  return found.slice(0, MOST).map((one) => before + minus + one);
}

function quoted(value) {
  return /[\s"]/.test(value) ? `"${value.replaceAll('"', "")}"` : value;
}

function values(name, events) {
  if (Object.hasOwn(FIXED, name)) return FIXED[name];
  if (!Object.hasOwn(SEEN, name)) return [];
  return [...new Set(events.slice(-LOOKED_AT).map(SEEN[name]).filter(Boolean))];
}
