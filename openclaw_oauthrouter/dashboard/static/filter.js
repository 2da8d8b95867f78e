// The filter box: words that must all occur, -word, name:value terms, and comparisons such as latency:>2s.

const WORDS = {
  tier: (event) => event.routingTier,
  model: (event) => [event.modelIdRequested, event.modelIdResolved, event.modelIdRouted].join(" "),
  provider: (event) => event.providerId,
  client: (event) => event.client,
  agent,
  path: (event) => event.path,
  id: (event) => event.requestId,
  conversation: (event) => event.conversation,
  error: (event) => event.errorMessage,
};

const NUMBERS = {
  latency: (event) => event.latencyMs,
  cost: (event) => event.cost?.actual,
  saved: (event) => event.cost?.saved,
  input: (event) => event.tokens?.input,
  output: (event) => event.tokens?.output,
};

const FLAGS = {
  stream: (event) => Boolean(event.stream),
  failed: isProblem,
  rerouted: isSubstituted,
  plan: (event) => Boolean(event.subscription),
};

/** The terms there are, for suggestions and for saying that one is not among them. */
export const TERMS = [...Object.keys(WORDS), "status", ...Object.keys(NUMBERS), ...Object.keys(FLAGS)].map((name) => `${name}:`);

const UNITS = { ms: 1, s: 1000, m: 60_000 };
const searched = new WeakMap();

/** Turns what was typed into a predicate over records, and what was wrong with it (null when nothing was). */
export function parseFilter(text) {
  const problems = [];
  const tests = [...text.matchAll(/(-?)(?:([a-z]+):)?("[^"]*"|\S+)/gi)].map(([, minus, name, value]) => {
    const test = term(name?.toLowerCase(), value.replaceAll('"', "").toLowerCase(), problems);
    return minus ? (event) => !test(event) : test;
  });
  return { test: (event) => tests.every((test) => test(event)), problem: problems[0] ?? null };
}

function term(name, value, problems) {
  if (!name) return (event) => haystack(event).includes(value);
  if (WORDS[name]) return (event) => (WORDS[name](event) ?? "").toLowerCase().includes(value);
  if (NUMBERS[name]) return comparison(name, value, problems);
  if (FLAGS[name]) return flag(name, value, problems);
  if (name === "status" && /^[1-5]xx$/.test(value)) return (event) => String(event.status ?? "").startsWith(value[0]);
  if (name === "status") return (event) => String(event.status ?? "").startsWith(value);
  problems.push(`There is no term “${name}:”. There are ${TERMS.join(" ")}`);
  return () => true;
}

function comparison(name, value, problems) {
  const [, sign = "=", digits, unit] = /^(>=|<=|>|<|=)?\$?(\d+(?:\.\d+)?)(ms|s|m)?$/.exec(value) ?? [];
  if (digits === undefined || (unit && name !== "latency")) {
    problems.push(`“${value}” is no number to compare with; write it as in ${name === "latency" ? "latency:>2s" : `${name}:>0.01`}`);
    return () => true;
  }
  const bound = Number(digits) * (UNITS[unit] ?? 1);
  const holds = { ">": (x) => x > bound, "<": (x) => x < bound, ">=": (x) => x >= bound, "<=": (x) => x <= bound, "=": (x) => x === bound }[sign];
  return (event) => {
    const number = NUMBERS[name](event);
    return number !== undefined && number !== null && holds(number);
  };
}

function flag(name, value, problems) {
  if (!["true", "false", "yes", "no"].includes(value)) problems.push(`${name}: is true or false, not “${value}”`);
  const wanted = value === "true" || value === "yes";
  return (event) => FLAGS[name](event) === wanted;
}

function haystack(event) {
  if (!searched.has(event)) {
    const words = [...Object.values(WORDS).map((field) => field(event)), event.status, event.sessionKey];
    searched.set(event, words.filter(Boolean).join(" ").toLowerCase());
  }
  return searched.get(event);
}

/** The program that asked: the first word of its user agent. */
export function agent(event) {
  return event.userAgent?.split(/[\s/]/)[0];
}

/** The one meaning of "failed" on the page and in its figures. */
export function isProblem(event) {
  return (event.status ?? 0) >= 400;
}

export function isSubstituted(event) {
  return Boolean(event.fallback?.triggered || event.preRoute?.triggered);
}
