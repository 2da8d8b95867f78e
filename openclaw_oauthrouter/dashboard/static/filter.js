// The filter box: words that must all occur, -word, name:value terms, and comparisons such as latency:>2s. The gateway reads the same
// words for requests that the page does not hold (telemetry/search.py); one table of cases tests both.

const SHARED = {
  tier: (event) => [event.routingTier],
  model: (event) => [event.modelIdRouted ?? event.modelIdResolved, event.modelIdRequested],
  provider: (event) => [event.providerId],
  client: (event) => [event.client],
  agent: (event) => [agent(event)],
  path: (event) => [event.path],
  error: (event) => [event.errorMessage],
};

const OWN = {
  id: (event) => [event.requestId],
  conversation: (event) => [event.conversation],
  session: (event) => [event.sessionKey],
};

const TIME = { "": 1, ms: 1, s: 1000, sec: 1000, m: 60_000, min: 60_000, h: 3_600_000 };
const TOKENS = { "": 1, k: 1000, m: 1_000_000 };
const MONEY = { "": 1 };

const NUMBERS = {
  latency: [TIME, (event) => event.latencyMs],
  first: [TIME, (event) => event.firstTokenMs],
  cost: [MONEY, (event) => event.cost?.actual],
  saved: [MONEY, (event) => event.cost?.saved],
  input: [TOKENS, (event) => event.tokens?.input],
  output: [TOKENS, (event) => event.tokens?.output],
};

const FLAGS = {
  stream: (event) => Boolean(event.stream),
  failed: isProblem,
  rerouted: isSubstituted,
  plan: (event) => Boolean(event.subscription),
};

const EXAMPLES = {
  tier: "complex",
  model: "haiku",
  provider: "anthropic",
  client: "nightly",
  agent: "claude-cli",
  path: "messages",
  error: "overloaded",
  id: "0197",
  conversation: "c-7",
  session: "main",
  status: "5xx",
  latency: ">2s",
  first: ">500ms",
  cost: ">0.01",
  saved: ">1",
  input: ">10k",
  output: ">1k",
  stream: "true",
  failed: "true",
  rerouted: "true",
  plan: "true",
};

const TIERS = ["simple", "medium", "complex", "reasoning"];
const YES = { true: true, yes: true, on: true, 1: true, false: false, no: false, off: false, 0: false };
const LEAST_BEGINNING = 4;

/** The terms there are, for suggestions and for saying that one is not among them. */
export const TERMS = Object.keys(EXAMPLES).map((name) => `${name}:`);

const KEY = /([a-z]+):/iy;
const NEXT = /-?[a-z]+:|-\S/iy;
const NUMBER = /(>=|<=|>|<|=)?\s*(-?)\$?(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d*\.?\d+)\s*([a-z]*)(?=\s|$)/iy;
const STATUS = /(>=|<=|>|<|=)?\s*([1-5][0-9x]{0,2})(?=\s|$)/iy;
const WORD = /\S*/y;

const searched = new WeakMap();

/** Turns what was typed into a predicate over records, and what was wrong with it (null when nothing was). */
export function parseFilter(text) {
  const problems = [];
  const tests = tokens(text).map((token) => {
    const test = term(token, problems);
    return token.minus ? (event) => !test(event) : test;
  });
  return problems.length ? { test: () => true, problem: problems[0] } : { test: (event) => tests.every((test) => test(event)), problem: null };
}

function tokens(text) {
  const found = [];
  let place = 0;
  while (place < text.length) {
    if (/\s/.test(text[place])) {
      place += 1;
      continue;
    }
    const minus = text[place] === "-" && /\S/.test(text[place + 1] ?? " ");
    if (minus) place += 1;
    const named = at(KEY, text, place);
    const key = named?.[1].toLowerCase();
    if (named) place = valueBegins(text, place + named[0].length);
    const { word, quoted, end } = valueAt(text, place, key);
    found.push({ minus, key, word, quoted });
    place = end;
  }
  return found;
}

function at(pattern, text, place) {
  pattern.lastIndex = place;
  return pattern.exec(text);
}

// Behind "name:" there may be blanks; but what begins another term is no value.
function valueBegins(text, place) {
  let begins = place;
  while (begins < text.length && /\s/.test(text[begins])) begins += 1;
  return begins > place && at(NEXT, text, begins) ? place : begins;
}

function valueAt(text, place, key) {
  if (text[place] === '"') {
    const closing = text.indexOf('"', place + 1);
    const end = closing < 0 ? text.length : closing;
    return { word: text.slice(place + 1, end), quoted: true, end: end + 1 };
  }
  const pattern = key in NUMBERS ? NUMBER : key === "status" ? STATUS : null;
  const [word] = (pattern && at(pattern, text, place)) ?? at(WORD, text, place);
  return { word, quoted: false, end: place + word.length };
}

function term(token, problems) {
  const { key, word } = token;
  if (key === undefined) return plain(token);
  if (!Object.hasOwn(EXAMPLES, key)) return wrong(problems, `There is no term “${key}:”; ${meant(token)}`);
  if (!word) return wrong(problems, `“${key}:” needs a value, such as ${key}:${EXAMPLES[key]}`);
  if (key === "tier") return tierTerm(token, problems);
  if (key === "status") return statusTerm(token, problems);
  if (key in NUMBERS) return comparison(token, problems);
  if (key in FLAGS) return flag(token, problems);
  const fields = SHARED[key] ?? OWN[key];
  const holds = part(token);
  return (event) => fields(event).some((value) => holds((value ?? "").toLowerCase()));
}

function wrong(problems, words) {
  problems.push(words);
  return () => true;
}

function meant({ key, word }) {
  const near = closest(key, Object.keys(EXAMPLES));
  const others = `There are ${TERMS.join(" ")}`;
  return near ? `did you mean “${near}:”? ${others}` : `to look for the text itself, quote it: "${key}:${word}". ${others}`;
}

function plain(token) {
  const holds = part(token);
  const status = !token.quoted && /^[1-5]\d\d$/.test(token.word) ? Number(token.word) : null;
  const begins = token.word.length >= LEAST_BEGINNING ? token.word : null;
  return (event) =>
    holds(haystack(event)) || (status !== null && event.status === status) || (begins !== null && [event.requestId, event.conversation].some((own) => own?.startsWith(begins)));
}

// A part of a text; * stands for anything, but not within quotes.
function part({ word, quoted }) {
  const wanted = word.toLowerCase();
  if (quoted || !wanted.includes("*")) return (text) => text.includes(wanted);
  const pieces = wanted.split("*").filter(Boolean);
  if (!pieces.length) return (text) => text !== "";
  return (text) => {
    let from = 0;
    return pieces.every((piece) => {
      const place = text.indexOf(piece, from);
      from = place + piece.length;
      return place >= 0;
    });
  };
}

function tierTerm(token, problems) {
  const word = token.word.toLowerCase();
  if (word === "none") return (event) => !event.routingTier;
  if (!word.includes("*") && !TIERS.some((tier) => tier.includes(word))) {
    const near = closest(word, TIERS);
    return wrong(problems, `No tier is called “${token.word}”; ${near ? `did you mean “tier:${near}”? ` : ""}There are ${TIERS.join(", ")}, none`);
  }
  const holds = part(token);
  return (event) => holds((event.routingTier ?? "").toLowerCase());
}

function statusTerm({ word }, problems) {
  if (word.toLowerCase() === "none") return (event) => event.status === undefined || event.status === null;
  const [all, sign = "=", typed = ""] = at(STATUS, word, 0) ?? [];
  const digits = typed.toLowerCase().padEnd(3, "x");
  if (all !== word || !/^[1-5](\d\d|\dx|xx)$/.test(digits)) return wrong(problems, `“${word}” is no status; write 429, or a class such as 5xx`);
  const low = Number(digits.replaceAll("x", "0"));
  const high = Number(digits.replaceAll("x", "9"));
  const holds = { "=": (x) => x >= low && x <= high, ">": (x) => x > high, ">=": (x) => x >= low, "<": (x) => x < low, "<=": (x) => x <= high }[sign];
  return (event) => typeof event.status === "number" && holds(event.status);
}

function comparison({ key, word }, problems) {
  const [units, field] = NUMBERS[key];
  const [all, sign = "=", minus, digits, unit = ""] = at(NUMBER, word, 0) ?? [];
  const factor = Object.hasOwn(units, unit.toLowerCase()) ? units[unit.toLowerCase()] : null;
  if (all !== word || factor === null || (word.includes("$") && units !== MONEY)) {
    const named = Object.keys(units).filter(Boolean).join(", ");
    return wrong(problems, `“${word}” is no number to compare with; write it as in ${key}:${EXAMPLES[key]}${named ? ` (units: ${named})` : ""}`);
  }
  const bound = Number(minus + digits.replaceAll(",", "")) * factor;
  const holds = { ">": (x) => x > bound, "<": (x) => x < bound, ">=": (x) => x >= bound, "<=": (x) => x <= bound, "=": (x) => x === bound }[sign];
  return (event) => {
    const number = field(event);
    return typeof number === "number" && holds(number);
  };
}

function flag({ key, word }, problems) {
  const wanted = Object.hasOwn(YES, word.toLowerCase()) ? YES[word.toLowerCase()] : null;
  if (wanted === null) return wrong(problems, `${key}: is true or false, not “${word}”`);
  return (event) => FLAGS[key](event) === wanted;
}

function haystack(event) {
  if (!searched.has(event)) {
    const words = Object.values(SHARED).flatMap((fields) => fields(event));
    searched.set(event, words.filter(Boolean).join(" ").toLowerCase());
  }
  return searched.get(event);
}

/** The one that was probably meant: at most two letters changed, added, left out or exchanged. */
function closest(word, names) {
  const near = names.map((name) => [distance(word, name), name]).sort((a, b) => a[0] - b[0]);
  return near[0][0] <= Math.min(2, Math.ceil(word.length / 3)) ? near[0][1] : null;
}

function distance(a, b) {
  const rows = Array.from({ length: a.length + 1 }, (_, i) => [i, ...Array(b.length).fill(0)]);
  for (let j = 1; j <= b.length; j += 1) rows[0][j] = j;
  for (let i = 1; i <= a.length; i += 1) {
    for (let j = 1; j <= b.length; j += 1) {
      rows[i][j] = Math.min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) rows[i][j] = Math.min(rows[i][j], rows[i - 2][j - 2] + 1);
    }
  }
  return rows[a.length][b.length];
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
