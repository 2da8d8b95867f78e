// The sentence on top: what the span that is looked at cost, and how things stand now.

import { count, dollars, percent } from "./format.js";

const SHOWN_PLANS = 2;
const MICRO = 1_000_000;
const FULL_ENOUGH = 0.5;

/** `words` names the span; `total` are its sums (null: none are known); `standing` is how things stand, null where the span is over. */
export function sentence({ words, total, standing, demo = false, now = Date.now() }) {
  const first = total ? ofSpan(words, total) : words;
  const parts = standing ? [...standing.budgets.map((budget) => budgetPart(budget, now)), ...planParts(standing.plans, now), ...modelParts(standing, now)] : [];
  const told = [first, ...parts].filter(Boolean).join(", ");
  return told ? `${demo ? "Demo. " : ""}${told}.` : "";
}

function ofSpan(words, total) {
  if (!total.requests) return `${words} no requests`;
  const failed = total.failed === total.requests ? (total.requests === 1 ? ", which failed" : ", all failed") : total.failed ? `, ${count(total.failed)} failed` : "";
  const saved = total.saved >= 0.005 ? `, saved ${dollars(total.saved)}` : "";
  return `${words} ${costs(total)} for ${many(total.requests, "request")}${saved}${failed}`;
}

function costs({ paid, plan, unpriced }) {
  const known = [paid || !plan ? dollars(paid) : null, plan ? `${dollars(plan)} worth on plans` : null].filter(Boolean).join(" and ");
  return unpriced ? `at least ${known}` : known;
}

function budgetPart({ period, quantity, used, most, resetsAt }, now) {
  const share = most ? used / most : 1;
  if (share < FULL_ENOUGH) return null;
  const amount = quantity === "microdollars" ? dollars(most / MICRO) : `${count(most)} ${String(quantity).replaceAll("_", " ")}`;
  const named = `budget of ${amount} ${period === "hour" ? "an" : "a"} ${period}`;
  return share >= 1 ? `${named} used up${until(resetsAt, now)}` : `${named} ${percent(share)} used`;
}

function planParts(plans, now) {
  const fullest = [...plans].sort((a, b) => Number(b.exhausted) - Number(a.exhausted) || b.used - a.used);
  const named = (plan) => (plans.length === 1 ? "plan" : (plan.credential ?? plan.provider));
  const parts = fullest.slice(0, SHOWN_PLANS).map((plan) => `${named(plan)} ${plan.exhausted ? "used up" : percent(plan.used)}${until(plan.resetsAt, now)}`);
  const more = plans.length - SHOWN_PLANS;
  return more > 0 ? [...parts, `${many(more, "plan")} more`] : parts;
}

function modelParts({ models: { ready, resting }, firstBack }, now) {
  if (!resting) return ready === 0 ? ["no model can be used yet"] : [];
  if (ready === 0) return [`no model can answer now${firstBack ? `, the first is back ${moment(firstBack, now)}` : ""}`];
  return [`${many(resting, "model")} resting`];
}

function until(seconds, now) {
  return seconds && seconds * 1000 > now ? ` until ${moment(seconds, now).replace(/^at /, "")}` : "";
}

// "at 17:00"; with the day when it is another one.
function moment(seconds, now) {
  const at = new Date(seconds * 1000);
  const clock = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  if (at.toDateString() === new Date(now).toDateString()) return `at ${clock}`;
  const near = at - now < 6 * 86_400_000;
  return `at ${at.toLocaleDateString("en-GB", near ? { weekday: "short" } : { day: "numeric", month: "short" })} ${clock}`;
}

function many(number, noun) {
  return `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
}
