// The filter box: words that must all occur, and name:value terms for single fields.

const FIELDS = {
  tier: (event) => event.routingTier,
  status: (event) => String(event.status ?? ""),
  model: (event) => [event.modelIdRequested, event.modelIdResolved, event.modelIdRouted].join(" "),
  provider: (event) => event.providerId,
  client: (event) => event.client,
  path: (event) => event.path,
  id: (event) => event.requestId,
};

const searched = new WeakMap();

/** Turns what was typed into a predicate over records. */
export function parseFilter(text) {
  const tests = text.toLowerCase().split(/\s+/).filter(Boolean).map(term);
  return (event) => tests.every((test) => test(event));
}

function term(word) {
  const [, name, value] = /^(\w+):(.+)$/.exec(word) ?? [];
  const field = FIELDS[name];
  if (!field) return (event) => haystack(event).includes(word);
  if (name === "status" && /^[1-5]xx$/.test(value)) return (event) => field(event).startsWith(value[0]);
  return (event) => (field(event) ?? "").toLowerCase().includes(value);
}

function haystack(event) {
  if (!searched.has(event)) {
    const words = [...Object.values(FIELDS).map((field) => field(event)), event.errorMessage, event.conversation, event.sessionKey];
    searched.set(event, words.filter(Boolean).join(" ").toLowerCase());
  }
  return searched.get(event);
}

export function isProblem(event) {
  return (event.status ?? 0) >= 400;
}

export function isSubstituted(event) {
  return Boolean(event.fallback?.triggered || event.preRoute?.triggered);
}
