// What lies behind the live feed: requests of earlier days, from the gateway's index of its trace files.

import { load } from "./stream.js";

const DAY = 86_400_000;
export const PAGE = 200;

/** Ranges offered, and the moment each begins. */
export const RANGES = {
  live: () => null,
  today: () => midnight(0),
  "7": () => midnight(6),
  "30": () => midnight(29),
};

// Whole days, today's included.
function midnight(daysBefore) {
  const day = new Date();
  return new Date(day.getFullYear(), day.getMonth(), day.getDate() - daysBefore).getTime();
}

/** One page of requests, newest first: `{events, more, matches, counted, indexing}`. */
export async function earlier({ since, until, query, before }) {
  const asked = new URLSearchParams({ n: PAGE, since: Math.max(0, Math.floor(since ?? 0)), q: query ?? "" });
  if (until) asked.set("until", until);
  if (before) asked.set("before", before);
  const answer = await load(`history?${asked}`);
  const events = answer.rows.map(asEvent);
  return { ...answer, events, more: answer.rows.length === PAGE, last: answer.rows.at(-1)?.seq };
}

/** The two days of a range of one's own, `2026-11-01..2026-11-05`; nothing where it is none. */
export function ownDays(range) {
  const [, from, to] = /^(\d{4}-\d\d-\d\d)\.\.(\d{4}-\d\d-\d\d)$/.exec(range) ?? [];
  return from && !Number.isNaN(Date.parse(from)) && !Number.isNaN(Date.parse(to)) ? [from, to] : [];
}

/** A day some days ago, as a date field holds it. */
export function dayBefore(days) {
  const day = new Date(Date.now() - days * DAY);
  return new Date(day.getTime() - day.getTimezoneOffset() * 60_000).toISOString().slice(0, 10);
}

/** Where a range begins and ends; one of the user's own holds both of its days. */
export function spanOf(range) {
  const [from, to] = ownDays(range);
  if (!from) return { since: (RANGES[range] ?? RANGES.today)() };
  const [first, last] = from <= to ? [from, to] : [to, from];
  const end = new Date(`${last}T00:00`);
  end.setDate(end.getDate() + 1);
  return { since: new Date(`${first}T00:00`).getTime(), until: end.getTime() };
}

/** Sums of a span. */
export async function sums({ since, until }) {
  const asked = new URLSearchParams({ since: Math.max(0, Math.floor(since)) });
  if (until) asked.set("until", until);
  return load(`history/summary?${asked}`);
}

/** The whole record behind a row. */
export async function whole(id) {
  return load(`history/request/${encodeURIComponent(id)}`);
}

// The index keeps what a row shows; under the names that live records have.
function asEvent(row) {
  return {
    ts: row.ts,
    requestId: row.id,
    status: row.status ?? undefined,
    routingTier: row.tier || undefined,
    modelIdRequested: row.requested || undefined,
    modelIdRouted: row.model || undefined,
    providerId: row.provider || undefined,
    client: row.client || undefined,
    userAgent: row.agent || undefined,
    conversation: row.conversation || undefined,
    path: row.path || undefined,
    errorMessage: row.error || undefined,
    stream: Boolean(row.stream),
    subscription: Boolean(row.plan),
    fallback: row.rerouted ? { triggered: true, attempts: [], fallbackModel: row.model } : undefined,
    routingConfidence: row.confidence ?? undefined,
    sessionKey: row.session || undefined,
    latencyMs: row.latency ?? undefined,
    firstTokenMs: row.first ?? undefined,
    tokens: row.output === null ? undefined : { input: row.input, output: row.output, cacheRead: row.cached },
    cost: { actual: row.cost ?? undefined, saved: row.saved ?? undefined, baseline: row.baseline ?? undefined },
    partial: true,
  };
}
