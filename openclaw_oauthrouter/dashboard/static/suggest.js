// What may be meant by the last word of a filter: a term, or a value that the records on the page have.

import { TERMS, agent } from "./filter.js";

const MOST = 20;
const LOOKED_AT = 2000;

const FIXED = {
  tier: () => ["simple", "medium", "complex", "reasoning"],
  status: () => ["2xx", "4xx", "429", "5xx"],
  latency: () => [">2s", ">10s", "<500ms"],
  cost: () => [">0.01", ">0.1", ">1"],
  saved: () => [">0.01", ">1"],
  input: () => [">10000", ">100000"],
  output: () => [">1000", ">10000"],
  stream: () => ["true", "false"],
  failed: () => ["true", "false"],
  rerouted: () => ["true", "false"],
  plan: () => ["true", "false"],
};

const SEEN = {
  model: (event) => event.modelIdRouted ?? event.modelIdRequested,
  provider: (event) => event.providerId,
  client: (event) => event.client,
  agent,
  path: (event) => event.path,
};

/** Whole texts for the filter box, each what was typed with its last word continued. */
export function suggestions(text, events) {
  const start = text.lastIndexOf(" ") + 1;
  const [, minus, word] = /^(-?)(.*)$/.exec(text.slice(start));
  const [, name, begun] = /^([a-z]+):(.*)$/i.exec(word) ?? [];
  const found = name ? values(name.toLowerCase(), events).map((value) => `${name}:${value}`).filter((one) => one.toLowerCase().includes(begun.toLowerCase())) : TERMS.filter((term) => term.startsWith(word.toLowerCase()));
  return found.slice(0, MOST).map((one) => text.slice(0, start) + minus + one);
}

function values(name, events) {
  if (FIXED[name]) return FIXED[name]();
  if (!SEEN[name]) return [];
  return [...new Set(events.slice(-LOOKED_AT).map(SEEN[name]).filter(Boolean))];
}
