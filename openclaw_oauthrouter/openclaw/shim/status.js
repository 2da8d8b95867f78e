// What OpenClaw shows of the gateway: budgets, spend and plan windows as its usage snapshot, and the answer to /route.
const UNITS = { requests: "requests", input_tokens: "input tokens", output_tokens: "output tokens", microdollars: "cost" };
const PERIODS = { hour: "hour", day: "today", week: "this week", month: "this month" };
const DOLLAR = 1_000_000;

const dollars = (amount) => (amount !== 0 && Math.abs(amount) < 0.1 ? `$${amount.toFixed(4)}` : `$${amount.toFixed(2)}`);
const count = (number) => new Intl.NumberFormat("en-US").format(number);
const milliseconds = (moment) => (moment == null ? undefined : typeof moment === "number" ? moment * 1_000 : Date.parse(moment));

/** The snapshot that `openclaw status --usage`, /status and the Control UI show. */
export async function usageSnapshot(provider, displayName, ask) {
  const [spend, health] = await Promise.all([ask("/debug/spend"), ask("/debug/provider-health")]);
  const budgets = (spend.budgets ?? []).filter((budget) => !budget.scope && budget.most > 0 && PERIODS[budget.period]);
  return {
    provider,
    displayName,
    windows: [...budgets.map(budgetWindow), ...(health.windows ?? []).flatMap(planWindow)],
    billing: billing(spend, budgets),
    summary: summary(spend.periods?.day?.used?.[""]),
    plan: budgets.length ? "Limits of your own" : "No limits set",
  };
}

function budgetWindow({ period, quantity, most, used, resetsAt }) {
  return {
    label: `${UNITS[quantity] ?? quantity} ${PERIODS[period]}`,
    usedPercent: Math.min(100, (used / most) * 100),
    resetAt: milliseconds(resetsAt),
  };
}

function planWindow({ provider, window, name, used, usedPercent, used_percent: percent, resetsAt, resets_at: resets }) {
  const share = usedPercent ?? percent ?? (typeof used === "number" ? used * 100 : undefined);
  if (typeof share !== "number") return [];
  return [
    {
      label: `${window ?? name ?? "plan"}`,
      groupLabel: `${provider} plan`,
      usedPercent: Math.min(100, share),
      resetAt: milliseconds(resetsAt ?? resets),
    },
  ];
}

function billing(spend, budgets) {
  const rows = budgets
    .filter(({ quantity }) => quantity === "microdollars")
    .map(({ period, used, most, resetsAt }) => ({
      type: "budget",
      used: used / DOLLAR,
      limit: most / DOLLAR,
      unit: "USD",
      period,
      resetAt: milliseconds(resetsAt),
    }));
  if (rows.length) return rows;
  const month = spend.periods?.month?.used?.[""]?.microdollars;
  return typeof month === "number" ? [{ type: "spend", amount: month / DOLLAR, unit: "USD", period: "month" }] : undefined;
}

function summary(today) {
  if (!today) return undefined;
  const tokens = (today.input_tokens ?? 0) + (today.output_tokens ?? 0);
  return `today: ${count(today.requests ?? 0)} requests · ${count(tokens)} tokens · ${dollars((today.microdollars ?? 0) / DOLLAR)}`;
}

/** The text of /route: why the latest answers came from where they did, what they cost, and what is left. */
export async function routeReport(ask, words) {
  const wanted = Math.min(10, Math.max(1, Number.parseInt(words, 10) || 1));
  const [trace, usage] = await Promise.all([
    ask(`/debug/routing-trace?n=${wanted}`),
    usageSnapshot("oauthrouter", "OAuthRouter", ask).catch(() => undefined),
  ]);
  const events = (trace.events ?? []).toReversed();
  if (!events.length) return "OAuthRouter has answered nothing yet.";
  const lines = events.flatMap(eventLines);
  for (const { label, groupLabel, usedPercent } of usage?.windows ?? [])
    lines.push(`${groupLabel ? `${groupLabel}, ` : ""}${label}: ${usedPercent.toFixed(0)} % used`);
  if (usage?.summary) lines.push(usage.summary);
  return lines.join("\n");
}

function eventLines(event) {
  const answered = event.modelIdRouted ?? event.modelIdResolved ?? "nobody";
  const asked = event.modelIdRequested === answered ? answered : `${event.modelIdRequested} → ${answered}`;
  const cost = event.paidBy === "plan" ? "on your plan" : typeof event.cost?.actual === "number" ? dollars(event.cost.actual) : "cost unknown";
  const tokens = event.tokens ? `${count(event.tokens.input ?? 0)} in, ${count(event.tokens.output ?? 0)} out` : "";
  const lines = [`${asked} (${[event.routingTier ?? event.tier, tokens, cost].filter(Boolean).join(", ")})`];
  if (event.routingReasoning) lines.push(`why: ${event.routingReasoning}`);
  if (event.fallback) lines.push(`fallback: ${event.fallback.requestedModel} → ${event.fallback.fallbackModel}`);
  if (event.errorMessage) lines.push(`failed with ${event.status}: ${event.errorMessage}`);
  return lines;
}
